//! Feeds in PostgreSQL.

use std::collections::BTreeSet;

use super::row::{Row, damaged};
use super::tx::Tx;
use super::value::values;
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
pub(super) const IN_FEED: &str = "(SELECT e.kind FROM feed_entries e
    WHERE e.feed = c.collector AND e.record = c.record ORDER BY e.seq DESC LIMIT 1)
    IS DISTINCT FROM 2";

const ENTRY: &str = "SELECT seq, record, kind, ordinal FROM feed_entries";

impl FeedReads for Tx<'_> {
    fn epoch(&mut self) -> Result<[u8; 16], StoreError> {
        self.query_one("SELECT epoch FROM meta", values![], |row| row.fixed(0))
    }

    fn attestation_key(&mut self) -> Result<[u8; 32], StoreError> {
        self.query_one("SELECT attestation_key FROM meta", values![], |row| row.fixed(0))
    }

    fn members(&mut self, feed: &str) -> Result<Vec<(RecordId, Heads)>, StoreError> {
        self.query_all(
            &format!(
                "SELECT r.id, r.heads FROM visit_collectors c JOIN records r ON r.id = c.record
                 WHERE c.collector = $1 AND {IN_FEED}"
            ),
            values![feed],
            member,
        )
    }

    fn expiring(
        &mut self,
        after: (i64, RecordId),
        at: i64,
        limit: u32,
    ) -> Result<Vec<Expiring>, StoreError> {
        self.query_all(
            "SELECT v.accepted_at, r.id, r.heads FROM visits v JOIN records r ON r.id = v.record
                 WHERE NOT v.expired AND v.accepted_at <= $3
                     AND (v.accepted_at, v.record) > ($1, $2)
                 ORDER BY v.accepted_at, v.record LIMIT $4",
            values![after.0, after.1.0, at, limit],
            |row| {
                let (accepted_at, record) = (row.get(0)?, row.record_id(1)?);
                Ok(Expiring { accepted_at, record, heads: row.heads(2)? })
            },
        )
    }

    fn feed(&mut self, feed: &str) -> Result<Feed, StoreError> {
        if let Some(appended) = self.feeds.get(feed) {
            return Ok(*appended);
        }
        let read = |row: &Row| {
            let digest = Digest { count: row.number(1)?, sum: row.fixed(2)? };
            Ok(Feed { seq: row.number(0)?, digest })
        };
        let sql = "SELECT seq, count, sum FROM feeds WHERE feed = $1";
        self.query_optional(sql, values![feed], read).map(Option::unwrap_or_default)
    }

    fn feeds(&mut self) -> Result<Vec<String>, StoreError> {
        let stored = self.query_all("SELECT feed FROM feeds", values![], |row| row.get(0))?;
        let all: BTreeSet<String> = stored.into_iter().chain(self.feeds.keys().cloned()).collect();
        Ok(all.into_iter().collect())
    }

    fn entries_after(
        &mut self,
        feed: &str,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        self.query_all(
            &format!("{ENTRY} WHERE feed = $1 AND seq > $2 AND latest ORDER BY seq LIMIT $3"),
            values![feed, seq, limit],
            entry,
        )
    }

    fn count_after(&mut self, feed: &str, seq: u64) -> Result<u64, StoreError> {
        self.query_one(
            "SELECT count(*) FROM feed_entries WHERE feed = $1 AND seq > $2 AND latest",
            values![feed, seq],
            |row| row.number(0),
        )
    }

    fn entry_at(
        &mut self,
        feed: &str,
        record: RecordId,
        seq: u64,
    ) -> Result<Option<FeedEntry>, StoreError> {
        self.query_optional(
            &format!(
                "{ENTRY} WHERE feed = $1 AND record = $2 AND seq <= $3 ORDER BY seq DESC LIMIT 1"
            ),
            values![feed, record.0, seq],
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
        // Of two endpoints that read the same number, one fails to commit and appends again.
        let seq = self.feed(feed)?.seq + 1;
        let kind = match kind {
            EntryKind::Added => ADDED,
            EntryKind::Changed => CHANGED,
            EntryKind::Withdrawn => WITHDRAWN,
        };
        if let Some(last) = self.entry_at(feed, record, u64::MAX)? {
            self.write(
                "UPDATE feed_entries SET latest = false WHERE feed = $1 AND seq = $2",
                values![feed, last.seq],
            )?;
            if last.ordinal / THIN_EVERY < ordinal / THIN_EVERY {
                self.thin(feed, record, last.ordinal)?;
            }
        }
        self.write(
            "INSERT INTO feed_entries (feed, seq, record, kind, ordinal, latest)
                 VALUES ($1, $2, $3, $4, $5, true)",
            values![feed, seq, record.0, kind, ordinal],
        )?;
        // The commit writes the counter (rule F2).
        self.feeds.insert(feed.to_owned(), Feed { seq, digest });
        self.updates.push(FeedUpdate { feed: feed.to_owned(), seq });
        Ok(seq)
    }

    fn set_expired(&mut self, record: RecordId) -> Result<(), StoreError> {
        self.write("UPDATE visits SET expired = true WHERE record = $1", values![record.0])
    }
}

impl Tx<'_> {
    /// Deletes [`redundant`] entries of a record in a feed.
    fn thin(&mut self, feed: &str, record: RecordId, newest: u64) -> Result<(), StoreError> {
        let entries = self.query_all(
            &format!("{ENTRY} WHERE feed = $1 AND record = $2 ORDER BY seq"),
            values![feed, record.0],
            entry,
        )?;
        let seqs: Vec<i64> = redundant(entries, newest)
            .into_iter()
            .filter_map(|seq| i64::try_from(seq).ok())
            .collect();
        if seqs.is_empty() {
            return Ok(());
        }
        let sql = "DELETE FROM feed_entries WHERE feed = $1 AND seq = ANY ($2::bigint[])";
        self.write(sql, values![feed, seqs])
    }
}

fn member(row: &Row) -> Result<(RecordId, Heads), StoreError> {
    Ok((row.record_id(0)?, row.heads(1)?))
}

fn entry(row: &Row) -> Result<FeedEntry, StoreError> {
    let kind = match row.get::<i64>(2)? {
        ADDED => EntryKind::Added,
        CHANGED => EntryKind::Changed,
        WITHDRAWN => EntryKind::Withdrawn,
        _ => return Err(damaged("a feed entry's kind")),
    };
    Ok(FeedEntry { seq: row.number(0)?, record: row.record_id(1)?, kind, ordinal: row.number(3)? })
}
