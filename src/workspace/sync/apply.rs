//! Applies a reply: outcomes of pushes, then the records of the feed (R3, R4, R6, F1).

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Change, ChangeHash};

use super::phase::{Application, Commit, SentPush};
use crate::ids::{RecordId, device_of, session_after};
use crate::record::Record;
use crate::sync::chunk::parse_change;
use crate::sync::message::{
    Chunk, Cursor, Epoch, Outcome, Packed, RecordUpdate, RefusalCode, Reply, Tables, UpdateContent,
};
use crate::sync::packed::{self, Prefix, prefix};
use crate::vault::encode;
use crate::workspace::output::{Output, Table};
use crate::workspace::records::entry::RecordEntry;
use crate::workspace::records::problem::Problem;
use crate::workspace::storage::causal::apply_in_order;
use crate::workspace::storage::loading::{self, CURSOR_KEY, PROOF_KEY};
use crate::workspace::{LoadedRecord, Workspace};

impl Workspace {
    /// Loads the records of the next part of a reply that are not read yet, and the documents that
    /// it changes.
    pub(crate) fn load_for_reply(&mut self) {
        let part = self.link.application().into_iter().flat_map(Application::part);
        let needs_document = |content: &UpdateContent| match content {
            UpdateContent::Changes { changes, .. } => !changes.is_empty(),
            UpdateContent::Document { .. } => true,
            UpdateContent::Withdrawn | UpdateContent::Unknown => false,
        };
        let needed: BTreeSet<RecordId> = part
            .filter(|update| {
                let id = &update.record;
                let is_here = self.records.contains_key(id) && !self.loaded.contains_key(id);
                self.records.is_unread(id) || (is_here && needs_document(&update.content))
            })
            .map(|update| update.record)
            .collect();
        for id in needed {
            self.load(id, 0);
        }
    }

    /// Applies the next part of a reply in memory: first its outcomes and some records, then more
    /// records, and with the last of them the cursor. A part may be on disk before the cursor: the
    /// office sends again what the device has already then. Does nothing while no part is due.
    pub(crate) fn apply_reply(&mut self) {
        let Some(mut application) = self.link.take_application() else { return };
        let Application { reply, sent, applied, .. } = &*application;
        if reply.revocation.is_some() {
            self.drain(reply, sent);
            self.await_commit(reply, self.cursor);
            return;
        }
        let mut touched = BTreeSet::new();
        if *applied == 0 {
            touched.extend(&sent.restored);
            self.handle_restored(&sent.restored, &reply.restored);
            for (outcome, pushed) in reply.results.iter().zip(&sent.pushed) {
                self.apply_outcome(outcome, pushed, reply.cursor.epoch);
                touched.insert(pushed.record);
            }
        }
        let part = application.part();
        for update in part {
            if self.apply_update(update, &reply.tables, reply.cursor.epoch) {
                let record = update.record.to_string();
                self.outputs.push_back(Output::RecordChanged { record });
            }
            touched.insert(update.record);
        }
        let applied = applied + part.len();
        if applied < reply.entries.len() {
            self.store_touched(touched);
            application.applied = applied;
            self.link.continue_later(application);
            self.load_for_reply();
            self.outputs.push_back(Output::Resume);
            return;
        }
        self.want_refused(&reply.results, &sent.pushed);
        self.handle_differing(&sent.ranges, &reply.differing);
        self.apply_decisions(reply.decisions.as_deref().unwrap_or_default());
        touched.extend(sent.pushed.iter().map(|pushed| pushed.record));
        self.store_touched(touched);
        self.cards.prune(reply.office_time, &mut self.journal);
        if reply.cursor != self.cursor {
            self.journal.put(Table::Meta, CURSOR_KEY.into(), encode(&reply.cursor));
        }
        self.await_commit(reply, reply.cursor);
    }

    /// Writes the rows of records that a reply concerned.
    fn store_touched(&mut self, touched: BTreeSet<RecordId>) {
        for id in touched {
            if let Some(entry) = self.records.get_mut(&id) {
                entry.adopt_offered_token();
                self.journal.put(Table::Records, id.to_string(), entry.encode());
                self.cards.remove(id, &mut self.journal);
            }
        }
    }

    /// A part of a refused push may have arrived earlier, by a request whose reply was lost, and a
    /// device's own changes do not come back by the feed (R4): asks for them by heads.
    fn want_refused(&mut self, results: &[Outcome], pushed: &[SentPush]) {
        for (outcome, pushed) in results.iter().zip(pushed) {
            if let (Outcome::Refused { .. }, Some(entry)) =
                (outcome, self.records.get_mut(&pushed.record))
            {
                entry.wanted |= !entry.withdrawn;
            }
        }
    }

    fn await_commit(&mut self, reply: &Reply, cursor: Cursor) {
        let batch = self.journal.last_batch();
        let Reply { remaining, digest, .. } = *reply;
        self.link.await_commit(Commit { batch, cursor, remaining, digest });
    }

    /// Writes the last proof.
    pub(crate) fn store_proof(&mut self) {
        if let Some(proof) = self.link.proof() {
            self.journal.put(Table::Meta, PROOF_KEY.into(), encode(proof));
        }
    }

