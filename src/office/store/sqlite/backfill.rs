//! Fills columns that a migration added and that only the documents can fill.
//!
//! Runs whenever a store is opened for writing, until it has completed once. Each batch commits on
//! its own, so an interrupted upgrade continues where it stopped, and a store that is opened
//! read-only refuses a file whose backfill has not completed.

use rusqlite::{Connection, TransactionBehavior};

use super::convert::failed;
use super::{EARLIER_VERSION, StoreError};
use crate::record::Record;

/// The newest migration whose columns are filled in here.
const NEWEST: i64 = 12;

/// Documents read in one transaction: other processes wait for it.
const BATCH: usize = 200;

/// Fills what former versions did not write.
pub(super) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    if done(connection)? >= NEWEST {
        return Ok(());
    }
    fill_accepted_at(connection)?;
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
