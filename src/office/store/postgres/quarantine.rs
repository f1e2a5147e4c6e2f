//! Refused work and decisions in PostgreSQL.

use minicbor::bytes::ByteVec;

use super::row::{Row, damaged};
use super::tx::Tx;
use super::value::values;
use crate::ids::DeviceId;
use crate::office::store::quarantine::encode;
use crate::office::store::{
    Decision, QuarantineExport, QuarantineFilter, QuarantineReads, QuarantineShare, QuarantineSize,
    QuarantineState, QuarantineWrites, QuarantinedWork, RefusedWork, StoreError,
};

const COLUMNS: &str = "q.id, r.case_no, q.record, q.device, q.user_name, q.at, q.code, q.path,
    q.message, q.units, q.state, q.fingerprint, q.exported";

const TABLES: &str = "quarantine q LEFT JOIN records r ON r.id = q.record";

/// Absent filters are NULL.
const FILTERS: &str =
    "($1::text IS NULL OR q.state = $1) AND ($2::text IS NULL OR q.user_name = $2)
    AND ($3::bytea IS NULL OR q.device = $3) AND ($4::bytea IS NULL OR q.record = $4)
    AND ($5::text IS NULL OR q.code = $5)";

impl QuarantineReads for Tx<'_> {
    fn quarantine(
        &mut self,
        asked: &QuarantineFilter,
    ) -> Result<(Vec<QuarantinedWork>, u64), StoreError> {
        let mut filters = values![
            asked.state.map(QuarantineState::as_str),
            asked.user.as_deref(),
            asked.device.map(|device| device.0),
            asked.record.map(|record| record.0),
            asked.code.as_deref(),
        ];
        let total = self.query_one(
            &format!("SELECT count(*) FROM quarantine q WHERE {FILTERS}"),
            filters.clone(),
            |row| row.number(0),
        )?;
        filters.extend(values![asked.before.unwrap_or(u64::MAX), asked.limit]);
        let rows = self.query_all(
            &format!(
                "SELECT {COLUMNS} FROM {TABLES} WHERE {FILTERS} AND q.id < $6
                 ORDER BY q.id DESC LIMIT $7"
            ),
            filters,
            quarantined,
        )?;
        Ok((rows, total))
    }

    fn quarantined(&mut self, id: u64) -> Result<Option<QuarantinedWork>, StoreError> {
        let found = self.query_optional(
            &format!("SELECT {COLUMNS}, q.changes FROM {TABLES} WHERE q.id = $1"),
            values![id],
            |row| Ok((quarantined(row)?, row.get::<Vec<u8>>(13)?)),
        )?;
        let Some((mut found, changes)) = found else { return Ok(None) };
        let chunks: Vec<ByteVec> =
            minicbor::decode(&changes).map_err(|_| damaged("refused work"))?;
        found.refused.changes = chunks.into_iter().map(Into::into).collect();
        found.decisions = self.query_all(
            "SELECT decision, by_user, at, reason, receipt FROM decisions
                 WHERE quarantine = $1 ORDER BY n",
            values![id],
            decision,
        )?;
        Ok(Some(found))
    }

    fn last_decisions(
        &mut self,
        device: DeviceId,
        numbers: &[u64],
    ) -> Result<Vec<(u64, Decision)>, StoreError> {
        let numbers: Vec<i64> =
            numbers.iter().filter_map(|number| i64::try_from(*number).ok()).collect();
        self.query_all(
            "SELECT DISTINCT ON (d.quarantine)
                   d.decision, d.by_user, d.at, d.reason, d.receipt, d.quarantine
                 FROM quarantine q JOIN decisions d ON d.quarantine = q.id
                 WHERE q.device = $1 AND q.id = ANY ($2::bigint[])
                 ORDER BY d.quarantine, d.n DESC",
            values![device.0, numbers],
            |row| Ok((row.number(5)?, decision(row)?)),
        )
    }

    fn find_quarantined(&mut self, refused: &RefusedWork) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT id FROM quarantine WHERE fingerprint = $1";
        self.query_optional(sql, values![refused.fingerprint()?], |row| row.number(0))
    }

    fn undecided_of(&mut self, user: &str) -> Result<QuarantineSize, StoreError> {
        self.query_optional(
            "SELECT open_pieces, open_bytes FROM quarantine_shares WHERE user_name = $1",
            values![user],
            |row| amount(row, 0),
        )
        .map(Option::unwrap_or_default)
    }

    fn refused_after(&mut self, id: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.query_optional(
            "SELECT id, changes FROM quarantine WHERE id > $1 ORDER BY id LIMIT 1",
            values![id],
            |row| Ok((row.number(0)?, row.get(1)?)),
        )
    }

    fn quarantine_stored(&mut self) -> Result<QuarantineSize, StoreError> {
        // One row a user.
        self.query_one(
            "SELECT coalesce(sum(stored_pieces), 0)::bigint, coalesce(sum(stored_bytes), 0)::bigint
                 FROM quarantine_shares",
            values![],
            |row| amount(row, 0),
        )
    }

    fn quarantine_shares(&mut self) -> Result<Vec<QuarantineShare>, StoreError> {
        self.query_all(
            "SELECT user_name, open_pieces, open_bytes, stored_pieces, stored_bytes
                 FROM quarantine_shares ORDER BY user_name",
            values![],
            |row| {
                let (open, stored) = (amount(row, 1)?, amount(row, 3)?);
                Ok(QuarantineShare { user: row.get(0)?, open, stored })
            },
        )
    }

    fn next_exportable(
        &mut self,
        after: u64,
        until: i64,
    ) -> Result<Option<QuarantinedWork>, StoreError> {
        let next = self.query_optional(
            "SELECT id FROM quarantine q
                 WHERE exported IS NULL AND state <> 'open' AND id > $1 AND $2 >=
                   (SELECT max(at) FROM decisions d WHERE d.quarantine = q.id)
                 ORDER BY id LIMIT 1",
            values![after, until],
            |row| row.number(0),
        )?;
        next.map_or(Ok(None), |id| self.quarantined(id))
    }

    fn quarantine_exports(&mut self) -> Result<Vec<QuarantineExport>, StoreError> {
        self.query_all(
            "SELECT id, at, by_user, pieces, bytes, sha256 FROM quarantine_exports
                 ORDER BY id DESC",
            values![],
            |row| {
                Ok(QuarantineExport {
                    id: row.number(0)?,
                    at: row.get(1)?,
                    by: row.get(2)?,
                    held: amount(row, 3)?,
                    sha256: row.fixed(5)?,
                })
            },
        )
    }
}

