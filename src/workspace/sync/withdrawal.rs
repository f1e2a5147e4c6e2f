//! Withdrawn records: what must be at the office before they are erased (rule F1).

use std::collections::BTreeSet;

use crate::ids::{Heads, RecordId};
use crate::sync::message::Epoch;
use crate::workspace::Workspace;
use crate::workspace::output::Output;
use crate::workspace::storage::loading;

impl Workspace {
    /// The office withdraws a record. Until digests have agreed in this life of its store, the
    /// office may have lost changes of it: those are restored before it is erased (rule P3).
    pub(crate) fn withdraw(&mut self, id: RecordId, epoch: Epoch) {
        let Some(entry) = self.records.get_mut(&id) else { return };
        entry.withdrawn = true;
        // Refused work is submitted like other unsent work.
        entry.clear_refusal();
        if self.link.is_proven_in(epoch) || entry.attested.is_none() {
            self.erase_if_handed_over(id);
        } else {
            self.repair.differs(id, Heads::default());
        }
    }

    /// Keeps these records, and no others, until their attachments are named: their bytes are
    /// stored elsewhere on the device, and a record that is gone can't name them any more. Call it
    /// before the first output is carried out, and whenever the set changes.
    pub fn retain_for_attachments(&mut self, records: BTreeSet<RecordId>, now_ms: i64) {
        let records: BTreeSet<RecordId> =
            records.into_iter().filter(|id| self.holds(*id)).collect();
        let released = self.retained.iter().any(|id| !records.contains(id));
        self.retained = records;
        for id in self.records.reindex().withdrawn().clone() {
            self.finish_withdrawal(id);
        }
        if released && self.link.revocation().is_some() {
            self.link.schedule().schedule_now();
        }
        self.advance(now_ms);
    }

    /// Erases a withdrawn record that had to wait. It still waits while it is being restored to
    /// the office, or loaded: only a load tells whether all of its unsent work is in the outbox.
    pub(crate) fn finish_withdrawal(&mut self, id: RecordId) {
        let waits = self.loading.contains_key(&id) || self.repair.is_about(id);
        let withdrawn = self.records.get(&id).is_some_and(|entry| entry.withdrawn);
        if withdrawn && !waits {
            self.erase_if_handed_over(id);
        }
    }

    /// Erases a withdrawn record once it has no unsent work and is not retained.
    pub(crate) fn erase_if_handed_over(&mut self, id: RecordId) {
        let handed_over = self.records.get(&id).is_some_and(|entry| entry.outbox.is_empty());
        if handed_over && !self.retained.contains(&id) {
            self.add_card(id);
            self.drafts.remove(id, &mut self.journal);
            self.records.remove(&id);
            self.loaded.remove(&id);
            loading::erase(&mut self.journal, id);
            self.outputs.push_back(Output::RecordChanged { record: id.to_string() });
        }
    }

    /// Whether a record will be erased as soon as nothing retains it.
    pub fn is_leaving(&self, record: RecordId) -> bool {
        let revoked = self.link.revocation().is_some();
        self.records.get(&record).is_some_and(|entry| entry.withdrawn || revoked)
    }

    /// Whether the office has all changes of a record, or the record is not on this device.
    pub fn is_confirmed(&self, record: RecordId) -> bool {
        self.records.get(&record).is_none_or(|entry| entry.outbox.is_empty())
    }
}
