//! Signing in and out, devices, and what a stolen or a stale session can do.

use axum::body::Body;
use axum::http::header;
use doorstep::office::auth::SIGN_IN_LASTS;

use super::desk::{Desk, NOW, PASSWORD, ask};

#[tokio::test]
async fn a_browser_signs_in_and_out() {
    let desk = Desk::open().await;
    let body = format!("{{\"name\":\" Lin.Yue \",\"password\":\"{PASSWORD}\"}}");
    let answer = desk.post_json("/api/session", None, &body).await;
    let signed_in = answer.json();
    assert_eq!(signed_in["user"], "lin.yue");
    assert_eq!(signed_in["role"], "supervisor");
    assert_eq!(signed_in["expires_at"], NOW + SIGN_IN_LASTS);
    assert_eq!(signed_in["device"].as_str().unwrap().len(), 32);
    let cookie = answer.header("set-cookie").to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    insta::assert_snapshot!(attributes, @"Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict");

    let with_cookie = |method: &str| {
        ask(method, "/api/session", None).header(header::COOKIE, format!("other=1; {pair}"))
    };
    let me = desk.ask(with_cookie("GET").body(Body::empty()).unwrap()).await;
    insta::assert_snapshot!(
        me.told(),
        @r#"200 {"user":"lin.yue","display_name":"lin.yue","role":"supervisor"}"#
    );
    // Another site can send the cookie along, but not the header.
    let answer = desk.ask(with_cookie("DELETE").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.code(), (403, "missing_header".into()));
    let out = with_cookie("DELETE").header("X-Doorstep", "1").body(Body::empty()).unwrap();
    let answer = desk.ask(out).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").starts_with("doorstep_session=; Path=/; Max-Age=0;"));
    let gone = desk.ask(with_cookie("GET").body(Body::empty()).unwrap()).await;
    insta::assert_snapshot!(
        gone.told(),
        @r#"401 {"type":"about:blank#signed_out","title":"Unauthorized","status":401,"code":"signed_out","detail":"sign in first"}"#
    );
}

#[tokio::test]
async fn wrong_names_and_passwords_look_alike_and_get_slower() {
    let desk = Desk::open().await;
    let attempt = async |name: &str| {
        let body = format!("{{\"name\":\"{name}\",\"password\":\"guess number one\"}}");
        desk.post_json("/api/session", None, &body).await
    };
    let wrong = attempt("lin.yue").await;
    assert_eq!(wrong.code(), (401, "wrong_password".into()));
    assert_eq!(wrong.told(), attempt("nobody").await.told());
    for _ in 0..4 {
        attempt("lin.yue").await;
    }
    let slowed = attempt("lin.yue").await;
    assert_eq!(slowed.code(), (429, "too_many_attempts".into()));
    assert_eq!(slowed.header("retry-after"), "1");
    // Not even the right password is heard now; it is after the wait.
    let body = format!("{{\"name\":\"lin.yue\",\"password\":\"{PASSWORD}\"}}");
    assert_eq!(desk.post_json("/api/session", None, &body).await.status, 429);
    desk.later(1_000);
    assert_eq!(desk.post_json("/api/session", None, &body).await.status, 200);
}

#[tokio::test]
async fn a_device_stays_its_user_s_until_it_is_revoked() {
    let desk = Desk::open().await;
    let sign_in = async |name: &str, device: &str| {
        let body =
            format!("{{\"name\":\"{name}\",\"password\":\"{PASSWORD}\",\"device\":\"{device}\"}}");
        desk.post_json("/api/session", None, &body).await
    };
    let first = sign_in("chen.jie", "").await.json();
    let device = first["device"].as_str().unwrap();
    assert_eq!(sign_in("chen.jie", device).await.json()["device"], device);
    assert_eq!(sign_in("wu.min", device).await.code(), (403, "device_of_other_user".into()));
    // Enrolled before a restore: its unsent work is written in its name.
    let unknown = "00112233445566778899aabbccddeeff";
    let fresh = sign_in("chen.jie", unknown).await.json();
    assert_eq!(fresh["device"], unknown);
    let office = desk.office.store().look(|reads| reads.office_device()).unwrap().to_string();
    let other = sign_in("chen.jie", &office).await.json();
    assert_ne!(other["device"], office, "nobody writes as the office");
    assert_eq!(sign_in("chen.jie", "xyz").await.code(), (422, "invalid_value".into()));

    desk.accounts.revoke_device(device.parse().unwrap()).await.unwrap();
    assert_eq!(sign_in("chen.jie", device).await.code(), (403, "device_revoked".into()));
    let token = first["token"].as_str();
    assert_eq!(desk.get("/api/session", token).await.code(), (401, "signed_out".into()));
    let other = fresh["token"].as_str();
    assert_eq!(desk.get("/api/session", other).await.status, 200);
}

#[tokio::test]
async fn a_sign_in_ends_a_month_after_its_last_use() {
    let desk = Desk::open().await;
    let (used, unused) = (desk.token("chen.jie").await, desk.token("chen.jie").await);
    desk.later(SIGN_IN_LASTS - 60_000);
    assert_eq!(desk.get("/api/session", Some(&used)).await.status, 200);
    desk.later(120_000);
    assert_eq!(desk.get("/api/session", Some(&used)).await.status, 200);
    assert_eq!(desk.get("/api/session", Some(&unused)).await.status, 401);
}

#[tokio::test]
async fn a_user_who_is_locked_out_is_out_at_once() {
    let desk = Desk::open().await;
    let token = desk.token("wu.min").await;
    desk.accounts.disable_user("wu.min").await.unwrap();
    assert_eq!(desk.get("/api/session", Some(&token)).await.status, 401);
    let body = format!("{{\"name\":\"wu.min\",\"password\":\"{PASSWORD}\"}}");
    let answer = desk.post_json("/api/session", None, &body).await;
    assert_eq!(answer.code(), (401, "wrong_password".into()));
}

#[tokio::test]
async fn what_is_no_sign_in_is_a_problem() {
    let desk = Desk::open().await;
    for (body, status) in [("{", 400), ("[]", 422), ("{\"name\":\"x\"}", 422)] {
        let answer = desk.post_json("/api/session", None, body).await;
        assert_eq!(answer.code(), (status, "malformed".into()), "{body}");
    }
    let form = desk.post("/api/session", None, b"name=x&password=y".to_vec()).await;
    assert_eq!(form.code(), (415, "malformed".into()), "a form of another site needs no asking");
    assert_eq!(desk.get("/api/session", Some("no token")).await.status, 401);
}
