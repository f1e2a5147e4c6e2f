//! What must outlive a record's stay on a phone, and what must not (rules D5, F1, F4, M4, P3).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::support::phone::{Device, NOW, contact, create, to, visit_for};
use doorstep::ids::{DeviceId, RecordId, hex};
use doorstep::office::blobs::{Piece, ScrubStep, SweepReport, UploadOutcome};
use doorstep::office::store::{self, User};
use doorstep::office::{Office, Session};
use doorstep::record::command::{CasePatch, Command, NewAttachment};
use doorstep::record::terms::{AttachmentKind, Role};
use doorstep::sync::message::Revocation;
use doorstep::workspace::Table;
use sha2::{Digest, Sha256};

const DAY: i64 = 86_400_000;

/// The office with a clock that the test sets, one record, and chen.jie's phone in step with it.
struct Scene {
    folder: tempfile::TempDir,
    clock: Arc<AtomicI64>,
    office: Office,
    id: RecordId,
    phone: Device,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(NOW));
        let office = open(folder.path(), &clock);
        let id = create(&office, visit_for("NB0001", &["chen.jie"])).await;
        for (user, device) in [("chen.jie", 1), ("wu.min", 2)] {
            enrol(&office, user, device);
        }
        let mut phone = Device::new("chen.jie", 1);
        phone.sync(&office).await;
        Self { folder, clock, office, id, phone }
    }

    async fn assign(&self, collectors: &[&str]) {
        let command = Command::Assign(to(collectors));
        self.office.command(self.id, command, "lin.yue", Role::Supervisor).await.unwrap();
    }

    /// chen.jie's phone brings an attachment's bytes.
    async fn restore(&self, bytes: &[u8]) {
        assert_eq!(upload(&self.office, "chen.jie", 1, bytes).await, UploadOutcome::Complete);
    }

    fn blob_file(&self, bytes: &[u8]) -> std::path::PathBuf {
        let name = hex(&Sha256::digest(bytes));
        self.folder.path().join("office.db.blobs").join(&name[..2]).join(name)
    }

    /// Keys of rows on the phone that are about the record, with their table.
    fn rows_of_record(&self) -> Vec<(Table, String)> {
        let id = self.id.to_string();
        let rows = self.phone.tables.iter();
        let keys = rows.flat_map(|(table, rows)| rows.keys().map(|key| (*table, key.clone())));
        keys.filter(|(_, key)| key.contains(&id)).collect()
    }
}

fn open(folder: &std::path::Path, clock: &Arc<AtomicI64>) -> Office {
    let address = format!("sqlite:{}", folder.join("office.db").display());
    let clock = clock.clone();
    Office::open(&address, move || clock.load(Ordering::Relaxed)).unwrap()
}

fn enrol(office: &Office, name: &str, device: u8) {
    let user = User {
        name: name.into(),
        display_name: String::new(),
        role: Role::Collector,
        password_hash: String::new(),
        disabled_at: None,
        subject: None,
        created_at: NOW,
    };
    let device = store::Device::enrolled(DeviceId([device; 16]), name, NOW);
    let enrolled = office.store().write_now(move |tx| {
        tx.put_user(&user)?;
        tx.put_device(&device)
    });
    enrolled.unwrap();
}

async fn upload(office: &Office, user: &str, device: u8, bytes: &[u8]) -> UploadOutcome {
    let session =
        Session { user: user.into(), role: Role::Collector, device: DeviceId([device; 16]) };
    let name = Sha256::digest(bytes).into();
    let total = bytes.len() as u64;
    let piece = Piece { name, first: 0, total, bytes: bytes.to_vec() };
    office.upload_piece(&session, piece).await.unwrap()
}

fn attach(bytes: &[u8]) -> Command {
    Command::AddAttachment(NewAttachment {
        sha256: hex(&Sha256::digest(bytes)),
        media_type: "image/jpeg".into(),
        size: bytes.len() as i64,
        taken_at: NOW,
        kind: AttachmentKind::Photo,
        caption: String::new(),
    })
}

// -- M4: attachments of work in quarantine

#[tokio::test]
async fn m4_attachments_of_work_in_quarantine_are_not_swept() {
    let mut scene = Scene::new().await;
    let (photo, receipt, unnamed) = (b"a photo of the door", b"a receipt", b"named by nobody");
    for bytes in [&photo[..], receipt, unnamed] {
        scene.restore(bytes).await;
    }
    scene.phone.apply(scene.id, &attach(photo));
    scene.assign(&["wu.min"]).await;
    scene.phone.sync(&scene.office).await;
    // Another piece, which a supervisor has dismissed: it can still be accepted.
    scene.assign(&["chen.jie"]).await;
    scene.phone.sync(&scene.office).await;
    scene.phone.apply(scene.id, &attach(receipt));
    scene.assign(&["wu.min"]).await;
    scene.phone.sync(&scene.office).await;
    assert_eq!(scene.office.quarantine().await.unwrap().len(), 2);
    scene.office.dismiss_quarantined(2, "not needed", "lin.yue").await.unwrap();

    scene.clock.fetch_add(61 * DAY, Ordering::Relaxed);
    assert_eq!(scene.office.sweep_blobs().await.unwrap(), SweepReport { pieces: 0, blobs: 1 });
    for id in [1, 2] {
        let accepted =
            scene.office.accept_quarantined(id, None, "", "lin.yue", Role::Supervisor).await;
        accepted.expect("its bytes are kept");
    }
    let verified = scene.office.verify().await.unwrap();
    assert_eq!((verified.ok, verified.blobs, verified.pending.len()), (true, 2, 0));
}

