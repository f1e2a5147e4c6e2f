//! From the device's store to memory, and what is damaged on the way (rules D4, D5).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use automerge::{Change, ChangeHash};

use super::journal::Journal;
use super::vault::Vault;
use crate::ids::{DeviceId, Heads, RecordId, device_of};
use crate::record::Record;
use crate::sync::message::Cursor;
use crate::workspace::output::{Output, Row, Table};
use crate::workspace::records::cards::Cards;
use crate::workspace::records::conduct::{LAYERS_KEY, policy};
use crate::workspace::records::drafts::{self, Drafts};
use crate::workspace::records::entry::{Problem, RecordEntry, Unsent, checked_change};
use crate::workspace::records::listing::Listing;
use crate::workspace::sync::link::Link;
use crate::workspace::sync::refused::REFUSED;
use crate::workspace::{Identity, Loaded, STORE_FORMAT, StoreError, Workspace, WorkspaceError};

/// So many chunks of a record are written together as one when it is loaded: below that the
/// rewriting costs more than it saves.
const COMPACT_AT: usize = 24;

pub(crate) const FORMAT_KEY: &str = "format";
pub(crate) const CURSOR_KEY: &str = "cursor";
pub(crate) const PROVEN_KEY: &str = "proven";

impl Workspace {
    /// A workspace over the rows of a device's store; no rows for a new one.
    ///
    /// # Errors
    /// The store was written by another program. Nothing is written then.
    pub fn new(
        identity: Identity,
        vault: Vault,
        meta: &[Row],
        records: &[Row],
        outbox: &[Row],
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let mut workspace = Self::from_rows(identity, vault, meta, records, outbox)?;
        if workspace.cursor == Cursor::default() && !workspace.records.is_empty() {
            // What is held is compared instead of sent again.
            workspace.link.begin_repair();
        }
        workspace.resume_restores();
        workspace.request_missing_tokens();
        workspace.advance(now_ms);
        Ok(workspace)
    }

    /// The workspace that the rows describe, before it does anything.
    pub(crate) fn from_rows(
        identity: Identity,
        vault: Vault,
        meta: &[Row],
        records: &[Row],
        outbox: &[Row],
    ) -> Result<Self, StoreError> {
        let mut damaged = Vec::new();
        let mut sound = BTreeMap::new();
        for row in meta {
            match vault.decrypt_any(Table::Meta, &row.key, &row.value) {
                Some((format, _)) if format != STORE_FORMAT => {
                    return Err(StoreError::Format(format));
                }
                Some((_, plain)) => drop(sound.insert(row.key.as_str(), plain)),
                // Rows of format 1 were not sealed.
                None => match row.value.as_slice() {
                    [format] if row.key == FORMAT_KEY && *format != STORE_FORMAT => {
                        return Err(StoreError::Format(*format));
                    }
                    _ => damaged.push(row),
                },
            }
        }
        let mut workspace = Self {
            identity,
            vault,
            records: BTreeMap::new(),
            loaded: BTreeMap::new(),
            loading: BTreeMap::new(),
            journal: Journal::default(),
            // A damaged cursor is no cursor: everything comes again.
            cursor: sound
                .get(CURSOR_KEY)
                .and_then(|row| minicbor::decode(row).ok())
                .unwrap_or_default(),
            link: Link::new(sound.get(PROVEN_KEY).and_then(|row| minicbor::decode(row).ok())),
            outputs: VecDeque::new(),
            next_ticket: 0,
            uses: 0,
            listing: Listing::default(),
            cards: Cards::default(),
            drafts: Drafts::default(),
            retained: BTreeSet::new(),
            // Layers that are damaged come again from the office.
            policy: sound.get(LAYERS_KEY).and_then(|row| policy(row)).unwrap_or_default(),
            zones: BTreeMap::new(),
        };
        for (key, plain) in &sound {
            workspace.cards.load_row(key, plain);
            workspace.drafts.load_row(key, plain);
        }
        for row in damaged {
            workspace.quarantine_row(Table::Meta, row);
        }
        if !sound.contains_key(FORMAT_KEY) {
            workspace.journal.put(Table::Meta, FORMAT_KEY.into(), vec![STORE_FORMAT]);
        }
        workspace.load_rows(records, outbox);
        Ok(workspace)
    }

