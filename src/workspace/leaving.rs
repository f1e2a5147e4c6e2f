//! The end of a device's work: the office has shut it out (rule F4).
//!
//! What is unsent is handed over, as it is and however often it takes; only when the office has
//! said of all of it that it is kept does the driver erase the store. Nothing is taken in any more.

use super::Workspace;
use super::held::{self, Held, Problem};
use super::link::Asked;
use super::output::{Output, Table};
use super::repair::Repair;
use super::round::MISSING_AT_MOST;
use crate::sync::message::{Ended, Outcome, Reply};

impl Workspace {
    /// Takes in what became of the work that was handed over.
    pub(super) fn hand_over(&mut self, reply: &Reply, asked: &Asked) {
        self.link.first_sync_done();
        self.link.repair = Repair::default();
        for (outcome, pushed) in reply.results.iter().zip(&asked.pushed) {
            let Some(held) = self.held.get_mut(&pushed.record) else { continue };
            match outcome {
                Outcome::Withdrawn | Outcome::Merged { .. } | Outcome::Duplicate { .. } => {
                    for number in &pushed.numbers {
                        held.outbox.remove(number);
                        self.journal.delete(Table::Outbox, held::outbox_key(held.id, *number));
                    }
                }
                // It could not be put together: it goes as it is.
                Outcome::Missing { .. } => held.missing = MISSING_AT_MOST,
                Outcome::Refused { code, path, message, quarantine } => {
                    held.problem = Some(Problem::refused(*code, path, message, *quarantine));
                }
            }
        }
    }

    /// After a reply is on disk: erases everything once nothing is left to hand over. Gives
    /// whether there is something that can be handed over now, `None` where all is done.
    pub(super) fn erase_or_go_on(&mut self, ended: Ended) -> Option<bool> {
        if self.held.values().any(|held| !held.outbox.is_empty()) {
            return Some(self.held.values().any(Held::is_to_hand_over));
        }
        self.held.clear();
        self.loaded.clear();
        self.loading.clear();
        self.cards.clear();
        self.drafts.clear();
        // What still waits to be written would come after the erasure.
        self.journal.abandon();
        self.outputs.push_back(Output::Erase { reason: ended.as_str().to_owned() });
        None
    }
}
