//! A bare client of the sync protocol: plain records and messages, without the app's workspace.

use std::collections::{BTreeMap, BTreeSet};

use automerge::transaction::{CommitOptions, Transaction};
use automerge::{Automerge, AutomergeError, Change, ChangeMetadata};
use doorstep::ids::{DeviceId, Heads, RecordId, actor};
use doorstep::office::store::StoreError;
use doorstep::office::{NewVisit, Office, OfficeError, Session};
use doorstep::record::command::{
    AppointmentProposal, CasePatch, Command, NewContact, NewPayment, TextEdit,
};
use doorstep::record::terms::{Channel, ContactOutcome, ProposedBy, Role, TargetRole};
use doorstep::record::view::VisitView;
use doorstep::record::{Author, CommandError, Record};
use doorstep::sync::digest::{Digest, Item};
use doorstep::sync::message::{
    Cursor, DEFAULT_REPLY_BYTES, Outcome, Packed, Push, Reply, Request, StateMac, Tables,
    UpdateContent, Want, decode_reply, decode_request, encode_reply, encode_request,
};
use doorstep::sync::packed::{self, Prefix, prefix};

use super::office::{TestOffice, to};

/// 2023-11-14, ms.
pub(crate) const START: i64 = 1_700_000_000_000;

impl TestOffice {
    /// An office whose clock starts with the clients' and advances at each reading.
    pub(crate) fn ticking() -> Self {
        Self::with_clock(START, 1)
    }

    /// Creates a record of `new_visit`.
    pub(crate) async fn add_visit(&self, case_no: &str, collectors: &[&str]) -> RecordId {
        self.create(new_visit(case_no, collectors)).await
    }
}

#[derive(Clone)]
struct Held {
    record: Record,
    /// Heads that the office confirmed.
    confirmed: Heads,
    unsent: Vec<Change>,
    /// The office's token for `confirmed`, while nothing is unsent.
    mac: Option<StateMac>,
}

/// Holds its records in memory.
#[derive(Clone)]
pub(crate) struct SyncClient {
    user: String,
    device: DeviceId,
    writing_as: u64,
    held: BTreeMap<RecordId, Held>,
    pub(crate) cursor: Cursor,
    pub(crate) want: Vec<RecordId>,
    /// Records of the last push, in order.
    pushed: Vec<RecordId>,
    pub(crate) max_bytes: u32,
    now: i64,
}

impl SyncClient {
    pub(crate) fn new(user: &str, device: u8) -> Self {
        Self::on(user, vec![device; 16])
    }

    /// `device` has 16 bytes.
    pub(crate) fn on(user: &str, device: Vec<u8>) -> Self {
        Self {
            user: user.into(),
            device: DeviceId(device.try_into().unwrap()),
            writing_as: 1,
            held: BTreeMap::new(),
            cursor: Cursor::default(),
            want: Vec::new(),
            pushed: Vec::new(),
            max_bytes: DEFAULT_REPLY_BYTES,
            now: START,
        }
    }

    pub(crate) fn session(&self) -> Session {
        Session { user: self.user.clone(), role: Role::Collector, device: self.device }
    }

    pub(crate) fn view(&self, id: RecordId) -> VisitView {
        self.held[&id].record.view()
    }

    pub(crate) fn document(&self, id: RecordId) -> Automerge {
        self.held[&id].record.document().clone()
    }

    /// The newest unsent change.
    pub(crate) fn last_unsent(&self, id: RecordId) -> Change {
        self.held[&id].unsent.last().unwrap().clone()
    }

    /// Pushes these bytes as changes, unchecked.
    pub(crate) async fn push(
        &self,
        office: &Office,
        id: RecordId,
        chunks: Vec<Vec<u8>>,
    ) -> Outcome {
        let changes = chunks.iter().map(|chunk| Packed::plain(chunk)).collect();
        let push = Push { record: id, changes };
        let request = Request { push: vec![push], cursor: self.cursor, ..Request::default() };
        self.exchange(office, request).await.results.remove(0)
    }

    /// One round, through the encoded bytes of both bodies.
    pub(crate) async fn exchange(&self, office: &Office, request: Request) -> Reply {
        let request = encode_request(&request);
        let reply = loop {
            let request = decode_request(&request).unwrap();
            match office.handle_sync(&self.session(), request).await {
                // A phone comes again. Endpoints can be ahead of each other several times in a row.
                Err(OfficeError::Busy | OfficeError::Store(StoreError::Busy)) => {
                    tokio::task::yield_now().await;
                }
                reply => break reply.unwrap(),
            }
        };
        decode_reply(&encode_reply(&reply)).unwrap()
    }

