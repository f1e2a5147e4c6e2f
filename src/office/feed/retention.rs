//! Withdraws accepted records from feeds after a retention period (rule F5).
//!
//! For a phone it is a withdrawal like any other: it pushes its unsent work first. The record stays
//! at the office, assigned to its collectors. The feed logs themselves say that it was withdrawn, so
//! every process over the store agrees, and so does the digest.

use std::time::Duration;

use crate::ids::RecordId;
use crate::office::store::{EntryKind, Expiring, StoreError, Writes};
use crate::office::{Office, OfficeError};
use crate::sync::digest::Item;

/// Records read at a time, and jobs that wait for the writer, so that others get their turn.
const BATCH: u32 = 200;

impl Office {
    /// Withdraws records that were accepted at least `after` ago from all feeds; gives their number.
    /// Several processes may do this at once, any number of times.
    pub async fn expire_accepted(&self, after: Duration) -> Result<u64, OfficeError> {
        let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        let before = self.now().saturating_sub(after);
        let mut withdrawn = 0;
        // A record that changes meanwhile stays behind the position, for the next walk.
        let mut position = (i64::MIN, RecordId([0; 16]));
        loop {
            let read = move |office: &Office| {
                Ok(office.store.read_with(|reads| reads.expiring(position, before, BATCH))?)
            };
            let batch = self.blocking(read).await?;
            let Some(last) = batch.last() else { return Ok(withdrawn) };
            position = (last.accepted_at, last.record);
            let write = |expiring| self.store.write(move |tx| withdraw(tx, &expiring));
            let pending: Vec<_> = batch.into_iter().map(write).collect();
            for pending in pending {
                withdrawn += u64::from(pending.await?);
            }
        }
    }
}

/// Withdraws a record from its feeds, unless it has changed meanwhile; gives whether it was in any.
fn withdraw(tx: &mut dyn Writes, expiring: &Expiring) -> Result<bool, StoreError> {
    let Expiring { accepted_at: _, record: id, ref heads } = *expiring;
    let Some(stored) = tx.record(id)?.filter(|stored| stored.heads == *heads) else {
        return Ok(false);
    };
    let members = tx.collectors(id)?;
    for feed in &members {
        let mut digest = tx.feed(feed)?.digest;
        digest.remove(Item::of(id, heads));
        tx.append(feed, id, EntryKind::Withdrawn, stored.changes, digest)?;
    }
    tx.set_expired(id)?;
    Ok(!members.is_empty())
}