    fn load_rows(&mut self, records: &[Row], outbox: &[Row]) {
        let mut doubtful = BTreeSet::new();
        for row in records {
            let Ok(id) = row.key.parse::<RecordId>() else {
                self.quarantine_row(Table::Records, row);
                continue;
            };
            let plain = self.vault.decrypt(Table::Records, &row.key, &row.value);
            let entry =
                plain.and_then(|plain| RecordEntry::decode(id, &plain)).unwrap_or_else(|| {
                    self.quarantine_row(Table::Records, row);
                    doubtful.insert(id);
                    RecordEntry::new(id)
                });
            self.records.insert(id, entry);
        }
        for row in outbox {
            let place = row.key.split_once('/').and_then(|(record, number)| {
                Some((record.parse::<RecordId>().ok()?, number.parse::<u64>().ok()?))
            });
            let plain = self.vault.decrypt(Table::Outbox, &row.key, &row.value);
            let unsent = plain.and_then(|plain| Unsent::decode(&plain));
            let (Some((id, number)), Some(unsent)) = (place, unsent) else {
                self.quarantine_row(Table::Outbox, row);
                // Its change stands in the chunks too: a load finds it there.
                doubtful.extend(place.map(|(id, _)| id));
                continue;
            };
            let entry = self.records.entry(id).or_insert_with(|| {
                doubtful.insert(id);
                RecordEntry::new(id)
            });
            entry.outbox.insert(number, unsent);
        }
        // Rows that were damaged are made anew from the chunks.
        for id in doubtful {
            self.load(id, 0);
        }
    }

    /// Keeps the bytes of a damaged row where they do no harm.
    fn quarantine_row(&mut self, table: Table, row: &Row) {
        let key = damaged_key(table, &row.key);
        self.journal.put(Table::Damaged, key, row.value.to_vec());
        self.journal.delete(table, row.key.clone());
    }

    /// Opens a record for a page; answered by a load unless it is in memory.
    ///
    /// # Errors
    /// The device holds no such record.
    pub fn open(&mut self, record: RecordId) -> Result<(), WorkspaceError> {
        if !self.records.contains_key(&record) {
            return Err(WorkspaceError::UnknownRecord);
        }
        self.uses += 1;
        match self.loaded.get_mut(&record) {
            Some(loaded) => {
                loaded.pins += 1;
                loaded.used = self.uses;
            }
            None => self.load(record, 1),
        }
        Ok(())
    }

    /// A page no longer looks at a record.
    pub fn close(&mut self, record: RecordId) {
        if let Some(loaded) = self.loaded.get_mut(&record) {
            loaded.pins = loaded.pins.saturating_sub(1);
        }
        self.evict();
    }

    /// Asks for a record's chunks, once.
    pub(crate) fn load(&mut self, record: RecordId, pins: usize) {
        let sent = self.loading.contains_key(&record);
        *self.loading.entry(record).or_default() += pins;
        if !sent {
            self.outputs.push_back(Output::Load { record: record.to_string() });
        }
    }

    /// The chunks of a record, as asked for by a load.
    pub fn loaded(&mut self, record: RecordId, rows: &[Row], now_ms: i64) {
        let Some(pins) = self.loading.remove(&record) else {
            return;
        };
        if self.records.contains_key(&record) && !self.loaded.contains_key(&record) {
            self.load_row(record, rows, pins);
            self.finish_withdrawal(record);
        }
        self.advance(now_ms);
    }

    fn load_row(&mut self, id: RecordId, rows: &[Row], pins: usize) {
        let mut chunks = BTreeSet::new();
        let mut documents = Vec::new();
        let mut changes: Vec<Change> = Vec::new();
        for row in rows {
            let plain = self.vault.decrypt(Table::Chunks, &row.key, &row.value);
            let sound = plain.and_then(|bytes| {
                if is_document(&bytes) {
                    Record::load(&bytes).ok().map(|record| documents.push(record))
                } else {
                    checked_change(&bytes).map(|change| changes.push(change))
                }
            });
            match sound {
                Some(()) => {
                    chunks.insert(row.key.clone());
                }
                None => self.quarantine_row(Table::Chunks, row),
            }
        }
        let Some(entry) = self.records.get_mut(&id) else {
            return;
        };
        changes.extend(entry.outbox.values().filter_map(Unsent::change));
        let mut record = Record::blank();
        for document in &documents {
            changes.extend(document.document().get_changes(&record.document().get_heads()));
        }
        let stranded = absorb_what_fits(&mut record, changes);

        let whole = record.heads() == entry.heads
            || (record.id() == Some(id) && stranded == 0 && includes(&record, &entry.heads));
        if !whole || record.id() != Some(id) {
            entry.problem = Some(Problem::Damaged);
            entry.wanted = true;
            self.journal.put(Table::Records, id.to_string(), entry.encode());
            self.outputs.push_back(Output::ListChanged);
            self.outputs.push_back(Output::StatusChanged);
            self.outputs.push_back(Output::RecordChanged { record: id.to_string() });
            self.link.schedule_now();
            return;
        }
        let lost = unqueued(&record, entry, self.identity.device);
        if !lost.is_empty() {
            entry.rebuild_outbox(&record, &lost, &mut self.journal);
        }
        let confirmed = confirmed_heads(&record, entry);
        if entry.summary.is_none() || entry.confirmed != confirmed || entry.heads != record.heads()
        {
            entry.confirmed = confirmed;
            entry.describe(&record, &self.identity.user);
            self.journal.put(Table::Records, id.to_string(), entry.encode());
            self.outputs.push_back(Output::ListChanged);
        }
        self.uses += 1;
        let mut loaded = Loaded { record, chunks, pins, used: self.uses };
        // What a damaged chunk held came from the outbox, which will not keep it.
        if loaded.chunks.len() >= COMPACT_AT || loaded.chunks.len() < rows.len() {
            rewrite(&mut self.journal, &self.vault, id, &mut loaded);
        }
        self.loaded.insert(id, loaded);
    }
}

