//! The faults end: all must converge, and all that was acknowledged must be there.

use std::sync::atomic::Ordering;

use std::collections::{BTreeMap, BTreeSet};

use super::oracle::{Step, Violation, violation};
use super::world::{World, failed};
use crate::ids::RecordId;
use crate::workspace::{Status, SyncState, Table};

/// Rounds per device within which all must converge once the faults have ended.
const ROUNDS_TO_HEAL: usize = 8;

impl World<'_> {
    /// Faults end, everybody is on line: all must converge within a bounded number of rounds.
    pub(super) fn heal(&mut self) -> Step {
        for device in &mut self.devices {
            device.frozen = false;
            device.disk_full = false;
        }
        self.deliver_late()?;
        for _ in 0..ROUNDS_TO_HEAL {
            for n in 0..self.devices.len() {
                // A person looks at every record: damage that sleeps is found.
                for record in self.devices[n].records() {
                    let _ = self.devices[n].record(record);
                }
                self.drain(n)?;
                for record in self.devices[n].records() {
                    if self.devices[n].is_refused(record) {
                        self.resolve_refused(n, record)?;
                    }
                }
                self.drain(n)?;
                self.contact(n)?;
            }
            self.clock.fetch_add(600_000, Ordering::Relaxed);
            if self.are_same()? {
                return Ok(());
            }
        }
        let mut stuck = Vec::new();
        for (n, device) in self.devices.iter().enumerate() {
            if device.revoked {
                if !device.erased {
                    stuck.push(format!("device {n} was shut out and has not erased itself"));
                }
                continue;
            }
            let truth = self.truth(&device.user)?;
            let here: BTreeMap<RecordId, _> = device.workspace.heads().collect();
            let all: BTreeSet<&RecordId> = here.keys().chain(truth.0.keys()).collect();
            let differs = |id: &&&RecordId| here.get(**id).copied() != truth.0.get(**id);
            let differing: Vec<String> =
                all.iter().filter(differs).map(|id| id.to_string()).collect();
            let Status { state, problem, unsent, .. } = device.workspace.status();
            if state != SyncState::InStep || !differing.is_empty() {
                stuck.push(format!("device {n} is {state:?} for {problem:?}, {unsent} unsent, differs in {differing:?}"));
            }
        }
        violation("P3", format!("not all converge: {}", stuck.join("; ")))
    }

    /// Whether every device claims to be up to date, and is.
    fn are_same(&self) -> Result<bool, Violation> {
        for device in &self.devices {
            if device.revoked {
                if !device.erased {
                    return Ok(false);
                }
                continue;
            }
            let status = device.workspace.status();
            if status.state != SyncState::InStep || status.unsent > 0 {
                return Ok(false);
            }
            // A later device may have changed records of an earlier one.
            let truth = self.truth(&device.user)?;
            if !device.workspace.heads().eq(truth.0.iter().map(|(id, heads)| (*id, heads))) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn contact(&mut self, n: usize) -> Step {
        self.sign_in_where_needed(n)?;
        let at = self.now_on(n);
        self.devices[n].workspace.sync_now(at);
        self.drain(n)
    }

    /// Does everything that can be done without waiting.
    fn drain(&mut self, n: usize) -> Step {
        for _ in 0..2_000 {
            self.devices[n].poll_outputs();
            if !self.devices[n].queue.is_empty() {
                self.run_output(n)?;
            } else if !self.devices[n].handed.is_empty() {
                self.commit(n)?;
            } else if !self.deliver_awaited(n)? {
                return Ok(());
            }
        }
        violation("R7", format!("device {n} never rests"))
    }

    pub(super) fn check_end(&mut self) -> Step {
        self.check_office()?;
        self.check_quarantine()?;
        for n in 0..self.devices.len() {
            self.check_disk(n)?;
            if self.devices[n].revoked {
                self.check_erased(n)?;
            } else {
                self.check_same(n)?;
            }
        }
        let verified = self.fixture.runtime.block_on(self.office().verify());
        let verified = verified.map_err(|error| failed("M7", error))?;
        if verified.ok { Ok(()) } else { violation("M7", format!("{:?}", verified.problems)) }
    }

    /// A device that was shut out keeps nothing of any record (rule F4).
    fn check_erased(&self, n: usize) -> Step {
        let device = &self.devices[n];
        let left = [Table::Records, Table::Chunks, Table::Outbox, Table::Damaged]
            .into_iter()
            .any(|table| device.disk.get(&table).is_some_and(|rows| !rows.is_empty()));
        if left || !device.records().is_empty() {
            return violation("F4", format!("device {n} was shut out and still holds records"));
        }
        Ok(())
    }

    /// The office has every edit that anybody made, in its record or in quarantine: also those of
    /// a device that was shut out (rule F4).
    fn check_office(&mut self) -> Step {
        for id in self.records.clone() {
            let record = self.office_record(id)?;
            let view = record.view();
            let kept = self.changes_at_office(id)?;
            for (_, edit) in self.oracle.all().filter(|(_, edit)| edit.record == id) {
                let aside = !edit.is_held(&record) && kept.contains(&edit.hash);
                if !aside && !edit.is_in(&record, &view) {
                    return violation("D1", format!("the office lacks {} of {id}", edit.mark));
                }
            }
        }
        Ok(())
    }

    /// The device holds what the office holds for its user, and it reads the same.
    fn check_same(&mut self, n: usize) -> Step {
        let truth = self.truth(&self.devices[n].user)?;
        for record in self.devices[n].records() {
            let _ = self.devices[n].record(record);
        }
        self.drain(n)?;
        if !self.devices[n].records().iter().eq(truth.0.keys()) {
            return violation("F1", format!("device {n} holds other records than its feed"));
        }
        // Equal heads mean equal documents; compare the views of one of them.
        let one = self.rng.usize(..);
        for (at, (id, heads)) in truth.0.iter().enumerate() {
            let office = self.office_record(*id)?;
            let compare_views = at == one % truth.0.len();
            match self.devices[n].record(*id) {
                Ok(here)
                    if here.heads() == *heads
                        && office.heads() == *heads
                        && (!compare_views || here.view() == office.view()) => {}
                Ok(_) => return violation("P2", format!("device {n} and office differ in {id}")),
                Err(error) => {
                    return violation("D5", format!("device {n} cannot read {id}: {error}"));
                }
            }
        }
        Ok(())
    }
}
