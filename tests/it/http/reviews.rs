//! Audits of a random share of the sealed records.

use doorstep::ids::RecordId;
use doorstep::office::NewVisit;
use doorstep::record::command::{CasePatch, Command};
use doorstep::record::terms::Role;
use serde_json::{Value, json};

use crate::support::http_office::{Answer, HttpOffice};
use crate::support::office::to;

async fn seal(http: &HttpOffice, record: RecordId, at: i64) {
    for command in
        [json!({ "do": "edit_talk", "disposition": "rtp" }), json!({ "do": "seal", "at": at })]
    {
        let command: Command = serde_json::from_value(command).unwrap();
        let office = http.behind_router();
        office.command(record, command, "chen.jie", Role::Collector).await.unwrap();
    }
}

async fn review(http: &HttpOffice, record: RecordId, status: &str, user: &str) {
    let command = json!({ "do": "review", "status": status, "remark": "why", "at": 9 });
    let command: Command = serde_json::from_value(command).unwrap();
    http.behind_router().command(record, command, user, Role::Supervisor).await.unwrap();
}

async fn to_audit(http: &HttpOffice, token: &str) -> u64 {
    let sizes = http.get("/api/queues", Some(token)).await.json();
    let line = sizes["queues"].as_array().unwrap().iter().find(|it| it["queue"] == "to_audit");
    let count = line.unwrap()["count"].as_u64().unwrap();
    let page = http.get("/api/visits?queue=to_audit", Some(token)).await.json();
    assert_eq!(page["total"], count);
    count
}

async fn put(http: &HttpOffice, record: RecordId, token: &str, body: Value) -> Answer {
    let path = format!("/api/visits/{record}/audit");
    http.post_json(&path, Some(token), &body.to_string()).await
}

async fn audit_of(http: &HttpOffice, record: RecordId, token: &str) -> Value {
    let path = format!("/api/visits/{record}/review");
    http.get(&path, Some(token)).await.json()["audit"].clone()
}

#[tokio::test]
async fn a_drawn_record_is_audited_with_each_seal_by_a_person_who_had_no_part_in_it() {
    let http = HttpOffice::open().await.with_audit_share(100);
    let record = http.visit("NB1", &["chen.jie"]).await;
    let (gu, lin) = (http.token("gu.an").await, http.token("lin.yue").await);
    assert_eq!(audit_of(&http, record, &gu).await, json!(null));
    let passed =
        |sealed_at: i64| json!({ "sealed_at": sealed_at, "outcome": "passed", "note": "" });
    assert_eq!(put(&http, record, &gu, passed(5)).await.code(), (409, "record_moved".into()));
    seal(&http, record, 5).await;
    assert_eq!(to_audit(&http, &gu).await, 1);
    review(&http, record, "accepted", "lin.yue").await;
    assert_eq!(to_audit(&http, &gu).await, 1, "accepted records are audited as well");

    assert_eq!(put(&http, record, &lin, passed(5)).await.code(), (409, "own_audit".into()));
    let failed = json!({ "sealed_at": 5, "outcome": "failed", "note": " " });
    assert_eq!(put(&http, record, &gu, failed).await.code(), (422, "reason_needed".into()));
    let failed = json!({ "sealed_at": 5, "outcome": "failed", "note": "no recording" });
    let done = put(&http, record, &gu, failed).await;
    assert_eq!(done.json()["note"], "no recording", "{}", done.told());
    assert_eq!(audit_of(&http, record, &gu).await, done.json());
    assert_eq!(to_audit(&http, &gu).await, 0);
    // The auditor corrects the outcome; another person does not.
    let admin = http.token("admin").await;
    assert_eq!(put(&http, record, &admin, passed(5)).await.code(), (409, "audit_decided".into()));
    assert_eq!(put(&http, record, &gu, passed(5)).await.status, 200);
    let log = http.get("/api/audit", Some(&admin)).await.json();
    let details: Vec<_> = (log["rows"].as_array().unwrap().iter())
        .filter(|row| row["subject"] == record.to_string())
        .map(|row| row["detail"].clone())
        .collect();
    assert_eq!(details, ["audit passed", "audit failed"]);

    // Another seal is audited anew, whatever the first audit said.
    review(&http, record, "returned", "lin.yue").await;
    assert_eq!(to_audit(&http, &gu).await, 0);
    seal(&http, record, 20).await;
    assert_eq!(to_audit(&http, &gu).await, 1);
    assert_eq!(put(&http, record, &gu, passed(5)).await.code(), (409, "record_moved".into()));
    assert_eq!(put(&http, record, &gu, passed(20)).await.status, 200);
    http.office.assert_sound().await;
}

#[tokio::test]
async fn the_share_is_drawn_by_the_record_alone() {
    let http = HttpOffice::open().await.with_audit_share(25);
    let gu = http.token("gu.an").await;
    let mut drawn = 0;
    for n in 0..80 {
        let (case_no, case) = (format!("NB{n}"), CasePatch::default());
        let visit = NewVisit { case_no, case, assignment: to(&["chen.jie"]) };
        let record = http.office.create(visit).await;
        seal(&http, record, 5).await;
        let first = audit_of(&http, record, &gu).await;
        drawn += u64::from(!first.is_null());
        if n < 8 {
            // Returning and sealing again does not repeat the draw.
            review(&http, record, "returned", "lin.yue").await;
            seal(&http, record, 20).await;
            assert_eq!(audit_of(&http, record, &gu).await.is_null(), first.is_null());
        }
    }
    assert!((8..=32).contains(&drawn), "{drawn} of 80");
    assert_eq!(to_audit(&http, &gu).await, drawn);

    let none = HttpOffice::open().await;
    let record = none.visit("NB1", &["chen.jie"]).await;
    seal(&none, record, 5).await;
    assert_eq!(to_audit(&none, &none.token("gu.an").await).await, 0);
}
