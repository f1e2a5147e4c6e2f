//! Device crashes and disk faults: lost writes, corrupted values, lost rows.

use super::faults::Fault;
use super::oracle::Step;
use super::world::{World, failed};
use crate::ids::RecordId;
use crate::workspace::Table;

/// Maximum number of damages at one crash.
const DAMAGES: usize = 3;

/// Table and key of a row.
type RowKey = (Table, String);

impl World<'_> {
    /// The disk confirms or fails its oldest pending write.
    pub(super) fn commit(&mut self, n: usize) -> Step {
        if self.devices[n].frozen || self.devices[n].handed.is_empty() {
            return Ok(());
        }
        if self.inject(Fault::WriteLost) {
            return self.die_with(n, 0);
        }
        if self.inject(Fault::WriteKept) {
            return self.die_with(n, 1);
        }
        let cut = self.inject(Fault::QuotaInWrite);
        let Some((batch, writes)) = self.devices[n].handed.pop_front() else { return Ok(()) };
        let room = match self.devices[n].disk_full {
            true => Some(0),
            false => cut.then(|| self.rng.usize(0..writes.len())),
        };
        let at = self.now_on(n);
        let device = &mut self.devices[n];
        if device.commit(&writes, room) {
            device.workspace.persisted(batch, at);
        } else {
            device.workspace.persist_failed(batch, "storage_full", at);
            self.log(format!("device {n}: no room for write {batch}"));
        }
        self.devices[n].poll_outputs();
        self.check_claims(n)
    }

    /// The device dies at any point.
    pub(super) fn crash(&mut self, n: usize) -> Step {
        let kept = self.rng.usize(0..=self.devices[n].handed.len());
        self.die_with(n, kept)
    }

    /// The device crashes; the first `kept` of its pending writes reached the disk.
    fn die_with(&mut self, n: usize, kept: usize) -> Step {
        let handed: Vec<_> = self.devices[n].handed.drain(..).collect();
        if !handed.is_empty() {
            self.log(format!("device {n}: {kept} of {} writes are kept", handed.len()));
        }
        for (_, writes) in handed.iter().take(kept) {
            self.devices[n].commit(writes, None);
        }
        self.damage(n);
        self.die(n)
    }

    /// The device dies and starts again; what it had acknowledged must be there.
    pub(super) fn die(&mut self, n: usize) -> Step {
        self.log(format!("device {n} dies and starts again"));
        self.give_up_requests(n);
        self.truths.remove(&n);
        self.oracle.crashed(n);
        self.check_disk(n)?;
        let (now, random) = (self.now(), self.rng.u32(..));
        if let Err(error) = self.devices[n].start(now, random) {
            return Err(failed("D5", error));
        }
        self.devices[n].poll_outputs();
        self.check_claims(n)
    }

    /// Something on the disk is damaged, or more than one thing.
    fn damage(&mut self, n: usize) {
        if !self.disks_fail {
            return;
        }
        if self.inject(Fault::BitFlip) {
            for _ in 0..self.rng.usize(1..=DAMAGES) {
                let bit = self.rng.usize(..);
                self.corrupt(n, |value| {
                    let at = bit % (value.len() * 8).max(1);
                    if let Some(byte) = value.get_mut(at / 8) {
                        *byte ^= 1 << (at % 8);
                    }
                });
            }
        }
        if self.inject(Fault::Truncated) {
            let cut = self.rng.usize(..);
            self.corrupt(n, |value| value.truncate(cut % value.len().max(1)));
        }
        if self.inject(Fault::Swapped) {
            self.swap(n);
        }
        if self.inject(Fault::RowsLost) {
            self.forget(n);
        }
        if self.inject(Fault::MetaDamaged) {
            self.damage_meta(n);
        }
    }

    fn corrupt(&mut self, n: usize, corrupt: impl FnOnce(&mut Vec<u8>)) {
        let table = [Table::Chunks, Table::Records, Table::Outbox][self.rng.usize(0..3)];
        let Some(place) = self.random_row(n, table) else { return };
        if !self.may_damage(n, &place) {
            return;
        }
        if let Some(value) =
            self.devices[n].disk.get_mut(&table).and_then(|rows| rows.get_mut(&place.1))
        {
            corrupt(value);
        }
        self.mark_damaged(n, place);
    }

    /// Swaps two values of a table.
    fn swap(&mut self, n: usize) {
        let table = [Table::Chunks, Table::Records, Table::Outbox][self.rng.usize(0..3)];
        let (Some(one), Some(other)) = (self.random_row(n, table), self.random_row(n, table))
        else {
            return;
        };
        if one == other || !self.may_damage(n, &one) || !self.may_damage(n, &other) {
            return;
        }
        let Some(rows) = self.devices[n].disk.get_mut(&table) else { return };
        let (Some(first), Some(second)) = (rows.get(&one.1).cloned(), rows.get(&other.1).cloned())
        else {
            return;
        };
        rows.insert(one.1.clone(), second);
        rows.insert(other.1.clone(), first);
        self.mark_damaged(n, one);
        self.mark_damaged(n, other);
    }

    fn random_row(&mut self, n: usize, table: Table) -> Option<RowKey> {
        let rows = self.devices[n].disk.get(&table).filter(|rows| !rows.is_empty())?;
        let at = self.rng.usize(0..rows.len());
        rows.keys().nth(at).map(|key| (table, key.clone()))
    }

    /// Whether a row may be damaged: work stored in two tables survives damage to one, not to both.
    fn may_damage(&mut self, n: usize, (table, key): &RowKey) -> bool {
        let Some(record) = record_of(key) else { return false };
        let outbox = self.devices[n].disk.get(&Table::Outbox);
        let unsent =
            outbox.is_some_and(|rows| rows.keys().any(|key| record_of(key) == Some(record)));
        if !unsent && !self.oracle.is_only_copy(n, record) {
            self.devices[n].damaged.remove(&record);
        }
        self.devices[n].damaged.get(&record).is_none_or(|damaged| damaged == table)
    }

    fn mark_damaged(&mut self, n: usize, (table, key): RowKey) {
        let device = &mut self.devices[n];
        device.ever_damaged = true;
        if let Some(record) = record_of(&key) {
            device.damaged.insert(record, table);
        }
        self.log(format!("device {n}: {key} is damaged in {table:?}"));
    }

    /// Takes every row of one record, but of none that holds work that is nowhere else.
    fn forget(&mut self, n: usize) {
        let Some((_, key)) = self.random_row(n, Table::Records) else { return };
        let Some(record) = record_of(&key) else { return };
        if self.oracle.is_only_copy(n, record) {
            return;
        }
        for table in [Table::Records, Table::Chunks, Table::Outbox] {
            if let Some(rows) = self.devices[n].disk.get_mut(&table) {
                rows.retain(|held, _| !held.starts_with(&key));
            }
        }
        self.devices[n].ever_damaged = true;
        self.log(format!("the store of device {n} forgets {key}"));
    }

    /// Damage to what the store says about itself, which is found like any other.
    fn damage_meta(&mut self, n: usize) {
        let Some((_, key)) = self.random_row(n, Table::Meta) else { return };
        let bit = self.rng.usize(..);
        let cut = self.rng.u32(0..4) == 0;
        self.log(format!("device {n}: {key} is damaged in Meta"));
        let device = &mut self.devices[n];
        device.ever_damaged = true;
        let Some(value) = device.disk.get_mut(&Table::Meta).and_then(|rows| rows.get_mut(&key))
        else {
            return;
        };
        let length = value.len().max(1);
        if cut {
            value.truncate(bit % length);
        } else if let Some(byte) = value.get_mut(bit / 8 % length) {
            *byte ^= 1 << (bit % 8);
        }
    }
}

fn record_of(key: &str) -> Option<RecordId> {
    key.split('/').next()?.parse().ok()
}
