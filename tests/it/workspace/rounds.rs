//! A phone's workspace against the real office: the rules of docs/SYNC.md, cited by number.

use doorstep::record::command::{Command, TextEdit};
use doorstep::sync::message::{decode_reply, decode_request};
use doorstep::workspace::{Output, RequestFailure, StorageFailure, SyncProblem, SyncState, Table};

use super::office_edits::{desk, notes_of};
use crate::support::office::TestOffice;
use crate::support::phone::{NOW, Sent, TestPhone, contact};

#[tokio::test]
async fn p2_up_to_date_is_shown_only_after_the_digests_were_compared() {
    let (office, _) = TestOffice::with_records(3).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    assert_eq!(phone.status().state, SyncState::Syncing);
    assert_eq!(phone.status().in_step_at, None);
    phone.lose_reply();
    assert_eq!(phone.status().state, SyncState::Offline);
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!((phone.ids().len(), phone.status().in_step_at), (3, Some(NOW)));
}

#[tokio::test]
async fn r7_a_busy_office_is_retried_later_without_user_action() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.apply(ids[0], &contact("c1"));
    phone.workspace.sync_now(phone.now);
    phone.run();
    phone.defer(10_000);
    let status = phone.status();
    assert_eq!((status.state, status.unsent), (SyncState::Offline, 1), "not attention");
    assert_eq!(status.problem, Some(SyncProblem::Request(RequestFailure::OfficeBusy)));

    // Neither a tap nor the office's signal, nor another edit, asks sooner.
    phone.workspace.sync_now(phone.now);
    phone.apply(ids[0], &contact("c2"));
    phone.now += 9_999;
    assert!(!phone.wake_if_due());
    phone.workspace.sync_now(phone.now);
    phone.run();
    assert!(phone.sent.is_none());
    phone.now += 1;
    phone.workspace.sync_now(phone.now);
    phone.run();
    phone.round(&office).await;
    phone.sync(&office).await;
    phone.assert_in_step();

    // A clock that is put back does not make the wait longer than any that is believed.
    phone.workspace.sync_now(phone.now);
    phone.run();
    phone.defer(86_400_000);
    phone.now -= 86_400_000;
    phone.workspace.sync_now(phone.now);
    phone.run();
    phone.round(&office).await;
    phone.assert_in_step();
}

#[tokio::test]
async fn r7_phones_that_were_deferred_together_retry_at_different_times() {
    let (office, _) = TestOffice::with_records(1).await;
    let mut backs = Vec::new();
    for random in [0, 2_500, 4_999] {
        let mut phone = TestPhone::new("chen.jie", 1);
        let sent = phone.sent.take().expect("a first request");
        phone.workspace.defer(sent.round, 10_000, phone.now, random);
        phone.run();
        let began = phone.now;
        while !phone.wake_if_due() {
            phone.now += 100;
        }
        backs.push(phone.now - began);
        phone.round(&office).await;
    }
    assert_eq!(backs, [10_000, 12_500, 15_000]);
}

#[tokio::test]
async fn r1_a_reconnect_is_one_request_and_one_reply() {
    let (office, ids) = TestOffice::with_records(50).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;

    let before = phone.requests;
    phone.sync(&office).await;
    assert_eq!(phone.requests - before, 1, "nothing to do");
    phone.assert_in_step();

    phone.apply(ids[0], &contact("c1"));
    let before = phone.requests;
    phone.sync(&office).await;
    assert_eq!(phone.requests - before, 1, "one change here");
    phone.assert_in_step();

    for (number, id) in ids.iter().enumerate().take(10) {
        phone.apply(*id, &contact(&format!("p{number}")));
    }
    for id in &ids[7..17] {
        desk(&office, *id, &notes_of(&office, *id, "from the office").await).await;
    }
    let before = phone.requests;
    phone.sync(&office).await;
    assert_eq!(phone.requests - before, 1, "changes on both sides, three records the same");
    phone.assert_in_step();
    for id in &ids[..17] {
        assert_eq!(phone.view(*id), office.visit(*id).await.expect("there"));
    }
    assert!(office.verify().await.expect("verified").ok);
}

#[tokio::test]
async fn a_round_that_is_due_waits_for_a_record_that_is_being_loaded() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.restart();
    phone.lose_reply();
    phone.workspace.open(ids[0]).expect("held");
    phone.workspace.sync_now(phone.now);
    let loads = phone.workspace.poll();
    assert!(matches!(loads, Some(Output::Load { .. })), "{loads:?}");
    let (record, Some(wake)) = (ids[0], phone.workspace.poll()) else { panic!("nothing to wake") };
    assert!(matches!(wake, Output::WakeAt { at } if (0..=phone.now).contains(&at)), "{wake:?}");
    phone.load(record);
    phone.run();
    assert!(phone.sent.is_some(), "the request follows");
    phone.sync(&office).await;
    phone.assert_in_step();
}

