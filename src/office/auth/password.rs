//! Passwords as Argon2id hashes.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::AuthError;

/// Minimum length: shorter passwords are easy to guess.
const MIN_LENGTH: usize = 10;

/// Maximum length: hashing longer ones only costs time.
const MAX_LENGTH: usize = 1_000;

/// Queue capacity; further attempts are rejected at once.
const MAX_QUEUED: usize = 64;

/// Hashes passwords, a few at a time.
#[derive(Clone)]
pub struct Hasher {
    argon: Argon2<'static>,
    /// A hash that is checked for unknown names.
    decoy: Arc<str>,
    /// Bounds concurrent hashing, and with it memory.
    permits: Arc<Semaphore>,
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
        // The smallest parameters that Argon2 accepts.
        Self::new(Params::new(8, 1, 1, None).unwrap_or_default())
    }

    fn new(params: Params) -> Self {
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut hasher = Self {
            argon,
            decoy: Arc::from(""),
            permits: Arc::new(Semaphore::new(threads)),
            queue: Arc::new(Semaphore::new(MAX_QUEUED)),
        };
        // Without a decoy the response time would reveal unknown names.
        hasher.decoy = hasher.with_salt(b"", &[0; 16]).unwrap_or_default().into();
        hasher
    }

    /// Validates and hashes a password. Blocks for some tenths of a second.
    pub(super) fn hash(&self, password: &str) -> Result<String, AuthError> {
        match password.chars().count() {
            0..MIN_LENGTH => Err(AuthError::Invalid("a password has at least 10 characters")),
            MIN_LENGTH..=MAX_LENGTH => {
                let mut salt = [0; 16];
                getrandom::fill(&mut salt).map_err(|_| AuthError::Closing)?;
                self.with_salt(password.as_bytes(), &salt).ok_or(AuthError::Closing)
            }
            _ => Err(AuthError::Invalid("a password has at most 1000 characters")),
        }
    }

    /// Whether a password matches a hash; `None` takes the same time and never matches.
    pub(super) fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        let longest = password.floor_char_boundary(MAX_LENGTH * 4);
        let password = password.get(..longest).unwrap_or_default();
        // Users of the identity provider have no password: that takes the same time too.
        let own = hash.and_then(|hash| PasswordHash::new(hash).ok());
        let Some(parsed) = own.clone().or_else(|| PasswordHash::new(&self.decoy).ok()) else {
            return false;
        };
        let right = self.argon.verify_password(password.as_bytes(), &parsed).is_ok();
        right && own.is_some()
    }

    /// Waits for a permit to hash.
    pub(super) async fn acquire(&self) -> Result<SemaphorePermit<'_>, AuthError> {
        let _queued = self.queue.try_acquire().map_err(|_| AuthError::Busy)?;
        self.permits.acquire().await.map_err(|_| AuthError::Closing)
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
