//! Pending writes to the device's store, in order and one batch at a time.
//!
//! While one batch is being committed all other writes gather in the next, so a slow disk groups
//! commits and a later write is never on disk without an earlier one. A failed batch is
//! merged back under the gathering one: nothing is dropped, and the next try writes all of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::types::TsType;
use crate::vault::Vault;
use crate::workspace::output::{Table, Write};

/// Table and key of a row.
type RowKey = (Table, String);

/// The value that a row is about to have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PendingValue {
    Put(Vec<u8>),
    Delete,
}

TsType! {
/// Why a batch could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageFailure {
    /// The device is out of space.
    StorageFull,
    /// Any other failure.
    StorageFailed,
}
}

impl StorageFailure {
    /// From the driver's code; unknown codes are `StorageFailed`.
    pub fn from_code(code: &str) -> Self {
        match code {
            "storage_full" => Self::StorageFull,
            _ => Self::StorageFailed,
        }
    }
}

/// Writes on their way to the disk.
#[derive(Debug)]
pub(crate) struct Journal {
    gathering: Batch,
    committing: Option<(u64, Batch)>,
    /// The last batch failed: nothing is written before a retry, to spare a full disk.
    failure: Option<StorageFailure>,
    next: u64,
}

impl Default for Journal {
    fn default() -> Self {
        // Batches count from 1: 0 is before every batch.
        Self { gathering: Batch::default(), committing: None, failure: None, next: 1 }
    }
}

#[derive(Debug, Default)]
struct Batch {
    values: BTreeMap<RowKey, PendingValue>,
    /// Highest ticket that is durable once this batch is.
    ticket: u64,
}

impl Journal {
    /// Writes a row.
    pub(crate) fn put(&mut self, table: Table, key: String, bytes: Vec<u8>) {
        self.gathering.values.insert((table, key), PendingValue::Put(bytes));
    }

    /// Deletes a row.
    pub(crate) fn delete(&mut self, table: Table, key: String) {
        self.gathering.values.insert((table, key), PendingValue::Delete);
    }

    /// Deletes all rows under a prefix, which ends in `/`.
    pub(crate) fn delete_all(&mut self, table: Table, prefix: String) {
        let under = |row: &RowKey| row.0 == table && row.1.starts_with(&prefix);
        self.gathering.values.retain(|row, _| !under(row));
        // The bare prefix sorts before every key under it, so later puts of the batch survive.
        self.gathering.values.insert((table, prefix), PendingValue::Delete);
    }

    /// Makes the gathering batch answer for this ticket.
    pub(crate) fn ticket(&mut self, ticket: u64) {
        self.gathering.ticket = self.gathering.ticket.max(ticket);
    }

    /// Whether anything waits for the next batch.
    pub(crate) fn is_gathering(&self) -> bool {
        !self.gathering.values.is_empty()
    }

    /// Whether an edit waits for the next batch.
    pub(crate) fn has_edit(&self) -> bool {
        self.gathering.ticket > 0
    }

