//! What the console reads and writes.

use std::time::Duration;

use axum::body::Body;
use doorstep::record::Record;
use http_body_util::BodyExt;
use serde_json::json;

use crate::support::http_office::{CASES_ZH, HttpOffice, NOW, ask};

#[tokio::test]
async fn lists_are_filtered_and_come_in_pages() {
    let http = HttpOffice::open().await;
    for n in 0..5 {
        http.visit(&format!("NB{n}"), if n < 3 { &["chen.jie"] } else { &[] }).await;
    }
    let token = http.token("gu.an").await;
    let list = async |query: &str| {
        let page = http.get(&format!("/api/visits?{query}"), Some(&token)).await.json();
        let rows = page["rows"].as_array().unwrap();
        let names: Vec<String> =
            rows.iter().map(|row| row["case_no"].as_str().unwrap().to_owned()).collect();
        (names, page["next"].clone(), page["total"].as_u64().unwrap())
    };
    let (names, next, total) = list("sort=case_no&limit=2").await;
    assert_eq!((names, total), (vec!["NB0".to_owned(), "NB1".to_owned()], 5));
    let (names, ..) = list(&format!("sort=case_no&limit=2&after={}", next.as_str().unwrap())).await;
    assert_eq!(names, ["NB2", "NB3"]);
    assert_eq!(list("sort=case_no&dir=desc&limit=1").await.0, ["NB4"]);
    assert_eq!(list("collector=chen.jie").await.2, 3);
    assert_eq!(list("unassigned=1&stage=assigned,contacted").await.2, 2);
    assert_eq!(list("q=NB3").await.0, ["NB3"]);
    let (_, next, total) = list("since=2027-01-01").await;
    assert_eq!((next, total), (serde_json::Value::Null, 0));
    for wrong in ["stage=nowhere", "limit=0", "limit=9999", "after=x", "conflicts=maybe"] {
        let answer = http.get(&format!("/api/visits?{wrong}"), Some(&token)).await;
        assert_eq!(answer.code(), (422, "invalid_value".into()), "{wrong}");
        assert_eq!(answer.json()["path"], wrong.split('=').next().unwrap());
    }
}

#[tokio::test]
async fn a_record_is_read_edited_and_read_again() {
    let http = HttpOffice::open().await;
    let id = http.visit("NB1", &["chen.jie"]).await;
    let supervisor = http.token("lin.yue").await;
    let path = format!("/api/visits/{id}");
    let view = http.get(&path, Some(&supervisor)).await.json();
    assert_eq!(view["case"]["overdue"], 1_578_307);

    let command = json!({ "do": "update_case", "overdue": 1_000_000 }).to_string();
    let commands = format!("{path}/commands");
    let view = http.post_json(&commands, Some(&supervisor), &command).await.json();
    assert_eq!(view["case"]["overdue"], 1_000_000);

    let document = http.get(&format!("{path}.automerge"), Some(&supervisor)).await;
    assert_eq!(document.header("content-type"), "application/octet-stream");
    let record = Record::load(&document.body).unwrap();
    assert_eq!(serde_json::to_value(record.view()).unwrap(), view);

    let history = http.get(&format!("{path}/history"), Some(&supervisor)).await.json();
    let last = history["entries"].as_array().unwrap().last().unwrap();
    assert_eq!(last["path"], "case.overdue");
    assert_eq!(last["from"], json!({ "type": "number", "value": 1_578_307 }));
    assert_eq!((&last["by"], &last["received_at"]), (&json!("lin.yue"), &json!(NOW)));
    http.office.assert_sound().await;
}

#[tokio::test]
async fn commands_that_do_not_hold_say_why() {
    let http = HttpOffice::open().await;
    let id = http.visit("NB1", &["chen.jie"]).await;
    let supervisor = http.token("lin.yue").await;
    let commands = format!("/api/visits/{id}/commands");
    let refused = async |command: serde_json::Value| {
        let answer = http.post_json(&commands, Some(&supervisor), &command.to_string()).await;
        let path = answer.json()["path"].as_str().unwrap_or_default().to_owned();
        let (status, code) = answer.code();
        format!("{status} {code} {path}")
    };
    assert_eq!(
        refused(json!({ "do": "update_case", "overdue": -1 })).await,
        "422 invalid_value case.overdue"
    );
    assert_eq!(refused(json!({ "do": "depart", "at": NOW })).await, "403 not_allowed visit.zone");
    assert_eq!(
        refused(json!({ "do": "assign", "collectors": ["gu.an"] })).await,
        "422 not_a_collector assignment.collectors"
    );
    assert_eq!(
        refused(json!({ "do": "review", "status": "accepted", "remark": "", "at": NOW })).await,
        "422 invalid_value review.status"
    );
    assert_eq!(refused(json!({ "do": "nothing" })).await, "422 malformed ");
    let nowhere = "/api/visits/01a20aaf-78e0-7801-9dc4-6124dccd5cf9/commands";
    let command = json!({ "do": "update_case", "overdue": 1 }).to_string();
    let answer = http.post_json(nowhere, Some(&supervisor), &command).await;
    assert_eq!(answer.code(), (404, "unknown_record".into()));
    assert_eq!(
        http.get("/api/visits/not-an-id", Some(&supervisor)).await.code(),
        (404, "unknown_record".into())
    );
}

