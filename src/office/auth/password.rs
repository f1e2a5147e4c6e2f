//! Passwords as Argon2id hashes.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::AuthError;

/// Shorter passwords are guessed.
const SHORTEST: usize = 10;

/// Longer ones only cost time.
const LONGEST: usize = 1_000;

/// Attempts that wait for a place; more are sent away, so that nobody waits behind a flood.
const WAITING: usize = 64;

/// Hashes passwords, a few at a time.
#[derive(Clone)]
pub struct Hasher {
    argon: Argon2<'static>,
    /// The hash of no password, checked for names that don't exist.
    decoy: Arc<str>,
    /// Each hash takes its memory: many at once would be a way to use it all up.
    room: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Default for Hasher {
    /// What OWASP asks for: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self::new(Params::default())
    }
}

impl Hasher {
    /// A hasher that costs next to nothing, for tests and nothing else.
    pub fn for_tests() -> Self {
        // The least that Argon2 takes.
        Self::new(Params::new(8, 1, 1, None).unwrap_or_default())
    }

    fn new(params: Params) -> Self {
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut hasher = Self {
            argon,
            decoy: Arc::from(""),
            room: Arc::new(Semaphore::new(threads)),
            queue: Arc::new(Semaphore::new(WAITING)),
        };
        // Without a decoy unknown names would be told by the time that they take.
        hasher.decoy = hasher.with_salt(b"", &[0; 16]).unwrap_or_default().into();
        hasher
    }

    /// The hash of a password that is fit to be one. Blocks for some tenths of a second.
    pub(super) fn hash(&self, password: &str) -> Result<String, AuthError> {
        match password.chars().count() {
            0..SHORTEST => Err(AuthError::Invalid("a password has at least 10 characters")),
            SHORTEST..=LONGEST => {
                let mut salt = [0; 16];
                getrandom::fill(&mut salt).map_err(|_| AuthError::Closing)?;
                self.with_salt(password.as_bytes(), &salt).ok_or(AuthError::Closing)
            }
            _ => Err(AuthError::Invalid("a password has at most 1000 characters")),
        }
    }

    /// Whether the password is the one that was hashed; `None` costs the same and is never right.
    pub(super) fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        let longest = password.floor_char_boundary(LONGEST * 4);
        let password = password.get(..longest).unwrap_or_default();
        // Whoever signs in with an identity provider alone has none: that takes the same time too.
        let own = hash.and_then(|hash| PasswordHash::new(hash).ok());
        let Some(parsed) = own.clone().or_else(|| PasswordHash::new(&self.decoy).ok()) else {
            return false;
        };
        let right = self.argon.verify_password(password.as_bytes(), &parsed).is_ok();
        right && own.is_some()
    }

    /// Waits for a place to hash in.
    pub(super) async fn place(&self) -> Result<SemaphorePermit<'_>, AuthError> {
        let _waiting = self.queue.try_acquire().map_err(|_| AuthError::Busy)?;
        self.room.acquire().await.map_err(|_| AuthError::Closing)
    }

    fn with_salt(&self, password: &[u8], salt: &[u8]) -> Option<String> {
        let salt = SaltString::encode_b64(salt).ok()?;
        self.argon.hash_password(password, &salt).ok().map(|hash| hash.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_is_right() {
        let hasher = Hasher::for_tests();
        let hash = hasher.hash("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
        assert_ne!(hash, hasher.hash("correct horse").unwrap());
        assert!(hasher.verify("correct horse", Some(&hash)));
        assert!(!hasher.verify("correct house", Some(&hash)));
        assert!(!hasher.verify("", None));
        assert!(!hasher.verify("correct horse", Some("damaged")));
    }

    #[test]
    fn names_that_do_not_exist_cost_the_same_work() {
        let hasher = Hasher::for_tests();
        let hash = hasher.hash("correct horse").unwrap();
        let cost = |hash: &str| hash.split('$').nth(3).map(str::to_owned);
        assert_eq!(cost(&hasher.decoy), cost(&hash));
    }

    #[test]
    fn short_and_endless_passwords_are_unfit() {
        let hasher = Hasher::for_tests();
        assert!(matches!(hasher.hash("short"), Err(AuthError::Invalid(_))));
        assert!(matches!(hasher.hash(&"x".repeat(1_001)), Err(AuthError::Invalid(_))));
        assert!(!hasher.verify(&"宁".repeat(100_000), None));
    }
}
