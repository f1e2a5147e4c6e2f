//! `verify` finds what was tampered with, whatever it is (rules M5, M7, P1).

use crate::support::office::TestOffice;
use crate::support::sync_client::{START, SyncClient, contact, payment};
use doorstep::record::command::{AssignmentPatch, Command};
use doorstep::record::terms::Role;
use rstest::rstest;

#[rstest]
#[case::a_document("UPDATE records SET document = x'00'", "does not load")]
#[case::heads("UPDATE records SET heads = zeroblob(32)", "heads")]
#[case::a_change_gone("DELETE FROM changes WHERE ordinal = 2", "changes kept")]
#[case::a_changes_bytes("UPDATE changes SET bytes = x'00' WHERE ordinal = 2", "bytes")]
#[case::a_changes_hash("UPDATE changes SET hash = zeroblob(32) WHERE ordinal = 3", "changes kept")]
#[case::a_receipt_gone("DELETE FROM receipts WHERE n = 1", "receipts")]
#[case::a_receipts_user("UPDATE receipts SET user = 'wu.min' WHERE n = 2", "receipts")]
#[case::a_receipts_time("UPDATE receipts SET received_at = 1 WHERE n = 1", "receipts")]
#[case::a_row("UPDATE visits SET overdue = 0", "rows")]
#[case::a_time_of_acceptance("UPDATE visits SET accepted_at = 1", "rows")]
#[case::a_payment("UPDATE payments SET amount = amount + 1", "rows")]
#[case::a_contact("DELETE FROM contacts", "rows")]
#[case::rows_gone("DELETE FROM visits", "rows are missing")]
#[case::refused_bytes(
    "UPDATE quarantine SET changes = x'8141aa'",
    "differs from what was received"
)]
#[case::refused_by("UPDATE quarantine SET device = zeroblob(16)", "differs from what was received")]
#[case::a_decision_gone("DELETE FROM decisions", "is not in the state of its last decision")]
#[case::a_decisions_author(
    "UPDATE decisions SET by_user = 'wu.min'",
    "names a decision that does not exist"
)]
#[case::a_state(
    "UPDATE quarantine SET state = 'dismissed'",
    "is not in the state of its last decision"
)]
#[case::an_acceptance_hidden("UPDATE receipts SET quarantine = NULL", "receipts")]
#[case::bytes_that_no_export_holds(
    "UPDATE quarantine SET changes = x'80', size = 0, exported = 1",
    "export 1 does not hold"
)]
#[case::a_share("UPDATE quarantine_shares SET open_pieces = 7", "counted wrongly")]
#[case::a_feed("UPDATE feeds SET sum = zeroblob(32)", "digest")]
#[case::a_feed_gone("DELETE FROM feeds", "no feed")]
#[tokio::test]
async fn verify_finds(#[case] tampering: &str, #[case] what: &str) {
    let office = TestOffice::with_clock(START, 0);
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    for command in [contact(1), payment(1, 500)] {
        chen.write(id, command);
        chen.sync(&office).await;
    }
    let verified = office.verify().await.unwrap();
    assert!(verified.ok, "{:?}", verified.problems);
    assert_eq!((verified.records, verified.changes, verified.feeds), (1, 3, 1));

    // Refused work that a supervisor accepts.
    chen.force(id, Command::Assign(AssignmentPatch { priority: Some(1), ..Default::default() }));
    chen.sync(&office).await;
    office.accept_quarantined(1, None, "", "lin.yue", Role::Supervisor).await.unwrap();
    let verified = office.verify().await.unwrap();
    assert!(verified.ok, "{:?}", verified.problems);
    assert_eq!((verified.changes, verified.quarantined), (4, 1));

    let connection = rusqlite::Connection::open(office.database()).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    let touched = connection.execute(tampering, ()).unwrap();
    assert!(touched > 0);
    let verified = office.verify().await.unwrap();
    assert!(!verified.ok);
    assert!(
        verified.problems.iter().any(|problem| problem.what.contains(what)),
        "{:?}",
        verified.problems
    );
}
