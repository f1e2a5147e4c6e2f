//! The audit log: what users of the console changed, each entry in the transaction of its change.
//!
//! A request that may change something gets an office over an [`AuditedStore`]. Whatever job it
//! submits there appends an entry before it commits, so no handler can change anything without one.
//! Entries are chained by their hashes; [`super::Office::verify`] checks the chain.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast;

use super::auth::Accounts;
use super::store::{
    AuditEntry, AuditFilter, FeedUpdate, ReadJob, Reads, Store, StoreError, WriteJob, Writes,
};
use super::{Clock, Office, OfficeError, Session};

/// Longest subject and detail, characters.
const LONGEST: usize = 200;

/// Entries read at a time.
const BATCH: u32 = 1_000;

/// One request of the console.
pub struct AuditContext {
    session: Session,
    action: String,
    clock: Clock,
    /// Subject and detail.
    about: Mutex<(String, String)>,
    /// Hash of the entry that was last appended, perhaps by a job that does not commit.
    appended: Mutex<Option<[u8; 32]>>,
    /// An entry is durable.
    recorded: AtomicBool,
}

impl AuditContext {
    /// The request of a session: method and route, and the id in its path.
    pub fn new(session: Session, action: String, subject: &str, clock: Clock) -> Self {
        let about = Mutex::new((plain(subject), String::new()));
        Self {
            session,
            action,
            clock,
            about,
            appended: Mutex::default(),
            recorded: AtomicBool::new(false),
        }
    }

    /// Names the subject where the path does not.
    pub fn set_subject(&self, subject: &str) {
        self.about.lock().unwrap_or_else(PoisonError::into_inner).0 = plain(subject);
    }

    /// Says more about the action: names of commands and fields, never content.
    pub fn set_detail(&self, detail: &str) {
        self.about.lock().unwrap_or_else(PoisonError::into_inner).1 = plain(detail);
    }

    fn append(&self, tx: &mut dyn Writes) -> Result<(), StoreError> {
        let last = tx.last_audit_entry()?;
        let mut appended = self.appended.lock().unwrap_or_else(PoisonError::into_inner);
        // Jobs of one request may share a transaction.
        if appended.is_some() && *appended == last.as_ref().map(|last| last.hash) {
            return Ok(());
        }
        let (subject, detail) = self.about.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut entry = AuditEntry {
            seq: last.as_ref().map_or(0, |last| last.seq) + 1,
            at: (self.clock)(),
            user: self.session.user.clone(),
            role: self.session.role.to_string(),
            session: self.session.device,
            action: self.action.clone(),
            subject,
            detail,
            previous: last.map_or([0; 32], |last| last.hash),
            hash: [0; 32],
        };
        entry.hash = hash(&entry);
        tx.append_audit_entry(&entry)?;
        *appended = Some(entry.hash);
        Ok(())
    }
}

/// One line of bounded length.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// The hash of an entry. Each text has its length before it, so that none runs into the next.
fn hash(entry: &AuditEntry) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"doorstep audit 1");
    hasher.update(entry.previous);
    hasher.update(entry.seq.to_be_bytes());
    hasher.update(entry.at.to_be_bytes());
    hasher.update(entry.session.0);
    for text in [&entry.user, &entry.role, &entry.action, &entry.subject, &entry.detail] {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().into()
}

/// A store that appends an entry in each transaction of one request.
struct AuditedStore {
    inner: Arc<dyn Store>,
    context: Arc<AuditContext>,
}

impl Store for AuditedStore {
    fn submit(&self, job: Box<dyn WriteJob>) -> Result<(), StoreError> {
        self.inner.submit(Box::new(AuditedJob { job, context: Arc::clone(&self.context) }))
    }

    fn read(&self, read: &mut ReadJob<'_>) -> Result<(), StoreError> {
        self.inner.read(read)
    }

    fn subscribe(&self) -> broadcast::Receiver<FeedUpdate> {
        self.inner.subscribe()
    }

    fn close(&self) {
        self.inner.close();
    }
}

struct AuditedJob {
    job: Box<dyn WriteJob>,
    context: Arc<AuditContext>,
}

impl WriteJob for AuditedJob {
    fn run(&mut self, tx: &mut dyn Writes) -> Result<(), StoreError> {
        self.job.run(tx)?;
        // An import has thousands of jobs: the first one that is durable records them all.
        if self.context.recorded.load(Ordering::Acquire) {
            return Ok(());
        }
        self.context.append(tx)
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        if outcome.is_ok() {
            self.context.recorded.store(true, Ordering::Release);
        }
        self.job.answer(outcome);
    }
}

impl Office {
    /// The office for one request: its changes are recorded.
    pub fn audited(&self, context: &Arc<AuditContext>) -> Self {
        let (inner, context) = (Arc::clone(&self.store), Arc::clone(context));
        Self { store: Arc::new(AuditedStore { inner, context }), ..self.clone() }
    }

    /// One page of the log, newest first.
    pub async fn audit_page(&self, filter: AuditFilter) -> Result<Vec<AuditEntry>, OfficeError> {
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| reads.audit_page(&filter))?)
        })
        .await
    }

    /// Entries after a number, oldest first, at most 1,000.
    pub fn audit_after(&self, seq: u64) -> Result<Vec<AuditEntry>, StoreError> {
        self.store.read_with(|reads| reads.audit_after(seq, BATCH))
    }
}

impl Accounts {
    /// The accounts for one request: its changes are recorded.
    pub fn audited(&self, context: &Arc<AuditContext>) -> Self {
        let context = Arc::clone(context);
        self.with_store(|inner| Arc::new(AuditedStore { inner, context }))
    }
}

/// The number of entries, and what is wrong with their chain.
pub(super) fn verify(reads: &mut dyn Reads) -> Result<(u64, Option<String>), StoreError> {
    let (mut seq, mut previous, mut problem) = (0, [0; 32], None);
    loop {
        let batch = reads.audit_after(seq, BATCH)?;
        let Some(last) = batch.last() else { return Ok((seq, problem)) };
        let last = last.seq;
        for entry in batch {
            let follows = entry.seq == seq + 1 && entry.previous == previous;
            if problem.is_none() && !(follows && entry.hash == hash(&entry)) {
                problem =
                    Some(format!("the chain of the audit log is broken at entry {}", seq + 1));
            }
            (seq, previous) = (entry.seq, entry.hash);
        }
        seq = last;
    }
}
