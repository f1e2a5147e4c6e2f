//! A start reads what the first request needs, and all other rows while it is on its way (rule D8).

use doorstep::ids::RecordId;
use doorstep::record::command::{Command, TextEdit};
use doorstep::workspace::{Output, SyncState, Table};

use crate::support::office::TestOffice;
use crate::support::phone::{Sent, TestPhone, contact};

const RECORDS: usize = 150;

/// A phone that holds all records and starts again from its store; nothing is carried out yet.
async fn started() -> (TestOffice, Vec<RecordId>, TestPhone) {
    let (office, ids) = TestOffice::with_records(RECORDS).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.apply(ids[9], &contact("unsent"));
    let tables = phone.tables.clone();
    phone.reopen(tables).expect("opens");
    (office, ids, phone)
}

/// Carries outputs out until the first request; no other row may have been read by then.
fn first_request(phone: &mut TestPhone) {
    while phone.sent.is_none() {
        match phone.workspace.poll().expect("a request") {
            Output::Send { round, body } => {
                phone.sent = Some(Sent { round, body: body.into_vec() })
            }
            Output::ReadRecords { .. } | Output::Load { .. } => panic!("the request comes first"),
            _ => {}
        }
    }
}

/// Carries outputs out until one asks for the next rows.
fn until_rows_are_due(phone: &mut TestPhone) -> String {
    loop {
        match phone.workspace.poll().expect("an output") {
            Output::ReadRecords { after } => return after,
            Output::Load { record } => phone.load(record.parse().expect("an id")),
            Output::Persist { batch, writes } => {
                writes.into_iter().for_each(|write| phone.write(write));
                phone.workspace.persisted(batch, phone.now);
            }
            Output::Send { .. } => panic!("one request at a time"),
            _ => {}
        }
    }
}

/// Carries everything out but the reading of rows, which waits.
fn all_but_rows(phone: &mut TestPhone) {
    while let Some(output) = phone.workspace.poll() {
        match output {
            Output::Load { record } => phone.load(record.parse().expect("an id")),
            Output::Persist { batch, writes } => {
                writes.into_iter().for_each(|write| phone.write(write));
                phone.workspace.persisted(batch, phone.now);
            }
            Output::Send { .. } | Output::ReadRecords { .. } => panic!("{output:?}"),
            _ => {}
        }
    }
}

/// Reads all rows and finishes the round.
fn read_rows(phone: &mut TestPhone) {
    let rows = phone.rows(Table::Records);
    phone.workspace.records_read(&rows, phone.now);
    phone.run();
}

#[tokio::test]
async fn d8_the_first_request_needs_the_rows_of_unsent_work_alone() {
    let (office, ids, mut phone) = started().await;
    assert_eq!(phone.ids(), [ids[9]], "only what is unsent was read");
    assert_eq!(phone.status().unsent, 1);
    first_request(&mut phone);
    phone.round(&office).await;
    assert_eq!(phone.ids(), ids);
    phone.assert_in_step();
    assert_eq!(phone.status().repairs, 0);
}

#[tokio::test]
async fn d8_a_reply_is_on_disk_before_all_rows_are_read_and_nothing_is_claimed() {
    let (office, ids, mut phone) = started().await;
    let base = office.visit(ids[100]).await.expect("there").heads;
    let notes = Command::EditNotes(TextEdit { base, text: "from the desk".into() });
    office.supervise(ids[100], notes).await;
    first_request(&mut phone);
    assert_eq!(until_rows_are_due(&mut phone), "");
    let reply = phone.answer(&office).await.expect("an answer");
    let sent = phone.sent.take().expect("a request");
    let cursor = phone.tables[&Table::Meta]["cursor"].clone();
    phone.workspace.replied(sent.round, &reply, phone.now);
    all_but_rows(&mut phone);
    assert_ne!(phone.tables[&Table::Meta]["cursor"], cursor, "both sides hold the edits");
    assert_eq!(phone.ids(), [ids[9], ids[100]], "read so far");
    assert_eq!((phone.status().state, phone.status().unsent), (SyncState::Syncing, 0));
    assert!(phone.workspace.holds(ids[3]), "not read yet, so it may be here");
    read_rows(&mut phone);
    phone.assert_in_step();
    assert_eq!(phone.view(ids[100]).notes, "from the desk");
    assert_eq!((phone.ids(), phone.status().repairs), (ids, 0));
}

#[tokio::test]
async fn d8_lost_and_damaged_rows_are_found_before_anything_is_claimed() {
    for lost in [true, false] {
        let (office, ids, mut phone) = started().await;
        let rows = phone.tables.get_mut(&Table::Records).expect("rows");
        let key = ids[60].to_string();
        match lost {
            true => drop(rows.remove(&key)),
            false => rows.get_mut(&key).expect("a row")[40] ^= 1,
        }
        first_request(&mut phone);
        until_rows_are_due(&mut phone);
        let reply = phone.answer(&office).await.expect("an answer");
        let sent = phone.sent.take().expect("a request");
        phone.workspace.replied(sent.round, &reply, phone.now);
        all_but_rows(&mut phone);
        assert_eq!(phone.status().state, SyncState::Syncing);
        let rows = phone.rows(Table::Records);
        phone.workspace.records_read(&rows, phone.now);
        phone.workspace.records_read(&[], phone.now);
        assert_ne!(phone.status().state, SyncState::InStep, "lost: {lost}");
        phone.run();
        phone.sync(&office).await;
        phone.assert_in_step();
        assert_eq!(phone.view(ids[60]), office.visit(ids[60]).await.expect("there"));
        assert_eq!(phone.status().repairs, i64::from(lost));
    }
}

#[tokio::test]
async fn d8_a_record_opens_before_its_row_is_read_with_the_others() {
    let (office, ids, mut phone) = started().await;
    first_request(&mut phone);
    assert_eq!(until_rows_are_due(&mut phone), "");
    phone.workspace.open(ids[70]).expect("may be here");
    phone.workspace.open(RecordId([1; 16])).expect("may be here");
    all_but_rows(&mut phone);
    assert_eq!(phone.workspace.view(ids[70]).expect("open").id, ids[70].to_string());
    let unknown = phone.workspace.view(RecordId([1; 16])).expect_err("not here");
    assert_eq!(unknown.to_string(), "this record is not on this phone");
    // An edit made meanwhile is newer than the row that comes with the others.
    let old = phone.rows(Table::Records);
    phone.workspace.apply(ids[70], &contact("new"), phone.now, "Asia/Shanghai").expect("allowed");
    phone.workspace.records_read(&old, phone.now);
    phone.run();
    assert_eq!(phone.status().unsent, 2);
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(office.visit(ids[70]).await.expect("there").contacts.len(), 1);
}

#[tokio::test]
async fn d8_f1_an_unread_record_with_an_unnamed_attachment_is_retained() {
    let (office, ids, mut phone) = started().await;
    office.assign(ids[80], &["wu.min"]).await;
    phone.workspace.retain_for_attachments([ids[80], RecordId([1; 16])].into(), phone.now);
    first_request(&mut phone);
    phone.round(&office).await;
    assert!(phone.ids().contains(&ids[80]), "its attachment is not named yet");
    assert!(phone.workspace.is_leaving(ids[80]));
    phone.retain_for_attachments(&[]);
    assert!(!phone.ids().contains(&ids[80]));
    phone.sync(&office).await;
    phone.assert_in_step();
}
