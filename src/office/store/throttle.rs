//! What all endpoints count together: failed sign-ins, and what may be used only once.

use super::StoreError;

/// Names a counter: a hash, since names come from strangers.
pub type CounterKey = [u8; 16];

/// Failed sign-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// Number of failures.
    pub count: u32,
    /// The last one, ms.
    pub last: i64,
}

/// Reads about counters.
pub trait ThrottleReads {
    /// Failures under a key.
    fn failures(&mut self, key: CounterKey) -> Result<Option<Failures>, StoreError>;
}

/// Writes about counters.
pub trait ThrottleWrites {
    /// Sets the failures under a key; none deletes them.
    fn put_failures(
        &mut self,
        key: CounterKey,
        failures: Option<Failures>,
    ) -> Result<(), StoreError>;
    /// Deletes failures whose last one was before a time.
    fn expire_failures(&mut self, before: i64) -> Result<(), StoreError>;
    /// Marks a value as used until a time, ms; gives `false` where it was used before. Forgets those whose
    /// time has passed.
    fn use_once(&mut self, value: [u8; 32], until: i64, now: i64) -> Result<bool, StoreError>;
}