    /// Writes to a record's rows that are not on disk yet, in order; `None` deletes the row, or
    /// all of them where the key is the prefix.
    pub(crate) fn pending<'j>(
        &'j self,
        table: Table,
        prefix: &'j str,
    ) -> impl Iterator<Item = (&'j str, Option<&'j [u8]>)> {
        let batches = self.committing.iter().map(|(_, batch)| batch).chain([&self.gathering]);
        let under = move |(of, key): &RowKey| *of == table && key.starts_with(prefix);
        let rows = move |batch: &'j Batch| {
            let from = batch.values.range((table, prefix.to_owned())..);
            from.take_while(move |(row, _)| under(row))
        };
        batches.flat_map(rows).map(|((_, key), value)| match value {
            PendingValue::Put(bytes) => (key.as_str(), Some(bytes.as_slice())),
            PendingValue::Delete => (key.as_str(), None),
        })
    }

    /// Whether everything is on disk.
    pub(crate) fn is_idle(&self) -> bool {
        self.committing.is_none() && self.gathering.values.is_empty()
    }

    /// Whether this batch and all before it are on disk.
    pub(crate) fn is_durable(&self, batch: u64) -> bool {
        batch < self.next && self.committing.as_ref().is_none_or(|(id, _)| *id != batch)
    }

    /// Why the last batch failed, until a retry.
    pub(crate) fn failure(&self) -> Option<StorageFailure> {
        self.failure
    }

    /// The number that the gathering batch will have.
    pub(crate) fn number(&self) -> u64 {
        self.next
    }

    /// The batch that makes all writes durable; 0, which is durable, where there are none.
    pub(crate) fn last_batch(&self) -> u64 {
        match &self.committing {
            _ if self.is_gathering() => self.next,
            Some((committing, _)) => *committing,
            None => 0,
        }
    }

    /// The next batch, encrypted, if none is being committed.
    pub(crate) fn poll(&mut self, vault: &mut Vault) -> Option<(u64, Vec<Write>)> {
        if self.committing.is_some() || self.failure.is_some() || !self.is_gathering() {
            return None;
        }
        let batch = std::mem::take(&mut self.gathering);
        let id = self.next;
        self.next += 1;
        let writes = batch
            .values
            .iter()
            .map(|((table, key), value)| Write {
                table: *table,
                key: key.clone(),
                value: match value {
                    PendingValue::Put(bytes) => Some(vault.encrypt(*table, key, bytes).into()),
                    PendingValue::Delete => None,
                },
            })
            .collect();
        self.committing = Some((id, batch));
        Some((id, writes))
    }

    /// A batch is durable; gives the ticket that is durable with it.
    pub(crate) fn persisted(&mut self, id: u64) -> Option<u64> {
        let (_, batch) = self.committing.take_if(|(committing, _)| *committing == id)?;
        Some(batch.ticket)
    }

    /// A batch failed and has written nothing: its values go under those that gather.
    pub(crate) fn failed(&mut self, id: u64, failure: StorageFailure) {
        let Some((_, batch)) = self.committing.take_if(|(committing, _)| *committing == id) else {
            return;
        };
        for (row, value) in batch.values {
            self.gathering.values.entry(row).or_insert(value);
        }
        self.gathering.ticket = self.gathering.ticket.max(batch.ticket);
        self.failure = Some(failure);
    }

    /// Drops all pending writes: the store is erased.
    pub(crate) fn abandon(&mut self) {
        self.gathering = Batch::default();
        self.committing = None;
        self.failure = None;
    }

    /// Allows another try after a failure.
    pub(crate) fn retry(&mut self) {
        self.failure = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d1_a_failed_batch_is_written_again_and_later_values_win() {
        let mut journal = Journal::default();
        let mut vault = Vault::new(&[7; 32], [1; 16]);
        journal.put(Table::Meta, "a".into(), vec![1]);
        journal.ticket(1);
        let (first, _) = journal.poll(&mut vault).expect("a batch");
        journal.put(Table::Meta, "a".into(), vec![2]);
        journal.put(Table::Meta, "b".into(), vec![3]);
        assert!(journal.poll(&mut vault).is_none(), "one batch at a time");
        journal.failed(first, StorageFailure::StorageFull);
        assert!(journal.poll(&mut vault).is_none(), "no write before a retry");
        journal.retry();
        let (second, writes) = journal.poll(&mut vault).expect("the batch again");
        let values = writes.iter().map(|write| {
            let value = write.value.as_ref().expect("a value");
            (write.key.as_str(), vault.decrypt(Table::Meta, &write.key, value).expect("decrypts"))
        });
        assert!(values.eq([("a", vec![2]), ("b", vec![3])]));
        assert_eq!(journal.persisted(second), Some(1));
        assert!(journal.is_idle());
    }
}
