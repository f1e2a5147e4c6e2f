//! Records that the office's draw has chosen for an audit.

use super::StoreError;
use crate::ids::RecordId;

words! {
/// The outcome of an audit.
AuditOutcome {
    /// The record is in order.
    Passed = "passed",
    /// It is not.
    Failed = "failed",
}
}

/// A record that is audited. Times are ms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSample {
    /// The record.
    pub record: RecordId,
    /// The seal that is audited, by its time on the device.
    pub sealed_at: i64,
    /// When it was drawn.
    pub drawn_at: i64,
    /// The outcome; `None` while the record waits for its audit.
    pub finding: Option<AuditFinding>,
}

/// The outcome of an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFinding {
    /// Whether the record is in order.
    pub outcome: AuditOutcome,
    /// Who audited it.
    pub by: String,
    /// When, ms.
    pub at: i64,
    /// What was found.
    pub note: String,
}

/// Reads of audit samples.
pub trait AuditSampleReads {
    /// A record's sample, if it was drawn.
    fn audit_sample(&mut self, record: RecordId) -> Result<Option<AuditSample>, StoreError>;
}

/// Writes of audit samples.
pub trait AuditSampleWrites {
    /// Adds a record to the sample. The same seal again changes nothing; another seal of the record
    /// waits for an audit of its own.
    fn draw_audit_sample(
        &mut self,
        record: RecordId,
        sealed_at: i64,
        drawn_at: i64,
    ) -> Result<(), StoreError>;
    /// Stores the outcome of a record's audit.
    fn put_audit_finding(
        &mut self,
        record: RecordId,
        finding: &AuditFinding,
    ) -> Result<(), StoreError>;
}
