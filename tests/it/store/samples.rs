//! Engines under test, and values to put into them.

use std::sync::Arc;

use automerge::ChangeHash;
use doorstep::ids::{DeviceId, Heads, RecordId, actor};
use doorstep::office::store::postgres::Postgres;
use doorstep::office::store::sqlite::Sqlite;
use doorstep::office::store::{
    ChangeMeta, InitialSecrets, PromiseFact, ReportFacts, Rows, Store, StoredChange, StoredRecord,
};
use doorstep::record::terms::{
    AppointmentStatus, Channel, ContactOutcome, Disposition, Flag, OverdueReason, ReviewStatus,
    Stage, TargetRole,
};
use doorstep::record::view::{
    Conflict, ConflictValue, ContactView, FieldValue, PaymentView, VisitSummary,
};

use crate::support::postgres::Database;

const FRESH: InitialSecrets =
    InitialSecrets { epoch: [1; 16], office_device: [2; 16], attestation_key: [3; 32] };

/// A store in a place of its own, which can be closed and opened again.
pub(crate) struct Engine {
    pub(crate) store: Arc<dyn Store>,
    open: Box<dyn Fn() -> Arc<dyn Store>>,
}

impl Engine {
    pub(crate) fn sqlite() -> Self {
        let place = tempfile::tempdir().unwrap();
        Self::new(move || Arc::new(Sqlite::open(&place.path().join("store"), FRESH).unwrap()))
    }

    pub(crate) fn postgres() -> Self {
        let database = Database::new();
        Self::new(move || Arc::new(Postgres::open(database.address(), FRESH).unwrap()))
    }

    fn new(open: impl Fn() -> Arc<dyn Store> + 'static) -> Self {
        Self { store: open(), open: Box::new(open) }
    }

    /// The same place once more, beside the store that is open.
    pub(crate) fn again(&self) -> Arc<dyn Store> {
        (self.open)()
    }
}

pub(crate) fn id(n: u8) -> RecordId {
    RecordId([n; 16])
}

pub(crate) fn device(n: u8) -> DeviceId {
    DeviceId([n; 16])
}

pub(crate) fn hash(n: u8) -> ChangeHash {
    ChangeHash([n; 32])
}

pub(crate) fn record(case_no: &str, heads: u8) -> StoredRecord {
    StoredRecord {
        case_no: case_no.into(),
        heads: Heads::new(vec![hash(heads), hash(heads + 1)]),
        max_op: 7,
        changes: 1,
        created_at: 10,
        updated_at: 20,
        document: vec![heads; 300],
    }
}

pub(crate) fn kept(ordinal: u64, seq: u64) -> StoredChange {
    StoredChange {
        ordinal,
        meta: ChangeMeta {
            hash: hash(u8::try_from(ordinal).unwrap()),
            actor: actor(device(5), 1),
            seq,
            max_op: 10 * ordinal,
        },
        received_at: 1_000,
        device: device(5),
        user: "chen.jie".into(),
        bytes: vec![9; 100],
    }
}

/// Rows with something in every field.
pub(crate) fn rows(id: RecordId, case_no: &str) -> Rows {
    Rows {
        summary: VisitSummary {
            id: id.to_string(),
            case_no: case_no.into(),
            borrower_name: "欧阳娜娜".into(),
            address: "上海市 100% 路_1".into(),
            product: "personal_loan".into(),
            overdue: 1_000,
            currency: "CNY".into(),
            days_past_due: 31,
            stage: Stage::Contacted,
            starts_at: Some(1),
            ends_at: Some(2),
            appointment_status: Some(AppointmentStatus::Proposed),
            due_by: "2026-01-02".into(),
            priority: 1,
            disposition: Some(Disposition::Ptp),
            review_status: ReviewStatus::Pending,
            holds: vec![Flag::Complaint, Flag::Attorney],
            conflicts: 1,
            collectors: vec!["chen.jie".into(), "wu.min".into()],
        },
        contacts: vec![ContactView {
            id: "a".into(),
            at: -1,
            zone: "Asia/Shanghai".into(),
            channel: Channel::Call,
            number_ref: "phones.0".into(),
            target_role: TargetRole::Borrower,
            outcome: ContactOutcome::Reached,
            note: "好".into(),
            by: "chen.jie".into(),
        }],
        payments: vec![PaymentView {
            id: "p".into(),
            amount: 5,
            at: 6,
            channel: "bank".into(),
            reference: "R".into(),
            receipt: String::new(),
            by: "wu.min".into(),
        }],
        attachments: Vec::new(),
        conflicts: vec![Conflict {
            path: "appointment.place".into(),
            values: vec![
                ConflictValue {
                    id: "3@x".into(),
                    value: FieldValue::Text("门口".into()),
                    by: "chen.jie".into(),
                    at: 3,
                },
                ConflictValue {
                    id: "4@y".into(),
                    value: FieldValue::Absent,
                    by: "wu.min".into(),
                    at: 4,
                },
            ],
        }],
        updated_at: 20,
        accepted_at: Some(30),
        facts: ReportFacts {
            arrived_at: Some(25),
            person_met: Some(TargetRole::Borrower),
            overdue_reason: Some(OverdueReason::Illness),
            promise: Some(PromiseFact { amount: 9, due: "2026-02-03".into(), open: true }),
        },
    }
}
