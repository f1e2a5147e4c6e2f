//! How the data key is kept while nobody is there: wrapped, never in the clear.
//!
//! Two wraps of one [`Keyring`] lie on the phone. One opens with the user's PIN or passphrase
//! **and** a key of the device that the browser does not hand out: [`stretch`] makes 32 bytes of
//! the PIN, the driver runs them through the device's key, and the result unwraps. The other, the
//! escrow, opens with a key that only the office can work out ([`Escrow`](crate::office) there): it
//! is given to the phone at a sign-in with the password, used once and not kept.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use super::encode;
use super::vault::{DataKey, Vault, names_of};

/// Memory of one guess, KiB. As much as a phone with 2 GB spares without the system ending other
/// apps: WebAssembly memory grows to it and stays. RFC 9106 asks for 64 MiB, OWASP for 19 at least.
const MEMORY_KIB: u32 = 32 * 1024;
/// Passes over it: what keeps an unlock within a second on a slow phone (docs/SECURITY.md).
const PASSES: u32 = 3;
/// One lane: WebAssembly has one thread here.
const LANES: u32 = 1;

const NONCE: usize = 24;

/// What is wrapped: a user's data key, and whose it is.
///
/// A key rotation replaces the data key: new rows are sealed under the new one at once, and rows
/// under the previous one open until all of them are re-encrypted ([`Vault::reencrypt`]). Then the
/// keyring without the previous key replaces this one.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Keyring {
    /// Seals the rows of the store.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub key: DataKey,
    /// Sign-in name.
    #[n(1)]
    pub user: String,
    /// Stable word of the role.
    #[n(2)]
    pub role: String,
    /// The data key before this one, while rows are still sealed under it.
    #[n(3)]
    previous: Option<ByteArray<32>>,
    /// Names rows, where the data key was rotated: names stay when the key changes.
    #[n(4)]
    names: Option<ByteArray<32>>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Makes 32 bytes of a PIN or passphrase by Argon2id. `salt` is 16 random bytes of the lock.
/// `None` where the salt is too short.
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

    /// Begins a key rotation: `key` is the new data key. `None` while one is under way: rows under
    /// a third key would not open.
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

    /// Whether rows may still be sealed under a previous data key.
    pub fn is_rotating(&self) -> bool {
        self.previous.is_some()
    }

    /// Ends a key rotation: the keyring that no longer opens rows under the previous key.
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

    /// Wraps the keyring. `about` is what the wrap is for and of which device; `nonce` is random.
    pub fn wrap(&self, wrapping: &[u8; 32], nonce: [u8; NONCE], about: &str) -> Vec<u8> {
        let payload = Payload { msg: &encode(self), aad: about.as_bytes() };
        let cipher = XChaCha20Poly1305::new(wrapping.into());
        let Ok(sealed) = cipher.encrypt(XNonce::from_slice(&nonce), payload) else {
            unreachable!("only more than 256 GB cannot be sealed");
        };
        [nonce.as_slice(), &sealed].concat()
    }

    /// Unwraps a keyring; `None` where the key is wrong, or what is wrapped is damaged or of
    /// something else.
    pub fn unwrap(wrapping: &[u8; 32], wrapped: &[u8], about: &str) -> Option<Self> {
        let (nonce, sealed) = wrapped.split_at_checked(NONCE)?;
        let payload = Payload { msg: sealed, aad: about.as_bytes() };
        let cipher = XChaCha20Poly1305::new(wrapping.into());
        let plain = cipher.decrypt(XNonce::from_slice(nonce), payload).ok()?;
        minicbor::decode(&plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::output::Table;

    #[test]
    fn a_keyring_opens_with_its_key_for_its_purpose_alone() {
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

    /// What phones of version 0.1.0 keep: key, user, role.
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
    fn a_keyring_of_a_released_version_opens() {
        let released =
            ReleasedKeyring { key: [7; 32], user: "chen.jie".into(), role: "collector".into() };
        assert_eq!(minicbor::decode::<Keyring>(&encode(&released)).ok(), Some(keyring()));
    }

    #[test]
    fn a_rotated_keyring_opens_rows_of_both_keys_and_then_of_the_new_key_alone() {
        let mut old = keyring().vault([1; 16]);
        let row = old.encrypt(Table::Records, "a", b"before");
        let beside = old.encrypt_attachment("bytes/a", b"picture");
        let name = old.attachment_key("bytes/a");

        let rotating = keyring().rotated([8; 32]).expect("not rotating");
        assert!(rotating.is_rotating() && !keyring().is_rotating());
        assert_eq!(rotating.rotated([9; 32]), None, "one rotation at a time");
        // Wrapped and unwrapped, both keys are still there.
        let wrapped = rotating.wrap(&[1; 32], [2; NONCE], "pin/a");
        let rotating = Keyring::unwrap(&[1; 32], &wrapped, "pin/a").expect("unwraps");
        let mut both = rotating.vault([2; 16]);
        assert_eq!(both.decrypt(Table::Records, "a", &row).as_deref(), Some(&b"before"[..]));
        assert_eq!(both.attachment_key("bytes/a"), name, "names stay");

        let again = both.reencrypt("records", "a", &row).expect("sealed under the previous key");
        let beside = both.reencrypt("attachments", "bytes/a", &beside).expect("the same beside");
        assert_eq!(
            both.reencrypt("records", "a", &again),
            None,
            "sealed under the new key already"
        );
        assert_eq!(both.reencrypt("records", "b", &row), None, "of another place");
        let written = both.encrypt(Table::Records, "b", b"meanwhile");
        assert_eq!(both.reencrypt("records", "b", &written), None);
        for (key, value, plain) in [("a", &again, &b"before"[..]), ("b", &written, b"meanwhile")] {
            assert_eq!(old.decrypt(Table::Records, key, value), None, "the old key opens nothing");
            let mut settled = rotating.without_previous().vault([3; 16]);
            assert_eq!(settled.decrypt(Table::Records, key, value).as_deref(), Some(plain));
            assert_eq!(
                settled.decrypt(Table::Records, "a", &row),
                None,
                "the previous key is gone"
            );
            assert_eq!(settled.reencrypt("records", "a", &row), None);
            assert_eq!(settled.attachment_key("bytes/a"), name);
        }
        assert_eq!(old.decrypt_attachment("bytes/a", &beside), None);
        assert_eq!(both.decrypt_attachment("bytes/a", &beside).as_deref(), Some(&b"picture"[..]));
        // What was found damaged is re-encrypted within its row too.
        let found = both.encrypt(Table::Damaged, "records/a", &row);
        let found = both.reencrypt("damaged", "records/a", &found).expect("a previous key within");
        assert_eq!(both.reencrypt("damaged", "records/a", &found), None);
        let within = both.decrypt(Table::Damaged, "records/a", &found).expect("opens");
        assert_eq!(old.decrypt(Table::Records, "a", &within), None);
        assert_eq!(both.decrypt(Table::Records, "a", &within).as_deref(), Some(&b"before"[..]));
        // The next rotation starts from there, and keeps the names.
        let next = rotating.without_previous().rotated([9; 32]).expect("finished");
        assert_eq!(next.vault([4; 16]).attachment_key("bytes/a"), name);
        assert_eq!(next.vault([4; 16]).decrypt(Table::Records, "a", &row), None, "two keys ago");
        let newest = next.vault([4; 16]).reencrypt("records", "a", &again);
        assert!(newest.is_some());
    }

    #[test]
    fn a_pin_is_stretched_the_same_way_for_ever() {
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
