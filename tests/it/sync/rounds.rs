//! Two phones and the office through rounds, in the order of a record's life. Test names cite the
//! rules of the sync specification.

use doorstep::ids::RecordId;
use doorstep::office::store::Listing;
use doorstep::office::{Created, OfficeError};
use doorstep::record::command::{Command, TalkPatch};
use doorstep::record::terms::{Disposition, Role, Stage};
use doorstep::sync::digest::Digest;
use doorstep::sync::message::{Outcome, Packed, RefusalCode, Tables, UpdateContent};

use crate::support::office::TestOffice;
use crate::support::sync_client::{self, SyncClient, contact, notes};

#[tokio::test]
async fn f1_a_new_record_is_sent_to_its_collector_only() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    let mut wu = SyncClient::new("wu.min", 2);

    let reply = chen.sync(&office).await;
    assert!(
        matches!(reply.entries[..], [ref entry] if matches!(entry.content, UpdateContent::Document { .. }))
    );
    assert_eq!(chen.view(id).case_no, "C-1");
    chen.assert_in_step(&reply);

    let reply = wu.sync(&office).await;
    assert!(reply.entries.is_empty());
    assert_eq!(reply.digest, Digest::default());
}

#[tokio::test]
async fn r6_a_push_is_merged_then_a_duplicate_and_seen_by_the_other_phone() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie", "wu.min"]).await;
    let (mut chen, mut wu) = (SyncClient::new("chen.jie", 1), SyncClient::new("wu.min", 2));
    chen.sync(&office).await;
    wu.sync(&office).await;

    chen.write(id, contact(1));
    let request = chen.request();
    let reply = chen.sync(&office).await;
    assert!(matches!(reply.results[0], Outcome::Merged { .. }));
    chen.assert_in_step(&reply);

    // D3: the same request again, as after a reply that was lost.
    let again = chen.exchange(&office, request).await;
    assert!(matches!(again.results[0], Outcome::Duplicate { .. }));
    assert_eq!(again.digest, reply.digest);

    let reply = wu.sync(&office).await;
    assert!(
        matches!(&reply.entries[0].content, UpdateContent::Changes { changes, .. } if changes.len() == 1)
    );
    assert_eq!(wu.view(id).contacts.len(), 1);
    assert_eq!(wu.view(id).stage, Stage::Contacted);
    wu.assert_in_step(&reply);
    office.assert_sound().await;
}

#[tokio::test]
async fn r4_a_phones_own_changes_are_not_sent_back() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie", "wu.min"]).await;
    let (mut chen, mut wu) = (SyncClient::new("chen.jie", 1), SyncClient::new("wu.min", 2));
    chen.sync(&office).await;
    wu.sync(&office).await;

    chen.write(id, contact(1));
    let reply = chen.sync(&office).await;
    assert!(reply.entries.is_empty(), "the result says it all: {:?}", reply.entries);

    wu.write(id, contact(2));
    wu.sync(&office).await;
    chen.write(id, contact(3));
    let reply = chen.sync(&office).await;
    assert!(
        matches!(&reply.entries[0].content, UpdateContent::Changes { changes, .. } if changes.len() == 1)
    );
    chen.assert_in_step(&reply);
    assert_eq!(chen.view(id).contacts.len(), 3);
    office.assert_sound().await;
}

#[tokio::test]
async fn r6_changes_without_their_past_are_missing() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    chen.write(id, contact(1));
    chen.write(id, contact(2));
    let mut request = chen.request();
    request.push[0].changes.remove(0);

    let reply = chen.exchange(&office, request).await;
    let Outcome::Missing { have } = &reply.results[0] else { panic!("{reply:?}") };
    assert_eq!(*have, chen.confirmed(id));
    // All of it, and it holds.
    let reply = chen.sync(&office).await;
    assert!(matches!(reply.results[0], Outcome::Merged { .. }));
    chen.assert_in_step(&reply);
}

