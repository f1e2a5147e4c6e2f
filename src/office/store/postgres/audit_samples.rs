//! Audit samples in PostgreSQL.

use super::row::Row;
use super::tx::Tx;
use super::value::values;
use crate::ids::RecordId;
use crate::office::store::{
    AuditFinding, AuditOutcome, AuditSample, AuditSampleReads, AuditSampleWrites, StoreError,
};

impl AuditSampleReads for Tx<'_> {
    fn audit_sample(&mut self, record: RecordId) -> Result<Option<AuditSample>, StoreError> {
        let sql = "SELECT record, sealed_at, drawn_at, outcome, by_user, at, note
                   FROM audit_samples WHERE record = $1";
        self.query_optional(sql, values![record.0], sample)
    }
}

impl AuditSampleWrites for Tx<'_> {
    fn draw_audit_sample(
        &mut self,
        record: RecordId,
        sealed_at: i64,
        drawn_at: i64,
    ) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO audit_samples (record, sealed_at, drawn_at, by_user, note)
             VALUES ($1, $2, $3, '', '')
             ON CONFLICT (record) DO UPDATE SET sealed_at = excluded.sealed_at,
               drawn_at = excluded.drawn_at, outcome = NULL, by_user = '', at = NULL, note = ''
             WHERE audit_samples.sealed_at <> excluded.sealed_at",
            values![record.0, sealed_at, drawn_at],
        )
    }

    fn put_audit_finding(
        &mut self,
        record: RecordId,
        finding: &AuditFinding,
    ) -> Result<(), StoreError> {
        self.write(
            "UPDATE audit_samples SET outcome = $2, by_user = $3, at = $4, note = $5
             WHERE record = $1",
            values![record.0, finding.outcome.as_str(), &finding.by, finding.at, &finding.note],
        )
    }
}

fn sample(row: &Row) -> Result<AuditSample, StoreError> {
    let outcome = row.word_or_none(3, AuditOutcome::parse)?;
    let at: Option<i64> = row.get(5)?;
    let (by, note) = (row.get(4)?, row.get(6)?);
    Ok(AuditSample {
        record: row.record_id(0)?,
        sealed_at: row.get(1)?,
        drawn_at: row.get(2)?,
        finding: outcome.zip(at).map(|(outcome, at)| AuditFinding { outcome, by, at, note }),
    })
}
