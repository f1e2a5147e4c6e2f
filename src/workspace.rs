//! Everything that a device holds, as a state machine without I/O.
//!
//! The life of a workspace: a driver opens the device's store, takes a session number from it and
//! hands over the rows ([`Workspace::new`]). From then on there is one contract: call a method,
//! then carry out what [`Workspace::poll`] gives until it gives nothing, in that order. Persist
//! before send is queue order; a batch is answered by [`persisted`](Workspace::persisted) or
//! [`persist_failed`](Workspace::persist_failed), a load by [`loaded`](Workspace::loaded), a
//! request by [`replied`](Workspace::replied), [`request_failed`](Workspace::request_failed) or
//! [`defer`](Workspace::defer).
//!
//! Lists and digests are read from one small row per record; a document is loaded only while a
//! person looks at it or a reply changes it. Every row is sealed on its way into the store and
//! opened on its way out ([`vault`]). Time, randomness and ids come in as arguments: in the
//! browser JavaScript is the driver, in tests a scheduler with virtual time.
//!
//! What is promised: an edit is acknowledged when its batch is durable (rule D1), never sent
//! before that, and never given up before the office has confirmed it; "in step" is said only when
//! the digest of what is held here equals the office's (rule P2).

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

pub use output::{
    FirstSync, ListChanges, ListRow, NewAmendment, Output, RecordState, RefusedWork, Row, Status,
    SyncState, Table, Write,
};
pub use records::cards::Card;
use records::cards::Cards;
pub use records::drafts::Draft;
use records::drafts::Drafts;
use records::entry::{Problem, RecordEntry};
use records::listing::Listing;
use storage::journal::Journal;
use storage::vault::Vault;
pub use storage::{keyring, rescue, vault};
use sync::link::Link;
use sync::round;

/// Version of the rows in the device's store. A store of another version is refused, untouched.
/// Where the way changes in which rows are sealed, so does the layout of the tables.
pub const STORE_FORMAT: u8 = 2;

/// Documents kept loaded though nobody looks at them: enough to go back and forth in a list, few
/// enough for a small phone (some 50 KB each).
const LOADED_AT_MOST: usize = 8;

/// Whoever works on this device.
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
    /// The device holds no such record.
    #[error("this phone holds no such record")]
    UnknownRecord,
    /// The record is not loaded: call `open` first.
    #[error("the record is not open")]
    NotOpen,
    /// Its chunks are damaged and the office's copy has not come yet.
    #[error("the record is damaged on this phone")]
    Damaged,
    /// Nothing of the record is refused, or not any more.
    #[error("nothing of this record is refused")]
    NotRefused,
    /// The office has no room to keep what it refused: it stays here until it has.
    #[error("the office has no room to keep what it refused")]
    NotKept,
    /// The command does not hold.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The borrower's zone must be learnt first: without it nobody knows what time it is there.
    #[error("the time zone {zone} is needed first")]
    ZoneNeeded {
        /// IANA name.
        zone: String,
    },
    /// Rules of conduct stop the departure.
    #[error("{} stops the departure", .rules.join(", "))]
    Stopped {
        /// The rules.
        rules: Vec<String>,
        /// The earliest lawful time, ms, where one is known.
        until: Option<i64>,
    },
    /// Rules of conduct warn, and nobody has written down why to go on.
    #[error("{} warns: a reason is needed", .rules.join(", "))]
    ReasonNeeded {
        /// The rules.
        rules: Vec<String>,
        /// From when on they warn no more, ms, where that is known.
        until: Option<i64>,
    },
}

/// Why a store cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Written by another program: refused plainly, untouched.
    #[error("the store has format {0}, this program writes {STORE_FORMAT}")]
    Format(u8),
}

/// Everything that a device holds.
#[derive(Debug)]
pub struct Workspace {
    identity: Identity,
    vault: Vault,
    records: BTreeMap<RecordId, RecordEntry>,
    loaded: BTreeMap<RecordId, Loaded>,
    /// Loads asked for and not answered, with the number of pages that wait.
    loading: BTreeMap<RecordId, usize>,
    journal: Journal,
    cursor: Cursor,
    link: Link,
    outputs: VecDeque<Output>,
    next_ticket: u64,
    /// Order of use of loaded documents.
    uses: u64,
    listing: Listing,
    cards: Cards,
    drafts: Drafts,
    /// Records that stay until their attachments are named, even if they were withdrawn (rule F1).
    retained: BTreeSet<RecordId>,
    /// The layers of conduct: the program's and the lender's.
    policy: Policy,
    /// Borrowers' zones, as far as the platform was asked for them.
    zones: BTreeMap<String, ZoneData>,
}

/// A document in memory.
#[derive(Debug)]
struct Loaded {
    record: Record,
    /// Keys of its chunks in the store.
    chunks: BTreeSet<String>,
    /// How many pages look at it.
    pins: usize,
    used: u64,
}

impl Workspace {
    // -- getters

    /// Rows of the list, in order of record id.
    pub fn list(&self) -> Vec<ListRow> {
        self.records.values().map(|entry| self.row_of(entry)).collect()
    }

