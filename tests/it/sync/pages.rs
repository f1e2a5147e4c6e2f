//! Replies in pages: first sync, long absence, requests for records.

use doorstep::ids::RecordId;
use doorstep::office::OfficeError;
use doorstep::record::command::Command;
use doorstep::sync::message::{Cursor, Push, Request, UpdateContent, encode_reply};

use crate::support::office::TestOffice;
use crate::support::sync_client::{SyncClient, contact};

#[tokio::test]
async fn r5_a_first_sync_is_paged_and_resumes_where_it_was_cut_off() {
    let office = TestOffice::ticking();
    for n in 0..120 {
        office.add_visit(&format!("C-{n}"), &["chen.jie"]).await;
    }
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.max_bytes = 8 * 1024;
    let first = chen.sync(&office).await;
    assert!(first.remaining > 0 && !first.entries.is_empty());
    assert_eq!(first.remaining + first.entries.len() as u64, 120);
    // As sent, not as inflated.
    let size = encode_reply(&first).len();
    assert!((4 * 1024..=8 * 1024).contains(&size), "{size} bytes");

    // The next reply is lost: the phone asks again from its cursor, and gets the same.
    let request = chen.request();
    let lost = chen.exchange(&office, request.clone()).await;
    let again = chen.exchange(&office, request).await;
    assert_eq!((lost.entries, lost.cursor), (again.entries, again.cursor));

    let mut rounds = 1;
    loop {
        rounds += 1;
        let reply = chen.sync(&office).await;
        if reply.remaining == 0 {
            chen.assert_in_step(&reply);
            break;
        }
    }
    assert!(rounds > 2);
    assert_eq!(chen.len(), 120);
}

#[tokio::test]
async fn r5_one_byte_asked_for_still_makes_progress() {
    let office = TestOffice::ticking();
    office.add_visit("C-1", &["chen.jie"]).await;
    office.add_visit("C-2", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.max_bytes = 0;
    while chen.sync(&office).await.remaining > 0 {}
    assert_eq!(chen.len(), 2);
}

#[tokio::test]
async fn r4_after_a_long_absence_the_whole_document_comes() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie", "wu.min"]).await;
    let (mut chen, mut wu) = (SyncClient::new("chen.jie", 1), SyncClient::new("wu.min", 2));
    chen.sync(&office).await;
    wu.sync(&office).await;
    wu.write(id, contact(1));
    for n in 2..30 {
        let Command::LogContact(mut long) = contact(n) else { unreachable!() };
        long.note = "长".repeat(4_000);
        chen.write(id, Command::LogContact(long));
    }
    chen.sync(&office).await;
    let reply = wu.sync(&office).await;
    assert!(matches!(reply.entries[0].content, UpdateContent::Document { .. }));
    wu.assert_in_step(&reply);
    assert_eq!(wu.view(id).contacts.len(), 29);
}

#[tokio::test]
async fn m1_a_request_names_a_bounded_number_of_records() {
    let office = TestOffice::ticking();
    let chen = SyncClient::new("chen.jie", 1);
    let push = Push { record: RecordId([1; 16]), changes: Vec::new() };
    let request = Request { push: vec![push; 5_000], ..Request::default() };
    let refused = office.handle_sync(&chen.session(), request).await;
    assert_eq!(refused, Err(OfficeError::TooMany));
}

#[tokio::test]
async fn d5_a_damaged_record_is_healed_from_the_offices_copy() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let other = office.add_visit("C-2", &["wu.min"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    chen.write(id, contact(1));
    chen.sync(&office).await;
    chen.lose(id);
    chen.want = vec![id, other];
    let reply = chen.sync(&office).await;
    assert_eq!(chen.view(id).contacts.len(), 1);
    // What is not the user's is not handed out, and not said to exist.
    assert!(reply.entries.iter().any(|e| e.record == other && e.content == UpdateContent::Unknown));
    chen.assert_in_step(&reply);
}

#[tokio::test]
async fn p3_a_cursor_of_another_life_is_told_the_digest_and_nothing_else() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    let reply = chen.sync(&office).await;
    let stranger = Cursor { epoch: [7; 16], seq: 9_000, base: 9_000 };
    // A cursor ahead of the feed is no cursor of it either.
    for cursor in [stranger, Cursor { epoch: reply.cursor.epoch, ..stranger }] {
        chen.cursor = cursor;
        let again = chen.sync(&office).await;
        assert_eq!(again.cursor, reply.cursor);
        assert!(again.entries.is_empty());
        chen.assert_in_step(&again);
    }
    // In the midst of a first sync little is held: it begins again.
    chen.cursor = Cursor { base: 0, ..stranger };
    let again = chen.sync(&office).await;
    assert!(matches!(again.entries[0].content, UpdateContent::Document { .. }));
    assert_eq!(again.entries[0].record, id);
}
