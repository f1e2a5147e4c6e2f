//! What the contract says of queues, their order, and what a search no longer finds.

use doorstep::conduct::terms::{Answer, LegalStatus, Moment, Severity};
use doorstep::ids::{Heads, RecordId};
use doorstep::office::store::{ConductRow, Listing, PromiseFact, Queue, Rows, Sort, Store};
use doorstep::record::queue::{OrderRule, QueueOrder};
use doorstep::record::terms::{Flag, ReviewStatus, Stage};

use super::samples::{Engine, id, record, rows};

const TODAY: &str = "2026-01-05";

/// A record in no queue.
fn quiet(n: u8) -> Rows {
    let mut rows = rows(id(n), &format!("C-{n}"));
    rows.summary.conflicts = 0;
    rows.conflicts.clear();
    rows.summary.holds.clear();
    rows.summary.due_by = String::new();
    rows.facts.promise = None;
    rows
}

fn put(store: &dyn Store, n: u8, rows: Rows) {
    store
        .write_now(move |tx| {
            tx.put_record(id(n), &record(&rows.summary.case_no, n))?;
            tx.put_rows(id(n), &rows)
        })
        .unwrap();
}

fn cases(store: &dyn Store, listing: Listing) -> Vec<String> {
    let listing = Listing { limit: 99, today: TODAY.into(), ..listing };
    let page = store.read_with(|reads| reads.list(&listing)).unwrap();
    let count = store.read_with(|reads| reads.count_listed(&listing, 99)).unwrap();
    assert_eq!((page.rows.len() as u64, page.total), (count, count));
    page.rows.into_iter().map(|row| row.summary.case_no).collect()
}

fn promised(day: &str) -> Option<PromiseFact> {
    Some(PromiseFact { due: day.into(), amount: 5, open: true })
}

fn finding(record: RecordId, rule: &str, answer: Answer, shadow: bool) -> ConductRow {
    ConductRow {
        record,
        case_no: String::new(),
        rule: rule.into(),
        moment: Moment::After,
        layer: "base".into(),
        answer,
        severity: Severity::Warn,
        status: LegalStatus::Law,
        shadow,
        grade: None,
        reason: String::new(),
        policy: String::new(),
        at: 1,
    }
}

pub(crate) fn queues_are_filters(engine: &Engine) {
    let store = &*engine.store;
    let make = |n: u8, change: fn(&mut Rows)| {
        let mut rows = quiet(n);
        change(&mut rows);
        put(store, n, rows);
    };
    make(1, |rows| rows.summary.collectors.clear());
    make(2, |rows| rows.summary.due_by = TODAY.into());
    make(3, |rows| rows.summary.due_by = "2026-01-04".into());
    make(4, |rows| {
        rows.summary.stage = Stage::Recorded;
        rows.summary.review_status = ReviewStatus::Returned;
        // It was visited.
        rows.summary.due_by = "2026-01-04".into();
    });
    make(5, |rows| {
        rows.summary.stage = Stage::Sealed;
        rows.summary.collectors.clear();
    });
    make(6, |rows| rows.summary.conflicts = 1);
    make(7, |rows| rows.summary.holds = vec![Flag::Dispute]);
    make(8, |rows| rows.summary.holds = vec![Flag::Complaint]);
    make(9, |rows| rows.facts.promise = promised(TODAY));
    make(10, |rows| rows.facts.promise = promised("2025-12-31"));
    make(11, |rows| rows.facts.promise = promised("2026-01-06"));
    make(12, |rows| {
        rows.summary.stage = Stage::Reviewed;
        rows.summary.holds = vec![Flag::Complaint];
    });
    make(13, |_| ());
    make(14, |rows| rows.summary.stage = Stage::Sealed);
    make(15, |_| ());
    make(16, |rows| rows.summary.stage = Stage::Reviewed);
    // Returned: it is audited with its next seal.
    make(17, |rows| rows.summary.stage = Stage::Recorded);
    store
        .write_now(|tx| {
            tx.draw_audit_sample(id(16), 5, 6)?;
            tx.draw_audit_sample(id(17), 5, 6)?;
            let failed = [
                finding(id(13), "CN-01", Answer::Fail, false),
                finding(id(13), "CN-02", Answer::Fail, false),
            ];
            tx.put_conduct(id(13), &Heads::default(), &[0; 32], &failed)?;
            let unknown = [finding(id(14), "CN-01", Answer::Unknown, false)];
            tx.put_conduct(id(14), &Heads::default(), &[0; 32], &unknown)?;
            let shadow = [finding(id(15), "CN-01", Answer::Fail, true)];
            tx.put_conduct(id(15), &Heads::default(), &[0; 32], &shadow)
        })
        .unwrap();
    for queue in Queue::ALL.iter().copied() {
        let expected: &[&str] = match queue {
            Queue::Unassigned => &["C-1"],
            Queue::DueToday => &["C-2"],
            Queue::Overdue => &["C-3"],
            Queue::Returned => &["C-4"],
            Queue::ToReview => &["C-14", "C-5"],
            Queue::ToAudit => &["C-16"],
            Queue::InConflict => &["C-6"],
            Queue::Holds => &["C-7", "C-8"],
            Queue::Complaints => &["C-8"],
            Queue::PromisesDue => &["C-9"],
            Queue::PromisesBroken => &["C-10"],
            Queue::ConductFailed => &["C-13"],
            Queue::ConductUnknown => &["C-14"],
        };
        let listing = Listing { queue: Some(queue), sort: Sort::Queue, ..Listing::default() };
        assert_eq!(cases(store, listing.clone()), expected, "{queue}");
        // With another filter that leads.
        let narrowed = Listing { text: expected[0].into(), ..listing };
        assert_eq!(cases(store, narrowed), &expected[..1], "{queue}");
    }
    // A row that changes leaves its queue.
    put(store, 9, quiet(9));
    let due = Listing { queue: Some(Queue::PromisesDue), ..Listing::default() };
    assert_eq!(cases(store, due), [""; 0]);
}

