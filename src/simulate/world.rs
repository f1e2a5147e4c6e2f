//! The scheduler: one step after another, each chosen by the seed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use automerge::ChangeHash;

use super::Plan;
use super::device::Device;
use super::faults::Fault;
use super::network::Network;
use super::office_host::{Endpoint, Fixture, OfficeHost};
use super::oracle::{Oracle, Step, Truth, Violation};
use super::trace::TraceLog;
use crate::ids::RecordId;
use crate::office::{Office, OfficeError};
use crate::record::Record;
use crate::workspace::Output;

impl Drop for World<'_> {
    fn drop(&mut self) {
        // A process ends before its store does: the last to hold the store may be its own thread.
        self.endpoints.iter().for_each(|endpoint| endpoint.office.close());
    }
}

/// Where virtual time begins.
const BEGIN: i64 = 1_795_000_000_000;
/// Processes of the office over the one store.
const ENDPOINTS: usize = 2;
/// Rows of records that a device reads at a time, at most.
const READ_AT_ONCE: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) faults: BTreeMap<Fault, u64>,
    pub(super) rounds: u64,
    pub(super) edits: u64,
}

pub(super) struct World<'g> {
    pub(super) plan: Plan,
    pub(super) fixture: &'g Fixture,
    pub(super) rng: fastrand::Rng,
    pub(super) clock: Arc<AtomicI64>,
    pub(super) host: OfficeHost,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) devices: Vec<Device>,
    pub(super) network: Network,
    /// The office's state at the time of the last reply that a device has applied.
    pub(super) truths: BTreeMap<usize, Truth>,
    pub(super) records: Vec<RecordId>,
    /// The office's documents, as last looked at: the stored bytes, and loaded.
    pub(super) office_records: RefCell<BTreeMap<RecordId, (Vec<u8>, Record)>>,
    /// Changes that the office keeps in quarantine, as far as they were looked at.
    pub(super) quarantine: BTreeMap<u64, BTreeSet<ChangeHash>>,
    pub(super) oracle: Oracle,
    marks: u64,
    /// Checked claims to be up to date.
    pub(super) claims: u64,
    /// Disks rot, or else the office may be restored: what survives one of them does not always
    /// survive both.
    pub(super) disks_fail: bool,
    /// The office was restored: what it lost lies on the devices.
    pub(super) restored: bool,
    healing: bool,
    pub(super) counts: Counts,
    pub(super) trace: TraceLog,
}

impl<'g> World<'g> {
    pub(super) fn new(plan: Plan, seed: u64, fixture: &'g Fixture) -> Result<Self, String> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let disks_fail = rng.bool();
        let clock = Arc::new(AtomicI64::new(BEGIN));
        let host = OfficeHost::new(fixture, Arc::clone(&clock))?;
        // Two phones of one user, then one phone a user.
        let devices = (0..plan.devices)
            .map(|n| Device::new(n, format!("user{}", n / 2), BEGIN, rng.u32(..)))
            .collect();
        let mut world = Self {
            plan,
            fixture,
            rng,
            clock,
            host,
            endpoints: Vec::new(),
            devices,
            network: Network::default(),
            truths: BTreeMap::new(),
            records: Vec::new(),
            office_records: RefCell::default(),
            quarantine: BTreeMap::new(),
            oracle: Oracle::default(),
            marks: 0,
            claims: 0,
            disks_fail,
            restored: false,
            healing: false,
            counts: Counts::default(),
            trace: TraceLog::new(plan.trace_lines),
        };
        for _ in 0..ENDPOINTS {
            world.start_endpoint().map_err(|error| error.to_string())?;
        }
        for n in 0..world.devices.len() {
            world.enrol(n).map_err(|violation| violation.what)?;
        }
        world.create_records().map_err(|error| error.to_string())?;
        Ok(world)
    }

    pub(super) fn repairs(&self) -> u64 {
        self.devices.iter().map(|device| u64::try_from(device.repairs()).unwrap_or(0)).sum()
    }

    /// Faults for a while, then healing; every check on the way.
    pub(super) fn run(&mut self) -> Step {
        for _ in 0..self.plan.steps {
            self.step()?;
        }
        self.healing = true;
        self.log("faults end");
        self.heal()?;
        self.check_end()
    }

    fn step(&mut self) -> Step {
        let device = self.rng.usize(0..self.devices.len());
        match self.rng.u32(0..100) {
            0..22 => self.edit(device),
            22..41 => self.run_output(device),
            41..54 => self.commit(device),
            54..68 => self.deliver_request(device),
            68..82 => self.deliver_reply(device),
            82..90 => self.pass_time(),
            90..94 => self.office_edit(),
            _ => self.inject_faults(device),
        }
    }

