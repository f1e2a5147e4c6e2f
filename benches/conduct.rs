//! How fast the office asks the rules of conduct: every record of a store, with what it takes to
//! read the documents and to keep the rows. Writes `target/bench/conduct-10000.json`.

#[path = "rounds/report.rs"]
#[allow(dead_code)]
mod report;

use std::time::Instant;

use doorstep::office::{NewVisit, Office};
use doorstep::record::command::{AssignmentPatch, CasePatch};

const RECORDS: usize = 10_000;
/// Tuesday, 3 November 2026, ten in the morning in Shanghai.
const NOW: i64 = 1_793_671_200_000;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("sqlite:{}", folder.path().join("bench.sqlite3").display());
    let office = Office::open(&address, || NOW).expect("opens");
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let visits = (0..RECORDS)
        .map(|n| NewVisit {
            case_no: format!("C{n}"),
            case: CasePatch {
                borrower_name: Some(format!("Borrower {n}")),
                currency: Some("CNY".into()),
                zone: Some("Asia/Shanghai".into()),
                ..CasePatch::default()
            },
            assignment: AssignmentPatch::default(),
        })
        .collect();
    runtime.block_on(office.create_visits(visits, "office")).expect("made");
    let began = Instant::now();
    let asked = runtime.block_on(office.keep_conduct(|_| ())).expect("asked");
    let wall = began.elapsed().as_secs_f64();
    assert_eq!(asked, RECORDS as u64);
    let began = Instant::now();
    runtime.block_on(office.conduct_queue(Default::default())).expect("a page");
    let page = began.elapsed().as_secs_f64() * 1_000.0;
    office.close();
    #[allow(clippy::cast_precision_loss)]
    let rate = RECORDS as f64 / wall;
    report::Report {
        scenario: "conduct",
        parameters: vec![("records", RECORDS.into())],
        figures: vec![
            ("wall_ms", vec![wall * 1_000.0]),
            ("records_per_s", vec![rate]),
            ("queue_page_ms", vec![page]),
        ],
    }
    .write();
}
