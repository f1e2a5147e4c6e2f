//! Feeds in SQLite.

use rusqlite::Row;

use super::Tx;
use super::convert::{heads, number, record_id, to_sql};
use crate::ids::{Heads, RecordId};
use crate::office::store::feeds::{THIN_EVERY, redundant};
use crate::office::store::{
    EntryKind, Expiring, Feed, FeedEntry, FeedReads, FeedUpdate, FeedWrites, StoreError,
};
use crate::sync::digest::Digest;

const ADDED: i64 = 0;
const CHANGED: i64 = 1;
const WITHDRAWN: i64 = 2;

/// Whether the record of a row `c` of `visit_collectors` is in its collector's feed: the newest
/// entry is not a withdrawal.
///
/// Statements on feeds name their index. Without statistics SQLite would rather walk the whole feed,
/// and an office that was not closed properly has none.
pub(super) const IN_FEED: &str =
    "(SELECT e.kind FROM feed_entries e INDEXED BY feed_entries_by_record
    WHERE e.record = c.record AND e.feed = c.collector ORDER BY e.seq DESC LIMIT 1) IS NOT 2";

impl FeedReads for Tx<'_> {
    fn epoch(&mut self) -> Result<[u8; 16], StoreError> {
        self.query_one("SELECT epoch FROM meta", (), |row| row.get(0))
    }

    fn attestation_key(&mut self) -> Result<[u8; 32], StoreError> {
        self.query_one("SELECT voucher_key FROM meta", (), |row| row.get(0))
    }

    fn members(&mut self, feed: &str) -> Result<Vec<(RecordId, Heads)>, StoreError> {
        self.query_all(
            &format!(
                "SELECT r.id, r.heads FROM visit_collectors c JOIN records r ON r.id = c.record
                 WHERE c.collector = ?1 AND {IN_FEED}"
            ),
            [feed],
            member,
        )
    }

    fn expiring(
        &mut self,
        after: (i64, RecordId),
        at: i64,
        limit: u32,
    ) -> Result<Vec<Expiring>, StoreError> {
        // CROSS JOIN keeps the order: the index first, whatever statistics say.
        self.query_all(
            "SELECT v.accepted_at, r.id, r.heads FROM visits v INDEXED BY visits_expiring
                 CROSS JOIN records r ON r.id = v.record
                 WHERE v.expired = 0 AND v.accepted_at <= ?3
                     AND (v.accepted_at, v.record) > (?1, ?2)
                 ORDER BY v.accepted_at, v.record LIMIT ?4",
            (after.0, after.1.0, at, limit),
            |row| {
                let (accepted_at, record) = (row.get(0)?, record_id(row, 1)?);
                Ok(Expiring { accepted_at, record, heads: heads(row, 2)? })
            },
        )
    }

    fn feed(&mut self, feed: &str) -> Result<Feed, StoreError> {
        let read = |row: &Row<'_>| {
            let digest = Digest { count: number(row, 1)?, sum: row.get(2)? };
            Ok(Feed { seq: number(row, 0)?, digest })
        };
        self.query_optional("SELECT seq, count, sum FROM feeds WHERE feed = ?1", [feed], read)
            .map(Option::unwrap_or_default)
    }

    fn feeds(&mut self) -> Result<Vec<String>, StoreError> {
        self.query_all("SELECT feed FROM feeds ORDER BY feed", (), |row| row.get(0))
    }

    fn entries_after(
        &mut self,
        feed: &str,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        self.query_all(
            "SELECT seq, record, kind, ordinal FROM feed_entries INDEXED BY feed_entries_latest
                 WHERE feed = ?1 AND seq > ?2 AND latest = 1 ORDER BY seq LIMIT ?3",
            (feed, to_sql(seq), limit),
            entry,
        )
    }

    fn count_after(&mut self, feed: &str, seq: u64) -> Result<u64, StoreError> {
        self.query_one(
            "SELECT count(*) FROM feed_entries INDEXED BY feed_entries_latest
                 WHERE feed = ?1 AND seq > ?2 AND latest = 1",
            (feed, to_sql(seq)),
            |row| number(row, 0),
        )
    }

    fn entry_at(
        &mut self,
        feed: &str,
        record: RecordId,
        seq: u64,
    ) -> Result<Option<FeedEntry>, StoreError> {
        self.query_optional(
            "SELECT seq, record, kind, ordinal FROM feed_entries INDEXED BY feed_entries_by_record
                 WHERE record = ?1 AND feed = ?2 AND seq <= ?3 ORDER BY seq DESC LIMIT 1",
            (record.0, feed, to_sql(seq)),
            entry,
        )
    }
}

