//! The office made anew from an older backup, and devices from an older copy of their storage:
//! what was lost comes back (rules P3, I1).

use crate::support::office::{TestOffice, to, visit_for};
use crate::support::phone::{TestPhone, contact};
use doorstep::ids::RecordId;
use doorstep::office::Office;
use doorstep::record::command::{Command, TextEdit};
use doorstep::record::terms::Role;

/// Appends to a record's notes at the office.
async fn note(office: &TestOffice, id: RecordId, text: &str) {
    let view = office.visit(id).await.unwrap();
    let text = format!("{}{text}", view.notes);
    office.supervise(id, Command::EditNotes(TextEdit { base: view.heads, text })).await;
}

fn sorted<const N: usize>(mut ids: [RecordId; N]) -> [RecordId; N] {
    ids.sort();
    ids
}

#[tokio::test]
async fn p3_devices_restore_changes_that_a_restored_office_has_lost() {
    let mut office = TestOffice::open();
    let both = office.create(visit_for("C-1", &["chen.jie", "wu.min"])).await;
    let given = office.create(visit_for("C-2", &["wu.min"])).await;
    let quiet = office.create(visit_for("C-3", &["chen.jie"])).await;
    let (mut chen, mut wu) = (TestPhone::new("chen.jie", 1), TestPhone::new("wu.min", 2));
    chen.sync(&office).await;
    wu.sync(&office).await;
    let yesterday = office.back_up("yesterday");

    // Today: both write, so does the office; a record changes hands, another is new.
    chen.apply(both, &contact("c1"));
    chen.sync(&office).await;
    note(&office, both, "from the office. ").await;
    wu.sync(&office).await;
    wu.apply(both, &contact("w1"));
    wu.sync(&office).await;
    office.supervise(given, Command::Assign(to(&["chen.jie"]))).await;
    let new = office.create(visit_for("C-4", &["wu.min"])).await;
    note(&office, new, "only today. ").await;
    chen.sync(&office).await;
    wu.sync(&office).await;
    // Not sent yet, and building on what will be lost.
    chen.apply(both, &contact("c2"));
    chen.apply(given, &contact("c3"));
    let truth = office.visit(new).await.unwrap();

    let replaced = office.restore(&yesterday).unwrap();
    assert!(replaced.exists());
    assert!(office.visit(new).await.is_err());
    // The office keeps working before any phone connects.
    note(&office, quiet, "after the restore. ").await;

    chen.sync(&office).await;
    wu.sync(&office).await;
    chen.sync(&office).await;
    chen.assert_in_step();
    wu.assert_in_step();
    assert_eq!(office.visit(new).await.unwrap(), truth);
    let view = office.visit(both).await.unwrap();
    let ids: Vec<_> = view.contacts.iter().map(|contact| contact.id.as_str()).collect();
    assert_eq!(ids, ["c1", "c2", "w1"]);
    assert_eq!(view.notes, "from the office. ");
    assert_eq!(office.visit(given).await.unwrap().assignment.collectors, ["chen.jie"]);
    assert_eq!(office.visit(given).await.unwrap().contacts.len(), 1);
    assert_eq!(chen.ids(), sorted([both, given, quiet]));
    assert_eq!(wu.ids(), sorted([both, new]));
    // Compared once each; another's work crossed with it.
    assert!(chen.status().repairs <= 2 && wu.status().repairs <= 2);
    assert!(office.repairs() >= 2, "P4: counted");
    assert!(office.quarantine().await.unwrap().is_empty());
    office.assert_sound().await;
}

#[tokio::test]
async fn p3_a_record_withdrawn_after_the_restore_is_restored_first() {
    let mut office = TestOffice::open();
    let given = office.create(visit_for("C-1", &["chen.jie"])).await;
    let mut chen = TestPhone::new("chen.jie", 1);
    chen.sync(&office).await;
    let yesterday = office.back_up("yesterday");
    note(&office, given, "only chen.jie has this. ").await;
    chen.sync(&office).await;

    office.restore(&yesterday).unwrap();
    // The phone learns of the restore, then that the record is another's, before it has compared.
    chen.sync_once(&office).await;
    office.supervise(given, Command::Assign(to(&["wu.min"]))).await;
    chen.restart();
    chen.sync_once(&office).await;
    chen.restart();
    assert_eq!(chen.ids(), [given]);
    chen.sync(&office).await;

    chen.assert_in_step();
    assert!(chen.ids().is_empty());
    let view = office.visit(given).await.unwrap();
    assert_eq!(view.notes, "only chen.jie has this. ");
    office.assert_sound().await;
}

#[tokio::test]
async fn p3_work_on_a_record_that_the_restored_office_never_gave_the_user_is_handed_over() {
    let mut office = TestOffice::open();
    let id = office.create(visit_for("C-1", &["wu.min"])).await;
    let yesterday = office.back_up("yesterday");
    let (mut chen, mut wu) = (TestPhone::new("chen.jie", 1), TestPhone::new("wu.min", 2));
    office.supervise(id, Command::Assign(to(&["chen.jie", "wu.min"]))).await;
    chen.sync(&office).await;
    chen.apply(id, &contact("c1"));
    office.supervise(id, Command::Assign(to(&["wu.min"]))).await;
    wu.sync(&office).await;

    office.restore(&yesterday).unwrap();
    // Another phone restores all of it: chen.jie's feed never had the record in this life.
    wu.sync(&office).await;
    chen.sync(&office).await;

    chen.assert_in_step();
    assert!(chen.ids().is_empty());
    let quarantine = office.quarantine().await.unwrap();
    assert_eq!(quarantine.len(), 1, "chen.jie's contact is kept");
    office.assert_sound().await;
}

