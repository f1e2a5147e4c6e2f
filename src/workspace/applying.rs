//! Applies a reply: results of what was pushed, then the records of the feed (R3, R4, R6, F1).

use std::collections::BTreeSet;

use automerge::Change;

use super::held::{self, Held, Problem, Unsent, checked_change};
use super::loading::{self, CURSOR_KEY, PROVEN_KEY, absorb_what_fits, confirmed_heads};
use super::output::{Output, Table};
use super::round::{Phase, Pushed};
use super::{Loaded, Workspace, chunk};
use crate::ids::{Heads, RecordId, device_of};
use crate::record::Record;
use crate::sync::message::{Chunk, Content, Entry, Outcome, PushResult};

impl Workspace {
    /// Asks for the documents that a reply changes.
    pub(super) fn load_for_reply(&mut self) {
        let Phase::Applying { reply, .. } = &self.link.phase else {
            return;
        };
        let of_results = reply.results.iter().filter_map(|result| match result.outcome {
            Outcome::Missing { .. } => Some(result.record),
            Outcome::Merged { .. }
            | Outcome::Duplicate { .. }
            | Outcome::Refused { .. }
            | Outcome::Withdrawn => None,
        });
        let of_entries = reply.entries.iter().filter_map(|entry| match &entry.content {
            Content::Changes { changes, .. } if changes.is_empty() => None,
            Content::Changes { .. } | Content::Whole { .. } => Some(entry.record),
            Content::Withdrawn => None,
        });
        let needed: BTreeSet<RecordId> = of_results
            .chain(of_entries)
            .filter(|id| self.held.contains_key(id) && !self.loaded.contains_key(id))
            .collect();
        for id in needed {
            self.load(id, 0);
        }
    }

    /// Applies the reply in memory and hands all of it, with the cursor, to one batch.
    pub(super) fn apply_reply(&mut self) {
        let phase = std::mem::replace(&mut self.link.phase, Phase::Idle);
        let Phase::Applying { reply, pushed } = phase else {
            self.link.phase = phase;
            return;
        };
        let mut touched = BTreeSet::new();
        for (result, pushed) in reply.results.iter().zip(&pushed) {
            self.result(result, pushed);
            touched.insert(result.record);
        }
        for entry in &reply.entries {
            if self.entry(entry) {
                let record = entry.record.to_string();
                self.outputs.push_back(Output::RecordChanged { record });
            }
            touched.insert(entry.record);
        }
        for id in touched {
            if let Some(held) = self.held.get(&id) {
                self.journal.put(Table::Records, id.to_string(), held.encode());
            }
        }
        if reply.cursor != self.cursor {
            let bytes = held::encode(&reply.cursor);
            self.journal.put(Table::Meta, CURSOR_KEY.into(), bytes);
        }
        // Where nothing is to be written the batch before is the one to wait for.
        let gathering = self.journal.is_gathering();
        let batch = if gathering { self.journal.number() } else { 0 };
        self.link.phase = Phase::Committing {
            batch,
            cursor: reply.cursor,
            remaining: reply.remaining,
            digest: reply.digest,
        };
    }

    /// Writes the last proof beside the cursor.
    pub(super) fn keep_proof(&mut self) {
        if let Some(proven) = &self.link.proven {
            self.journal.put(Table::Meta, PROVEN_KEY.into(), held::encode(proven));
        }
    }

    fn result(&mut self, result: &PushResult, pushed: &Pushed) {
        let Some(held) = self.held.get_mut(&pushed.record) else {
            return;
        };
        match &result.outcome {
            Outcome::Merged { .. } | Outcome::Duplicate { .. } => {
                for number in &pushed.numbers {
                    let Some(unsent) = held.outbox.remove(number) else {
                        continue;
                    };
                    held.confirmed.advance(unsent.hash, &unsent.deps);
                    self.journal.delete(Table::Outbox, held::outbox_key(held.id, *number));
                }
            }
            Outcome::Missing { have } => self.refill(pushed.record, have),
            Outcome::Refused { code, path, message, .. } => {
                held.problem = Some(Problem::Refused {
                    code: code.as_str().to_owned(),
                    path: path.clone(),
                    message: message.clone(),
                });
            }
            Outcome::Withdrawn => {
                for number in &pushed.numbers {
                    held.outbox.remove(number);
                    self.journal.delete(Table::Outbox, held::outbox_key(held.id, *number));
                }
                held.withdrawn = true;
                self.erase_if_handed_over(pushed.record);
            }
        }
    }