#[tokio::test]
async fn r5_an_interrupted_first_sync_resumes_where_it_was() {
    let (office, ids) = TestOffice::with_records(200).await;
    let mut phone = with_small_pages();
    phone.round(&office).await;
    let held = phone.ids().len();
    assert!(held > 0 && held < ids.len(), "a page of {held} and not all");
    let first = phone.status().first_sync.expect("progress");
    assert_eq!((first.received, first.total), (held as i64, 200));
    phone.restart();
    assert_eq!(phone.ids().len(), held, "received records are kept");
    phone.sync(&office).await;
    assert_eq!(phone.ids(), ids);
    phone.assert_in_step();
    assert!(phone.status().first_sync.is_none());
}

#[tokio::test]
async fn r5_the_next_page_travels_while_one_is_applied() {
    let (office, ids) = TestOffice::with_records(400).await;
    let mut phone = with_small_pages();
    // What the office answers before the page is applied is applied after it.
    let page = phone.answer(&office).await.unwrap();
    let sent = phone.sent.take().unwrap();
    phone.workspace.replied(sent.round, &page, phone.now);
    let next = loop {
        match phone.workspace.poll().expect("the next request") {
            Output::Send { round, body } => break Sent { round, body: body.into_vec() },
            Output::Persist { .. } => panic!("the request comes before the page is applied"),
            _ => {}
        }
    };
    assert_eq!(decode_request(&next.body).unwrap().cursor, decode_reply(&page).unwrap().cursor);
    phone.sent = Some(next);
    let next_page = phone.answer(&office).await.unwrap();
    let sent = phone.sent.take().unwrap();
    phone.workspace.replied(sent.round, &next_page, phone.now);
    phone.run();
    let held = decode_reply(&page).unwrap().entries.len()
        + decode_reply(&next_page).unwrap().entries.len();
    assert_eq!(phone.ids().len(), held);
    // The request for the third page is lost: after the backoff the pass continues at its cursor.
    phone.lose_reply();
    assert!(phone.sent.is_none());
    phone.sync(&office).await;
    assert_eq!(phone.ids(), ids);
    phone.assert_in_step();
}

#[tokio::test]
async fn r5_an_edit_during_a_long_reply_is_stored_before_the_rest_of_it() {
    let (office, ids) = TestOffice::with_records(30).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    for id in &ids[1..] {
        desk(&office, *id, &notes_of(&office, *id, "changed").await).await;
    }
    phone.open(ids[0]);
    phone.workspace.sync_now(phone.now);
    phone.run();
    let reply = phone.answer(&office).await.unwrap();
    let sent = phone.sent.take().unwrap();
    phone.workspace.replied(sent.round, &reply, phone.now);
    let ticket = phone.workspace.apply(ids[0], &contact("c1"), phone.now, "Asia/Shanghai");
    let mut resumed = 0;
    while phone.saved < ticket.clone().unwrap().unwrap() {
        match phone.workspace.poll().expect("an output") {
            Output::Persist { batch, writes } => {
                writes.into_iter().for_each(|write| phone.write(write));
                phone.workspace.persisted(batch, phone.now);
            }
            Output::Load { record } => phone.load(record.parse().unwrap()),
            Output::Resume => resumed += 1,
            Output::Saved { ticket } => phone.saved = ticket,
            _ => {}
        }
    }
    assert!(resumed <= 1);
    // What was applied before is on the disk without the cursor: it comes again.
    phone.restart();
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(phone.view(ids[29]).notes, "changed");
    assert_eq!(phone.status().repairs, 0);
}

/// A phone before its first sync, on a link that has lost some replies.
fn with_small_pages() -> TestPhone {
    let mut phone = TestPhone::new("chen.jie", 1);
    for _ in 0..4 {
        phone.lose_reply();
        phone.workspace.sync_now(phone.now);
        phone.run();
    }
    phone
}

#[tokio::test]
async fn r4_a_record_that_changed_before_a_first_sync_comes_whole_on_any_page() {
    let (office, ids) = TestOffice::with_records(200).await;
    for id in &ids[..30] {
        desk(&office, *id, &notes_of(&office, *id, "changed").await).await;
    }
    let mut phone = with_small_pages();
    while phone.status().in_step_at.is_none() {
        phone.sent.is_some().then_some(()).expect("a request under way");
        phone.round(&office).await;
        assert!(phone.workspace.list().iter().all(|row| row.problem.is_none()));
        phone.workspace.wake(phone.now);
        phone.run();
    }
    assert_eq!(phone.ids().len(), 200);
    assert_eq!(phone.view(ids[0]).notes, "changed");
    assert_eq!(phone.status().repairs, 0);
}

