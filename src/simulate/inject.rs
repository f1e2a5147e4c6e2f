//! Injects faults: crashes, clock jumps, new devices, restored stores.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use automerge::ChangeHash;

use super::device::Device;
use super::faults::Fault;
use super::oracle::{Step, Violation};
use super::world::{World, failed};
use crate::ids::RecordId;

/// Phones at the most.
const MAX_DEVICES: usize = 6;
/// Steps of a collector whose phone was put back.
const STEPS_AFTER_RESTORE: usize = 8;
/// A day, ms: how far a clock jumps.
const DAY: i64 = 86_400_000;

impl World<'_> {
    /// Draws which faults to inject.
    pub(super) fn inject_faults(&mut self, n: usize) -> Step {
        if self.inject(Fault::Crash) {
            self.crash(n)?;
        }
        if self.inject(Fault::AllDie) {
            for n in 0..self.devices.len() {
                self.crash(n)?;
            }
        }
        self.devices[n].frozen = self.inject(Fault::Freeze);
        self.devices[n].disk_full = self.inject(Fault::DiskFull);
        if self.inject(Fault::ClockJump) {
            self.devices[n].skew = self.rng.i64(-DAY..DAY);
        }
        // What a restored office lost comes back from devices that it does not refuse.
        let may = !self.restored && self.devices.iter().all(|device| !device.revoked);
        if may && self.inject(Fault::DeviceRevoked) {
            self.devices[n].revoked = true;
            self.log(format!("device {n} is revoked"));
        }
        self.other_sign_in(n);
        self.inject_office_faults()?;
        self.add_devices()?;
        self.adversary()?;
        self.restore_copy(n)
    }

    fn inject_office_faults(&mut self) -> Step {
        let at = self.some_endpoint();
        if self.inject(Fault::OfficeRestart) {
            self.restart(at)?;
        }
        if self.inject(Fault::OfficeClockJump) {
            let skew = self.rng.i64(-DAY..DAY);
            self.endpoints[at].skew.store(skew, Ordering::Relaxed);
        }
        if self.rng.u32(0..4) == 0 {
            self.expire_accepted(at)?;
        }
        if !self.disks_fail && self.host.has_backup() && self.inject(Fault::BackupRestored) {
            self.restore_office()?;
        } else if !self.disks_fail && self.rng.u32(0..10) == 0 {
            self.log("the office makes a backup");
            self.host.back_up().map_err(|error| failed("D2", error))?;
        }
        Ok(())
    }

    /// A process of the office stops or died; another one starts in its place.
    pub(super) fn restart(&mut self, at: usize) -> Step {
        let skew = self.endpoints[at].skew.load(Ordering::Relaxed);
        self.endpoints[at].office.close();
        let endpoint = self.host.open(&mut self.rng).map_err(|error| failed("D2", error))?;
        endpoint.skew.store(skew, Ordering::Relaxed);
        self.endpoints[at] = endpoint;
        Ok(())
    }

    fn add_devices(&mut self) -> Step {
        let user = if self.inject(Fault::SecondPhone) {
            let user = self.rng.usize(0..self.devices.len());
            self.devices[user].user.clone()
        } else if self.inject(Fault::JoinedLate) {
            format!("user{}", self.users() - 1)
        } else {
            return Ok(());
        };
        if self.devices.len() < MAX_DEVICES {
            let n = self.devices.len();
            self.log(format!("device {n} is enrolled by {user}"));
            let device = Device::new(n, user, self.now(), self.rng.u32(..));
            self.devices.push(device);
            self.enrol(n)?;
            self.devices[n].poll_outputs();
        }
        Ok(())
    }

    /// Now and then a device's disk is copied, and one day the copy takes its place.
    fn restore_copy(&mut self, n: usize) -> Step {
        // An old copy is mostly kept: the older, the more it differs.
        let keep = self.devices[n].copy.is_some() && self.rng.u32(0..4) > 0;
        if !keep && self.rng.u32(0..4) == 0 && self.devices[n].damaged.is_empty() {
            let device = &mut self.devices[n];
            device.copy = Some((device.disk.clone(), device.starts));
            self.log(format!("the disk of device {n} is copied"));
        }
        // It hurts where the device has started since: numbers that it gave then may come again.
        let device = &self.devices[n];
        let started = device.copy.as_ref().is_some_and(|(_, starts)| *starts < device.starts);
        if self.restored || !started || !self.inject(Fault::DeviceRestored) {
            return Ok(());
        }
        let Some((disk, starts)) = self.devices[n].copy.clone() else { return Ok(()) };
        self.log(format!("device {n} becomes what it was at the copy"));
        // What is nowhere but on the disk that went may be gone.
        let arrived = self.all_changes_at_office()?;
        let device = &mut self.devices[n];
        device.disk = disk;
        device.erased = false;
        device.starts = starts;
        device.ever_damaged = true;
        device.damaged.clear();
        device.handed.clear();
        let kept = self.on_disk(n, &self.records)?;
        for edit in self.oracle.of_device_mut(n).iter_mut() {
            edit.arrived |= arrived.contains(&edit.hash);
        }
        self.oracle.forget_lost(|device, edit| {
            device == Some(n) && !edit.arrived && !kept.contains(&edit.hash)
        });
        self.die(n)?;
        // Its collector continues to work at once.
        for _ in 0..STEPS_AFTER_RESTORE {
            self.run_output(n)?;
            self.edit(n)?;
        }
        Ok(())
    }

    /// The office's store becomes what it was at the last backup. What a device holds of what is
    /// lost comes back; what none has received may be gone.
    fn restore_office(&mut self) -> Step {
        self.drop_replies()?;
        let before = self.all_changes_at_office()?;
        self.oracle.arrive(&before);
        let former = self.office().store().read_with(|reads| reads.office_device());
        let former = former.map_err(|error| failed("P3", error))?;
        self.endpoints.iter().for_each(|endpoint| endpoint.office.close());
        let count = self.endpoints.len();
        self.endpoints.clear();
        self.host.restore(&mut self.rng).map_err(|error| failed("P3", error))?;
        for _ in 0..count {
            self.start_endpoint().map_err(|error| failed("P3", error))?;
        }
        self.quarantine.clear();
        let after = self.all_changes_at_office()?;
        let mut held: BTreeSet<ChangeHash> = BTreeSet::new();
        for n in 0..self.devices.len() {
            if !self.devices[n].revoked {
                // What it has given up in memory, or been told to, does not count.
                let mut records = self.devices[n].records();
                if let Some(truth) = self.truths.get(&n) {
                    records.retain(|record| truth.0.contains_key(record));
                }
                held.extend(self.on_disk(n, &records)?);
            }
        }
        let lost: BTreeSet<ChangeHash> = before.difference(&after).copied().collect();
        let back = lost.intersection(&held).count();
        self.log(format!("the office is restored: {} changes lost, {back} held", lost.len()));
        self.oracle.forget_lost(|_, edit| lost.contains(&edit.hash) && !held.contains(&edit.hash));
        self.restored = true;
        self.sessions_end();
        self.claim_unknown(former)
    }

    /// Every change that the office has.
    fn all_changes_at_office(&mut self) -> Result<BTreeSet<ChangeHash>, Violation> {
        let mut all = BTreeSet::new();
        for record in self.records.clone() {
            all.extend(self.changes_at_office(record)?);
        }
        Ok(all)
    }

    /// Every change on a device's disk that it would find when it started now.
    fn on_disk(&self, n: usize, records: &[RecordId]) -> Result<BTreeSet<ChangeHash>, Violation> {
        let started = self.devices[n]
            .after_crash(records.iter().copied(), self.now())
            .map_err(|error| failed("D5", error))?;
        let mut found = BTreeSet::new();
        for id in records {
            if let Ok(record) = started.record(*id) {
                let changes = record.document().get_changes_meta(&[]);
                found.extend(changes.into_iter().map(|change| change.hash));
            }
        }
        Ok(found)
    }
}
