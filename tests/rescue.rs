//! A phone's rescue file at the office.

mod support;

use doorstep::ids::{DeviceId, RecordId};
use doorstep::office::Office;
use doorstep::office::rescue::RescueError;
use doorstep::office::store::{Device as Enrolled, User};
use doorstep::record::terms::Role;
use doorstep::workspace::lock::Keyring;
use doorstep::workspace::rescue::RescueFile;
use support::{Device, KEY, NOW, contact, office};

const PHONE: DeviceId = DeviceId([1; 16]);

/// The file that a phone makes, with what opens it at this office.
fn file(office: &Office, phone: &mut Device) -> Vec<u8> {
    let keyring = Keyring { key: KEY, user: "chen.jie".into(), role: "collector".into() };
    let escrow = keyring.wrap(&office.escrow(PHONE), [4; 24], &format!("escrow/{PHONE}"));
    RescueFile::new(PHONE, escrow, phone.workspace.rescue_rows()).to_bytes()
}

/// A phone with one unsent change on each of two records.
async fn unsent() -> (tempfile::TempDir, Office, Vec<RecordId>, Device) {
    let (folder, office, ids) = office(2).await;
    let user = User {
        name: "chen.jie".into(),
        display_name: "Chen Jie".into(),
        role: Role::Collector,
        password_hash: String::new(),
        disabled_at: None,
        subject: None,
        created_at: NOW,
    };
    office.store().write_now(move |tx| tx.put_user(&user)).unwrap();
    let mut phone = Device::new("chen.jie", 1);
    phone.sync(&office).await;
    for id in &ids {
        phone.apply(*id, &contact("c1"));
    }
    (folder, office, ids, phone)
}

#[tokio::test]
async fn d3_a_rescue_file_hands_unsent_work_in_once() {
    let (_folder, office, ids, mut phone) = unsent().await;
    // Not even what could not be written is missing.
    phone.disk = Some("storage_full");
    phone.apply(ids[0], &contact("c2"));
    let file = file(&office, &mut phone);
    assert!(!String::from_utf8_lossy(&file).contains("chen.jie"));
    let report = office.import_rescue(&file).await.unwrap();
    assert_eq!((report.changes, report.merged, report.duplicate), (3, 2, 0), "{report:?}");
    assert_eq!(office.visit(ids[0]).await.unwrap().contacts.len(), 2);
    let again = office.import_rescue(&file).await.unwrap();
    assert_eq!((again.merged, again.duplicate), (0, 2), "{again:?}");
    // The phone sends the same work when it can: nothing is there twice.
    phone.disk = None;
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(office.visit(ids[0]).await.unwrap().contacts.len(), 2);
    assert!(office.verify().await.unwrap().ok);
}

#[tokio::test]
async fn m4_work_of_a_revoked_phone_waits_for_a_person() {
    let (_folder, office, ids, mut phone) = unsent().await;
    let revoked = Enrolled {
        id: PHONE,
        user: "chen.jie".into(),
        created_at: NOW,
        last_seen_at: NOW,
        revoked_at: Some(NOW),
        revoked_by: "lin.yue".into(),
        revoked_reason: "lost".into(),
        app_version: String::new(),
    };
    office.store().write_now(move |tx| tx.put_device(&revoked)).unwrap();
    let file = file(&office, &mut phone);
    for _ in 0..2 {
        let report = office.import_rescue(&file).await.unwrap();
        assert_eq!((report.merged, report.quarantined), (0, 2), "{report:?}");
    }
    let waiting = office.quarantine().await.unwrap();
    assert_eq!(waiting.len(), 2);
    for line in waiting {
        assert_eq!(
            (line.code.as_str(), line.units),
            ("device_revoked", vec!["contacts.c1".into()])
        );
    }
    assert!(office.visit(ids[0]).await.unwrap().contacts.is_empty());
}

#[tokio::test]
async fn a_file_that_is_damaged_or_foreign_is_refused_whole() {
    let (_folder, office, ids, mut phone) = unsent().await;
    let file = file(&office, &mut phone);
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 1;
        let refused = office.import_rescue(&damaged).await;
        assert!(matches!(refused, Err(RescueError::Malformed(_))), "byte {at}: {refused:?}");
    }
    assert!(office.import_rescue(&file[..file.len() - 1]).await.is_err());
    // Whoever knows no key of this office makes no file for it.
    let keyring = Keyring { key: KEY, user: "chen.jie".into(), role: "collector".into() };
    let escrow = keyring.wrap(&[9; 32], [4; 24], &format!("escrow/{PHONE}"));
    let forged = RescueFile::new(PHONE, escrow, phone.workspace.rescue_rows()).to_bytes();
    assert!(matches!(office.import_rescue(&forged).await, Err(RescueError::Foreign)));
    assert!(office.visit(ids[0]).await.unwrap().contacts.is_empty());
}
