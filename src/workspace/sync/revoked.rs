//! A revoked device (rule F4): it uploads its unsent work as it is, however many rounds that takes,
//! applies nothing, and erases its store only when the office has confirmed all of it.

use super::phase::SentRequest;
use super::round::MAX_MISSING_REPLIES;
use crate::sync::message::{Outcome, Reply, Revocation};
use crate::workspace::Workspace;
use crate::workspace::output::Output;
use crate::workspace::records::entry::RecordEntry;
use crate::workspace::records::problem::Problem;

impl Workspace {
    /// Notes which uploaded work the office now has.
    pub(crate) fn drain(&mut self, reply: &Reply, sent: &SentRequest) {
        self.link.end_first_sync();
        self.repair.abandon();
        for (outcome, pushed) in reply.results.iter().zip(&sent.pushed) {
            let Some(entry) = self.records.get_mut(&pushed.record) else { continue };
            match outcome {
                Outcome::Withdrawn | Outcome::Merged { .. } | Outcome::Duplicate { .. } => {
                    for number in &pushed.numbers {
                        entry.outbox.remove(*number, &mut self.journal);
                    }
                }
                // The office could not unpack it: it goes as plain chunks.
                Outcome::Missing { .. } => entry.missing_replies = MAX_MISSING_REPLIES,
                Outcome::Refused { .. } => {
                    entry.problem = Problem::refused(outcome, pushed.numbers.last().copied());
                }
            }
        }
    }

    /// After a reply is on disk: erases everything once nothing is left to upload. Gives whether
    /// something can be uploaded now; `None` where the device is erased.
    pub(crate) fn erase_if_drained(&mut self, revocation: Revocation) -> Option<bool> {
        if self.has_unsent() || !self.retained.is_empty() {
            return Some(self.any_unsent(RecordEntry::can_drain));
        }
        self.records.clear();
        self.loaded.clear();
        self.loading.clear();
        self.cards.clear();
        self.drafts.clear();
        // Pending writes would come after the erasure.
        self.journal.abandon();
        self.outputs.push_back(Output::Erase { reason: revocation });
        None
    }
}
