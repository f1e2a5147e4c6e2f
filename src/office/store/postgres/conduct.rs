//! Rows about conduct in PostgreSQL.

use super::row::{Row, joined};
use super::tx::Tx;
use super::value::values;
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
            "SELECT r.id FROM records r LEFT JOIN conduct_evaluated c ON c.record = r.id
                 WHERE c.record IS NULL OR c.heads <> r.heads OR c.policy <> $1
                 ORDER BY r.id LIMIT $2",
            values![policy, limit],
            |row| row.record_id(0),
        )
    }

    fn records_of_case(&mut self, case_no: &str) -> Result<Vec<RecordId>, StoreError> {
        let sql = "SELECT id FROM records WHERE case_no = $1 ORDER BY id";
        self.query_all(sql, values![case_no], |row| row.record_id(0))
    }

    fn conduct_rows(&mut self, listing: &ConductListing) -> Result<Vec<ConductRow>, StoreError> {
        let (record, rule) = match &listing.after {
            Some((record, rule)) => (record.0.to_vec(), rule.as_str()),
            // The empty string of bytes sorts before every id.
            None => (Vec::new(), ""),
        };
        let answer = listing.answer.map(Answer::as_str);
        self.query_all(
            "SELECT c.record, r.case_no, c.rule, c.moment, c.layer, c.answer, c.severity,
                        c.status, c.shadow, c.grade, c.reason, c.policy, c.at
                 FROM conduct c JOIN records r ON r.id = c.record
                 WHERE (c.record, c.rule) > ($1, $2)
                   AND ($3::text IS NULL OR c.answer = $3) AND ($4::text IS NULL OR c.rule = $4)
                 ORDER BY c.record, c.rule LIMIT $5",
            values![record, rule, answer, listing.rule.as_deref(), listing.limit],
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
        self.write(
            "INSERT INTO conduct_evaluated (record, heads, policy) VALUES ($1, $2, $3)
             ON CONFLICT (record) DO UPDATE
             SET heads = excluded.heads, policy = excluded.policy",
            values![record.0, joined(heads.as_slice()), policy],
        )?;
        self.write("DELETE FROM conduct WHERE record = $1", values![record.0])?;
        for row in rows {
            self.write(
                "INSERT INTO conduct (record, rule, moment, layer, answer, severity, status,
                                      shadow, grade, reason, policy, at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                values![
                    record.0,
                    &row.rule,
                    row.moment.as_str(),
                    &row.layer,
                    row.answer.as_str(),
                    row.severity.as_str(),
                    row.status.as_str(),
                    row.shadow,
                    row.grade.map(Grade::as_str),
                    &row.reason,
                    &row.policy,
                    row.at,
                ],
            )?;
        }
        Ok(())
    }
}

fn row(row: &Row) -> Result<ConductRow, StoreError> {
    Ok(ConductRow {
        record: row.record_id(0)?,
        case_no: row.get(1)?,
        rule: row.get(2)?,
        moment: row.word(3, Moment::parse)?,
        layer: row.get(4)?,
        answer: row.word(5, Answer::parse)?,
        severity: row.word(6, Severity::parse)?,
        status: row.word(7, LegalStatus::parse)?,
        shadow: row.get(8)?,
        grade: row.word_or_none(9, Grade::parse)?,
        reason: row.get(10)?,
        policy: row.get(11)?,
        at: row.get(12)?,
    })
}
