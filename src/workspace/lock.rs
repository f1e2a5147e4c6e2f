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
use minicbor::{Decode, Encode};

use super::held::encode;
use super::vault::DataKey;

/// Memory of one guess, KiB. As much as a phone with 2 GB spares without the system ending other
/// apps: WebAssembly memory grows to it and stays. RFC 9106 asks for 64 MiB, OWASP for 19 at least.
const MEMORY_KIB: u32 = 32 * 1024;
/// Passes over it: what keeps an unlock within a second on a slow phone (docs/SECURITY.md).
const PASSES: u32 = 3;
/// One lane: WebAssembly has one thread here.
const LANES: u32 = 1;

const NONCE: usize = 24;

/// What is wrapped: a user's data key, and whose it is.
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

    #[test]
    fn a_keyring_opens_with_its_key_for_its_purpose_alone() {
        let keyring = Keyring { key: [7; 32], user: "chen.jie".into(), role: "collector".into() };
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
