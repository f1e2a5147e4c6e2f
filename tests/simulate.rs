//! The fault simulation, a little of it with every test run; `doorstep simulate` runs more.

use doorstep::simulate::{Fault, Plan, Report, run};

#[test]
fn no_seed_breaks_a_rule() {
    let seeds: u64 =
        std::env::var("DOORSTEP_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let first: u64 = std::env::var("DOORSTEP_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut report = Report::default();
    for seed in first..first + seeds {
        run(Plan::default(), seed, &mut report).expect("a world");
        if let Some(failure) = report.failures.first() {
            panic!("seed {} breaks {}:\n{}", failure.seed, failure.rule, failure.story);
        }
    }
    let never: Vec<_> =
        Fault::ALL.iter().filter(|fault| !report.faults.contains_key(fault.as_str())).collect();
    assert!(seeds < 40 || never.is_empty(), "never struck: {never:?}");
    println!("{report:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let report = || {
        let mut report = Report::default();
        run(Plan::default(), 4711, &mut report).expect("a world");
        format!("{report:?}")
    };
    assert_eq!(report(), report());
}
