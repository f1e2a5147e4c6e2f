//! Chunks in the device's store: content addressed, with a version byte (rules D3, D5).

use sha2::{Digest, Sha256};

use super::STORE_FORMAT;
use crate::ids::{RecordId, hex};

/// Where a chunk's type stands in an Automerge chunk: after 4 bytes of magic and 4 of checksum.
const KIND_AT: usize = 8;
const DOCUMENT: u8 = 0;

/// Key of a chunk: record id, `/`, SHA-256 of its bytes.
pub(super) fn key(record: RecordId, bytes: &[u8]) -> String {
    format!("{record}/{}", hex(&Sha256::digest(bytes)))
}

/// The value as it is stored.
pub(super) fn wrap(bytes: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(bytes.len() + 1);
    value.push(STORE_FORMAT);
    value.extend_from_slice(bytes);
    value
}

/// The chunk in a stored value, or `None` where it is damaged: not what its key says.
pub(super) fn unwrap<'v>(record: RecordId, stored_key: &str, value: &'v [u8]) -> Option<&'v [u8]> {
    let (format, bytes) = value.split_first()?;
    (*format == STORE_FORMAT && key(record, bytes) == stored_key).then_some(bytes)
}

/// Whether a chunk is a whole document and not a change.
pub(super) fn is_document(bytes: &[u8]) -> bool {
    bytes.get(KIND_AT) == Some(&DOCUMENT)
}
