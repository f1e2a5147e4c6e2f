//! Safety watches in PostgreSQL.

use super::row::Row;
use super::tx::Tx;
use super::value::values;
use crate::office::store::{SafetyReads, SafetyWatch, SafetyWrites, StoreError};

const COLUMNS: &str = "id, user_name, record, revision, due_at, alarm_at, lat, lon, ended_at, \
                       received_at, seen_by, seen_at";

impl SafetyReads for Tx<'_> {
    fn safety_watch(&mut self, id: [u8; 16]) -> Result<Option<SafetyWatch>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM safety_watches WHERE id = $1");
        self.query_optional(&sql, values![id], watch)
    }

    fn open_safety_watches(&mut self, limit: u32) -> Result<Vec<SafetyWatch>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM safety_watches
             WHERE ended_at IS NULL OR (alarm_at IS NOT NULL AND seen_at IS NULL)
             ORDER BY alarm_at IS NULL, due_at LIMIT $1"
        );
        self.query_all(&sql, values![limit], watch)
    }
}

impl SafetyWrites for Tx<'_> {
    fn put_safety_watch(&mut self, watch: &SafetyWatch) -> Result<(), StoreError> {
        let (lat, lon) = watch.position.unzip();
        let (seen_by, seen_at) = match &watch.seen {
            Some((by, at)) => (Some(by), Some(*at)),
            None => (None, None),
        };
        self.write(
            "INSERT INTO safety_watches
                 (id, user_name, record, revision, due_at, alarm_at, lat, lon, ended_at,
                  received_at, seen_by, seen_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT (id) DO UPDATE SET user_name = excluded.user_name,
               record = excluded.record, revision = excluded.revision, due_at = excluded.due_at,
               alarm_at = excluded.alarm_at, lat = excluded.lat, lon = excluded.lon,
               ended_at = excluded.ended_at, received_at = excluded.received_at,
               seen_by = excluded.seen_by, seen_at = excluded.seen_at",
            values![
                watch.id,
                &watch.user,
                watch.record.0,
                watch.revision,
                watch.due_at,
                watch.alarm_at,
                lat,
                lon,
                watch.ended_at,
                watch.received_at,
                seen_by,
                seen_at,
            ],
        )
    }

    fn prune_safety_watches(
        &mut self,
        user: &str,
        keep_open: u32,
        keep: u32,
    ) -> Result<(), StoreError> {
        self.write(
            "DELETE FROM safety_watches WHERE id IN (
                 SELECT id FROM safety_watches
                 WHERE user_name = $1
                   AND (ended_at IS NULL OR (alarm_at IS NOT NULL AND seen_at IS NULL))
                 ORDER BY alarm_at IS NULL OR seen_at IS NOT NULL, received_at DESC
                 OFFSET $2)",
            values![user, keep_open],
        )?;
        self.write(
            "DELETE FROM safety_watches WHERE id IN (
                 SELECT id FROM safety_watches WHERE user_name = $1
                 ORDER BY alarm_at IS NULL OR seen_at IS NOT NULL, ended_at IS NOT NULL,
                          received_at DESC
                 OFFSET $2)",
            values![user, keep],
        )
    }

    fn expire_safety_watches(&mut self, positions: i64, watches: i64) -> Result<u64, StoreError> {
        let expired = self.write_now(
            "UPDATE safety_watches SET lat = NULL, lon = NULL
             WHERE received_at < $1 AND lat IS NOT NULL",
            values![positions],
        )?;
        self.write("DELETE FROM safety_watches WHERE received_at < $1", values![watches])?;
        Ok(expired)
    }
}

fn watch(row: &Row) -> Result<SafetyWatch, StoreError> {
    let (lat, lon): (Option<f64>, Option<f64>) = (row.get(6)?, row.get(7)?);
    let (seen_by, seen_at): (Option<String>, Option<i64>) = (row.get(10)?, row.get(11)?);
    Ok(SafetyWatch {
        id: row.fixed(0)?,
        user: row.get(1)?,
        record: row.record_id(2)?,
        revision: row.get(3)?,
        due_at: row.get(4)?,
        alarm_at: row.get(5)?,
        position: lat.zip(lon),
        ended_at: row.get(8)?,
        received_at: row.get(9)?,
        seen: seen_by.zip(seen_at),
    })
}