#[tokio::test]
async fn m2_m4_refused_work_is_kept_and_nothing_else_waits() {
    let office = TestOffice::ticking();
    let one = office.add_visit("C-1", &["chen.jie"]).await;
    let two = office.add_visit("C-2", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    // A phone that lets its collector write what is the office's.
    chen.write_as(
        one,
        Command::UpdateCase(Box::new(sync_client::case("robbed", 0))),
        Role::Supervisor,
    );
    chen.write(two, contact(1));
    let request = chen.request();

    let reply = chen.sync(&office).await;
    let Outcome::Refused { code, path, quarantine, .. } = &reply.results[0] else {
        panic!("{reply:?}")
    };
    assert_eq!((*code, path.as_str()), (RefusalCode::NotAllowed, "case.borrower_name"));
    assert!(matches!(reply.results[1], Outcome::Merged { .. }));

    // D3: once more makes no second row.
    chen.exchange(&office, request.clone()).await;
    let lines = office.quarantine().await.unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].id, lines[0].code.as_str()), (*quarantine, "not_allowed"));
    assert_eq!(lines[0].case_no.as_deref(), Some("C-1"));
    let kept = office.store().read_with(|reads| reads.quarantined(*quarantine)).unwrap().unwrap();
    let sent = unpacked(&request.push[0].changes);
    assert_eq!(kept.refused.changes, sent);
    office.assert_sound().await;
}

#[tokio::test]
async fn f1_a_withdrawn_record_is_erased_once_its_work_is_submitted() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    chen.write(id, contact(1));
    office.assign(id, &["wu.min"]).await;

    let reply = chen.sync(&office).await;
    assert_eq!(reply.results[0], Outcome::Withdrawn);
    assert!(matches!(reply.entries[0].content, UpdateContent::Withdrawn));
    assert_eq!(office.quarantine().await.unwrap()[0].code, "withdrawn");
    chen.assert_in_step(&reply);
    assert!(chen.is_empty());

    // Given back later: whole, since the phone erased it.
    office.assign(id, &["chen.jie"]).await;
    let reply = chen.sync(&office).await;
    assert!(matches!(reply.entries[0].content, UpdateContent::Document { .. }));
    chen.assert_in_step(&reply);
    office.assert_sound().await;
}

#[tokio::test]
async fn f1_a_record_that_came_and_went_unseen_is_not_mentioned() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &[]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    office.assign(id, &["chen.jie"]).await;
    office.assign(id, &[]).await;
    let reply = chen.sync(&office).await;
    assert!(reply.entries.is_empty());
    assert_eq!(reply.cursor.seq, 2);
    chen.assert_in_step(&reply);
}

#[tokio::test]
async fn i2_a_record_that_was_never_the_users_is_refused() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    chen.write(id, contact(1));
    let wu = SyncClient::new("wu.min", 2);
    let reply = wu.exchange(&office, chen.request()).await;
    assert!(matches!(reply.results[0], Outcome::Refused { code: RefusalCode::UnknownRecord, .. }));
    let mut request = chen.request();
    request.push[0].record = RecordId([9; 16]);
    let reply = chen.exchange(&office, request).await;
    assert!(matches!(
        reply.results[0],
        Outcome::Refused { code: RefusalCode::UnknownRecord, quarantine: 1.., .. }
    ));
}

#[tokio::test]
async fn m9_work_after_the_seal_is_refused_whether_its_author_saw_the_seal_or_not() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie", "wu.min"]).await;
    let (mut chen, mut wu) = (SyncClient::new("chen.jie", 1), SyncClient::new("wu.min", 2));
    chen.sync(&office).await;
    wu.sync(&office).await;

    // Chen seals while Wu, who has not seen it, still writes.
    wu.write(id, contact(7));
    let patch = TalkPatch { disposition: Some(Disposition::NotHome), ..TalkPatch::default() };
    chen.write(id, Command::EditTalk(patch));
    chen.write(id, Command::Seal { at: 1_700_000_000_000 });
    chen.sync(&office).await;
    let sealed = |reply: &doorstep::sync::message::Reply| {
        matches!(
            &reply.results[0],
            Outcome::Refused { code: RefusalCode::Sealed, path, .. } if path.starts_with("contacts.")
        )
    };
    let reply = wu.sync(&office).await;
    assert!(sealed(&reply), "{reply:?}");
    assert_eq!(office.visit(id).await.unwrap().stage, Stage::Sealed);
    wu.sync(&office).await;

    // Having seen the seal, the same is refused.
    wu.force(id, contact(8));
    let reply = wu.sync(&office).await;
    assert!(sealed(&reply), "{reply:?}");
    office.assert_sound().await;
}

