//! A phone's workspace against the real office: the rules of docs/SYNC.md, cited by number.

use crate::support::office::TestOffice;
use crate::support::phone::{NOW, Sent, Tables, TestPhone, contact};
use doorstep::ids::RecordId;
use doorstep::office::Office;
use doorstep::record::command::{
    AppointmentPatch, AppointmentProposal, AssignmentPatch, CasePatch, Command, TalkPatch, TextEdit,
};
use doorstep::record::terms::{Disposition, ProposedBy, Role};
use doorstep::sync::message::{decode_reply, decode_request};
use doorstep::workspace::{
    Output, RecordProblem, RecordState, RequestFailure, StorageFailure, StoreError, SyncProblem,
    SyncState, Table,
};
use rstest::rstest;

#[tokio::test]
async fn p2_in_step_is_said_only_after_the_digests_were_compared() {
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
async fn r7_an_office_that_is_busy_is_left_alone_and_needs_nobody() {
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
async fn r7_phones_that_were_put_off_together_come_back_apart_and_by_themselves() {
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
    let rows = phone.chunks(record);
    phone.workspace.loaded(record, &rows, phone.now);
    phone.run();
    assert!(phone.sent.is_some(), "the request follows");
    phone.sync(&office).await;
    phone.assert_in_step();
}

#[tokio::test]
async fn r5_a_first_sync_that_is_cut_off_goes_on_where_it_was() {
    let (office, ids) = TestOffice::with_records(200).await;
    let mut phone = with_small_pages();
    phone.round(&office).await;
    let held = phone.ids().len();
    assert!(held > 0 && held < ids.len(), "a page of {held} and not all");
    let first = phone.status().first_sync.expect("progress");
    assert_eq!((first.received, first.total), (held as i64, 200));
    phone.restart();
    assert_eq!(phone.ids().len(), held, "what came is kept");
    phone.sync(&office).await;
    assert_eq!(phone.ids(), ids);
    phone.assert_in_step();
    assert!(phone.status().first_sync.is_none());
}

#[tokio::test]
async fn r5_the_next_page_travels_while_one_is_applied() {
    let (office, ids) = TestOffice::with_records(400).await;
    let mut phone = with_small_pages();
    let asked_before = phone.requests;
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
    // The request for the third page is lost: after the backoff the pass goes on where it was.
    phone.lose_reply();
    assert!(phone.sent.is_none());
    phone.now += 1_000;
    assert!(phone.wake_if_due());
    phone.sync(&office).await;
    assert_eq!(phone.ids(), ids);
    phone.assert_in_step();
    assert!(phone.requests > asked_before + 3);
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
            Output::Load { record } => {
                let record = record.parse().unwrap();
                let rows = phone.chunks(record);
                phone.workspace.loaded(record, &rows, phone.now);
            }
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
async fn d3_a_reply_that_never_comes_costs_nothing() {
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
async fn r3_what_is_no_reply_is_not_applied() {
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
async fn d5_a_damaged_chunk_is_set_aside_and_healed() {
    let (office, ids) = TestOffice::with_records(3).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let key = damage(&mut phone, Table::Chunks, &ids[1].to_string());
    phone.restart();
    phone.sync(&office).await;
    phone.open(ids[1]);
    phone.workspace.view(ids[1]).expect_err("damaged");
    assert_eq!(phone.problem(ids[1]), Some(RecordProblem::Damaged));
    assert_eq!(phone.status().state, SyncState::Attention);
    assert!(phone.tables[&Table::Damaged].contains_key(&format!("chunks/{key}")));
    assert_eq!(phone.view(ids[0]).id, ids[0].to_string(), "every other record goes on working");

    phone.sync(&office).await;
    assert_eq!(phone.problem(ids[1]), None);
    assert_eq!(phone.view(ids[1]), office.visit(ids[1]).await.expect("there"));
    phone.assert_in_step();
}

#[tokio::test]
async fn d5_unsent_work_outlives_damage_to_any_one_row() {
    for table in [Table::Chunks, Table::Outbox, Table::Records] {
        let (office, ids) = TestOffice::with_records(2).await;
        let mut phone = TestPhone::new("chen.jie", 1);
        phone.sync(&office).await;
        phone.apply(ids[0], &contact("c1"));
        damage(&mut phone, table, &ids[0].to_string());
        phone.restart();
        phone.open(ids[0]);
        phone.sync(&office).await;
        phone.sync(&office).await;
        phone.assert_in_step();
        assert_eq!(phone.view(ids[0]).contacts.len(), 1, "{table:?}");
        let at_office = office.visit(ids[0]).await.expect("there").contacts.len();
        assert_eq!(at_office, 1, "{table:?}");
    }
}

#[tokio::test]
async fn d5_damage_to_what_the_store_says_about_itself_is_healed() {
    let (office, ids) = TestOffice::with_records(3).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let sound = phone.tables.clone();
    for key in sound[&Table::Meta].keys() {
        phone.tables = sound.clone();
        phone.restart();
        phone.apply(ids[0], &contact(&format!("before the damage to {key}")));
        let value = phone.tables.get_mut(&Table::Meta).unwrap().get_mut(key).unwrap();
        // The first byte is the format, in the clear.
        value[0] ^= 1;
        phone.restart();
        assert!(phone.tables[&Table::Damaged].contains_key(&format!("meta/{key}")));
        phone.sync(&office).await;
        phone.assert_in_step();
        assert!(phone.tables[&Table::Meta].contains_key(key), "{key} is written anew");
        phone.restart();
        phone.sync(&office).await;
        phone.assert_in_step();
    }
    assert_eq!(
        office.visit(ids[0]).await.expect("there").contacts.len(),
        sound[&Table::Meta].len()
    );
}

#[tokio::test]
async fn d6_rows_in_each_others_place_are_found_in_every_table() {
    for table in [Table::Records, Table::Chunks, Table::Outbox] {
        let (office, ids) = TestOffice::with_records(2).await;
        let mut phone = TestPhone::new("chen.jie", 1);
        phone.sync(&office).await;
        for (id, contact_id) in ids.iter().zip(["one", "two"]) {
            phone.apply(*id, &contact(contact_id));
        }
        let rows = phone.tables.get_mut(&table).unwrap();
        // Of chunks the one with the last change: without the others there is nothing to show.
        let of = |id: &RecordId| {
            let theirs = rows.iter().filter(|(key, _)| key.starts_with(&id.to_string()));
            theirs.min_by_key(|(_, value)| value.len()).unwrap().0.clone()
        };
        let (one, two) = (of(&ids[0]), of(&ids[1]));
        let (first, second) = (rows[&one].clone(), rows[&two].clone());
        rows.insert(one.clone(), second);
        rows.insert(two.clone(), first);
        phone.restart();
        for (id, contact_id) in ids.iter().zip(["one", "two"]) {
            assert_eq!(phone.view(*id).contacts[0].id, contact_id, "{table:?}");
        }
        for key in [one, two] {
            let kept = format!("{}/{key}", format!("{table:?}").to_lowercase());
            assert!(phone.tables[&Table::Damaged].contains_key(&kept), "{kept}");
        }
        phone.sync(&office).await;
        phone.assert_in_step();
        for (id, contact_id) in ids.iter().zip(["one", "two"]) {
            assert_eq!(office.visit(*id).await.expect("there").contacts[0].id, contact_id);
        }
    }
}

#[tokio::test]
async fn d6_nothing_that_is_stored_can_be_read() {
    let (office, ids) = TestOffice::with_records(2).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.apply(ids[0], &contact("c1"));
    let chunks = phone.tables[&Table::Chunks].clone();
    for (table, rows) in &phone.tables {
        for (key, value) in rows {
            let text = String::from_utf8_lossy(value);
            for plain in ["Borrower", "Mill Road", "NB00", "chen.jie", "phones.0"] {
                assert!(
                    !text.contains(plain) && !key.contains(plain),
                    "{plain} in {table:?} {key}"
                );
            }
        }
    }
    // The name of a chunk does not tell what it says: another phone calls the same one otherwise.
    let mut other = TestPhone::new("chen.jie", 2);
    other.key = [8; 32];
    other.reopen(Tables::new()).expect("a new store");
    other.run();
    other.sync(&office).await;
    assert_eq!(other.view(ids[1]), phone.view(ids[1]));
    assert!(other.tables[&Table::Chunks].keys().all(|key| !chunks.contains_key(key)));
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

#[rstest]
#[case::the_one_that_shows(0)]
#[case::the_other(1)]
#[tokio::test]
async fn two_values_are_shown_on_both_sides_until_one_is_picked(#[case] keep: usize) {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.apply(ids[0], &proposal());
    phone.sync(&office).await;

    phone.apply(ids[0], &starts(NOW + 60_000));
    desk(&office, ids[0], &starts(NOW + 120_000)).await;
    phone.sync(&office).await;
    let here = phone.view(ids[0]).conflicts;
    assert_eq!(here.len(), 1);
    assert_eq!(here, office.visit(ids[0]).await.expect("there").conflicts);

    let pick = here[0].values[keep].clone();
    phone.apply(ids[0], &Command::Resolve { path: here[0].path.clone(), pick: pick.id });
    phone.sync(&office).await;
    let there = office.visit(ids[0]).await.expect("there");
    assert!(there.conflicts.is_empty());
    assert_eq!(there, phone.view(ids[0]));
    phone.assert_in_step();
}

#[tokio::test]
async fn notes_of_both_sides_merge_by_character() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let base = phone.view(ids[0]).heads;
    phone.apply(ids[0], &Command::EditNotes(TextEdit { base, text: "door".into() }));
    desk(&office, ids[0], &notes_of(&office, ids[0], "二楼 ").await).await;
    phone.sync(&office).await;
    let notes = phone.view(ids[0]).notes;
    assert!(notes == "door二楼 " || notes == "二楼 door", "{notes}");
    assert_eq!(office.visit(ids[0]).await.expect("there").notes, notes);
}

#[tokio::test]
async fn f1_a_withdrawn_record_is_erased_once_its_work_is_handed_over() {
    let (office, ids) = TestOffice::with_records(2).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.apply(ids[0], &contact("unsent"));
    for id in &ids {
        let nobody = AssignmentPatch { collectors: Some(vec![]), ..Default::default() };
        desk(&office, *id, &Command::Assign(nobody)).await;
    }
    phone.sync(&office).await;
    phone.assert_in_step();
    assert!(phone.ids().is_empty());
    for table in [Table::Records, Table::Chunks, Table::Outbox] {
        assert!(phone.tables.get(&table).is_none_or(|rows| rows.is_empty()), "{table:?}");
    }
    let kept = office.quarantine().await.expect("read");
    assert_eq!((kept.len(), kept[0].user.as_str()), (1, "chen.jie"));
}

#[tokio::test]
async fn f1_a_record_that_is_given_again_comes_whole() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let assign = |users: &[&str]| {
        let collectors = Some(users.iter().map(|user| (*user).to_owned()).collect());
        Command::Assign(AssignmentPatch { collectors, ..Default::default() })
    };
    desk(&office, ids[0], &assign(&["wu.min"])).await;
    phone.sync(&office).await;
    assert!(phone.ids().is_empty());
    desk(&office, ids[0], &assign(&["wu.min", "chen.jie"])).await;
    phone.sync(&office).await;
    assert_eq!(phone.view(ids[0]).assignment.collectors, ["chen.jie", "wu.min"]);
    phone.assert_in_step();
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

#[tokio::test]
async fn m4_refused_work_waits_for_a_person_and_holds_up_nothing() {
    let (office, ids) = TestOffice::with_records(2).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    // A program that was tampered with lets its person write what is the office's.
    phone.claims = Role::Supervisor;
    phone.restart();
    let forgiven = CasePatch { overdue: Some(0), ..Default::default() };
    phone.apply(ids[0], &Command::UpdateCase(Box::new(forgiven)));
    phone.claims = Role::Collector;
    phone.restart();
    phone.apply(ids[0], &contact("after it"));
    phone.apply(ids[1], &contact("elsewhere"));
    phone.sync(&office).await;

    assert_eq!(phone.problem(ids[0]), Some(RecordProblem::RefusedNotAllowed));
    assert_eq!(phone.status().state, SyncState::Attention);
    assert_eq!(office.visit(ids[0]).await.expect("there").case.overdue, 150_000);
    assert_eq!(office.visit(ids[1]).await.expect("there").contacts.len(), 1, "nothing waits");
    let kept = office.quarantine().await.expect("read");
    assert_eq!((kept[0].path.as_str(), kept[0].user.as_str()), ("case.overdue", "chen.jie"));
    let requests = phone.requests;
    phone.sync(&office).await;
    assert_eq!(phone.requests, requests + 1, "not sent again and again");

    phone.open(ids[0]);
    phone.workspace.resolve_refused(ids[0], &[], &[], 77, NOW, "Asia/Shanghai").expect("open");
    phone.run();
    assert_eq!(phone.view(ids[0]), office.visit(ids[0]).await.expect("there"));
    phone.apply(ids[0], &contact("what still holds"));
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(office.visit(ids[0]).await.expect("there").contacts.len(), 1);
}

#[tokio::test]
async fn rows_of_the_list_say_where_a_record_stands() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let state = |phone: &TestPhone| phone.workspace.list()[0].state;
    assert_eq!(state(&phone), RecordState::AtOffice);
    phone.apply(ids[0], &outcome(Disposition::Hardship));
    assert_eq!(state(&phone), RecordState::OnPhone);
    phone.workspace.sync_now(phone.now);
    phone.run();
    assert_eq!(state(&phone), RecordState::Sending);
    phone.round(&office).await;
    assert_eq!(state(&phone), RecordState::AtOffice);
}

#[test]
fn a_store_of_a_newer_program_is_refused_untouched() {
    let mut phone = TestPhone::new("chen.jie", 1);
    let mut tables = phone.tables.clone();
    tables.get_mut(&Table::Meta).expect("meta").insert("format".into(), vec![99]);
    assert_eq!(phone.reopen(tables.clone()), Err(StoreError::Format(99)));
    assert_eq!(phone.tables, tables);
}

// -- fixtures

/// An edit by the office.
async fn desk(office: &Office, record: RecordId, command: &Command) {
    office.command(record, command.clone(), "lin.yue", Role::Supervisor).await.expect("allowed");
}

async fn notes_of(office: &Office, record: RecordId, text: &str) -> Command {
    let base = office.visit(record).await.expect("there").heads;
    Command::EditNotes(TextEdit { base, text: text.into() })
}

/// Flips a bit in one row of a record; gives its key.
fn damage(phone: &mut TestPhone, table: Table, prefix: &str) -> String {
    let rows = phone.tables.get_mut(&table).expect("rows");
    let (key, value) =
        rows.iter_mut().rfind(|(key, _)| key.starts_with(prefix)).expect("a row of the record");
    let middle = value.len() / 2;
    value[middle] ^= 0x10;
    key.clone()
}

fn outcome(disposition: Disposition) -> Command {
    Command::EditTalk(TalkPatch { disposition: Some(disposition), ..Default::default() })
}

fn proposal() -> Command {
    Command::ProposeAppointment(AppointmentProposal {
        starts_at: NOW,
        ends_at: NOW + 3_600_000,
        place: "12 Mill Road".into(),
        proposed_by: ProposedBy::Collector,
        borrower_remark: String::new(),
    })
}

fn starts(at: i64) -> Command {
    Command::EditAppointment(AppointmentPatch { starts_at: Some(at), ..Default::default() })
}
