//! What the workspace asks its driver to do, and what it tells the pages.

use serde::{Deserialize, Serialize};

use crate::record::refused::RefusedField;
use crate::record::view::VisitSummary;
use crate::types::TsType;

TsType! {
/// One thing to do. The driver carries outputs out in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Output {
    /// Commit all writes in one strict transaction, then call `persisted` or `persist_failed`.
    Persist {
        /// Number of the batch.
        batch: u64,
        /// Writes, all or none.
        writes: Vec<Write>,
    },
    /// Read every chunk of a record, then call `loaded`.
    Load {
        /// Record id.
        record: String,
    },
    /// `POST /sync`, then call `replied`, `request_failed` or `defer`.
    Send {
        /// Number of the round.
        round: u64,
        /// The body.
        #[cfg_attr(target_arch = "wasm32", tsify(type = "Uint8Array"))]
        body: serde_bytes::ByteBuf,
    },
    /// Call `wake` at this time or later; replaces the wake-up asked for before.
    WakeAt {
        /// ms.
        at: i64,
    },
    /// Edits up to this ticket are durable.
    Saved {
        /// As given by `apply`.
        ticket: u64,
    },
    /// Nothing could be written; what was typed is kept and will be written with the next try.
    SaveFailed {
        /// Reason as the driver named it.
        reason: String,
    },
    /// A record's content changed from outside.
    RecordChanged {
        /// Record id.
        record: String,
    },
    /// The office has shut this device out and keeps all that it had unsent: erase the whole store
    /// in one transaction, and say so. Nothing follows.
    Erase {
        /// Stable word for why.
        reason: String,
    },
    /// The list changed.
    ListChanged,
    /// The status changed.
    StatusChanged,
}
}

TsType! {
/// One write of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Which table.
    pub table: Table,
    /// Key in the table.
    pub key: String,
    /// Value; nothing to delete the key, or all keys under it where it ends in `/`.
    #[cfg_attr(target_arch = "wasm32", tsify(type = "Uint8Array | null"))]
    pub value: Option<serde_bytes::ByteBuf>,
}
}

TsType! {
/// A row read from the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Key in its table.
    pub key: String,
    /// Value.
    #[cfg_attr(target_arch = "wasm32", tsify(type = "Uint8Array"))]
    pub value: serde_bytes::ByteBuf,
}
}

TsType! {
/// Tables of the device's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Where the device stands; key is a name.
    Meta,
    /// One row a record: what lists and digests need; key is the record id.
    Records,
    /// Automerge chunks; key is record id, `/`, a keyed hash.
    Chunks,
    /// Changes that the office has not confirmed; key is record id, `/`, number.
    Outbox,
    /// Rows that were found damaged, with their bytes; key is table, `/`, the key there.
    Damaged,
}
}

impl Table {
    /// Its name, as it stands in the store.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Records => "records",
            Self::Chunks => "chunks",
            Self::Outbox => "outbox",
            Self::Damaged => "damaged",
        }
    }
}

TsType! {
/// A row of the list on the phone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListRow {
    /// What the record says.
    pub summary: VisitSummary,
    /// Where it stands between phone and office.
    pub state: RecordState,
    /// Changes that the office has not confirmed.
    pub unsent: i64,
    /// A form about it is begun and not handed in (rule D7).
    pub begun: bool,
    /// Stable word of what is wrong with it.
    pub problem: Option<String>,
}
}

TsType! {
/// What of the list is not as it was given last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListChanges {
    /// New and changed rows, in order of record id.
    pub rows: Vec<ListRow>,
    /// Ids of records that the device no longer holds.
    pub gone: Vec<String>,
    /// More rows have changed.
    pub more: bool,
}
}

TsType! {
/// Work on a record that the office refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefusedWork {
    /// Stable word for why.
    pub code: String,
    /// The path that may not be written; else empty.
    pub path: String,
    /// The office's sentence.
    pub message: String,
    /// What a person at the office decided since, if anybody did.
    pub accepted: Option<bool>,
    /// Why, in that person's words.
    pub reason: Option<String>,
    /// What was refused and is not what the office has.
    pub fields: Vec<RefusedField>,
}
}

TsType! {
/// Refused work that goes into a sealed record as an amendment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAmendment {
    /// UUIDv7 made on the device.
    pub id: String,
    /// The field that it is about.
    pub path: String,
    /// What is to be added or corrected.
    pub text: String,
}
}

TsType! {
/// Where a record stands between phone and office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// Some of it is on this phone only.
    OnPhone,
    /// On its way.
    Sending,
    /// The office confirmed all of it.
    AtOffice,
    /// The office returned it.
    Returned,
    /// The office accepted it.
    Accepted,
    /// Needs a person.
    Attention,
}
}

TsType! {
/// The status of the whole workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// One word for the chip.
    pub state: SyncState,
    /// Changes that the office has not confirmed.
    pub unsent: i64,
    /// When the oldest of them was made, ms.
    pub oldest_unsent_at: Option<i64>,
    /// When both sides last proved to hold the same, ms.
    pub in_step_at: Option<i64>,
    /// While the first sync runs.
    pub first_sync: Option<FirstSync>,
    /// Stable word of what is wrong.
    pub problem: Option<String>,
    /// Device clock minus office clock, ms, as of the last reply.
    pub clock_skew_ms: Option<i64>,
    /// How often digests differed and everything was compared anew (rule P4).
    pub repairs: i64,
}
}

TsType! {
/// One word for the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncState {
    /// Both sides proved to hold the same (rule P2).
    InStep,
    /// Work waits to be sent.
    Unsent,
    /// A round is under way.
    Syncing,
    /// The office is out of reach.
    Offline,
    /// Needs a person.
    Attention,
}
}

TsType! {
/// Progress of the first sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSync {
    /// Records received.
    pub received: i64,
    /// Records in all, as far as known.
    pub total: i64,
    /// Bytes received.
    pub bytes: i64,
}
}
