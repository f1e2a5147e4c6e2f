//! The fault simulation, a little of it with every test run; `make simulate` runs more.

use std::ops::Range;

use doorstep::simulate::{Fault, Plan, Report, RunOptions, run_seeds};

fn run(seeds: Range<u64>, threads: usize) -> Report {
    let how = RunOptions { threads, stop_at_first: true };
    run_seeds(Plan::default(), seeds, how, |_| ()).expect("worlds")
}

#[test]
fn no_seed_breaks_a_rule() {
    let report = run(0..30, std::thread::available_parallelism().map_or(1, usize::from));
    if let Some(failure) = report.failures.first() {
        panic!("seed {} breaks {}:\n{}", failure.seed, failure.rule, failure.trace);
    }
    let never: Vec<_> =
        Fault::ALL.iter().filter(|fault| !report.faults.contains_key(fault.as_str())).collect();
    assert!(never.is_empty(), "never struck: {never:?}");
}

#[test]
fn the_same_seeds_give_the_same_runs_on_any_number_of_threads() {
    let alone = run(4711..4717, 1);
    assert_eq!(alone, run(4711..4717, 1));
    assert_eq!(alone, run(4711..4717, 3));
}