pub(crate) fn a_name_that_changes_leaves_the_search(engine: &Engine) {
    let store = &*engine.store;
    put(store, 1, quiet(1));
    let find = |text: &str| cases(store, Listing { text: text.into(), ..Listing::default() });
    for text in ["欧阳娜", "阳娜", "欧"] {
        assert_eq!(find(text), ["C-1"], "{text}");
    }
    let mut erased = quiet(1);
    erased.summary.borrower_name = "—".into();
    put(store, 1, erased.clone());
    for text in ["欧阳娜", "阳娜", "欧"] {
        assert_eq!(find(text), [""; 0], "{text}");
    }
    assert_eq!(find("—"), ["C-1"]);
    // The same again changes nothing.
    put(store, 1, erased);
    assert_eq!(find("上海市"), ["C-1"]);
}

pub(crate) fn rows_follow_the_order(engine: &Engine) {
    let store = &*engine.store;
    let mut all = Vec::new();
    for n in 1..=9 {
        let mut rows = quiet(n);
        rows.summary.priority = i64::from(n % 3) + 1;
        rows.summary.days_past_due = i64::from(n * 7 % 5);
        rows.summary.due_by = format!("2026-01-{:02}", n * 5 % 7 + 1);
        rows.facts.promise = if n % 2 == 0 { promised(&format!("2026-02-{n:02}")) } else { None };
        put(store, n, rows.clone());
        all.push(rows);
    }
    let sorted = |order: &QueueOrder| {
        let mut all = all.clone();
        all.sort_by_key(|rows| order.sort_key(&rows.summary, rows.open_promise().as_ref()));
        all.into_iter().map(|rows| rows.summary.case_no).collect::<Vec<_>>()
    };
    let listed = || cases(store, Listing { sort: Sort::Queue, ..Listing::default() });
    assert_eq!(listed(), sorted(&QueueOrder::default()));
    let rules = [OrderRule::Priority, OrderRule::Age];
    store.write_now(move |tx| tx.set_queue_order(&rules)).unwrap();
    // A write in between has its place already; the rest moves in batches, also after a restart.
    put(store, 4, all[3].clone());
    store.write_now(|tx| tx.rekey(4)).unwrap();
    store.write_now(move |tx| tx.set_queue_order(&rules)).unwrap();
    while store.write_now(|tx| tx.rekey(4)).unwrap() {}
    let order = QueueOrder::from_words(["priority", "age"]);
    assert_eq!(listed(), sorted(&order));
    assert_eq!(store.read_with(|reads| reads.queue_order()).unwrap(), order);
}
