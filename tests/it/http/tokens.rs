//! Sessions of a browser: tokens are replaced, copies and stale ones end.

use axum::body::Body;
use axum::http::header;
use doorstep::office::auth::Lifetime;
use doorstep::record::terms::Role;

use super::sessions::{DAY, MINUTE};
use crate::support::http_office::{Answer, HttpOffice, PASSWORD, ask};

#[tokio::test]
async fn a_sign_in_ends_unused_and_in_any_case() {
    for (user, role) in [("chen.jie", Role::Collector), ("lin.yue", Role::Supervisor)] {
        let http = HttpOffice::open().await;
        let Lifetime { idle, absolute } = Lifetime::of(role);
        let (used, unused) = (http.token(user).await, http.token(user).await);
        http.office.advance(idle - MINUTE);
        assert_eq!(http.get("/api/session", Some(&used)).await.status, 200, "{user}");
        http.office.advance(2 * MINUTE);
        assert_eq!(http.get("/api/session", Some(&used)).await.status, 200, "{user}");
        assert_eq!(http.get("/api/session", Some(&unused)).await.status, 401, "{user}");
        // A client that always uses the newest token stays signed in until the absolute limit.
        let mut token = used;
        let mut passed = idle + MINUTE;
        while passed + idle / 2 < absolute {
            http.office.advance(idle / 2);
            passed += idle / 2;
            let me = http.get("/api/session", Some(&token)).await;
            assert_eq!(me.status, 200, "{user}");
            if let Some(next) = me.json()["token"].as_str() {
                token = next.to_owned();
            }
        }
        http.office.advance(absolute - passed);
        assert_eq!(http.get("/api/session", Some(&token)).await.status, 401, "{user}");
    }
}

/// A phone's browser: keeps the cookies that it is given, unless the answer is lost.
pub(super) struct Browser {
    pub(super) session: String,
    pub(super) device: String,
}

impl Browser {
    pub(super) async fn sign_in(http: &HttpOffice, user: &str) -> Self {
        let body = format!("{{\"name\":\"{user}\",\"password\":\"{PASSWORD}\"}}");
        let answer = http.post_json("/api/session", None, &body).await;
        let mut browser = Self { session: String::new(), device: String::new() };
        browser.keep(&answer);
        browser
    }

    pub(super) fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            let place = if pair.starts_with("doorstep_device") {
                &mut self.device
            } else {
                &mut self.session
            };
            *place = pair;
        }
    }

    pub(super) async fn get(&self, http: &HttpOffice, session: &str) -> Answer {
        let cookies = format!("{session}; {}", self.device);
        let request = ask("GET", "/api/session", None).header(header::COOKIE, cookies);
        http.ask(request.body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn a_token_is_replaced_each_day_and_a_lost_reply_ends_no_session() {
    let http = HttpOffice::open().await;
    let mut phone = Browser::sign_in(&http, "chen.jie").await;
    let first = phone.session.clone();
    let answer = phone.get(&http, &first).await;
    assert!(!answer.headers.contains_key(header::SET_COOKIE), "not before its time");
    http.office.advance(DAY);
    let lost = phone.get(&http, &first).await;
    let again = phone.get(&http, &first).await;
    assert_eq!((lost.status.as_u16(), again.status.as_u16()), (200, 200));
    assert_eq!(lost.header("set-cookie"), again.header("set-cookie"), "the same one once more");
    phone.keep(&again);
    let second = phone.session.clone();
    assert_ne!(first, second);
    assert_eq!(phone.get(&http, &second).await.status, 200);
    // A request that was under way, then a browser that died before it wrote the cookie down.
    assert_eq!(phone.get(&http, &first).await.status, 200);
    http.office.advance(20 * DAY);
    let back = phone.get(&http, &first).await;
    assert_eq!(back.status, 200);
    assert!(back.header("set-cookie").starts_with(&second), "{}", back.header("set-cookie"));
    assert_eq!(phone.get(&http, &second).await.status, 200);
}

#[tokio::test]
async fn a_token_that_was_copied_and_replaced_ends_the_sign_in() {
    let http = HttpOffice::open().await;
    let mut phone = Browser::sign_in(&http, "chen.jie").await;
    let copied = phone.session.clone();
    http.office.advance(DAY);
    let answer = phone.get(&http, &copied).await;
    phone.keep(&answer);
    for minutes in [0, 11] {
        http.office.advance(minutes * MINUTE);
        assert_eq!(phone.get(&http, &phone.session).await.status, 200);
    }
    assert_eq!(phone.get(&http, &copied).await.code(), (401, "signed_out".into()));
    assert_eq!(phone.get(&http, &phone.session).await.code(), (401, "signed_out".into()));
}

#[tokio::test]
async fn a_new_sign_in_on_a_device_ends_the_previous_one() {
    let http = HttpOffice::open().await;
    let body = format!("{{\"name\":\"chen.jie\",\"password\":\"{PASSWORD}\"}}");
    let first = http.post_json("/api/session", None, &body).await.json();
    let device = first["device"].as_str().unwrap();
    let body =
        format!("{{\"name\":\"chen.jie\",\"password\":\"{PASSWORD}\",\"device\":\"{device}\"}}");
    let second = http.post_json("/api/session", None, &body).await.json();
    assert_eq!(http.get("/api/session", first["token"].as_str()).await.status, 401);
    assert_eq!(http.get("/api/session", second["token"].as_str()).await.status, 200);
}

#[tokio::test]
async fn the_console_stays_one_device_in_a_browser_and_an_erased_phone_becomes_a_new_one() {
    let http = HttpOffice::open().await;
    for (user, same) in [("lin.yue", true), ("chen.jie", false)] {
        let browser = Browser::sign_in(&http, user).await;
        let body = format!("{{\"name\":\"{user}\",\"password\":\"{PASSWORD}\"}}");
        let request = ask("POST", "/api/session", None)
            .header(header::COOKIE, &browser.device)
            .header(header::CONTENT_TYPE, "application/json");
        let again = http.ask(request.body(Body::from(body)).unwrap()).await.json();
        let device = browser.device.split_once('=').unwrap().1;
        assert_eq!(again["device"] == device, same, "{user}");
    }
}

#[tokio::test]
async fn guessing_strangers_lock_no_user_out_of_their_own_browser() {
    let http = HttpOffice::open().await;
    let browser = Browser::sign_in(&http, "admin").await;
    for _ in 0..10 {
        let body = "{\"name\":\"admin\",\"password\":\"guess number one\"}";
        http.post_json("/api/session", None, body).await;
    }
    let body = format!("{{\"name\":\"admin\",\"password\":\"{PASSWORD}\"}}");
    assert_eq!(http.post_json("/api/session", None, &body).await.status, 429);
    let request = ask("POST", "/api/session", None)
        .header(header::COOKIE, &browser.device)
        .header(header::CONTENT_TYPE, "application/json");
    assert_eq!(http.ask(request.body(Body::from(body)).unwrap()).await.status, 200);
}
