//! The office's storage, as one contract that every store fulfils.
//!
//! The traits know records, feeds and accounts; no HTTP and no merging. `tests/it/store.rs` is the
//! conformance suite that every store has to pass.
//!
//! **Consistency.** [`Store::read`] sees one committed state from its first read to its last, and
//! sees every job that was answered before it began. Jobs behave as if they ran one after the
//! other (serializable). A store may retry a job after a serialization failure, so a job must be
//! able to run more than once; only its last run counts.
//!
//! **Commit.** A job is answered `Ok` only once its effects survive a crash (rule D2). Many jobs
//! may share one commit. A job that fails, or panics, leaves no trace and spoils no other.
//!
//! **Drop.** Submitting is the point of no return: dropping the [`Pending`] answer does not take
//! the job back, it only drops its result. [`Store::close`] finishes
//! every job that was submitted before it, then refuses new ones.

mod accounts;
mod audit;
mod blobs;
#[macro_use]
mod complaints;
mod audit_samples;
mod conduct;
mod feeds;
mod fleet;
mod imports;
mod listing;
pub(super) mod migrate;
pub mod postgres;
mod prefetch;
mod proposals;
mod quarantine;
mod queue;
mod queues;
mod records;
mod report;
mod report_tokens;
mod safety;
mod saved_views;
pub mod sqlite;
mod support;
mod throttle;
mod web_push;

use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll};

use tokio::sync::{broadcast, oneshot};

pub use accounts::{AccountReads, AccountWrites, Device, SignIn, TokenHash, User};
pub use audit::{AuditEntry, AuditFilter, AuditReads, AuditWrites};
pub use audit_samples::{
    AuditFinding, AuditOutcome, AuditSample, AuditSampleReads, AuditSampleWrites,
};
pub use blobs::{Blob, BlobName, BlobReads, BlobReference, BlobShare, BlobWrites};
pub use complaints::{
    Complaint, ComplaintEvent, ComplaintListing, ComplaintOutcome, ComplaintReads, ComplaintSource,
    ComplaintStep, ComplaintTopic, ComplaintWrites,
};
pub use conduct::{ConductListing, ConductReads, ConductRow, ConductWrites};
pub use feeds::{EntryKind, Expiring, Feed, FeedEntry, FeedReads, FeedWrites};
pub use fleet::{DeviceReport, FailedRounds, FleetReads, FleetWrites};
pub use imports::{ImportReads, ImportRow, ImportWrites, StoredImport};
pub use listing::{Listing, MAX_TOTAL, Page, PageCursor, Row, Sort, SortKey};
pub use prefetch::Prefetch;
pub use proposals::{
    ApprovalKind, Proposal, ProposalDecision, ProposalListing, ProposalReads, ProposalState,
    ProposalWrites,
};
pub use quarantine::{
    Decision, QuarantineExport, QuarantineFilter, QuarantineReads, QuarantineShare, QuarantineSize,
    QuarantineState, QuarantineWrites, QuarantinedWork, RefusedWork,
};
pub use queues::{Queue, QueueReads, QueueWrites};
pub use records::{
    ChangeMeta, Receipt, RecordReads, RecordWrites, Rows, StoredChange, StoredRecord,
};
pub use report::{
    CollectorLoad, DpdBucket, Event, FactFilter, OwnVisit, Period, PromiseCount, PromiseFact,
    PromiseState, ReportFacts, ReportQuery, ReportReads, ReportSums, RuleCount, VisitedCount,
};
pub use report_tokens::{ReportToken, ReportTokenReads, ReportTokenWrites};
pub use safety::{SafetyReads, SafetyWatch, SafetyWrites};
pub use saved_views::{SavedView, SavedViewReads, SavedViewWrites};
pub use support::{SupportReads, SupportRequest, SupportWrites};
pub use throttle::{CounterKey, Failures, ThrottleReads, ThrottleWrites};
pub use web_push::{DueNotice, Notice, NoticeBasis, PushSubscription, WebPushReads, WebPushWrites};

/// Why a store failed. Refusals of the protocol are values, not errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store is closed, or closing.
    #[error("the store is closed")]
    Closed,
    /// The write queue is full; the job was not run.
    #[error("the store is busy")]
    Busy,
    /// The database server cannot be reached, or was lost before it confirmed a commit: the job has
    /// either committed as a whole or left no trace.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Stored data cannot be decoded.
    #[error("the store holds damaged data: {0}")]
    Damaged(String),
    /// The database engine failed.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// Random values for a new store.
#[derive(Debug, Clone, Copy)]
pub struct InitialSecrets {
    /// The store's epoch (rule P3).
    pub epoch: [u8; 16],
    /// The office's own device.
    pub office_device: [u8; 16],
    /// The key of the office's state tokens.
    pub attestation_key: [u8; 32],
}

/// Everything that can be read, in one snapshot.
pub trait Reads:
    RecordReads
    + QuarantineReads
    + QueueReads
    + FeedReads
    + AccountReads
    + ConductReads
    + BlobReads
    + SafetyReads
    + WebPushReads
    + ComplaintReads
    + ImportReads
    + SavedViewReads
    + ReportTokenReads
    + ReportReads
    + ThrottleReads
    + Prefetch
    + FleetReads
    + AuditReads
    + AuditSampleReads
    + ProposalReads
    + SupportReads
{
}
impl<T> Reads for T where
    T: RecordReads
        + QuarantineReads
        + QueueReads
        + FeedReads
        + AccountReads
        + ConductReads
        + BlobReads
        + SafetyReads
        + WebPushReads
        + ComplaintReads
        + ImportReads
        + SavedViewReads
        + ReportTokenReads
        + ReportReads
        + ThrottleReads
        + Prefetch
        + FleetReads
        + AuditReads
        + AuditSampleReads
        + ProposalReads
        + SupportReads
{
}

