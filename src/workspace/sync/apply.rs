//! Applies a reply: results of what was pushed, then the records of the feed (R3, R4, R6, F1).

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Change, ChangeHash};

use super::link::{Phase, SentPush};
use crate::ids::{Heads, RecordId, device_of, session_after};
use crate::record::Record;
use crate::sync::message::{
    Chunk, Cursor, Epoch, Outcome, Packed, RecordUpdate, Reply, Tables, UpdateContent,
};
use crate::sync::packed::{self, Prefix, prefix};
use crate::workspace::output::{Output, Table};
use crate::workspace::records::entry::{self, Problem, RecordEntry, Unsent, checked_change};
use crate::workspace::storage::encode;
use crate::workspace::storage::loading::{
    self, CURSOR_KEY, PROVEN_KEY, absorb_what_fits, confirmed_heads,
};
use crate::workspace::{Loaded, Workspace};

impl Workspace {
    /// Asks for the documents that a reply changes.
    pub(crate) fn load_for_reply(&mut self) {
        let Phase::Applying { reply, .. } = &self.link.phase else {
            return;
        };
        let of_entries = reply.entries.iter().filter_map(|entry| match &entry.content {
            UpdateContent::Changes { changes, .. } if changes.is_empty() => None,
            UpdateContent::Changes { .. } | UpdateContent::Document { .. } => Some(entry.record),
            UpdateContent::Withdrawn | UpdateContent::Unknown => None,
        });
        let needed: BTreeSet<RecordId> = of_entries
            .filter(|id| self.records.contains_key(id) && !self.loaded.contains_key(id))
            .collect();
        for id in needed {
            self.load(id, 0);
        }
    }

    /// Applies the reply in memory and hands all of it, with the cursor, to one batch.
    pub(crate) fn apply_reply(&mut self) {
        let phase = std::mem::replace(&mut self.link.phase, Phase::Idle);
        let Phase::Applying { reply, sent } = phase else {
            self.link.phase = phase;
            return;
        };
        if reply.revocation.is_some() {
            self.drain(&reply, &sent);
            self.await_commit(&reply, self.cursor);
            return;
        }
        let mut touched: BTreeSet<RecordId> = sent.restored.iter().copied().collect();
        self.handle_restored(&sent.restored, &reply.restored);
        for (outcome, pushed) in reply.results.iter().zip(&sent.pushed) {
            self.apply_outcome(outcome, pushed, reply.cursor.epoch);
            touched.insert(pushed.record);
        }
        for entry in &reply.entries {
            if self.apply_entry(entry, &reply.tables, reply.cursor.epoch) {
                let record = entry.record.to_string();
                self.outputs.push_back(Output::RecordChanged { record });
            }
            touched.insert(entry.record);
        }
        self.request_refused(&reply.results, &sent.pushed);
        self.handle_differing(&sent.ranges, &reply.differing);
        self.apply_decisions(reply.decisions.as_deref().unwrap_or_default());
        for id in touched {
            if let Some(entry) = self.records.get_mut(&id) {
                entry.adopt_offered_token();
                self.journal.put(Table::Records, id.to_string(), entry.encode());
                self.cards.remove(id, &mut self.journal);
            }
        }
        self.cards.prune(reply.office_time, &mut self.journal);
        if reply.cursor != self.cursor {
            let bytes = encode(&reply.cursor);
            self.journal.put(Table::Meta, CURSOR_KEY.into(), bytes);
        }
        self.await_commit(&reply, reply.cursor);
    }

    /// A part of what was refused may be at the office since an earlier push whose reply was lost,
    /// and a device's own changes do not come back by the feed (R4): asks for them by heads.
    fn request_refused(&mut self, results: &[Outcome], pushed: &[SentPush]) {
        for (outcome, pushed) in results.iter().zip(pushed) {
            if let (Outcome::Refused { .. }, Some(entry)) =
                (outcome, self.records.get_mut(&pushed.record))
            {
                entry.wanted = true;
            }
        }
    }

    /// Where nothing is to be written the batch before is the one to wait for.
    fn await_commit(&mut self, reply: &Reply, cursor: Cursor) {
        let gathering = self.journal.is_gathering();
        let batch = if gathering { self.journal.number() } else { 0 };
        let Reply { remaining, digest, .. } = *reply;
        self.link.phase = Phase::Committing { batch, cursor, remaining, digest };
    }