#[tokio::test]
async fn m6_the_offices_edits_go_the_same_way_in() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    let mut moved = office.subscribe();

    let patch = sync_client::case("王芳", 5_000);
    let command = Command::UpdateCase(Box::new(patch));
    let view = office.command(id, command.clone(), "lin.yue", Role::Supervisor).await.unwrap();
    assert_eq!(view.case.borrower_name, "王芳");
    assert_eq!(moved.recv().await.unwrap().feed, "chen.jie");
    // Nothing new makes no change.
    let again = office.command(id, command.clone(), "lin.yue", Role::Supervisor).await.unwrap();
    assert_eq!(again.heads, view.heads);

    let denied = office.command(id, command, "gu.an", Role::Auditor).await;
    assert!(matches!(denied, Err(OfficeError::Command(_))), "{denied:?}");
    let unknown = RecordId([1; 16]);
    let none = office.command(unknown, contact(1), "lin.yue", Role::Supervisor).await;
    assert_eq!(none, Err(OfficeError::UnknownRecord));

    let reply = chen.sync(&office).await;
    assert_eq!(chen.view(id).case.borrower_name, "王芳");
    chen.assert_in_step(&reply);
    let history = office.history(id).await.unwrap();
    assert!(history.iter().all(|line| line.received_at.is_some()));
    assert!(history.iter().any(|line| line.entry.by == "lin.yue"));
    office.assert_sound().await;
}

#[tokio::test]
async fn m7_the_rows_follow_the_merge() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie", "wu.min"]).await;
    office.add_visit("C-2", &[]).await;
    let (mut chen, mut wu) = (SyncClient::new("chen.jie", 1), SyncClient::new("wu.min", 2));
    chen.sync(&office).await;
    wu.sync(&office).await;
    chen.write(id, sync_client::propose(10));
    wu.write(id, sync_client::propose(20));
    chen.sync(&office).await;
    wu.sync(&office).await;
    chen.write(id, sync_client::payment(1, 700));
    chen.write(id, notes(&chen, id, "门口有狗"));
    let reply = chen.sync(&office).await;
    chen.assert_in_step(&reply);

    let list = |listing| office.list(listing);
    let page = list(Listing { conflicts: true, limit: 10, ..Listing::default() }).await.unwrap();
    assert_eq!((page.rows.len(), page.total), (1, 1));
    assert_eq!(page.rows[0].summary.id, id.to_string());
    assert!(page.rows[0].summary.conflicts > 0);
    let rows = office.store().read_with(|reads| reads.rows(id)).unwrap().unwrap();
    assert_eq!(rows.payments.len(), 1);
    assert_eq!(
        rows.conflicts.iter().map(|c| c.path.as_str()).collect::<Vec<_>>(),
        ["appointment.ends_at", "appointment.starts_at"]
    );
    let page = list(Listing { unassigned: true, limit: 10, ..Listing::default() }).await.unwrap();
    assert_eq!(page.rows[0].summary.case_no, "C-2");
    office.assert_sound().await;
}

#[tokio::test]
async fn m5_every_merge_leaves_a_receipt_in_the_records_chain() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    for n in 0..3 {
        chen.write(id, contact(n));
        chen.sync(&office).await;
    }
    let receipts = office.store().read_with(|reads| reads.receipts(id)).unwrap();
    assert_eq!(receipts.len(), 4);
    assert!(receipts.windows(2).all(|pair| pair[1].previous == pair[0].hash));
    assert_eq!(receipts[3].user, "chen.jie");
    assert_eq!(receipts[3].device, chen.session().device);
    office.assert_sound().await;
}

#[tokio::test]
async fn one_case_has_one_record() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &[]).await;
    let visits =
        vec![sync_client::new_visit("C-1", &[]), sync_client::new_visit("C-2", &["chen.jie"])];
    let created = office.create_visits(visits, "lin.yue").await.unwrap();
    assert_eq!(created[0], Created::Exists(id));
    let Created::New(two) = created[1] else { panic!("{created:?}") };
    assert_eq!(office.find_by_case_no("C-2").await.unwrap(), Some(two));
    let mut wrong = sync_client::new_visit("C-3", &[]);
    wrong.case.due_date = Some("tomorrow".into());
    let created = office.create_visits(vec![wrong], "lin.yue").await.unwrap();
    assert!(matches!(created[0], Created::Invalid(_)));
    office.assert_sound().await;
}

/// The bytes of changes that travel plain.
fn unpacked(changes: &[Packed]) -> Vec<Vec<u8>> {
    doorstep::sync::packed::unpack(changes, &Tables::default(), |_| None).unwrap()
}
