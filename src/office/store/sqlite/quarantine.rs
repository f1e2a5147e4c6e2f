//! Refused work and decisions in SQLite.

use minicbor::bytes::ByteVec;
use rusqlite::Row;

use super::Tx;
use super::convert::{damaged, device_id, failed, number, number_or_none, record_id, to_sql, word};
use crate::ids::DeviceId;
use crate::office::store::quarantine::encode;
use crate::office::store::{
    Decision, QuarantineExport, QuarantineFilter, QuarantineReads, QuarantineShare, QuarantineSize,
    QuarantineState, QuarantineWrites, QuarantinedWork, RefusedWork, StoreError,
};

const COLUMNS: &str =
    "q.id, r.case_no, q.record, q.device, q.user, q.at, q.code, q.path, q.message,
    q.units, q.state, q.fingerprint, q.exported FROM quarantine q LEFT JOIN records r ON r.id = q.record";

/// Absent filters are NULL.
const FILTERS: &str = "(?1 IS NULL OR q.state = ?1) AND (?2 IS NULL OR q.user = ?2)
    AND (?3 IS NULL OR q.device = ?3) AND (?4 IS NULL OR q.record = ?4)
    AND (?5 IS NULL OR q.code = ?5)";

impl QuarantineReads for Tx<'_> {
    fn quarantine(
        &mut self,
        asked: &QuarantineFilter,
    ) -> Result<(Vec<QuarantinedWork>, u64), StoreError> {
        let state = asked.state.map(QuarantineState::as_str);
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

    fn quarantined(&mut self, id: u64) -> Result<Option<QuarantinedWork>, StoreError> {
        let read = |row: &Row<'_>| Ok((quarantined(row)?, row.get::<_, Vec<u8>>(13)?));
        let columns = COLUMNS.replacen(" FROM", ", q.changes FROM", 1);
        let found =
            self.query_optional(&format!("SELECT {columns} WHERE q.id = ?1"), [to_sql(id)], read)?;
        let Some((mut found, changes)) = found else { return Ok(None) };
        let chunks: Vec<ByteVec> =
            minicbor::decode(&changes).map_err(|_| damaged("refused work"))?;
        found.refused.changes = chunks.into_iter().map(Into::into).collect();
        found.decisions = self.query_all(
            "SELECT decision, by_user, at, reason, receipt FROM decisions
                 WHERE quarantine = ?1 ORDER BY n",
            [to_sql(id)],
            decision,
        )?;
        Ok(Some(found))
    }

    fn last_decisions(
        &mut self,
        device: DeviceId,
        numbers: &[u64],
    ) -> Result<Vec<(u64, Decision)>, StoreError> {
        let numbers: Vec<i64> = numbers.iter().map(|number| to_sql(*number)).collect();
        let numbers = serde_json::to_string(&numbers).map_err(|_| damaged("numbers"))?;
        let read = |row: &Row<'_>| Ok((number(row, 5)?, decision(row)?));
        // CROSS JOIN keeps the order: what is asked about first, whatever statistics say. `device`
        // precedes `changes` in the row, so no overflow page is read.
        self.query_all(
            "SELECT d.decision, d.by_user, d.at, d.reason, d.receipt, d.quarantine
                 FROM json_each(?2) asked
                 CROSS JOIN quarantine q ON q.id = asked.value
                 CROSS JOIN decisions d ON d.quarantine = q.id
                 WHERE q.device = ?1 AND d.n =
                   (SELECT max(l.n) FROM decisions l WHERE l.quarantine = d.quarantine)
                 ORDER BY d.quarantine",
            (device.0, numbers),
            read,
        )
    }

    fn find_quarantined(&mut self, refused: &RefusedWork) -> Result<Option<u64>, StoreError> {
        let fingerprint = refused.fingerprint()?;
        self.query_optional(
            "SELECT id FROM quarantine WHERE fingerprint = ?1",
            [fingerprint],
            |row| number(row, 0),
        )
    }

    fn undecided_of(&mut self, user: &str) -> Result<QuarantineSize, StoreError> {
        self.query_optional(
            "SELECT open_pieces, open_bytes FROM quarantine_shares WHERE user = ?1",
            [user],
            |row| amount(row, 0),
        )
        .map(Option::unwrap_or_default)
    }

    fn refused_after(&mut self, id: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let read = |row: &Row<'_>| Ok((number(row, 0)?, row.get(1)?));
        self.query_optional(
            "SELECT id, changes FROM quarantine WHERE id > ?1 ORDER BY id LIMIT 1",
            [to_sql(id)],
            read,
        )
    }

    fn quarantine_stored(&mut self) -> Result<QuarantineSize, StoreError> {
        // One row a user.
        self.query_one(
            "SELECT coalesce(sum(stored_pieces), 0), coalesce(sum(stored_bytes), 0)
                 FROM quarantine_shares",
            (),
            |row| amount(row, 0),
        )
    }

    fn quarantine_shares(&mut self) -> Result<Vec<QuarantineShare>, StoreError> {
        let read = |row: &Row<'_>| {
            let (open, stored) = (amount(row, 1)?, amount(row, 3)?);
            Ok(QuarantineShare { user: row.get(0)?, open, stored })
        };
        self.query_all(
            "SELECT user, open_pieces, open_bytes, stored_pieces, stored_bytes
                 FROM quarantine_shares ORDER BY user",
            (),
            read,
        )
    }

    fn next_exportable(
        &mut self,
        after: u64,
        until: i64,
    ) -> Result<Option<QuarantinedWork>, StoreError> {
        let next = self.query_optional(
            "SELECT id FROM quarantine q
                 WHERE exported IS NULL AND state <> 'open' AND id > ?1 AND ?2 >=
                   (SELECT max(at) FROM decisions d WHERE d.quarantine = q.id)
                 ORDER BY id LIMIT 1",
            (to_sql(after), until),
            |row| number(row, 0),
        )?;
        next.map_or(Ok(None), |id| self.quarantined(id))
    }

    fn quarantine_exports(&mut self) -> Result<Vec<QuarantineExport>, StoreError> {
        let read = |row: &Row<'_>| {
            Ok(QuarantineExport {
                id: number(row, 0)?,
                at: row.get(1)?,
                by: row.get(2)?,
                held: amount(row, 3)?,
                sha256: row.get(5)?,
            })
        };
        self.query_all(
            "SELECT id, at, by_user, pieces, bytes, sha256 FROM quarantine_exports
                 ORDER BY id DESC",
            (),
            read,
        )
    }
}

