//! Rows of the device's store and the tables that they are in.

use automerge::Change;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::encode;
use crate::ids::RecordId;
use crate::sync::chunk::parse_change;
use crate::types::TsType;

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
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Records => "records",
            Self::Chunks => "chunks",
            Self::Outbox => "outbox",
            Self::Damaged => "damaged",
        }
    }
}

/// A row of the outbox: a change that the office has not confirmed.
#[derive(Encode, Decode)]
pub(crate) struct OutboxRow {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) bytes: Vec<u8>,
    /// When the change was made, ms.
    #[n(1)]
    pub(crate) at: i64,
}

impl OutboxRow {
    pub(crate) fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// The row and its change; `None` if either is damaged.
    pub(crate) fn decode(bytes: &[u8]) -> Option<(Self, Change)> {
        let row: Self = minicbor::decode(bytes).ok()?;
        let change = parse_change(&row.bytes)?;
        Some((row, change))
    }

    /// Key of a row; numbers sort as text.
    pub(crate) fn key(record: RecordId, number: u64) -> String {
        format!("{record}/{number:012}")
    }

    /// Record and number from the key of a row.
    pub(crate) fn parse_key(key: &str) -> Option<(RecordId, u64)> {
        let (record, number) = key.split_once('/')?;
        Some((record.parse().ok()?, number.parse().ok()?))
    }
}
