//! Signing in and out, devices, and what a stolen or a stale session can do.

use axum::body::Body;
use axum::http::header;
use doorstep::ids::hex;
use doorstep::office::auth::{AuthError, Lifetime, UserChange};
use doorstep::record::terms::Role;
use serde_json::json;

use super::tokens::Browser;
use crate::support::http_office::{HttpOffice, NOW, PASSWORD, ask};

pub(super) const MINUTE: i64 = 60 * 1000;
pub(super) const DAY: i64 = 24 * 60 * MINUTE;

#[tokio::test]
async fn a_browser_signs_in_and_out() {
    let http = HttpOffice::open().await;
    let body = format!("{{\"name\":\" Lin.Yue \",\"password\":\"{PASSWORD}\"}}");
    let answer = http.post_json("/api/session", None, &body).await;
    let signed_in = answer.json();
    assert_eq!(signed_in["user"], "lin.yue");
    assert_eq!(signed_in["role"], "supervisor");
    assert_eq!(signed_in["expires_at"], NOW + Lifetime::of(Role::Supervisor).idle);
    assert_eq!(signed_in["device"].as_str().unwrap().len(), 32);
    let cookie = answer.header("set-cookie").to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    insta::assert_snapshot!(attributes, @"Path=/; Max-Age=604800; HttpOnly; SameSite=Strict");

    let with_cookie = |method: &str| {
        ask(method, "/api/session", None).header(header::COOKIE, format!("other=1; {pair}"))
    };
    let me = http.ask(with_cookie("GET").body(Body::empty()).unwrap()).await;
    assert_eq!((me.status.as_u16(), &me.json()["user"]), (200, &"lin.yue".into()));
    assert_eq!(me.json()["device"], signed_in["device"]);
    assert_eq!(me.json().get("token"), None, "a page never sees the token again");
    // Another site can send the cookie along, but not the header.
    let answer = http.ask(with_cookie("DELETE").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.code(), (403, "missing_header".into()));
    let out = with_cookie("DELETE").header("X-Doorstep", "1").body(Body::empty()).unwrap();
    let answer = http.ask(out).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").starts_with("doorstep_session=; Path=/; Max-Age=0;"));
    let gone = http.ask(with_cookie("GET").body(Body::empty()).unwrap()).await;
    insta::assert_snapshot!(
        gone.told(),
        @r#"401 {"type":"about:blank#signed_out","title":"Unauthorized","status":401,"code":"signed_out","detail":"sign in first"}"#
    );
}

#[tokio::test]
async fn wrong_names_and_passwords_look_alike_and_get_slower() {
    let http = HttpOffice::open().await;
    let attempt = async |name: &str| {
        let body = format!("{{\"name\":\"{name}\",\"password\":\"guess number one\"}}");
        http.post_json("/api/session", None, &body).await
    };
    let wrong = attempt("lin.yue").await;
    assert_eq!(wrong.code(), (401, "wrong_password".into()));
    assert_eq!(wrong.told(), attempt("unknown").await.told());
    for _ in 0..4 {
        attempt("lin.yue").await;
    }
    let slowed = attempt("lin.yue").await;
    assert_eq!(slowed.code(), (429, "too_many_attempts".into()));
    assert_eq!(slowed.header("retry-after"), "1");
    // Not even the right password is heard now; it is after the wait.
    let body = format!("{{\"name\":\"lin.yue\",\"password\":\"{PASSWORD}\"}}");
    assert_eq!(http.post_json("/api/session", None, &body).await.status, 429);
    http.office.advance(1_000);
    assert_eq!(http.post_json("/api/session", None, &body).await.status, 200);
}

#[tokio::test]
async fn a_device_stays_its_user_s_until_it_is_revoked() {
    let http = HttpOffice::open().await;
    let sign_in = async |name: &str, device: &str| {
        let body =
            format!("{{\"name\":\"{name}\",\"password\":\"{PASSWORD}\",\"device\":\"{device}\"}}");
        http.post_json("/api/session", None, &body).await
    };
    let first = sign_in("chen.jie", "").await.json();
    let device = first["device"].as_str().unwrap();
    assert_eq!(sign_in("chen.jie", device).await.json()["device"], device);
    assert_eq!(sign_in("wu.min", device).await.code(), (403, "device_of_other_user".into()));
    let fresh = sign_in("chen.jie", "").await.json();
    assert_eq!(sign_in("chen.jie", "xyz").await.code(), (422, "invalid_value".into()));

    http.accounts.revoke_device(device.parse().unwrap(), "admin", "lost").await.unwrap();
    assert_eq!(sign_in("chen.jie", device).await.code(), (403, "device_revoked".into()));
    let token = first["token"].as_str();
    assert_eq!(http.get("/api/session", token).await.code(), (401, "signed_out".into()));
    let other = fresh["token"].as_str();
    assert_eq!(http.get("/api/session", other).await.status, 200);
}

