//! Watched visits: a phone reports, the office decides by its own clock, supervisors take care.

use axum::body::Body;
use axum::http::header;
use serde_json::{Value, json};

use crate::support::http_office::{Answer, HttpOffice, ask};

const WATCH: &str = "01990000-0000-7000-8000-00000000000a";
const RECORD: &str = "01990000-0000-7000-8000-000000000001";
const MINUTE_MS: i64 = 60_000;

async fn report(http: &HttpOffice, token: &str, body: Value) -> Answer {
    report_on(http, token, WATCH, body).await
}

async fn report_on(http: &HttpOffice, token: &str, watch: &str, body: Value) -> Answer {
    let request = ask("PUT", &format!("/api/safety/{watch}"), Some(token))
        .header(header::CONTENT_TYPE, "application/json");
    http.ask(request.body(Body::from(body.to_string())).unwrap()).await
}

/// States of the watches that supervisors are shown.
async fn shown(http: &HttpOffice, token: &str) -> Vec<String> {
    let answer = http.get("/api/safety", Some(token)).await;
    assert_eq!(answer.status, 200);
    let lines = answer.json();
    let state = |line: &Value| line["state"].as_str().unwrap().to_owned();
    lines.as_array().unwrap().iter().map(state).collect()
}

#[tokio::test]
async fn a_visit_without_a_check_out_is_overdue_though_the_phone_is_silent() {
    let http = HttpOffice::open().await;
    let (phone, desk) = (http.token("chen.jie").await, http.token("lin.yue").await);
    let running = json!({ "record": RECORD, "revision": 1, "due_in_ms": 30 * MINUTE_MS });
    assert_eq!(report(&http, &phone, running).await.json()["state"], "running");
    assert_eq!(shown(&http, &desk).await, ["running"]);
    http.office.advance(34 * MINUTE_MS);
    assert_eq!(shown(&http, &desk).await, ["running"], "the phone reminds its user first");
    http.office.advance(2 * MINUTE_MS);
    assert_eq!(shown(&http, &desk).await, ["overdue"]);
    let longer = json!({ "record": RECORD, "revision": 2, "due_in_ms": 30 * MINUTE_MS });
    assert_eq!(report(&http, &phone, longer).await.json()["state"], "running");
    let ended = json!({ "record": RECORD, "revision": 3, "due_in_ms": 0, "ended": true });
    assert_eq!(report(&http, &phone, ended).await.json()["state"], "ended");
    assert!(shown(&http, &desk).await.is_empty());
}

#[tokio::test]
async fn an_alarm_stays_until_somebody_has_seen_it_and_no_late_report_hides_it() {
    let http = HttpOffice::open().await;
    let (phone, desk) = (http.token("chen.jie").await, http.token("lin.yue").await);
    let alarm = json!({
        "record": RECORD, "revision": 2, "due_in_ms": MINUTE_MS, "alarm_age_ms": 5_000,
        "lat": 29.87, "lon": 121.54,
    });
    let answer = report(&http, &phone, alarm.clone()).await.json();
    assert_eq!((&answer["state"], &answer["lat"]), (&json!("alarm"), &json!(29.87)));
    // An earlier report that was under way, and the same one again.
    let earlier = json!({ "record": RECORD, "revision": 1, "due_in_ms": MINUTE_MS });
    assert_eq!(report(&http, &phone, earlier).await.json()["state"], "alarm");
    assert_eq!(report(&http, &phone, alarm).await.json()["state"], "alarm");
    let ended = json!({ "record": RECORD, "revision": 3, "due_in_ms": 0, "ended": true });
    assert_eq!(report(&http, &phone, ended).await.json()["state"], "alarm");

    let seen = format!("/api/safety/{WATCH}/seen");
    assert_eq!(http.post(&seen, Some(&phone), Vec::new()).await.status, 403);
    assert_eq!(http.post(&seen, Some(&desk), Vec::new()).await.json()["seen_by"], "lin.yue");
    let admin = http.token("admin").await;
    let again = http.post(&seen, Some(&admin), Vec::new()).await.json();
    assert_eq!(again["seen_by"], "lin.yue", "the first one stays");
    assert!(shown(&http, &desk).await.is_empty(), "seen, and the collector is out");
}

#[tokio::test]
async fn a_watch_belongs_to_its_user_and_what_a_phone_says_is_bounded() {
    let http = HttpOffice::open().await;
    let (phone, other) = (http.token("chen.jie").await, http.token("wu.min").await);
    let forever = json!({ "record": RECORD, "revision": 1, "due_in_ms": i64::MAX });
    let answer = report(&http, &phone, forever).await.json();
    assert_eq!(
        answer["due_at"].as_i64().unwrap() - answer["received_at"].as_i64().unwrap(),
        24 * 60 * MINUTE_MS
    );
    let foreign = json!({ "record": RECORD, "revision": 9, "due_in_ms": 0, "ended": true });
    assert_eq!(report(&http, &other, foreign).await.code(), (404, "not_found".into()));
    for (name, body) in [
        ("no record", json!({ "record": "x", "revision": 2, "due_in_ms": 0 })),
        ("no number", json!({ "record": RECORD, "revision": "2", "due_in_ms": 0 })),
    ] {
        assert_eq!(report(&http, &phone, body).await.status, 422, "{name}");
    }
    let off_earth = json!({ "record": RECORD, "revision": 2, "due_in_ms": 0, "alarm_age_ms": 0, "lat": 400.0, "lon": 0.0 });
    assert_eq!(report(&http, &phone, off_earth).await.json()["lat"], Value::Null);
}

#[tokio::test]
async fn an_unseen_alarm_outlives_later_watches_and_is_listed_first() {
    let http = HttpOffice::open().await;
    let (phone, desk) = (http.token("chen.jie").await, http.token("lin.yue").await);
    let alarm =
        json!({ "record": RECORD, "revision": 1, "due_in_ms": 60 * MINUTE_MS, "alarm_age_ms": 0 });
    assert_eq!(report(&http, &phone, alarm).await.json()["state"], "alarm");
    for n in 0..20 {
        http.office.advance(MINUTE_MS);
        let watch = format!("01990000-0000-7000-8000-0000000001{n:02x}");
        let overdue = json!({ "record": RECORD, "revision": 1, "due_in_ms": -60 * MINUTE_MS });
        assert_eq!(report_on(&http, &phone, &watch, overdue).await.status, 200);
    }
    let shown = shown(&http, &desk).await;
    assert_eq!(shown.len(), 8, "open watches per user are bounded");
    assert_eq!(shown[0], "alarm");
}

#[tokio::test]
async fn positions_of_alarms_are_deleted_after_a_month_and_watches_after_half_a_year() {
    const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
    let http = HttpOffice::open().await;
    let phone = http.token("chen.jie").await;
    let alarm = json!({
        "record": RECORD, "revision": 1, "due_in_ms": 0, "alarm_age_ms": 0,
        "lat": 29.87, "lon": 121.54,
    });
    report(&http, &phone, alarm).await;
    // Signed in again each time: sessions of supervisors end sooner.
    let watches = async || {
        let desk = http.token_again("lin.yue").await;
        http.office.expire_safety_watches().await.unwrap();
        http.get("/api/safety", Some(&desk)).await.json()
    };
    http.office.advance(30 * DAY_MS);
    assert_eq!(watches().await[0]["lat"], 29.87);
    http.office.advance(1);
    let kept = watches().await;
    assert_eq!((&kept[0]["state"], &kept[0]["lat"]), (&json!("alarm"), &Value::Null));
    http.office.advance(150 * DAY_MS);
    assert_eq!(watches().await, json!([]));
}