#[tokio::test]
async fn bytes_that_somebody_brings_again_are_young_again() {
    let scene = Scene::new().await;
    let photo = b"the same picture from two phones";
    scene.restore(photo).await;
    scene.clock.fetch_add(59 * DAY, Ordering::Relaxed);
    assert_eq!(upload(&scene.office, "wu.min", 2, photo).await, UploadOutcome::Complete);
    scene.clock.fetch_add(2 * DAY, Ordering::Relaxed);
    assert_eq!(scene.office.sweep_blobs().await.unwrap(), SweepReport::default());
    assert!(scene.blob_file(photo).exists());
}

// -- F1: nothing of a withdrawn record remains

#[tokio::test]
async fn f1_nothing_of_a_withdrawn_record_remains_on_the_phone() {
    let mut scene = Scene::new().await;
    let id = scene.id;
    // Refused work that its person gave up, as it stays on the phone while the record is here.
    scene.phone.claims = Role::Supervisor;
    scene.phone.restart();
    let forgiven = CasePatch { overdue: Some(0), ..Default::default() };
    scene.phone.apply(id, &Command::UpdateCase(Box::new(forgiven)));
    scene.phone.claims = Role::Collector;
    scene.phone.restart();
    scene.phone.sync(&scene.office).await;
    scene.phone.open(id);
    scene.phone.workspace.resolve_refused(id, &[], &[], 70, NOW, "Asia/Shanghai").expect("refused");
    scene.phone.run();
    // A form that is begun, and rows of every table that are damaged.
    let kept = scene.phone.workspace.save_draft(id, "contact", Some("{}"), NOW);
    kept.expect("kept");
    scene.phone.run();
    scene.phone.apply(id, &contact("c1"));
    for table in [Table::Records, Table::Outbox] {
        let rows = scene.phone.tables.get_mut(&table).expect("there");
        for row in rows.values_mut() {
            row[30] ^= 1;
        }
    }
    scene.phone.restart();
    scene.phone.sync(&scene.office).await;
    let damaged = |scene: &Scene| {
        let rows = scene.rows_of_record();
        rows.into_iter().filter(|(table, _)| *table == Table::Damaged).count()
    };
    assert_eq!(damaged(&scene), 3, "refused, a record's row and a row of the outbox");

    scene.assign(&["wu.min"]).await;
    scene.phone.sync(&scene.office).await;
    scene.phone.assert_in_step();
    assert_eq!(scene.rows_of_record(), []);
    assert_eq!(scene.office.visit(id).await.unwrap().contacts.len(), 1);
    assert_eq!(scene.office.quarantine().await.unwrap().len(), 1);
}

// -- P3: a record whose row was damaged

#[tokio::test]
async fn p3_a_record_whose_row_was_damaged_can_be_brought_back_all_the_same() {
    let mut scene = Scene::new().await;
    scene.assign(&["chen.jie", "wu.min"]).await;
    let backup = scene.folder.path().join("yesterday");
    let address = format!("sqlite:{}", scene.folder.path().join("office.db").display());
    Office::backup(&address, &backup).unwrap();
    let mut other = Device::new("wu.min", 2);
    other.sync(&scene.office).await;
    other.apply(scene.id, &contact("w1"));
    other.sync(&scene.office).await;
    scene.phone.sync(&scene.office).await;

    let row = scene.phone.tables.get_mut(&Table::Records).expect("there");
    row.values_mut().for_each(|row| row[30] ^= 1);
    scene.phone.restart();
    let before = scene.phone.requests;
    scene.phone.sync(&scene.office).await;
    scene.phone.assert_in_step();
    assert!(scene.phone.requests - before <= 2, "it costs a round");
    assert_eq!(scene.phone.status().repairs, 0);
    // Only once.
    let before = scene.phone.requests;
    scene.phone.restart();
    scene.phone.sync(&scene.office).await;
    assert_eq!(scene.phone.requests - before, 1);

    // What wu.min wrote is on this phone alone: the office has lost it, and so has that phone.
    let Scene { folder, clock, office, id, mut phone } = scene;
    office.close();
    drop(office);
    Office::restore(&address, &backup).unwrap();
    let office = open(folder.path(), &clock);
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(office.visit(id).await.unwrap().contacts.len(), 1);
}

