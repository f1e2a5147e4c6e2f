//! What must outlive a record's stay on a phone, and what must not (rules D5, F1, F4, M4, P3).

use crate::support::office::Pair;
use crate::support::phone::{NOW, TestPhone, contact};
use doorstep::ids::{DeviceId, hex};
use doorstep::office::blobs::{Piece, ScrubStep, SweepReport, UploadOutcome};
use doorstep::office::store::{self, User};
use doorstep::office::{Office, Session};
use doorstep::record::command::{CasePatch, Command, NewAttachment};
use doorstep::record::terms::{AttachmentKind, Role};
use doorstep::sync::message::Revocation;
use doorstep::workspace::Table;
use sha2::{Digest, Sha256};

const DAY: i64 = 86_400_000;

impl Pair {
    /// With the devices of two users enrolled.
    async fn enrolled() -> Self {
        let pair = Self::new(&["chen.jie"]).await;
        for (user, device) in [("chen.jie", 1), ("wu.min", 2)] {
            enrol(&pair.office, user, device);
        }
        pair
    }

    /// Uploads an attachment's bytes from chen.jie's phone.
    async fn upload(&self, bytes: &[u8]) {
        assert_eq!(upload(&self.office, "chen.jie", 1, bytes).await, UploadOutcome::Complete);
    }

    fn blob_file(&self, bytes: &[u8]) -> std::path::PathBuf {
        self.office.blob_file(&hex(&Sha256::digest(bytes)))
    }

    /// Tables and keys of the phone's rows about the record.
    fn rows_of_record(&self) -> Vec<(Table, String)> {
        let id = self.id.to_string();
        let rows = self.phone.tables.iter();
        let keys = rows.flat_map(|(table, rows)| rows.keys().map(|key| (*table, key.clone())));
        keys.filter(|(_, key)| key.contains(&id)).collect()
    }
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
    let mut pair = Pair::enrolled().await;
    let (photo, receipt, unnamed) = (b"a photo of the door", b"a receipt", b"without a reference");
    for bytes in [&photo[..], receipt, unnamed] {
        pair.upload(bytes).await;
    }
    pair.phone.apply(pair.id, &attach(photo));
    pair.assign(&["wu.min"]).await;
    pair.phone.sync(&pair.office).await;
    // Another piece, which a supervisor has dismissed: it can still be accepted.
    pair.assign(&["chen.jie"]).await;
    pair.phone.sync(&pair.office).await;
    pair.phone.apply(pair.id, &attach(receipt));
    pair.assign(&["wu.min"]).await;
    pair.phone.sync(&pair.office).await;
    assert_eq!(pair.office.quarantine().await.unwrap().len(), 2);
    pair.office.dismiss_quarantined(2, "not needed", "lin.yue").await.unwrap();

    pair.office.advance(61 * DAY);
    assert_eq!(pair.office.sweep_blobs().await.unwrap(), SweepReport { pieces: 0, blobs: 1 });
    for id in [1, 2] {
        let accepted =
            pair.office.accept_quarantined(id, None, "", "lin.yue", Role::Supervisor).await;
        accepted.expect("its bytes are kept");
    }
    let verified = pair.office.verify().await.unwrap();
    assert_eq!((verified.ok, verified.blobs, verified.pending.len()), (true, 2, 0));
}

#[tokio::test]
async fn bytes_that_somebody_brings_again_are_young_again() {
    let pair = Pair::enrolled().await;
    let photo = b"the same picture from two phones";
    pair.upload(photo).await;
    pair.office.advance(59 * DAY);
    assert_eq!(upload(&pair.office, "wu.min", 2, photo).await, UploadOutcome::Complete);
    pair.office.advance(2 * DAY);
    assert_eq!(pair.office.sweep_blobs().await.unwrap(), SweepReport::default());
    assert!(pair.blob_file(photo).exists());
}

// -- F1: nothing of a withdrawn record remains

#[tokio::test]
async fn f1_nothing_of_a_withdrawn_record_remains_on_the_phone() {
    let mut pair = Pair::enrolled().await;
    let id = pair.id;
    // Refused work that its person gave up, as it stays on the phone while the record is here.
    pair.phone.claims = Role::Supervisor;
    pair.phone.restart();
    let forgiven = CasePatch { overdue: Some(0), ..Default::default() };
    pair.phone.apply(id, &Command::UpdateCase(Box::new(forgiven)));
    pair.phone.claims = Role::Collector;
    pair.phone.restart();
    pair.phone.sync(&pair.office).await;
    pair.phone.open(id);
    pair.phone.workspace.resolve_refused(id, &[], &[], 70, NOW, "Asia/Shanghai").expect("refused");
    pair.phone.run();
    // A form that is begun, and rows of every table that are damaged.
    let kept = pair.phone.workspace.save_draft(id, "contact", Some("{}"), NOW);
    kept.expect("kept");
    pair.phone.run();
    pair.phone.apply(id, &contact("c1"));
    for table in [Table::Records, Table::Outbox] {
        let rows = pair.phone.tables.get_mut(&table).expect("there");
        for row in rows.values_mut() {
            row[30] ^= 1;
        }
    }
    pair.phone.restart();
    pair.phone.sync(&pair.office).await;
    let damaged = |pair: &Pair| {
        let rows = pair.rows_of_record();
        rows.into_iter().filter(|(table, _)| *table == Table::Damaged).count()
    };
    assert_eq!(damaged(&pair), 3, "refused, a record's row and a row of the outbox");

    pair.assign(&["wu.min"]).await;
    pair.phone.sync(&pair.office).await;
    pair.phone.assert_in_step();
    assert_eq!(pair.rows_of_record(), []);
    assert_eq!(pair.office.visit(id).await.unwrap().contacts.len(), 1);
    assert_eq!(pair.office.quarantine().await.unwrap().len(), 1);
}

