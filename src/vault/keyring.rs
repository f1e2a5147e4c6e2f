//! The data key at rest: always wrapped, never in the clear.
//!
//! The phone stores two wraps of one [`Keyring`]. One needs the user's PIN or passphrase **and** a
//! non-exportable key of the device: [`stretch`] makes 32 bytes of the PIN, the driver passes them
//! through the device's key, and the result unwraps. The other, the escrow, needs a key that only
//! the office can derive (`office::attestation`): the phone receives it at a sign-in with the
//! password, uses it once and does not store it.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use super::{DataKey, Vault, encode, names_of};

/// Memory of one guess, KiB. As much as a phone with 2 GB spares without the system ending other
/// apps: WebAssembly memory grows to it and stays. RFC 9106 asks for 64 MiB, OWASP for 19 at least.
const MEMORY_KIB: u32 = 32 * 1024;
/// Passes over it: what keeps an unlock within a second on a slow phone (docs/SECURITY.md).
const PASSES: u32 = 3;
/// One lane: WebAssembly has one thread here.
const LANES: u32 = 1;

const NONCE: usize = 24;

/// A user's data key, and who the user is.
///
/// A key rotation replaces the data key: new rows are encrypted under the new one at once, and rows
/// of the previous one still decrypt until all of them are re-encrypted ([`Vault::reencrypt`]). Then
/// the keyring without the previous key replaces this one.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Keyring {
    /// Encrypts the rows of the store.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub key: DataKey,
    /// Sign-in name.
    #[n(1)]
    pub user: String,
    /// Stable word of the role.
    #[n(2)]
    pub role: String,
    /// The previous data key, while rows are still encrypted under it.
    #[n(3)]
    previous: Option<ByteArray<32>>,
    /// Hash key of row keys, if the data key was rotated: row keys stay the same.
    #[n(4)]
    names: Option<ByteArray<32>>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Makes 32 bytes of a PIN or passphrase by Argon2id. `salt` is 16 random bytes stored with the
/// lock. `None` if the salt is too short.
pub fn stretch(secret: &str, salt: &[u8]) -> Option<[u8; 32]> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).ok()?;
    let mut out = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(secret.as_bytes(), salt, &mut out)
        .ok()?;
    Some(out)
}

impl Keyring {
    /// A keyring with one data key.
    pub fn new(key: DataKey, user: String, role: String) -> Self {
        Self { key, user, role, previous: None, names: None }
    }

    /// Begins a key rotation: `key` is the new data key. `None` during a rotation: rows under a third
    /// key could not be decrypted.
    pub fn rotated(&self, key: DataKey) -> Option<Self> {
        if self.is_rotating() {
            return None;
        }
        Some(Self {
            key,
            user: self.user.clone(),
            role: self.role.clone(),
            previous: Some(self.key.into()),
            names: Some(self.names().into()),
        })
    }

    /// Whether rows may still be encrypted under a previous data key.
    pub fn is_rotating(&self) -> bool {
        self.previous.is_some()
    }

    /// Ends a key rotation: the keyring without the previous key.
    pub fn without_previous(&self) -> Self {
        Self { previous: None, ..self.clone() }
    }

    /// The vault of this keyring. `salt` is random and new for each.
    pub fn vault(&self, salt: [u8; 16]) -> Vault {
        Vault::with_keys(&self.key, self.previous.as_deref(), &self.names(), salt)
    }

    fn names(&self) -> [u8; 32] {
        self.names.map_or_else(|| names_of(&self.key), Into::into)
    }

    /// Wraps the keyring. `purpose` names the use of the wrap and the device; `nonce` is random.
    pub fn wrap(&self, wrapping: &[u8; 32], nonce: [u8; NONCE], purpose: &str) -> Vec<u8> {
        let payload = Payload { msg: &encode(self), aad: purpose.as_bytes() };
        let cipher = XChaCha20Poly1305::new(wrapping.into());
        let Ok(ciphertext) = cipher.encrypt(XNonce::from_slice(&nonce), payload) else {
            unreachable!("only more than 256 GB cannot be encrypted");
        };
        [nonce.as_slice(), &ciphertext].concat()
    }