/// Everything that can be done in one transaction.
pub trait Writes:
    Reads
    + RecordWrites
    + QuarantineWrites
    + QueueWrites
    + FeedWrites
    + AccountWrites
    + ConductWrites
    + BlobWrites
    + SafetyWrites
    + WebPushWrites
    + ComplaintWrites
    + ThrottleWrites
    + ImportWrites
    + SavedViewWrites
    + ReportTokenWrites
    + FleetWrites
    + AuditWrites
    + AuditSampleWrites
    + ProposalWrites
    + SupportWrites
{
}
impl<T> Writes for T where
    T: Reads
        + RecordWrites
        + QuarantineWrites
        + QueueWrites
        + FeedWrites
        + AccountWrites
        + ConductWrites
        + BlobWrites
        + SafetyWrites
        + WebPushWrites
        + ComplaintWrites
        + ThrottleWrites
        + ImportWrites
        + SavedViewWrites
        + ReportTokenWrites
        + FleetWrites
        + AuditWrites
        + AuditSampleWrites
        + ProposalWrites
        + SupportWrites
{
}

/// A feed has a new entry (rule R8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedUpdate {
    /// Whose feed.
    pub feed: String,
    /// Its newest entry.
    pub seq: u64,
}

/// Work to do in one transaction, with the receiver of its result.
pub trait WriteJob: Send {
    /// Does the work; may be called again when the store could not commit it.
    fn run(&mut self, tx: &mut dyn Writes) -> Result<(), StoreError>;
    /// Called once, after the commit is durable or the job has failed.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// A store of records, feeds and accounts.
pub trait Store: Send + Sync + 'static {
    /// Queues a job. Never blocks. A job that finds the queue full is answered
    /// [`Busy`](StoreError::Busy) at once.
    fn submit(&self, job: Box<dyn WriteJob>) -> Result<(), StoreError>;
    /// Runs reads in one snapshot. Blocks: call it where blocking is allowed.
    fn read(&self, read: &mut ReadJob<'_>) -> Result<(), StoreError>;
    /// Whether reads wait for a network.
    fn is_remote(&self) -> bool {
        false
    }
    /// Subscribes to feed updates, sent after each commit and before its jobs are answered. A slow
    /// receiver loses some, which costs delay, never correctness.
    fn subscribe(&self) -> broadcast::Receiver<FeedUpdate>;
    /// Finishes the submitted jobs, then refuses new ones. Blocks.
    fn close(&self);
}

/// Reads that share one snapshot.
pub type ReadJob<'r> = dyn FnMut(&mut dyn Reads) -> Result<(), StoreError> + 'r;

impl dyn Store {
    /// Queues a job at once; the result can be awaited.
    pub fn write<T, F>(&self, work: F) -> Pending<T>
    where
        T: Send + 'static,
        F: FnMut(&mut dyn Writes) -> Result<T, StoreError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        // The caller may have dropped the receiver; the job runs all the same.
        self.enqueue(work, move |answer| drop(sender.send(answer)));
        Pending(receiver)
    }

    /// Queues a job and waits for its answer. Blocks.
    pub fn write_now<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut dyn Writes) -> Result<T, StoreError> + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.enqueue(work, move |answer| drop(sender.send(answer)));
        receiver.recv().unwrap_or(Err(StoreError::Closed))
    }

    fn enqueue<T, F, A>(&self, work: F, answer: A)
    where
        T: Send + 'static,
        F: FnMut(&mut dyn Writes) -> Result<T, StoreError> + Send + 'static,
        A: FnOnce(Result<T, StoreError>) + Send + 'static,
    {
        // A job that the store rejects is dropped with its sender: the receiver gets `Closed`.
        drop(self.submit(Box::new(ClosureJob { work, done: None, answer })));
    }

    /// Runs reads in one snapshot and returns their result. Blocks.
    pub fn read_with<T>(
        &self,
        mut read: impl FnMut(&mut dyn Reads) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut seen = None;
        self.read(&mut |reads| {
            seen = Some(read(reads)?);
            Ok(())
        })?;
        seen.ok_or(StoreError::Closed)
    }
}

/// A job that runs a closure and passes on its result.
struct ClosureJob<T, F, A> {
    work: F,
    done: Option<T>,
    answer: A,
}

impl<T, F, A> WriteJob for ClosureJob<T, F, A>
where
    T: Send,
    F: FnMut(&mut dyn Writes) -> Result<T, StoreError> + Send,
    A: FnOnce(Result<T, StoreError>) + Send,
{
    fn run(&mut self, tx: &mut dyn Writes) -> Result<(), StoreError> {
        self.done = Some((self.work)(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { done, answer, .. } = *self;
        answer(outcome.and_then(|()| done.ok_or(StoreError::Closed)));
    }
}

/// The result of a queued job. Dropping it does not cancel the job.
#[must_use = "the job is queued, but only its result says that it is durable"]
pub struct Pending<T>(oneshot::Receiver<Result<T, StoreError>>);

impl<T> Future for Pending<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(StoreError::Closed)))
    }
}
