//! Everything that a device holds, as a state machine without I/O.
//!
//! Life cycle: a driver opens the device's store, takes a session number from it and passes the
//! rows that the first request needs to [`Workspace::new`]. From then on there is one contract: call
//! a method, then carry out what [`Workspace::poll`] gives, in that order, until it gives nothing.
//! Writes come before the requests that depend on them. A batch is answered by
//! [`persisted`](Workspace::persisted) or [`persist_failed`](Workspace::persist_failed), a load by
//! [`loaded`](Workspace::loaded), a read by [`records_read`](Workspace::records_read), a request by
//! [`replied`](Workspace::replied), [`request_failed`](Workspace::request_failed) or
//! [`defer`](Workspace::defer).
//!
//! Lists and digests need one small row per record. They are read while the first request is on its
//! way (rule D8); a document is loaded only while a page shows it or a reply changes it. Every row is encrypted in the store ([`vault`](crate::vault)). Time,
//! randomness and ids come in as arguments: the driver is JavaScript in the browser and a scheduler
//! with virtual time in tests.
//!
//! Promises: an edit is acknowledged when its batch is durable (rule D1), not sent before, and not
//! dropped before the office has confirmed it. The device calls itself up to date only while its
//! digest equals the office's (rule P2).

mod output;
mod records;
mod storage;
mod sync;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use automerge::Change;

use crate::conduct::{Policy, ZoneData};
#[cfg(not(target_arch = "wasm32"))]
use crate::ids::Heads;
use crate::ids::{DeviceId, RecordId};
use crate::record::command::Command;
use crate::record::terms::Role;
use crate::record::view::{HistoryEntry, VisitView};
use crate::record::{CommandError, Record};
use crate::sync::message::Cursor;
use crate::vault::{STORE_FORMAT, Vault};

pub use output::{Output, Row, Table, Write};
pub use records::cards::Card;
use records::cards::Cards;
pub use records::drafts::Draft;
use records::drafts::Drafts;
use records::entries::Entries;
use records::entry::RecordEntry;
use records::listing::Listing;
pub use records::listing::{ListMark, ListPage, ListRow, RecordState};
pub use records::problem::{DeviceRefusal, RecordProblem, RefusalReason};
use storage::journal::Journal;
pub use storage::journal::StorageFailure;
use sync::link::Link;
pub use sync::refused::{NewAmendment, RefusedWork};
use sync::repair::Repair;
use sync::round::RETRY_SAVE_MS;
pub use sync::status::{
    FirstSync, RecordsProblem, RequestFailure, SyncProblem, SyncState, SyncStatus,
};

/// Documents kept in memory: enough to go back and forth in a list, few enough for a small phone
/// (some 50 KB each).
const MAX_LOADED: usize = 8;

/// The device and its user.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The enrolled device.
    pub device: DeviceId,
    /// Session number, taken atomically from the device's store (rule I1).
    pub session: u64,
    /// Sign-in name.
    pub user: String,
    /// Role.
    pub role: Role,
}

/// Why a call on a record cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkspaceError {
    /// The record is not on this device.
    #[error("this record is not on this phone")]
    UnknownRecord,
    /// The record is not loaded: call `open` first.
    #[error("the record is not open")]
    NotOpen,
    /// Its chunks are damaged and the office's copy has not arrived yet.
    #[error("the record is damaged on this phone")]
    Damaged,
    /// None of the record's work is refused, or not any more.
    #[error("no work on this record is refused")]
    NotRefused,
    /// The office has not quarantined the refused work yet: it stays on this device until then.
    #[error("the office has no room yet to quarantine the refused work")]
    NotKept,
    /// The command is invalid.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The data of the borrower's time zone must be added first.
    #[error("the time zone {zone} is needed first")]
    ZoneNeeded {
        /// IANA name.
        zone: String,
    },
    /// Rules of conduct forbid the departure.
    #[error("{} forbids the departure", .rules.join(", "))]
    Stopped {
        /// Their ids.
        rules: Vec<String>,
        /// The earliest lawful time, ms, where one is known.
        until: Option<i64>,
    },
    /// Rules of conduct warn, and no reason for departing is recorded.
    #[error("{} warns: a reason is needed", .rules.join(", "))]
    ReasonNeeded {
        /// Their ids.
        rules: Vec<String>,
        /// When they stop warning, ms, where that is known.
        until: Option<i64>,
    },
}

/// Why a store cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another program has written it. It is left unchanged.
    #[error("the store has format {0}, this program writes {STORE_FORMAT}")]
    Format(u8),
}

