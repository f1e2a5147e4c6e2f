//! Encryption at rest: every value that stands in the device's store is sealed (rule D6).
//!
//! A stored value is `format ‖ nonce ‖ ciphertext and tag`, XChaCha20-Poly1305 under a key of the
//! user on this device. Format, table and key of the row are associated data, so that a row which
//! was damaged, cut short, or put in the place of another does not open. Keys of rows are in the
//! clear: ids, counters, and keyed hashes, since the plain hash of a text that can be guessed tells
//! that it is there.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::ids::{RecordId, hex};
use crate::workspace::STORE_FORMAT;
use crate::workspace::output::Table;

/// Bytes of a nonce.
const NONCE: usize = 24;

/// Bytes of a chunk's name: far too many for two to meet by chance.
const NAME: usize = 16;

/// What stands in a place's table for what is no table of the core: attachments.
const ASIDE: &str = "attachments";

/// A data key: 32 random bytes, made where the user chooses a PIN, known to nobody else.
pub type DataKey = [u8; 32];

/// Seals what goes into the store and opens what comes out of it.
pub struct Vault {
    rows: XChaCha20Poly1305,
    /// Opens rows of the data key before, while a key rotation is under way.
    previous: Option<XChaCha20Poly1305>,
    names: Hmac<Sha256>,
    /// 16 bytes that no other start has, then the number of the next value: a nonce never returns,
    /// and no random source is needed for each.
    salt: [u8; 16],
    sealed: u64,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("sealed", &self.sealed).finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault under a data key. `salt` is random and new at each start.
    pub fn new(key: &DataKey, salt: [u8; 16]) -> Self {
        Self::with_keys(key, None, &names_of(key), salt)
    }

    /// A vault that also opens what is sealed under a previous data key.
    pub(crate) fn with_keys(
        key: &DataKey,
        previous: Option<&DataKey>,
        names: &[u8; 32],
        salt: [u8; 16],
    ) -> Self {
        let previous = previous.map(cipher);
        Self { rows: cipher(key), previous, names: keyed(names), salt, sealed: 0 }
    }

    /// What is to stand at a place so that it reads as `plain`.
    pub fn encrypt(&mut self, table: Table, key: &str, plain: &[u8]) -> Vec<u8> {
        self.encrypt_at(table.name(), key, plain)
    }

    /// The same for what the driver keeps beside the core's tables.
    pub fn encrypt_attachment(&mut self, key: &str, plain: &[u8]) -> Vec<u8> {
        self.encrypt_at(ASIDE, key, plain)
    }

    fn encrypt_at(&mut self, table: &str, key: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        nonce[..16].copy_from_slice(&self.salt);
        nonce[16..].copy_from_slice(&self.sealed.to_be_bytes());
        self.sealed += 1;
        let place = place(STORE_FORMAT, table, key);
        let payload = Payload { msg: plain, aad: &place };
        let Ok(sealed) = self.rows.encrypt(XNonce::from_slice(&nonce), payload) else {
            unreachable!("only more than 256 GB cannot be sealed");
        };
        let mut value = Vec::with_capacity(1 + NONCE + sealed.len());
        value.push(STORE_FORMAT);
        value.extend_from_slice(&nonce);
        value.extend_from_slice(&sealed);
        value
    }

    /// What stands at a place, or `None` where it is damaged or is not what was put there.
    pub fn decrypt(&self, table: Table, key: &str, value: &[u8]) -> Option<Vec<u8>> {
        let (format, plain) = self.decrypt_any(table, key, value)?;
        (format == STORE_FORMAT).then_some(plain)
    }

    /// What was sealed beside the core's tables.
    pub fn decrypt_attachment(&self, key: &str, value: &[u8]) -> Option<Vec<u8>> {
        let (format, plain) = self.decrypt_at(ASIDE, key, value)?;
        (format == STORE_FORMAT).then_some(plain)
    }

