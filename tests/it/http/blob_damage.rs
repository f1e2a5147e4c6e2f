//! Attachments whose bytes are damaged where the office keeps them: a phone may erase its copy only
//! on the office's word that the whole is there, and that word is never given for less.

use std::path::PathBuf;

use doorstep::ids::hex;
use sha2::{Digest, Sha256};

use super::blobs::{bytes, name, path, put, send};
use crate::support::http_office::Desk;

/// What a disk may make of a file, and how.
type Damage = (&'static str, fn(&mut Vec<u8>));

const DAMAGES: [Damage; 4] = [
    ("truncated", |bytes| bytes.truncate(7)),
    ("empty", Vec::clear),
    ("a bit flipped", |bytes| bytes[3] ^= 1),
    ("longer", |bytes| bytes.push(0)),
];

fn file(desk: &Desk, bytes: &[u8]) -> PathBuf {
    let sha256 = hex(&Sha256::digest(bytes));
    desk.folder().join("office.db.blobs").join(&sha256[..2]).join(&sha256)
}

fn damage(desk: &Desk, photo: &[u8], how: fn(&mut Vec<u8>)) {
    let file = file(desk, photo);
    let mut damaged = std::fs::read(&file).unwrap();
    how(&mut damaged);
    std::fs::write(&file, damaged).unwrap();
}

#[tokio::test]
async fn what_is_damaged_on_disk_is_not_called_complete_and_heals_with_the_next_upload() {
    let desk = Desk::open().await;
    let id = desk.visit("C-1", &["chen.jie"]).await;
    let chen = desk.token("chen.jie").await;
    for (at, (how, spoil)) in DAMAGES.into_iter().enumerate() {
        let photo = bytes(300 + at);
        let size = photo.len();
        let path = path(&photo);
        let asked = format!("bytes */{size}");
        send(&desk, &path, &chen, &photo).await;
        name(&desk, id, &photo, "image/jpeg").await;
        let whole = put(&desk, &path, &chen, &asked, &[]).await;
        assert_eq!(whole.told(), format!(r#"200 {{"received":{size},"complete":true}}"#));

        damage(&desk, &photo, spoil);
        let answer = put(&desk, &path, &chen, &asked, &[]).await;
        assert_eq!(answer.told(), r#"202 {"received":0,"complete":false}"#, "{how}");
        assert!(!desk.office.verify().await.unwrap().ok, "{how}");
        send(&desk, &path, &chen, &photo).await;
        assert_eq!(std::fs::read(file(&desk, &photo)).unwrap(), photo, "{how}");
        let whole = put(&desk, &path, &chen, &asked, &[]).await;
        assert_eq!(whole.told(), format!(r#"200 {{"received":{size},"complete":true}}"#));
        assert_eq!(desk.get(&path, Some(&chen)).await.body, photo, "{how}");
    }
    desk.assert_sound().await;
}
