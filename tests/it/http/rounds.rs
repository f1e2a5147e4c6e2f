//! `POST /sync`, through its bytes.

use axum::body::Body;
use axum::http::header;
use doorstep::ids::{DeviceId, Heads, RecordId, actor};
use doorstep::office::auth::workspace_name;
use doorstep::office::http::{Access, ROUTES};
use doorstep::record::command::{Command, NewContact};
use doorstep::record::terms::{Channel, ContactOutcome, Role, TargetRole};
use doorstep::record::{Author, Record};
use doorstep::sync::message::{
    DEFAULT_REPLY_BYTES, MAX_BODY, Outcome, PROTOCOL, Packed, Push, Request, Restore,
    UpdateContent, Want, decode_reply, encode_request,
};

use crate::support::http_office::{Answer, HttpOffice, NOW, PASSWORD, ask};

#[tokio::test]
async fn a_phone_gets_its_feed_and_hands_its_work_in() {
    let http = HttpOffice::open().await;
    let id = http.visit("NB1", &["chen.jie"]).await;
    http.visit("NB2", &["wu.min"]).await;
    let body = format!("{{\"name\":\"chen.jie\",\"password\":\"{PASSWORD}\"}}");
    let signed_in = http.post_json("/api/session", None, &body).await.json();
    let token = signed_in["token"].as_str();
    let device: DeviceId = signed_in["device"].as_str().unwrap().parse().unwrap();

    let request = Request { max_bytes: DEFAULT_REPLY_BYTES, ..Request::default() };
    let answer = http.post("/sync", token, encode_request(&request)).await;
    assert_eq!(answer.header("content-type"), "application/cbor");
    let headers: Vec<_> = answer.headers.keys().map(|name| name.as_str()).collect();
    assert_eq!(headers, ["content-type", "date", "content-length"], "each byte travels often");
    let reply = decode_reply(&answer.body).unwrap();
    assert_eq!(reply.office_time, NOW);
    let [entry] = &reply.entries[..] else { panic!("{reply:?}") };
    let UpdateContent::Document { document, .. } = &entry.content else { panic!("{entry:?}") };
    let mut record = Record::load(&document.0).unwrap();

    let push = contact(&mut record, id, device);
    let request = Request { cursor: reply.cursor, push, ..request };
    let reply = decode_reply(&http.post("/sync", token, encode_request(&request)).await.body);
    let [result] = &reply.unwrap().results[..] else { panic!("one push, one result") };
    let Outcome::Merged { state_token } = result else { panic!("{result:?}") };
    assert!(state_token.mac_for(id, &record.heads()).is_some());
    http.office.assert_sound().await;
}

#[tokio::test]
async fn bytes_that_are_no_round_are_refused() {
    let http = HttpOffice::open().await;
    let token = http.token("chen.jie").await;
    let refused = async |body: Vec<u8>| http.post("/sync", Some(&token), body).await.code();
    assert_eq!(refused(vec![]).await, (400, "malformed".into()));
    assert_eq!(refused(vec![PROTOCOL, 0, 0xff]).await, (400, "malformed".into()));
    assert_eq!(refused(vec![PROTOCOL + 1, 0]).await, (426, "unsupported_version".into()));
    assert_eq!(refused(vec![PROTOCOL; MAX_BODY + 1]).await, (413, "too_large".into()));
}

/// A browser: one session cookie for all its pages.
struct Browser {
    cookie: String,
    device: DeviceId,
}

impl Browser {
    async fn sign_in(http: &HttpOffice, user: &str) -> Self {
        let body = format!("{{\"name\":\"{user}\",\"password\":\"{PASSWORD}\"}}");
        let answer = http.post_json("/api/session", None, &body).await;
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { cookie, device: answer.json()["device"].as_str().unwrap().parse().unwrap() }
    }

    /// What a page with the app's header gets.
    async fn ask(
        &self,
        http: &HttpOffice,
        method: &str,
        path: &str,
        app: &str,
        body: Vec<u8>,
    ) -> Answer {
        let request = ask(method, path, None)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-doorstep", app);
        http.ask(request.body(Body::from(body)).unwrap()).await
    }
}

/// One contact of chen.jie on a record, as a push.
fn contact(record: &mut Record, id: RecordId, device: DeviceId) -> Vec<Push> {
    let author = Author {
        actor: actor(device, 1),
        user: "chen.jie".to_owned(),
        role: Role::Collector,
        now_ms: NOW,
        zone: "Asia/Shanghai".to_owned(),
    };
    let contact = NewContact {
        id: "01a20aaf-78e0-7801-9dc4-6124dccd5cf9".to_owned(),
        at: NOW,
        channel: Channel::Call,
        number_ref: String::new(),
        target_role: TargetRole::Borrower,
        outcome: ContactOutcome::Reached,
        note: String::new(),
    };
    let change = record.apply(&Command::LogContact(contact), &author).unwrap().unwrap();
    let changes = vec![Packed::plain(change.raw_bytes())];
    vec![Push { record: id, changes }]
}

