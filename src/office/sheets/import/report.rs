//! The result of an import, with the rows that need attention.

use serde::{Deserialize, Serialize};

use super::reason::Reason;
use super::row::{CaseRow, InvalidRow, RowPosition};

/// The result of an import. Refused rows are always listed; created and updated ones only in a dry
/// run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ImportReport {
    /// Nothing was written.
    pub dry_run: bool,
    /// New cases.
    pub created: usize,
    /// Cases with changed facts.
    pub updated: usize,
    /// Cases without changes.
    pub unchanged: usize,
    /// Rows with errors.
    pub refused: usize,
    /// Rows that need attention, in the order of the file.
    pub rows: Vec<RowReport>,
    /// Notes on the file as a whole, such as ignored columns.
    pub notes: Vec<String>,
}

/// The result for one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RowReport {
    /// Number of the row below the heading, from 1.
    pub row: usize,
    /// The row's number as a spreadsheet shows it, where the heading is row 1.
    pub sheet_row: usize,
    /// The outcome.
    pub outcome: RowOutcome,
    /// The case number, if the row has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_no: Option<String>,
    /// The field with the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The error, or a note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_zh: Option<String>,
    /// Facts that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
}

/// The outcome of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// A new case.
    Created,
    /// Facts changed.
    Updated,
    /// Nothing changed.
    Unchanged,
    /// The row has an error.
    Refused,
}

impl RowOutcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Created, Self::Updated, Self::Unchanged, Self::Refused];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }

    /// The outcome of a stable name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

impl std::fmt::Display for RowOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ImportReport {
    /// Counts a refused row.
    pub fn refuse(&mut self, refusal: InvalidRow) {
        self.refused += 1;
        self.rows.push(RowReport {
            row: refusal.position.row,
            sheet_row: refusal.position.sheet_row,
            outcome: RowOutcome::Refused,
            case_no: refusal.case_no,
            field: refusal.field.map(str::to_owned),
            reason: Some(refusal.reason.to_string()),
            reason_zh: Some(refusal.reason.chinese()),
            changed: Vec::new(),
        });
    }

    /// Counts a valid row.
    pub fn count(&mut self, row: &CaseRow, outcome: RowOutcome, changed: Vec<String>) {
        match outcome {
            RowOutcome::Created => self.created += 1,
            RowOutcome::Updated => self.updated += 1,
            RowOutcome::Unchanged => self.unchanged += 1,
            RowOutcome::Refused => self.refused += 1,
        }
        let RowPosition { row: number, sheet_row } = row.position;
        self.rows.push(RowReport {
            row: number,
            sheet_row,
            outcome,
            case_no: Some(row.case_no.clone()),
            field: None,
            reason: Reason::join(&row.notes, false),
            reason_zh: Reason::join(&row.notes, true),
            changed,
        });
    }

    /// Adds the rows of a batch that need attention: those with an error or a note, in a dry run also
    /// those that would change something.
    pub fn add(&mut self, batch: Self) {
        self.created += batch.created;
        self.updated += batch.updated;
        self.unchanged += batch.unchanged;
        self.refused += batch.refused;
        let dry_run = self.dry_run;
        self.rows.extend(batch.rows.into_iter().filter(|row| {
            row.reason.is_some() || (dry_run && row.outcome != RowOutcome::Unchanged)
        }));
    }

    /// Puts the rows in the order of the file.
    pub fn sort(&mut self) {
        self.rows.sort_by_key(|row| row.row);
    }
}
