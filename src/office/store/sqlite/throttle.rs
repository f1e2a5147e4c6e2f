//! Shared counters in SQLite.

use super::Tx;
use crate::office::store::{CounterKey, Failures, StoreError, ThrottleReads, ThrottleWrites};

impl ThrottleReads for Tx<'_> {
    fn failures(&mut self, key: CounterKey) -> Result<Option<Failures>, StoreError> {
        let sql = "SELECT count, last FROM sign_in_failures WHERE key = ?1";
        self.query_optional(sql, [key], |row| {
            Ok(Failures { count: row.get(0)?, last: row.get(1)? })
        })
    }
}

impl ThrottleWrites for Tx<'_> {
    fn put_failures(
        &mut self,
        key: CounterKey,
        failures: Option<Failures>,
    ) -> Result<(), StoreError> {
        match failures {
            None => self.write("DELETE FROM sign_in_failures WHERE key = ?1", [key])?,
            Some(Failures { count, last }) => self.write(
                "INSERT INTO sign_in_failures (key, count, last) VALUES (?1, ?2, ?3)
                 ON CONFLICT (key) DO UPDATE SET count = excluded.count, last = excluded.last",
                (key, count, last),
            )?,
        };
        Ok(())
    }

    fn expire_failures(&mut self, before: i64) -> Result<(), StoreError> {
        self.write("DELETE FROM sign_in_failures WHERE last < ?1", [before]).map(drop)
    }

    fn use_once(&mut self, value: [u8; 32], until: i64, now: i64) -> Result<bool, StoreError> {
        self.write("DELETE FROM used_once WHERE until <= ?1", [now])?;
        let sql = "INSERT INTO used_once (value, until) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.write(sql, (value, until)).map(|rows| rows > 0)
    }
}