#[tokio::test]
async fn an_import_is_tried_before_it_is_done() {
    let http = HttpOffice::open().await;
    let token = http.token("lin.yue").await;
    let counts = |report: &serde_json::Value| {
        ["created", "updated", "unchanged", "refused"].map(|key| report[key].as_u64().unwrap())
    };
    let tried =
        http.post("/api/cases/import?dry_run=1", Some(&token), CASES_ZH.to_vec()).await.json();
    assert_eq!(counts(&tried), [60, 0, 0, 8]);
    assert_eq!(tried["rows"].as_array().unwrap().len(), 68);
    assert_eq!(http.get("/api/visits", Some(&token)).await.json()["total"], 0);
    let done = http.post("/api/cases/import", Some(&token), CASES_ZH.to_vec()).await.json();
    assert_eq!(counts(&done), [60, 0, 0, 8]);
    assert_eq!(done["rows"].as_array().unwrap().len(), 8);
    let again = http.post("/api/cases/import", Some(&token), CASES_ZH.to_vec()).await.json();
    assert_eq!(counts(&again), [0, 0, 60, 8]);
    let picture = http.post("/api/cases/import", Some(&token), b"\x89PNG\r\n\0\0".to_vec()).await;
    assert_eq!(picture.code(), (422, "no_sheet".into()));
    let path = "/api/cases/import?assign_to=gu.an";
    let answer = http.post(path, Some(&token), CASES_ZH.to_vec()).await;
    assert_eq!(answer.code(), (422, "not_a_collector".into()));
}

#[tokio::test]
async fn exports_honour_filters() {
    let http = HttpOffice::open().await;
    http.visit("NB1", &["chen.jie"]).await;
    http.visit("NB2", &[]).await;
    let token = http.token("gu.an").await;
    let csv = http.get("/api/export?format=csv&unassigned=1", Some(&token)).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"visits.csv\"");
    assert!(csv.text().starts_with('\u{feff}'));
    assert!(csv.text().contains("NB2") && !csv.text().contains("NB1"));
    let zip = http.get("/api/export?format=automerge", Some(&token)).await;
    let zip = zip::ZipArchive::new(std::io::Cursor::new(zip.body)).unwrap();
    assert_eq!(zip.len(), 2);
    let answer = http.get("/api/export?format=pdf", Some(&token)).await;
    assert_eq!(answer.code(), (422, "invalid_value".into()));
}

#[tokio::test]
async fn events_tell_a_collector_of_the_own_feed_only() {
    let http = HttpOffice::open().await;
    let token = http.token("chen.jie").await;
    let request = ask("GET", "/api/events", Some(&token)).body(Body::empty()).unwrap();
    let mut events = http.begin(request).await.into_body();
    // The stream listens from its first heartbeat on.
    let frame = tokio::time::timeout(Duration::from_secs(5), events.frame()).await;
    let data = frame.unwrap().unwrap().unwrap().into_data().unwrap();
    assert_eq!(&data[..], b"event: alive\ndata: {\"seq\":0}\n\n");
    http.visit("NB1", &["wu.min"]).await;
    http.visit("NB2", &["chen.jie"]).await;
    let frame = tokio::time::timeout(Duration::from_secs(5), events.frame()).await;
    let data = frame.unwrap().unwrap().unwrap().into_data().unwrap();
    assert_eq!(&data[..], b"event: moved\ndata: {\"seq\":1}\n\n");
    http.closing.send_replace(true);
    let end = tokio::time::timeout(Duration::from_secs(5), events.frame()).await.unwrap();
    assert!(end.is_none(), "the stream ends with the office");
}

#[tokio::test]
async fn users_are_listed_by_role() {
    let http = HttpOffice::open().await;
    let token = http.token("lin.yue").await;
    let users = http.get("/api/users?role=auditor", Some(&token)).await;
    insta::assert_snapshot!(
        users.told(),
        @r#"200 [{"name":"gu.an","display_name":"gu.an","role":"auditor","disabled":false,"linked":false}]"#
    );
    assert_eq!(http.get("/api/users?role=boss", Some(&token)).await.status, 422);
}
