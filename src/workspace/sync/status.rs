//! The status, never better than what is known.

use crate::workspace::Workspace;
use crate::workspace::output::{Status, SyncState};
use crate::workspace::records::entry::Problem;

impl Workspace {
    /// The status of everything that is held.
    pub fn status(&self) -> Status {
        let unsent: usize = self.records.values().map(|entry| entry.outbox.len()).sum();
        let oldest_unsent_at = self
            .records
            .values()
            .flat_map(|entry| entry.outbox.values().map(|unsent| unsent.at))
            .min();
        let problem = self.problem();
        let needs_person = problem.as_deref().is_some_and(|word| !is_distance(word));
        let state = if needs_person {
            SyncState::Attention
        } else if self.link.is_busy() {
            SyncState::Syncing
        } else if self.link.is_out_of_reach() {
            SyncState::Offline
        } else if unsent > 0 || !self.journal.is_idle() {
            SyncState::Unsent
        } else if self.link.is_proven() {
            SyncState::InStep
        } else {
            // Nothing is known to be wrong, and nothing is proven: a round is due.
            SyncState::Syncing
        };
        Status {
            state,
            unsent: i64::try_from(unsent).unwrap_or(i64::MAX),
            oldest_unsent_at,
            in_step_at: self.link.proven_at(),
            first_sync: self.link.first_sync(),
            problem,
            clock_skew_ms: self.link.clock_skew_ms(),
            repairs: self.link.repairs(),
        }
    }

    fn problem(&self) -> Option<String> {
        if self.journal.has_failed() {
            return Some(self.link.save_problem());
        }
        if let Some(ended) = self.link.ended {
            return Some(ended.as_str().to_owned());
        }
        if let Some(problem) = self.link.problem().filter(|word| !is_distance(word)) {
            return Some(problem.to_owned());
        }
        let of_records = self.records.values().filter_map(|entry| entry.problem.as_ref());
        let worst = of_records.map(|problem| match problem {
            Problem::Refused { .. } => "refused",
            Problem::Damaged => "damaged",
        });
        worst.max().or(self.link.problem()).map(str::to_owned)
    }
}

/// Problems that pass by themselves and need nobody.
fn is_distance(word: &str) -> bool {
    matches!(word, "offline" | "office_busy")
}
