//! What leaves the device: a record that was withdrawn, held back while something of it has no name
//! yet (rule F1), and everything, where the office has shut the device out (rule F4).
//!
//! What is unsent is handed over, as it is and however often it takes; only when the office has
//! said of all of it that it is kept does the driver erase the store. Nothing is taken in any more.

use std::collections::BTreeSet;

use super::link::SentRequest;
use super::repair::Repair;
use super::round::MISSING_AT_MOST;
use crate::ids::RecordId;
use crate::sync::message::{Outcome, Reply, Revocation};
use crate::workspace::Workspace;
use crate::workspace::output::{Output, Table};
use crate::workspace::records::entry::{self, Problem, RecordEntry};

impl Workspace {
    /// Takes in what became of the work that was handed over.
    pub(crate) fn drain(&mut self, reply: &Reply, sent: &SentRequest) {
        self.link.first_sync_done();
        self.link.repair = Repair::default();
        for (outcome, pushed) in reply.results.iter().zip(&sent.pushed) {
            let Some(entry) = self.records.get_mut(&pushed.record) else { continue };
            match outcome {
                Outcome::Withdrawn | Outcome::Merged { .. } | Outcome::Duplicate { .. } => {
                    for number in &pushed.numbers {
                        entry.outbox.remove(number);
                        self.journal.delete(Table::Outbox, entry::outbox_key(entry.id, *number));
                    }
                }
                // It could not be put together: it goes as it is.
                Outcome::Missing { .. } => entry.missing = MISSING_AT_MOST,
                Outcome::Refused { code, path, message, quarantine } => {
                    entry.problem = Some(Problem::refused(
                        *code,
                        path,
                        message,
                        *quarantine,
                        pushed.numbers.last().copied(),
                    ));
                }
            }
        }
    }

    /// After a reply is on disk: erases everything once nothing is left to hand over. Gives
    /// whether there is something that can be handed over now, `None` where all is done.
    pub(crate) fn erase_if_drained(&mut self, ended: Revocation) -> Option<bool> {
        if self.has_unsent() || !self.retained.is_empty() {
            return Some(self.records.values().any(RecordEntry::can_drain));
        }
        self.records.clear();
        self.loaded.clear();
        self.loading.clear();
        self.cards.clear();
        self.drafts.clear();
        // What still waits to be written would come after the erasure.
        self.journal.abandon();
        self.outputs.push_back(Output::Erase { reason: ended.as_str().to_owned() });
        None
    }

    /// These records and no others stay until their attachments are named: bytes lie elsewhere on
    /// the device, and a record that has left can't name them any more. To be called before the
    /// first output is carried out, and whenever that changes.
    pub fn retain_for_attachments(&mut self, records: BTreeSet<RecordId>, now_ms: i64) {
        let records: BTreeSet<RecordId> =
            records.into_iter().filter(|id| self.records.contains_key(id)).collect();
        let free = self.retained.iter().any(|id| !records.contains(id));
        self.retained = records;
        let withdrawn: Vec<RecordId> =
            self.records.values().filter(|entry| entry.withdrawn).map(|entry| entry.id).collect();
        for id in withdrawn {
            self.finish_withdrawal(id);
        }
        if free && self.link.ended.is_some() {
            self.link.schedule_now();
        }
        self.advance(now_ms);
    }

    /// Erases a record that was withdrawn before and was held back. One that is still to be given
    /// back goes when that is done, and what is unsent of one that is being loaded is not known yet.
    pub(crate) fn finish_withdrawal(&mut self, id: RecordId) {
        let known = !self.loading.contains_key(&id) && !self.link.repair.is_about(id);
        let withdrawn = self.records.get(&id).is_some_and(|entry| entry.withdrawn);
        if withdrawn && known {
            self.erase_if_confirmed(id);
        }
    }

    /// Whether a record is to leave this device as soon as nothing holds it back.
    pub fn is_leaving(&self, record: RecordId) -> bool {
        self.records.get(&record).is_some_and(|entry| entry.withdrawn || self.link.ended.is_some())
    }

    /// Whether the office has all that was written into a record, or it is not here.
    pub fn is_confirmed(&self, record: RecordId) -> bool {
        self.records.get(&record).is_none_or(|entry| entry.outbox.is_empty())
    }
}
