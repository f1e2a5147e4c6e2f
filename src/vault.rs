//! Encryption at rest: every value in the device's store is encrypted (rule D6).
//!
//! A stored value is `format ‖ nonce ‖ ciphertext and tag`, XChaCha20-Poly1305 under a key of the
//! user on this device. Format, table and key of the row are associated data, so a row that was
//! damaged, truncated or moved to another row does not decrypt. Row keys are in the clear: ids,
//! counters and keyed hashes. A plain hash of a text that can be guessed would reveal the text.

pub mod keyring;
pub mod rescue;
mod rows;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use minicbor::Encode;
use sha2::Sha256;

use crate::ids::{RecordId, hex};
pub(crate) use rows::OutboxRow;
pub use rows::{Row, Table};

/// Version of the rows in the device's store. A store of another version is refused unchanged. It
/// changes with the encryption of rows, as does the layout of the tables.
pub const STORE_FORMAT: u8 = 2;

/// Bytes of a nonce.
const NONCE: usize = 24;

/// Bytes of a keyed hash: long enough to make a collision infeasible.
const KEYED_HASH: usize = 16;

/// Table name of attachments, which the driver stores outside the core's tables.
const ATTACHMENTS: &str = "attachments";

/// A data key: 32 random bytes, made on the device where the user chooses a PIN.
pub type DataKey = [u8; 32];

/// Encrypts and decrypts the values of the store.
pub struct Vault {
    rows: XChaCha20Poly1305,
    /// Decrypts rows of the previous data key during a key rotation.
    previous: Option<XChaCha20Poly1305>,
    names: Hmac<Sha256>,
    /// A nonce is the salt, random at each start, and a counter: it never repeats, and no value
    /// needs a random source of its own.
    salt: [u8; 16],
    encrypted: u64,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("encrypted", &self.encrypted).finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault under a data key. `salt` is random and new at each start.
    pub fn new(key: &DataKey, salt: [u8; 16]) -> Self {
        Self::with_keys(key, None, &names_of(key), salt)
    }

    /// A vault that also decrypts rows of a previous data key.
    pub(crate) fn with_keys(
        key: &DataKey,
        previous: Option<&DataKey>,
        names: &[u8; 32],
        salt: [u8; 16],
    ) -> Self {
        let previous = previous.map(cipher);
        Self { rows: cipher(key), previous, names: keyed(names), salt, encrypted: 0 }
    }

    /// Encrypts the value of a row.
    pub fn encrypt(&mut self, table: Table, key: &str, plain: &[u8]) -> Vec<u8> {
        self.encrypt_at(table.name(), key, plain)
    }

    /// Encrypts an attachment's row, which the driver stores outside the core's tables.
    pub fn encrypt_attachment(&mut self, key: &str, plain: &[u8]) -> Vec<u8> {
        self.encrypt_at(ATTACHMENTS, key, plain)
    }

    fn encrypt_at(&mut self, table: &str, key: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        nonce[..16].copy_from_slice(&self.salt);
        nonce[16..].copy_from_slice(&self.encrypted.to_be_bytes());
        self.encrypted += 1;
        let row = associated_data(STORE_FORMAT, table, key);
        let payload = Payload { msg: plain, aad: &row };
        let Ok(ciphertext) = self.rows.encrypt(XNonce::from_slice(&nonce), payload) else {
            unreachable!("only more than 256 GB cannot be encrypted");
        };
        let mut value = Vec::with_capacity(1 + NONCE + ciphertext.len());
        value.push(STORE_FORMAT);
        value.extend_from_slice(&nonce);
        value.extend_from_slice(&ciphertext);
        value
    }

    /// Decrypts the value of a row; `None` if it is damaged or belongs to another row.
    pub fn decrypt(&self, table: Table, key: &str, value: &[u8]) -> Option<Vec<u8>> {
        let (format, plain) = self.decrypt_any(table, key, value)?;
        (format == STORE_FORMAT).then_some(plain)
    }

    /// Decrypts an attachment's row.
    pub fn decrypt_attachment(&self, key: &str, value: &[u8]) -> Option<Vec<u8>> {
        let (format, plain) = self.decrypt_at(ATTACHMENTS, key, value)?;
        (format == STORE_FORMAT).then_some(plain)
    }

    /// Key of an attachment's row: a keyed hash of its name, since keys are in the clear.
    pub fn attachment_key(&self, name: &str) -> String {
        self.keyed_hash(&[ATTACHMENTS.as_bytes(), b"/", name.as_bytes()])
    }

    /// Decrypts the value of a row in any format that is encrypted like this one. Gives the format.
    pub(crate) fn decrypt_any(
        &self,
        table: Table,
        key: &str,
        value: &[u8],
    ) -> Option<(u8, Vec<u8>)> {
        self.decrypt_at(table.name(), key, value)
    }

    fn decrypt_at(&self, table: &str, key: &str, value: &[u8]) -> Option<(u8, Vec<u8>)> {
        decrypt_with(&self.rows, table, key, value)
            .or_else(|| decrypt_with(self.previous.as_ref()?, table, key, value))
    }

