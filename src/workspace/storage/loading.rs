//! Loads the device's store into memory and handles damaged rows (rules D4, D5).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use automerge::{Change, ChangeHash, ReadDoc};

use super::causal::apply_in_order;
use super::journal::Journal;
use crate::ids::{DeviceId, Heads, RecordId, device_of};
use crate::record::Record;
use crate::sync::chunk::parse_change;
use crate::vault::{STORE_FORMAT, Vault};
use crate::workspace::output::{Output, Row, Table};
use crate::workspace::records::cards::Cards;
use crate::workspace::records::conduct::{LAYERS_KEY, policy};
use crate::workspace::records::drafts::{self, Drafts};
use crate::workspace::records::entries::Entries;
use crate::workspace::records::entry::RecordEntry;
use crate::workspace::records::listing::Listing;
use crate::workspace::records::problem::Problem;
use crate::workspace::sync::link::Link;
use crate::workspace::sync::repair::Repair;
use crate::workspace::{Identity, LoadedRecord, StoreError, Workspace, WorkspaceError};

/// A record with this many chunks is compacted when it is loaded; with fewer, compacting costs
/// more than it saves.
const COMPACT_AT: usize = 24;

pub(crate) const FORMAT_KEY: &str = "format";
pub(crate) const CURSOR_KEY: &str = "cursor";
pub(crate) const PROOF_KEY: &str = "proven";
/// Key prefix, in the table of damaged rows, of refused changes that the user gave up. Record id and
/// hash follow.
pub(crate) const DISCARDED: &str = "refused";