#[tokio::test]
async fn i1_an_unknown_device_belongs_to_the_user_of_its_proof() {
    let http = HttpOffice::open().await;
    let sign_in = async |name: &str, device: &str, proof: &str| {
        let body = json!({ "name": name, "password": PASSWORD, "device": device, "proof": proof });
        http.post_json("/api/session", None, &body.to_string()).await
    };
    // As after a restore from a backup that is older than the device.
    let device = "00112233445566778899aabbccddeeff";
    let proof = |user: &str| hex(&http.office.enrolment(device.parse().unwrap(), user));
    let own = http.office.store().read_with(|reads| reads.office_device()).unwrap().to_string();
    let curious = sign_in("chen.jie", "", "").await.json();
    let of_another_device = curious["proof"].as_str().unwrap();
    for (named, shown) in [
        (device, ""),
        (device, of_another_device),
        (device, &proof("wu.min")),
        (device, &"00".repeat(32)),
        (own.as_str(), ""),
        (own.as_str(), of_another_device),
    ] {
        let refused = sign_in("chen.jie", named, shown).await;
        assert_eq!(refused.code(), (403, "device_unknown".into()), "{named} {shown}");
        assert!(!refused.text().contains("escrow"), "{}", refused.text());
    }
    assert_eq!(sign_in("chen.jie", device, "xyz").await.code(), (422, "invalid_value".into()));
    let back = sign_in("wu.min", device, &proof("wu.min")).await.json();
    assert_eq!((&back["device"], &back["proof"]), (&json!(device), &json!(proof("wu.min"))));
    // From then on it is known: no proof is needed, and none helps anybody else.
    assert_eq!(sign_in("wu.min", device, "").await.status, 200);
    let refused = sign_in("chen.jie", device, &proof("chen.jie")).await;
    assert_eq!(refused.code(), (403, "device_of_other_user".into()));
    // A phone that was enrolled before there were proofs asks for its own.
    let token = sign_in("wu.min", device, "").await.json()["token"].clone();
    http.office.advance(DAY);
    let me = http.get("/api/session", token.as_str()).await.json();
    assert_eq!((&me["proof"], me.get("escrow")), (&json!(proof("wu.min")), None));
}

#[tokio::test]
async fn i1_an_administrator_enrols_a_device_that_has_no_proof() {
    let http = HttpOffice::open().await;
    let device = "00112233445566778899aabbccddeeff";
    let own = http.office.store().read_with(|reads| reads.office_device()).unwrap();
    let enrol =
        async |id: &str, user: &str| http.accounts.enrol_device(id.parse().unwrap(), user).await;
    enrol(device, "Wu.Min").await.unwrap();
    enrol(device, "wu.min").await.unwrap();
    assert_eq!(enrol(device, "chen.jie").await, Err(AuthError::DeviceOfOtherUser));
    assert_eq!(enrol(device, "unknown").await, Err(AuthError::Unknown("user")));
    assert!(http.accounts.enrol_device(own, "wu.min").await.is_err(), "the office's own device");
    let body = json!({ "name": "wu.min", "password": PASSWORD, "device": device }).to_string();
    assert_eq!(http.post_json("/api/session", None, &body).await.json()["device"], device);
}

#[tokio::test]
async fn knowing_a_device_id_locks_no_user_out_of_it() {
    let http = HttpOffice::open().await;
    let sign_in = async |device: &str, password: &str, from: &str| {
        let body = json!({ "name": "wu.min", "password": password, "device": device });
        let request =
            ask("POST", "/api/session", None).header(header::CONTENT_TYPE, "application/json");
        let mut request = request.body(Body::from(body.to_string())).unwrap();
        let socket: std::net::SocketAddr = from.parse().unwrap();
        request.extensions_mut().insert(axum::extract::ConnectInfo(socket));
        http.ask(request).await
    };
    let phone = sign_in("", PASSWORD, "192.0.2.1:1").await.json();
    let device = phone["device"].as_str().unwrap();
    for _ in 0..10 {
        sign_in(device, "guess number one", "192.0.2.2:1").await;
    }
    assert_eq!(sign_in(device, PASSWORD, "192.0.2.2:1").await.status, 429);
    assert_eq!(sign_in(device, PASSWORD, "192.0.2.1:1").await.status, 200);
}

