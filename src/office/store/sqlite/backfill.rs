//! Fills columns that a migration added and that only the documents can fill.
//!
//! Runs whenever a store is opened for writing, until it has completed once. Each batch commits on
//! its own, so an interrupted upgrade continues where it stopped, and a store that is opened
//! read-only refuses a file whose backfill has not completed.

use rusqlite::{Connection, TransactionBehavior};

use super::convert::failed;
use super::facts::put_facts;
use super::rows::{PROMISE, SUMMARY, promise, summary};
use super::{EARLIER_VERSION, StoreError, Tx};
use crate::ids::RecordId;
use crate::office::store::ReportFacts;
use crate::record::Record;
use crate::record::queue::QueueOrder;

/// Migrations whose columns are filled in here.
const ACCEPTED_AT: i64 = 12;
const REPORT_FACTS: i64 = 15;
const QUEUES: i64 = 17;
const NEWEST: i64 = QUEUES;

/// Documents read in one transaction: other processes wait for it.
const BATCH: usize = 200;

/// Fills what former versions did not write.
pub(super) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    let done = done(connection)?;
    if done >= NEWEST {
        return Ok(());
    }
    if done < ACCEPTED_AT {
        // A record that is not accepted has no time of acceptance.
        fill(connection, "v.stage = 'reviewed' AND v.accepted_at IS NULL", |tx, id, record| {
            let Some(at) = record.accepted_at() else { return Ok(()) };
            tx.execute("UPDATE visits SET accepted_at = ?2 WHERE record = ?1", (id, at)).map(drop)
        })?;
    }
    if done < REPORT_FACTS {
        // The first change of a record is the office's: it has no facts of a visit.
        fill(connection, "r.changes > 1", |tx, id, record| {
            put_facts(tx, id, &ReportFacts::of(&record.view()))
        })?;
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

/// Fills columns of the rows that pass a condition over `visits v` and `records r`. A document that
/// does not load leaves them absent; `verify` reports the document.
fn fill(
    connection: &mut Connection,
    condition: &str,
    write: impl Fn(&Connection, &[u8], &Record) -> rusqlite::Result<()>,
) -> Result<(), StoreError> {
    let page = format!(
        "SELECT v.record, r.document FROM visits v JOIN records r ON r.id = v.record
         WHERE v.record > ?1 AND {condition} ORDER BY v.record LIMIT ?2"
    );
    // The empty blob sorts before every id.
    let mut after: Vec<u8> = Vec::new();
    loop {
        let batch = (|| {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let batch: Vec<(Vec<u8>, Vec<u8>)> = tx
                .prepare_cached(&page)?
                .query_map((&after, BATCH as i64), |row| row.try_into())?
                .collect::<Result<_, _>>()?;
            for (id, document) in &batch {
                if let Ok(record) = Record::load(document) {
                    write(&tx, id, &record)?;
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

/// Migration 17: marks and keys of queues, and the search index.
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
                "SELECT {SUMMARY}, {PROMISE} FROM visits v
                 WHERE v.record > ?1 ORDER BY v.record LIMIT ?2"
            ),
            (&after, BATCH as i64),
            |row| Ok((RecordId(row.get(0)?), summary(row)?.0, promise(row)?)),
        )?;
        for (id, summary, promise) in &batch {
            let key = order.sort_key(summary, promise.as_ref());
            let (unassigned, held) = (summary.collectors.is_empty(), !summary.holds.is_empty());
            rows.write(
                "UPDATE visits SET unassigned = ?2, held = ?3, queue_key = ?4 WHERE record = ?1",
                (id.0, unassigned, held, key),
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