/// Everything that a device holds.
#[derive(Debug)]
pub struct Workspace {
    identity: Identity,
    vault: Vault,
    records: Entries,
    loaded: BTreeMap<RecordId, LoadedRecord>,
    /// Loads under way, with the number of pages that wait.
    loading: BTreeMap<RecordId, usize>,
    journal: Journal,
    cursor: Cursor,
    link: Link,
    repair: Repair,
    outputs: VecDeque<Output>,
    next_ticket: u64,
    /// Counts uses of documents, to find the least recently used.
    uses: u64,
    listing: Listing,
    cards: Cards,
    drafts: Drafts,
    /// Records that stay until their attachments are named, even if withdrawn (rule F1).
    retained: BTreeSet<RecordId>,
    /// Rules of conduct: the built-in layers and the lender's.
    policy: Policy,
    /// Borrowers' time zones that the driver has added.
    zones: BTreeMap<String, ZoneData>,
}

/// A record whose document is in memory.
#[derive(Debug)]
struct LoadedRecord {
    record: Record,
    /// Keys of its chunks in the store.
    chunks: BTreeSet<String>,
    /// How many pages show it.
    pins: usize,
    /// Its last use, see `Workspace::uses`.
    used: u64,
}

impl Workspace {
    // -- getters

    /// Rows of the list, in order of record id.
    pub fn list(&self) -> Vec<ListRow> {
        self.records.values().map(|entry| self.row_of(entry)).collect()
    }

    /// The view of an open record.
    pub fn view(&self, record: RecordId) -> Result<VisitView, WorkspaceError> {
        Ok(self.open_record(record)?.view())
    }

    /// The history of an open record.
    pub fn history(&self, record: RecordId) -> Result<Vec<HistoryEntry>, WorkspaceError> {
        Ok(self.open_record(record)?.history())
    }

    /// The bytes that this device signs for its user's signature of a state of an open record.
    ///
    /// # Errors
    /// The record is not open, or has no such state.
    pub fn statement(
        &self,
        record: RecordId,
        heads: &[String],
        at: i64,
        text: &str,
    ) -> Result<Vec<u8>, WorkspaceError> {
        let author = self.author(self.identity.session, at, "");
        let statement = self.open_record(record)?.statement(&author, heads, at, text);
        Ok(statement.ok_or(CommandError::Missing { path: "seal.heads".to_owned() })?)
    }

    /// Whether a record is on this device, or may be: its row has not been read yet.
    pub fn holds(&self, record: RecordId) -> bool {
        self.records.contains_key(&record) || self.records.is_unread(&record)
    }

    /// Whether this device has changes that the office has not confirmed.
    pub fn has_unsent(&self) -> bool {
        self.records.index().unsent() > 0
    }

    /// Whether everything is on disk.
    pub fn is_durable(&self) -> bool {
        self.journal.is_idle()
    }

