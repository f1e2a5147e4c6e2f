//! Rows about conduct in SQLite.

use rusqlite::Row;

use super::Tx;
use super::convert::{failed, joined, record_id, word, word_or_none};
use crate::conduct::terms::{Answer, LegalStatus, Moment, Severity};
use crate::ids::{Heads, RecordId};
use crate::office::store::{ConductListing, ConductReads, ConductRow, ConductWrites, StoreError};
use crate::record::terms::Grade;

impl ConductReads for Tx<'_> {
    fn conduct_pending(
        &mut self,
        policy: &[u8; 32],
        limit: u32,
    ) -> Result<Vec<RecordId>, StoreError> {
        self.query_all(
            "SELECT r.id FROM records r LEFT JOIN conduct_asked c ON c.record = r.id
                 WHERE c.record IS NULL OR c.heads <> r.heads OR c.policy <> ?1
                 ORDER BY r.id LIMIT ?2",
            (policy, limit),
            |row| record_id(row, 0),
        )
    }

    fn records_of_case(&mut self, case_no: &str) -> Result<Vec<RecordId>, StoreError> {
        self.query_all("SELECT id FROM records WHERE case_no = ?1 ORDER BY id", [case_no], |row| {
            record_id(row, 0)
        })
    }

    fn conduct_rows(&mut self, listing: &ConductListing) -> Result<Vec<ConductRow>, StoreError> {
        let (record, rule) = match &listing.after {
            Some((record, rule)) => (record.0.to_vec(), rule.as_str()),
            // The empty blob sorts before every id.
            None => (Vec::new(), ""),
        };
        let answer = listing.answer.map(Answer::as_str);
        let asked = (record, rule, answer, listing.rule.as_deref(), listing.limit);
        self.query_all(
            "SELECT c.record, r.case_no, c.rule, c.moment, c.layer, c.answer, c.severity,
                        c.status, c.shadow, c.grade, c.reason, c.policy, c.at
                 FROM conduct c JOIN records r ON r.id = c.record
                 WHERE (c.record, c.rule) > (?1, ?2)
                   AND (?3 IS NULL OR c.answer = ?3) AND (?4 IS NULL OR c.rule = ?4)
                 ORDER BY c.record, c.rule LIMIT ?5",
            asked,
            row,
        )
    }
}

impl ConductWrites for Tx<'_> {
    fn put_conduct(
        &mut self,
        record: RecordId,
        heads: &Heads,
        policy: &[u8; 32],
        rows: &[ConductRow],
    ) -> Result<(), StoreError> {
        let run = || -> rusqlite::Result<()> {
            self.connection
                .prepare_cached(
                    "INSERT INTO conduct_asked (record, heads, policy) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET heads = excluded.heads, policy = excluded.policy",
                )?
                .execute((record.0, joined(heads.as_slice()), policy))?;
            self.connection
                .prepare_cached("DELETE FROM conduct WHERE record = ?1")?
                .execute([record.0])?;
            let mut insert = self.connection.prepare_cached(
                "INSERT INTO conduct (record, rule, moment, layer, answer, severity, status,
                                      shadow, grade, reason, policy, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?;
            for row in rows {
                insert.execute(rusqlite::params![
                    record.0,
                    row.rule,
                    row.moment.as_str(),
                    row.layer,
                    row.answer.as_str(),
                    row.severity.as_str(),
                    row.status.as_str(),
                    row.shadow,
                    row.grade.map(Grade::as_str),
                    row.reason,
                    row.policy,
                    row.at,
                ])?;
            }
            Ok(())
        };
        run().map_err(failed)
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<ConductRow> {
    Ok(ConductRow {
        record: record_id(row, 0)?,
        case_no: row.get(1)?,
        rule: row.get(2)?,
        moment: word(row, 3, Moment::parse)?,
        layer: row.get(4)?,
        answer: word(row, 5, Answer::parse)?,
        severity: word(row, 6, Severity::parse)?,
        status: word(row, 7, LegalStatus::parse)?,
        shadow: row.get(8)?,
        grade: word_or_none(row, 9, Grade::parse)?,
        reason: row.get(10)?,
        policy: row.get(11)?,
        at: row.get(12)?,
    })
}