    pub(super) fn is_healing(&self) -> bool {
        self.healing
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// The time by a device's clock.
    pub(super) fn now_on(&self, n: usize) -> i64 {
        self.now() + self.devices[n].skew
    }

    pub(super) fn log(&mut self, line: impl AsRef<str>) {
        self.trace.log(self.now() - BEGIN, line.as_ref());
    }

    /// A story with short names for the records.
    pub(super) fn abbreviate(&self, story: &str) -> String {
        let records = self.records.iter().enumerate();
        records.fold(story.to_owned(), |story, (n, id)| {
            story.replace(&id.to_string(), &format!("r{n}"))
        })
    }

    pub(super) fn inject(&mut self, fault: Fault) -> bool {
        let struck = !self.healing && self.rng.u32(0..1000) < fault.per_mille();
        if struck {
            self.count(fault);
        }
        struck
    }

    pub(super) fn count(&mut self, fault: Fault) {
        *self.counts.faults.entry(fault).or_default() += 1;
        self.log(format!("fault: {}", fault.as_str()));
    }

    /// A unique word.
    pub(super) fn mark(&mut self, by: &str) -> String {
        self.marks += 1;
        format!("{by}w{}", self.marks)
    }

    /// A unique time.
    pub(super) fn moment(&mut self) -> i64 {
        self.marks += 1;
        BEGIN + i64::try_from(self.marks).unwrap_or_default()
    }

    /// Does the next thing that a device's workspace asked for.
    pub(super) fn run_output(&mut self, n: usize) -> Step {
        self.devices[n].poll_outputs();
        if self.devices[n].frozen {
            return Ok(());
        }
        let at = self.now_on(n);
        while let Some(output) = self.devices[n].queue.pop_front() {
            match output {
                Output::Persist { batch, writes } => {
                    self.devices[n].handed.push_back((batch, writes));
                }
                Output::Load { record } => {
                    let device = &mut self.devices[n];
                    if !device.handed.is_empty() {
                        // A read waits for the writes before it.
                        device.queue.push_front(Output::Load { record });
                        return self.commit(n);
                    }
                    if let Ok(id) = record.parse() {
                        let (row, chunks) = (device.row(id), device.chunks(id));
                        device.workspace.loaded(id, row.as_ref(), &chunks, at);
                    }
                }
                Output::ReadRecords { after } => {
                    let device = &mut self.devices[n];
                    let rows = device.records_after(&after, self.rng.usize(1..=READ_AT_ONCE));
                    device.workspace.records_read(&rows, at);
                }
                Output::Send { round, body } => self.send(n, round, body.into_vec()),
                Output::Resume => self.devices[n].workspace.resume(at),
                Output::WakeAt { at } => {
                    self.devices[n].wake_at = Some(at);
                    continue;
                }
                Output::Saved { ticket } => {
                    self.counts.edits += self.oracle.saved(n, ticket);
                }
                Output::Erase { reason } => {
                    self.log(format!("device {n} erases everything: {reason:?}"));
                    self.devices[n].erase();
                }
                Output::SaveFailed { .. }
                | Output::RecordChanged { .. }
                | Output::ListChanged
                | Output::StatusChanged => continue,
            }
            break;
        }
        self.devices[n].poll_outputs();
        self.check_claims(n)
    }

    fn pass_time(&mut self) -> Step {
        let ms = self.rng.i64(50..20_000);
        self.clock.fetch_add(ms, Ordering::Relaxed);
        for n in 0..self.devices.len() {
            let at = self.now_on(n);
            let device = &mut self.devices[n];
            if !device.frozen && device.wake_at.take_if(|due| *due <= at).is_some() {
                device.workspace.wake(at);
                device.poll_outputs();
            }
        }
        Ok(())
    }

    /// One of the office's processes.
    pub(super) fn some_endpoint(&mut self) -> usize {
        self.rng.usize(0..self.endpoints.len())
    }

    /// The office, whichever process: for the oracle's own look at the store.
    pub(super) fn office(&self) -> &Office {
        &self.endpoints[0].office
    }

    pub(super) fn start_endpoint(&mut self) -> Result<(), OfficeError> {
        let endpoint = self.host.open(&mut self.rng)?;
        self.endpoints.push(endpoint);
        Ok(())
    }
}

pub(super) fn failed(rule: &'static str, error: impl std::fmt::Display) -> Violation {
    Violation { rule, what: format!("the office fails: {error}") }
}