#[tokio::test]
async fn d1_an_edit_is_acknowledged_only_when_it_is_stored() {
    let (office, ids) = TestOffice::with_records(2).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.disk = Some(StorageFailure::StorageFull);
    let ticket = phone.apply(ids[0], &contact("c1")).expect("a change");
    assert!(phone.saved < ticket);
    assert_eq!(phone.status().state, SyncState::Attention);
    assert_eq!(phone.status().problem, Some(SyncProblem::Storage(StorageFailure::StorageFull)));
    phone.sync(&office).await;
    assert!(office.visit(ids[0]).await.expect("there").contacts.is_empty(), "never sent before");

    phone.disk = None;
    let later = phone.apply(ids[1], &contact("c2")).expect("a change");
    assert!(phone.saved >= later, "the next try carries all");
    phone.restart();
    assert_eq!(phone.view(ids[0]).contacts.len(), 1);
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(office.visit(ids[0]).await.expect("there").contacts.len(), 1);
}

#[tokio::test]
async fn d1_acknowledged_edits_survive_a_crash_at_any_point() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    for number in 0..40 {
        phone.apply(ids[0], &contact(&format!("c{number:02}")));
        if number % 3 == 0 {
            phone.sync(&office).await;
        }
        phone.restart();
        assert_eq!(phone.view(ids[0]).contacts.len(), number + 1);
    }
    let chunks = phone.tables[&Table::Chunks].len();
    assert!(chunks < 30, "chunks are rewritten as one: {chunks} (D4)");
    phone.sync(&office).await;
    phone.assert_in_step();
}

#[tokio::test]
async fn r1_more_changes_of_a_record_than_one_push_may_hold_go_one_after_the_other() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    for number in 0..2_100 {
        let text = ["a", "b"][number % 2];
        let edit = TextEdit { base: phone.view(ids[0]).heads, text: text.into() };
        phone.apply(ids[0], &Command::EditFeedback(edit));
    }
    let before = phone.requests;
    phone.sync(&office).await;
    assert_eq!(phone.requests - before, 3);
    phone.assert_in_step();
    assert_eq!(phone.view(ids[0]), office.visit(ids[0]).await.expect("there"));
}

#[tokio::test]
async fn d3_a_lost_reply_costs_nothing() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.apply(ids[0], &contact("c1"));
    phone.workspace.sync_now(phone.now);
    phone.run();
    phone.answer(&office).await.expect("merged at the office");
    phone.lose_reply();
    assert_eq!((phone.status().state, phone.status().unsent), (SyncState::Offline, 1));
    phone.restart();
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(office.visit(ids[0]).await.expect("there").contacts.len(), 1);
}

#[tokio::test]
async fn r3_malformed_replies_are_not_applied() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.apply(ids[0], &contact("c1"));
    phone.workspace.sync_now(phone.now);
    phone.run();
    let whole = phone.answer(&office).await.expect("a reply");
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        let sent = phone.sent.take().expect("a request");
        phone.workspace.replied(sent.round, &whole[..cut], phone.now);
        phone.run();
        assert_eq!(phone.status().unsent, 1);
        phone.workspace.sync_now(phone.now);
        phone.run();
    }
    phone.sync(&office).await;
    phone.assert_in_step();
}

#[tokio::test]
async fn p3_a_difference_is_repaired_and_counted() {
    let (office, ids) = TestOffice::with_records(4).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    // The store forgot a record, row and chunks, and nothing else tells.
    let prefix = ids[2].to_string();
    for table in phone.tables.values_mut() {
        table.retain(|key, _| !key.starts_with(&prefix));
    }
    phone.restart();
    assert_eq!(phone.ids().len(), 3);
    phone.sync(&office).await;
    assert_eq!(phone.ids(), ids);
    phone.assert_in_step();
    assert_eq!(phone.status().repairs, 1, "P4: counted");
}

#[tokio::test]
async fn r4_two_phones_of_one_user_hold_the_same() {
    let (office, ids) = TestOffice::with_records(2).await;
    let (mut one, mut two) = (TestPhone::new("chen.jie", 1), TestPhone::new("chen.jie", 2));
    one.sync(&office).await;
    two.sync(&office).await;
    one.apply(ids[0], &contact("from one"));
    two.apply(ids[0], &contact("from two"));
    for phone in [&mut one, &mut two] {
        phone.sync(&office).await;
    }
    one.sync(&office).await;
    assert_eq!(one.view(ids[0]), two.view(ids[0]));
    assert_eq!(one.view(ids[0]).contacts.len(), 2);
    one.assert_in_step();
    two.assert_in_step();
}

// -- fixtures
