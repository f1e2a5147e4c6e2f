//! No list, count or search reads a table from end to end, be its filters rare or frequent.
//!
//! Runs every queue, filter and order over a store with few rows, and over one in which each filter
//! passes more rows than are counted, and looks at the plans of all statements.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use doorstep::office::store::sqlite::Sqlite;
use doorstep::office::store::{InitialSecrets, Listing, MAX_TOTAL, Queue, Sort, Store};
use doorstep::record::terms::{Flag, ReviewStatus, Stage};
use rusqlite::Connection;

use super::plans::{
    LISTS_FOLDER, RECORDING, SEEN_OF_LISTS, Statistics, plan, record_statements, store_with,
};
use super::samples::{id, record, rows};

const SECRETS: InitialSecrets =
    InitialSecrets { epoch: [1; 16], office_device: [2; 16], attestation_key: [3; 32] };

/// Indexes that hold only the rows of a filter: reading all of one reads no other rows.
const PARTIAL: [&str; 3] = ["visits_unassigned", "visits_held", "visits_in_conflict"];

#[test]
fn no_list_reads_a_table_from_end_to_end() {
    let folder = tempfile::Builder::new().prefix(LISTS_FOLDER).tempdir().unwrap();
    let database = folder.path().join("db");
    record_statements();
    let store = Sqlite::open(&database, SECRETS).unwrap();
    let store: &dyn Store = &store;
    store
        .write_now(|tx| {
            tx.put_record(id(1), &record("C-1", 1))?;
            tx.put_rows(id(1), &rows(id(1), "C-1"))
        })
        .unwrap();
    RECORDING.store(true, Ordering::Relaxed);
    read_all(store);
    RECORDING.store(false, Ordering::Relaxed);
    fill(&database);
    RECORDING.store(true, Ordering::Relaxed);
    read_all(store);
    RECORDING.store(false, Ordering::Relaxed);

    let statements =
        std::mem::take(&mut *SEEN_OF_LISTS.lock().unwrap_or_else(PoisonError::into_inner));
    assert!(statements.len() > 100, "{}", statements.len());
    let mut dear = BTreeSet::new();
    for statistics in [Statistics::None, Statistics::Small, Statistics::Large] {
        let connection = store_with(&database, statistics);
        for statement in &statements {
            let plan = plan(&connection, statement);
            let sorts = plan.contains("USE TEMP B-TREE FOR ORDER BY");
            for step in plan.split("; ").filter(|step| step.starts_with("SCAN")) {
                // In the order of the list, until a page is full; or what was counted before.
                let counted = PARTIAL.iter().any(|index| step.ends_with(index));
                let in_order = step.starts_with("SCAN v USING") && (!sorts || counted);
                let bounded = step.contains("VIRTUAL TABLE")
                    || step == "SCAN j"
                    || step == "SCAN meta"
                    // The search index's own settings.
                    || step.ends_with("_config")
                    // Rows that a count has found, up to its limit.
                    || step.starts_with("SCAN (subquery");
                if !in_order && !bounded {
                    dear.insert(format!("{statement}\n    {plan}"));
                }
            }
            if plan.contains("AUTOMATIC") {
                dear.insert(format!("{statement}\n    {plan}"));
            }
        }
    }
    assert!(dear.is_empty(), "{}", Vec::from_iter(dear).join("\n"));
}

/// Every filter in every order, and every queue with the filters that may lead, first and second page;
/// and all counts.
fn read_all(store: &dyn Store) {
    let filters: Vec<fn(&mut Listing)> = vec![
        |_| (),
        |listing| listing.text = "娜".into(),
        |listing| listing.text = "娜娜".into(),
        |listing| listing.text = "欧阳娜娜".into(),
        |listing| listing.collectors = vec!["wu.min".into()],
        |listing| listing.stages = vec![Stage::Contacted],
        |listing| listing.stages = vec![Stage::Contacted, Stage::Sealed],
        |listing| listing.review = Some(ReviewStatus::Pending),
        |listing| listing.review = Some(ReviewStatus::Returned),
        |listing| listing.hold = Some(Flag::Complaint),
        |listing| listing.conflicts = true,
        |listing| listing.unassigned = true,
        |listing| listing.since = Some(1),
    ];
    let mut listings = Vec::new();
    for filter in &filters {
        for sort in [Sort::Updated, Sort::Due, Sort::CaseNo, Sort::Overdue, Sort::Queue] {
            let mut listing = Listing { sort, ..Listing::default() };
            filter(&mut listing);
            listings.push(listing);
        }
    }
    for queue in Queue::ALL.iter().copied() {
        for filter in &filters[..5] {
            for sort in [Sort::Updated, Sort::Queue] {
                let mut listing = Listing { queue: Some(queue), sort, ..Listing::default() };
                filter(&mut listing);
                listings.push(listing);
            }
        }
    }
    for listing in listings {
        let mut listing = Listing { limit: 1, today: "2026-01-02".into(), ..listing };
        let page = store.read_with(|reads| reads.list(&listing)).unwrap();
        listing.after = page.next;
        store.read_with(|reads| reads.list(&listing)).unwrap();
    }
    store
        .read_with(|reads| {
            reads.count_undecided(9)?;
            reads.count_devices_unseen(1, 1, 9).map(drop)
        })
        .unwrap();
}

/// More rows of one kind than are counted.
fn fill(database: &Path) {
    let connection = Connection::open(database).unwrap();
    let more = MAX_TOTAL + 9;
    let columns = "case_no, borrower_name, address, product, overdue, currency, days_past_due,
        stage, starts_at, ends_at, appointment_status, due_by, priority, disposition,
        review_status, conflicts, updated_at, accepted_at, promise_due, promise_amount, promise_open,
        unassigned, held, queue_key";
    connection
        .execute_batch(&format!(
            "BEGIN;
             CREATE TEMP TABLE n AS WITH RECURSIVE n(n) AS
                (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {more})
                SELECT n, randomblob(16) AS id FROM n;
             INSERT INTO records SELECT n.id, case_no, heads, max_op, changes, created_at,
                updated_at, x'00' FROM n, (SELECT * FROM records LIMIT 1);
             INSERT INTO visits (record, {columns}) SELECT n.id, {columns}
                FROM n, (SELECT * FROM visits LIMIT 1);
             INSERT INTO visit_collectors SELECT id, 'wu.min' FROM n;
             INSERT INTO visit_holds SELECT id, 'complaint' FROM n;
             INSERT INTO visit_search (record, text) SELECT n.id, text
                FROM n, (SELECT text FROM visit_search LIMIT 1);
             INSERT INTO visit_trigrams (visit_trigrams) VALUES ('rebuild');
             COMMIT;"
        ))
        .unwrap();
}
