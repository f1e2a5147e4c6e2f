//! Assigning many records at once. Each record goes through the intake pipeline on its own, so one
//! that fails takes no other with it.

use super::bulk::BulkOutcome;
use super::intake::edit::Edit;
use super::{Office, OfficeError};
use crate::ids::RecordId;
use crate::record::command::{AssignmentPatch, Command};
use crate::record::terms::Role;
use crate::record::view::AssignmentView;

/// The parts of an assignment that can be set for many records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssignmentValues {
    /// Sign-in names.
    pub collectors: Option<Vec<String>>,
    /// `YYYY-MM-DD`, empty for none.
    pub due_by: Option<String>,
    /// 1 (high), 2 or 3.
    pub priority: Option<i64>,
}

/// A change of one record's assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentChange {
    /// The record.
    pub record: RecordId,
    /// What is set.
    pub set: AssignmentValues,
    /// What the user saw when they decided. A value that is neither this nor the one to be set was
    /// changed by another user meanwhile.
    pub seen: AssignmentValues,
}

impl Office {
    /// Changes one record's assignment, unless another user changed it meanwhile.
    ///
    /// # Errors
    /// As for [`Office::command`].
    pub async fn assign(
        &self,
        change: AssignmentChange,
        user: &str,
        role: Role,
    ) -> Result<BulkOutcome, OfficeError> {
        let AssignmentChange { record, set, seen } = change;
        let set = set.sorted();
        let seen = seen.sorted();
        let edit = Edit::new(user, role, move |record, author| {
            let missing = set.missing_from(&AssignmentValues::of(&record.view().assignment));
            if missing == AssignmentValues::default() {
                return Ok((Vec::new(), BulkOutcome::Unchanged));
            }
            let now = AssignmentValues::of(&record.view().assignment);
            if !missing.is_based_on(&seen, &now) {
                return Ok((Vec::new(), BulkOutcome::Moved));
            }
            let AssignmentValues { collectors, due_by, priority } = missing;
            let patch =
                AssignmentPatch { collectors, due_by, priority, ..AssignmentPatch::default() };
            let changes = record.apply(&Command::Assign(patch), author)?;
            Ok((Vec::from_iter(changes), BulkOutcome::Done))
        });
        Ok(self.intake_one(edit, record, ()).await?.1)
    }
}

impl AssignmentValues {
    fn of(view: &AssignmentView) -> Self {
        Self {
            collectors: Some(view.collectors.clone()),
            due_by: Some(view.due_by.clone()),
            priority: Some(view.priority),
        }
        .sorted()
    }

    /// Order and repetition of names mean nothing.
    fn sorted(mut self) -> Self {
        if let Some(names) = &mut self.collectors {
            names.sort();
            names.dedup();
        }
        self
    }

    /// The values that a record does not have yet.
    fn missing_from(&self, now: &Self) -> Self {
        Self {
            collectors: self.collectors.clone().filter(|_| self.collectors != now.collectors),
            due_by: self.due_by.clone().filter(|_| self.due_by != now.due_by),
            priority: self.priority.filter(|_| self.priority != now.priority),
        }
    }

    /// Whether every value that is about to be replaced is the one that was seen.
    fn is_based_on(&self, seen: &Self, now: &Self) -> bool {
        (self.collectors.is_none() || seen.collectors == now.collectors)
            && (self.due_by.is_none() || seen.due_by == now.due_by)
            && (self.priority.is_none() || seen.priority == now.priority)
    }
}
