//! Attachments whose bytes are damaged where the office keeps them: a phone may erase its copy only
//! on the office's word that the whole is there, and that word is never given for less.

use std::path::PathBuf;

use axum::body::Body;
use doorstep::ids::hex;
use doorstep::office::blobs::MAX_PIECE_BYTES;
use sha2::{Digest, Sha256};

use super::blobs::{bytes, name, path, put, send};
use crate::support::http_office::{HttpOffice, ask};

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
async fn a_damaged_blob_is_not_complete_and_the_next_upload_replaces_it() {
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

#[tokio::test]
async fn bytes_that_do_not_match_their_name_are_dropped() {
    let http = HttpOffice::open().await;
    let chen = http.token("chen.jie").await;
    let (photo, other) = (bytes(80), bytes(81));
    let path = path(&photo);
    let lie = put(&http, &path, &chen, "bytes 0-79/80", &other[..80]).await;
    assert_eq!(lie.code(), (422, "wrong_hash".into()));
    // From the beginning, and right this time.
    send(&http, &path, &chen, &photo).await;
}

#[tokio::test]
async fn damaged_bytes_are_never_served_as_a_complete_blob() {
    let http = HttpOffice::open().await;
    let id = http.visit("C-1", &["chen.jie"]).await;
    let chen = http.token("chen.jie").await;
    let photo = bytes(MAX_PIECE_BYTES as usize);
    send(&http, &path(&photo), &chen, &photo).await;
    name(&http, id, &photo, "image/jpeg").await;
    let sha256 = hex(&Sha256::digest(&photo));
    let file = http.office.blob_file(&sha256);
    // One bit at the end: everything before it has been sent when it is found.
    let mut damaged = photo.clone();
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(&file, &damaged).unwrap();
    let request = ask("GET", &path(&photo), Some(&chen)).body(Body::empty()).unwrap();
    let answer = http.begin(request).await;
    assert_eq!(answer.status().as_u16(), 200);
    let (mut got, mut body, mut broken) = (0, answer.into_body(), false);
    while let Some(frame) = http_body_util::BodyExt::frame(&mut body).await {
        match frame {
            Ok(frame) => got += frame.into_data().unwrap().len(),
            Err(_) => broken = true,
        }
    }
    assert!(broken && got < photo.len(), "{got}");

    // Cut short: the office knows how long it was.
    std::fs::write(&file, &photo[..1000]).unwrap();
    assert_eq!(http.get(&path(&photo), Some(&chen)).await.code(), (500, "internal".into()));
    std::fs::write(&file, &photo).unwrap();
    assert_eq!(http.get(&path(&photo), Some(&chen)).await.body, photo);
}

#[tokio::test]
async fn verify_finds_a_blob_that_is_damaged_on_disk() {
    let http = HttpOffice::open().await;
    let id = http.visit("C-1", &["chen.jie"]).await;
    let chen = http.token("chen.jie").await;
    let photo = bytes(40);
    send(&http, &path(&photo), &chen, &photo).await;
    name(&http, id, &photo, "image/jpeg").await;
    let sha256 = hex(&Sha256::digest(&photo));
    let file = http.office.blob_file(&sha256);
    let mut damaged = std::fs::read(&file).unwrap();
    damaged[3] ^= 1;
    std::fs::write(&file, damaged).unwrap();
    let verified = http.office.verify().await.unwrap();
    assert!(!verified.ok);
    assert_eq!(verified.problems[0].what, "an attachment is not what its name says");
    assert_eq!(http.get(&path(&photo), Some(&chen)).await.code(), (500, "internal".into()));
}
