//! Announced reads, for stores behind a network.

use super::Reads;

/// Announcing reads.
pub trait Prefetch {
    /// Announces reads that are likely to follow in this transaction. A store behind a network fetches
    /// them in one round trip, and answers the same reads from memory until a write touches their
    /// tables; others ignore it. The closure may run or not; what it reads means nothing, and its
    /// errors neither.
    fn prefetch(&mut self, reads: &mut dyn FnMut(&mut dyn Reads));
}
