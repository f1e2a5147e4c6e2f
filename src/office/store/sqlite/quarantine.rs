//! Refused work and decisions in SQLite.

use minicbor::bytes::ByteVec;
use rusqlite::{OptionalExtension, Row};

use super::Tx;
use super::convert::{damaged, device_id, failed, number, number_or_none, record_id, to_sql, word};
use crate::ids::DeviceId;
use crate::office::store::{
    Asides, Decision, QuarantineReads, QuarantineWrites, Quarantined, Refused, Stand, StoreError,
    Waiting,
};

const COLUMNS: &str =
    "q.id, r.case_no, q.record, q.device, q.user, q.at, q.code, q.path, q.message,
    q.units, q.state, q.fingerprint FROM quarantine q LEFT JOIN records r ON r.id = q.record";

/// Absent filters are NULL.
const FILTERS: &str = "(?1 IS NULL OR q.state = ?1) AND (?2 IS NULL OR q.user = ?2)
    AND (?3 IS NULL OR q.device = ?3) AND (?4 IS NULL OR q.record = ?4)
    AND (?5 IS NULL OR q.code = ?5)";

impl QuarantineReads for Tx<'_> {
    fn quarantine(&mut self, asked: &Asides) -> Result<(Vec<Quarantined>, u64), StoreError> {
        let state = asked.stand.map(Stand::as_str);
        let device = asked.device.map(|device| device.0);
        let record = asked.record.map(|record| record.0);
        let before = asked.before.map_or(i64::MAX, to_sql);
        let total = self
            .connection
            .prepare_cached(&format!("SELECT count(*) FROM quarantine q WHERE {FILTERS}"))
            .and_then(|mut statement| {
                let values = (state, &asked.user, device, record, &asked.code);
                statement.query_row(values, |row| number(row, 0))
            })
            .map_err(failed)?;
        let rows = self
            .connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} WHERE {FILTERS} AND q.id < ?6 ORDER BY q.id DESC LIMIT ?7"
            ))
            .and_then(|mut statement| {
                let values = (state, &asked.user, device, record, &asked.code, before, asked.limit);
                statement.query_map(values, quarantined)?.collect()
            })
            .map_err(failed)?;
        Ok((rows, total))
    }

    fn quarantined(&mut self, id: u64) -> Result<Option<Quarantined>, StoreError> {
        let read = |row: &Row<'_>| Ok((quarantined(row)?, row.get::<_, Vec<u8>>(12)?));
        let columns = COLUMNS.replacen(" FROM", ", q.changes FROM", 1);
        let found = self
            .connection
            .prepare_cached(&format!("SELECT {columns} WHERE q.id = ?1"))
            .and_then(|mut statement| statement.query_row([to_sql(id)], read).optional())
            .map_err(failed)?;
        let Some((mut found, changes)) = found else { return Ok(None) };
        let chunks: Vec<ByteVec> =
            minicbor::decode(&changes).map_err(|_| damaged("refused work"))?;
        found.refused.changes = chunks.into_iter().map(Into::into).collect();
        found.decisions = self
            .connection
            .prepare_cached(
                "SELECT decision, by_user, at, reason, receipt FROM decisions
                 WHERE quarantine = ?1 ORDER BY n",
            )
            .and_then(|mut statement| statement.query_map([to_sql(id)], decision)?.collect())
            .map_err(failed)?;
        Ok(Some(found))
    }

    fn find_quarantined(&mut self, refused: &Refused) -> Result<Option<u64>, StoreError> {
        let fingerprint = refused.fingerprint()?;
        self.connection
            .prepare_cached("SELECT id FROM quarantine WHERE fingerprint = ?1")
            .and_then(|mut statement| {
                statement.query_row([fingerprint], |row| number(row, 0)).optional()
            })
            .map_err(failed)
    }

    fn waiting_of(&mut self, device: DeviceId) -> Result<Waiting, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT count(*), coalesce(sum(size), 0) FROM quarantine
                 WHERE device = ?1 AND state = 'open'",
            )
            .and_then(|mut statement| {
                statement.query_row([device.0], |row| {
                    Ok(Waiting { pieces: number(row, 0)?, bytes: number(row, 1)? })
                })
            })
            .map_err(failed)
    }
}

impl QuarantineWrites for Tx<'_> {
    fn quarantine_work(&mut self, refused: &Refused) -> Result<u64, StoreError> {
        let (changes, fingerprint) = (refused.encoded()?, refused.fingerprint()?);
        self.connection
            .prepare_cached(
                "INSERT INTO quarantine
                   (fingerprint, record, device, user, at, code, path, message, units, size,
                    changes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, length(?10), ?10)
                 ON CONFLICT (fingerprint) DO UPDATE SET code = excluded.code,
                   path = excluded.path, message = excluded.message
                 RETURNING id",
            )
            .and_then(|mut statement| {
                let values = (
                    fingerprint,
                    refused.record.0,
                    refused.device.0,
                    &refused.user,
                    refused.at,
                    &refused.code,
                    &refused.path,
                    &refused.message,
                    refused.units.join("\n"),
                    changes,
                );
                statement.query_row(values, |row| number(row, 0))
            })
            .map_err(failed)
    }

    fn decide(&mut self, id: u64, decision: &Decision) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO decisions (quarantine, n, decision, by_user, at, reason, receipt)
             VALUES (?1, (SELECT count(*) + 1 FROM decisions WHERE quarantine = ?1), ?2, ?3, ?4,
               ?5, ?6)",
            (
                to_sql(id),
                decision.decision.as_str(),
                &decision.by,
                decision.at,
                &decision.reason,
                decision.receipt.map(to_sql),
            ),
        )?;
        self.write(
            "UPDATE quarantine SET state = ?2 WHERE id = ?1",
            (to_sql(id), decision.decision.as_str()),
        )
        .map(drop)
    }
}

fn quarantined(row: &Row<'_>) -> rusqlite::Result<Quarantined> {
    let units: String = row.get(9)?;
    Ok(Quarantined {
        id: number(row, 0)?,
        case_no: row.get(1)?,
        stand: word(row, 10, Stand::parse)?,
        fingerprint: row.get(11)?,
        refused: Refused {
            record: record_id(row, 2)?,
            device: device_id(row, 3)?,
            user: row.get(4)?,
            at: row.get(5)?,
            code: row.get(6)?,
            path: row.get(7)?,
            message: row.get(8)?,
            units: units.split('\n').filter(|unit| !unit.is_empty()).map(str::to_owned).collect(),
            changes: Vec::new(),
        },
        decisions: Vec::new(),
    })
}

fn decision(row: &Row<'_>) -> rusqlite::Result<Decision> {
    Ok(Decision {
        decision: word(row, 0, Stand::parse)?,
        by: row.get(1)?,
        at: row.get(2)?,
        reason: row.get(3)?,
        receipt: number_or_none(row, 4)?,
    })
}
