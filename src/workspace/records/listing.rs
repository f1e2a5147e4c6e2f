//! The list as its reader knows it: only what changed since then is handed over.

use std::collections::BTreeMap;

use super::entry::{Problem, RecordEntry};
use crate::ids::{Heads, RecordId};
use crate::workspace::Workspace;
use crate::workspace::output::ListChanges;

/// What the reader of the list knows: a row follows from it.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    known: BTreeMap<RecordId, Known>,
}

/// All that a row is made from, far cheaper to compare than the row itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    heads: Heads,
    readable: bool,
    unsent: usize,
    sending: bool,
    begun: bool,
    problem: Option<Problem>,
}

impl Known {
    fn of(entry: &RecordEntry, sending: bool, begun: bool) -> Self {
        Self {
            heads: entry.heads.clone(),
            readable: entry.summary.is_some(),
            unsent: entry.outbox.len(),
            sending,
            begun,
            problem: entry.problem.clone(),
        }
    }

    fn holds(&self, entry: &RecordEntry, sending: bool, begun: bool) -> bool {
        self.heads == entry.heads
            && self.readable == entry.summary.is_some()
            && self.unsent == entry.outbox.len()
            && self.sending == sending
            && self.begun == begun
            && self.problem == entry.problem
    }
}

impl Workspace {
    /// Rows that are not as this method gave them last, at most so many, and records that are gone.
    /// Where `more` is set it is to be called again. The first calls give the whole list.
    pub fn list_changes(&mut self, at_most: usize) -> ListChanges {
        let mut changes = ListChanges { rows: Vec::new(), gone: Vec::new(), more: false };
        for entry in self.records.values() {
            let (sending, begun) = (self.link.is_sending(entry.id), self.drafts.has(entry.id));
            let known = self.listing.known.get(&entry.id);
            if known.is_some_and(|known| known.holds(entry, sending, begun)) {
                continue;
            }
            if changes.rows.len() == at_most {
                changes.more = true;
                break;
            }
            self.listing.known.insert(entry.id, Known::of(entry, sending, begun));
            changes.rows.push(entry.row(sending, begun));
        }
        self.listing.known.retain(|id, _| {
            let kept = self.records.contains_key(id);
            if !kept {
                changes.gone.push(id.to_string());
            }
            kept
        });
        changes
    }
}
