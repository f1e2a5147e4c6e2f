//! Repair: finds which records differ by ranges, then exchanges those alone (rule P3).
//!
//! A repair begins where digests differ, or where the device has records but no cursor. One
//! request compares ranges; the next ones restore what the office has lost, push own work again,
//! and ask for what this device lacks, some records at a time. Nothing is dropped: a record is
//! erased only when the office says that it is withdrawn.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Change, ChangeHash};

use super::round::MAX_MISSING_REPLIES;
use crate::ids::{Heads, RecordId, device_of};
use crate::sync::message::{Outcome, Restore};
use crate::sync::packed::Packer;
use crate::sync::ranges::{self, Differing, Range};
use crate::workspace::Workspace;
use crate::workspace::output::Table;
use crate::workspace::records::entry::RecordEntry;
use crate::workspace::records::problem::Problem;

/// Records in one exchange: bounds how many documents are loaded at once.
const MAX_EXCHANGED: usize = 32;

/// The state of a repair.
#[derive(Debug, Default)]
pub(crate) struct Repair {
    /// Ranges from this id on are to be compared.
    compare_from: Option<RecordId>,
    /// Records that differ, with the office's heads.
    differing: BTreeMap<RecordId, Heads>,
    /// Those that the next request exchanges.
    current: BTreeSet<RecordId>,
    /// Repairs since the start (rule P4).
    count: i64,
}

impl Repair {
    /// Compares all records.
    pub(crate) fn begin(&mut self) {
        self.count += 1;
        self.compare_from = Some(RecordId([0; 16]));
    }

    /// Nothing is compared or exchanged any more.
    pub(crate) fn abandon(&mut self) {
        *self = Self { count: self.count, ..Self::default() };
    }

    pub(crate) fn count(&self) -> i64 {
        self.count
    }

    /// Whether anything is left to compare or exchange.
    pub(crate) fn is_open(&self) -> bool {
        self.compare_from.is_some() || !self.differing.is_empty()
    }

    /// Whether a record's pushes wait for a later exchange: they build on what may be lost.
    pub(crate) fn postpones(&self, record: RecordId) -> bool {
        self.differing.contains_key(&record) && !self.current.contains(&record)
    }

    /// Whether the next request needs a record's document.
    pub(crate) fn needs(&self, record: RecordId) -> bool {
        self.current.contains(&record)
    }

    /// Whether a record is to be exchanged.
    pub(crate) fn is_about(&self, record: RecordId) -> bool {
        self.differing.contains_key(&record)
    }

    /// Exchanges a record of which the office has `have`.
    pub(crate) fn differs(&mut self, record: RecordId, have: Heads) {
        self.differing.insert(record, have);
    }

    /// A reply came: the records of its request are done unless the reply says otherwise.
    fn answered(&mut self) {
        for record in std::mem::take(&mut self.current) {
            self.differing.remove(&record);
        }
    }
}

impl Workspace {
    /// Loads the documents that the next request exchanges.
    pub(crate) fn load_for_repair(&mut self) {
        let repair = &mut self.repair;
        repair.differing.retain(|id, _| self.records.contains_key(id));
        repair.current.retain(|id| repair.differing.contains_key(id));
        if repair.current.is_empty() {
            repair.current = repair.differing.keys().take(MAX_EXCHANGED).copied().collect();
        }
        let is_damaged = |id: &RecordId| self.records.get(id).is_some_and(RecordEntry::is_damaged);
        let needed = repair.current.iter();
        let needed = needed.filter(|id| !self.loaded.contains_key(id) && !is_damaged(id));
        for id in needed.copied().collect::<Vec<_>>() {
            self.load(id, 0);
        }
    }

    /// Packs what the office has lost of the records of the next request. What can't be restored
    /// is pushed or asked for.
    pub(crate) fn pack_restores(&mut self, packer: &mut Packer) -> Vec<Restore> {
        let current: Vec<RecordId> = self.repair.current.iter().copied().collect();
        let mut restores = Vec::new();
        for id in current {
            match self.pack_restore(id, packer) {
                Some(restore) => restores.push(restore),
                None if self.records.get(&id).is_some_and(|entry| entry.withdrawn) => {
                    self.finish_restore(id);
                }
                None => {}
            }
        }
        restores
    }

    /// Everything that can be restored of a record has been: without an attested state it is not
    /// restored again, and it is erased if it is withdrawn.
    fn finish_restore(&mut self, id: RecordId) {
        let Some(entry) = self.records.get_mut(&id) else { return };
        entry.attested = None;
        if entry.withdrawn {
            entry.wanted = false;
            self.erase_if_handed_over(id);
        }
    }

