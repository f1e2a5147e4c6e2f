//! Repair: finds what differs by ranges, then exchanges that alone (rule P3).
//!
//! It begins where digests differ, or where the device has no cursor for what it holds. One
//! request compares ranges; the next ones bring what the office has lost, push own work anew, and
//! ask for what lacks here, for some records at a time. Nothing held is dropped: a record goes
//! only when the office says that it is withdrawn.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Change, ChangeHash};

use super::round::MISSING_AT_MOST;
use crate::ids::{Heads, RecordId, device_of};
use crate::sync::message::{Outcome, Restore};
use crate::sync::packed::Packer;
use crate::sync::ranges::{self, Differing, Range};
use crate::workspace::Workspace;
use crate::workspace::output::Table;
use crate::workspace::records::entry::{Problem, RecordEntry};
use crate::workspace::storage::loading::confirmed_heads;

/// Records in one exchange: bounds what must be loaded at once.
const AT_ONCE: usize = 32;

/// Where a repair stands.
#[derive(Debug, Default)]
pub(crate) struct Repair {
    /// Ranges from this id on are to be compared.
    from: Option<RecordId>,
    /// Records that differ, and what the office has of them.
    differs: BTreeMap<RecordId, Heads>,
    /// Those of them that the next request is about.
    now: BTreeSet<RecordId>,
}

impl Repair {
    pub(crate) fn begin(&mut self) {
        self.from = Some(RecordId([0; 16]));
    }

    /// Whether anything is left to be compared or exchanged.
    pub(crate) fn is_open(&self) -> bool {
        self.from.is_some() || !self.differs.is_empty()
    }

    /// Whether a record waits for a later exchange: its work builds on what may be lost.
    pub(crate) fn holds_back(&self, record: RecordId) -> bool {
        self.differs.contains_key(&record) && !self.now.contains(&record)
    }

    /// Whether the next request needs a record's document.
    pub(crate) fn needs(&self, record: RecordId) -> bool {
        self.now.contains(&record)
    }

    /// Whether a record is to be exchanged.
    pub(crate) fn is_about(&self, record: RecordId) -> bool {
        self.differs.contains_key(&record)
    }

    /// A record is to be exchanged: the office has this of it.
    pub(crate) fn differs(&mut self, record: RecordId, have: Heads) {
        self.differs.insert(record, have);
    }

    /// A reply came: what the request was about is dealt with, unless the reply says otherwise.
    fn answered(&mut self) {
        for record in std::mem::take(&mut self.now) {
            self.differs.remove(&record);
        }
    }
}

impl Workspace {
    /// Asks for the documents that the next request is about.
    pub(crate) fn load_for_repair(&mut self) {
        let repair = &mut self.link.repair;
        repair.differs.retain(|id, _| self.records.contains_key(id));
        repair.now.retain(|id| repair.differs.contains_key(id));
        if repair.now.is_empty() {
            repair.now = repair.differs.keys().take(AT_ONCE).copied().collect();
        }
        let damaged = |id: &RecordId| {
            self.records.get(id).is_some_and(|entry| entry.problem == Some(Problem::Damaged))
        };
        let needed: Vec<RecordId> = repair
            .now
            .iter()
            .filter(|id| !self.loaded.contains_key(id) && !damaged(id))
            .copied()
            .collect();
        for id in needed {
            self.load(id, 0);
        }
    }

    /// After a start: records that were taken away and still stand here are to be given back.
    pub(crate) fn resume_restores(&mut self) {
        for entry in
            self.records.values().filter(|entry| entry.withdrawn && entry.attested.is_some())
        {
            self.link.repair.differs(entry.id, Heads::default());
        }
    }

    /// After a start: wants every record without a state token, such as one whose row was damaged; the
    /// answer has one (rule P3). It costs a few bytes: changes that are here are not sent again.
    pub(crate) fn request_missing_tokens(&mut self) {
        for entry in self.records.values_mut() {
            entry.wanted |= entry.attested.is_none() && !entry.withdrawn;
        }
    }

    /// What the office has lost of the records that the next request is about; what can't be
    /// brought goes into the outbox or is asked for.
    pub(crate) fn restore(&mut self, packer: &mut Packer) -> Vec<Restore> {
        let now: Vec<RecordId> = self.link.repair.now.iter().copied().collect();
        let mut restores = Vec::new();
        for id in now {
            match self.restore_one(id, packer) {
                Some(restore) => restores.push(restore),
                None if self.records.get(&id).is_some_and(|entry| entry.withdrawn) => {
                    self.finish_restore(id);
                }
                None => {}
            }
        }
        restores
    }

    /// All that the office wants back of a record has been given, or nothing can be: without a
    /// state token it is not brought again, and it goes if the office took it away.
    fn finish_restore(&mut self, id: RecordId) {
        let Some(entry) = self.records.get_mut(&id) else { return };
        entry.attested = None;
        if entry.withdrawn {
            entry.wanted = false;
            self.erase_if_confirmed(id);
        }
    }

