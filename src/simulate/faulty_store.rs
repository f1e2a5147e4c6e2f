//! The store of one office process, which can be made to die at any write, or to let another process
//! write first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::office::store::{FeedUpdate, ReadJob, Store, StoreError, WriteJob};

/// The moment at which a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// The write is lost.
    BeforeCommit,
    /// The write is committed, and its caller gets no answer.
    AfterCommit,
}

#[derive(Debug, Default)]
struct Life {
    dead: Option<Death>,
    /// Number of further writes before the process dies, and how.
    scheduled: Option<(usize, Death)>,
    writes: usize,
}

/// Work of another process, and the number of writes that come before it.
type ScheduledRival = (usize, Box<dyn FnOnce() + Send>);

/// Forwards to the real store until the process dies.
pub(super) struct FaultyStore {
    store: Arc<dyn Store>,
    life: Mutex<Life>,
    rival: Mutex<Option<ScheduledRival>>,
}

impl FaultyStore {
    pub(super) fn over(store: Arc<dyn Store>) -> Self {
        Self { store, life: Mutex::default(), rival: Mutex::default() }
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the process die after `others` further writes.
    pub(super) fn schedule_death(&self, others: usize, death: Death) {
        *self.life() = Life { scheduled: Some((others, death)), ..Life::default() };
    }

    /// Lets another process do its work after `others` further writes, before the one that follows.
    pub(super) fn schedule_rival(&self, others: usize, work: Box<dyn FnOnce() + Send>) {
        *self.rival() = Some((others, work));
    }

    /// Cancels the work of another process; gives whether it had still to run.
    pub(super) fn cancel_rival(&self) -> bool {
        self.rival().take().is_some()
    }

    fn rival(&self) -> MutexGuard<'_, Option<ScheduledRival>> {
        self.rival.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run_rival(&self) {
        let mut scheduled = self.rival();
        match scheduled.as_mut() {
            None => return,
            Some((0, _)) => {}
            Some((others, _)) => {
                *others -= 1;
                return;
            }
        }
        let due = scheduled.take();
        drop(scheduled);
        let Some((_, work)) = due else { return };
        // Earlier jobs commit first: the order of commits must not depend on threads.
        let idle = self.store.write_now(|_| Ok(()));
        // A panic shows: the work has no result then.
        drop(idle.map(|()| std::thread::spawn(work).join()));
    }

    /// Cancels a scheduled death. If the process has died, gives the number of writes before, and how.
    pub(super) fn take_death(&self) -> Option<(usize, Death)> {
        let mut life = self.life();
        life.scheduled = None;
        life.dead.map(|death| (life.writes, death))
    }
}

impl Store for FaultyStore {
    fn submit(&self, job: Box<dyn WriteJob>) -> Result<(), StoreError> {
        if self.life().dead.is_some() {
            return Err(StoreError::Closed);
        }
        self.run_rival();
        let mut life = self.life();
        match life.scheduled {
            Some((0, death)) => {
                life.dead = Some(death);
                match death {
                    Death::BeforeCommit => Err(StoreError::Closed),
                    Death::AfterCommit => self.store.submit(Box::new(WithoutAnswer(job))),
                }
            }
            Some((others, death)) => {
                life.scheduled = Some((others - 1, death));
                life.writes += 1;
                self.store.submit(job)
            }
            None => self.store.submit(job),
        }
    }

    fn read(&self, read: &mut ReadJob<'_>) -> Result<(), StoreError> {
        if self.life().dead.is_some() { Err(StoreError::Closed) } else { self.store.read(read) }
    }

    fn is_remote(&self) -> bool {
        self.store.is_remote()
    }

    fn subscribe(&self) -> broadcast::Receiver<FeedUpdate> {
        self.store.subscribe()
    }

    fn close(&self) {
        self.store.close();
    }
}

/// A job whose commit is answered with `Closed`.
struct WithoutAnswer(Box<dyn WriteJob>);

impl WriteJob for WithoutAnswer {
    fn run(&mut self, tx: &mut dyn crate::office::store::Writes) -> Result<(), StoreError> {
        self.0.run(tx)
    }

    fn answer(self: Box<Self>, _: Result<(), StoreError>) {
        self.0.answer(Err(StoreError::Closed));
    }
}
