//! Feeds: the records of one user, as a log in the order of their changes (rules F1 to F3).

use super::StoreError;
use crate::ids::{Heads, RecordId};
use crate::sync::digest::Digest;

/// Head of a feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Feed {
    /// Its newest entry; 0 while it has none.
    pub seq: u64,
    /// Digest of the records that are in it now (rule P1).
    pub digest: Digest,
}

/// What happened to the record of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Added to the feed.
    Added,
    /// Changed.
    Changed,
    /// Removed from the feed.
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
    /// The number of the record's changes at that time.
    pub ordinal: u64,
}

/// An accepted record that feeds may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// When the office accepted it, ms by its clock.
    pub accepted_at: i64,
    /// Which record.
    pub record: RecordId,
    /// Its heads.
    pub heads: Heads,
}

/// Reads of feeds.
pub trait FeedReads {
    /// The store's epoch; a restore starts a new one (rule P3).
    fn epoch(&mut self) -> Result<[u8; 16], StoreError>;
    /// The key of the office's state tokens; the same after a restore (rule P3).
    fn attestation_key(&mut self) -> Result<[u8; 32], StoreError>;
    /// The records that are in a feed now, with their heads, in no order.
    fn members(&mut self, feed: &str) -> Result<Vec<(RecordId, Heads)>, StoreError>;
    /// Records that the office accepted at or before `at`, ms, and that feeds may hold: in order of
    /// that time and their ids, those behind the position `after`, at most `limit`.
    fn expiring(
        &mut self,
        after: (i64, RecordId),
        at: i64,
        limit: u32,
    ) -> Result<Vec<Expiring>, StoreError>;
    /// The head of a feed; an unknown feed is empty.
    fn feed(&mut self, feed: &str) -> Result<Feed, StoreError>;
    /// All feeds, by name.
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
    /// Notes that no feed holds a record: [`expiring`](FeedReads::expiring) leaves it out until its
    /// rows are written again, which may bring it back to a feed.
    fn set_expired(&mut self, record: RecordId) -> Result<(), StoreError>;
}

/// How many ordinals pass between two thinnings of a record's entries in a feed.
pub(super) const THIN_EVERY: u64 = 16;

/// Numbers of the entries of a record in a feed that can be deleted, so that their number grows with
/// the logarithm of its changes. `entries` are in order; `newest` is the ordinal of the last.
///
/// An entry says which changes a device has whose cursor is at it. Without it the previous
/// entry is used, and the device receives some changes again. That holds only for
/// [`EntryKind::Changed`] after an entry that is no withdrawal: the others say whether the device
/// has the record at all, and stay. Of the entries that lie 2^k changes behind the newest, one in
/// 2^(k-1) stays: no device is sent more than twice the changes that it lacks.
pub(super) fn redundant(entries: Vec<FeedEntry>, newest: u64) -> Vec<u64> {
    let mut kept: Option<FeedEntry> = None;
    let mut redundant = Vec::new();
    for entry in entries {
        let behind = newest.saturating_sub(entry.ordinal);
        let is_redundant = kept.is_some_and(|kept| {
            let block = |entry: FeedEntry| entry.ordinal >> (behind.ilog2() - 1);
            kept.kind != EntryKind::Withdrawn
                && entry.kind == EntryKind::Changed
                && behind >= THIN_EVERY
                && block(kept) == block(entry)
        });
        if is_redundant {
            redundant.push(entry.seq);
        } else {
            kept = Some(entry);
        }
    }
    redundant
}
