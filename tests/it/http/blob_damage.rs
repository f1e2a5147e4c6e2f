//! Attachments whose bytes are damaged where the office keeps them: a phone may erase its copy only
//! on the office's word that the whole is there, and that word is never given for less.

use std::path::PathBuf;

use doorstep::ids::hex;
use sha2::{Digest, Sha256};

use super::blobs::{bytes, name, path, put, send};
use crate::support::http_office::HttpOffice;

/// What a disk may make of a file, and how.
type Damage = (&'static str, fn(&mut Vec<u8>));

const DAMAGES: [Damage; 4] = [
    ("truncated", |bytes| bytes.truncate(7)),
    ("empty", Vec::clear),
    ("a bit flipped", |bytes| bytes[3] ^= 1),
    ("longer", |bytes| bytes.push(0)),
];

fn file(http: &HttpOffice, bytes: &[u8]) -> PathBuf {
    let sha256 = hex(&Sha256::digest(bytes));
    http.office.blob_file(&sha256)
}

fn damage(http: &HttpOffice, photo: &[u8], how: fn(&mut Vec<u8>)) {
    let file = file(http, photo);
    let mut damaged = std::fs::read(&file).unwrap();
    how(&mut damaged);
    std::fs::write(&file, damaged).unwrap();
}

#[tokio::test]
async fn what_is_damaged_on_disk_is_not_called_complete_and_heals_with_the_next_upload() {
    let http = HttpOffice::open().await;
    let id = http.visit("C-1", &["chen.jie"]).await;
    let chen = http.token("chen.jie").await;
    for (at, (how, spoil)) in DAMAGES.into_iter().enumerate() {
        let photo = bytes(300 + at);
        let size = photo.len();
        let path = path(&photo);
        let asked = format!("bytes */{size}");
        send(&http, &path, &chen, &photo).await;
        name(&http, id, &photo, "image/jpeg").await;
        let whole = put(&http, &path, &chen, &asked, &[]).await;
        assert_eq!(whole.told(), format!(r#"200 {{"received":{size},"complete":true}}"#));

        damage(&http, &photo, spoil);
        let answer = put(&http, &path, &chen, &asked, &[]).await;
        assert_eq!(answer.told(), r#"202 {"received":0,"complete":false}"#, "{how}");
        assert!(!http.office.verify().await.unwrap().ok, "{how}");
        send(&http, &path, &chen, &photo).await;
        assert_eq!(std::fs::read(file(&http, &photo)).unwrap(), photo, "{how}");
        let whole = put(&http, &path, &chen, &asked, &[]).await;
        assert_eq!(whole.told(), format!(r#"200 {{"received":{size},"complete":true}}"#));
        assert_eq!(http.get(&path, Some(&chen)).await.body, photo, "{how}");
    }
    http.office.assert_sound().await;
}
