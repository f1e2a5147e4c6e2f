//! Withdraws accepted records from feeds after a retention period (rule F5).
//!
//! For a phone it is a withdrawal like any other: it pushes its unsent work first. The record stays
//! at the office, assigned to its collectors. The feed logs themselves say that it was withdrawn, so
//! every process over the store agrees, and so does the digest.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::{Heads, RecordId};
use crate::office::store::{EntryKind, StoreError, Writes};
use crate::office::{Office, OfficeError};
use crate::sync::digest::Item;

/// Jobs that wait for the writer at a time, so that others get their turn.
const BATCH: usize = 200;

impl Office {
    /// Withdraws records that were accepted at least `after` ago from all feeds; gives their number.
    /// Several processes may do this at once, any number of times.
    pub async fn expire_accepted(&self, after: Duration) -> Result<u64, OfficeError> {
        let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        let before = self.now().saturating_sub(after);
        let due = self.blocking(move |office| office.accepted_before(before)).await?;
        let mut withdrawn = 0;
        for batch in due.chunks(BATCH) {
            let mut pending = Vec::with_capacity(batch.len());
            for (id, heads) in batch.iter().cloned() {
                pending.push(self.store.write(move |tx| withdraw(tx, id, &heads)));
            }
            for pending in pending {
                withdrawn += u64::from(pending.await?);
            }
        }
        Ok(withdrawn)
    }

    /// Records in feeds that were accepted before a time, with their heads.
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

/// Withdraws a record from its feeds, unless it has changed meanwhile; gives whether it was in any.
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
