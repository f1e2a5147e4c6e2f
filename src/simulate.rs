//! The fault simulation: real workspaces and the real office over its real store, under one seeded
//! scheduler with virtual time.
//!
//! A seed decides everything: who edits what and when, which message is lost, when a device crashes
//! and how much of its last write reached the disk. A seed replays exactly, on any number of threads.
//! An [oracle](oracle) that shares no code with the engine knows every acknowledged edit. It checks,
//! during the faults and after they end, that no edit is lost (rule D1), that no device claims to be
//! up to date or to have sent its work when it has not (rules P2, R6), and that all sides converge
//! (rule P3), without repairs where no store was damaged (rule P4).

mod adversary;
mod checks;
mod commands;
mod device;
mod disk;
mod edits;
mod faults;
mod faulty_store;
mod healing;
mod inject;
mod interleaving;
mod network;
mod office_host;
mod oracle;
mod schema;
mod sign_ins;
mod trace;
mod world;

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use serde::Serialize;

pub use faults::Fault;
use office_host::Fixture;
use schema::Schema;
use world::World;

/// What to simulate.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Initial number of devices.
    pub devices: usize,
    /// Number of records.
    pub records: usize,
    /// Steps with faults, before the network and the disks recover.
    pub steps: usize,
    /// Trace lines to keep for a failing seed.
    pub trace_lines: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { devices: 3, records: 6, steps: 300, trace_lines: 40 }
    }
}

/// The store of the simulated office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreKind {
    /// Files in a temporary folder.
    Sqlite,
    /// A PostgreSQL database at an address. It must be empty: the simulator makes schemas there,
    /// clears and drops them.
    Postgres(String),
}

/// How to run many seeds.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Threads.
    pub threads: usize,
    /// Where the offices keep their data. A seed does the same on every store.
    pub store: StoreKind,
    /// Start no further seeds after a failure.
    pub stop_at_first: bool,
}

/// Summary of many runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Seeds run.
    pub seeds: u64,
    /// Seeds that violated a rule, in order.
    pub failures: Vec<Failure>,
    /// Number of injections by fault.
    pub faults: BTreeMap<&'static str, u64>,
    /// Repairs: comparisons after digests had differed.
    pub repairs: u64,
    /// Answered sync rounds.
    pub rounds: u64,
    /// Acknowledged edits.
    pub edits: u64,
    /// Hash over all events: equal runs have equal hashes.
    #[serde(skip)]
    pub trace_hash: u64,
}

/// A seed that violated a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The violated rule.
    pub rule: &'static str,
    /// The last steps before the violation.
    #[serde(rename = "story")]
    pub trace: String,
}

impl Report {
    fn add(&mut self, one: Self) {
        self.seeds += one.seeds;
        self.failures.extend(one.failures);
        for (fault, times) in one.faults {
            *self.faults.entry(fault).or_default() += times;
        }
        self.repairs += one.repairs;
        self.rounds += one.rounds;
        self.edits += one.edits;
        self.trace_hash = self.trace_hash.rotate_left(1) ^ one.trace_hash;
    }
}

/// Runs seeds on several threads. Each run is a function of the plan and the seed; the report is
/// assembled in order of the seeds. `progress` is called after each.
///
/// # Errors
/// The office's store cannot be created, or its database holds other tables.
pub fn run_seeds(
    plan: Plan,
    seeds: Range<u64>,
    how: RunOptions,
    progress: impl Fn(&Report),
) -> Result<Report, String> {
    if let StoreKind::Postgres(address) = &how.store {
        Schema::demand_empty(address).map_err(|error| error.to_string())?;
    }
    let schedule =
        Schedule { next: AtomicU64::new(seeds.start), end: AtomicU64::new(seeds.end), how, plan };
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for thread in 0..schedule.how.threads.max(1) {
            let sender = sender.clone();
            let schedule = &schedule;
            scope.spawn(move || run_worker(schedule, thread, sender));
        }
        drop(sender);
        let mut report = Report::default();
        let mut early = BTreeMap::new();
        let mut next = seeds.start;
        for (seed, one) in receiver {
            early.insert(seed, one?);
            while let Some(one) = early.remove(&next) {
                // Drop the results of later seeds that ran concurrently.
                if schedule.how.stop_at_first && !report.failures.is_empty() {
                    break;
                }
                report.add(one);
                next += 1;
                progress(&report);
            }
        }
        Ok(report)
    })
}

/// The seeds still to run.
struct Schedule {
    next: AtomicU64,
    end: AtomicU64,
    how: RunOptions,
    plan: Plan,
}

/// One worker thread: runs seed after seed.
fn run_worker(
    schedule: &Schedule,
    thread: usize,
    sender: mpsc::Sender<(u64, Result<Report, String>)>,
) {
    let fixture = match Fixture::new(&schedule.how.store, thread) {
        Ok(fixture) => fixture,
        // Sending fails only if the receiver is gone.
        Err(error) => return drop(sender.send((0, Err(error)))),
    };
    loop {
        let seed = schedule.next.fetch_add(1, Ordering::Relaxed);
        if seed >= schedule.end.load(Ordering::Relaxed) {
            return;
        }
        let one = run(schedule.plan, seed, &fixture);
        if schedule.how.stop_at_first && one.as_ref().is_ok_and(|one| !one.failures.is_empty()) {
            // Seeds before it are running or done already.
            schedule.end.fetch_min(seed, Ordering::Relaxed);
        }
        if sender.send((seed, one)).is_err() {
            return;
        }
    }
}

/// Runs one seed.
fn run(plan: Plan, seed: u64, fixture: &Fixture) -> Result<Report, String> {
    let mut world = World::new(plan, seed, fixture)?;
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run()));
    let mut report = Report {
        seeds: 1,
        repairs: world.repairs(),
        rounds: world.counts.rounds,
        edits: world.counts.edits,
        trace_hash: world.trace.hash(),
        ..Report::default()
    };
    for (fault, times) in &world.counts.faults {
        report.faults.insert(fault.as_str(), *times);
    }
    let (rule, what) = match outcome {
        Ok(Ok(())) => return Ok(report),
        Ok(Err(violation)) => (violation.rule, violation.what),
        // The panic message went to standard error.
        Err(_) => ("panic", "the engine panicked".to_owned()),
    };
    let devices = plan.devices;
    let trace = format!(
        "{}broken: {}\nreplay: doorstep simulate --seeds 1 --seed {seed} --devices {devices}",
        world.abbreviate(&world.trace.last_lines()),
        world.abbreviate(&what)
    );
    report.failures.push(Failure { seed, rule, trace });
    Ok(report)
}
