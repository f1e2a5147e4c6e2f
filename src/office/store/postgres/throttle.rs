//! Shared counters in PostgreSQL.

use super::row::damaged;
use super::tx::Tx;
use super::value::values;
use crate::office::store::{CounterKey, Failures, StoreError, ThrottleReads, ThrottleWrites};

impl ThrottleReads for Tx<'_> {
    fn failures(&mut self, key: CounterKey) -> Result<Option<Failures>, StoreError> {
        let sql = "SELECT count, last FROM sign_in_failures WHERE key = $1";
        self.query_optional(sql, values![key], |row| {
            let count = u32::try_from(row.number(0)?).map_err(|_| damaged("a counter"))?;
            Ok(Failures { count, last: row.get(1)? })
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
            None => self.write("DELETE FROM sign_in_failures WHERE key = $1", values![key]),
            Some(Failures { count, last }) => self.write(
                "INSERT INTO sign_in_failures (key, count, last) VALUES ($1, $2, $3)
                 ON CONFLICT (key) DO UPDATE SET count = excluded.count, last = excluded.last",
                values![key, count, last],
            ),
        }
    }

    fn expire_failures(&mut self, before: i64) -> Result<(), StoreError> {
        self.write("DELETE FROM sign_in_failures WHERE last < $1", values![before])
    }

    fn use_once(&mut self, value: [u8; 32], until: i64, now: i64) -> Result<bool, StoreError> {
        self.write("DELETE FROM used_once WHERE until <= $1", values![now])?;
        let sql = "INSERT INTO used_once (value, until) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        self.write_now(sql, values![value, until]).map(|rows| rows > 0)
    }
}
