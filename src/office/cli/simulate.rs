//! `doorstep simulate`: the fault simulation, replayable by seed. It opens no store of anybody's.

use indicatif::ProgressBar;

use super::failure::Failure;
use super::{Simulate, print, print_json};
use crate::simulate::{Plan, Report, run as simulate};

pub(super) fn run(options: &Simulate) -> Result<(), Failure> {
    let plan = Plan { devices: usize::from(options.devices), ..Plan::default() };
    let bar = ProgressBar::new(options.seeds);
    let mut report = Report::default();
    for n in 0..options.seeds {
        simulate(plan, options.seed.wrapping_add(n), &mut report).map_err(Failure::failed)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    if options.json {
        print_json(&report)?;
    } else {
        print(in_words(&report))?;
    }
    if report.failures.is_empty() { Ok(()) } else { Err(Failure::said()) }
}

fn in_words(report: &Report) -> String {
    let mut lines: Vec<String> = report
        .failures
        .iter()
        .map(|failure| format!("seed {} breaks {}:\n{}", failure.seed, failure.rule, failure.story))
        .collect();
    lines.extend(report.faults.iter().map(|(fault, times)| format!("{fault:>20} {times}")));
    lines.push(format!(
        "{} seeds, {} failures: {} rounds, {} acknowledged edits, {} repairs",
        report.seeds,
        report.failures.len(),
        report.rounds,
        report.edits,
        report.repairs
    ));
    lines.join("\n")
}
