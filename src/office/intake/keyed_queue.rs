//! A bounded queue per key, so that one device, user or record does not delay others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Queues by key. A queue exists while it has members.
#[derive(Debug)]
pub(in crate::office) struct KeyedQueue<K: Ord> {
    at_once: usize,
    waiting: usize,
    open: Mutex<BTreeMap<K, Lane>>,
}

/// One key's queue.
#[derive(Debug)]
struct Lane {
    permits: Arc<Semaphore>,
    /// Holders of a slot and waiters.
    present: usize,
}

/// The queue of a key is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::office) struct QueueFull;

/// A slot of a key, released on drop.
#[derive(Debug)]
pub(in crate::office) struct Slot<K: Ord> {
    queue: Arc<KeyedQueue<K>>,
    key: K,
    permit: Option<OwnedSemaphorePermit>,
}

impl<K: Ord + Clone> KeyedQueue<K> {
    /// Queues with up to `at_once` slots and `waiting` waiters per key.
    pub(in crate::office) fn new(at_once: usize, waiting: usize) -> Arc<Self> {
        Arc::new(Self { at_once, waiting, open: Mutex::default() })
    }

    /// Waits for a slot of a key, in order of arrival. Fails at once if the queue is full.
    pub(in crate::office) async fn acquire(self: &Arc<Self>, key: K) -> Result<Slot<K>, QueueFull> {
        let (mut slot, permits) = self.join(key).ok_or(QueueFull)?;
        // The semaphore is never closed.
        slot.permit = Some(permits.acquire_owned().await.map_err(|_| QueueFull)?);
        Ok(slot)
    }

    /// A slot of a key, if one is free now.
    pub(in crate::office) fn try_acquire(self: &Arc<Self>, key: K) -> Option<Slot<K>> {
        let (mut slot, permits) = self.join(key)?;
        slot.permit = Some(permits.try_acquire_owned().ok()?);
        Some(slot)
    }

    fn join(self: &Arc<Self>, key: K) -> Option<(Slot<K>, Arc<Semaphore>)> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = open.entry(key.clone()).or_insert_with(|| Lane {
            permits: Arc::new(Semaphore::new(self.at_once)),
            present: 0,
        });
        if lane.present >= self.at_once.saturating_add(self.waiting) {
            return None;
        }
        lane.present += 1;
        let slot = Slot { queue: Arc::clone(self), key, permit: None };
        Some((slot, Arc::clone(&lane.permits)))
    }
}

impl<K: Ord> Drop for Slot<K> {
    fn drop(&mut self) {
        let mut open = self.queue.open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.permit.take());
        if let Some(lane) = open.get_mut(&self.key) {
            lane.present = lane.present.saturating_sub(1);
            if lane.present == 0 {
                open.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_key_has_its_own_places_and_an_end() {
        let queue = KeyedQueue::new(1, 1);
        let first = queue.acquire('a').await.unwrap();
        let _other = queue.acquire('b').await.unwrap();
        assert!(queue.try_acquire('a').is_none());
        let waits = {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.acquire('a').await })
        };
        while queue.open.lock().unwrap()[&'a'].present < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(queue.acquire('a').await.unwrap_err(), QueueFull);
        drop(first);
        drop(waits.await.unwrap().unwrap());
        queue.acquire('a').await.unwrap();
        assert!(!queue.open.lock().unwrap().contains_key(&'a'), "nothing is kept of it");
    }
}
