//! What the workspace asks its driver to do and to tell the pages.

use serde::{Deserialize, Serialize};

use crate::sync::message::Revocation;
use crate::types::TsType;
pub use crate::vault::{Row, Table};
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
    /// Read the row and every chunk of a record, then call `loaded`.
    Load {
        /// Record id.
        record: String,
    },
    /// Read the next rows of the table `records` in order of key, as many as are read at a time,
    /// then call `records_read`.
    ReadRecords {
        /// Starting after this key; with the first row where it is empty.
        after: String,
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