#[tokio::test]
async fn a_change_of_role_or_password_ends_every_session() {
    let changes = [
        UserChange { role: Some(Role::Auditor), ..UserChange::default() },
        UserChange { password: Some("another horse".into()), ..UserChange::default() },
        UserChange { disabled: Some(true), ..UserChange::default() },
    ];
    for change in changes {
        let http = HttpOffice::open().await;
        let (token, other) = (http.token("wu.min").await, http.token("sun.yan").await);
        let name = UserChange { display_name: Some("吴敏".into()), ..UserChange::default() };
        http.change("wu.min", name).await;
        assert_eq!(http.get("/api/session", Some(&token)).await.status, 200);
        http.change("wu.min", change).await;
        assert_eq!(http.get("/api/session", Some(&token)).await.status, 401);
        assert_eq!(http.get("/api/session", Some(&other)).await.status, 200);
    }
}

#[tokio::test]
async fn disabling_a_user_takes_effect_at_once() {
    let http = HttpOffice::open().await;
    let token = http.token("wu.min").await;
    http.disable("wu.min").await;
    assert_eq!(http.get("/api/session", Some(&token)).await.status, 401);
    let body = format!("{{\"name\":\"wu.min\",\"password\":\"{PASSWORD}\"}}");
    let answer = http.post_json("/api/session", None, &body).await;
    assert_eq!(answer.code(), (401, "wrong_password".into()));
}

#[tokio::test]
async fn pages_of_other_sites_reach_nothing() {
    let http = HttpOffice::open().await;
    let browser = Browser::sign_in(&http, "lin.yue").await;
    let tries = [
        (vec![("sec-fetch-site", "cross-site")], false),
        (vec![("sec-fetch-site", "same-site")], false),
        (vec![("sec-fetch-site", "\u{ff}")], false),
        (vec![("origin", "https://evil.example"), ("host", "office.example")], false),
        (vec![("origin", "null"), ("host", "office.example")], false),
        (vec![("origin", "https://office.example.evil"), ("host", "office.example")], false),
        (vec![("origin", "https://evil.example")], false),
        (vec![("sec-fetch-site", "same-origin"), ("origin", "https://behind.a.proxy")], true),
        (vec![("sec-fetch-site", "none")], true),
        (vec![("origin", "https://office.example"), ("host", "office.example")], true),
        (vec![], true),
    ];
    for (headers, own) in tries {
        let with = |mut request: axum::http::request::Builder| {
            for (name, value) in &headers {
                let value = axum::http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
                request = request.header(*name, value);
            }
            request
        };
        let read = with(ask("GET", "/api/visits", None)).header(header::COOKIE, &browser.session);
        let read = http.ask(read.body(Body::empty()).unwrap()).await;
        // Even with the header of the own pages, and with the right password.
        let command = with(ask("POST", "/api/cases/import?dry_run=1", None))
            .header(header::COOKIE, &browser.session)
            .header("x-doorstep", "1");
        let command = http.ask(command.body(Body::from("case_no\n1")).unwrap()).await;
        let body = format!("{{\"name\":\"gu.an\",\"password\":\"{PASSWORD}\"}}");
        let sign_in = with(ask("POST", "/api/session", None))
            .header(header::CONTENT_TYPE, "application/json");
        let sign_in = http.ask(sign_in.body(Body::from(body)).unwrap()).await;
        for (name, answer) in [("read", read), ("command", command), ("sign-in", sign_in)] {
            let refused = answer.status == 403 && answer.code().1 == "other_site";
            assert_eq!(refused, !own, "{headers:?} {name}: {}", answer.status);
            assert!(own || !answer.headers.contains_key(header::SET_COOKIE), "{headers:?} {name}");
        }
    }
}

#[tokio::test]
async fn malformed_sign_ins_are_problems() {
    let http = HttpOffice::open().await;
    for (body, status) in [("{", 400), ("[]", 422), ("{\"name\":\"x\"}", 422)] {
        let answer = http.post_json("/api/session", None, body).await;
        assert_eq!(answer.code(), (status, "malformed".into()), "{body}");
    }
    let form = http.post("/api/session", None, b"name=x&password=y".to_vec()).await;
    assert_eq!(form.code(), (415, "malformed".into()), "a form of another site needs no asking");
    assert_eq!(http.get("/api/session", Some("no token")).await.status, 401);
}
