//! Feeds: what one user may hold, in the order in which it changed (rules F1 to F3).

use super::StoreError;
use crate::ids::{Heads, RecordId};
use crate::sync::digest::Digest;

/// Where a feed stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Feed {
    /// Its newest entry; 0 while it has none.
    pub seq: u64,
    /// Over the records that are in it now (rule P1).
    pub digest: Digest,
}

/// What an entry says of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// It came into the feed.
    Added,
    /// It changed.
    Changed,
    /// It left the feed.
    Withdrawn,
}

/// One entry of a feed's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its number in the feed.
    pub seq: u64,
    /// Which record.
    pub record: RecordId,
    /// What happened.
    pub kind: EntryKind,
    /// How many changes the record had then.
    pub ordinal: u64,
}

/// Reads of feeds.
pub trait FeedReads {
    /// Which life of the store this is; another one after a restore (rule P3).
    fn epoch(&mut self) -> Result<[u8; 16], StoreError>;
    /// The key of the office's state tokens; the same after a restore (rule P3).
    fn attestation_key(&mut self) -> Result<[u8; 32], StoreError>;
    /// The records that are in a feed now, with their heads, in no order.
    fn members(&mut self, feed: &str) -> Result<Vec<(RecordId, Heads)>, StoreError>;
    /// Those of them that the office has accepted, in order of their ids.
    fn accepted(&mut self, feed: &str) -> Result<Vec<RecordId>, StoreError>;
    /// Where a feed stands. A feed that nobody ever wrote to is empty.
    fn feed(&mut self, feed: &str) -> Result<Feed, StoreError>;
    /// Every feed that was ever written to, by name.
    fn feeds(&mut self) -> Result<Vec<String>, StoreError>;
    /// The newest entries of the records whose newest entry comes after `seq`, in order.
    fn entries_after(
        &mut self,
        feed: &str,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError>;
    /// How many entries [`entries_after`](Self::entries_after) would give without a limit.
    fn count_after(&mut self, feed: &str, seq: u64) -> Result<u64, StoreError>;
    /// The newest entry of a record in a feed that is not after `seq`.
    fn entry_at(
        &mut self,
        feed: &str,
        record: RecordId,
        seq: u64,
    ) -> Result<Option<FeedEntry>, StoreError>;
}

/// Writes of feeds.
pub trait FeedWrites {
    /// Appends to a feed's log, makes the digest the feed's, and advances its counter as the
    /// transaction's next statement (rule F2). Gives the new entry's number.
    ///
    /// Merging calls it last and feed by feed in order of their names, so that stores that lock
    /// counters hold them for the shortest time and never in a circle.
    fn append(
        &mut self,
        feed: &str,
        record: RecordId,
        kind: EntryKind,
        ordinal: u64,
        digest: Digest,
    ) -> Result<u64, StoreError>;
}