/// Whether a chunk is a whole document and not a change: its type stands after 4 bytes of magic
/// and 4 of checksum.
fn is_document(chunk: &[u8]) -> bool {
    chunk.get(8) == Some(&0)
}

/// Writes all chunks of a record as one document, in the batch that deletes them (rule D4).
pub(crate) fn rewrite(journal: &mut Journal, vault: &Vault, id: RecordId, loaded: &mut Loaded) {
    let bytes = loaded.record.save();
    let key = vault.chunk_key(id, &bytes);
    for old in std::mem::take(&mut loaded.chunks) {
        journal.delete(Table::Chunks, old);
    }
    journal.put(Table::Chunks, key.clone(), bytes);
    loaded.chunks.insert(key);
}

/// Takes in every change whose dependencies are there, whatever their order; gives the number of
/// those that are left.
pub(crate) fn absorb_what_fits(record: &mut Record, changes: Vec<Change>) -> usize {
    let mut waiting: Vec<Change> = changes;
    loop {
        let before = waiting.len();
        let mut left = Vec::new();
        for change in waiting {
            let known =
                |hash: &ChangeHash| record.document().get_change_meta_by_hash(hash).is_some();
            if known(&change.hash()) {
                continue;
            }
            let fits = change.deps().iter().all(known);
            if !fits || record.apply_changes(vec![change.clone()]).is_err() {
                left.push(change);
            }
        }
        if left.is_empty() || left.len() == before {
            return left.len();
        }
        waiting = left;
    }
}

/// Own changes that were not confirmed and stand in no row of the outbox: their rows were damaged.
fn unqueued(record: &Record, entry: &RecordEntry, device: DeviceId) -> BTreeSet<ChangeHash> {
    if entry.confirmed.as_slice().is_empty() || !includes(record, &entry.confirmed) {
        return BTreeSet::new();
    }
    let mut own: BTreeSet<ChangeHash> = record
        .document()
        .get_changes(entry.confirmed.as_slice())
        .iter()
        .filter(|change| device_of(change.actor_id()) == Some(device))
        .map(Change::hash)
        .collect();
    for unsent in entry.outbox.values() {
        own.remove(&unsent.hash);
    }
    own
}

fn includes(record: &Record, heads: &Heads) -> bool {
    heads.as_slice().iter().all(|head| record.document().get_change_meta_by_hash(head).is_some())
}

/// Heads of all changes but those in the outbox: computed from what is held, not from what the
/// office said (rule P2).
pub(crate) fn confirmed_heads(record: &Record, entry: &RecordEntry) -> Heads {
    let unsent: BTreeSet<_> = entry.outbox.values().map(|unsent| unsent.hash).collect();
    let mut heads = Heads::default();
    for change in record.document().get_changes_meta(&[]) {
        if !unsent.contains(&change.hash) {
            heads.advance(change.hash, &change.deps);
        }
    }
    heads
}

/// Forgets every row of a record, those that were set aside among them. Its card and its draft have
/// their own ways.
pub(crate) fn erase(journal: &mut Journal, record: RecordId) {
    journal.delete(Table::Records, record.to_string());
    journal.delete_all(Table::Chunks, format!("{record}/"));
    journal.delete_all(Table::Outbox, format!("{record}/"));
    // The office keeps refused work in quarantine. Damaged rows can't be read; their changes are in
    // a second row each.
    journal.delete(Table::Damaged, damaged_key(Table::Records, &record.to_string()));
    journal.delete(Table::Damaged, damaged_key(Table::Meta, &drafts::key(record)));
    for under in [Table::Chunks.name(), Table::Outbox.name(), REFUSED] {
        journal.delete_all(Table::Damaged, format!("{under}/{record}/"));
    }
}

/// The key of a damaged row among those that were set aside.
fn damaged_key(table: Table, key: &str) -> String {
    format!("{}/{key}", table.name())
}