    /// Writes the last proof beside the cursor.
    pub(crate) fn store_proof(&mut self) {
        if let Some(proven) = &self.link.proven {
            self.journal.put(Table::Meta, PROVEN_KEY.into(), encode(proven));
        }
    }

    fn apply_outcome(&mut self, outcome: &Outcome, pushed: &SentPush, epoch: Epoch) {
        let Some(entry) = self.records.get_mut(&pushed.record) else {
            return;
        };
        match outcome {
            Outcome::Merged { state_token } | Outcome::Duplicate { state_token } => {
                for number in &pushed.numbers {
                    let Some(unsent) = entry.outbox.remove(number) else {
                        continue;
                    };
                    entry.confirmed.advance(unsent.hash, &unsent.deps);
                    self.journal.delete(Table::Outbox, entry::outbox_key(entry.id, *number));
                }
                entry.offered_token = Some(*state_token);
                entry.missing = 0;
                entry.withdrawn = false;
                // It had been refused, and was accepted or became writable since.
                entry.problem.take_if(|problem| matches!(problem, Problem::Refused { .. }));
            }
            Outcome::Missing { have } => self.handle_missing(pushed.record, have),
            Outcome::Refused { code, path, message, quarantine } => {
                entry.problem = Some(Problem::refused(
                    *code,
                    path,
                    message,
                    *quarantine,
                    pushed.numbers.last().copied(),
                ));
            }
            Outcome::Withdrawn => {
                for number in &pushed.numbers {
                    entry.outbox.remove(number);
                    self.journal.delete(Table::Outbox, entry::outbox_key(entry.id, *number));
                }
                self.identity.session = session_after(self.identity.session);
                self.withdraw(pushed.record, epoch);
            }
        }
    }

    /// Applies one record of the feed; gives whether its content changed.
    fn apply_entry(&mut self, entry: &RecordUpdate, tables: &Tables, epoch: Epoch) -> bool {
        let id = entry.record;
        match &entry.content {
            UpdateContent::Withdrawn => {
                self.withdraw(id, epoch);
                true
            }
            UpdateContent::Unknown => {
                if let Some(entry) = self.records.get_mut(&id) {
                    entry.wanted = false;
                }
                false
            }
            UpdateContent::Changes { changes, state_token } => {
                let took = self.apply_changes(id, changes, tables);
                let entry = self.records.entry(id).or_insert_with(|| RecordEntry::lacking(id));
                if took.is_some() {
                    entry.offered_token = Some(*state_token);
                    entry.wanted &= entry.problem == Some(Problem::Damaged);
                } else {
                    // What was asked for does not fit either: only the whole document will.
                    if entry.wanted {
                        entry.problem = Some(Problem::Damaged);
                    }
                    entry.wanted = true;
                }
                took.unwrap_or(true)
            }
            UpdateContent::Document { document, state_token } => {
                self.apply_document(id, document);
                if let Some(entry) = self.records.get_mut(&id) {
                    entry.offered_token = Some(*state_token);
                }
                true
            }
        }
    }

    /// Takes changes in; gives whether there was anything new, or `None` where they do not follow
    /// from what is held.
    fn apply_changes(&mut self, id: RecordId, packed: &[Packed], tables: &Tables) -> Option<bool> {
        let entry = self.records.get_mut(&id)?;
        // Whoever is told of changes is a collector, again or still.
        entry.withdrawn = false;
        if packed.is_empty() {
            return Some(false);
        }
        let loaded = self.loaded.get_mut(&id)?;
        let doc = loaded.record.document();
        let known: BTreeMap<Prefix, ChangeHash> = doc
            .get_changes_meta(&[])
            .iter()
            .map(|change| (prefix(&change.hash), change.hash))
            .collect();
        let chunks = packed::unpack(packed, tables, |name| known.get(name).copied()).ok()?;
        let changes: Vec<Change> =
            chunks.iter().map(|chunk| checked_change(chunk)).collect::<Option<_>>()?;
        let fresh: BTreeSet<ChangeHash> = changes
            .iter()
            .map(Change::hash)
            .filter(|hash| doc.get_change_meta_by_hash(hash).is_none())
            .collect();
        let new = changes.iter().filter(|change| fresh.contains(&change.hash()));
        loaded.record.apply_changes(new.cloned().collect()).ok()?;
        let unsent: BTreeSet<ChangeHash> =
            entry.outbox.values().map(|unsent| unsent.hash).collect();
        for change in &changes {
            if fresh.contains(&change.hash()) {
                let bytes = change.raw_bytes();
                let key = self.vault.chunk_key(id, bytes);
                self.journal.put(Table::Chunks, key.clone(), bytes.to_vec());
                loaded.chunks.insert(key);
            } else if !unsent.contains(&change.hash()) {
                continue;
            }
            entry.confirmed.advance(change.hash(), change.deps());
        }
        // Own work that came another way, or was accepted (rule M4), and own work that others built
        // on: the office holds it, though the reply that said so was lost.
        let mut there: BTreeSet<ChangeHash> = changes.iter().map(Change::hash).collect();
        let mut open: Vec<ChangeHash> =
            changes.iter().flat_map(|change| change.deps().iter().copied()).collect();
        while let Some(dep) = open.pop() {
            if unsent.contains(&dep) && there.insert(dep) {
                let meta = loaded.record.document().get_change_meta_by_hash(&dep);
                open.extend(meta.into_iter().flat_map(|change| change.deps));
            }
        }
        let confirmed = entry.confirm(|hash| there.contains(hash), &mut self.journal);
        entry.describe(&loaded.record, &self.identity.user);
        Some(confirmed || !fresh.is_empty())
    }

