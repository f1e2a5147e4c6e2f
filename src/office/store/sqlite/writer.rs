//! The writer thread and its group commit.
//!
//! While a commit waits for the disk the queue fills up, and the next commit takes all of it. A
//! single job is committed at once. Each job has a savepoint of its own: one that fails or panics
//! is rolled back alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use metrics::{gauge, histogram};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::broadcast;

use super::convert::failed;
use super::{Tx, execute};
use crate::office::store::{FeedUpdate, StoreError, WriteJob};

/// Maximum number of jobs in one commit.
const MAX_GROUP_JOBS: usize = 256;

/// How long a group takes further jobs before it commits: bounds the latency of the first one.
const MAX_GROUP_TIME: Duration = Duration::from_millis(50);

/// Queue capacity. Two hundred phones that return at once after weeks send fewer jobs; more would
/// be answered only after their phones' requests have timed out.
const MAX_QUEUED: usize = 16_384;

/// The sending end of the queue.
pub(super) struct Writer {
    queue: Mutex<Option<Sender<Queued>>>,
    waiting: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A job and the time at which it was queued.
struct Queued {
    job: Box<dyn WriteJob>,
    since: Instant,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        connection: Connection,
        updates: broadcast::Sender<FeedUpdate>,
    ) -> Result<Self, StoreError> {
        let (sender, queue) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let queue = Queue { queue, waiting: Arc::clone(&waiting) };
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(connection, &queue, &updates))
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        let (queue, thread) = (Mutex::new(Some(sender)), Mutex::new(Some(thread)));
        Ok(Self { queue, waiting, thread })
    }

    /// Queues a job.
    pub(super) fn submit(&self, job: Box<dyn WriteJob>) -> Result<(), StoreError> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = queue.as_ref().ok_or(StoreError::Closed)?;
        if self.waiting.load(Ordering::Relaxed) >= MAX_QUEUED {
            answer(job, Err(StoreError::Busy));
            return Err(StoreError::Busy);
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        sender.send(Queued { job, since: Instant::now() }).map_err(|_| StoreError::Closed)
    }

    /// Lets the thread finish what is queued, and waits for it.
    pub(super) fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // If the thread panicked, dropping the queue has answered every job.
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// The receiving end of the queue.
struct Queue {
    queue: Receiver<Queued>,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    /// Waits for the next job; `None` once the store closes.
    fn next(&self) -> Option<Box<dyn WriteJob>> {
        self.queue.recv().ok().map(|queued| self.take(queued))
    }

    /// The next job, if one is queued.
    fn next_now(&self) -> Option<Box<dyn WriteJob>> {
        self.queue.try_recv().ok().map(|queued| self.take(queued))
    }

    fn take(&self, queued: Queued) -> Box<dyn WriteJob> {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        histogram!("doorstep_store_wait_seconds").record(queued.since.elapsed());
        queued.job
    }
}

fn run(mut connection: Connection, queue: &Queue, updates: &broadcast::Sender<FeedUpdate>) {
    while let Some(first) = queue.next() {
        group(&mut connection, first, queue, updates);
        gauge!("doorstep_store_waiting").set(queue.waiting.load(Ordering::Relaxed) as f64);
    }
    // Truncate the write-ahead log; if that fails, the next start recovers it.
    let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize;");
}

/// Result of a job before the commit: its feed updates.
type JobResult = Result<Vec<FeedUpdate>, StoreError>;

/// Runs the queued jobs and commits them together.
fn group(
    connection: &mut Connection,
    first: Box<dyn WriteJob>,
    queue: &Queue,
    updates: &broadcast::Sender<FeedUpdate>,
) {
    let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => return answer(first, Err(failed(error))),
    };
    let mut done: Vec<(Box<dyn WriteJob>, JobResult)> = Vec::new();
    let began = Instant::now();
    let mut next = Some(first);
    while let Some(mut job) = next {
        let outcome = in_savepoint(&transaction, job.as_mut());
        done.push((job, outcome));
        let full = done.len() >= MAX_GROUP_JOBS || began.elapsed() >= MAX_GROUP_TIME;
        next = if full { None } else { queue.next_now() };
    }
    let commits = Instant::now();
    let committed = transaction.commit().map_err(failed);
    histogram!("doorstep_store_commit_seconds").record(commits.elapsed());
    histogram!("doorstep_store_group_jobs").record(done.len() as f64);
    for (job, outcome) in done {
        match committed.clone().and(outcome) {
            Ok(feeds) => {
                // Sending fails only if there is no subscriber.
                feeds.into_iter().for_each(|feed| drop(updates.send(feed)));
                answer(job, Ok(()));
            }
            Err(error) => answer(job, Err(error)),
        }
    }
}

/// Passes on a result. A panic in the callback must not stop the writer thread.
fn answer(job: Box<dyn WriteJob>, outcome: Result<(), StoreError>) {
    drop(catch_unwind(AssertUnwindSafe(|| job.answer(outcome))));
}

fn in_savepoint(connection: &Connection, job: &mut dyn WriteJob) -> JobResult {
    execute(connection, "SAVEPOINT job")?;
    let mut tx = Tx { connection, updates: Vec::new() };
    let outcome = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)))
        .unwrap_or_else(|_| Err(StoreError::Failed("a job panicked".into())));
    if outcome.is_err() {
        execute(connection, "ROLLBACK TO job")?;
    }
    execute(connection, "RELEASE job")?;
    outcome.map(|()| tx.updates)
}
