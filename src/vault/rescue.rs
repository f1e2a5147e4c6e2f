//! The rescue file: unsent work that is carried to the office by hand.
//!
//! It contains encrypted outbox rows and the escrow, which unwraps with a key that the office derives
//! for the device. A phone can make it without a PIN or a network. Only the office can read it, and
//! it cannot be forged: encrypting a row takes the data key, making an escrow takes the escrow key.
//!
//! Bytes: magic, version, CBOR, and the SHA-256 of all that precedes.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use super::keyring::Keyring;
use super::{OutboxRow, Row, Table, encode};
use crate::ids::{DeviceId, RecordId};

const MAGIC: &[u8] = b"doorstep rescue";
/// Version of the file; its rows have their own. Version 1 had no proof.
const VERSION: u8 = 2;
const CHECKSUM: usize = 32;

/// A rescue file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RescueFile {
    /// The device that made it.
    #[n(0)]
    pub device: DeviceId,
    /// The keyring, wrapped by the office's key for the device.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub escrow: Vec<u8>,
    #[n(2)]
    rows: Vec<EncryptedRow>,
    /// Proof that the office enrolled the device for its user, where the phone has one: a restored
    /// office may not know the device.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub proof: Option<[u8; 32]>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct EncryptedRow {
    #[n(0)]
    key: String,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    value: Vec<u8>,
}

/// The contents of a rescue file.
#[derive(Debug)]
pub struct Rescued {
    /// Sign-in name of the user.
    pub user: String,
    /// Changes of each record, in the order of their making.
    pub work: BTreeMap<RecordId, Vec<Vec<u8>>>,
    /// Keys of rows that were damaged on the phone.
    pub damaged: Vec<String>,
}

/// Why bytes are no rescue file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedRescue {
    /// Not a rescue file.
    #[error("this is not a rescue file")]
    Foreign,
    /// Made by a newer program.
    #[error("the rescue file has version {0}, this program knows {VERSION}")]
    Version(u8),
    /// Truncated or damaged.
    #[error("the rescue file is damaged")]
    Damaged,
}

impl RescueFile {
    /// A file of encrypted outbox rows.
    pub fn new(device: DeviceId, escrow: Vec<u8>, rows: Vec<Row>, proof: Option<[u8; 32]>) -> Self {
        let encrypted = |row: Row| EncryptedRow { key: row.key, value: row.value.into_vec() };
        Self { device, escrow, rows: rows.into_iter().map(encrypted).collect(), proof }
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

    /// Decrypts the file; `None` where `escrow_key` is wrong.
    pub fn open(&self, escrow_key: &[u8; 32]) -> Option<Rescued> {
        let about = format!("escrow/{}", self.device);
        let keyring = Keyring::unwrap(escrow_key, &self.escrow, &about)?;
        // During a key rotation some rows are still encrypted under the previous key.
        let vault = keyring.vault([0; 16]);
        let mut changes: BTreeMap<RecordId, BTreeMap<u64, Vec<u8>>> = BTreeMap::new();
        let mut damaged = Vec::new();
        for EncryptedRow { key, value } in &self.rows {
            let plain = vault.decrypt(Table::Outbox, key, value);
            let unsent = plain.and_then(|plain| OutboxRow::decode(&plain));
            match OutboxRow::parse_key(key).zip(unsent) {
                Some(((record, number), (unsent, _))) => {
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