impl QuarantineWrites for Tx<'_> {
    fn quarantine_work(&mut self, refused: &RefusedWork) -> Result<u64, StoreError> {
        // The next number is read, not drawn from a sequence: numbers follow the order of commits. Of
        // two endpoints that read the same one, one runs its job again.
        self.query_one(
            "INSERT INTO quarantine
                   (id, fingerprint, record, device, user_name, at, code, path, message, units,
                    size, changes)
                 VALUES ((SELECT coalesce(max(id), 0) + 1 FROM quarantine),
                   $1, $2, $3, $4, $5, $6, $7, $8, $9, length($10::bytea), $10::bytea)
                 ON CONFLICT (fingerprint) DO UPDATE SET code = excluded.code,
                   path = excluded.path, message = excluded.message
                 RETURNING id",
            values![
                refused.fingerprint()?,
                refused.record.0,
                refused.device.0,
                &refused.user,
                refused.at,
                &refused.code,
                &refused.path,
                &refused.message,
                refused.units.join("\n"),
                refused.encoded()?,
            ],
            |row| row.number(0),
        )
    }

    fn decide(&mut self, id: u64, decision: &Decision) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO decisions (quarantine, n, decision, by_user, at, reason, receipt)
             VALUES ($1, (SELECT count(*) + 1 FROM decisions WHERE quarantine = $1), $2, $3, $4,
               $5, $6)",
            values![
                id,
                decision.decision.as_str(),
                &decision.by,
                decision.at,
                &decision.reason,
                decision.receipt,
            ],
        )?;
        let sql = "UPDATE quarantine SET state = $2 WHERE id = $1";
        self.write(sql, values![id, decision.decision.as_str()])
    }

    fn add_quarantine_export(&mut self, export: &QuarantineExport) -> Result<u64, StoreError> {
        let QuarantineSize { pieces, bytes } = export.held;
        self.query_one(
            "INSERT INTO quarantine_exports (id, at, by_user, pieces, bytes, sha256)
                 VALUES ((SELECT coalesce(max(id), 0) + 1 FROM quarantine_exports),
                   $1, $2, $3, $4, $5) RETURNING id",
            values![export.at, &export.by, pieces, bytes, export.sha256],
            |row| row.number(0),
        )
    }

    fn drop_exported(&mut self, id: u64, export: u64) -> Result<(), StoreError> {
        self.write(
            "UPDATE quarantine SET changes = $3, size = 0, exported = $2
             WHERE id = $1 AND exported IS NULL AND state <> 'open'",
            values![id, export, encode(&[])?],
        )
    }

    fn restore_exported(&mut self, id: u64, changes: &[Vec<u8>]) -> Result<bool, StoreError> {
        let restored = self.write_now(
            "UPDATE quarantine SET changes = $2::bytea, size = length($2::bytea), exported = NULL
             WHERE id = $1 AND exported IS NOT NULL",
            values![id, encode(changes)?],
        );
        Ok(restored? > 0)
    }
}

fn amount(row: &Row, first: usize) -> Result<QuarantineSize, StoreError> {
    Ok(QuarantineSize { pieces: row.number(first)?, bytes: row.number(first + 1)? })
}

fn quarantined(row: &Row) -> Result<QuarantinedWork, StoreError> {
    let units: String = row.get(9)?;
    Ok(QuarantinedWork {
        id: row.number(0)?,
        case_no: row.get(1)?,
        state: row.word(10, QuarantineState::parse)?,
        fingerprint: row.fixed(11)?,
        exported: row.number_or_none(12)?,
        refused: RefusedWork {
            record: row.record_id(2)?,
            device: row.device_id(3)?,
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

fn decision(row: &Row) -> Result<Decision, StoreError> {
    Ok(Decision {
        decision: row.word(0, QuarantineState::parse)?,
        by: row.get(1)?,
        at: row.get(2)?,
        reason: row.get(3)?,
        receipt: row.number_or_none(4)?,
    })
}
