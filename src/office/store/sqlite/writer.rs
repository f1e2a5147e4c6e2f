//! The writer thread and its group commit.
//!
//! While a commit waits for the disk the queue fills up, and the next commit takes all of it. A
//! single job is committed at once. Each job has a savepoint of its own: one that fails or panics
//! is rolled back alone.

use std::time::Instant;

use metrics::histogram;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::broadcast;

use super::convert::failed;
use super::{Tx, execute};
use crate::office::store::queue::{self, Jobs, MAX_GROUP_JOBS, MAX_GROUP_TIME, answer};
use crate::office::store::{FeedUpdate, StoreError, WriteJob};

/// Works off the queue until the store closes.
pub(super) fn run(
    mut connection: Connection,
    queue: &Jobs,
    updates: &broadcast::Sender<FeedUpdate>,
) {
    while let Some(first) = queue.next() {
        group(&mut connection, first, queue, updates);
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
    queue: &Jobs,
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

fn in_savepoint(connection: &Connection, job: &mut dyn WriteJob) -> JobResult {
    execute(connection, "SAVEPOINT job")?;
    let mut tx = Tx { connection, updates: Vec::new() };
    let outcome = queue::run(job, &mut tx);
    if outcome.is_err() {
        execute(connection, "ROLLBACK TO job")?;
    }
    execute(connection, "RELEASE job")?;
    outcome.map(|()| tx.updates)
}
