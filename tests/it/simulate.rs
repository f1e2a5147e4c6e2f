//! The fault simulation, a little of it with every test run; `make simulate` runs more.

use std::ops::Range;

use doorstep::simulate::{Fault, Plan, Report, RunOptions, StoreKind, run_seeds};

#[cfg(unix)]
use crate::support::postgres::Database;
#[cfg(unix)]
use doorstep::office::store::postgres::run_script;

fn run(seeds: Range<u64>, threads: usize) -> Report {
    run_over(StoreKind::Sqlite, seeds, threads)
}

fn run_over(store: StoreKind, seeds: Range<u64>, threads: usize) -> Report {
    let how = RunOptions { threads, store, stop_at_first: true };
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

#[cfg(unix)]
#[test]
fn a_seed_does_the_same_over_postgresql() {
    let database = Database::new();
    let store = StoreKind::Postgres(database.address().to_owned());
    assert_eq!(run_over(store, 0..2, 2), run(0..2, 2));
}

/// The simulator clears its database.
#[cfg(unix)]
#[test]
fn a_database_with_tables_is_left_alone() {
    let database = Database::new();
    run_script(
        database.address(),
        "CREATE TABLE visits (id BIGINT); INSERT INTO visits VALUES (1)",
    )
    .unwrap();
    let how = RunOptions {
        threads: 1,
        store: StoreKind::Postgres(database.address().to_owned()),
        stop_at_first: true,
    };
    let refused = run_seeds(Plan::default(), 0..1, how, |_| ()).unwrap_err();
    assert!(refused.contains("needs an empty database"), "{refused}");
    run_script(database.address(), "SELECT 1 / count(*) FROM visits").unwrap();
}
