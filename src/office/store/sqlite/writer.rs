//! The one thread that writes, and its group commit.
//!
//! A commit waits for the disk, so while one waits the queue fills up; the next commit then takes
//! all of it. Alone, a job is committed at once. Each job has a savepoint of its own: one that
//! fails or panics is rolled back there and spoils no other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use metrics::{gauge, histogram};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::broadcast;

use super::Tx;
use super::convert::failed;
use crate::office::store::{FeedUpdate, StoreError, WriteJob};

/// The most jobs in one commit.
const GROUP: usize = 256;

/// How long a commit goes on taking jobs: bounds how long the first of them waits for the last.
const GROUP_TIME: Duration = Duration::from_millis(50);

/// Jobs that may wait. Two hundred phones that come back at once from weeks of work bring fewer;
/// more would only be answered after their phones gave up waiting.
const MOST: usize = 16_384;

/// The queue's end that everybody holds.
pub(super) struct Writer {
    queue: Mutex<Option<Sender<Queued>>>,
    waiting: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A job, and since when it waits.
struct Queued {
    job: Box<dyn WriteJob>,
    since: Instant,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        connection: Connection,
        moved: broadcast::Sender<FeedUpdate>,
    ) -> Result<Self, StoreError> {
        let (sender, queue) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let queue = Queue { queue, waiting: Arc::clone(&waiting) };
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(connection, &queue, &moved))
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        let (queue, thread) = (Mutex::new(Some(sender)), Mutex::new(Some(thread)));
        Ok(Self { queue, waiting, thread })
    }

    /// Queues a job.
    pub(super) fn submit(&self, job: Box<dyn WriteJob>) -> Result<(), StoreError> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = queue.as_ref().ok_or(StoreError::Closed)?;
        if self.waiting.load(Ordering::Relaxed) >= MOST {
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
        // A panic of the thread has been answered to every job by the drop of the queue.
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

/// The queue's other end.
struct Queue {
    queue: Receiver<Queued>,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    /// The next job, waited for; `None` once the store closes.
    fn next(&self) -> Option<Box<dyn WriteJob>> {
        self.queue.recv().ok().map(|queued| self.take(queued))
    }

    /// The next job, where one waits.
    fn next_now(&self) -> Option<Box<dyn WriteJob>> {
        self.queue.try_recv().ok().map(|queued| self.take(queued))
    }

    fn take(&self, queued: Queued) -> Box<dyn WriteJob> {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        histogram!("doorstep_store_wait_seconds").record(queued.since.elapsed());
        queued.job
    }
}

fn run(mut connection: Connection, queue: &Queue, moved: &broadcast::Sender<FeedUpdate>) {
    while let Some(first) = queue.next() {
        group(&mut connection, first, queue, moved);
        gauge!("doorstep_store_waiting").set(queue.waiting.load(Ordering::Relaxed) as f64);
    }
    // Leaves no log behind for the next start; where it fails, the next start reads the log.
    let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize;");
}

/// What a job did before the commit: the feeds that it moved.
type Ran = Result<Vec<FeedUpdate>, StoreError>;

/// Runs what is queued and commits it as one.
fn group(
    connection: &mut Connection,
    first: Box<dyn WriteJob>,
    queue: &Queue,
    moved: &broadcast::Sender<FeedUpdate>,
) {
    let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => return answer(first, Err(failed(error))),
    };
    let mut done: Vec<(Box<dyn WriteJob>, Ran)> = Vec::new();
    let began = Instant::now();
    let mut next = Some(first);
    while let Some(mut job) = next {
        let outcome = in_savepoint(&transaction, job.as_mut());
        done.push((job, outcome));
        let full = done.len() >= GROUP || began.elapsed() >= GROUP_TIME;
        next = if full { None } else { queue.next_now() };
    }
    let commits = Instant::now();
    let committed = transaction.commit().map_err(failed);
    histogram!("doorstep_store_commit_seconds").record(commits.elapsed());
    histogram!("doorstep_store_group_jobs").record(done.len() as f64);
    for (job, outcome) in done {
        match committed.clone().and(outcome) {
            Ok(feeds) => {
                answer(job, Ok(()));
                // Nobody listening is no failure.
                feeds.into_iter().for_each(|feed| drop(moved.send(feed)));
            }
            Err(error) => answer(job, Err(error)),
        }
    }
}

/// Tells whoever asked. A panic there is theirs; the thread writes on for all others.
fn answer(job: Box<dyn WriteJob>, outcome: Result<(), StoreError>) {
    drop(catch_unwind(AssertUnwindSafe(|| job.answer(outcome))));
}

fn in_savepoint(connection: &Connection, job: &mut dyn WriteJob) -> Ran {
    connection.execute_batch("SAVEPOINT job").map_err(failed)?;
    let mut tx = Tx { connection, moved: Vec::new() };
    let outcome = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)))
        .unwrap_or_else(|_| Err(StoreError::Failed("a job panicked".into())));
    let end = match outcome {
        Ok(()) => "RELEASE job",
        Err(_) => "ROLLBACK TO job; RELEASE job",
    };
    connection.execute_batch(end).map_err(failed)?;
    outcome.map(|()| tx.moved)
}
