//! Queues in SQLite, and the order of their rows.

use super::convert::number;
use super::listing::Query;
use super::rows::{PROMISE, SUMMARY, promise, summary};
use super::{StoreError, Tx};
use crate::office::store::{Listing, QueueReads, QueueWrites};
use crate::record::queue::{OrderRule, QueueOrder};

impl QueueReads for Tx<'_> {
    fn count_listed(&mut self, listing: &Listing, cap: u32) -> Result<u64, StoreError> {
        self.count_rows(&Query::of(listing), cap)
    }

    fn count_records(&mut self) -> Result<u64, StoreError> {
        self.query_one("SELECT count(*) FROM records", (), |row| number(row, 0))
    }

    fn count_undecided(&mut self, cap: u32) -> Result<u64, StoreError> {
        self.query_one(
            "SELECT count(*) FROM (SELECT 1 FROM quarantine WHERE state = 'open' LIMIT ?1)",
            [cap],
            |row| number(row, 0),
        )
    }

    fn count_devices_unseen(&mut self, since: i64, now: i64, cap: u32) -> Result<u64, StoreError> {
        self.query_one(
            "SELECT count(*) FROM (SELECT 1 FROM devices d INDEXED BY devices_in_use
                 CROSS JOIN sessions s ON s.device = d.id CROSS JOIN users u ON u.name = d.user
             WHERE d.revoked_at IS NULL AND d.last_seen_at < ?1 AND s.ended = 0
               AND s.expires_at > ?2 AND u.role = 'collector' AND u.disabled_at IS NULL
             LIMIT ?3)",
            (since, now, cap),
            |row| number(row, 0),
        )
    }

    fn queue_order(&mut self) -> Result<QueueOrder, StoreError> {
        self.read_queue_order()
    }
}

impl QueueWrites for Tx<'_> {
    fn set_queue_order(&mut self, rules: &[OrderRule]) -> Result<(), StoreError> {
        let words: Vec<&str> = rules.iter().map(|rule| rule.as_str()).collect();
        // The empty blob sorts before every id.
        self.write(
            "UPDATE meta SET queue_order = ?1, rekeyed = x'' WHERE queue_order <> ?1",
            [words.join(",")],
        )
        .map(drop)
    }

    fn rekey(&mut self, limit: u32) -> Result<bool, StoreError> {
        let after: Option<Vec<u8>> =
            self.query_one("SELECT rekeyed FROM meta", (), |row| row.get(0))?;
        let Some(after) = after else { return Ok(false) };
        let order = self.read_queue_order()?;
        let rows = self.query_all(
            &format!(
                "SELECT {SUMMARY}, {PROMISE} FROM visits v WHERE v.record > ?1 ORDER BY v.record LIMIT ?2"
            ),
            (after, limit),
            |row| {
                let key = order.sort_key(&summary(row)?.0, promise(row)?.as_ref());
                Ok((row.get::<_, [u8; 16]>(0)?, key))
            },
        )?;
        for (record, key) in &rows {
            self.write("UPDATE visits SET queue_key = ?2 WHERE record = ?1", (record, key))?;
        }
        // A full batch may not be the last one.
        let last = rows.last().filter(|_| rows.len() >= limit as usize).map(|(record, _)| record);
        self.write("UPDATE meta SET rekeyed = ?1", [last])?;
        Ok(last.is_some())
    }
}

impl Tx<'_> {
    /// The rules of the order. Any process may write rows, so they are not an option of one.
    pub(super) fn read_queue_order(&self) -> Result<QueueOrder, StoreError> {
        let words: String = self.query_one("SELECT queue_order FROM meta", (), |row| row.get(0))?;
        Ok(QueueOrder::from_words(words.split(',')))
    }
}