    /// The office lacks what was built on: every own change after what it has goes out again.
    fn refill(&mut self, id: RecordId, have: &Heads) {
        let (Some(held), Some(loaded)) = (self.held.get_mut(&id), self.loaded.get(&id)) else {
            return;
        };
        let doc = loaded.record.document();
        let known: Vec<_> = have
            .as_slice()
            .iter()
            .copied()
            .filter(|head| doc.get_change_meta_by_hash(head).is_some())
            .collect();
        let own: Vec<Change> = doc
            .get_changes(&known)
            .into_iter()
            .filter(|change| device_of(change.actor_id()) == Some(self.identity.device))
            .collect();
        if own.len() == held.outbox.len() {
            // All that is ours was sent: what lacks is somebody else's, and a person should know.
            held.problem = Some(Problem::Refused {
                code: "missing".to_owned(),
                path: String::new(),
                message: "the office lacks changes that this work builds on".to_owned(),
            });
            return;
        }
        let at = held.outbox.values().map(|unsent| unsent.at).min().unwrap_or_default();
        self.journal.delete_all(Table::Outbox, format!("{id}/"));
        held.outbox.clear();
        for change in &own {
            held.queue(change, at, &mut self.journal);
        }
        held.confirmed = confirmed_heads(&loaded.record, held);
    }

    /// Applies one record of the feed; gives whether its content changed.
    fn entry(&mut self, entry: &Entry) -> bool {
        let id = entry.record;
        match &entry.content {
            Content::Withdrawn => {
                if let Some(held) = self.held.get_mut(&id) {
                    held.withdrawn = true;
                }
                self.erase_if_handed_over(id);
                true
            }
            Content::Changes { changes, heads } => {
                let changed = self.take_changes(id, changes);
                self.expect(id, heads);
                changed
            }
            Content::Whole { document, heads } => {
                self.take_whole(id, document, heads);
                true
            }
        }
    }

    fn take_changes(&mut self, id: RecordId, chunks: &[Chunk]) -> bool {
        let (Some(held), Some(loaded)) = (self.held.get_mut(&id), self.loaded.get_mut(&id)) else {
            return false;
        };
        let changes: Vec<Change> =
            chunks.iter().filter_map(|chunk| checked_change(&chunk.0)).collect();
        let fresh: Vec<Change> = changes
            .into_iter()
            .filter(|change| {
                loaded.record.document().get_change_meta_by_hash(&change.hash()).is_none()
            })
            .collect();
        if fresh.is_empty() || loaded.record.absorb(fresh.clone()).is_err() {
            return false;
        }
        for change in &fresh {
            let bytes = change.raw_bytes();
            let key = chunk::key(id, bytes);
            self.journal.put(Table::Chunks, key.clone(), chunk::wrap(bytes));
            loaded.chunks.insert(key);
            held.confirmed.advance(change.hash(), change.deps());
        }
        held.withdrawn = false;
        held.describe(&loaded.record);
        true
    }

    /// Takes the office's copy, and puts what is held and what is unsent on top of it.
    fn take_whole(&mut self, id: RecordId, document: &Chunk, heads: &Heads) {
        // A copy that is not what it says is not taken; the digest tells that something is amiss.
        let Ok(office) = Record::load(&document.0) else {
            return;
        };
        if office.heads() != *heads || office.id() != Some(id) {
            return;
        }
        let held = self.held.entry(id).or_insert_with(|| Held::new(id));
        let mut record = office;
        let mut own: Vec<Change> = held.outbox.values().filter_map(Unsent::change).collect();
        let before = self.loaded.remove(&id);
        if let Some(loaded) = &before {
            own.extend(loaded.record.document().get_changes(&record.document().get_heads()));
        }
        let stranded = absorb_what_fits(&mut record, own);
        // Own changes that the office had confirmed and has lost since go out again.
        let device = self.identity.device;
        let lost = |change: &Change| {
            device_of(change.actor_id()) == Some(device)
                && !held.outbox.values().any(|unsent| unsent.hash == change.hash())
        };
        let again: Vec<Change> =
            record.document().get_changes(heads.as_slice()).into_iter().filter(lost).collect();
        for change in &again {
            held.queue(change, 0, &mut self.journal);
        }
        let pins = before.as_ref().map_or(0, |loaded| loaded.pins);
        let chunks = before.map(|loaded| loaded.chunks).unwrap_or_default();
        self.uses += 1;
        let mut loaded = Loaded { record, chunks, pins, used: self.uses };
        loading::rewrite(&mut self.journal, id, &mut loaded);
        held.confirmed = confirmed_heads(&loaded.record, held);
        held.withdrawn = false;
        held.wanted = false;
        held.problem.take_if(|problem| *problem == Problem::Damaged && stranded == 0);
        held.describe(&loaded.record);
        // Stays in memory until it is on disk: a load before that would find less.
        self.loaded.insert(id, loaded);
    }

    /// What the office says must follow from what is held; else its whole copy is asked for.
    fn expect(&mut self, id: RecordId, heads: &Heads) {
        if let Some(held) = self.held.get_mut(&id) {
            held.wanted = held.confirmed != *heads;
        } else {
            let mut held = Held::new(id);
            held.wanted = true;
            held.problem = Some(Problem::Damaged);
            self.held.insert(id, held);
        }
    }

    /// Erases a withdrawn record, once nothing of it is unsent (rule F1).
    fn erase_if_handed_over(&mut self, id: RecordId) {
        let handed_over = self.held.get(&id).is_some_and(|held| held.outbox.is_empty());
        if handed_over {
            self.held.remove(&id);
            self.loaded.remove(&id);
            loading::erase(&mut self.journal, id);
            self.outputs.push_back(Output::RecordChanged { record: id.to_string() });
        }
    }
}
