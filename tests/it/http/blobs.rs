//! Attachments: uploaded in pieces, verified, and served to users who may read a record that names
//! them.

use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use doorstep::ids::{RecordId, hex};
use doorstep::office::blobs::{MAX_BLOB_BYTES, MAX_PIECE_BYTES, SweepReport};
use doorstep::record::command::{Command, NewAttachment, TalkPatch};
use doorstep::record::terms::{AttachmentKind, Disposition, ReviewStatus, Role};
use sha2::{Digest, Sha256};

use crate::support::http_office::{Answer, HttpOffice, ask};

const DAY: i64 = 24 * 60 * 60 * 1000;

#[tokio::test]
async fn an_upload_resumes_where_it_was_cut_and_is_visible_only_when_complete() {
    let http = HttpOffice::open().await;
    let id = http.visit("C-1", &["chen.jie"]).await;
    let chen = http.token("chen.jie").await;
    let photo = bytes(900);
    name(&http, id, &photo, "image/jpeg").await;
    let path = path(&photo);

    assert_eq!(
        put(&http, &path, &chen, "bytes */900", &[]).await.told(),
        r#"202 {"received":0,"complete":false}"#
    );
    let first = put(&http, &path, &chen, "bytes 0-399/900", &photo[..400]).await;
    assert_eq!(first.told(), r#"202 {"received":400,"complete":false}"#);
    // The answer was lost: the same again is told where to go on.
    let again = put(&http, &path, &chen, "bytes 0-399/900", &photo[..400]).await;
    assert_eq!(again.told(), r#"409 {"received":400,"complete":false}"#);
    assert_eq!(http.get(&path, Some(&chen)).await.code(), (404, "unknown_blob".into()));
    let verified = http.office.verify().await.unwrap();
    assert!(verified.ok);
    assert_eq!((verified.blobs, verified.pending.len()), (0, 1), "named, not here yet");

    let last = put(&http, &path, &chen, "bytes 400-899/900", &photo[400..]).await;
    assert_eq!(last.told(), r#"200 {"received":900,"complete":true}"#);
    // And once more, as when this answer was lost.
    let whole = put(&http, &path, &chen, "bytes */900", &[]).await;
    assert_eq!(whole.told(), r#"200 {"received":900,"complete":true}"#);
    let got = http.get(&path, Some(&chen)).await;
    assert_eq!((got.status.as_u16(), got.body == photo), (200, true));
    let verified = http.office.verify().await.unwrap();
    assert_eq!((verified.ok, verified.blobs, verified.pending.len()), (true, 1, 0));
}

#[tokio::test]
async fn only_who_may_see_a_record_that_names_it_gets_a_blob_and_it_runs_nothing() {
    let http = HttpOffice::open().await;
    let id = http.visit("C-1", &["chen.jie"]).await;
    let [chen, wu, lin, gu] = [
        http.token("chen.jie").await,
        http.token("wu.min").await,
        http.token("lin.yue").await,
        http.token("gu.an").await,
    ];
    let photo = bytes(50);
    let path = path(&photo);
    send(&http, &path, &chen, &photo).await;
    for token in [&chen, &wu, &lin, &gu] {
        assert_eq!(http.get(&path, Some(token)).await.code().0, 404, "no record names it");
    }
    name(&http, id, &photo, "image/jpeg").await;
    for token in [&chen, &lin, &gu] {
        let got = http.get(&path, Some(token)).await;
        assert_eq!((got.status.as_u16(), &got.body), (200, &photo));
        assert_eq!(got.header("content-type"), "image/jpeg");
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        assert!(got.header("content-disposition").starts_with("attachment; filename="));
        assert_eq!(
            got.header("content-security-policy"),
            "default-src 'none'; sandbox; frame-ancestors 'none'"
        );
        assert_eq!(got.header("cache-control"), "no-store");
    }
    assert_eq!(http.get(&path, Some(&wu)).await.code(), (404, "unknown_blob".into()));
    assert_eq!(http.get(&path, None).await.code().0, 401);
    // A type that a record made up is not passed on.
    let page = bytes(60);
    send(&http, &self::path(&page), &chen, &page).await;
    name(&http, id, &page, "text/html").await;
    let got = http.get(&self::path(&page), Some(&chen)).await;
    assert_eq!(got.header("content-type"), "application/octet-stream");
    // The record goes to another: so does the photo.
    let assign = doorstep::record::command::AssignmentPatch {
        collectors: Some(vec!["wu.min".into()]),
        ..Default::default()
    };
    http.office.command(id, Command::Assign(assign), "lin.yue", Role::Supervisor).await.unwrap();
    assert_eq!(http.get(&path, Some(&chen)).await.code().0, 404);
    assert_eq!(http.get(&path, Some(&wu)).await.code().0, 200);
}

/// The hash of a photo may be seen by who may not see the photo any more.
#[tokio::test]
async fn a_name_alone_opens_nothing() {
    let http = HttpOffice::open().await;
    let theirs = http.visit("C-1", &["wu.min"]).await;
    let own = http.visit("C-2", &["chen.jie"]).await;
    let [chen, wu, lin] =
        [http.token("chen.jie").await, http.token("wu.min").await, http.token("lin.yue").await];
    let photo = bytes(70);
    let path = path(&photo);
    send(&http, &path, &wu, &photo).await;
    name_as(&http, theirs, &photo, "wu.min").await;
    assert_eq!(http.get(&path, Some(&wu)).await.code().0, 200);

    name_as(&http, own, &photo, "chen.jie").await;
    assert_eq!(http.get(&path, Some(&chen)).await.code(), (404, "unknown_blob".into()));
    let asked = put(&http, &path, &chen, "bytes */70", &[]).await;
    assert_eq!(asked.told(), r#"202 {"received":0,"complete":false}"#, "nor that it is here");
    // A user who has the bytes may attach them to any record that they may write.
    send(&http, &path, &chen, &photo).await;
    for token in [&chen, &wu, &lin] {
        assert_eq!(http.get(&path, Some(token)).await.code().0, 200);
    }
}

/// Photos of a phone that was revoked are evidence like its changes.
#[tokio::test]
async fn blobs_of_expired_records_are_visible_to_the_office_only() {
    let http = HttpOffice::open().await;
    let id = http.visit("C-1", &["chen.jie"]).await;
    let [chen, lin] = [http.token("chen.jie").await, http.token("lin.yue").await];
    let photo = bytes(50);
    let path = path(&photo);
    send(&http, &path, &chen, &photo).await;
    name(&http, id, &photo, "image/jpeg").await;
    let talk = TalkPatch { disposition: Some(Disposition::NotHome), ..Default::default() };
    for command in [Command::EditTalk(talk), Command::Seal { at: 1 }] {
        http.office.command(id, command, "chen.jie", Role::Collector).await.unwrap();
    }
    let accepted = Command::Review {
        status: ReviewStatus::Accepted,
        remark: String::new(),
        marks: Vec::new(),
        at: 1,
    };
    http.office.command(id, accepted, "lin.yue", Role::Supervisor).await.unwrap();
    assert_eq!(http.get(&path, Some(&chen)).await.status.as_u16(), 200);
    assert_eq!(http.office.expire_accepted(Duration::ZERO).await, Ok(1));
    assert_eq!(http.get(&path, Some(&chen)).await.code(), (404, "unknown_blob".into()));
    assert_eq!(http.get(&path, Some(&lin)).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_revoked_device_uploads_and_downloads_nothing() {
    let http = HttpOffice::open().await;
    let id = http.visit("C-1", &["chen.jie"]).await;
    let chen = http.token("chen.jie").await;
    let [there, left] = [bytes(90), bytes(91)];
    send(&http, &path(&there), &chen, &there).await;
    name(&http, id, &there, "image/jpeg").await;
    let me = http.get("/api/session", Some(&chen)).await.json();
    let device = me["device"].as_str().unwrap().parse().unwrap();
    http.accounts.revoke_device(device, "admin", "lost").await.unwrap();

    assert_eq!(http.get(&path(&there), Some(&chen)).await.code(), (401, "signed_out".into()));
    send(&http, &path(&left), &chen, &left).await;
    let lin = http.token("lin.yue").await;
    assert_eq!(http.get(&path(&left), Some(&lin)).await.code().0, 404, "no record names it");
    name(&http, id, &left, "image/jpeg").await;
    assert_eq!(http.get(&path(&left), Some(&lin)).await.body, left);
}

#[tokio::test]
async fn a_small_one_goes_up_whole_as_programs_send_it() {
    let http = HttpOffice::open().await;
    let id = http.visit("C-1", &["chen.jie"]).await;
    let chen = http.token("chen.jie").await;
    let photo = bytes(1000);
    let whole = ask("PUT", &path(&photo), Some(&chen)).body(Body::from(photo.clone())).unwrap();
    assert_eq!(http.ask(whole).await.told(), r#"200 {"received":1000,"complete":true}"#);
    name(&http, id, &photo, "image/jpeg").await;
    assert_eq!(http.get(&path(&photo), Some(&chen)).await.body, photo);

    let large = vec![1; MAX_PIECE_BYTES as usize + 1];
    let whole = ask("PUT", &path(&large), Some(&chen)).body(Body::from(large)).unwrap();
    assert_eq!(http.ask(whole).await.status.as_u16(), 413, "in pieces, then");
}

/// A disk that is full, or away.
#[tokio::test]
async fn where_the_blob_store_fails_an_upload_waits_and_then_ends_well() {
    let http = HttpOffice::open().await;
    let id = http.visit("C-1", &["chen.jie"]).await;
    let chen = http.token("chen.jie").await;
    let photo = bytes(600);
    name(&http, id, &photo, "image/jpeg").await;
    // A folder where the file is to be: nothing can be put there, not even by root.
    let sha256 = hex(&Sha256::digest(&photo));
    let in_the_way = http.office.blob_file(&sha256);
    std::fs::create_dir_all(&in_the_way).unwrap();
    let failed = put(&http, &path(&photo), &chen, "bytes 0-599/600", &photo).await;
    assert_eq!(failed.code(), (500, "internal".into()));
    assert!(!failed.text().contains(&sha256), "{}", failed.text());

    std::fs::remove_dir(&in_the_way).unwrap();
    let asked = put(&http, &path(&photo), &chen, "bytes */600", &[]).await;
    assert_eq!(asked.told(), r#"200 {"received":600,"complete":true}"#, "nothing is sent again");
    assert_eq!(http.get(&path(&photo), Some(&chen)).await.body, photo);
}

/// A crash between the shelf and the store leaves bytes that no row knows.
#[tokio::test]
async fn unknown_files_are_swept_once_they_are_old() {
    let http = HttpOffice::open().await;
    let sha256 = hex(&Sha256::digest(b"left behind"));
    let file = http.office.blob_file(&sha256);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, b"left behind").unwrap();
    assert_eq!(http.office.sweep_blobs().await.unwrap(), SweepReport::default());
    // Its age is the file's own, and the http's clock is not the machine's.
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(http.office.sweep_blobs().await.unwrap(), SweepReport { pieces: 0, blobs: 1 });
    assert!(!file.exists());
}

#[tokio::test]
async fn malformed_pieces_are_refused() {
    let http = HttpOffice::open().await;
    let [chen, gu] = [http.token("chen.jie").await, http.token("gu.an").await];
    let photo = bytes(10);
    let path = path(&photo);
    let code = |answer: Answer| answer.code();
    assert_eq!(
        code(put(&http, &path, &gu, "bytes 0-9/10", &photo).await).0,
        403,
        "auditors write nothing"
    );
    assert_eq!(
        code(put(&http, &path, &chen, "bytes 0-8/10", &photo).await),
        (400, "malformed".into())
    );
    assert_eq!(code(put(&http, &path, &chen, "bytes 3-12/13", &photo).await).0, 409, "a hole");
    assert_eq!(code(put(&http, "/api/blobs/ABCD", &chen, "bytes 0-9/10", &photo).await).0, 404);
    let large = format!("bytes 0-9/{}", MAX_BLOB_BYTES + 1);
    assert_eq!(code(put(&http, &path, &chen, &large, &photo).await), (413, "too_large".into()));
    let html = ask("PUT", &path, Some(&chen))
        .header(header::CONTENT_TYPE, "text/html")
        .header(header::CONTENT_RANGE, "bytes 0-9/10")
        .body(Body::from(photo))
        .unwrap();
    assert_eq!(http.ask(html).await.code(), (415, "media_type".into()));
}

#[tokio::test]
async fn a_device_has_only_so_much_here_that_is_not_whole() {
    let http = HttpOffice::open().await;
    let chen = http.token("chen.jie").await;
    let piece = vec![7; MAX_PIECE_BYTES as usize];
    let mut taken = 0u64;
    // The same first piece of ever other blobs, none of which is ever finished.
    let refused = loop {
        let path = format!("/api/blobs/{}", hex(&Sha256::digest(taken.to_be_bytes())));
        let range = format!("bytes 0-{}/{MAX_BLOB_BYTES}", piece.len() - 1);
        let answer = put(&http, &path, &chen, &range, &piece).await;
        if answer.status.as_u16() != 202 {
            break answer;
        }
        taken += piece.len() as u64;
        assert!(taken <= 2 * MAX_BLOB_BYTES);
    };
    assert_eq!(refused.code(), (507, "too_much".into()));
    assert_eq!(taken, 2 * MAX_BLOB_BYTES);
}

#[tokio::test]
async fn only_unreferenced_blobs_are_swept() {
    let http = HttpOffice::open().await;
    let id = http.visit("C-1", &["chen.jie"]).await;
    let chen = http.token("chen.jie").await;
    let (named, unnamed, begun) = (bytes(30), bytes(31), bytes(32));
    send(&http, &path(&named), &chen, &named).await;
    send(&http, &path(&unnamed), &chen, &unnamed).await;
    put(&http, &path(&begun), &chen, "bytes 0-9/32", &begun[..10]).await;
    name(&http, id, &named, "image/jpeg").await;
    assert_eq!(http.office.sweep_blobs().await.unwrap(), SweepReport::default());
    http.office.advance(61 * DAY);
    let chen = http.token("chen.jie").await;
    assert_eq!(http.office.sweep_blobs().await.unwrap(), SweepReport { pieces: 1, blobs: 1 });
    assert_eq!(http.get(&path(&named), Some(&chen)).await.status.as_u16(), 200);
    let asked = put(&http, &path(&unnamed), &chen, "bytes */31", &[]).await;
    assert_eq!(asked.told(), r#"202 {"received":0,"complete":false}"#);
    let asked = put(&http, &path(&begun), &chen, "bytes */32", &[]).await;
    assert_eq!(asked.told(), r#"202 {"received":0,"complete":false}"#);
}

pub(super) fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + length) as u8).collect()
}

pub(super) fn path(bytes: &[u8]) -> String {
    format!("/api/blobs/{}", hex(&Sha256::digest(bytes)))
}

pub(super) async fn put(
    http: &HttpOffice,
    path: &str,
    token: &str,
    range: &str,
    bytes: &[u8],
) -> Answer {
    let request = ask("PUT", path, Some(token))
        .header(header::CONTENT_TYPE, "image/jpeg")
        .header(header::CONTENT_RANGE, range)
        .body(Body::from(bytes.to_vec()));
    http.ask(request.unwrap()).await
}

pub(super) async fn send(http: &HttpOffice, path: &str, token: &str, bytes: &[u8]) {
    let range = format!("bytes 0-{}/{}", bytes.len() - 1, bytes.len());
    let answer = put(http, path, token, &range, bytes).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
}

async fn name_as(http: &HttpOffice, id: RecordId, bytes: &[u8], user: &str) {
    let command = attach(bytes, "image/jpeg");
    http.office.command(id, command, user, Role::Collector).await.unwrap();
}

/// The office names a blob in a record.
pub(super) async fn name(http: &HttpOffice, id: RecordId, bytes: &[u8], media_type: &str) {
    let command = attach(bytes, media_type);
    http.office.command(id, command, "lin.yue", Role::Supervisor).await.unwrap();
}

fn attach(bytes: &[u8], media_type: &str) -> Command {
    Command::AddAttachment(NewAttachment {
        sha256: hex(&Sha256::digest(bytes)),
        media_type: media_type.into(),
        size: bytes.len() as i64,
        taken_at: 1_700_000_000_000,
        kind: AttachmentKind::Photo,
        caption: String::new(),
    })
}