    /// Takes the office's copy, and puts what is held and what is unsent on top of it.
    fn apply_document(&mut self, id: RecordId, document: &Chunk) {
        // A copy that is not what it says is not taken; the digest tells that something is amiss.
        let Some(office) = Record::load(&document.0).ok().filter(|record| record.id() == Some(id))
        else {
            return;
        };
        let heads = office.heads();
        let entry = self.records.entry(id).or_insert_with(|| RecordEntry::new(id));
        let mut record = office;
        let there = |hash: &ChangeHash| record.document().get_change_meta_by_hash(hash).is_some();
        entry.confirm(there, &mut self.journal);
        let mut own: Vec<Change> = entry.outbox.values().filter_map(Unsent::change).collect();
        let before = self.loaded.remove(&id);
        if let Some(loaded) = &before {
            own.extend(loaded.record.document().get_changes(&record.document().get_heads()));
        }
        let stranded = absorb_what_fits(&mut record, own);
        // Own changes that the office had confirmed and has lost since go out again.
        let device = self.identity.device;
        let lost = |change: &Change| {
            device_of(change.actor_id()) == Some(device)
                && !entry.outbox.values().any(|unsent| unsent.hash == change.hash())
        };
        let again: Vec<Change> =
            record.document().get_changes(heads.as_slice()).into_iter().filter(lost).collect();
        for change in &again {
            entry.queue(change, 0, &mut self.journal);
        }
        let pins = before.as_ref().map_or(0, |loaded| loaded.pins);
        let chunks = before.map(|loaded| loaded.chunks).unwrap_or_default();
        self.uses += 1;
        let mut loaded = Loaded { record, chunks, pins, used: self.uses };
        loading::rewrite(&mut self.journal, &self.vault, id, &mut loaded);
        entry.confirmed = confirmed_heads(&loaded.record, entry);
        entry.withdrawn = false;
        entry.wanted = false;
        entry.problem.take_if(|problem| *problem == Problem::Damaged && stranded == 0);
        entry.describe(&loaded.record, &self.identity.user);
        // Stays in memory until it is on disk: a load before that would find less.
        self.loaded.insert(id, loaded);
    }

    /// The office takes a record away. Until digests have agreed in this life of its store, the
    /// office may have lost some of what is held here: that is brought before it is erased
    /// (rules F1, P3).
    fn withdraw(&mut self, id: RecordId, epoch: Epoch) {
        let Some(entry) = self.records.get_mut(&id) else { return };
        entry.withdrawn = true;
        // What was refused is handed over like all that is unsent.
        entry.problem.take_if(|problem| matches!(problem, Problem::Refused { .. }));
        let proven = self.link.proven.is_some_and(|proven| proven.epoch == epoch);
        if proven || entry.attested.is_none() {
            self.erase_if_confirmed(id);
        } else {
            self.link.repair.differs(id, Heads::default());
        }
    }

    /// Erases a withdrawn record, once nothing of it is unsent and nothing holds it back (rule F1).
    pub(crate) fn erase_if_confirmed(&mut self, id: RecordId) {
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
}