    fn apply_outcome(&mut self, outcome: &Outcome, pushed: &SentPush, epoch: Epoch) {
        let Some(entry) = self.records.get_mut(&pushed.record) else { return };
        match outcome {
            Outcome::Merged { state_token } | Outcome::Duplicate { state_token } => {
                for number in &pushed.numbers {
                    if let Some(unsent) = entry.outbox.remove(*number, &mut self.journal) {
                        entry.confirmed.advance(unsent.hash, &unsent.deps);
                    }
                }
                entry.offered_token = Some(*state_token);
                entry.missing_replies = 0;
                entry.withdrawn = false;
                // Refused work was accepted since, or became writable.
                entry.clear_refusal();
            }
            Outcome::Missing { have } => self.handle_missing(pushed.record, have),
            Outcome::Withdrawn => self.withdraw_pushed(pushed, epoch),
            // Restored from a backup, the office has forgotten that the user ever had the record. It
            // said `withdrawn` to the state that this device restored, and has the work in quarantine.
            Outcome::Refused { code: RefusalCode::UnknownRecord, quarantine: 1.., .. }
                if entry.withdrawn =>
            {
                self.withdraw_pushed(pushed, epoch);
            }
            Outcome::Refused { .. } => {
                entry.problem = Problem::refused(outcome, pushed.numbers.last().copied());
            }
        }
    }

    /// The record is withdrawn, and the office has what was pushed of it.
    fn withdraw_pushed(&mut self, pushed: &SentPush, epoch: Epoch) {
        let Some(entry) = self.records.get_mut(&pushed.record) else { return };
        for number in &pushed.numbers {
            entry.outbox.remove(*number, &mut self.journal);
        }
        self.identity.session = session_after(self.identity.session);
        self.withdraw(pushed.record, epoch);
    }

    /// Applies one record of the feed; gives whether its content changed.
    fn apply_update(&mut self, update: &RecordUpdate, tables: &Tables, epoch: Epoch) -> bool {
        let id = update.record;
        match &update.content {
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
                let applied = self.apply_changes(id, changes, tables);
                let entry =
                    self.records.get_or_insert_with(id, || RecordEntry::without_document(id));
                if applied.is_some() {
                    entry.offered_token = Some(*state_token);
                    entry.wanted &= entry.is_damaged();
                } else {
                    // If even wanted changes do not fit, only the whole document helps.
                    if entry.wanted {
                        entry.problem = Some(Problem::Damaged);
                    }
                    entry.wanted = true;
                }
                applied.unwrap_or(true)
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

    /// Applies changes; gives whether any was new, or `None` where they do not follow from the
    /// document.
    fn apply_changes(&mut self, id: RecordId, packed: &[Packed], tables: &Tables) -> Option<bool> {
        let entry = self.records.get_mut(&id)?;
        // Only collectors are sent changes: the record is assigned, still or again.
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
            chunks.iter().map(|chunk| parse_change(chunk)).collect::<Option<_>>()?;
        let fresh: BTreeSet<ChangeHash> = changes
            .iter()
            .map(Change::hash)
            .filter(|hash| doc.get_change_meta_by_hash(hash).is_none())
            .collect();
        let new = changes.iter().filter(|change| fresh.contains(&change.hash()));
        loaded.record.apply_changes(new.cloned().collect()).ok()?;
        let unsent = entry.outbox.hashes();
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
        // The office has unsent changes that it sends, as when they were accepted from quarantine
        // (rule M4), and those that other changes build on, though the reply that said so was lost.
        let mut at_office: BTreeSet<ChangeHash> = changes.iter().map(Change::hash).collect();
        let mut open: Vec<ChangeHash> =
            changes.iter().flat_map(|change| change.deps().iter().copied()).collect();
        while let Some(dep) = open.pop() {
            if unsent.contains(&dep) && at_office.insert(dep) {
                let meta = loaded.record.document().get_change_meta_by_hash(&dep);
                open.extend(meta.into_iter().flat_map(|change| change.deps));
            }
        }
        let confirmed =
            entry.confirm(&loaded.record, |hash| at_office.contains(hash), &mut self.journal);
        entry.update_from(&loaded.record, &self.identity.user);
        Some(confirmed || !fresh.is_empty())
    }

    /// Applies the office's document, then local and unsent changes on top of it.
    fn apply_document(&mut self, id: RecordId, document: &Chunk) {
        // Ignores a document of another record; the digests will show the difference.
        let Some(office) = Record::load(&document.0).ok().filter(|record| record.id() == Some(id))
        else {
            return;
        };
        let heads = office.heads();
        let entry = self.records.get_or_insert_with(id, || RecordEntry::new(id));
        let mut record = office;
        let at_office =
            |hash: &ChangeHash| record.document().get_change_meta_by_hash(hash).is_some();
        entry.confirm(&record, at_office, &mut self.journal);
        let mut local: Vec<Change> = entry.outbox.changes().collect();
        let before = self.loaded.remove(&id);
        if let Some(loaded) = &before {
            local.extend(loaded.record.document().get_changes(&record.document().get_heads()));
        }
        let stranded = apply_in_order(&mut record, local);
        // Own changes that the office had confirmed and has lost since are pushed again.
        let device = self.identity.device;
        let queued = entry.outbox.hashes();
        let is_lost = |change: &Change| {
            device_of(change.actor_id()) == Some(device) && !queued.contains(&change.hash())
        };
        let lost = record.document().get_changes(heads.as_slice()).into_iter().filter(is_lost);
        for change in lost.collect::<Vec<_>>() {
            entry.outbox.push(&change, 0, &mut self.journal);
        }
        let pins = before.as_ref().map_or(0, |loaded| loaded.pins);
        let chunks = before.map(|loaded| loaded.chunks).unwrap_or_default();
        self.uses += 1;
        let mut loaded = LoadedRecord { record, chunks, pins, used: self.uses };
        loading::compact(&mut self.journal, &self.vault, id, &mut loaded);
        entry.confirmed = entry.outbox.confirmed_heads(&loaded.record);
        entry.withdrawn = false;
        entry.wanted = false;
        entry.problem.take_if(|problem| *problem == Problem::Damaged && stranded == 0);
        entry.update_from(&loaded.record, &self.identity.user);
        // Stays in memory until it is on disk: a load before that would find less.
        self.loaded.insert(id, loaded);
    }
}