    fn pack_restore(&mut self, id: RecordId, packer: &mut Packer) -> Option<Restore> {
        let have = self.repair.differing.get(&id)?;
        let (entry, loaded) = (self.records.get_mut(&id)?, self.loaded.get(&id)?);
        let document = loaded.record.document();
        // Where an outbox row was damaged, later changes may have been confirmed before it.
        let confirmed = entry.outbox.confirmed_heads(&loaded.record);
        if entry.confirmed != confirmed {
            entry.confirmed = confirmed;
            self.journal.put(Table::Records, id.to_string(), entry.encode());
        }
        let lost = loaded.record.changes_after(have);
        let knows = |head: &ChangeHash| document.get_change_meta_by_hash(head).is_some();
        // The office has changes that this device lacks.
        entry.wanted |= !have.as_slice().iter().all(knows) || lost.is_empty();

        let attested =
            entry.attested.clone().filter(|state| state.heads.as_slice().iter().all(knows));
        let after_attested: BTreeSet<ChangeHash> = match &attested {
            Some(state) => {
                loaded.record.changes_after(&state.heads).iter().map(Change::hash).collect()
            }
            None => lost.iter().map(Change::hash).collect(),
        };
        let (to_push, to_restore): (Vec<&Change>, Vec<&Change>) =
            lost.iter().partition(|change| after_attested.contains(&change.hash()));
        let own: BTreeSet<ChangeHash> = to_push
            .into_iter()
            .filter(|change| device_of(change.actor_id()) == Some(self.identity.device))
            .map(Change::hash)
            .collect();
        if entry.missing_replies > 0 || !own.is_subset(&entry.outbox.hashes()) {
            // Changes that were submitted when the record was withdrawn come first.
            entry.outbox.rebuild(&loaded.record, &own, &mut self.journal);
            entry.confirmed = entry.outbox.confirmed_heads(&loaded.record);
            self.journal.put(Table::Records, id.to_string(), entry.encode());
        }
        let Some(state) = attested.filter(|_| !to_restore.is_empty()) else {
            // Nothing to restore or push: ask the office what to do with the record.
            entry.wanted |= own.is_empty();
            return None;
        };
        let changes = packer.pack(to_restore.into_iter().map(Change::raw_bytes));
        Some(Restore { record: id, heads: state.heads, mac: state.mac, changes })
    }

    /// The ranges that the next request compares.
    pub(crate) fn ranges(&self) -> Vec<Range> {
        // Skip the comparison in the middle of a pass: later pages explain the differences.
        let Some(from) = self.repair.compare_from.filter(|_| self.cursor.is_whole()) else {
            return Vec::new();
        };
        let entries = self.records.values().filter(|entry| entry.is_in_digest());
        ranges::split(from, entries.map(|entry| (entry.id, &entry.confirmed)))
    }

    /// Handles the outcomes of restores.
    pub(crate) fn handle_restored(&mut self, sent: &[RecordId], outcomes: &[Outcome]) {
        self.repair.answered();
        for (id, outcome) in sent.iter().zip(outcomes) {
            let Some(entry) = self.records.get_mut(id) else { continue };
            match outcome {
                Outcome::Merged { state_token } | Outcome::Duplicate { state_token } => {
                    entry.offered_token = Some(*state_token);
                    entry.withdrawn = false;
                }
                Outcome::Missing { have } => self.handle_missing(*id, have),
                // Without the attested state own work is pushed again.
                Outcome::Refused { .. } => self.finish_restore(*id),
                Outcome::Withdrawn => {
                    entry.withdrawn = true;
                    self.finish_restore(*id);
                }
            }
        }
    }

    /// The office lacks what work builds on: restores that, then pushes the work again. After some
    /// tries a person is told.
    pub(crate) fn handle_missing(&mut self, id: RecordId, have: &Heads) {
        let Some(entry) = self.records.get_mut(&id) else { return };
        entry.missing_replies += 1;
        if entry.missing_replies < MAX_MISSING_REPLIES {
            self.repair.differs(id, have.clone());
        } else if entry.withdrawn {
            self.finish_restore(id);
        } else {
            entry.problem = Some(Problem::missing_dependencies());
        }
    }

    /// Notes which records differ in the compared ranges.
    pub(crate) fn handle_differing(&mut self, sent: &[RecordId], differing: &Differing) {
        if sent.is_empty() {
            return;
        }
        let compared = usize::try_from(differing.compared).unwrap_or(usize::MAX);
        self.repair.compare_from = sent.get(compared).copied();
        let states: BTreeMap<RecordId, &Heads> =
            differing.states.iter().map(|state| (state.record, &state.heads)).collect();
        for index in &differing.ranges {
            let index = usize::try_from(*index).unwrap_or(usize::MAX);
            let Some(from) = sent.get(index) else { continue };
            let next = sent.get(index.saturating_add(1));
            for (id, entry) in self.records.range(*from..) {
                if next.is_some_and(|next| id >= next) {
                    break;
                }
                let office = states.get(id).copied().cloned().unwrap_or_default();
                if entry.is_in_digest() && office != entry.confirmed {
                    self.repair.differs(*id, office);
                }
            }
        }
        for id in states.into_keys() {
            self.records.get_or_insert_with(id, || RecordEntry::without_document(id));
        }
    }
}