// -- P3: a record whose row was damaged

#[tokio::test]
async fn p3_a_record_whose_row_was_damaged_can_be_brought_back_all_the_same() {
    let mut pair = Pair::enrolled().await;
    pair.assign(&["chen.jie", "wu.min"]).await;
    let backup = pair.office.back_up("yesterday");
    let mut other = TestPhone::new("wu.min", 2);
    other.sync(&pair.office).await;
    other.apply(pair.id, &contact("w1"));
    other.sync(&pair.office).await;
    pair.phone.sync(&pair.office).await;

    let row = pair.phone.tables.get_mut(&Table::Records).expect("there");
    row.values_mut().for_each(|row| row[30] ^= 1);
    pair.phone.restart();
    let before = pair.phone.requests;
    pair.phone.sync(&pair.office).await;
    pair.phone.assert_in_step();
    assert!(pair.phone.requests - before <= 2, "it costs a round");
    assert_eq!(pair.phone.status().repairs, 0);
    // Only once.
    let before = pair.phone.requests;
    pair.phone.restart();
    pair.phone.sync(&pair.office).await;
    assert_eq!(pair.phone.requests - before, 1);

    // What wu.min wrote is on this phone alone: the office has lost it, and so has that phone.
    let Pair { mut office, id, mut phone } = pair;
    office.restore(&backup);
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(office.visit(id).await.unwrap().contacts.len(), 1);
}

// -- F1, F4: attachments that no change names yet

#[tokio::test]
async fn f1_a_withdrawn_record_stays_until_its_attachments_are_named() {
    for restarts in [false, true] {
        let mut pair = Pair::enrolled().await;
        let (id, recording) = (pair.id, b"what was recorded");
        pair.phone.retain_for_attachments(&[id]);
        pair.assign(&["wu.min"]).await;
        pair.phone.sync(&pair.office).await;
        assert_eq!(pair.phone.ids(), [id], "held back");
        assert!(pair.phone.workspace.is_leaving(id));
        if restarts {
            pair.phone.restart_holding(&[id]);
            pair.phone.sync(&pair.office).await;
            assert_eq!(pair.phone.ids(), [id]);
        }
        pair.phone.apply(id, &attach(recording));
        assert!(!pair.phone.workspace.is_confirmed(id));
        pair.phone.retain_for_attachments(&[]);
        pair.phone.sync(&pair.office).await;
        pair.phone.assert_in_step();
        assert_eq!(pair.rows_of_record(), []);
        let kept = pair.office.quarantine().await.unwrap();
        let unit = format!("attachments.{}", hex(&Sha256::digest(recording)));
        assert_eq!(kept[0].units, [unit]);
    }
}

#[tokio::test]
async fn f1_a_record_that_is_not_held_back_any_more_leaves() {
    let mut pair = Pair::enrolled().await;
    let id = pair.id;
    pair.phone.retain_for_attachments(&[id]);
    pair.assign(&["wu.min"]).await;
    pair.phone.sync(&pair.office).await;
    // Its recording was discarded, and the phone started anew before it could be said.
    pair.phone.restart_holding(&[]);
    pair.phone.sync(&pair.office).await;
    pair.phone.assert_in_step();
    assert_eq!(pair.rows_of_record(), []);
    // One that was given back to its collector meanwhile stays.
    pair.assign(&["chen.jie"]).await;
    pair.phone.sync(&pair.office).await;
    pair.phone.retain_for_attachments(&[id]);
    pair.assign(&["wu.min"]).await;
    pair.phone.sync(&pair.office).await;
    pair.assign(&["chen.jie"]).await;
    pair.phone.sync(&pair.office).await;
    pair.phone.retain_for_attachments(&[]);
    pair.phone.assert_in_step();
    assert_eq!(pair.phone.ids(), [id]);
}

#[tokio::test]
async fn f4_a_revoked_device_erases_nothing_before_every_attachment_is_named() {
    let mut pair = Pair::enrolled().await;
    let (id, recording) = (pair.id, b"what was recorded");
    pair.phone.retain_for_attachments(&[id]);
    pair.phone.ended = Some(Revocation::DeviceRevoked);
    pair.phone.sync(&pair.office).await;
    assert_eq!(pair.phone.erased, None);
    assert!(pair.phone.workspace.is_leaving(id));
    pair.phone.apply(id, &attach(recording));
    pair.phone.retain_for_attachments(&[]);
    pair.phone.sync(&pair.office).await;
    assert_eq!(pair.phone.erased, Some(Revocation::DeviceRevoked));
    assert_eq!(pair.office.quarantine().await.unwrap().len(), 1);
}

// -- scrubbing

#[tokio::test]
async fn a_scrub_finds_damaged_blobs_and_resumes_where_it_was() {
    let pair = Pair::enrolled().await;
    let photos: Vec<Vec<u8>> = (0..130u8).map(|n| vec![n; 50]).collect();
    for photo in &photos {
        pair.upload(photo).await;
    }
    std::fs::write(pair.blob_file(&photos[3]), b"something else").unwrap();
    std::fs::remove_file(pair.blob_file(&photos[4])).unwrap();
    let mut office = pair.office.clone();
    let mut sum = ScrubStep::default();
    for pass in 0..2 {
        for step in 0..3 {
            let found = office.scrub_blobs().await.unwrap();
            assert_eq!(found.ended, step == 2, "pass {pass}, step {step}");
            sum.sound += found.sound;
            sum.damaged += found.damaged;
            sum.lost += found.lost;
            office.restart();
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