    /// Heads of all records, in order of record id.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn heads(&self) -> impl Iterator<Item = (RecordId, &Heads)> {
        self.records.values().map(|entry| (entry.id, &entry.heads))
    }

    /// Whether the indexes over the records are as if they were computed from scratch.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn is_index_true(&self) -> bool {
        self.records.is_index_true()
    }

    /// The list's row of one record.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn row(&self, record: RecordId) -> Option<ListRow> {
        self.records.get(&record).map(|entry| self.row_of(entry))
    }

    /// An open record itself.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn record(&self, record: RecordId) -> Result<&Record, WorkspaceError> {
        self.open_record(record)
    }

    fn row_of(&self, entry: &RecordEntry) -> ListRow {
        let has_draft = self.drafts.has(entry.id);
        entry.list_row(self.link.is_sending(entry.id), has_draft, &self.listing.order)
    }

    fn open_record(&self, record: RecordId) -> Result<&Record, WorkspaceError> {
        match self.loaded.get(&record) {
            Some(loaded) => Ok(&loaded.record),
            None => Err(self.not_loaded(record)),
        }
    }

    fn not_loaded(&self, record: RecordId) -> WorkspaceError {
        match self.records.get(&record) {
            None if self.records.is_unread(&record) => WorkspaceError::NotOpen,
            None => WorkspaceError::UnknownRecord,
            Some(entry) if entry.is_damaged() => WorkspaceError::Damaged,
            Some(_) => WorkspaceError::NotOpen,
        }
    }

    // -- commands

    /// Applies a command to an open record; gives the ticket that will be durable, or `None` where
    /// the command changes nothing.
    ///
    /// # Errors
    /// The record is not open, the command is invalid, or rules of conduct forbid a departure.
    /// Nothing is changed then.
    pub fn apply(
        &mut self,
        record: RecordId,
        command: &Command,
        now_ms: i64,
        zone: &str,
    ) -> Result<Option<u64>, WorkspaceError> {
        let author = self.author(self.identity.session, now_ms, zone);
        let evaluation = self.check_conduct(record, command)?;
        let missing = self.not_loaded(record);
        let loaded = self.loaded.get_mut(&record).ok_or(missing)?;
        let changed = match &evaluation {
            Some(evaluation) => {
                loaded.record.apply_with_evaluation(command, evaluation, &author)?
            }
            None => loaded.record.apply(command, &author)?,
        };
        let Some(change) = changed else {
            return Ok(None);
        };
        self.uses += 1;
        loaded.used = self.uses;
        self.store_own_change(record, &change, now_ms);
        let ticket = self.issue_ticket();
        self.link.schedule().edited(now_ms);
        self.advance(now_ms);
        Ok(Some(ticket))
    }

    /// A ticket that is durable together with the writes that gather now.
    fn issue_ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.journal.ticket(self.next_ticket);
        self.journal.retry();
        self.next_ticket
    }

    /// Stores an own change as a chunk and in the outbox, with the record's row.
    fn store_own_change(&mut self, record: RecordId, change: &Change, now_ms: i64) {
        let (Some(entry), Some(loaded)) =
            (self.records.get_mut(&record), self.loaded.get_mut(&record))
        else {
            return;
        };
        let bytes = change.raw_bytes().to_vec();
        let key = self.vault.chunk_key(record, &bytes);
        self.journal.put(Table::Chunks, key.clone(), bytes);
        loaded.chunks.insert(key);
        entry.outbox.push(change, now_ms, &mut self.journal);
        entry.update_from(&loaded.record, &self.identity.user);
        self.journal.put(Table::Records, record.to_string(), entry.encode());
    }

    // -- the driver

    /// Encrypts rows with another vault from now on, in a key rotation. The new vault must decrypt
    /// whatever the previous one decrypts.
    pub fn rekey(&mut self, vault: Vault) {
        self.vault = vault;
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        // An edit does not wait until all parts of a reply are applied.
        if !self.journal.has_edit()
            && let Some(output) = self.outputs.pop_front()
        {
            return Some(output);
        }
        let persist = self.journal.poll(&mut self.vault);
        persist
            .map(|(batch, writes)| Output::Persist { batch, writes })
            .or_else(|| self.outputs.pop_front())
            .or_else(|| self.announce_list_changes())
    }

    /// A batch is durable.
    pub fn persisted(&mut self, batch: u64, now_ms: i64) {
        if let Some(ticket) = self.journal.persisted(batch) {
            self.outputs.push_back(Output::Saved { ticket });
            for id in self.records.reindex().pending().clone() {
                if let Some(entry) = self.records.get_mut(&id) {
                    entry.outbox.batch_persisted(batch);
                }
            }
        }
        self.advance(now_ms);
    }

    /// A batch failed and has written nothing. It is written again with the next edit or wake-up.
    pub fn persist_failed(&mut self, batch: u64, failure: StorageFailure, now_ms: i64) {
        self.journal.failed(batch, failure);
        let next = self.journal.number();
        for id in self.records.reindex().pending().clone() {
            if let Some(entry) = self.records.get_mut(&id) {
                entry.outbox.batch_failed(batch, next);
            }
        }
        self.records.reindex();
        self.link.batch_failed(batch, next);
        self.outputs.push_back(Output::SaveFailed { reason: failure });
        self.outputs.push_back(Output::StatusChanged);
        self.outputs.push_back(Output::WakeAt { at: now_ms + RETRY_SAVE_MS });
    }

    /// To be called at the end of every command: drops unused documents and advances the round.
    fn advance(&mut self, now_ms: i64) {
        self.evict();
        self.advance_round(now_ms);
        self.records.reindex();
    }

    fn evict(&mut self) {
        while self.loaded.len() > MAX_LOADED {
            let is_needed = |id: RecordId| self.repair.needs(id) || self.link.is_applying_to(id);
            let oldest = self
                .loaded
                .iter()
                .filter(|(id, loaded)| loaded.pins == 0 && !is_needed(**id))
                .min_by_key(|(_, loaded)| loaded.used)
                .map(|(id, _)| *id);
            match oldest {
                Some(id) => self.loaded.remove(&id),
                None => return,
            };
        }
    }
}