    pub(crate) fn confirmed(&self, id: RecordId) -> Heads {
        self.held[&id].confirmed.clone()
    }

    /// The office's token for its confirmed state.
    pub(crate) fn mac(&self, id: RecordId) -> StateMac {
        self.held[&id].mac.unwrap()
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(crate) fn ids(&self) -> Vec<RecordId> {
        self.held.keys().copied().collect()
    }

    /// Forgets a record, as a phone does when its bytes are damaged.
    pub(crate) fn lose(&mut self, id: RecordId) {
        self.held.remove(&id);
    }

    pub(crate) fn write(&mut self, id: RecordId, command: Command) {
        self.write_as(id, command, Role::Collector);
    }

    /// Writes a command that the collector's own app would refuse.
    pub(crate) fn force(&mut self, id: RecordId, command: Command) {
        self.write_as(id, command, Role::Supervisor);
    }

    pub(crate) fn write_as(&mut self, id: RecordId, command: Command, role: Role) {
        self.now += 1_000;
        let author = Author {
            actor: actor(self.device, self.writing_as),
            user: self.user.clone(),
            role,
            now_ms: self.now,
            zone: "Asia/Shanghai".into(),
        };
        let held = self.held.get_mut(&id).unwrap();
        let change = held.record.apply(&command, &author).unwrap();
        held.unsent.extend(change);
    }

    /// A phone restored from a copy of this state; it writes in a new session.
    pub(crate) fn restored(&self) -> Self {
        Self { writing_as: self.writing_as + 100, ..self.clone() }
    }

    /// A handwritten change on the phone's state, without the app's checks.
    pub(crate) fn raw(
        &self,
        id: RecordId,
        write: impl FnOnce(&mut Transaction<'_>) -> Result<(), AutomergeError>,
    ) -> Vec<u8> {
        let mut doc = self.document(id);
        doc.set_actor(actor(self.device, self.writing_as + 1_000));
        let options = CommitOptions::default().with_message(self.user.clone());
        doc.transact_with::<_, _, AutomergeError, _>(|()| options, write)
            .map_err(|failure| failure.error)
            .unwrap();
        doc.get_last_local_change().unwrap().raw_bytes().to_vec()
    }

    /// The error with which the app itself refuses a command.
    pub(crate) fn refusal(&self, id: RecordId, command: &Command) -> CommandError {
        let author = Author {
            actor: actor(self.device, self.writing_as),
            user: self.user.clone(),
            role: Role::Collector,
            now_ms: self.now,
            zone: "Asia/Shanghai".into(),
        };
        self.held[&id].record.clone().apply(command, &author).unwrap_err()
    }

    pub(crate) fn request(&self) -> Request {
        let push = self
            .held
            .iter()
            .filter(|(_, held)| !held.unsent.is_empty())
            .map(|(id, held)| Push {
                record: *id,
                changes: held.unsent.iter().map(plain).collect(),
            })
            .collect();
        Request {
            cursor: self.cursor,
            push,
            want: BTreeSet::from_iter(&self.want)
                .into_iter()
                .map(|id| Want { record: *id, have: Heads::default() })
                .collect(),
            max_bytes: self.max_bytes,
            ..Request::default()
        }
    }

    /// Exchanges rounds through `answer` until nothing is left to send or receive.
    pub(crate) fn rounds(&mut self, mut answer: impl FnMut(&Request) -> Reply) -> Vec<Reply> {
        let mut replies = Vec::new();
        loop {
            let request = self.request();
            self.pushed = request.push.iter().map(|push| push.record).collect();
            let reply = answer(&request);
            self.apply(&reply);
            let unsent = self.held.values().any(|held| !held.unsent.is_empty());
            let over = reply.remaining == 0 && !unsent && self.want.is_empty();
            replies.push(reply);
            if over {
                return replies;
            }
        }
    }

    pub(crate) async fn sync(&mut self, office: &Office) -> Reply {
        let request = self.request();
        self.pushed = request.push.iter().map(|push| push.record).collect();
        let reply = self.exchange(office, request).await;
        self.apply(&reply);
        reply
    }

    fn apply(&mut self, reply: &Reply) {
        self.want.clear();
        for (outcome, record) in reply.results.iter().zip(self.pushed.clone()) {
            let Some(held) = self.held.get_mut(&record) else { continue };
            match outcome {
                Outcome::Merged { state_token } | Outcome::Duplicate { state_token } => {
                    held.unsent.clear();
                    held.confirmed = held.record.heads();
                    held.mac = state_token.mac_for(record, &held.confirmed);
                }
                Outcome::Missing { have } => {
                    held.unsent = held.record.document().get_changes(have.as_slice());
                }
                // Rule M4: start again from the office's copy with a new actor.
                Outcome::Refused { .. } => {
                    self.writing_as += 1;
                    self.held.remove(&record);
                    self.want.push(record);
                }
                Outcome::Withdrawn => drop(self.held.remove(&record)),
            }
        }
        for entry in &reply.entries {
            self.entry(entry.record, &entry.content, &reply.tables);
        }
        self.cursor = reply.cursor;
    }

    fn entry(&mut self, id: RecordId, content: &UpdateContent, tables: &Tables) {
        match content {
            UpdateContent::Withdrawn | UpdateContent::Unknown => drop(self.held.remove(&id)),
            UpdateContent::Document { document, state_token } => {
                let mut record = Record::load(&document.0).unwrap();
                let confirmed = record.heads();
                let mac = state_token.mac_for(id, &confirmed);
                assert!(mac.is_some());
                let unsent = self.held.remove(&id).map_or(Vec::new(), |held| held.unsent);
                record.apply_changes(unsent.clone()).unwrap();
                self.held.insert(id, Held { record, confirmed, unsent, mac });
            }
            UpdateContent::Changes { changes, state_token } => {
                // Erased by a result and assigned again before the feed told of it.
                let Some(held) = self.held.get_mut(&id) else { return self.want.push(id) };
                let doc = held.record.document();
                let changes = unpack(changes, tables, &doc.get_changes_meta(&[]));
                held.record.apply_changes(changes).unwrap();
                if held.unsent.is_empty() {
                    held.confirmed = held.record.heads();
                    held.mac = state_token.mac_for(id, &held.confirmed);
                    assert!(held.mac.is_some());
                }
            }
        }
    }

    /// Rule P2: the digest computed from the phone's documents equals the office's.
    pub(crate) fn assert_in_step(&self, reply: &Reply) {
        assert_eq!(reply.remaining, 0);
        let mut digest = Digest::default();
        for (id, held) in &self.held {
            assert!(held.unsent.is_empty(), "{id} has unsent work");
            assert_eq!(held.record.heads(), held.confirmed);
            digest.add(Item::of(*id, &held.record.heads()));
        }
        assert_eq!(digest, reply.digest);
    }
}

fn plain(change: &Change) -> Packed {
    Packed::plain(change.raw_bytes())
}

/// Unpacks the changes of a page.
pub(crate) fn unpack(
    changes: &[Packed],
    tables: &Tables,
    held: &[ChangeMetadata<'_>],
) -> Vec<Change> {
    let held: Vec<_> = held.iter().map(|change| change.hash).collect();
    let find = |name: &Prefix| held.iter().find(|hash| prefix(hash) == *name).copied();
    let chunks = packed::unpack(changes, tables, find).unwrap();
    chunks.into_iter().map(|chunk| Change::from_bytes(chunk).unwrap()).collect()
}

pub(crate) fn case(borrower_name: &str, overdue: i64) -> CasePatch {
    CasePatch {
        borrower_name: Some(borrower_name.into()),
        overdue: Some(overdue),
        currency: Some("CNY".into()),
        due_date: Some("2026-03-01".into()),
        phones: Some(vec!["13800000000".into(), "13900000000".into()]),
        zone: Some("Asia/Shanghai".into()),
        ..CasePatch::default()
    }
}

pub(crate) fn new_visit(case_no: &str, collectors: &[&str]) -> NewVisit {
    NewVisit { case_no: case_no.into(), case: case("张伟", 123_456), assignment: to(collectors) }
}

pub(crate) fn contact(n: u64) -> Command {
    Command::LogContact(NewContact {
        id: format!("018bcfe5-0000-7000-8000-{n:012}"),
        at: START,
        channel: Channel::Call,
        number_ref: "phones.0".into(),
        target_role: TargetRole::Nobody,
        outcome: ContactOutcome::NoAnswer,
        note: "无人接听".into(),
    })
}

pub(crate) fn payment(n: u64, amount: i64) -> Command {
    Command::AddPayment(NewPayment {
        id: format!("018bcfe5-0000-7000-9000-{n:012}"),
        amount,
        at: START,
        channel: "bank".into(),
        reference: format!("R{n}"),
        receipt: String::new(),
    })
}

pub(crate) fn propose(hour: i64) -> Command {
    Command::ProposeAppointment(AppointmentProposal {
        starts_at: START + hour * 3_600_000,
        ends_at: START + (hour + 1) * 3_600_000,
        place: "小区门口".into(),
        proposed_by: ProposedBy::Collector,
        borrower_remark: String::new(),
    })
}

pub(crate) fn notes(phone: &SyncClient, id: RecordId, text: &str) -> Command {
    let base = phone.view(id).heads;
    Command::EditNotes(TextEdit { base, text: text.into() })
}
