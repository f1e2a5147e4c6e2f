//! What phones say about themselves, and what the console shows of it.

use axum::body::Body;
use axum::http::header;
use doorstep::sync::message::{Request, encode_request};
use serde_json::{Value, json};

use crate::support::http_office::{Answer, HttpOffice, ask};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

async fn report(http: &HttpOffice, token: &str, body: &Value) -> Answer {
    let request = ask("PUT", "/api/device/report", Some(token))
        .header(header::CONTENT_TYPE, "application/json");
    http.ask(request.body(Body::from(body.to_string())).unwrap()).await
}

/// The only device of a collector, as the console shows it.
async fn shown(http: &HttpOffice) -> Value {
    let token = http.token_again("lin.yue").await;
    let devices = http.get("/api/devices", Some(&token)).await.json();
    let of_collector = |line: &&Value| line["user"] == "chen.jie";
    devices.as_array().unwrap().iter().find(of_collector).unwrap().clone()
}

#[tokio::test]
async fn a_device_is_shown_with_its_last_report_and_what_it_lacks() {
    let http = HttpOffice::open().await;
    let id = http.visit("NB1", &["chen.jie"]).await;
    let phone = http.token("chen.jie").await;
    assert_eq!(shown(&http).await["report"], Value::Null);

    let round = encode_request(&Request { max_bytes: 100_000, ..Request::default() });
    assert_eq!(http.post("/sync", Some(&phone), round).await.status, 200);
    let said = json!({
        "version": 1, "unsent": 3, "oldest_unsent_age_ms": 5 * MINUTE_MS, "persisted": false,
        "clock_skew_ms": -90_000, "failed": [{ "reason": "offline", "count": 2 }],
    });
    assert_eq!(report(&http, &phone, &said).await.status, 204);
    let line = shown(&http).await;
    let received = line["report"]["received_at"].as_i64().unwrap();
    assert_eq!(
        line["report"],
        json!({
            "received_at": received, "unsent": 3, "oldest_unsent_at": received - 5 * MINUTE_MS,
            "persisted": false, "clock_skew_ms": -90_000,
            "failed": [{ "reason": "offline", "count": 2 }],
        })
    );
    assert_eq!((&line["undelivered"], &line["out_of_touch"]), (&json!(0), &json!(false)));

    // A second report within a minute is dropped, a later one replaces the first.
    let empty = json!({ "version": 1, "unsent": 0 });
    assert_eq!(report(&http, &phone, &empty).await.status, 204);
    assert_eq!(shown(&http).await["report"]["unsent"], 3);
    http.office.advance(MINUTE_MS);
    assert_eq!(report(&http, &phone, &empty).await.status, 204);
    let line = shown(&http).await;
    assert_eq!(
        (&line["report"]["unsent"], &line["report"]["persisted"]),
        (&json!(0), &Value::Null)
    );

    // What changes afterwards is not delivered; after three days the device is out of touch.
    http.office.assign(id, &["chen.jie", "wu.min"]).await;
    http.office.advance(4 * DAY_MS);
    let line = shown(&http).await;
    assert_eq!((&line["undelivered"], &line["out_of_touch"]), (&json!(1), &json!(true)));
}

#[tokio::test]
async fn a_report_that_lies_or_is_malformed_is_bounded_or_refused() {
    let http = HttpOffice::open().await;
    let phone = http.token("chen.jie").await;
    let failed = |reason: &str| json!([{ "reason": reason, "count": 1 }]);
    for wrong in [
        json!({ "version": 2, "unsent": 0 }),
        json!({ "version": 1 }),
        json!({ "version": 1, "unsent": "many" }),
        json!({ "version": 1, "unsent": 0, "lat": 29.9 }),
        json!({ "version": 1, "unsent": 0, "failed": failed("<script>") }),
        json!({ "version": 1, "unsent": 0, "failed": [
            { "reason": "offline", "count": 1 }, { "reason": "offline", "count": 1 },
        ] }),
        json!({ "version": 1, "unsent": 0, "failed": [{ "reason": "offline", "count": -1 }] }),
    ] {
        assert_eq!(report(&http, &phone, &wrong).await.status, 422, "{wrong}");
    }
    assert_eq!(shown(&http).await["report"], Value::Null);
    let lies = json!({
        "version": 1, "unsent": i64::MAX, "oldest_unsent_age_ms": i64::MIN,
        "clock_skew_ms": i64::MAX,
    });
    assert_eq!(report(&http, &phone, &lies).await.status, 204);
    let line = shown(&http).await;
    assert_eq!(line["report"]["unsent"], 1_000_000);
    assert_eq!(line["report"]["oldest_unsent_at"], line["report"]["received_at"]);
    let supervisor = http.token_again("lin.yue").await;
    assert_eq!(report(&http, &supervisor, &lies).await.status, 403);
}
