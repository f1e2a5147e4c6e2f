//! Decided work leaves the quarantine by an administrator's export, which is recorded (rule M4).

use doorstep::ids::RecordId;
use doorstep::sync::message::{
    Outcome, Packed, Push, QuarantineDecision, RefusalCode, Request, decode_reply, encode_request,
};
use serde_json::Value;

use crate::support::http_office::HttpOffice;

/// A collector's token, and three pieces of refused work: dismissed, dismissed, undecided.
async fn three(http: &HttpOffice) -> (String, RecordId) {
    let id = http.visit("NB1", &["chen.jie"]).await;
    let token = http.token("chen.jie").await;
    for (n, number) in [(b'a', 1), (b'b', 2), (b'c', 3)] {
        assert_eq!(push(http, id, n, &token).await, Some(number));
    }
    for number in [1, 2] {
        http.office.dismiss_quarantined(number, "noise", "lin.yue").await.unwrap();
    }
    (token, id)
}

/// Pushes noise; gives its number in quarantine where it was kept.
async fn push(http: &HttpOffice, record: RecordId, noise: u8, token: &str) -> Option<u64> {
    let push = vec![Push { record, changes: vec![Packed::plain(&[noise; 1000])] }];
    let body = encode_request(&Request { push, ..Request::default() });
    let answer = http.post("/sync", Some(token), body).await;
    match decode_reply(&answer.body).unwrap().results[0] {
        Outcome::Refused { code: RefusalCode::QuarantineFull, .. } => None,
        Outcome::Refused { quarantine, .. } => Some(quarantine),
        ref other => panic!("{other:?}"),
    }
}