impl QuarantineWrites for Tx<'_> {
    fn quarantine_work(&mut self, refused: &RefusedWork) -> Result<u64, StoreError> {
        let (changes, fingerprint) = (refused.encoded()?, refused.fingerprint()?);
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
        self.query_one(
            "INSERT INTO quarantine
                   (fingerprint, record, device, user, at, code, path, message, units, size,
                    changes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, length(?10), ?10)
                 ON CONFLICT (fingerprint) DO UPDATE SET code = excluded.code,
                   path = excluded.path, message = excluded.message
                 RETURNING id",
            values,
            |row| number(row, 0),
        )
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

    fn add_quarantine_export(&mut self, export: &QuarantineExport) -> Result<u64, StoreError> {
        let QuarantineSize { pieces, bytes } = export.held;
        let values = (export.at, &export.by, to_sql(pieces), to_sql(bytes), export.sha256);
        self.query_one(
            "INSERT INTO quarantine_exports (at, by_user, pieces, bytes, sha256)
                 VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
            values,
            |row| number(row, 0),
        )
    }

    fn drop_exported(&mut self, id: u64, export: u64) -> Result<(), StoreError> {
        self.write(
            "UPDATE quarantine SET changes = ?3, size = 0, exported = ?2
             WHERE id = ?1 AND exported IS NULL AND state <> 'open'",
            (to_sql(id), to_sql(export), encode(&[])?),
        )
        .map(drop)
    }

    fn restore_exported(&mut self, id: u64, changes: &[Vec<u8>]) -> Result<bool, StoreError> {
        let restored = self.write(
            "UPDATE quarantine SET changes = ?2, size = length(?2), exported = NULL
             WHERE id = ?1 AND exported IS NOT NULL",
            (to_sql(id), encode(changes)?),
        );
        Ok(restored? > 0)
    }
}

fn amount(row: &Row<'_>, first: usize) -> rusqlite::Result<QuarantineSize> {
    Ok(QuarantineSize { pieces: number(row, first)?, bytes: number(row, first + 1)? })
}

fn quarantined(row: &Row<'_>) -> rusqlite::Result<QuarantinedWork> {
    let units: String = row.get(9)?;
    Ok(QuarantinedWork {
        id: number(row, 0)?,
        case_no: row.get(1)?,
        state: word(row, 10, QuarantineState::parse)?,
        fingerprint: row.get(11)?,
        exported: number_or_none(row, 12)?,
        refused: RefusedWork {
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
        decision: word(row, 0, QuarantineState::parse)?,
        by: row.get(1)?,
        at: row.get(2)?,
        reason: row.get(3)?,
        receipt: number_or_none(row, 4)?,
    })
}