    fn restore_one(&mut self, id: RecordId, packer: &mut Packer) -> Option<Restore> {
        let have = self.link.repair.differs.get(&id)?;
        let (Some(entry), Some(loaded)) = (self.records.get_mut(&id), self.loaded.get(&id)) else {
            return None;
        };
        // Where an unsent row was damaged, what follows it may have been confirmed before it.
        let confirmed = confirmed_heads(&loaded.record, entry);
        if entry.confirmed != confirmed {
            entry.confirmed = confirmed;
            self.journal.put(Table::Records, id.to_string(), entry.encode());
        }
        let lost = loaded.record.changes_after(have);
        let knows =
            |head: &ChangeHash| loaded.record.document().get_change_meta_by_hash(head).is_some();
        // What the office has and this device lacks.
        entry.wanted |= !have.as_slice().iter().all(knows) || lost.is_empty();

        let attested =
            entry.attested.clone().filter(|attested| attested.heads.as_slice().iter().all(knows));
        let later: BTreeSet<ChangeHash> = match &attested {
            Some(attested) => {
                loaded.record.changes_after(&attested.heads).iter().map(Change::hash).collect()
            }
            None => lost.iter().map(Change::hash).collect(),
        };
        let (own, restored): (Vec<&Change>, Vec<&Change>) =
            lost.iter().partition(|change| later.contains(&change.hash()));
        let own: BTreeSet<ChangeHash> = own
            .into_iter()
            .filter(|change| device_of(change.actor_id()) == Some(self.identity.device))
            .map(Change::hash)
            .collect();
        let queued: BTreeSet<ChangeHash> =
            entry.outbox.values().map(|unsent| unsent.hash).collect();
        if entry.missing > 0 || !own.is_subset(&queued) {
            // Work that was handed over when the record was withdrawn stands behind what was
            // written since.
            entry.rebuild_outbox(&loaded.record, &own, &mut self.journal);
            entry.confirmed = confirmed_heads(&loaded.record, entry);
            self.journal.put(Table::Records, id.to_string(), entry.encode());
        }
        let Some(attested) = attested.filter(|_| !restored.is_empty()) else {
            // Nothing that differs can be given: the office says what to do with the record.
            entry.wanted |= own.is_empty();
            return None;
        };
        let changes = packer.pack(restored.into_iter().map(Change::raw_bytes));
        Some(Restore { record: id, heads: attested.heads, mac: attested.mac, changes })
    }

    /// The ranges that the next request compares.
    pub(crate) fn ranges(&self) -> Vec<Range> {
        // In the midst of a pass over the feed much differs that the next pages bring.
        let Some(from) = self.link.repair.from.filter(|_| self.cursor.is_whole()) else {
            return Vec::new();
        };
        let entry = self.records.values().filter(|entry| entry.is_in_digest());
        ranges::cut(from, entry.map(|entry| (entry.id, &entry.confirmed)))
    }

    /// What became of what was brought.
    pub(crate) fn handle_restored(&mut self, sent: &[RecordId], outcomes: &[Outcome]) {
        self.link.repair.answered();
        for (id, outcome) in sent.iter().zip(outcomes) {
            let Some(entry) = self.records.get_mut(id) else { continue };
            match outcome {
                Outcome::Merged { state_token } | Outcome::Duplicate { state_token } => {
                    entry.offered_token = Some(*state_token);
                    entry.withdrawn = false;
                }
                Outcome::Missing { have } => self.handle_missing(*id, have),
                // Without the state token own work goes out as a push again.
                Outcome::Refused { .. } => self.finish_restore(*id),
                Outcome::Withdrawn => {
                    entry.withdrawn = true;
                    self.finish_restore(*id);
                }
            }
        }
    }

    /// The office lacks what was built on: what it has lost is brought, then the work goes out
    /// again. After some tries a person is told.
    pub(crate) fn handle_missing(&mut self, id: RecordId, have: &Heads) {
        let Some(entry) = self.records.get_mut(&id) else { return };
        entry.missing += 1;
        if entry.missing < MISSING_AT_MOST {
            self.link.repair.differs(id, have.clone());
        } else if entry.withdrawn {
            self.finish_restore(id);
        } else {
            entry.problem = Some(Problem::Refused {
                code: "missing".to_owned(),
                path: String::new(),
                message: "the office lacks changes that this work builds on".to_owned(),
                quarantine: None,
                decided: None,
                through: None,
            });
        }
    }

    /// Notes what differs in the ranges that were compared.
    pub(crate) fn handle_differing(&mut self, sent: &[RecordId], differing: &Differing) {
        if sent.is_empty() {
            return;
        }
        let compared = usize::try_from(differing.compared).unwrap_or(usize::MAX);
        self.link.repair.from = sent.get(compared).copied();
        let states: BTreeMap<RecordId, &Heads> =
            differing.states.iter().map(|state| (state.record, &state.heads)).collect();
        for place in &differing.ranges {
            let place = usize::try_from(*place).unwrap_or(usize::MAX);
            let Some(from) = sent.get(place) else { continue };
            let next = sent.get(place.saturating_add(1));
            let inside = |id: &RecordId| next.is_none_or(|next| id < next);
            for entry in self.records.range(*from..).map(|(_, entry)| entry) {
                if !inside(&entry.id) {
                    break;
                }
                let office = states.get(&entry.id).copied().cloned().unwrap_or_default();
                if entry.is_in_digest() && office != entry.confirmed {
                    self.link.repair.differs(entry.id, office);
                }
            }
        }
        for id in states.into_keys() {
            self.records.entry(id).or_insert_with(|| RecordEntry::lacking(id));
        }
    }
}
