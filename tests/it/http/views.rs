//! Saved views of the list.

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::http_office::{Answer, HttpOffice, ask};

const OWN: &str = "01a20aaf-78e0-7801-9dc4-000000000001";
const SHARED: &str = "01a20aaf-78e0-7801-9dc4-000000000002";

async fn save(http: &HttpOffice, token: &str, id: &str, view: Value) -> Answer {
    let request = ask("PUT", &format!("/api/views/{id}"), Some(token))
        .header("content-type", "application/json");
    http.ask(request.body(Body::from(view.to_string())).unwrap()).await
}

async fn delete(http: &HttpOffice, token: &str, id: &str) -> u16 {
    let request = ask("DELETE", &format!("/api/views/{id}"), Some(token));
    http.ask(request.body(Body::empty()).unwrap()).await.status.as_u16()
}

async fn names(http: &HttpOffice, token: &str) -> Vec<String> {
    let views = http.get("/api/views", Some(token)).await.json();
    views.as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn views_are_own_or_shared_and_changed_by_their_owner() {
    let http = HttpOffice::open().await;
    let lin = http.token("lin.yue").await;
    let gu = http.token("gu.an").await;
    let view = |name: &str, shared: bool| json!({ "name": name, "search": "queue=overdue&collector=wu.min", "shared": shared });
    let saved = save(&http, &lin, OWN, view(" mine ", false)).await.json();
    assert_eq!((&saved["name"], &saved["owner"]), (&json!("mine"), &json!("lin.yue")));
    save(&http, &lin, SHARED, view("all", true)).await;
    // A lost reply: the same again is one view.
    save(&http, &lin, SHARED, view("all", true)).await;
    assert_eq!(names(&http, &lin).await, ["all", "mine"]);
    assert_eq!(names(&http, &gu).await, ["all"]);

    for id in [OWN, SHARED] {
        assert_eq!(save(&http, &gu, id, view("taken", true)).await.status, 404);
        assert_eq!(delete(&http, &gu, id).await, 404);
    }
    for wrong in [view("", true), view(&"x".repeat(61), true)] {
        assert_eq!(save(&http, &lin, OWN, wrong).await.code(), (422, "invalid_value".into()));
    }
    // An administrator tidies up what is shared, and nothing else.
    let admin = http.token("admin").await;
    assert_eq!(delete(&http, &admin, OWN).await, 404);
    assert_eq!(delete(&http, &admin, SHARED).await, 204);
    assert_eq!(delete(&http, &lin, OWN).await, 204);
    assert_eq!(names(&http, &lin).await, [""; 0]);

    for n in 0..100 {
        let id = format!("01a20aaf-78e0-7801-9dc4-0000000001{n:02}");
        assert_eq!(save(&http, &gu, &id, view("x", false)).await.status, 200);
    }
    let more = save(&http, &gu, OWN, view("x", false)).await;
    assert_eq!(more.code(), (409, "too_many_views".into()));
}
