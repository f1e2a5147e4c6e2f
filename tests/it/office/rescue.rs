//! A phone's rescue file at the office.

use crate::support::office::TestOffice;
use crate::support::phone::{KEY, NOW, TestPhone, contact};
use doorstep::ids::{DeviceId, RecordId};
use doorstep::office::Office;
use doorstep::office::rescue::RescueError;
use doorstep::office::store::{Device as Enrolled, User};
use doorstep::record::terms::Role;
use doorstep::vault::keyring::Keyring;
use doorstep::vault::rescue::RescueFile;
use doorstep::workspace::StorageFailure;

const PHONE: DeviceId = DeviceId([1; 16]);

/// The file that a phone makes, with what opens it at this office.
fn file(office: &Office, phone: &mut TestPhone) -> Vec<u8> {
    sealed(office, phone, "chen.jie", Some(office.enrolment(PHONE, "chen.jie")))
}

/// The same with any user and proof.
fn sealed(office: &Office, phone: &mut TestPhone, user: &str, proof: Option<[u8; 32]>) -> Vec<u8> {
    let keyring = Keyring::new(KEY, user.into(), "collector".into());
    let escrow = keyring.wrap(&office.escrow(PHONE), [4; 24], &format!("escrow/{PHONE}"));
    RescueFile::new(PHONE, escrow, phone.workspace.rescue_rows(), proof).to_bytes()
}

/// The file as version 1 wrote it, which knew no proof.
fn version_1(file: &[u8]) -> Vec<u8> {
    let mut file = file[..file.len() - 32].to_vec();
    file["doorstep rescue".len()] = 1;
    let checksum = <sha2::Sha256 as sha2::Digest>::digest(&file);
    file.extend(checksum);
    file
}

fn user(name: &str) -> User {
    User {
        name: name.into(),
        display_name: name.into(),
        role: Role::Collector,
        password_hash: String::new(),
        disabled_at: None,
        subject: None,
        created_at: NOW,
    }
}

/// A phone with one unsent change on each of two records.
async fn unsent() -> (TestOffice, Vec<RecordId>, TestPhone) {
    let (office, ids) = TestOffice::with_records(2).await;
    office.store().write_now(move |tx| tx.put_user(&user("chen.jie"))).unwrap();
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    for id in &ids {
        phone.apply(*id, &contact("c1"));
    }
    (office, ids, phone)
}

#[tokio::test]
async fn d3_a_rescue_file_hands_unsent_work_in_once() {
    let (office, ids, mut phone) = unsent().await;
    // Not even what could not be written is missing.
    phone.disk = Some(StorageFailure::StorageFull);
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
async fn a_rescue_file_of_a_phone_in_a_key_rotation_opens() {
    let (office, ids, mut phone) = unsent().await;
    let rotating = Keyring::new(KEY, "chen.jie".into(), "collector".into())
        .rotated([9; 32])
        .expect("not rotating");
    let before = phone.workspace.rescue_rows();
    phone.workspace.rekey(rotating.vault([5; 16]));
    let mut rows = phone.workspace.rescue_rows();
    rows[0] = before[0].clone();
    let escrow = rotating.wrap(&office.escrow(PHONE), [4; 24], &format!("escrow/{PHONE}"));
    let both =
        RescueFile::new(PHONE, escrow, rows.clone(), Some(office.enrolment(PHONE, "chen.jie")))
            .to_bytes();
    let report = office.import_rescue(&both).await.unwrap();
    assert_eq!((report.merged, report.damaged.len()), (2, 0), "{report:?}");
    assert_eq!(office.visit(ids[0]).await.unwrap().contacts.len(), 1);
    // Without the previous key the row that is sealed under it is lost: it goes last.
    let settled = rotating.without_previous();
    let escrow = settled.wrap(&office.escrow(PHONE), [4; 24], &format!("escrow/{PHONE}"));
    let report = office
        .import_rescue(
            &RescueFile::new(PHONE, escrow, rows, Some(office.enrolment(PHONE, "chen.jie")))
                .to_bytes(),
        )
        .await;
    assert_eq!(report.unwrap().damaged.len(), 1);
}

#[tokio::test]
async fn m4_work_of_a_revoked_phone_waits_for_a_person() {
    let (office, ids, mut phone) = unsent().await;
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
    let (office, ids, mut phone) = unsent().await;
    let file = file(&office, &mut phone);
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 1;
        let refused = office.import_rescue(&damaged).await;
        assert!(matches!(refused, Err(RescueError::Malformed(_))), "byte {at}: {refused:?}");
    }
    assert!(office.import_rescue(&file[..file.len() - 1]).await.is_err());
    // Without the office's key no valid file can be made.
    let keyring = Keyring::new(KEY, "chen.jie".into(), "collector".into());
    let escrow = keyring.wrap(&[9; 32], [4; 24], &format!("escrow/{PHONE}"));
    let forged = RescueFile::new(PHONE, escrow, phone.workspace.rescue_rows(), None).to_bytes();
    assert!(matches!(office.import_rescue(&forged).await, Err(RescueError::Foreign)));
    assert!(office.visit(ids[0]).await.unwrap().contacts.is_empty());
}

#[tokio::test]
async fn i1_the_user_in_a_file_is_whom_its_phone_was_given_to() {
    let (office, ids, mut phone) = unsent().await;
    office.store().write_now(|tx| tx.put_user(&user("wu.min"))).unwrap();
    // As after a restore: the office does not know the device. Its user has the escrow key from a
    // sign-in, and can seal any name under it.
    let own = office.enrolment(PHONE, "chen.jie");
    for (name, proof) in
        [("wu.min", Some(own)), ("wu.min", None), ("chen.jie", None), ("chen.jie", Some([0; 32]))]
    {
        let file = sealed(&office, &mut phone, name, proof);
        let refused = office.import_rescue(&file).await;
        let unknown =
            matches!(&refused, Err(RescueError::UnknownDevice { user, .. }) if user == name);
        assert!(unknown, "{name} {proof:?}: {refused:?}");
    }
    assert!(office.quarantine().await.unwrap().is_empty());
    let old = version_1(&sealed(&office, &mut phone, "chen.jie", None));
    assert!(matches!(office.import_rescue(&old).await, Err(RescueError::UnknownDevice { .. })));

    // Enrolled by hand, and then as ever: also the file of a phone that knew no proof.
    let known = Enrolled::enrolled(PHONE, "chen.jie", NOW);
    office.store().write_now(move |tx| tx.put_device(&known)).unwrap();
    let foreign = sealed(&office, &mut phone, "wu.min", Some(office.enrolment(PHONE, "wu.min")));
    assert!(matches!(office.import_rescue(&foreign).await, Err(RescueError::Foreign)));
    let report = office.import_rescue(&old).await.unwrap();
    assert_eq!((report.user.as_str(), report.merged), ("chen.jie", 2), "{report:?}");
    assert_eq!(office.visit(ids[0]).await.unwrap().contacts.len(), 1);
}
