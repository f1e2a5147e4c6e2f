//! A queue with an end: so many work, so many wait, for so long, and nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::super::Problem;
use super::super::metrics;
use super::limits::QueueLimits;

/// The queue in front of some work.
pub(super) struct AdmissionQueue {
    name: &'static str,
    turns: QueueLimits,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// A place at work, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl AdmissionQueue {
    pub(super) fn new(name: &'static str, turns: QueueLimits) -> Self {
        let places = Arc::new(Semaphore::new(turns.max_running));
        Self { name, turns, places, waiting: AtomicUsize::new(0) }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The longest wait.
    pub(super) fn patience(&self) -> Duration {
        self.turns.max_wait
    }

    /// A place, after a wait where all are taken; refused at once where too many wait already,
    /// since whoever stands behind them would be answered too late to use it.
    pub(super) async fn enter(&self) -> Result<Place, Problem> {
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            metrics::waited(self.name, Duration::ZERO);
            return Ok(Place { _permit: permit });
        }
        let _waiting = Waiting::begin(self).ok_or_else(|| metrics::shed(self.name))?;
        let began = Instant::now();
        let permit = Arc::clone(&self.places).acquire_owned();
        match tokio::time::timeout(self.turns.max_wait, permit).await {
            Ok(Ok(permit)) => {
                metrics::waited(self.name, began.elapsed());
                Ok(Place { _permit: permit })
            }
            Ok(Err(_)) | Err(_) => Err(metrics::shed(self.name)),
        }
    }

    /// Refuses where [`AdmissionQueue::enter`] would at once. Costs nothing, and gives no place.
    pub(super) fn check_full(&self) -> Result<(), Problem> {
        let full = self.places.available_permits() == 0
            && self.waiting.load(Ordering::Relaxed) >= self.turns.max_waiting;
        if full { Err(metrics::shed(self.name)) } else { Ok(()) }
    }
}

/// Somebody who waits; no longer once this is dropped, also when the client goes away.
struct Waiting<'g>(&'g AdmissionQueue);

impl<'g> Waiting<'g> {
    fn begin(gate: &'g AdmissionQueue) -> Option<Self> {
        let before = gate.waiting.fetch_add(1, Ordering::Relaxed);
        let one = Self(gate);
        metrics::waiting(gate.name, before + 1);
        // Dropped where it is one too many, which takes it back.
        (before < gate.turns.max_waiting).then_some(one)
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
    async fn who_finds_no_place_waits_and_who_finds_the_queue_full_is_sent_away() {
        let turns =
            QueueLimits { max_running: 1, max_waiting: 1, max_wait: Duration::from_secs(5) };
        let gate = Arc::new(AdmissionQueue::new("test", turns));
        gate.check_full().unwrap();
        let first = gate.enter().await.unwrap();
        let waits = {
            let gate = gate.clone();
            tokio::spawn(async move { gate.enter().await })
        };
        while gate.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.enter().await.unwrap_err().code(), "office_busy");
        assert_eq!(gate.check_full().unwrap_err().code(), "office_busy");
        drop(first);
        let second = waits.await.unwrap().unwrap();
        // The third waits in vain.
        assert_eq!(gate.enter().await.unwrap_err().code(), "office_busy");
        drop(second);
        gate.enter().await.unwrap();
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }
}
