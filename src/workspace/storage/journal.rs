//! What is to be written to the device's store, in order and one batch at a time.
//!
//! While one batch is being committed everything else gathers in the next, so that a slow disk
//! groups commits by itself and a later write can never be on disk without an earlier one. A batch
//! that fails goes back in front: nothing that was typed is dropped, and the next try carries all.

use std::collections::BTreeMap;

use super::vault::Vault;
use crate::workspace::output::{Table, Write};

/// A place in the store: table and key.
type Place = (Table, String);

/// What is to stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stand {
    Bytes(Vec<u8>),
    Nothing,
}

/// Writes on their way to the disk.
#[derive(Debug)]
pub(crate) struct Journal {
    gathering: Batch,
    committing: Option<(u64, Batch)>,
    /// The last batch failed: wait for a retry instead of hammering a full disk.
    failed: bool,
    next: u64,
}

impl Default for Journal {
    fn default() -> Self {
        // Batches count from 1: 0 is before every batch.
        Self { gathering: Batch::default(), committing: None, failed: false, next: 1 }
    }
}

#[derive(Debug, Default)]
struct Batch {
    stands: BTreeMap<Place, Stand>,
    /// Highest ticket that is durable once this batch is.
    ticket: u64,
}

impl Journal {
    /// Has `bytes` stand at a key.
    pub(crate) fn put(&mut self, table: Table, key: String, bytes: Vec<u8>) {
        self.gathering.stands.insert((table, key), Stand::Bytes(bytes));
    }

    /// Has nothing stand at a key.
    pub(crate) fn delete(&mut self, table: Table, key: String) {
        self.gathering.stands.insert((table, key), Stand::Nothing);
    }

    /// Has nothing stand under a prefix, which ends in `/`.
    pub(crate) fn delete_all(&mut self, table: Table, prefix: String) {
        let under = |place: &Place| place.0 == table && place.1.starts_with(&prefix);
        self.gathering.stands.retain(|place, _| !under(place));
        // The bare prefix sorts before every key under it: later puts of the batch stand.
        self.gathering.stands.insert((table, prefix), Stand::Nothing);
    }

    /// Whether anything waits for the next batch.
    pub(crate) fn is_gathering(&self) -> bool {
        !self.gathering.stands.is_empty()
    }

    /// The batch that gathers now makes this ticket durable.
    pub(crate) fn ticket(&mut self, ticket: u64) {
        self.gathering.ticket = self.gathering.ticket.max(ticket);
    }

    /// Whether everything is on disk.
    pub(crate) fn is_idle(&self) -> bool {
        self.committing.is_none() && self.gathering.stands.is_empty()
    }

    /// Whether this batch is on its way to the disk.
    pub(crate) fn is_committing(&self, batch: u64) -> bool {
        self.committing.as_ref().is_some_and(|(committing, _)| *committing == batch)
    }

    /// Whether the last batch failed and waits for a retry.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// The number that the batch gathering now will have, or had if nothing gathers.
    pub(crate) fn number(&self) -> u64 {
        self.next
    }

    /// The next batch, sealed, if none is being committed.
    pub(crate) fn poll(&mut self, vault: &mut Vault) -> Option<(u64, Vec<Write>)> {
        if self.committing.is_some() || self.failed || self.gathering.stands.is_empty() {
            return None;
        }
        let batch = std::mem::take(&mut self.gathering);
        let id = self.next;
        self.next += 1;
        let writes = batch
            .stands
            .iter()
            .map(|((table, key), stand)| Write {
                table: *table,
                key: key.clone(),
                value: match stand {
                    Stand::Bytes(bytes) => {
                        Some(serde_bytes::ByteBuf::from(vault.encrypt(*table, key, bytes)))
                    }
                    Stand::Nothing => None,
                },
            })
            .collect();
        self.committing = Some((id, batch));
        Some((id, writes))
    }

    /// A batch is durable; gives the ticket that is durable with it.
    pub(crate) fn done(&mut self, id: u64) -> Option<u64> {
        let (_, batch) = self.committing.take_if(|(committing, _)| *committing == id)?;
        Some(batch.ticket)
    }

    /// A batch failed and left nothing behind: it goes back in front of what gathers.
    pub(crate) fn failed(&mut self, id: u64) {
        let Some((_, batch)) = self.committing.take_if(|(committing, _)| *committing == id) else {
            return;
        };
        for (place, stand) in batch.stands {
            self.gathering.stands.entry(place).or_insert(stand);
        }
        self.gathering.ticket = self.gathering.ticket.max(batch.ticket);
        self.failed = true;
    }

    /// Drops all that waits to be written: the store is erased.
    pub(crate) fn abandon(&mut self) {
        self.gathering = Batch::default();
        self.committing = None;
        self.failed = false;
    }

    /// Tries again what failed.
    pub(crate) fn retry(&mut self) {
        self.failed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_batch_goes_in_front_and_later_writes_win() {
        let mut journal = Journal::default();
        let mut vault = Vault::new(&[7; 32], [1; 16]);
        journal.put(Table::Meta, "a".into(), vec![1]);
        journal.ticket(1);
        let (first, _) = journal.poll(&mut vault).expect("a batch");
        journal.put(Table::Meta, "a".into(), vec![2]);
        journal.put(Table::Meta, "b".into(), vec![3]);
        assert!(journal.poll(&mut vault).is_none(), "one batch at a time");
        journal.failed(first);
        assert!(journal.poll(&mut vault).is_none(), "no hammering");
        journal.retry();
        let (second, writes) = journal.poll(&mut vault).expect("the batch again");
        let stands = writes.iter().map(|write| {
            let value = write.value.as_ref().expect("a value");
            (write.key.as_str(), vault.decrypt(Table::Meta, &write.key, value).expect("sealed"))
        });
        assert!(stands.eq([("a", vec![2]), ("b", vec![3])]));
        assert_eq!(journal.done(second), Some(1));
        assert!(journal.is_idle());
    }
}
