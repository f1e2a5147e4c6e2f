//! The office made anew from an older backup, and devices from an older copy of their storage:
//! what was lost comes back (rules P3, I1).

use std::path::{Path, PathBuf};

use crate::support::phone::{Device, NOW, contact, create, to, visit_for};
use doorstep::ids::RecordId;
use doorstep::office::Office;
use doorstep::record::command::{Command, TextEdit};
use doorstep::record::terms::Role;

struct Scene {
    folder: tempfile::TempDir,
    office: Option<Office>,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut scene = Self { folder, office: None };
        scene.open();
        scene
    }

    fn open(&mut self) {
        self.office = Some(Office::open(&self.address(), || NOW).unwrap());
    }

    fn office(&self) -> &Office {
        self.office.as_ref().unwrap()
    }

    fn address(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("office.sqlite3").display())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn back_up(&self, name: &str) -> PathBuf {
        let file = self.file(name);
        Office::backup(&self.address(), &file).unwrap();
        file
    }

    fn restore(&mut self, from: &Path) -> Option<PathBuf> {
        self.office.take().unwrap().close();
        let replaced = Office::restore(&self.address(), from).unwrap();
        self.open();
        replaced
    }

    async fn visit(&self, case_no: &str, collectors: &[&str]) -> RecordId {
        create(self.office(), visit_for(case_no, collectors)).await
    }

    async fn command(&self, id: RecordId, command: Command) {
        self.office().command(id, command, "lin.yue", Role::Supervisor).await.unwrap();
    }

    async fn note(&self, id: RecordId, text: &str) {
        let view = self.office().visit(id).await.unwrap();
        let text = format!("{}{text}", view.notes);
        self.command(id, Command::EditNotes(TextEdit { base: view.heads, text })).await;
    }

    async fn assert_sound(&self) {
        let verified = self.office().verify().await.unwrap();
        assert!(verified.ok, "{:?}", verified.problems);
    }
}

fn sorted<const N: usize>(mut ids: [RecordId; N]) -> [RecordId; N] {
    ids.sort();
    ids
}

#[tokio::test]
async fn p3_devices_bring_back_what_a_restored_office_has_lost() {
    let mut scene = Scene::new();
    let both = scene.visit("C-1", &["chen.jie", "wu.min"]).await;
    let given = scene.visit("C-2", &["wu.min"]).await;
    let quiet = scene.visit("C-3", &["chen.jie"]).await;
    let (mut chen, mut wu) = (Device::new("chen.jie", 1), Device::new("wu.min", 2));
    chen.sync(scene.office()).await;
    wu.sync(scene.office()).await;
    let yesterday = scene.back_up("yesterday");

    // Today: both write, so does the office; a record changes hands, another is new.
    chen.apply(both, &contact("c1"));
    chen.sync(scene.office()).await;
    scene.note(both, "from the office. ").await;
    wu.sync(scene.office()).await;
    wu.apply(both, &contact("w1"));
    wu.sync(scene.office()).await;
    scene.command(given, Command::Assign(to(&["chen.jie"]))).await;
    let new = scene.visit("C-4", &["wu.min"]).await;
    scene.note(new, "only today. ").await;
    chen.sync(scene.office()).await;
    wu.sync(scene.office()).await;
    // Not sent yet, and building on what will be lost.
    chen.apply(both, &contact("c2"));
    chen.apply(given, &contact("c3"));
    let truth = scene.office().visit(new).await.unwrap();

    let replaced = scene.restore(&yesterday).unwrap();
    assert!(replaced.exists());
    assert!(scene.office().visit(new).await.is_err());
    // Life goes on before any phone comes by.
    scene.note(quiet, "after the restore. ").await;

    chen.sync(scene.office()).await;
    wu.sync(scene.office()).await;
    chen.sync(scene.office()).await;
    chen.assert_in_step();
    wu.assert_in_step();
    assert_eq!(scene.office().visit(new).await.unwrap(), truth);
    let view = scene.office().visit(both).await.unwrap();
    let ids: Vec<_> = view.contacts.iter().map(|contact| contact.id.as_str()).collect();
    assert_eq!(ids, ["c1", "c2", "w1"]);
    assert_eq!(view.notes, "from the office. ");
    assert_eq!(scene.office().visit(given).await.unwrap().assignment.collectors, ["chen.jie"]);
    assert_eq!(scene.office().visit(given).await.unwrap().contacts.len(), 1);
    assert_eq!(chen.ids(), sorted([both, given, quiet]));
    assert_eq!(wu.ids(), sorted([both, new]));
    // Compared once each; another's work crossed with it.
    assert!(chen.status().repairs <= 2 && wu.status().repairs <= 2);
    assert!(scene.office().repairs() >= 2, "P4: counted");
    assert!(scene.office().quarantine().await.unwrap().is_empty());
    scene.assert_sound().await;
}

