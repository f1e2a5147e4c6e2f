//! What the workspace asks its driver to do and to tell the pages.

use serde::{Deserialize, Serialize};

use crate::sync::message::Revocation;
use crate::types::TsType;
use crate::workspace::storage::journal::StorageFailure;

TsType! {
/// A thing to do. The driver carries outputs out in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Output {
    /// Commit all writes in one strict transaction, then call `persisted` or `persist_failed`.
    Persist {
        /// Number of the batch.
        batch: u64,
        /// All of them are written, or none.
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
    /// Call `wake` at this time or later; replaces the last such request.
    WakeAt {
        /// ms.
        at: i64,
    },
    /// Serve the pages, then call `resume`: a reply with many records is applied part by part.
    Resume,
    /// Edits up to this ticket are durable.
    Saved {
        /// As given by `apply`.
        ticket: u64,
    },
    /// A batch could not be written; it is kept in memory for the next try.
    SaveFailed {
        /// Why.
        reason: StorageFailure,
    },
    /// A record was changed by a reply.
    RecordChanged {
        /// Record id.
        record: String,
    },
    /// The office has revoked this device and has all of its work: erase the whole store in one
    /// transaction and tell the user. No output follows.
    Erase {
        /// Why.
        reason: Revocation,
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
    /// The value; `None` deletes the key, or all keys under it where it ends in `/`.
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
    /// Cursor, last proof, drafts, cards and the like; key is a name.
    Meta,
    /// One row per record for lists and digests; key is the record id.
    Records,
    /// Automerge chunks; key is record id, `/`, a keyed hash.
    Chunks,
    /// Changes that the office has not confirmed; key is record id, `/`, number.
    Outbox,
    /// Damaged rows with their bytes; key is table, `/`, the key there.
    Damaged,
}
}

impl Table {
    /// Its name in the store.
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
