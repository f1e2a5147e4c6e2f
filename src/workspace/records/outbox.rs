//! The outbox of one record: own changes that the office has not confirmed.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Change, ChangeHash};

use crate::ids::{Heads, RecordId};
use crate::record::Record;
use crate::vault::{OutboxRow, Row, Table};
use crate::workspace::Workspace;
use crate::workspace::storage::journal::Journal;

/// Bytes of unsent changes in one request: far below what the office accepts, weeks of work.
pub(crate) const MAX_PUSH_BYTES: usize = 1024 * 1024;
/// Changes of one record in one request, well below the office's cap (`office::merge::limits`).
const MAX_PUSH_CHANGES: usize = 1_000;
/// Operations of one record in one request, likewise.
const MAX_PUSH_OPERATIONS: usize = 100_000;

/// A change that the office has not confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnsentChange {
    pub(crate) hash: ChangeHash,
    pub(crate) deps: Vec<ChangeHash>,
    pub(crate) bytes: Vec<u8>,
    operations: usize,
    /// When it was made, ms.
    pub(crate) at: i64,
    /// The batch that makes it durable; `None` once it is. Only durable changes are sent (rule D1).
    batch: Option<u64>,
}

impl UnsentChange {
    pub(crate) fn encode(&self) -> Vec<u8> {
        OutboxRow { bytes: self.bytes.clone(), at: self.at }.encode()
    }

    /// From a row; `None` where the row is damaged.
    pub(crate) fn decode(row: &[u8]) -> Option<Self> {
        let (OutboxRow { bytes, at }, change) = OutboxRow::decode(row)?;
        let (hash, deps, operations) = (change.hash(), change.deps().to_vec(), change.len());
        Some(Self { hash, deps, bytes, operations, at, batch: None })
    }

    pub(crate) fn change(&self) -> Option<Change> {
        Change::from_bytes(self.bytes.clone()).ok()
    }
}

/// Unconfirmed changes by number. Numbers only grow while the outbox is not empty.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    record: RecordId,
    changes: BTreeMap<u64, UnsentChange>,
}

/// The part of an outbox that goes into one request.
pub(crate) struct OutboxPage<'o> {
    pub(crate) changes: Vec<(u64, &'o UnsentChange)>,
    /// Bytes of these changes.
    pub(crate) size: usize,
}

impl Outbox {
    pub(crate) fn new(record: RecordId) -> Self {
        Self { record, changes: BTreeMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &UnsentChange)> {
        self.changes.iter().map(|(number, change)| (*number, change))
    }

    pub(crate) fn hashes(&self) -> BTreeSet<ChangeHash> {
        self.changes.values().map(|unsent| unsent.hash).collect()
    }

    /// The changes themselves, in order of number.
    pub(crate) fn changes(&self) -> impl Iterator<Item = Change> {
        self.changes.values().filter_map(UnsentChange::change)
    }

    /// When the oldest change was made, ms.
    pub(crate) fn oldest_at(&self) -> Option<i64> {
        self.changes.values().map(|unsent| unsent.at).min()
    }

    pub(crate) fn has_durable(&self) -> bool {
        self.changes.values().any(|unsent| unsent.batch.is_none())
    }

    /// Whether a change is not durable yet.
    pub(crate) fn has_pending(&self) -> bool {
        self.changes.values().any(|unsent| unsent.batch.is_some())
    }

    /// Whether a change after this number is not durable yet.
    pub(crate) fn has_pending_after(&self, number: u64) -> bool {
        let later = self.changes.range(number.saturating_add(1)..);
        later.into_iter().any(|(_, unsent)| unsent.batch.is_some())
    }

    /// The changes of the next request: durable ones in order up to the caps, at least one.
    pub(crate) fn next_page(&self) -> OutboxPage<'_> {
        let mut page = OutboxPage { changes: Vec::new(), size: 0 };
        let mut operations = 0_usize;
        for (number, unsent) in self.changes.iter().take(MAX_PUSH_CHANGES) {
            let size = page.size.saturating_add(unsent.bytes.len());
            operations = operations.saturating_add(unsent.operations);
            let full = size > MAX_PUSH_BYTES || operations > MAX_PUSH_OPERATIONS;
            if unsent.batch.is_some() || (full && !page.changes.is_empty()) {
                break;
            }
            page.size = size;
            page.changes.push((*number, unsent));
        }
        page
    }