#[tokio::test]
async fn p3_a_record_taken_away_after_the_restore_is_given_back_first() {
    let mut scene = Scene::new();
    let given = scene.visit("C-1", &["chen.jie"]).await;
    let mut chen = Device::new("chen.jie", 1);
    chen.sync(scene.office()).await;
    let yesterday = scene.back_up("yesterday");
    scene.note(given, "only chen.jie has this. ").await;
    chen.sync(scene.office()).await;

    scene.restore(&yesterday).unwrap();
    // The phone learns of the restore, then that the record is another's, before it has compared.
    chen.sync_once(scene.office()).await;
    scene.command(given, Command::Assign(to(&["wu.min"]))).await;
    chen.restart();
    chen.sync_once(scene.office()).await;
    chen.restart();
    assert_eq!(chen.ids(), [given]);
    chen.sync(scene.office()).await;

    chen.assert_in_step();
    assert!(chen.ids().is_empty());
    let view = scene.office().visit(given).await.unwrap();
    assert_eq!(view.notes, "only chen.jie has this. ");
    scene.assert_sound().await;
}

#[tokio::test]
async fn p3_what_the_office_never_vouched_for_is_not_taken_back() {
    use doorstep::ids::Heads;
    use doorstep::office::Session;
    use doorstep::sync::message::{Outcome, Packed, RefusalCode, Request, Restore};

    let scene = Scene::new();
    let other = Scene::new();
    let id = other.visit("C-1", &["chen.jie"]).await;
    let mut chen = Device::new("chen.jie", 1);
    chen.sync(other.office()).await;
    let changes = other.office().store().read_with(|reads| reads.changes_after(id, 0)).unwrap();
    let heads = Heads::from_hex(&other.office().visit(id).await.unwrap().heads).unwrap();
    let restore = Restore {
        record: id,
        heads,
        mac: [7; 8],
        changes: changes.iter().map(|change| Packed::plain(&change.bytes)).collect(),
    };
    let request = Request { restore: vec![restore], ..Request::default() };
    let device = doorstep::ids::DeviceId([1; 16]);
    let session = Session { user: "chen.jie".into(), role: Role::Collector, device };
    let reply = scene.office().handle_sync(&session, request).await.unwrap();
    assert!(matches!(
        reply.restored[..],
        [Outcome::Refused { code: RefusalCode::NotAttested, .. }]
    ));
    assert!(scene.office().visit(id).await.is_err());
}

#[tokio::test]
async fn i1_a_device_restored_from_an_older_copy_gets_its_own_work_back() {
    let scene = Scene::new();
    let id = scene.visit("C-1", &["chen.jie"]).await;
    let mut chen = Device::new("chen.jie", 1);
    chen.sync(scene.office()).await;
    chen.apply(id, &contact("c1"));
    let copy = chen.tables.clone();
    chen.sync(scene.office()).await;
    chen.apply(id, &contact("c2"));
    chen.sync(scene.office()).await;
    scene.note(id, "from the office. ").await;

    chen.tables = copy;
    chen.restart();
    chen.apply(id, &contact("c3"));
    chen.sync(scene.office()).await;
    chen.assert_in_step();
    let ids = |view: doorstep::record::view::VisitView| {
        view.contacts.into_iter().map(|contact| contact.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(chen.view(id)), ["c1", "c2", "c3"]);
    assert_eq!(chen.view(id), scene.office().visit(id).await.unwrap());
    scene.assert_sound().await;
}

#[tokio::test]
async fn p3_a_lost_cursor_costs_a_comparison_and_nothing_more() {
    let scene = Scene::new();
    for n in 0..40 {
        scene.visit(&format!("C-{n}"), &["chen.jie"]).await;
    }
    let mut chen = Device::new("chen.jie", 1);
    chen.sync(scene.office()).await;
    let ids = chen.ids();
    chen.apply(ids[3], &contact("c1"));
    scene.note(ids[7], "meanwhile. ").await;
    scene.command(ids[9], Command::Assign(to(&["wu.min"]))).await;
    chen.tables.get_mut(&doorstep::workspace::Table::Meta).unwrap().remove("cursor");
    chen.restart();
    let before = chen.requests;
    chen.sync(scene.office()).await;
    chen.assert_in_step();
    assert!(chen.requests - before <= 3, "{}", chen.requests - before);
    assert_eq!(chen.ids().len(), 39);
    assert_eq!(scene.office().visit(ids[3]).await.unwrap().contacts.len(), 1);
    assert_eq!(chen.view(ids[7]).notes, "meanwhile. ");
}

#[tokio::test]
async fn a_store_in_use_is_not_replaced_and_a_bad_backup_is_refused() {
    let mut scene = Scene::new();
    let id = scene.visit("C-1", &["chen.jie"]).await;
    let backup = scene.back_up("backup");
    assert!(Office::backup(&scene.address(), &backup).is_err(), "never over another file");
    let error = Office::restore(&scene.address(), &backup).unwrap_err();
    assert!(error.to_string().contains("stop the office first"), "{error}");

    scene.office.take().unwrap().close();
    let mut bytes = std::fs::read(&backup).unwrap();
    bytes.truncate(bytes.len() / 2);
    let bad = scene.file("bad");
    std::fs::write(&bad, bytes).unwrap();
    assert!(Office::restore(&scene.address(), &bad).is_err());
    assert!(Office::restore(&scene.address(), &scene.file("none")).is_err());
    scene.open();
    assert_eq!(scene.office().visit(id).await.unwrap().case_no, "C-1");
}
