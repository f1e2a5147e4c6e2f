//! Notices by Web Push, with a push service that decrypts what it is sent.

mod push_service;

use axum::body::Body;
use axum::http::header;
use doorstep::office::Office;
use doorstep::office::web_push::{GATHER_MS, PushServices};
use doorstep::record::command::{AppointmentProposal, Command};
use doorstep::record::terms::{ProposedBy, Role};
use serde_json::{Value, json};

use crate::support::http_office::{Answer, HttpOffice, NOW, ask};
use push_service::PushService;

const MINUTE_MS: i64 = 60_000;

struct Scene {
    http: HttpOffice,
    office: Office,
    service: PushService,
    /// chen.jie's phone.
    token: String,
}

impl Scene {
    async fn open() -> Self {
        let mut http = HttpOffice::open().await;
        let service = PushService::start().await;
        let own = [service.origin.parse().unwrap()];
        let contact = Some("https://office.example".to_owned());
        let office = http.with_push_services(PushServices::new(&own, contact));
        let token = http.token("chen.jie").await;
        Self { http, office, service, token }
    }

    /// Subscribes chen.jie's phone for all hours.
    async fn subscribed() -> Self {
        let scene = Self::open().await;
        assert_eq!(scene.put(json!({})).await.status, 204);
        scene
    }