impl Workspace {
    /// A workspace over a device's store: `meta` and `outbox` have all rows of these tables, `records`
    /// the rows of records with unsent work. The others are read later (rule D8).
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
        workspace.advance(now_ms);
        // After the first request, which travels meanwhile.
        workspace.read_records();
        Ok(workspace)
    }

    /// The workspace that the rows describe; it has no outputs yet.
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
                None => damaged.push(row),
            }
        }
        let mut workspace = Self {
            listing: Listing::new(&identity),
            identity,
            vault,
            records: Entries::default(),
            loaded: BTreeMap::new(),
            loading: BTreeMap::new(),
            journal: Journal::default(),
            // Without a cursor the feed is read from its beginning.
            cursor: sound
                .get(CURSOR_KEY)
                .and_then(|row| minicbor::decode(row).ok())
                .unwrap_or_default(),
            link: Link::new(sound.get(PROOF_KEY).and_then(|row| minicbor::decode(row).ok())),
            outputs: VecDeque::new(),
            next_ticket: 0,
            uses: 0,
            repair: Repair::default(),
            cards: Cards::default(),
            drafts: Drafts::default(),
            retained: BTreeSet::new(),
            // The office sends damaged layers again.
            policy: sound.get(LAYERS_KEY).and_then(|row| policy(row)).unwrap_or_default(),
            zones: BTreeMap::new(),
        };
        for (key, plain) in &sound {
            workspace.cards.load_row(key, plain);
            workspace.drafts.load_row(key, plain);
        }
        for row in damaged {
            workspace.set_damaged_aside(Table::Meta, row);
        }
        if !sound.contains_key(FORMAT_KEY) {
            workspace.journal.put(Table::Meta, FORMAT_KEY.into(), vec![STORE_FORMAT]);
        }
        workspace.load_unsent(records, outbox);
        Ok(workspace)
    }

    /// Moves a damaged row to the table of damaged rows.
    pub(crate) fn set_damaged_aside(&mut self, table: Table, row: &Row) {
        let key = damaged_key(table, &row.key);
        self.journal.put(Table::Damaged, key, row.value.to_vec());
        self.journal.delete(table, row.key.clone());
    }

    /// Opens a record for a page; asks for a load unless it is in memory.
    ///
    /// # Errors
    /// The record is not on this device.
    pub fn open(&mut self, record: RecordId) -> Result<(), WorkspaceError> {
        if !self.holds(record) {
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

    /// A page has closed a record.
    pub fn close(&mut self, record: RecordId) {
        if let Some(loaded) = self.loaded.get_mut(&record) {
            loaded.pins = loaded.pins.saturating_sub(1);
        }
        self.evict();
    }

    /// Asks for a record's chunks unless that is under way. `pins` pages wait for it.
    pub(crate) fn load(&mut self, record: RecordId, pins: usize) {
        let sent = self.loading.contains_key(&record);
        *self.loading.entry(record).or_default() += pins;
        if !sent {
            self.outputs.push_back(Output::Load { record: record.to_string() });
        }
    }

    /// The row and the chunks of a record, in answer to `Output::Load`.
    pub fn loaded(&mut self, record: RecordId, row: Option<&Row>, chunks: &[Row], now_ms: i64) {
        let Some(pins) = self.loading.remove(&record) else {
            return;
        };
        if self.records.is_unread(&record) {
            self.records.settle(record);
            // A damaged row is rebuilt from the chunks at once.
            row.filter(|row| row.key == record.to_string()).map(|row| self.admit(row));
        }
        if self.records.contains_key(&record) && !self.loaded.contains_key(&record) {
            self.load_document(record, chunks, pins);
            self.finish_withdrawal(record);
        }
        self.advance(now_ms);
    }

    /// The chunks of a record by key, decrypted: the rows of the store with pending writes over
    /// them. `None` where a row is damaged.
    fn stored_chunks(&self, id: RecordId, rows: &[Row]) -> BTreeMap<String, Option<Vec<u8>>> {
        let decrypted = rows
            .iter()
            .map(|row| (row.key.clone(), self.vault.decrypt(Table::Chunks, &row.key, &row.value)));
        let mut chunks: BTreeMap<_, _> = decrypted.collect();
        let prefix = format!("{id}/");
        for (key, value) in self.journal.pending(Table::Chunks, &prefix) {
            match value {
                Some(bytes) => drop(chunks.insert(key.to_owned(), Some(bytes.to_vec()))),
                None if key == prefix => chunks.clear(),
                None => drop(chunks.remove(key)),
            }
        }
        chunks
    }

    fn load_document(&mut self, id: RecordId, rows: &[Row], pins: usize) {
        let mut chunks = BTreeSet::new();
        let mut documents = Vec::new();
        let mut changes: Vec<Change> = Vec::new();
        let stored = self.stored_chunks(id, rows);
        let count = stored.len();
        for (key, plain) in stored {
            let sound = plain.and_then(|bytes| {
                if is_document(&bytes) {
                    Record::load(&bytes).ok().map(|record| documents.push(record))
                } else {
                    parse_change(&bytes).map(|change| changes.push(change))
                }
            });
            let row = rows.iter().find(|row| row.key == key);
            match (sound, row) {
                (None, Some(row)) => self.set_damaged_aside(Table::Chunks, row),
                (Some(()), _) => chunks.extend([key]),
                (None, None) => {}
            }
        }
        let Some(entry) = self.records.get_mut(&id) else {
            return;
        };
        changes.extend(entry.outbox.changes());
        // Several documents only after damage: most of the changes are in the largest.
        documents.sort_by_key(|record| std::cmp::Reverse(record.document().stats().num_changes));
        let mut documents = documents.into_iter();
        let mut record = documents.next().unwrap_or_else(Record::blank);
        for document in documents {
            changes.extend(document.document().get_changes(&record.document().get_heads()));
        }
        let stranded = apply_in_order(&mut record, changes);

        let whole = record.heads() == entry.heads
            || (record.id() == Some(id) && stranded == 0 && includes(&record, &entry.heads));
        if !whole || record.id() != Some(id) {
            entry.problem = Some(Problem::Damaged);
            entry.wanted = true;
            self.journal.put(Table::Records, id.to_string(), entry.encode());
            self.outputs.push_back(Output::StatusChanged);
            self.outputs.push_back(Output::RecordChanged { record: id.to_string() });
            self.link.schedule().schedule_now();
            return;
        }
        let unqueued = unqueued(&record, entry, self.identity.device);
        if !unqueued.is_empty() {
            entry.outbox.rebuild(&record, &unqueued, &mut self.journal);
        }
        let confirmed = entry.outbox.confirmed_heads(&record);
        if entry.summary.is_none() || entry.confirmed != confirmed || entry.heads != record.heads()
        {
            entry.confirmed = confirmed;
            entry.update_from(&record, &self.identity.user);
            self.journal.put(Table::Records, id.to_string(), entry.encode());
        }
        self.uses += 1;
        let mut loaded = LoadedRecord { record, chunks, pins, used: self.uses };
        // Changes of damaged chunks came from the outbox, which will not keep them.
        if loaded.chunks.len() >= COMPACT_AT || loaded.chunks.len() < count {
            compact(&mut self.journal, &self.vault, id, &mut loaded);
        }
        self.loaded.insert(id, loaded);
    }
}

/// Whether a chunk is a document and not a change: the type follows 4 bytes of magic and 4 of
/// checksum.
fn is_document(chunk: &[u8]) -> bool {
    chunk.get(8) == Some(&0)
}

/// Replaces all chunks of a record by one document, in one batch (rule D4).
pub(crate) fn compact(
    journal: &mut Journal,
    vault: &Vault,
    id: RecordId,
    loaded: &mut LoadedRecord,
) {
    let bytes = loaded.record.save();
    let key = vault.chunk_key(id, &bytes);
    for old in std::mem::take(&mut loaded.chunks) {
        journal.delete(Table::Chunks, old);
    }
    journal.put(Table::Chunks, key.clone(), bytes);
    loaded.chunks.insert(key);
}

/// Own unconfirmed changes that are not in the outbox, because their rows were damaged.
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
    let queued = entry.outbox.hashes();
    own.retain(|hash| !queued.contains(hash));
    own
}

fn includes(record: &Record, heads: &Heads) -> bool {
    heads.as_slice().iter().all(|head| record.contains(head))
}

/// Deletes every row of a record, its damaged ones included, but not its card and drafts.
pub(crate) fn erase(journal: &mut Journal, record: RecordId) {
    journal.delete(Table::Records, record.to_string());
    journal.delete_all(Table::Chunks, format!("{record}/"));
    journal.delete_all(Table::Outbox, format!("{record}/"));
    // Refused work is in the office's quarantine, and changes of damaged rows were in a second row.
    journal.delete(Table::Damaged, damaged_key(Table::Records, &record.to_string()));
    journal.delete(Table::Damaged, damaged_key(Table::Meta, &drafts::key(record)));
    for under in [Table::Chunks.name(), Table::Outbox.name(), DISCARDED] {
        journal.delete_all(Table::Damaged, format!("{under}/{record}/"));
    }
}

/// The key that a row gets in the table of damaged rows.
fn damaged_key(table: Table, key: &str) -> String {
    format!("{}/{key}", table.name())
}