    /// What an open record says.
    pub fn view(&self, record: RecordId) -> Result<VisitView, WorkspaceError> {
        Ok(self.open_record(record)?.view())
    }

    /// The history of an open record.
    pub fn history(&self, record: RecordId) -> Result<Vec<HistoryEntry>, WorkspaceError> {
        Ok(self.open_record(record)?.history())
    }

    /// What this device signs to put its user's signature under a state of an open record.
    ///
    /// # Errors
    /// The record is not open, or the state is none of it.
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

    /// Whether a record is on this device; it may have been taken away from it.
    pub fn holds(&self, record: RecordId) -> bool {
        self.records.contains_key(&record)
    }

    /// Whether anything here is not confirmed by the office.
    pub fn has_unsent(&self) -> bool {
        self.records.values().any(|entry| !entry.outbox.is_empty())
    }

    /// Whether everything is on disk.
    pub fn is_durable(&self) -> bool {
        self.journal.is_idle()
    }

    /// Heads of all that is held, in order of record id.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn heads(&self) -> impl Iterator<Item = (RecordId, &Heads)> {
        self.records.values().map(|entry| (entry.id, &entry.heads))
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
        entry.row(self.link.is_sending(entry.id), self.drafts.has(entry.id))
    }

    fn open_record(&self, record: RecordId) -> Result<&Record, WorkspaceError> {
        match self.loaded.get(&record) {
            Some(loaded) => Ok(&loaded.record),
            None => Err(self.not_loaded(record)),
        }
    }

    fn not_loaded(&self, record: RecordId) -> WorkspaceError {
        match self.records.get(&record) {
            None => WorkspaceError::UnknownRecord,
            Some(entry) if entry.problem == Some(Problem::Damaged) => WorkspaceError::Damaged,
            Some(_) => WorkspaceError::NotOpen,
        }
    }

    // -- commands

    /// Carries a command out on an open record and gives the ticket that will be durable, or
    /// `None` where the command changes nothing.
    ///
    /// # Errors
    /// The record is not open, the command does not hold, or rules of conduct stop a departure;
    /// nothing is changed then.
    pub fn apply(
        &mut self,
        record: RecordId,
        command: &Command,
        now_ms: i64,
        zone: &str,
    ) -> Result<Option<u64>, WorkspaceError> {
        let author = self.author(self.identity.session, now_ms, zone);
        let evaluation = self.judge(record, command)?;
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
        self.next_ticket += 1;
        self.store_own_change(record, &change, now_ms);
        self.journal.ticket(self.next_ticket);
        self.journal.retry();
        self.link.edited(now_ms);
        self.outputs.push_back(Output::ListChanged);
        self.advance(now_ms);
        Ok(Some(self.next_ticket))
    }

    /// Stores an own change as a chunk and in the outbox, and the record's row beside it.
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
        entry.queue(change, now_ms, &mut self.journal);
        entry.describe(&loaded.record, &self.identity.user);
        self.journal.put(Table::Records, record.to_string(), entry.encode());
    }

    // -- the driver

    /// Seals rows with another vault from now on, in a key rotation. It opens all that the one
    /// before opened.
    pub fn rekey(&mut self, vault: Vault) {
        self.vault = vault;
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        self.journal.poll(&mut self.vault).map(|(batch, writes)| Output::Persist { batch, writes })
    }

    /// A batch is durable.
    pub fn persisted(&mut self, batch: u64, now_ms: i64) {
        if let Some(ticket) = self.journal.done(batch) {
            self.outputs.push_back(Output::Saved { ticket });
            for entry in self.records.values_mut() {
                entry.mark_durable(batch);
            }
            self.link.persisted();
        }
        self.advance(now_ms);
    }

    /// A batch failed and left nothing behind. What it held is kept and tried again with the next
    /// edit or wake-up.
    pub fn persist_failed(&mut self, batch: u64, reason: &str, now_ms: i64) {
        self.journal.failed(batch);
        self.records
            .values_mut()
            .for_each(|entry| entry.requeue_batch(batch, self.journal.number()));
        self.link.persist_failed(batch, self.journal.number(), reason);
        self.outputs.push_back(Output::SaveFailed { reason: reason.to_owned() });
        self.outputs.push_back(Output::StatusChanged);
        self.outputs.push_back(Output::WakeAt { at: now_ms + round::RETRY_SAVE_MS });
    }

    /// After every call: send if it is time, drop documents that nobody looks at.
    fn advance(&mut self, now_ms: i64) {
        self.evict();
        self.drive(now_ms);
    }

    fn evict(&mut self) {
        // A document with writes under way must stay: the store does not have all of it yet.
        while self.journal.is_idle()
            && !self.link.is_applying()
            && self.loaded.len() > LOADED_AT_MOST
        {
            let oldest = self
                .loaded
                .iter()
                .filter(|(id, loaded)| loaded.pins == 0 && !self.link.repair.needs(**id))
                .min_by_key(|(_, loaded)| loaded.used)
                .map(|(id, _)| *id);
            match oldest {
                Some(id) => self.loaded.remove(&id),
                None => return,
            };
        }
    }
}