/// One contact of chen.jie on a record, pushed.
async fn push(http: &HttpOffice, id: RecordId, device: DeviceId) -> Vec<u8> {
    let auditor = http.token("gu.an").await;
    let path = format!("/api/visits/{id}.automerge");
    let mut record = Record::load(&http.get(&path, Some(&auditor)).await.body).unwrap();
    let push = contact(&mut record, id, device);
    encode_request(&Request { push, max_bytes: DEFAULT_REPLY_BYTES, ..Request::default() })
}

#[tokio::test]
async fn r9_no_session_answers_for_another_workspace() {
    let http = HttpOffice::open().await;
    let id = http.visit("NB1", &["chen.jie"]).await;
    http.visit("NB2", &["wu.min"]).await;
    let chen = Browser::sign_in(&http, "chen.jie").await;
    let body = push(&http, id, chen.device).await;
    let app = format!("0.1.0 {}", workspace_name(chen.device));

    // Other sessions in the same browser: another collector, one of a revoked device, a supervisor
    // at the console, and the same collector as another device.
    let revoked = Browser::sign_in(&http, "sun.yan").await;
    http.accounts.revoke_device(revoked.device, "admin", "lost").await.unwrap();
    let wu = Browser::sign_in(&http, "wu.min").await;
    let desk_user = Browser::sign_in(&http, "lin.yue").await;
    let twice = Browser::sign_in(&http, "chen.jie").await;
    for other in [&wu, &revoked, &desk_user, &twice] {
        let answer = other.ask(&http, "POST", "/sync", &app, body.clone()).await;
        assert_eq!(answer.code(), (409, "other_workspace".into()));
        for (method, path) in [
            ("PUT", "/api/device/key".to_owned()),
            ("PUT", format!("/api/blobs/{}", "ab".repeat(32))),
            ("GET", format!("/api/blobs/{}", "ab".repeat(32))),
            ("GET", "/api/conduct/layers".to_owned()),
            ("GET", format!("/api/events?workspace={}", workspace_name(chen.device))),
        ] {
            let answer = other.ask(&http, method, &path, &app, b"{}".to_vec()).await;
            let refused = [(409, "other_workspace".into()), (401, "signed_out".into())];
            assert!(refused.contains(&answer.code()), "{method} {path}: {}", answer.told());
        }
    }
    assert!(http.office.quarantine().await.unwrap().is_empty(), "nothing was kept of it");
    assert!(http.office.visit(id).await.unwrap().contacts.is_empty());
    // Signing out of one workspace ends no other session.
    let out = wu.ask(&http, "DELETE", "/api/session", &app, Vec::new()).await;
    assert_eq!(out.code(), (409, "other_workspace".into()));

    // The right user again: the same request is merged.
    let answer = chen.ask(&http, "POST", "/sync", &app, body).await;
    let reply = decode_reply(&answer.body).unwrap();
    assert!(matches!(reply.results[..], [Outcome::Merged { .. }]), "{reply:?}");
    assert_eq!(reply.entries.len(), 1);
    http.office.assert_sound().await;
}

#[tokio::test]
async fn r9_a_phone_that_names_no_workspace_looks_for_its_update() {
    let http = HttpOffice::open().await;
    let (chen, lin) =
        (Browser::sign_in(&http, "chen.jie").await, Browser::sign_in(&http, "lin.yue").await);
    for route in ROUTES {
        let Access::Roles(roles) = route.access else { continue };
        if !roles.contains(&Role::Collector) || route.path == "/api/session" {
            continue;
        }
        let path = route.path.replace("{sha256}", &"ab".repeat(32));
        let answer = chen.ask(&http, route.method.as_str(), &path, "0.1.0", Vec::new()).await;
        let refused = (426, "unsupported_version".to_owned());
        assert_eq!(answer.code(), refused, "{} {}", route.method, route.path);
    }
    // A page that starts asks for the session; the console's pages are no workspace.
    assert_eq!(chen.ask(&http, "GET", "/api/session", "0.1.0", Vec::new()).await.status, 200);
    assert_eq!(lin.ask(&http, "GET", "/api/lender", "0.1.0", Vec::new()).await.status, 200);
}

#[tokio::test]
async fn r2_a_request_names_a_record_once_in_each_of_its_lists() {
    let http = HttpOffice::open().await;
    let token = http.token("chen.jie").await;
    let record = RecordId([7; 16]);
    let push = Push { record, changes: vec![Packed::plain(b"no change")] };
    let (heads, changes) = (Heads::default(), Vec::new());
    let restore = Restore { record, heads: heads.clone(), mac: [0; 8], changes };
    let want = Want { record, have: heads };
    for request in [
        Request { push: vec![push; 2], ..Request::default() },
        Request { restore: vec![restore; 2], ..Request::default() },
        Request { want: vec![want; 2], ..Request::default() },
        Request { quarantine: Some(vec![record; 2]), ..Request::default() },
    ] {
        let answer = http.post("/sync", Some(&token), encode_request(&request)).await;
        assert_eq!(answer.code(), (400, "malformed".into()), "{request:?}");
    }
    let page = http.office.quarantine().await.unwrap();
    assert!(page.is_empty(), "nothing of such a request is taken: {page:?}");
}