/// The lines of an export.
async fn export(http: &HttpOffice, admin: &str) -> Vec<Value> {
    let answer = http.get("/api/quarantine/export", Some(admin)).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn usage(http: &HttpOffice) -> Value {
    let auditor = http.token("gu.an").await;
    http.get("/api/quarantine/usage", Some(&auditor)).await.json()
}

#[tokio::test]
async fn m4_decided_work_is_exported_then_deleted_and_that_is_recorded() {
    let http = HttpOffice::open().await;
    let (token, _) = three(&http).await;
    let [admin, supervisor] = [http.token("admin").await, http.token("lin.yue").await];
    let before = usage(&http).await;
    assert_eq!((&before["open"]["pieces"], &before["decided"]["pieces"]), (&1.into(), &2.into()));

    let lines = export(&http, &admin).await;
    let numbers: Vec<_> = lines.iter().filter_map(|line| line["id"].as_u64()).collect();
    assert_eq!(numbers, [1, 2], "undecided work stays");
    assert_eq!(lines[1]["decisions"][0]["reason"], "noise");
    assert_eq!(lines[1]["changes"][0], "61".repeat(1000));
    let end = lines.last().unwrap().to_string();
    let delete = "/api/quarantine/export/delete";
    assert_eq!(http.post_json(delete, Some(&supervisor), &end).await.code().0, 403);

    // A wrong hash deletes nothing, and neither does the same hash twice.
    let hash = lines.last().unwrap()["sha256"].as_str().unwrap();
    let wrong = end.replace(hash, &"0".repeat(64));
    let changed = (409, "export_changed".to_owned());
    assert_eq!(http.post_json(delete, Some(&admin), &wrong).await.code(), changed);
    assert_eq!(usage(&http).await["decided"]["pieces"], 2);
    let deleted = http.post_json(delete, Some(&admin), &end).await.json();
    assert_eq!((&deleted["by"], &deleted["pieces"]), (&"admin".into(), &2.into()));
    assert_eq!(http.post_json(delete, Some(&admin), &end).await.code(), changed);

    let after = usage(&http).await;
    assert_eq!((&after["open"]["pieces"], &after["decided"]["bytes"]), (&1.into(), &0.into()));
    assert_eq!(after["exports"][0]["sha256"], hash);
    http.office.assert_sound().await;
    // What was decided stays, for the console and for the phone.
    let item = http.get("/api/quarantine/1", Some(&supervisor)).await.json();
    assert_eq!((&item["exported"], &item["state"]), (&1.into(), &"dismissed".into()));
    let accept = http.post_json("/api/quarantine/1/accept", Some(&supervisor), "{}").await;
    assert_eq!(accept.code(), (409, "exported".into()));
    let request = Request { undecided: Some(vec![1, 3]), ..Request::default() };
    let answer = http.post("/sync", Some(&token), encode_request(&request)).await;
    let decided = QuarantineDecision { quarantine: 1, accepted: false, reason: "noise".into() };
    assert_eq!(decode_reply(&answer.body).unwrap().decisions, Some(vec![decided]));
}

#[tokio::test]
async fn a_decision_between_export_and_deletion_deletes_nothing() {
    let http = HttpOffice::open().await;
    let (token, id) = three(&http).await;
    let admin = http.token("admin").await;
    let lines = export(&http, &admin).await;
    let end = lines.last().unwrap().to_string();
    http.office.dismiss_quarantined(3, "noise too", "lin.yue").await.unwrap();
    let delete = "/api/quarantine/export/delete";
    let answer = http.post_json(delete, Some(&admin), &end).await;
    assert_eq!(answer.code(), (409, "export_changed".into()));
    assert_eq!(usage(&http).await["decided"]["pieces"], 3);
    // The same work again is the same piece, exported or not.
    let end = export(&http, &admin).await.pop().unwrap().to_string();
    assert_eq!(http.post_json(delete, Some(&admin), &end).await.status.as_u16(), 200);
    assert_eq!(push(&http, id, b'a', &token).await, Some(1));
    assert_eq!(usage(&http).await["decided"]["pieces"], 0);
    http.office.assert_sound().await;
}

#[tokio::test]
async fn an_export_brings_its_pieces_back() {
    let http = HttpOffice::open().await;
    three(&http).await;
    let admin = http.token("admin").await;
    let file = http.get("/api/quarantine/export", Some(&admin)).await.body;
    let end = String::from_utf8(file.clone()).unwrap().lines().last().unwrap().to_owned();
    http.post_json("/api/quarantine/export/delete", Some(&admin), &end).await;
    // Bytes that are not what the office had are not taken.
    let other = String::from_utf8(file.clone()).unwrap().replacen("6161", "6162", 1);
    let restored = http.office.restore_quarantine(std::io::Cursor::new(other)).await.unwrap();
    assert_eq!((restored.restored, restored.unknown), (1, 1));
    let restored = http.office.restore_quarantine(std::io::Cursor::new(file)).await.unwrap();
    assert_eq!((restored.restored, restored.unchanged, restored.unknown), (1, 1, 0));
    assert_eq!(usage(&http).await["decided"]["pieces"], 2);
    http.office.assert_sound().await;
    let nonsense = std::io::Cursor::new(b"case_no,borrower_name\n");
    assert!(http.office.restore_quarantine(nonsense).await.is_err());
}

/// Sizes are set by hand: a full quarantine has a gigabyte.
#[tokio::test]
async fn the_whole_quarantine_has_a_bound_and_people_are_told_before_it_is_reached() {
    let http = HttpOffice::open().await;
    let (token, id) = three(&http).await;
    assert_eq!(usage(&http).await["fullness"], "fine");
    let set = |sql: &str| {
        rusqlite::Connection::open(http.office.database()).unwrap().execute(sql, ()).unwrap();
    };
    set("UPDATE quarantine SET size = 900000000 WHERE id = 1");
    assert_eq!(usage(&http).await["fullness"], "near");
    assert_eq!(push(&http, id, b'd', &token).await, Some(4));
    set("UPDATE quarantine SET size = 1073741000 WHERE id = 1");
    assert_eq!(usage(&http).await["fullness"], "full");
    assert_eq!(push(&http, id, b'e', &token).await, None, "the phone keeps it");
    assert_eq!(push(&http, id, b'd', &token).await, Some(4), "what is kept is kept");
    // A user's own share.
    set("UPDATE quarantine SET size = 1000 WHERE id = 1");
    set("UPDATE quarantine SET size = 60000000 WHERE id = 3");
    let told = usage(&http).await;
    assert_eq!(
        (&told["fullness"], &told["users"][0]["user"]),
        (&"fine".into(), &"chen.jie".into())
    );
    let figures = http.get("/metrics", None).await;
    assert_eq!(figures.status.as_u16(), 200);
}
