//! What became of an import, row by row where somebody has to look.

use serde::Serialize;

use super::row::{CaseRow, Place, Refusal};

/// The whole result. Refused rows are always named; created and updated ones in a dry run only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ImportReport {
    /// Whether this only says what would happen.
    pub dry_run: bool,
    /// Cases that are new.
    pub created: usize,
    /// Cases of which facts changed.
    pub updated: usize,
    /// Cases that said what was known.
    pub unchanged: usize,
    /// Rows that are no case.
    pub refused: usize,
    /// Rows worth a look, in the order of the file.
    pub rows: Vec<RowReport>,
    /// About the file as a whole, such as columns that were left out.
    pub notes: Vec<String>,
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RowReport {
    /// Which row below the heading, from 1.
    pub row: usize,
    /// The row's number as a spreadsheet shows it, where the heading is row 1.
    pub sheet_row: usize,
    /// What became of it.
    pub outcome: RowOutcome,
    /// The case number, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_no: Option<String>,
    /// The field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong, or what to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Facts that changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// A new case.
    Created,
    /// Facts changed.
    Updated,
    /// Nothing new.
    Unchanged,
    /// No case.
    Refused,
}

impl std::fmt::Display for RowOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        })
    }
}

impl ImportReport {
    /// Counts a row that was refused.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refused += 1;
        self.rows.push(RowReport {
            row: refusal.place.row,
            sheet_row: refusal.place.sheet_row,
            outcome: RowOutcome::Refused,
            case_no: refusal.case_no,
            field: refusal.field.map(str::to_owned),
            reason: Some(refusal.reason),
            changed: Vec::new(),
        });
    }

    /// Counts a row that is a case. It is named where it has a note, or in a dry run.
    pub fn count(&mut self, row: &CaseRow, outcome: RowOutcome, changed: Vec<String>) {
        match outcome {
            RowOutcome::Created => self.created += 1,
            RowOutcome::Updated => self.updated += 1,
            RowOutcome::Unchanged => self.unchanged += 1,
            RowOutcome::Refused => self.refused += 1,
        }
        let news = self.dry_run && outcome != RowOutcome::Unchanged;
        if news || !row.notes.is_empty() {
            let Place { row: number, sheet_row } = row.place;
            self.rows.push(RowReport {
                row: number,
                sheet_row,
                outcome,
                case_no: Some(row.case_no.clone()),
                field: None,
                reason: (!row.notes.is_empty()).then(|| row.notes.join("; ")),
                changed,
            });
        }
    }

    /// Puts the rows in the order of the file.
    pub fn sort(&mut self) {
        self.rows.sort_by_key(|row| row.row);
    }
}
