//! Takes accepted records off the phones once they were accepted long enough ago (rule F5).
//!
//! To a phone it is a withdrawal like any other: what it has unsent is handed over first. The
//! record stays at the office as it is, with its collectors; their feeds say that it is not in
//! them, so every process over the store agrees, and so does the digest.

use std::collections::BTreeMap;
use std::time::Duration;

use super::store::{EntryKind, StoreError, Writes};
use super::{Office, OfficeError};
use crate::ids::{Heads, RecordId};
use crate::sync::digest::Item;

/// Jobs that wait for the writer at once: others get their turn in between.
const AT_ONCE: usize = 200;

impl Office {
    /// Takes records that were accepted at least that long ago out of the feeds of their
    /// collectors; gives how many. Several processes may do it at once, any number of times.
    pub async fn expire_accepted(&self, after: Duration) -> Result<u64, OfficeError> {
        let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        let before = self.now().saturating_sub(after);
        let due = self.blocking(move |office| office.accepted_before(before)).await?;
        let mut gone = 0;
        for batch in due.chunks(AT_ONCE) {
            let mut pending = Vec::with_capacity(batch.len());
            for (id, heads) in batch.iter().cloned() {
                pending.push(self.store.write(move |tx| withdraw(tx, id, &heads)));
            }
            for pending in pending {
                gone += u64::from(pending.await?);
            }
        }
        Ok(gone)
    }

    /// Records in feeds that the office accepted before a time, with the state that says so.
    fn accepted_before(&self, before: i64) -> Result<Vec<(RecordId, Heads)>, OfficeError> {
        let due = self.store.read_with(|reads| {
            let mut due = BTreeMap::new();
            for feed in reads.feeds()? {
                due.extend(reads.accepted_before(&feed, before)?);
            }
            Ok(due)
        })?;
        Ok(due.into_iter().collect())
    }
}

/// Withdraws a record from the feeds that it is in, unless it has moved meanwhile; gives whether
/// it was in any.
fn withdraw(tx: &mut dyn Writes, id: RecordId, heads: &Heads) -> Result<bool, StoreError> {
    let Some(stored) = tx.record(id)?.filter(|stored| stored.heads == *heads) else {
        return Ok(false);
    };
    let members = tx.collectors(id)?;
    for feed in &members {
        let mut digest = tx.feed(feed)?.digest;
        digest.remove(Item::of(id, heads));
        tx.append(feed, id, EntryKind::Withdrawn, stored.changes, digest)?;
    }
    Ok(!members.is_empty())
}