    /// Adds a change as read from the store.
    pub(crate) fn insert(&mut self, number: u64, unsent: UnsentChange) {
        self.changes.insert(number, unsent);
    }

    /// Adds a new own change.
    pub(crate) fn push(&mut self, change: &Change, at: i64, journal: &mut Journal) {
        let number = self.changes.last_key_value().map_or(1, |(number, _)| number + 1);
        let unsent = UnsentChange {
            hash: change.hash(),
            deps: change.deps().to_vec(),
            bytes: change.raw_bytes().to_vec(),
            operations: change.len(),
            at,
            batch: Some(journal.number()),
        };
        journal.put(Table::Outbox, OutboxRow::key(self.record, number), unsent.encode());
        self.changes.insert(number, unsent);
    }

    /// Renumbers the outbox in causal order: its own changes and `more` changes of the record.
    pub(crate) fn rebuild(
        &mut self,
        record: &Record,
        more: &BTreeSet<ChangeHash>,
        journal: &mut Journal,
    ) {
        let at = self.oldest_at().unwrap_or_default();
        let mut queued = std::mem::take(&mut self.changes);
        journal.delete_all(Table::Outbox, format!("{}/", self.record));
        for change in record.document().get_changes(&[]) {
            let hash = change.hash();
            let before = queued.len();
            queued.retain(|_, unsent| unsent.hash != hash);
            if queued.len() < before || more.contains(&hash) {
                self.push(&change, at, journal);
            }
        }
        // Changes that do not fit the record are kept too: nothing unsent is dropped.
        for change in queued.values().filter_map(UnsentChange::change) {
            self.push(&change, at, journal);
        }
    }

    /// Removes a change from memory and store.
    pub(crate) fn remove(&mut self, number: u64, journal: &mut Journal) -> Option<UnsentChange> {
        let removed = self.changes.remove(&number)?;
        journal.delete(Table::Outbox, OutboxRow::key(self.record, number));
        Some(removed)
    }

    /// Removes all changes from memory and store.
    pub(crate) fn take_all(&mut self, journal: &mut Journal) -> Vec<UnsentChange> {
        let taken = std::mem::take(&mut self.changes);
        for number in taken.keys() {
            journal.delete(Table::Outbox, OutboxRow::key(self.record, *number));
        }
        taken.into_values().collect()
    }

    /// Removes changes that the office turns out to have. Returns whether there were any.
    pub(super) fn remove_known(
        &mut self,
        at_office: impl Fn(&ChangeHash) -> bool,
        journal: &mut Journal,
    ) -> bool {
        let known = self.changes.iter().filter(|(_, unsent)| at_office(&unsent.hash));
        let known: Vec<u64> = known.map(|(number, _)| *number).collect();
        for number in &known {
            self.remove(*number, journal);
        }
        !known.is_empty()
    }

    /// Heads of all changes of the record but those in the outbox: computed from the document, never
    /// taken from the office (rule P2).
    pub(crate) fn confirmed_heads(&self, record: &Record) -> Heads {
        let unsent = self.hashes();
        let mut heads = Heads::default();
        for change in record.document().get_changes_meta(&[]) {
            if !unsent.contains(&change.hash) {
                heads.advance(change.hash, &change.deps);
            }
        }
        heads
    }

    /// A batch is durable: its changes may be sent.
    pub(crate) fn batch_persisted(&mut self, batch: u64) {
        for unsent in self.changes.values_mut() {
            unsent.batch.take_if(|waiting| *waiting == batch);
        }
    }

    /// A batch failed: its changes go with the next one.
    pub(crate) fn batch_failed(&mut self, batch: u64, next: u64) {
        for unsent in self.changes.values_mut().filter(|unsent| unsent.batch == Some(batch)) {
            unsent.batch = Some(next);
        }
    }
}

impl Workspace {
    /// All unconfirmed changes as encrypted outbox rows, those included that could not be saved.
    pub fn rescue_rows(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        for entry in self.records.values() {
            for (number, unsent) in entry.outbox.iter() {
                let key = OutboxRow::key(entry.id, number);
                let value = self.vault.encrypt(Table::Outbox, &key, &unsent.encode()).into();
                rows.push(Row { key, value });
            }
        }
        rows
    }
}
