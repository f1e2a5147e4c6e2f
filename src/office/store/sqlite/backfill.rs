//! Fills columns that a migration added and that only the documents can fill.
//!
//! Runs whenever a store is opened for writing, until it has completed once. Each batch commits on
//! its own, so an interrupted upgrade continues where it stopped, and a store that is opened
//! read-only refuses a file whose backfill has not completed.

use rusqlite::{Connection, TransactionBehavior};

use super::convert::failed;
use super::rows::{SUMMARY, summary};
use super::{EARLIER_VERSION, StoreError, Tx};
use crate::ids::RecordId;
use crate::record::Record;
use crate::record::queue::{QueueOrder, open_promise};

/// The newest migration whose columns are filled in here.
const NEWEST: i64 = 15;

/// Documents read in one transaction: other processes wait for it.
const BATCH: usize = 200;

/// Fills what former versions did not write.
pub(super) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    let done = done(connection)?;
    if done >= NEWEST {
        return Ok(());
    }
    if done < 12 {
        fill_accepted_at(connection)?;
    }
    fill_queues_and_search(connection)?;
    connection.execute("UPDATE meta SET backfilled = ?1", [NEWEST]).map(drop).map_err(failed)
}

/// Refuses a file that a former version wrote and that [`run`] has not filled yet.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    if done(connection)? >= NEWEST {
        return Ok(());
    }
    Err(StoreError::Failed(EARLIER_VERSION.to_owned()))
}

fn done(connection: &Connection) -> Result<i64, StoreError> {
    connection.query_row("SELECT backfilled FROM meta", (), |row| row.get(0)).map_err(failed)
}

/// Migration 12: `visits.accepted_at`. A document that does not load leaves it absent; `verify`
/// reports the document.
fn fill_accepted_at(connection: &mut Connection) -> Result<(), StoreError> {
    // The empty blob sorts before every id.
    let mut after: Vec<u8> = Vec::new();
    loop {
        let batch = (|| {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let batch: Vec<(Vec<u8>, Vec<u8>)> = tx
                .prepare_cached(
                    "SELECT v.record, r.document FROM visits v JOIN records r ON r.id = v.record
                     WHERE v.record > ?1 AND v.stage = 'reviewed' AND v.accepted_at IS NULL
                     ORDER BY v.record LIMIT ?2",
                )?
                .query_map((&after, BATCH as i64), |row| row.try_into())?
                .collect::<Result<_, _>>()?;
            for (id, document) in &batch {
                let record = Record::load(document).ok();
                if let Some(at) = record.and_then(|record| record.accepted_at()) {
                    tx.execute("UPDATE visits SET accepted_at = ?2 WHERE record = ?1", (id, at))?;
                }
            }
            tx.commit()?;
            Ok(batch)
        })()
        .map_err(failed)?;
        let full = batch.len() == BATCH;
        match batch.into_iter().last() {
            Some((id, _)) if full => after = id,
            Some(_) | None => return Ok(()),
        }
    }
}

/// Migration 15: promises, marks and keys of queues, and the search index. A document that does not
/// load has no promise; `verify` reports the document.
fn fill_queues_and_search(connection: &mut Connection) -> Result<(), StoreError> {
    // Rows are not sorted by other rules before this has completed.
    let order = QueueOrder::default();
    let mut after: Vec<u8> = Vec::new();
    loop {
        let tx =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let rows = Tx { connection: &tx, updates: Vec::new() };
        let batch = rows.query_all(
            &format!(
                "SELECT {SUMMARY}, r.document FROM visits v JOIN records r ON r.id = v.record
                 WHERE v.record > ?1 ORDER BY v.record LIMIT ?2"
            ),
            (&after, BATCH as i64),
            |row| Ok((RecordId(row.get(0)?), summary(row)?.0, row.get::<_, Vec<u8>>(23)?)),
        )?;
        for (id, summary, document) in &batch {
            let promise =
                Record::load(document).ok().and_then(|record| open_promise(&record.view()));
            let key = order.sort_key(summary, promise.as_ref());
            let (due, amount) =
                promise.map_or_else(Default::default, |found| (found.due_date, found.amount));
            let (unassigned, held) = (summary.collectors.is_empty(), !summary.holds.is_empty());
            rows.write(
                "UPDATE visits SET promise_due = ?2, promise_amount = ?3, unassigned = ?4,
                   held = ?5, queue_key = ?6 WHERE record = ?1",
                (id.0, due, amount, unassigned, held, key),
            )?;
            rows.write_search(*id, summary)?;
        }
        tx.commit().map_err(failed)?;
        match batch.last() {
            Some((id, ..)) if batch.len() == BATCH => after = id.0.to_vec(),
            Some(_) | None => return Ok(()),
        }
    }
}