    /// Re-encrypts a value of the previous data key. `None` for any other: encrypted under the
    /// current key, damaged, or of another row.
    pub fn reencrypt(&mut self, table: &str, key: &str, value: &[u8]) -> Option<Vec<u8>> {
        let current = decrypt_with(&self.rows, table, key, value);
        let stale = current.is_none();
        let (format, plain) =
            current.or_else(|| decrypt_with(self.previous.as_ref()?, table, key, value))?;
        if format != STORE_FORMAT {
            return None;
        }
        // A damaged row contains the encrypted bytes as they were found, under either key.
        let within = (table == Table::Damaged.name())
            .then(|| {
                key.split_once('/').and_then(|(table, key)| self.reencrypt(table, key, &plain))
            })
            .flatten();
        (stale || within.is_some()).then(|| self.encrypt_at(table, key, &within.unwrap_or(plain)))
    }

    /// Key of a chunk: record id, `/`, a keyed hash of its bytes (rule D3).
    pub(crate) fn chunk_key(&self, record: RecordId, bytes: &[u8]) -> String {
        format!("{record}/{}", self.keyed_hash(&[bytes]))
    }

    fn keyed_hash(&self, parts: &[&[u8]]) -> String {
        let mut mac = self.names.clone();
        for part in parts {
            mac.update(part);
        }
        let name = mac.finalize().into_bytes();
        hex(name.get(..KEYED_HASH).unwrap_or_default())
    }
}

/// The hash key of row keys that belongs to a user's first data key.
pub(crate) fn names_of(key: &DataKey) -> [u8; 32] {
    derive(key, b"doorstep names")
}

fn cipher(key: &DataKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&derive(key, b"doorstep rows").into())
}

fn decrypt_with(
    cipher: &XChaCha20Poly1305,
    table: &str,
    key: &str,
    value: &[u8],
) -> Option<(u8, Vec<u8>)> {
    let (format, rest) = value.split_first()?;
    let (nonce, ciphertext) = rest.split_at_checked(NONCE)?;
    let row = associated_data(*format, table, key);
    let payload = Payload { msg: ciphertext, aad: &row };
    let plain = cipher.decrypt(XNonce::from_slice(nonce), payload).ok()?;
    Some((*format, plain))
}

/// A value is bound to its format and to its row.
fn associated_data(format: u8, table: &str, key: &str) -> Vec<u8> {
    let mut data = Vec::with_capacity(2 + table.len() + key.len());
    data.push(format);
    data.extend_from_slice(table.as_bytes());
    // No table name contains a slash, so no two rows have the same associated data.
    data.push(b'/');
    data.extend_from_slice(key.as_bytes());
    data
}

/// Derives a key for one purpose.
pub(crate) fn derive(key: &[u8; 32], label: &[u8]) -> [u8; 32] {
    let mut mac = keyed(key);
    mac.update(label);
    mac.finalize().into_bytes().into()
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // HMAC pads a shorter key with zeros.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    <Hmac<Sha256> as hmac::KeyInit>::new(&block.into())
}

/// Bytes of a row.
pub(crate) fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    if minicbor::encode(value, &mut bytes).is_err() {
        unreachable!("encoding into memory cannot fail");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ID: RecordId = RecordId([1; 16]);

    fn vault() -> Vault {
        Vault::new(&[7; 32], [1; 16])
    }

    #[test]
    fn d6_a_value_decrypts_in_its_own_row_only() {
        let mut vault = vault();
        let value = vault.encrypt(Table::Records, "a", b"secret");
        assert!(!value.windows(6).any(|six| six == b"secret"));
        assert_eq!(
            vault.decrypt(Table::Records, "a", &value).as_deref(),
            Some(b"secret".as_slice())
        );
        assert_eq!(vault.decrypt(Table::Records, "b", &value), None, "another key");
        assert_eq!(vault.decrypt(Table::Outbox, "a", &value), None, "another table");
        assert_eq!(Vault::new(&[8; 32], [1; 16]).decrypt(Table::Records, "a", &value), None);
        for at in 0..value.len() {
            let mut damaged = value.clone();
            damaged[at] ^= 1;
            assert_eq!(vault.decrypt(Table::Records, "a", &damaged), None, "byte {at}");
            assert_eq!(vault.decrypt(Table::Records, "a", &value[..at]), None, "truncated at {at}");
        }
    }

    #[test]
    fn d6_an_attachment_decrypts_under_its_own_key_only() {
        let mut vault = vault();
        let value = vault.encrypt_attachment("bytes/a", b"secret");
        assert!(!value.windows(6).any(|six| six == b"secret"));
        assert_eq!(
            vault.decrypt_attachment("bytes/a", &value).as_deref(),
            Some(b"secret".as_slice())
        );
        assert_eq!(vault.decrypt_attachment("bytes/b", &value), None, "another attachment");
        assert_eq!(vault.decrypt(Table::Records, "bytes/a", &value), None, "a table of the core");
        let row = vault.encrypt(Table::Records, "a", b"row");
        assert_eq!(vault.decrypt_attachment("a", &row), None);
        assert_ne!(vault.attachment_key("a"), vault.attachment_key("b"));
    }

    #[test]
    fn d6_no_two_values_share_a_nonce() {
        let mut vault = vault();
        let nonces: BTreeSet<Vec<u8>> =
            (0..100).map(|_| vault.encrypt(Table::Meta, "a", b"")[1..25].to_vec()).collect();
        assert_eq!(nonces.len(), 100);
    }

    #[test]
    fn d6_chunk_keys_depend_on_the_data_key() {
        let one = vault().chunk_key(ID, b"text");
        assert_eq!(one, vault().chunk_key(ID, b"text"));
        assert_ne!(one, Vault::new(&[8; 32], [1; 16]).chunk_key(ID, b"text"));
        assert_ne!(one, vault().chunk_key(ID, b"texts"));
    }
}
