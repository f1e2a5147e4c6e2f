//! Records: documents, their changes, receipts, and the rows derived from them.

use automerge::ChangeHash;

use super::{BlobReference, Listing, Page, ReportFacts, StoreError};
use crate::ids::{DeviceId, Heads, RecordId};
pub use crate::office::change::ChangeMeta;
use crate::record::queue::OpenPromise;
use crate::record::view::{Conflict, ContactView, PaymentView, VisitSummary};

/// A record's current document and metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The lender's case number.
    pub case_no: String,
    /// Heads of the document.
    pub heads: Heads,
    /// Highest operation counter.
    pub max_op: u64,
    /// Number of accepted changes: the last ordinal.
    pub changes: u64,
    /// ms.
    pub created_at: i64,
    /// ms.
    pub updated_at: i64,
    /// Automerge `save()`.
    pub document: Vec<u8>,
}

/// An accepted change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChange {
    /// Its position in the order of acceptance, from 1.
    pub ordinal: u64,
    /// Hash, actor, seq and highest counter.
    pub meta: ChangeMeta,
    /// When it was received, ms.
    pub received_at: i64,
    /// The device that sent it.
    pub device: DeviceId,
    /// The user who sent it.
    pub user: String,
    /// The raw chunk.
    pub bytes: Vec<u8>,
}

/// One link of a record's chain of receipts (rule M5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its number, from 1.
    pub n: u64,
    /// The changes that were accepted, in order.
    pub hashes: Vec<ChangeHash>,
    /// The device that sent it.
    pub device: DeviceId,
    /// The user who sent it.
    pub user: String,
    /// ms.
    pub received_at: i64,
    /// The number of the refused work that the user accepted; `None` for an ordinary push.
    pub quarantine: Option<u64>,
    /// Hash of the receipt before; zeros for the first.
    pub previous: [u8; 32],
    /// Hash of this one.
    pub hash: [u8; 32],
}

/// The plain rows of a record (rule M7).
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The list's row.
    pub summary: VisitSummary,
    /// Its contacts, by id.
    pub contacts: Vec<ContactView>,
    /// Its payments, by id.
    pub payments: Vec<PaymentView>,
    /// Its conflicts, by path.
    pub conflicts: Vec<Conflict>,
    /// The blobs that it refers to, by name.
    pub attachments: Vec<BlobReference>,
    /// When the office last accepted something, ms.
    pub updated_at: i64,
    /// When the review accepted the record, ms; `None` where it is not accepted.
    pub accepted_at: Option<i64>,
    /// What the dashboard counts.
    pub facts: ReportFacts,
}

impl Rows {
    /// The promised payment that recorded payments do not cover yet.
    pub fn open_promise(&self) -> Option<OpenPromise> {
        let promise = self.facts.promise.as_ref().filter(|promise| promise.open)?;
        Some(OpenPromise { due_date: promise.due.clone(), amount: promise.amount })
    }
}

/// Reads of records.
pub trait RecordReads {
    /// A record, document included.
    fn record(&mut self, id: RecordId) -> Result<Option<StoredRecord>, StoreError>;
    /// The heads of a record's document, without the document.
    fn heads(&mut self, id: RecordId) -> Result<Option<Heads>, StoreError>;
    /// The newest record of a case.
    fn find_case(&mut self, case_no: &str) -> Result<Option<RecordId>, StoreError>;
    /// Ids in order, after `after`, to iterate over all records.
    fn record_ids(
        &mut self,
        after: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<RecordId>, StoreError>;
    /// Metadata of a record's changes, in order of their ordinals.
    fn change_metas(&mut self, id: RecordId) -> Result<Vec<ChangeMeta>, StoreError>;
    /// A record's changes with higher ordinals, in order.
    fn changes_after(
        &mut self,
        id: RecordId,
        ordinal: u64,
    ) -> Result<Vec<StoredChange>, StoreError>;
    /// The hashes of a record's changes and when they were received, ms, in order of their ordinals.
    fn change_times(&mut self, id: RecordId) -> Result<Vec<(ChangeHash, i64)>, StoreError>;
    /// Whether a device sent a change of a record at or after a time, ms.
    fn has_changes_from(
        &mut self,
        id: RecordId,
        device: DeviceId,
        since: i64,
    ) -> Result<bool, StoreError>;
    /// The assigned collectors, sorted, by the record's rows.
    fn assigned(&mut self, id: RecordId) -> Result<Vec<String>, StoreError>;
    /// The assigned collectors who have the record in their feed, sorted: those whose newest feed
    /// entry for it is not a withdrawal (rule F5).
    fn collectors(&mut self, id: RecordId) -> Result<Vec<String>, StoreError>;
    /// The newest receipt of a record.
    fn last_receipt(&mut self, id: RecordId) -> Result<Option<Receipt>, StoreError>;
    /// All receipts of a record, in order.
    fn receipts(&mut self, id: RecordId) -> Result<Vec<Receipt>, StoreError>;
    /// The rows of a record.
    fn rows(&mut self, id: RecordId) -> Result<Option<Rows>, StoreError>;
    /// One page of the list.
    fn list(&mut self, listing: &Listing) -> Result<Page, StoreError>;
}

/// Writes of records.
pub trait RecordWrites {
    /// Adds a record, or replaces everything but its case number and creation time.
    fn put_record(&mut self, id: RecordId, record: &StoredRecord) -> Result<(), StoreError>;
    /// Adds a change to an existing record.
    fn add_change(&mut self, id: RecordId, change: &StoredChange) -> Result<(), StoreError>;
    /// Adds a receipt to an existing record.
    fn add_receipt(&mut self, id: RecordId, receipt: &Receipt) -> Result<(), StoreError>;
    /// Replaces the rows of an existing record.
    fn put_rows(&mut self, id: RecordId, rows: &Rows) -> Result<(), StoreError>;
}
