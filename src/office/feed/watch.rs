//! Wakes the waiters of one feed only (rule R8).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;

use crate::office::Office;
use crate::office::store::{Feed, FeedUpdate, Store};

/// Waiters by feed. A thousand open streams cost a commit nothing unless their feed moved.
#[derive(Debug, Default)]
pub(in crate::office) struct FeedWatch {
    waiters: Mutex<Waiters>,
}

#[derive(Debug, Default)]
struct Waiters {
    /// Whether a task passes the store's updates on.
    passing_on: bool,
    /// The newest announced entry of each feed that has waiters.
    feeds: HashMap<String, watch::Sender<u64>>,
    /// The newest announced entry of any feed.
    all: watch::Sender<u64>,
}

impl Office {
    /// Announces moves of one feed, or of all, from now on. The value is the entry that was last
    /// announced; it may be behind the feed. Fails once the store has closed.
    pub(in crate::office) fn watch_feed(&self, feed: Option<&str>) -> watch::Receiver<u64> {
        if !std::mem::replace(&mut self.feed_watch.waiters().passing_on, true) {
            let (to, store) = (Arc::downgrade(&self.feed_watch), Arc::downgrade(&self.store));
            tokio::spawn(pass_on(to, store, self.subscribe()));
        }
        self.feed_watch.subscribe(feed)
    }
}

impl FeedWatch {
    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn subscribe(&self, feed: Option<&str>) -> watch::Receiver<u64> {
        let mut waiters = self.waiters();
        match feed {
            None => waiters.all.subscribe(),
            Some(feed) => waiters.feeds.entry(feed.to_owned()).or_default().subscribe(),
        }
    }

    fn announce(&self, FeedUpdate { feed, seq }: &FeedUpdate) {
        let mut waiters = self.waiters();
        waiters.all.send_replace(*seq);
        // The feed has no waiters any more: forget it.
        if waiters.feeds.get(feed).is_some_and(|waiter| waiter.send(*seq).is_err()) {
            waiters.feeds.remove(feed);
        }
    }

    /// Some updates were missed, and any feed may have moved.
    fn announce_all(&self, store: &dyn Store) {
        let feeds = Vec::from_iter(self.waiters().feeds.keys().cloned());
        for feed in feeds {
            // A feed that can't be read now is announced with its next move.
            if let Ok(Feed { seq, .. }) = store.read_with(|reads| reads.feed(&feed)) {
                self.announce(&FeedUpdate { feed, seq });
            }
        }
        self.waiters().all.send_modify(|_| {});
    }
}

/// Ends with the store, or with the office.
async fn pass_on(to: Weak<FeedWatch>, store: Weak<dyn Store>, mut updates: Receiver<FeedUpdate>) {
    loop {
        let update = updates.recv().await;
        let Some((to, store)) = to.upgrade().zip(store.upgrade()) else { return };
        match update {
            Ok(update) => to.announce(&update),
            Err(RecvError::Lagged(_)) => to.announce_all(store.as_ref()),
            Err(RecvError::Closed) => {
                // Dropping the senders ends the streams.
                *to.waiters() = Waiters::default();
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_wake_whose_feed_moved() {
        let watch = FeedWatch::default();
        let mut own = watch.subscribe(Some("chen.jie"));
        let other = watch.subscribe(Some("wu.min"));
        let all = watch.subscribe(None);
        watch.announce(&FeedUpdate { feed: "chen.jie".into(), seq: 3 });
        assert!(own.has_changed().unwrap() && all.has_changed().unwrap());
        assert!(!other.has_changed().unwrap());
        assert_eq!(*own.borrow_and_update(), 3);
        drop(own);
        watch.announce(&FeedUpdate { feed: "chen.jie".into(), seq: 4 });
        assert_eq!(watch.waiters().feeds.len(), 1, "no waiter for that feed");
    }
}
