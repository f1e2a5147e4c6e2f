//! The list as its reader knows it: only what changed since then is handed over.

use std::collections::BTreeMap;

use super::Workspace;
use super::held::{Held, Problem};
use super::output::ListChanges;
use crate::ids::{Heads, RecordId};

/// What the reader of the list knows: a row follows from it.
#[derive(Debug, Default)]
pub(super) struct Listing {
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
    fn of(held: &Held, sending: bool, begun: bool) -> Self {
        Self {
            heads: held.heads.clone(),
            readable: held.summary.is_some(),
            unsent: held.outbox.len(),
            sending,
            begun,
            problem: held.problem.clone(),
        }
    }

    fn holds(&self, held: &Held, sending: bool, begun: bool) -> bool {
        self.heads == held.heads
            && self.readable == held.summary.is_some()
            && self.unsent == held.outbox.len()
            && self.sending == sending
            && self.begun == begun
            && self.problem == held.problem
    }
}

impl Workspace {
    /// Rows that are not as this method gave them last, at most so many, and records that are gone.
    /// Where `more` is set it is to be called again. The first calls give the whole list.
    pub fn list_changes(&mut self, at_most: usize) -> ListChanges {
        let mut changes = ListChanges { rows: Vec::new(), gone: Vec::new(), more: false };
        for held in self.held.values() {
            let (sending, begun) = (self.link.is_sending(held.id), self.drafts.has(held.id));
            let known = self.listing.known.get(&held.id);
            if known.is_some_and(|known| known.holds(held, sending, begun)) {
                continue;
            }
            if changes.rows.len() == at_most {
                changes.more = true;
                break;
            }
            self.listing.known.insert(held.id, Known::of(held, sending, begun));
            changes.rows.push(held.row(sending, begun));
        }
        self.listing.known.retain(|id, _| {
            let kept = self.held.contains_key(id);
            if !kept {
                changes.gone.push(id.to_string());
            }
            kept
        });
        changes
    }
}
