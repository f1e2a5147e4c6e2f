//! Bounded queue with a concurrency limit and a timeout.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::super::Problem;
use super::super::metrics;
use super::limits::QueueLimits;

/// The queue in front of one kind of work.
pub(super) struct AdmissionQueue {
    name: &'static str,
    limits: QueueLimits,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// The right to run, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _permit: OwnedSemaphorePermit,
}

impl AdmissionQueue {
    pub(super) fn new(name: &'static str, limits: QueueLimits) -> Self {
        let permits = Arc::new(Semaphore::new(limits.max_running));
        Self { name, limits, permits, waiting: AtomicUsize::new(0) }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The longest wait.
    pub(super) fn patience(&self) -> Duration {
        self.limits.max_wait
    }

    /// Waits for a permit. Refuses at once if the queue is full: an answer after that wait would come
    /// too late to be of use.
    pub(super) async fn acquire(&self) -> Result<Permit, Problem> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            metrics::waited(self.name, Duration::ZERO);
            return Ok(Permit { _permit: permit });
        }
        let _waiting = Waiting::begin(self).ok_or_else(|| metrics::shed(self.name))?;
        let began = Instant::now();
        let permit = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.limits.max_wait, permit).await {
            Ok(Ok(permit)) => {
                metrics::waited(self.name, began.elapsed());
                Ok(Permit { _permit: permit })
            }
            Ok(Err(_)) | Err(_) => Err(metrics::shed(self.name)),
        }
    }

    /// Refuses if [`AdmissionQueue::acquire`] would refuse at once. Takes no permit.
    pub(super) fn check_full(&self) -> Result<(), Problem> {
        let full = self.permits.available_permits() == 0
            && self.waiting.load(Ordering::Relaxed) >= self.limits.max_waiting;
        if full { Err(metrics::shed(self.name)) } else { Ok(()) }
    }
}

/// A waiting request; stops counting when dropped, also when the client disconnects.
struct Waiting<'g>(&'g AdmissionQueue);

impl<'g> Waiting<'g> {
    fn begin(queue: &'g AdmissionQueue) -> Option<Self> {
        let before = queue.waiting.fetch_add(1, Ordering::Relaxed);
        let one = Self(queue);
        metrics::waiting(queue.name, before + 1);
        // Over the limit, `one` is dropped, which undoes the count.
        (before < queue.limits.max_waiting).then_some(one)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let before = self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        metrics::waiting(self.0.name, before.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_wait_for_a_permit_and_are_refused_when_the_queue_is_full() {
        let limits =
            QueueLimits { max_running: 1, max_waiting: 1, max_wait: Duration::from_secs(5) };
        let queue = Arc::new(AdmissionQueue::new("test", limits));
        queue.check_full().unwrap();
        let first = queue.acquire().await.unwrap();
        let waits = {
            let queue = queue.clone();
            tokio::spawn(async move { queue.acquire().await })
        };
        while queue.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(queue.acquire().await.unwrap_err().code(), "office_busy");
        assert_eq!(queue.check_full().unwrap_err().code(), "office_busy");
        drop(first);
        let second = waits.await.unwrap().unwrap();
        // The third waits until its timeout.
        assert_eq!(queue.acquire().await.unwrap_err().code(), "office_busy");
        drop(second);
        queue.acquire().await.unwrap();
        assert_eq!(queue.waiting.load(Ordering::Relaxed), 0);
    }
}
