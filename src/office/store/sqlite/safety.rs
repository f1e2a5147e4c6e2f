//! Safety watches in SQLite.

use rusqlite::Row;

use super::Tx;
use super::convert::record_id;
use crate::office::store::{SafetyReads, SafetyWatch, SafetyWrites, StoreError};

const COLUMNS: &str = "id, user, record, revision, due_at, alarm_at, lat, lon, ended_at, \
                       received_at, seen_by, seen_at";

impl SafetyReads for Tx<'_> {
    fn safety_watch(&mut self, id: [u8; 16]) -> Result<Option<SafetyWatch>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM safety_watches WHERE id = ?1");
        self.query_optional(&sql, [id], watch)
    }

    fn open_safety_watches(&mut self, limit: u32) -> Result<Vec<SafetyWatch>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM safety_watches
             WHERE ended_at IS NULL OR (alarm_at IS NOT NULL AND seen_at IS NULL)
             ORDER BY alarm_at IS NULL, due_at LIMIT ?1"
        );
        self.query_all(&sql, [limit], watch)
    }
}

impl SafetyWrites for Tx<'_> {
    fn put_safety_watch(&mut self, watch: &SafetyWatch) -> Result<(), StoreError> {
        let (lat, lon) = watch.position.unzip();
        let (seen_by, seen_at) = match &watch.seen {
            Some((by, at)) => (Some(by), Some(at)),
            None => (None, None),
        };
        self.write(
            "INSERT OR REPLACE INTO safety_watches
                 (id, user, record, revision, due_at, alarm_at, lat, lon, ended_at, received_at,
                  seen_by, seen_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            rusqlite::params![
                watch.id,
                watch.user,
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
        )?;
        Ok(())
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
                 WHERE user = ?1
                   AND (ended_at IS NULL OR (alarm_at IS NOT NULL AND seen_at IS NULL))
                 ORDER BY alarm_at IS NULL OR seen_at IS NOT NULL, received_at DESC
                 LIMIT -1 OFFSET ?2)",
            (user, keep_open),
        )?;
        self.write(
            "DELETE FROM safety_watches WHERE id IN (
                 SELECT id FROM safety_watches WHERE user = ?1
                 ORDER BY alarm_at IS NULL OR seen_at IS NOT NULL, ended_at IS NOT NULL,
                          received_at DESC
                 LIMIT -1 OFFSET ?2)",
            (user, keep),
        )?;
        Ok(())
    }

    fn expire_safety_watches(&mut self, positions: i64, watches: i64) -> Result<u64, StoreError> {
        let expired = self.write(
            "UPDATE safety_watches SET lat = NULL, lon = NULL
             WHERE received_at < ?1 AND lat IS NOT NULL",
            [positions],
        )?;
        self.write("DELETE FROM safety_watches WHERE received_at < ?1", [watches])?;
        Ok(expired)
    }
}

fn watch(row: &Row<'_>) -> rusqlite::Result<SafetyWatch> {
    let (lat, lon): (Option<f64>, Option<f64>) = (row.get(6)?, row.get(7)?);
    let (seen_by, seen_at): (Option<String>, Option<i64>) = (row.get(10)?, row.get(11)?);
    Ok(SafetyWatch {
        id: row.get(0)?,
        user: row.get(1)?,
        record: record_id(row, 2)?,
        revision: row.get(3)?,
        due_at: row.get(4)?,
        alarm_at: row.get(5)?,
        position: lat.zip(lon),
        ended_at: row.get(8)?,
        received_at: row.get(9)?,
        seen: seen_by.zip(seen_at),
    })
}