    /// What stands for a name beside the core's tables, where keys are in the clear.
    pub fn attachment_key(&self, name: &str) -> String {
        self.named(&[ASIDE.as_bytes(), b"/", name.as_bytes()])
    }

    /// The same for a value of any format that is sealed in this way.
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

    /// Re-encrypts a value that is sealed under the previous data key. `None` where it is not:
    /// sealed under the current key, damaged, or put there from elsewhere.
    pub fn reencrypt(&mut self, table: &str, key: &str, value: &[u8]) -> Option<Vec<u8>> {
        let current = decrypt_with(&self.rows, table, key, value);
        let stale = current.is_none();
        let (format, plain) =
            current.or_else(|| decrypt_with(self.previous.as_ref()?, table, key, value))?;
        if format != STORE_FORMAT {
            return None;
        }
        // A damaged row holds a sealed value as it was found, which may be sealed under either.
        let within = (table == Table::Damaged.name())
            .then(|| {
                key.split_once('/').and_then(|(table, key)| self.reencrypt(table, key, &plain))
            })
            .flatten();
        (stale || within.is_some()).then(|| self.encrypt_at(table, key, &within.unwrap_or(plain)))
    }

    /// Key of a chunk: record id, `/`, a keyed hash of its bytes (rule D3).
    pub(crate) fn chunk_key(&self, record: RecordId, bytes: &[u8]) -> String {
        format!("{record}/{}", self.named(&[bytes]))
    }

    fn named(&self, parts: &[&[u8]]) -> String {
        let mut mac = self.names.clone();
        for part in parts {
            mac.update(part);
        }
        let name = mac.finalize().into_bytes();
        hex(name.get(..NAME).unwrap_or_default())
    }
}

/// The key of names that belongs to a user's first data key.
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
    let (nonce, sealed) = rest.split_at_checked(NONCE)?;
    let place = place(*format, table, key);
    let payload = Payload { msg: sealed, aad: &place };
    let plain = cipher.decrypt(XNonce::from_slice(nonce), payload).ok()?;
    Some((*format, plain))
}

/// What a value is bound to: a format, and its place in the store.
fn place(format: u8, table: &str, key: &str) -> Vec<u8> {
    let mut place = Vec::with_capacity(2 + table.len() + key.len());
    place.push(format);
    place.extend_from_slice(table.as_bytes());
    // No table's name holds one, so that every place is written in one way only.
    place.push(b'/');
    place.extend_from_slice(key.as_bytes());
    place
}

/// A key for one use out of another.
pub(crate) fn derive(key: &[u8; 32], label: &[u8]) -> [u8; 32] {
    let mut mac = keyed(key);
    mac.update(label);
    mac.finalize().into_bytes().into()
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // Zeros up to the block are what HMAC makes of a shorter key.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    <Hmac<Sha256> as hmac::KeyInit>::new(&block.into())
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
    fn d6_a_value_opens_where_it_was_put_and_nowhere_else() {
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
            assert_eq!(vault.decrypt(Table::Records, "a", &value[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn d6_what_lies_beside_the_tables_opens_there_alone() {
        let mut vault = vault();
        let value = vault.encrypt_attachment("bytes/a", b"secret");
        assert!(!value.windows(6).any(|six| six == b"secret"));
        assert_eq!(
            vault.decrypt_attachment("bytes/a", &value).as_deref(),
            Some(b"secret".as_slice())
        );
        assert_eq!(vault.decrypt_attachment("bytes/b", &value), None, "another place");
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
    fn d6_chunks_of_other_keys_have_other_names() {
        let one = vault().chunk_key(ID, b"text");
        assert_eq!(one, vault().chunk_key(ID, b"text"));
        assert_ne!(one, Vault::new(&[8; 32], [1; 16]).chunk_key(ID, b"text"));
        assert_ne!(one, vault().chunk_key(ID, b"texts"));
    }
}
