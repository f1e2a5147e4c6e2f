//! The rescue file: unsent work that leaves the phone by hand.
//!
//! It holds the rows of the outbox as they are sealed, and the escrow, which opens with a key that
//! the office works out for the device. So it is made without a PIN and without a network, nobody
//! on its way can read it, and only a phone that once signed in can have made it: whoever knows no
//! data key cannot seal a row, and whoever has no escrow key cannot make an escrow.
//!
//! Bytes: magic, version, CBOR, and the SHA-256 of all that.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use super::encode;
use super::keyring::Keyring;
use crate::ids::{DeviceId, RecordId};
use crate::workspace::Workspace;
use crate::workspace::output::{Row, Table};
use crate::workspace::records::entry::{Unsent, outbox_key};

const MAGIC: &[u8] = b"doorstep rescue";
/// Version of the file; the rows have their own. The first version had no proof.
const VERSION: u8 = 2;
const CHECKSUM: usize = 32;

/// A rescue file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RescueFile {
    /// The device that it comes from.
    #[n(0)]
    pub device: DeviceId,
    /// The keyring, wrapped by the office's key for the device.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub escrow: Vec<u8>,
    #[n(2)]
    rows: Vec<SealedRow>,
    /// Proof that the office enrolled the device for its user, where the phone has one: an office
    /// that was restored since may not know the device.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub proof: Option<[u8; 32]>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct SealedRow {
    #[n(0)]
    key: String,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    value: Vec<u8>,
}

/// What was in a rescue file.
#[derive(Debug)]
pub struct Rescued {
    /// Whose work it is.
    pub user: String,
    /// Changes of each record, in the order in which they were made.
    pub work: BTreeMap<RecordId, Vec<Vec<u8>>>,
    /// Rows that were damaged on the phone already.
    pub damaged: Vec<String>,
}

/// The bytes are no rescue file, or not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedRescue {
    /// Something else.
    #[error("this is not a rescue file")]
    Foreign,
    /// Made by a newer program.
    #[error("the rescue file has version {0}, this program knows {VERSION}")]
    Version(u8),
    /// ReadError short or damaged on its way.
    #[error("the rescue file is damaged")]
    Damaged,
}

impl RescueFile {
    /// A file of rows of the outbox.
    pub fn new(device: DeviceId, escrow: Vec<u8>, rows: Vec<Row>, proof: Option<[u8; 32]>) -> Self {
        let sealed = |row: Row| SealedRow { key: row.key, value: row.value.into_vec() };
        Self { device, escrow, rows: rows.into_iter().map(sealed).collect(), proof }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [MAGIC, &[VERSION], &encode(self)].concat();
        let checksum = Sha256::digest(&bytes);
        bytes.extend(checksum);
        bytes
    }

    /// A file from its bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MalformedRescue> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(MalformedRescue::Foreign)?;
        let version = *rest.first().ok_or(MalformedRescue::Damaged)?;
        if !(1..=VERSION).contains(&version) {
            return Err(MalformedRescue::Version(version));
        }
        let end = bytes.len().saturating_sub(CHECKSUM).max(MAGIC.len() + 1);
        let (body, checksum) = bytes.split_at_checked(end).ok_or(MalformedRescue::Damaged)?;
        if Sha256::digest(body).as_slice() != checksum {
            return Err(MalformedRescue::Damaged);
        }
        let cbor = body.get(MAGIC.len() + 1..).unwrap_or_default();
        minicbor::decode(cbor).map_err(|_| MalformedRescue::Damaged)
    }

    /// Opens the file; `None` where the key is not that of its escrow.
    pub fn open(&self, escrow_key: &[u8; 32]) -> Option<Rescued> {
        let about = format!("escrow/{}", self.device);
        let keyring = Keyring::unwrap(escrow_key, &self.escrow, &about)?;
        // In a key rotation some rows are still sealed under the previous key.
        let vault = keyring.vault([0; 16]);
        let mut changes: BTreeMap<RecordId, BTreeMap<u64, Vec<u8>>> = BTreeMap::new();
        let mut damaged = Vec::new();
        for SealedRow { key, value } in &self.rows {
            let place = key.split_once('/').and_then(|(record, number)| {
                Some((record.parse::<RecordId>().ok()?, number.parse::<u64>().ok()?))
            });
            let plain = vault.decrypt(Table::Outbox, key, value);
            match place.zip(plain.and_then(|plain| Unsent::decode(&plain))) {
                Some(((record, number), unsent)) => {
                    changes.entry(record).or_default().insert(number, unsent.bytes);
                }
                None => damaged.push(key.clone()),
            }
        }
        let in_order = |changes: BTreeMap<u64, Vec<u8>>| changes.into_values().collect();
        let work = changes.into_iter().map(|(record, changes)| (record, in_order(changes)));
        Some(Rescued { user: keyring.user, work: work.collect(), damaged })
    }
}

impl Workspace {
    /// Everything that the office has not confirmed, as rows of the outbox: what could not be
    /// written to the store is among them.
    pub fn rescue_rows(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        for entry in self.records.values() {
            for (number, unsent) in &entry.outbox {
                let key = outbox_key(entry.id, *number);
                let value = self.vault.encrypt(Table::Outbox, &key, &unsent.encode()).into();
                rows.push(Row { key, value });
            }
        }
        rows
    }
}
