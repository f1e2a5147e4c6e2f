//! Checks of devices and office while faults are injected.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;

use super::oracle::{Step, Violation, violation};
use super::world::{World, failed};
use crate::ids::RecordId;
use crate::office::store::QuarantineFilter;
use crate::record::Record;
use crate::sync::chunk;
use crate::workspace::{SyncState, WorkspaceError};

/// Every n-th claim to be up to date is compared with the disk too.
const DISK_CHECK_INTERVAL: u64 = 8;

impl World<'_> {
    /// Everything that a device claims must be true.
    pub(super) fn check_claims(&mut self, n: usize) -> Step {
        let device = &self.devices[n];
        if device.repairs() > 0 && !device.ever_damaged && !self.restored {
            return violation("P4", format!("device {n} repairs, though no store was damaged"));
        }
        let state = device.workspace.status().state;
        if device.told && state != SyncState::Attention {
            return violation("R6", format!("device {n} was revoked and says {state:?}"));
        }
        if state == SyncState::InStep {
            self.check_in_step(n)?;
        }
        self.check_unsent(n)
    }

    /// A device that claims to be up to date holds what the office held when it answered.
    fn check_in_step(&mut self, n: usize) -> Step {
        let device = &self.devices[n];
        let Some(truth) = self.truths.get(&n) else {
            return violation("P2", format!("device {n} claims to be up to date without a reply"));
        };
        self.claims += 1;
        let known: BTreeMap<RecordId, _> = device.workspace.heads().collect();
        if !known.keys().eq(truth.0.keys()) {
            return violation(
                "P2",
                format!("device {n} claims to be up to date and holds other records"),
            );
        }
        for (record, heads) in &truth.0 {
            if known.get(record) != Some(&heads) {
                return violation(
                    "P2",
                    format!("device {n} claims to be up to date and differs in {record}"),
                );
            }
        }
        if self.claims.is_multiple_of(DISK_CHECK_INTERVAL) {
            if !device.workspace.is_index_true() {
                return violation("P1", format!("device {n} keeps a wrong index of its records"));
            }
            let started = device.after_crash(known.into_keys(), self.now());
            let started = started.map_err(|error| failed("D5", error))?;
            for (record, heads) in &truth.0 {
                let whole = |held: &Record| held.heads() == *heads;
                // Disk damage is found when it is read.
                if !started.record(*record).is_ok_and(whole) && !device.ever_damaged {
                    let what =
                        format!("device {n} claims to be up to date, its disk differs in {record}");
                    return violation("P2", what);
                }
            }
        }
        Ok(())
    }

    /// Acknowledged work that is not shown as unsent must be at the office.
    fn check_unsent(&mut self, n: usize) -> Step {
        let alone: BTreeMap<RecordId, i64> =
            self.oracle.of_device(n).iter().filter(|edit| !edit.arrived).fold(
                BTreeMap::new(),
                |mut alone, edit| {
                    *alone.entry(edit.record).or_default() += 1;
                    alone
                },
            );
        for (record, edits) in alone {
            let row = self.devices[n].workspace.row(record);
            let shown = row.as_ref().map_or(0, |row| row.unsent);
            if shown >= edits {
                continue;
            }
            let office = self.changes_at_office(record)?;
            let mut absent = Vec::new();
            let of_record = self.oracle.of_device_mut(n).iter_mut();
            for edit in of_record.filter(|edit| edit.record == record && !edit.arrived) {
                edit.arrived = office.contains(&edit.hash);
                if !edit.arrived {
                    absent.push(edit.mark.clone());
                }
            }
            let hidden = i64::try_from(absent.len()).unwrap_or(i64::MAX) > shown;
            // A damaged record reports its problem; its unsent work is known after the repair.
            let open = row.is_some_and(|row| row.problem.is_some())
                || self.devices[n].damaged.contains_key(&record);
            if hidden && !open {
                let what = format!("device {n} does not show {absent:?} of {record} as unsent");
                return violation("R6", what);
            }
        }
        Ok(())
    }

    /// Everything that a device acknowledged is on its disk or at the office.
    pub(super) fn check_disk(&mut self, n: usize) -> Step {
        let device = &self.devices[n];
        let edits = self.oracle.of_device(n);
        let records: BTreeSet<RecordId> = edits.iter().map(|edit| edit.record).collect();
        let started = match device.after_crash(records.iter().copied(), self.now()) {
            Ok(started) => started,
            Err(error) => return violation("D5", format!("device {n} does not start: {error}")),
        };
        // A card is written in the batch that erases its record, and the other way round.
        let here: BTreeSet<String> = started.heads().map(|(id, _)| id.to_string()).collect();
        if let Some(card) = started.past_work().iter().find(|card| here.contains(&card.record)) {
            return violation("F6", format!("device {n} has {} and a card of it", card.record));
        }
        // Damaged or lost rows may leave rows that belonged to them.
        let stray =
            device.disk.iter().flat_map(|(table, rows)| rows.keys().map(move |key| (table, key)));
        let stray = stray
            .filter(|(_, key)| !key.starts_with("card/"))
            .find(|(_, key)| record_of(key).is_some_and(|id| !here.contains(&id.to_string())));
        if let Some((table, key)) = stray.filter(|_| !device.ever_damaged) {
            return violation("F1", format!("device {n} has left {key} behind in {table:?}"));
        }
        let mut lost = Vec::new();
        for id in records {
            let record = match started.record(id) {
                Ok(record) => record,
                Err(WorkspaceError::Damaged) if !device.ever_damaged => {
                    return violation("D4", format!("device {n} damaged {id} without a fault"));
                }
                // Withdrawn and pushed, or damaged: checked at the end of the run.
                Err(_) => continue,
            };
            let of_record = edits.iter().filter(|edit| edit.record == id);
            lost.extend(
                of_record
                    .filter(|edit| !edit.is_held(record))
                    // Damage may lose work that had arrived: a repair restores it.
                    .filter(|edit| !edit.arrived || !device.ever_damaged)
                    .map(|edit| (id, edit.hash, edit.mark.clone())),
            );
        }
        for (id, hash, mark) in lost {
            // A record that was withdrawn and assigned again is what the office holds.
            if !self.changes_at_office(id)?.contains(&hash) {
                return violation("D1", format!("device {n} lost {mark} of {id}"));
            }
        }
        Ok(())
    }

    /// All changes of a record at the office, in the record or in quarantine.
    pub(super) fn changes_at_office(
        &mut self,
        record: RecordId,
    ) -> Result<BTreeSet<ChangeHash>, Violation> {
        let seen = &self.quarantine;
        let found = self.office().store().read_with(|reads| {
            let known = reads.change_metas(record)?;
            let mut fresh = BTreeMap::new();
            let all = QuarantineFilter { limit: u32::MAX, ..QuarantineFilter::default() };
            for line in reads.quarantine(&all)?.0 {
                if !seen.contains_key(&line.id)
                    && let Some(kept) = reads.quarantined(line.id)?
                {
                    let hashes = kept.refused.changes.iter().map(|bytes| chunk::hash(bytes));
                    fresh.insert(line.id, hashes.collect::<BTreeSet<_>>());
                }
            }
            Ok((known, fresh))
        });
        let (known, fresh) = found.map_err(|error| failed("D2", error))?;
        self.quarantine.extend(fresh);
        let kept = self.quarantine.values().flatten().copied();
        Ok(known.into_iter().map(|known| known.hash).chain(kept).collect())
    }

    /// The office's copy of a record.
    pub(super) fn office_record(&self, record: RecordId) -> Result<Record, Violation> {
        let stored = self.office().store().read_with(|reads| reads.record(record));
        let stored = stored.map_err(|error| failed("D2", error))?;
        let Some(stored) = stored else {
            return Err(Violation { rule: "D2", what: format!("the office lost {record}") });
        };
        // Loading takes longer than most checks, and the same bytes are looked at often.
        let mut loaded = self.office_records.borrow_mut();
        if let Some((document, known)) = loaded.get(&record)
            && *document == stored.document
        {
            return Ok(known.clone());
        }
        let fresh = Record::load(&stored.document).map_err(|error| failed("D2", error))?;
        loaded.insert(record, (stored.document, fresh.clone()));
        Ok(fresh)
    }
}

/// The record that a key of the store is about.
fn record_of(key: &str) -> Option<RecordId> {
    key.split('/').find_map(|part| part.parse().ok())
}
