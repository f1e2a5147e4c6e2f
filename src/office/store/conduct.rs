//! Findings of the conduct rules, as rows for a review queue.

use super::StoreError;
use crate::conduct::terms::{Answer, LegalStatus, Moment, Severity};
use crate::ids::{Heads, RecordId};
use crate::record::terms::Grade;

/// One answer that did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConductRow {
    /// The record.
    pub record: RecordId,
    /// The lender's case number.
    pub case_no: String,
    /// The rule.
    pub rule: String,
    /// The moment in the visit that was evaluated.
    pub moment: Moment,
    /// The rule's layer.
    pub layer: String,
    /// `fail` or `unknown`.
    pub answer: Answer,
    /// The effect of a failure.
    pub severity: Severity,
    /// The rule's legal basis.
    pub status: LegalStatus,
    /// Evaluated in shadow mode: does not count as a violation.
    pub shadow: bool,
    /// Grade of the weakest evidence.
    pub grade: Option<Grade>,
    /// Stable reason code.
    pub reason: String,
    /// The layers and their versions.
    pub policy: String,
    /// When it was evaluated, ms.
    pub at: i64,
}

/// A query for one page of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConductListing {
    /// Only this answer.
    pub answer: Option<Answer>,
    /// Only this rule.
    pub rule: Option<String>,
    /// Only rows after this record and rule.
    pub after: Option<(RecordId, String)>,
    /// Page size.
    pub limit: u32,
}

/// Reads about conduct.
pub trait ConductReads {
    /// Records whose current state was not evaluated with the policy of this fingerprint, in order
    /// of ids.
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
    /// Replaces a record's rows with the findings for one of its states.
    fn put_conduct(
        &mut self,
        record: RecordId,
        heads: &Heads,
        policy: &[u8; 32],
        rows: &[ConductRow],
    ) -> Result<(), StoreError>;
}
