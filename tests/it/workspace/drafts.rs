//! Drafts of forms (rule D7).

use crate::support::office::{TestOffice, to};
use crate::support::phone::{NOW, Tables, TestPhone, contact};
use doorstep::ids::RecordId;
use doorstep::record::command::Command;
use doorstep::record::terms::Role;
use doorstep::workspace::{Draft, Output, StorageFailure, SyncState, Table, WorkspaceError};

const NOTE: &str = "calls back after the harvest";

/// A synchronized phone with one open record.
async fn phone() -> (TestOffice, RecordId, TestPhone) {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.open(ids[0]);
    (office, ids[0], phone)
}

fn begin(phone: &mut TestPhone, id: RecordId) -> u64 {
    let ticket = phone.workspace.save_draft(id, "contact", Some(NOTE), NOW).expect("kept");
    phone.run();
    ticket
}

fn begun() -> Vec<Draft> {
    vec![Draft { form: "contact".into(), text: NOTE.into() }]
}

/// Whether any row of a store holds a draft, by its key.
fn stored(tables: &Tables) -> bool {
    tables[&Table::Meta].keys().any(|key| key.starts_with("draft/"))
}

#[tokio::test]
async fn d7_drafts_survive_a_restart_and_are_not_sent() {
    let (office, id, mut phone) = phone().await;
    let ticket = begin(&mut phone, id);
    assert_eq!(phone.saved, ticket, "acknowledged once it is durable");
    assert!(phone.workspace.list()[0].has_draft);

    phone.restart();
    assert_eq!(phone.workspace.drafts(id), begun());
    phone.sync(&office).await;
    let status = phone.status();
    assert_eq!((status.state, status.unsent), (SyncState::InStep, 0));
    assert!(!phone.workspace.has_unsent() && phone.workspace.has_drafts());
    let kept = office.visit(id).await.expect("a record").contacts.len();
    assert_eq!(kept, 0, "the office knows nothing of it");
}

#[tokio::test]
async fn d7_drafts_are_encrypted() {
    let (_office, id, mut phone) = phone().await;
    begin(&mut phone, id);
    assert!(stored(&phone.tables));
    let values = phone.tables.values().flat_map(|table| table.values());
    for value in values {
        let text = String::from_utf8_lossy(value);
        assert!(!text.contains("harvest") && !text.contains("contact"), "it can be read");
    }
}

#[tokio::test]
async fn d7_a_form_is_emptied_in_the_batch_that_holds_its_change() {
    let (_office, id, mut phone) = phone().await;
    begin(&mut phone, id);
    phone.workspace.apply(id, &contact("c1"), NOW, "Asia/Shanghai").expect("allowed");
    phone.workspace.save_draft(id, "contact", None, NOW).expect("emptied");
    let mut batches = Vec::new();
    while let Some(output) = phone.workspace.poll() {
        if let Output::Persist { batch, writes } = output {
            phone.workspace.persisted(batch, NOW);
            batches.push(writes);
        }
    }
    let [writes] = &batches[..] else { panic!("{} batches", batches.len()) };
    let deleted = writes.iter().any(|row| row.key.starts_with("draft/") && row.value.is_none());
    let sent = writes.iter().any(|row| row.table == Table::Outbox && row.value.is_some());
    assert!(deleted && sent);

    // Power goes before that batch is on disk: the form is there, and its change is not.
    phone.restart();
    phone.open(id);
    assert_eq!(phone.workspace.drafts(id), begun());
    assert!(phone.view(id).contacts.is_empty());
}

#[tokio::test]
async fn d7_a_full_disk_loses_no_draft() {
    let (_office, id, mut phone) = phone().await;
    phone.disk = Some(StorageFailure::StorageFull);
    let ticket = begin(&mut phone, id);
    assert!(phone.saved < ticket && !stored(&phone.tables));
    assert_eq!(phone.workspace.drafts(id), begun(), "kept meanwhile");
    phone.disk = None;
    phone.workspace.sync_now(NOW);
    phone.run();
    assert!(phone.saved < ticket || stored(&phone.tables), "saved is not said before");
    phone.now += 60_000;
    phone.wake_if_due();
    assert_eq!(phone.saved, ticket);
    phone.restart();
    assert_eq!(phone.workspace.drafts(id), begun());
}

#[tokio::test]
async fn d7_drafts_are_erased_with_their_record() {
    let (office, id, mut phone) = phone().await;
    begin(&mut phone, id);
    office
        .command(id, Command::Assign(to(&[])), "lin.yue", Role::Supervisor)
        .await
        .expect("unassigned");
    phone.sync(&office).await;
    assert!(phone.ids().is_empty() && !phone.workspace.has_drafts() && !stored(&phone.tables));
    let late = phone.workspace.save_draft(id, "contact", Some(NOTE), NOW);
    assert_eq!(late, Err(WorkspaceError::UnknownRecord));
}

#[tokio::test]
async fn d7_a_damaged_draft_harms_nothing_else() {
    let (office, id, mut phone) = phone().await;
    begin(&mut phone, id);
    let rows = phone.tables.get_mut(&Table::Meta).expect("rows");
    let draft = rows.iter_mut().find(|(key, _)| key.starts_with("draft/")).expect("a draft").1;
    let last = draft.len() - 1;
    draft[last] ^= 1;
    phone.restart();
    assert!(phone.workspace.drafts(id).is_empty());
    assert!(!phone.tables[&Table::Damaged].is_empty(), "set aside");
    begin(&mut phone, id);
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(phone.workspace.drafts(id), begun());
}

#[tokio::test]
async fn d7_more_than_anybody_types_is_refused_and_changes_nothing() {
    let (_office, id, mut phone) = phone().await;
    let long = "x".repeat(300_000);
    assert!(phone.workspace.save_draft(id, "contact", Some(&long), NOW).is_err());
    assert!(!phone.workspace.has_drafts());
    begin(&mut phone, id);
    assert!(phone.workspace.save_draft(id, "contact", Some(&long), NOW).is_err());
    for form in 0..63 {
        phone.workspace.save_draft(id, &format!("form{form}"), Some("x"), NOW).expect("kept");
    }
    assert!(phone.workspace.save_draft(id, "one.more", Some("x"), NOW).is_err());
    begin(&mut phone, id);
    assert_eq!(phone.workspace.drafts(id).len(), 64);
}