    /// Unwraps a keyring; `None` if the key or the purpose is wrong, or the bytes are damaged.
    pub fn unwrap(wrapping: &[u8; 32], wrapped: &[u8], purpose: &str) -> Option<Self> {
        let (nonce, ciphertext) = wrapped.split_at_checked(NONCE)?;
        let payload = Payload { msg: ciphertext, aad: purpose.as_bytes() };
        let cipher = XChaCha20Poly1305::new(wrapping.into());
        let plain = cipher.decrypt(XNonce::from_slice(nonce), payload).ok()?;
        minicbor::decode(&plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Table;

    #[test]
    fn a_keyring_unwraps_with_its_key_for_its_purpose_only() {
        let keyring = keyring();
        let wrapped = keyring.wrap(&[1; 32], [2; NONCE], "pin/a");
        assert_eq!(Keyring::unwrap(&[1; 32], &wrapped, "pin/a"), Some(keyring));
        assert_eq!(Keyring::unwrap(&[3; 32], &wrapped, "pin/a"), None, "another key");
        assert_eq!(Keyring::unwrap(&[1; 32], &wrapped, "pin/b"), None, "another device");
        for at in 0..wrapped.len() {
            let mut damaged = wrapped.clone();
            damaged[at] ^= 1;
            assert_eq!(Keyring::unwrap(&[1; 32], &damaged, "pin/a"), None, "byte {at}");
        }
    }

    fn keyring() -> Keyring {
        Keyring::new([7; 32], "chen.jie".into(), "collector".into())
    }

    /// The keyring of version 0.1.0: key, user, role.
    #[derive(Encode)]
    struct ReleasedKeyring {
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        key: DataKey,
        #[n(1)]
        user: String,
        #[n(2)]
        role: String,
    }

    #[test]
    fn a_keyring_of_a_released_version_decodes() {
        let released =
            ReleasedKeyring { key: [7; 32], user: "chen.jie".into(), role: "collector".into() };
        assert_eq!(minicbor::decode::<Keyring>(&encode(&released)).ok(), Some(keyring()));
    }

    #[test]
    fn a_rotated_keyring_decrypts_rows_of_both_keys_and_then_of_the_new_key_only() {
        let mut old = keyring().vault([1; 16]);
        let row = old.encrypt(Table::Records, "a", b"before");
        let attachment = old.encrypt_attachment("bytes/a", b"picture");
        let name = old.attachment_key("bytes/a");

        let rotating = keyring().rotated([8; 32]).expect("not rotating");
        assert!(rotating.is_rotating() && !keyring().is_rotating());
        assert_eq!(rotating.rotated([9; 32]), None, "one rotation at a time");
        // Wrapped and unwrapped, both keys are still there.
        let wrapped = rotating.wrap(&[1; 32], [2; NONCE], "pin/a");
        let rotating = Keyring::unwrap(&[1; 32], &wrapped, "pin/a").expect("unwraps");
        let mut both = rotating.vault([2; 16]);
        assert_eq!(both.decrypt(Table::Records, "a", &row).as_deref(), Some(&b"before"[..]));
        assert_eq!(both.attachment_key("bytes/a"), name, "row keys stay");

        let again = both.reencrypt("records", "a", &row).expect("encrypted under the previous key");
        let attachment = both
            .reencrypt("attachments", "bytes/a", &attachment)
            .expect("encrypted under the previous key");
        assert_eq!(both.reencrypt("records", "a", &again), None, "under the new key already");
        assert_eq!(both.reencrypt("records", "b", &row), None, "another row");
        let written = both.encrypt(Table::Records, "b", b"meanwhile");
        assert_eq!(both.reencrypt("records", "b", &written), None);
        for (key, value, plain) in [("a", &again, &b"before"[..]), ("b", &written, b"meanwhile")] {
            assert_eq!(
                old.decrypt(Table::Records, key, value),
                None,
                "the old key decrypts nothing"
            );
            let mut finished = rotating.without_previous().vault([3; 16]);
            assert_eq!(finished.decrypt(Table::Records, key, value).as_deref(), Some(plain));
            assert_eq!(
                finished.decrypt(Table::Records, "a", &row),
                None,
                "the previous key is gone"
            );
            assert_eq!(finished.reencrypt("records", "a", &row), None);
            assert_eq!(finished.attachment_key("bytes/a"), name);
        }
        assert_eq!(old.decrypt_attachment("bytes/a", &attachment), None);
        assert_eq!(
            both.decrypt_attachment("bytes/a", &attachment).as_deref(),
            Some(&b"picture"[..])
        );
        // The bytes inside a damaged row are re-encrypted too.
        let found = both.encrypt(Table::Damaged, "records/a", &row);
        let found =
            both.reencrypt("damaged", "records/a", &found).expect("bytes under the previous key");
        assert_eq!(both.reencrypt("damaged", "records/a", &found), None);
        let within = both.decrypt(Table::Damaged, "records/a", &found).expect("decrypts");
        assert_eq!(old.decrypt(Table::Records, "a", &within), None);
        assert_eq!(both.decrypt(Table::Records, "a", &within).as_deref(), Some(&b"before"[..]));
        // The next rotation keeps the row keys too.
        let next = rotating.without_previous().rotated([9; 32]).expect("finished");
        assert_eq!(next.vault([4; 16]).attachment_key("bytes/a"), name);
        assert_eq!(next.vault([4; 16]).decrypt(Table::Records, "a", &row), None, "two keys ago");
        let newest = next.vault([4; 16]).reencrypt("records", "a", &again);
        assert!(newest.is_some());
    }

    #[test]
    fn the_key_of_a_pin_never_changes() {
        let one = stretch("246810", &[1; 16]).expect("a salt");
        assert_eq!(
            crate::ids::hex(&one),
            "96e477e1f9a2023df4205f740175e4bf7fac83b0e0ffd177f00f14823afd5158"
        );
        assert_ne!(Some(one), stretch("246811", &[1; 16]));
        assert_ne!(Some(one), stretch("246810", &[2; 16]));
        assert_eq!(stretch("246810", &[]), None);
    }
}
