//! `doorstep simulate`: the fault simulation, replayable by seed. It has stores of its own.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::args::Simulate;
use super::failure::Failure;
use super::{print, print_json};
use crate::office::database::is_postgres;
use crate::simulate::{Fault, Plan, Report, RunOptions, StoreKind, run_seeds};

pub(super) fn run(options: &Simulate) -> Result<(), Failure> {
    let devices = usize::from(options.devices);
    let plan = Plan { devices, trace_lines: options.story, ..Plan::default() };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let store = match options.store.as_str() {
        "sqlite" => StoreKind::Sqlite,
        address if is_postgres(address) => StoreKind::Postgres(address.to_owned()),
        _ => return Err(Failure::failed("--store is sqlite or postgres://USER@HOST/NAME")),
    };
    let how = RunOptions { threads, store, stop_at_first: options.stop_at_first };
    let bar = ProgressBar::new(options.seeds);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let seeds = options.seed..options.seed.saturating_add(options.seeds);
    let report = run_seeds(plan, seeds, how, |report| {
        bar.set_position(report.seeds);
        if !report.failures.is_empty() {
            bar.set_message(format!("{} failures", report.failures.len()));
        }
    });
    bar.finish_and_clear();
    let report = report.map_err(Failure::failed)?;
    if options.json {
        print_json(&report)?;
    } else {
        print(in_words(&report))?;
    }
    if report.failures.is_empty() { Ok(()) } else { Err(Failure::reported()) }
}

fn in_words(report: &Report) -> String {
    let mut lines: Vec<String> = report
        .failures
        .iter()
        .map(|failure| {
            format!("seed {} breaks {}:\n{}\n", failure.seed, failure.rule, failure.trace)
        })
        .collect();
    let mut row = |what: &str, times: u64| lines.push(format!("{what:>26} {times:>12}"));
    for fault in Fault::ALL {
        row(fault.as_str(), report.faults.get(fault.as_str()).copied().unwrap_or(0));
    }
    row("seeds", report.seeds);
    row("failures", report.failures.len() as u64);
    row("rounds", report.rounds);
    row("acknowledged edits", report.edits);
    row("repairs", report.repairs);
    lines.join("\n")
}
