//! Keeping users and devices, as an administrator does it over HTTP.

use axum::body::Body;
use axum::http::header;

use doorstep::office::store::User;
use doorstep::record::terms::Role;

use crate::support::http_office::{Answer, HttpOffice, PASSWORD, ask};

async fn patch(http: &HttpOffice, path: &str, token: &str, body: &str) -> Answer {
    let request = ask("PATCH", path, Some(token)).header(header::CONTENT_TYPE, "application/json");
    http.ask(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn sign_in(http: &HttpOffice, name: &str, password: &str) -> (u16, String) {
    let body = format!("{{\"name\":\"{name}\",\"password\":\"{password}\"}}");
    http.post_json("/api/session", None, &body).await.code()
}

#[tokio::test]
async fn a_user_is_added_changed_disabled_and_enabled() {
    let http = HttpOffice::open().await;
    let token = http.token("admin").await;
    let new = "{\"name\":\" Ma.Li \",\"display_name\":\"马丽\",\"role\":\"collector\",\
        \"password\":\"first password\"}";
    let added = http.post_json("/api/users", Some(&token), new).await;
    insta::assert_snapshot!(
        added.told(),
        @r#"201 {"name":"ma.li","display_name":"马丽","role":"collector","disabled":false,"linked":false}"#
    );
    let twice = http.post_json("/api/users", Some(&token), new).await;
    assert_eq!(twice.code(), (409, "name_taken".into()));
    assert_eq!(sign_in(&http, "ma.li", "first password").await.0, 200);

    let path = "/api/users/ma.li";
    let change = async |body: &str| patch(&http, path, &token, body).await;
    assert_eq!(change("{\"role\":\"supervisor\"}").await.json()["role"], "supervisor");
    assert_eq!(change("{\"password\":\"second password\"}").await.status, 200);
    assert_eq!(sign_in(&http, "ma.li", "first password").await.0, 401);
    assert_eq!(sign_in(&http, "ma.li", "second password").await.0, 200);
    assert_eq!(change("{\"disabled\":true}").await.json()["disabled"], true);
    assert_eq!(sign_in(&http, "ma.li", "second password").await, (401, "wrong_password".into()));
    assert_eq!(change("{\"disabled\":false}").await.json()["disabled"], false);
    assert_eq!(sign_in(&http, "ma.li", "second password").await.0, 200);

    for (body, code) in [
        ("{\"password\":\"short\"}", (422, "invalid_value")),
        ("{\"display_name\":\" \"}", (422, "invalid_value")),
        ("{\"role\":\"boss\"}", (422, "malformed")),
        ("{\"rôle\":\"admin\"}", (422, "malformed")),
        ("{", (400, "malformed")),
    ] {
        assert_eq!(change(body).await.code(), (code.0, code.1.to_owned()), "{body}");
    }
    let unknown = patch(&http, "/api/users/unknown", &token, "{\"disabled\":true}").await;
    assert_eq!(unknown.code(), (404, "not_found".into()));
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let http = HttpOffice::open().await;
    let token = http.token("admin").await;
    for body in ["{\"disabled\":true}", "{\"role\":\"auditor\"}"] {
        let answer = patch(&http, "/api/users/admin", &token, body).await;
        assert_eq!(answer.code(), (409, "last_admin".into()), "{body}");
    }
    let other = format!("{{\"name\":\"ops\",\"role\":\"admin\",\"password\":\"{PASSWORD}\"}}");
    http.post_json("/api/users", Some(&token), &other).await;
    let answer = patch(&http, "/api/users/admin", &token, "{\"role\":\"auditor\"}").await;
    assert_eq!(answer.status, 200);
    assert_eq!(http.get("/api/session", Some(&token)).await.status, 401, "the own rights too");
}

#[tokio::test]
async fn a_device_is_seen_and_revoked_with_a_reason() {
    let http = HttpOffice::open().await;
    let phone = http.token("chen.jie").await;
    let used = ask("GET", "/api/session", Some(&phone)).header("x-doorstep", "0.9.1");
    http.ask(used.body(Body::empty()).unwrap()).await;
    let (admin, supervisor) = (http.token("admin").await, http.token("lin.yue").await);
    let devices = async |token: &str| http.get("/api/devices", Some(token)).await.json();
    let seen = devices(&supervisor).await;
    let [device] = &seen.as_array().unwrap()[..] else { panic!("collectors' only: {seen}") };
    assert_eq!((&device["user"], &device["state"]), (&"chen.jie".into(), &"active".into()));
    assert_eq!(device["app_version"], "0.9.1");
    assert_eq!(devices(&admin).await.as_array().unwrap().len(), 3);

    let path = format!("/api/devices/{}/revoke", device["id"].as_str().unwrap());
    let revoke = async |token: &str, body: &str| http.post_json(&path, Some(token), body).await;
    assert_eq!(revoke(&supervisor, "{\"reason\":\"x\"}").await.code().0, 403);
    assert_eq!(revoke(&admin, "{}").await.code(), (422, "malformed".into()));
    assert_eq!(revoke(&admin, "{\"reason\":\" \"}").await.code(), (422, "invalid_value".into()));
    assert_eq!(http.get("/api/session", Some(&phone)).await.status, 200);
    assert_eq!(revoke(&admin, "{\"reason\":\"left on a bus\"}").await.status, 204);
    assert_eq!(revoke(&admin, "{\"reason\":\"again\"}").await.status, 204, "an answer was lost");
    assert_eq!(http.get("/api/session", Some(&phone)).await.status, 401);
    let revoked = &devices(&supervisor).await[0];
    assert_eq!(revoked["state"], "revoked");
    assert_eq!(revoked["revoked_by"], "admin");
    assert_eq!(revoked["revoked_reason"], "left on a bus");
    for unknown in ["00112233445566778899aabbccddeeff", "xyz"] {
        let path = format!("/api/devices/{unknown}/revoke");
        let answer = http.post_json(&path, Some(&admin), "{\"reason\":\"x\"}").await;
        assert_eq!(answer.code(), (404, "not_found".into()));
    }
}

#[tokio::test]
async fn an_unused_device_expires_and_its_user_may_sign_in_again() {
    let http = HttpOffice::open().await;
    let body = format!("{{\"name\":\"chen.jie\",\"password\":\"{PASSWORD}\"}}");
    let first = http.post_json("/api/session", None, &body).await.json();
    http.office.advance(91 * 24 * 60 * 60 * 1000);
    let admin = http.token("admin").await;
    let devices = http.get("/api/devices", Some(&admin)).await.json();
    let phone = devices.as_array().unwrap().iter().find(|line| line["user"] == "chen.jie");
    assert_eq!(phone.unwrap()["state"], "expired");
    assert_eq!(http.get("/api/session", first["token"].as_str()).await.status, 401);
    // Work may still lie on it: it comes back as itself.
    let device = first["device"].as_str().unwrap();
    let body = body.replace('}', &format!(",\"device\":\"{device}\"}}"));
    assert_eq!(http.post_json("/api/session", None, &body).await.json()["device"], device);
}

#[tokio::test]
async fn no_user_can_have_the_name_of_the_office() {
    let http = HttpOffice::open().await;
    let token = http.token("admin").await;
    for name in ["office", " Office "] {
        let new = format!("{{\"name\":\"{name}\",\"role\":\"admin\",\"password\":\"{PASSWORD}\"}}");
        let refused = http.post_json("/api/users", Some(&token), &new).await;
        assert_eq!(refused.code(), (422, "invalid_value".into()), "{name}");
    }
    // One from before there was this rule is disabled by the migration, and stays so.
    let old = User {
        name: "office".into(),
        display_name: "Office".into(),
        role: Role::Collector,
        password_hash: String::new(),
        disabled_at: Some(1),
        created_at: 1,
        subject: None,
    };
    http.office.store().write_now(move |tx| tx.put_user(&old)).unwrap();
    let enabled = patch(&http, "/api/users/office", &token, "{\"disabled\":false}").await;
    assert_eq!(enabled.code(), (422, "invalid_value".into()));
}

#[tokio::test]
async fn an_account_is_linked_to_one_user_and_a_promotion_undoes_a_link_by_name() {
    let http = HttpOffice::open().await;
    let token = http.token("admin").await;
    let change = async |name: &str, body: &str| {
        patch(&http, &format!("/api/users/{name}"), &token, body).await
    };
    let link = |subject: &str| {
        format!("{{\"link\":{{\"issuer\":\"https://id.example\",\"subject\":\"{subject}\"}}}}")
    };
    assert_eq!(change("lin.yue", &link("7")).await.json()["linked"], true);
    assert_eq!(change("lin.yue", &link("7")).await.status, 200);
    assert_eq!(change("gu.an", &link("7")).await.code(), (409, "account_taken".into()));
    assert_eq!(change("gu.an", &link("")).await.code(), (422, "invalid_value".into()));
    // Another staff role keeps the link, which an administrator made.
    assert_eq!(change("lin.yue", "{\"role\":\"auditor\"}").await.json()["linked"], true);
    assert_eq!(change("lin.yue", "{\"unlink\":true}").await.json()["linked"], false);
    assert_eq!(change("wu.min", &link("8")).await.json()["linked"], true);
    assert_eq!(change("wu.min", "{\"role\":\"supervisor\"}").await.json()["linked"], false);
}
