//! What a user may have at the office is one share, whatever the number of devices.

use axum::body::Body;
use axum::http::header;
use doorstep::ids::{RecordId, hex};
use doorstep::office::blobs::{MAX_BLOB_BYTES, MAX_PIECE_BYTES};
use doorstep::sync::message::{Outcome, Packed, Push, Request, decode_reply, encode_request};
use sha2::{Digest, Sha256};

use crate::support::http_office::{Answer, HttpOffice, PASSWORD, ask};

const DAY: i64 = 24 * 60 * 60 * 1000;

#[tokio::test]
async fn a_user_enrols_so_many_devices_a_day_and_no_more() {
    let http = HttpOffice::open().await;
    let sign_in = async |name: &str, device: Option<&str>| {
        let body = serde_json::json!({ "name": name, "password": PASSWORD, "device": device });
        http.post_json("/api/session", None, &body.to_string()).await
    };
    let first = sign_in("chen.jie", None).await.json();
    for _ in 1..20 {
        assert_eq!(sign_in("chen.jie", None).await.status.as_u16(), 200);
    }
    assert_eq!(sign_in("chen.jie", None).await.code(), (429, "too_many_devices".into()));
    // Making an id up is no way around it.
    let unknown = "ab".repeat(16);
    let made_up = sign_in("chen.jie", Some(&unknown)).await;
    assert_eq!(made_up.code(), (403, "device_unknown".into()));
    let known = sign_in("chen.jie", first["device"].as_str()).await;
    assert_eq!(known.status.as_u16(), 200, "an enrolled device is not a new one");
    assert_eq!(sign_in("wu.min", None).await.status.as_u16(), 200);
    http.office.advance(DAY + 1);
    assert_eq!(sign_in("chen.jie", None).await.status.as_u16(), 200);
}

#[tokio::test]
async fn uploads_of_all_devices_share_their_users_quota() {
    let http = HttpOffice::open().await;
    let devices = [http.token("chen.jie").await, http.token("chen.jie").await];
    let most = 2 * MAX_BLOB_BYTES / MAX_PIECE_BYTES;
    for n in 0..most {
        let token = &devices[usize::from(n % 2 == 0)];
        assert_eq!(begin_upload(&http, n, token).await.status.as_u16(), 202, "{n}");
    }
    for token in &devices {
        assert_eq!(begin_upload(&http, most, token).await.code(), (507, "too_much".into()));
    }
    let other = http.token("wu.min").await;
    assert_eq!(begin_upload(&http, most, &other).await.status.as_u16(), 202);
}

#[tokio::test]
async fn m4_refused_work_of_all_devices_shares_their_users_quota() {
    let http = HttpOffice::open().await;
    let id = http.visit("NB1", &["chen.jie", "wu.min"]).await;
    let devices = [http.token("chen.jie").await, http.token("chen.jie").await];
    // 64 MiB of noise in bodies that a round takes.
    let mut kept = 0;
    for n in 0..24 {
        let pushed = refused(&http, id, n, &devices[usize::from(n % 2 == 0)]).await;
        kept += u32::from(pushed != 0);
    }
    assert_eq!(kept, 19, "19 times 3.5 MB");
    let other = http.token("wu.min").await;
    assert_ne!(refused(&http, id, 0, &other).await, 0, "another user has a share of their own");
    http.office.assert_sound().await;
}

/// Sends the first piece of a blob that is never finished.
async fn begin_upload(http: &HttpOffice, n: u64, token: &str) -> Answer {
    let piece = vec![7; usize::try_from(MAX_PIECE_BYTES).unwrap()];
    let path = format!("/api/blobs/{}", hex(&Sha256::digest(n.to_be_bytes())));
    let range = format!("bytes 0-{}/{MAX_BLOB_BYTES}", piece.len() - 1);
    let request = ask("PUT", &path, Some(token)).header(header::CONTENT_RANGE, range);
    http.ask(request.body(Body::from(piece)).unwrap()).await
}

/// Pushes noise; gives its number in quarantine, 0 where it was not kept.
async fn refused(http: &HttpOffice, record: RecordId, n: u8, token: &str) -> u64 {
    let push = vec![Push { record, changes: vec![Packed::plain(&vec![n; 3_500_000])] }];
    let body = encode_request(&Request { push, ..Request::default() });
    let answer = http.post("/sync", Some(token), body).await;
    match decode_reply(&answer.body).unwrap().results[0] {
        Outcome::Refused { quarantine, .. } => quarantine,
        ref other => panic!("{other:?}"),
    }
}