// -- F1, F4: attachments that no change names yet

#[tokio::test]
async fn f1_a_withdrawn_record_stays_until_its_attachments_are_named() {
    for restarts in [false, true] {
        let mut scene = Scene::new().await;
        let (id, recording) = (scene.id, b"what was recorded");
        scene.phone.retain_for_attachments(&[id]);
        scene.assign(&["wu.min"]).await;
        scene.phone.sync(&scene.office).await;
        assert_eq!(scene.phone.ids(), [id], "held back");
        assert!(scene.phone.workspace.is_leaving(id));
        if restarts {
            scene.phone.restart_holding(&[id]);
            scene.phone.sync(&scene.office).await;
            assert_eq!(scene.phone.ids(), [id]);
        }
        scene.phone.apply(id, &attach(recording));
        assert!(!scene.phone.workspace.is_confirmed(id));
        scene.phone.retain_for_attachments(&[]);
        scene.phone.sync(&scene.office).await;
        scene.phone.assert_in_step();
        assert_eq!(scene.rows_of_record(), []);
        let kept = scene.office.quarantine().await.unwrap();
        let unit = format!("attachments.{}", hex(&Sha256::digest(recording)));
        assert_eq!(kept[0].units, [unit]);
    }
}

#[tokio::test]
async fn f1_a_record_that_is_not_held_back_any_more_leaves() {
    let mut scene = Scene::new().await;
    let id = scene.id;
    scene.phone.retain_for_attachments(&[id]);
    scene.assign(&["wu.min"]).await;
    scene.phone.sync(&scene.office).await;
    // Its recording was discarded, and the phone started anew before it could be said.
    scene.phone.restart_holding(&[]);
    scene.phone.sync(&scene.office).await;
    scene.phone.assert_in_step();
    assert_eq!(scene.rows_of_record(), []);
    // One that was given back to its collector meanwhile stays.
    scene.assign(&["chen.jie"]).await;
    scene.phone.sync(&scene.office).await;
    scene.phone.retain_for_attachments(&[id]);
    scene.assign(&["wu.min"]).await;
    scene.phone.sync(&scene.office).await;
    scene.assign(&["chen.jie"]).await;
    scene.phone.sync(&scene.office).await;
    scene.phone.retain_for_attachments(&[]);
    scene.phone.assert_in_step();
    assert_eq!(scene.phone.ids(), [id]);
}

#[tokio::test]
async fn f4_a_device_that_is_shut_out_erases_nothing_before_all_is_named() {
    let mut scene = Scene::new().await;
    let (id, recording) = (scene.id, b"what was recorded");
    scene.phone.retain_for_attachments(&[id]);
    scene.phone.ended = Some(Revocation::DeviceRevoked);
    scene.phone.sync(&scene.office).await;
    assert_eq!(scene.phone.erased, None);
    assert!(scene.phone.workspace.is_leaving(id));
    scene.phone.apply(id, &attach(recording));
    scene.phone.retain_for_attachments(&[]);
    scene.phone.sync(&scene.office).await;
    assert_eq!(scene.phone.erased.as_deref(), Some("device_revoked"));
    assert_eq!(scene.office.quarantine().await.unwrap().len(), 1);
}

// -- scrubbing

#[tokio::test]
async fn a_scrub_finds_what_the_disk_has_damaged_and_goes_on_where_it_was() {
    let scene = Scene::new().await;
    let photos: Vec<Vec<u8>> = (0..130u8).map(|n| vec![n; 50]).collect();
    for photo in &photos {
        scene.restore(photo).await;
    }
    std::fs::write(scene.blob_file(&photos[3]), b"something else").unwrap();
    std::fs::remove_file(scene.blob_file(&photos[4])).unwrap();
    let mut office = scene.office;
    let mut sum = ScrubStep::default();
    for pass in 0..2 {
        for step in 0..3 {
            let found = office.scrub_blobs().await.unwrap();
            assert_eq!(found.ended, step == 2, "pass {pass}, step {step}");
            sum.sound += found.sound;
            sum.damaged += found.damaged;
            sum.lost += found.lost;
            office.close();
            office = open(scene.folder.path(), &scene.clock);
        }
    }
    assert_eq!((sum.sound, sum.damaged, sum.lost), (2 * 128, 2, 2));
    // A phone that still has them sends them again.
    for photo in &photos[3..5] {
        assert_eq!(upload(&office, "chen.jie", 1, photo).await, UploadOutcome::Complete);
    }
    let mut again = ScrubStep::default();
    for _ in 0..3 {
        let found = office.scrub_blobs().await.unwrap();
        again.sound += found.sound;
    }
    assert_eq!(again.sound, 130);
}
