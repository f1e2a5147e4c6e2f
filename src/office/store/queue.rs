//! The queue of write jobs and the one thread that takes them off.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use metrics::{gauge, histogram};

use super::{StoreError, WriteJob, Writes};

/// Maximum number of jobs in one commit.
pub(super) const MAX_GROUP_JOBS: usize = 256;

/// How long a group takes further jobs before it commits: bounds the latency of the first one.
pub(super) const MAX_GROUP_TIME: Duration = Duration::from_millis(50);

/// Queue capacity. Two hundred phones that return at once after weeks send fewer jobs; more would
/// be answered only after their phones' requests have timed out.
const MAX_QUEUED: usize = 16_384;

/// The sending end of the queue, with its thread.
pub(super) struct JobQueue {
    queue: Mutex<Option<Sender<Queued>>>,
    waiting: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A job and the time at which it was queued.
struct Queued {
    job: Box<dyn WriteJob>,
    since: Instant,
}

impl JobQueue {
    /// Starts the thread; `run` returns once [`Jobs::next`] gives `None`.
    pub(super) fn start(run: impl FnOnce(&Jobs) + Send + 'static) -> Result<Self, StoreError> {
        let (sender, queue) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let jobs = Jobs { queue, waiting: Arc::clone(&waiting) };
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(&jobs))
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

impl Drop for JobQueue {
    fn drop(&mut self) {
        self.close();
    }
}

/// The receiving end of the queue.
pub(super) struct Jobs {
    queue: Receiver<Queued>,
    waiting: Arc<AtomicUsize>,
}

impl Jobs {
    /// Waits for the next job; `None` once the store closes.
    pub(super) fn next(&self) -> Option<Box<dyn WriteJob>> {
        gauge!("doorstep_store_waiting").set(self.waiting.load(Ordering::Relaxed) as f64);
        self.queue.recv().ok().map(|queued| self.take(queued))
    }

    /// The next job, if one is queued.
    pub(super) fn next_now(&self) -> Option<Box<dyn WriteJob>> {
        self.queue.try_recv().ok().map(|queued| self.take(queued))
    }

    fn take(&self, queued: Queued) -> Box<dyn WriteJob> {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        histogram!("doorstep_store_wait_seconds").record(queued.since.elapsed());
        queued.job
    }
}

/// Runs a job; a panic in it is its failure.
pub(super) fn run(job: &mut dyn WriteJob, tx: &mut dyn Writes) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(|| job.run(tx)))
        .unwrap_or_else(|_| Err(StoreError::Failed("a job panicked".into())))
}

/// Passes on a result. A panic in the callback must not stop the writer thread.
pub(super) fn answer(job: Box<dyn WriteJob>, outcome: Result<(), StoreError>) {
    drop(catch_unwind(AssertUnwindSafe(|| job.answer(outcome))));
}
