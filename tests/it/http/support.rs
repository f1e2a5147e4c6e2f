//! Support bundles that the office asks phones for.

use axum::body::Body;
use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::support::http_office::{Answer, HttpOffice, ask};

const FIRST: &str = "00000000-0000-4000-8000-000000000001";
const SECOND: &str = "00000000-0000-4000-8000-000000000002";

/// A desk and a phone that are signed in.
struct Desk {
    http: HttpOffice,
    desk: String,
    phone: String,
    device: String,
}

impl Desk {
    async fn open() -> Self {
        let http = HttpOffice::open().await;
        let (desk, phone) = (http.token("lin.yue").await, http.token("chen.jie").await);
        let me = http.get("/api/session", Some(&phone)).await.json();
        let device = me["device"].as_str().unwrap().to_owned();
        Self { http, desk, phone, device }
    }

    async fn send(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
        let request =
            ask(method, path, Some(token)).header(header::CONTENT_TYPE, "application/json");
        self.http.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn request(&self, device: &str, id: &str) -> StatusCode {
        let path = format!("/api/devices/{device}/support");
        self.send("POST", &path, &self.desk, &json!({ "id": id })).await.status
    }

    async fn answer(&self, id: &str, bundle: Value) -> StatusCode {
        let path = format!("/api/device/support/{id}");
        self.send("PUT", &path, &self.phone, &json!({ "bundle": bundle })).await.status
    }

    /// Id of the request that the phone has not answered.
    async fn pending(&self) -> Value {
        let pending = self.http.get("/api/device/support", Some(&self.phone)).await.json();
        pending["request"]["id"].clone()
    }

    /// State of the request and the bundle, as the console shows them.
    async fn shown(&self) -> (Value, Option<String>) {
        let devices = self.http.get("/api/devices", Some(&self.desk)).await.json();
        let line = devices.as_array().unwrap().iter().find(|line| line["id"] == *self.device);
        let path = format!("/api/devices/{}/support", self.device);
        let bundle = self.http.get(&path, Some(&self.desk)).await;
        let bundle = (bundle.status == 200)
            .then(|| bundle.json()["bundle"].as_str().unwrap_or_default().to_owned());
        (line.unwrap()["support"]["state"].clone(), bundle)
    }
}

#[tokio::test]
async fn a_bundle_is_requested_and_sent_once() {
    let desk = Desk::open().await;
    assert_eq!((desk.shown().await, desk.pending().await), ((Value::Null, None), Value::Null));
    assert_eq!(desk.request(&desk.device, FIRST).await, 204);
    assert_eq!(desk.pending().await, FIRST);
    assert_eq!(desk.shown().await, (json!("requested"), None));

    assert_eq!(desk.answer(FIRST, json!("{\n}")).await, 204);
    let sent = (json!("sent"), Some("{\n}".to_owned()));
    assert_eq!((desk.shown().await, desk.pending().await), (sent.clone(), Value::Null));
    // Repeated, reordered and late messages change nothing.
    assert_eq!(desk.answer(FIRST, json!("other")).await, 204);
    assert_eq!(desk.answer(FIRST, Value::Null).await, 204);
    assert_eq!(desk.request(&desk.device, FIRST).await, 204);
    assert_eq!(desk.answer(SECOND, json!("unasked")).await, 404);
    assert_eq!(desk.shown().await, sent);
}

#[tokio::test]
async fn a_user_declines_and_may_still_send() {
    let desk = Desk::open().await;
    assert_eq!(desk.request(&desk.device, FIRST).await, 204);
    assert_eq!(desk.answer(FIRST, Value::Null).await, 204);
    assert_eq!(
        (desk.shown().await, desk.pending().await),
        ((json!("declined"), None), Value::Null)
    );
    assert_eq!(desk.answer(FIRST, json!("one")).await, 204);
    // The first bundle stays while another one is awaited, and when it is declined.
    let one = Some("one".to_owned());
    assert_eq!(desk.request(&desk.device, SECOND).await, 204);
    assert_eq!(desk.shown().await, (json!("requested"), one.clone()));
    assert_eq!(desk.answer(SECOND, Value::Null).await, 204);
    assert_eq!(desk.shown().await, (json!("declined"), one));
}

#[tokio::test]
async fn only_collectors_devices_are_asked_and_bundles_are_bounded() {
    let desk = Desk::open().await;
    let me = desk.http.get("/api/session", Some(&desk.desk)).await.json();
    for wrong in [me["device"].as_str().unwrap(), &"0".repeat(32), "none"] {
        assert_eq!(desk.request(wrong, FIRST).await, 404, "{wrong}");
    }
    assert_eq!(desk.request(&desk.device, "none").await, 404);
    assert_eq!(desk.request(&desk.device, FIRST).await, 204);
    for wrong in
        [json!(""), json!("a\u{0}b"), json!("\u{1b}[2J"), json!(7), json!("x".repeat(65_537))]
    {
        assert_eq!(desk.answer(FIRST, wrong).await, 422);
    }
    assert_eq!(desk.answer(FIRST, json!("x".repeat(300_000))).await, 413);
    assert_eq!(desk.pending().await, FIRST);
    assert_eq!(desk.answer(FIRST, json!("\"\n".repeat(32_768))).await, 204);
    // Another collector's phone can't answer this request.
    let other = desk.http.token("wu.min").await;
    let path = format!("/api/device/support/{FIRST}");
    let lie = desk.send("PUT", &path, &other, &json!({ "bundle": "x" })).await;
    assert_eq!(lie.status, 404);
    // A revoked device is not asked.
    let device = desk.device.parse().unwrap();
    desk.http.accounts.revoke_device(device, "admin", "lost").await.unwrap();
    assert_eq!(desk.request(&desk.device, SECOND).await, 404);
}
