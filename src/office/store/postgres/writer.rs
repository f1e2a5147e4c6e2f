//! The writer thread: jobs in groups, one transaction each.
//!
//! A group shares its commit, and its transaction has no savepoints. If something fails, its halves
//! are tried on their own, and so on: other endpoints' conflicts hit fewer jobs each time, and a job
//! that cannot succeed fails alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::{counter, histogram};
use tokio::sync::broadcast;

use super::bulletin::Bulletin;
use super::connection::{Connection, Failure, Server};
use super::tx::{Tx, WRITE, WRITE_IN_TURN};
use crate::office::store::queue::{self, Jobs, MAX_GROUP_JOBS, MAX_GROUP_TIME, answer};
use crate::office::store::{FeedUpdate, StoreError, WriteJob};

/// How long conflicts are retried: phones' requests last longer.
const MAX_RETRY_TIME: Duration = Duration::from_secs(20);

/// Attempts after a violated constraint: a concurrent transaction may have caused it, but not over
/// and over.
const MAX_CONSTRAINT_ATTEMPTS: u32 = 3;

/// Attempts with new connections.
const MAX_LOST_ATTEMPTS: u32 = 2;

/// Longest pause between two attempts, ms.
const MAX_PAUSE: u64 = 200;

type Job = Box<dyn WriteJob>;

/// Result of a job in a transaction: its feed updates.
type JobResult = Result<Vec<FeedUpdate>, StoreError>;

pub(super) struct Writer {
    server: Arc<Server>,
    connection: Option<Connection>,
    updates: broadcast::Sender<FeedUpdate>,
    bulletin: Bulletin,
}

impl Writer {
    pub(super) fn new(
        server: Arc<Server>,
        updates: broadcast::Sender<FeedUpdate>,
        bulletin: Bulletin,
    ) -> Self {
        Self { server, connection: None, updates, bulletin }
    }

    /// Works off the queue until the store closes.
    pub(super) fn run(&mut self, queue: &Jobs) {
        while let Some(first) = queue.next() {
            let began = Instant::now();
            let mut taken = 1;
            let mut next = || {
                let full = taken >= MAX_GROUP_JOBS || began.elapsed() >= MAX_GROUP_TIME;
                let job = if full { None } else { queue.next_now() };
                taken += usize::from(job.is_some());
                job
            };
            let mut jobs = vec![first];
            let outcome = self.attempt(WRITE, &mut jobs, &mut next);
            histogram!("doorstep_store_group_jobs").record(jobs.len() as f64);
            self.conclude(jobs, outcome, began);
        }
    }

    /// Answers jobs, or tries them again in smaller groups.
    fn conclude(
        &mut self,
        jobs: Vec<Job>,
        outcome: Result<Vec<JobResult>, Failure>,
        began: Instant,
    ) {
        let mut tried = vec![(jobs, outcome, 1)];
        while let Some((mut jobs, outcome, attempt)) = tried.pop() {
            let failure = match outcome {
                Ok(results) => {
                    self.answer_all(jobs, results);
                    continue;
                }
                Err(failure) => failure,
            };
            let alone = jobs.len() == 1;
            let again = began.elapsed() < MAX_RETRY_TIME
                && match &failure {
                    Failure::Conflict(_) => true,
                    Failure::Constraint(_) => !alone || attempt < MAX_CONSTRAINT_ATTEMPTS,
                    Failure::Lost(_) => attempt < MAX_LOST_ATTEMPTS,
                    Failure::Refused(_) | Failure::Job(_) => !alone,
                    Failure::Unanswered(_) => false,
                };
            if !again {
                let error = StoreError::from(failure);
                jobs.into_iter().for_each(|job| answer(job, Err(error.clone())));
                continue;
            }
            let split = !alone && !failure.is_lost();
            let second = if split { jobs.split_off(jobs.len() / 2) } else { Vec::new() };
            let mut begin = WRITE;
            if let Failure::Conflict(message) = &failure {
                tracing::debug!(%message, "a transaction is repeated");
                counter!("doorstep_store_conflicts_total").increment(1);
                begin = WRITE_IN_TURN;
                pause(attempt);
            }
            // The first half is concluded before the second runs: jobs stay in order.
            let outcome = self.attempt(begin, &mut jobs, &mut || None);
            if second.is_empty() {
                tried.push((jobs, outcome, attempt + 1));
            } else {
                self.conclude(jobs, outcome, began);
                let mut second = second;
                let outcome = self.attempt(begin, &mut second, &mut || None);
                tried.push((second, outcome, attempt + 1));
            }
        }
    }

    fn answer_all(&self, jobs: Vec<Job>, results: Vec<JobResult>) {
        for (job, result) in jobs.into_iter().zip(results) {
            match result {
                Ok(feeds) => {
                    for feed in feeds {
                        self.bulletin.post(feed.clone());
                        // Fails only if there is no subscriber.
                        drop(self.updates.send(feed));
                    }
                    answer(job, Ok(()));
                }
                Err(error) => answer(job, Err(error)),
            }
        }
    }

    /// Runs jobs, and those that `next` adds, in one transaction.
    fn attempt(
        &mut self,
        begin: &'static str,
        jobs: &mut Vec<Job>,
        next: &mut dyn FnMut() -> Option<Job>,
    ) -> Result<Vec<JobResult>, Failure> {
        let idle = self.connection.take().filter(|connection| !connection.is_closed());
        let mut connection = idle.map_or_else(|| self.server.connect(), Ok)?;
        let mut tx = Tx::new(&self.server, &mut connection, begin);
        let outcome = run_all(&mut tx, jobs, next);
        tx.end();
        if !outcome.as_ref().is_err_and(Failure::is_lost) {
            self.connection = Some(connection);
        }
        outcome
    }
}

fn run_all(
    tx: &mut Tx<'_>,
    jobs: &mut Vec<Job>,
    next: &mut dyn FnMut() -> Option<Job>,
) -> Result<Vec<JobResult>, Failure> {
    let mut results = Vec::new();
    while let Some(job) = jobs.get_mut(results.len()) {
        let mark = tx.mark();
        let outcome = queue::run(job.as_mut(), tx);
        if let Some(failure) = tx.failure.take() {
            return Err(failure);
        }
        match outcome {
            Ok(()) => results.push(Ok(std::mem::take(&mut tx.updates))),
            Err(error) if tx.undo(mark) => results.push(Err(error)),
            Err(error) => return Err(Failure::Job(error)),
        }
        if results.len() == jobs.len() {
            jobs.extend(next());
        }
    }
    let commits = Instant::now();
    tx.commit()?;
    histogram!("doorstep_store_commit_seconds").record(commits.elapsed());
    Ok(results)
}

/// A random pause, so that endpoints in conflict do not meet again.
fn pause(attempt: u32) {
    let most = 2_u64.saturating_pow(attempt).min(MAX_PAUSE);
    std::thread::sleep(Duration::from_millis(fastrand::u64(0..=most)));
}