    /// Subscribes with some fields changed.
    async fn put(&self, changed: Value) -> Answer {
        let mut body = json!({
            "endpoint": format!("{}/chen", self.service.origin),
            "p256dh": self.service.public_key(), "auth": self.service.auth(),
            "zone": "Asia/Shanghai", "from_minute": 0, "until_minute": 0,
        });
        body.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        let request = ask("PUT", "/api/web-push", Some(&self.token))
            .header(header::CONTENT_TYPE, "application/json");
        self.http.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn state(&self) -> Value {
        self.http.get("/api/web-push", Some(&self.token)).await.json()
    }

    /// Texts of the messages that are sent after some time.
    async fn sent_after(&self, ms: i64) -> Vec<String> {
        self.http.office.advance(ms);
        self.office.send_notices().await.unwrap();
        self.service.take()
    }
}

fn proposal() -> Command {
    Command::ProposeAppointment(AppointmentProposal {
        starts_at: NOW + 60 * MINUTE_MS,
        ends_at: NOW + 120 * MINUTE_MS,
        place: "12 Mill Road".into(),
        proposed_by: ProposedBy::Borrower,
        borrower_remark: String::new(),
    })
}

#[tokio::test]
async fn new_work_and_appointments_of_others_are_notified_without_personal_data() {
    let scene = Scene::subscribed().await;
    let record = scene.http.visit("C-1", &["chen.jie", "wu.min"]).await;
    scene.http.visit("C-2", &["chen.jie"]).await;
    assert!(scene.sent_after(GATHER_MS - 1).await.is_empty(), "more may come");
    assert_eq!(scene.sent_after(1).await, ["new_work"], "once for both");
    let headers = scene.service.last_headers();
    assert_eq!(headers["ttl"], "86400");
    assert_eq!(headers["topic"], "a");
    assert_eq!(headers["content-encoding"], "aes128gcm");
    let claims = scene.service.check_authorization(&scene.state().await["key"]);
    assert_eq!(claims["aud"], scene.service.origin);
    assert_eq!(claims["sub"], "https://office.example");
    let valid_s = claims["exp"].as_i64().unwrap() - scene.http.office.now() / 1000;
    assert!((1..=24 * 60 * 60).contains(&valid_s), "{valid_s}");

    let office = &scene.office;
    office.command(record, proposal(), "chen.jie", Role::Collector).await.unwrap();
    assert!(scene.sent_after(GATHER_MS).await.is_empty(), "the collector's own");
    let later = Command::Clear { paths: vec!["appointment.place".into()] };
    office.command(record, later, "lin.yue", Role::Supervisor).await.unwrap();
    assert!(scene.sent_after(GATHER_MS).await.is_empty(), "the time stays");
    let other = AppointmentProposal { starts_at: NOW + 90 * MINUTE_MS, ..moved() };
    let other = Command::ProposeAppointment(other);
    office.command(record, other, "lin.yue", Role::Supervisor).await.unwrap();
    assert_eq!(scene.sent_after(GATHER_MS).await, ["appointment"]);
    assert!(scene.sent_after(MINUTE_MS).await.is_empty(), "sent once");
}

fn moved() -> AppointmentProposal {
    let Command::ProposeAppointment(proposal) = proposal() else { unreachable!() };
    proposal
}

#[tokio::test]
async fn a_failed_message_is_sent_again_and_an_old_one_is_not() {
    let scene = Scene::subscribed().await;
    scene.http.visit("C-1", &["chen.jie"]).await;
    scene.service.answer_with(503, None);
    assert_eq!(scene.sent_after(GATHER_MS).await, ["new_work"]);
    assert!(scene.sent_after(MINUTE_MS - 1).await.is_empty(), "not at once");
    scene.service.answer_with(429, Some(600));
    assert_eq!(scene.sent_after(1).await, ["new_work"]);
    assert!(scene.sent_after(5 * MINUTE_MS).await.is_empty(), "the service said ten minutes");
    assert_eq!(scene.sent_after(5 * MINUTE_MS).await, ["new_work"]);
    assert!(scene.sent_after(24 * 60 * MINUTE_MS).await.is_empty(), "too old");
    scene.service.answer_with(413, None);
    scene.http.visit("C-2", &["chen.jie"]).await;
    assert_eq!(scene.sent_after(GATHER_MS).await, ["new_work"]);
    assert!(scene.sent_after(60 * MINUTE_MS).await.is_empty(), "the service will never take it");
}

#[tokio::test]
async fn a_subscription_that_the_browser_has_dropped_is_deleted() {
    for gone in [404, 410] {
        let scene = Scene::subscribed().await;
        scene.http.visit("C-1", &["chen.jie"]).await;
        scene.service.answer_with(gone, None);
        assert_eq!(scene.sent_after(GATHER_MS).await, ["new_work"]);
        assert_eq!(scene.state().await["subscription"], Value::Null);
    }
}

#[tokio::test]
async fn nothing_is_sent_after_the_sign_in_has_ended() {
    let ways: [(&str, End); 4] = [
        ("unsubscribed", |scene| Box::pin(async move { delete(scene, "/api/web-push").await })),
        ("signed out", |scene| Box::pin(async move { delete(scene, "/api/session").await })),
        ("revoked", |scene| {
            Box::pin(async move {
                let me = scene.http.get("/api/session", Some(&scene.token)).await.json();
                let device = me["device"].as_str().unwrap().parse().unwrap();
                scene.http.accounts.revoke_device(device, "admin", "lost").await.unwrap();
            })
        }),
        ("disabled", |scene| Box::pin(async move { scene.http.disable("chen.jie").await })),
    ];
    for (way, end) in ways {
        let scene = Scene::subscribed().await;
        scene.http.visit("C-1", &["chen.jie"]).await;
        end(&scene).await;
        assert!(scene.sent_after(GATHER_MS).await.is_empty(), "{way}");
    }
}

type Ending<'s> = std::pin::Pin<Box<dyn Future<Output = ()> + 's>>;

/// Ends a sign-in.
type End = fn(&Scene) -> Ending<'_>;

async fn delete(scene: &Scene, path: &str) {
    let request = ask("DELETE", path, Some(&scene.token)).body(Body::empty()).unwrap();
    assert_eq!(scene.http.ask(request).await.status, 204);
}

#[tokio::test]
async fn notices_wait_for_the_working_hours() {
    let scene = Scene::open().await;
    // It is 18:30; the working day ended at 18:00 and begins at 8:00.
    assert_eq!(scene.put(json!({ "from_minute": 480, "until_minute": 1_080 })).await.status, 204);
    assert_eq!(scene.state().await["subscription"]["from_minute"], 480);
    scene.http.visit("C-1", &["chen.jie"]).await;
    assert!(scene.sent_after(GATHER_MS).await.is_empty());
    assert!(scene.sent_after(13 * 60 * MINUTE_MS).await.is_empty(), "7:30");
    assert_eq!(scene.sent_after(30 * MINUTE_MS).await, ["new_work"]);
}

#[tokio::test]
async fn a_phone_cannot_make_the_office_call_other_addresses() {
    let scene = Scene::open().await;
    for (changed, path) in [
        (json!({ "endpoint": "http://127.0.0.1:9/x" }), "endpoint"),
        (json!({ "endpoint": "https://169.254.169.254/latest" }), "endpoint"),
        (json!({ "endpoint": "https://localhost/x" }), "endpoint"),
        (json!({ "p256dh": "AAAA" }), "p256dh"),
        (json!({ "p256dh": "not base64" }), "p256dh"),
        (json!({ "auth": "AAAA" }), "auth"),
        (json!({ "zone": "Mars/Crater" }), "zone"),
        (json!({ "until_minute": 1_440 }), "zone"),
    ] {
        let answer = scene.put(changed.clone()).await;
        assert_eq!(answer.code(), (422, "invalid_value".into()), "{changed}");
        assert_eq!(answer.json()["path"], path, "{changed}");
    }
    assert_eq!(scene.state().await["subscription"], Value::Null);
    // A name that leads to a private address is found out when it is resolved.
    let endpoint = json!({ "endpoint": "https://localhost.localdomain/x" });
    assert_eq!(scene.put(endpoint).await.status, 204);
    scene.http.visit("C-1", &["chen.jie"]).await;
    scene.http.office.advance(GATHER_MS);
    assert_eq!(scene.office.send_notices().await.unwrap(), 0);
}