#[tokio::test]
async fn p3_changes_without_a_state_token_are_not_restored() {
    use doorstep::ids::Heads;
    use doorstep::office::Session;
    use doorstep::sync::message::{Outcome, Packed, RefusalCode, Request, Restore};

    let office = TestOffice::open();
    let other = TestOffice::open();
    let id = other.create(visit_for("C-1", &["chen.jie"])).await;
    let mut chen = TestPhone::new("chen.jie", 1);
    chen.sync(&other).await;
    let changes = other.store().read_with(|reads| reads.changes_after(id, 0)).unwrap();
    let heads = Heads::from_hex(&other.visit(id).await.unwrap().heads).unwrap();
    let restore = Restore {
        record: id,
        heads,
        mac: [7; 8],
        changes: changes.iter().map(|change| Packed::plain(&change.bytes)).collect(),
    };
    let request = Request { restore: vec![restore], ..Request::default() };
    let device = doorstep::ids::DeviceId([1; 16]);
    let session = Session { user: "chen.jie".into(), role: Role::Collector, device };
    let reply = office.handle_sync(&session, request).await.unwrap();
    assert!(matches!(
        reply.restored[..],
        [Outcome::Refused { code: RefusalCode::NotAttested, .. }]
    ));
    assert!(office.visit(id).await.is_err());
}

#[tokio::test]
async fn i1_a_device_restored_from_an_older_copy_gets_its_own_work_back() {
    let office = TestOffice::open();
    let id = office.create(visit_for("C-1", &["chen.jie"])).await;
    let mut chen = TestPhone::new("chen.jie", 1);
    chen.sync(&office).await;
    chen.apply(id, &contact("c1"));
    let copy = chen.tables.clone();
    chen.sync(&office).await;
    chen.apply(id, &contact("c2"));
    chen.sync(&office).await;
    note(&office, id, "from the office. ").await;

    chen.tables = copy;
    chen.restart();
    chen.apply(id, &contact("c3"));
    chen.sync(&office).await;
    chen.assert_in_step();
    let ids = |view: doorstep::record::view::VisitView| {
        view.contacts.into_iter().map(|contact| contact.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(chen.view(id)), ["c1", "c2", "c3"]);
    assert_eq!(chen.view(id), office.visit(id).await.unwrap());
    office.assert_sound().await;
}

#[tokio::test]
async fn i1_a_disk_that_was_put_back_repeats_no_session() {
    let office = TestOffice::open();
    let id = office.create(visit_for("C-1", &["chen.jie"])).await;
    let mut chen = TestPhone::new("chen.jie", 1);
    chen.sync(&office).await;
    let copy = chen.tables.clone();
    let counted = 2 << 32;
    chen.sessions = counted + 7;
    chen.restart();
    chen.apply(id, &contact("c1"));
    chen.sync(&office).await;

    chen.tables = copy;
    chen.sessions = counted + 70;
    chen.restart();
    chen.apply(id, &contact("c2"));
    chen.sync(&office).await;
    chen.assert_in_step();
    assert_eq!(office.visit(id).await.unwrap().contacts.len(), 2);
    office.assert_sound().await;
}

#[tokio::test]
async fn p3_a_lost_cursor_costs_a_comparison_and_nothing_more() {
    let office = TestOffice::open();
    for n in 0..40 {
        office.create(visit_for(&format!("C-{n}"), &["chen.jie"])).await;
    }
    let mut chen = TestPhone::new("chen.jie", 1);
    chen.sync(&office).await;
    let ids = chen.ids();
    chen.apply(ids[3], &contact("c1"));
    note(&office, ids[7], "meanwhile. ").await;
    office.supervise(ids[9], Command::Assign(to(&["wu.min"]))).await;
    chen.tables.get_mut(&doorstep::workspace::Table::Meta).unwrap().remove("cursor");
    chen.restart();
    let before = chen.requests;
    chen.sync(&office).await;
    chen.assert_in_step();
    assert!(chen.requests - before <= 3, "{}", chen.requests - before);
    assert_eq!(chen.ids().len(), 39);
    assert_eq!(office.visit(ids[3]).await.unwrap().contacts.len(), 1);
    assert_eq!(chen.view(ids[7]).notes, "meanwhile. ");
}

#[tokio::test]
async fn a_store_in_use_is_not_replaced_and_a_bad_backup_is_refused() {
    let mut office = TestOffice::open();
    let id = office.create(visit_for("C-1", &["chen.jie"])).await;
    let backup = office.back_up("backup");
    assert!(Office::backup(&office.address(), &backup).is_err(), "never over another file");
    let error = Office::restore(&office.address(), &backup).unwrap_err();
    assert!(error.to_string().contains("stop the office first"), "{error}");

    office.stop();
    let mut bytes = std::fs::read(&backup).unwrap();
    bytes.truncate(bytes.len() / 2);
    let bad = office.file("bad");
    std::fs::write(&bad, bytes).unwrap();
    assert!(Office::restore(&office.address(), &bad).is_err());
    assert!(Office::restore(&office.address(), &office.file("none")).is_err());
    office.start();
    assert_eq!(office.visit(id).await.unwrap().case_no, "C-1");
}
