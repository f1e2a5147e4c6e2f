//! What the rules of conduct found, as rows for a queue.

use super::StoreError;
use crate::conduct::terms::{Answer, LegalStatus, Moment, Severity};
use crate::ids::{Heads, RecordId};
use crate::record::terms::Grade;

/// One answer that did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConductRow {
    /// Of which record.
    pub record: RecordId,
    /// The lender's case number.
    pub case_no: String,
    /// The rule.
    pub rule: String,
    /// The moment that the record had come to.
    pub moment: Moment,
    /// The rule's layer.
    pub layer: String,
    /// `fail` or `unknown`.
    pub answer: Answer,
    /// What a failure does.
    pub severity: Severity,
    /// What stands behind the rule.
    pub status: LegalStatus,
    /// Evaluated in shadow: no violation.
    pub shadow: bool,
    /// The weakest evidence.
    pub grade: Option<Grade>,
    /// Why, a stable word.
    pub reason: String,
    /// The layers and their versions.
    pub policy: String,
    /// When it was asked, ms.
    pub at: i64,
}

/// Which rows are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConductListing {
    /// Only this answer.
    pub answer: Option<Answer>,
    /// Only this rule.
    pub rule: Option<String>,
    /// Behind this record and rule.
    pub after: Option<(RecordId, String)>,
    /// The most rows.
    pub limit: u32,
}

/// Reads about conduct.
pub trait ConductReads {
    /// Records whose state the layers of this fingerprint were not asked of, in order of ids.
    fn conduct_pending(
        &mut self,
        policy: &[u8; 32],
        limit: u32,
    ) -> Result<Vec<RecordId>, StoreError>;
    /// The records of a case, in order of ids.
    fn records_of_case(&mut self, case_no: &str) -> Result<Vec<RecordId>, StoreError>;
    /// One page, in order of records and rules.
    fn conduct_rows(&mut self, listing: &ConductListing) -> Result<Vec<ConductRow>, StoreError>;
}

/// Writes about conduct.
pub trait ConductWrites {
    /// Replaces a record's rows by those that were found of a state of it.
    fn put_conduct(
        &mut self,
        record: RecordId,
        heads: &Heads,
        policy: &[u8; 32],
        rows: &[ConductRow],
    ) -> Result<(), StoreError>;
}
