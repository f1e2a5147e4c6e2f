//! The fault simulation: real workspaces and the real office over its real store, under one seeded
//! scheduler with virtual time.
//!
//! A seed decides everything: who edits what and when, which message is lost, when a device dies
//! and what of its last write reached the disk. The same seed gives the same run, so a failing one
//! replays exactly. An [oracle](oracle) written apart from the engine knows every edit that was
//! acknowledged to a person and checks, while faults strike and after they end, that none is lost
//! (rule D1), that nothing is called in step while it is not (rule P2), and that all sides
//! converge.

mod device;
mod faults;
mod oracle;
mod world;

use std::collections::BTreeMap;

use serde::Serialize;

pub use faults::Fault;
use world::World;

/// What to simulate.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Devices.
    pub devices: usize,
    /// Records.
    pub records: usize,
    /// Steps with faults, before everything heals.
    pub steps: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { devices: 3, records: 6, steps: 400 }
    }
}

/// What came of many seeds.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Report {
    /// Seeds run.
    pub seeds: u64,
    /// Seeds that broke a rule.
    pub failures: Vec<Failure>,
    /// How often each fault struck.
    pub faults: BTreeMap<&'static str, u64>,
    /// Times that digests differed and everything was compared anew.
    pub repairs: u64,
    /// Rounds that were answered.
    pub rounds: u64,
    /// Edits that were acknowledged.
    pub edits: u64,
}

/// A seed that broke a rule.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The rule.
    pub rule: &'static str,
    /// What happened, the last steps before it.
    pub story: String,
}

/// Runs one seed. What happens is a function of the plan and the seed.
///
/// # Errors
/// The office's store cannot be made in the temporary folder.
pub fn run(plan: Plan, seed: u64, report: &mut Report) -> Result<(), String> {
    let mut world = World::new(plan, seed)?;
    let outcome = world.run();
    report.seeds += 1;
    for (fault, times) in &world.counts.faults {
        *report.faults.entry(fault.as_str()).or_default() += times;
    }
    report.rounds += world.counts.rounds;
    report.edits += world.counts.edits;
    report.repairs += world.repairs();
    if let Err(broken) = outcome {
        let story = world.story(&broken.what);
        report.failures.push(Failure { seed, rule: broken.rule, story });
    }
    Ok(())
}