impl FeedWrites for Tx<'_> {
    fn append(
        &mut self,
        feed: &str,
        record: RecordId,
        kind: EntryKind,
        ordinal: u64,
        digest: Digest,
    ) -> Result<u64, StoreError> {
        // The counter's row is written last (rule F2); the single writer thread prevents a race for
        // the number.
        let seq = self.feed(feed)?.seq + 1;
        let kind = match kind {
            EntryKind::Added => ADDED,
            EntryKind::Changed => CHANGED,
            EntryKind::Withdrawn => WITHDRAWN,
        };
        if let Some(last) = self.entry_at(feed, record, u64::MAX)? {
            self.write(
                "UPDATE feed_entries SET latest = 0 WHERE feed = ?1 AND seq = ?2",
                (feed, to_sql(last.seq)),
            )?;
            if last.ordinal / THIN_EVERY < ordinal / THIN_EVERY {
                self.thin(feed, record, last.ordinal)?;
            }
        }
        self.write(
            "INSERT INTO feed_entries (feed, seq, record, kind, ordinal, latest)
                 VALUES (?1, ?2, ?3, ?4, ?5, 1)",
            (feed, to_sql(seq), record.0, kind, to_sql(ordinal)),
        )?;
        self.write(
            "INSERT INTO feeds (feed, seq, count, sum) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (feed) DO UPDATE
                 SET seq = excluded.seq, count = excluded.count, sum = excluded.sum",
            (feed, to_sql(seq), to_sql(digest.count), digest.sum),
        )?;
        self.updates.push(FeedUpdate { feed: feed.to_owned(), seq });
        Ok(seq)
    }

    fn set_expired(&mut self, record: RecordId) -> Result<(), StoreError> {
        self.write("UPDATE visits SET expired = 1 WHERE record = ?1", [record.0]).map(drop)
    }
}

impl Tx<'_> {
    /// Deletes [`redundant`] entries of a record in a feed.
    fn thin(&mut self, feed: &str, record: RecordId, newest: u64) -> Result<(), StoreError> {
        let entries = self.query_all(
            "SELECT seq, record, kind, ordinal FROM feed_entries INDEXED BY feed_entries_by_record
                 WHERE record = ?1 AND feed = ?2 ORDER BY seq",
            (record.0, feed),
            entry,
        )?;
        for seq in redundant(entries, newest) {
            self.write(
                "DELETE FROM feed_entries WHERE feed = ?1 AND seq = ?2",
                (feed, to_sql(seq)),
            )?;
        }
        Ok(())
    }
}

fn member(row: &Row<'_>) -> rusqlite::Result<(RecordId, Heads)> {
    Ok((record_id(row, 0)?, heads(row, 1)?))
}

fn entry(row: &Row<'_>) -> rusqlite::Result<FeedEntry> {
    let kind = match row.get::<_, i64>(2)? {
        ADDED => EntryKind::Added,
        CHANGED => EntryKind::Changed,
        WITHDRAWN => EntryKind::Withdrawn,
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(2, other)),
    };
    Ok(FeedEntry {
        seq: number(row, 0)?,
        record: record_id(row, 1)?,
        kind,
        ordinal: number(row, 3)?,
    })
}
