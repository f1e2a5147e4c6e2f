//! Who may do what: every route, for everybody, in every spelling.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, header};
use doorstep::office::http::{Access, ROUTES, Route};
use doorstep::record::terms::Role;

use crate::support::http_office::{Answer, HttpOffice, PASSWORD, ask};

const PEOPLE: [(Role, &str); 4] = [
    (Role::Collector, "chen.jie"),
    (Role::Supervisor, "lin.yue"),
    (Role::Auditor, "gu.an"),
    (Role::Admin, "ops"),
];

/// All common methods and two invented ones.
const METHODS: [&str; 12] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
    "get", "FEED",
];

/// Error codes that do not reveal whether a handler exists.
const SHUT: [&str; 4] = ["signed_out", "not_allowed", "not_found", "method_not_allowed"];

async fn http() -> HttpOffice {
    let http = HttpOffice::open().await;
    // Beside the one who may be the last: every route can be tried on everybody.
    http.add_user("ops", Role::Admin).await;
    http
}

#[tokio::test]
async fn the_router_has_the_routes_of_the_table_and_no_other() {
    let http = http().await;
    let mounted = http.mounted();
    let table: BTreeSet<String> =
        ROUTES.iter().map(|route| mounted_as(route.path).to_owned()).collect();
    assert!(mounted.len() > 10, "the router no longer says what it has: {mounted:?}");
    assert_eq!(mounted, table);
}

#[tokio::test]
async fn every_route_admits_its_roles_only() {
    let http = http().await;
    let description = http.get("/api/openapi.json", None).await.json();
    for route in ROUTES {
        let name = format!("{} {}", route.method, route.path);
        let method = route.method.as_str().to_lowercase();
        let responses = &description["paths"][route.path][method]["responses"];
        let described = |status: u16| responses.get(status.to_string()).is_some();
        let signed_out = call(&http, route, None).await.code();
        assert!(described(signed_out.0), "{name} answers {signed_out:?}");
        match route.access {
            Access::Roles(_) => assert_eq!(signed_out, (401, "signed_out".into()), "{name}"),
            _ => assert_ne!(signed_out.1, "signed_out", "{name}"),
        }
        for (role, user) in PEOPLE {
            // A token of its own, since signing out is one of the routes.
            let token = http.token_again(user).await;
            let (status, code) = call(&http, route, Some(&token)).await.code();
            assert!(described(status), "{name} answers {status} {code}");
            let Access::Roles(roles) = route.access else { continue };
            if roles.contains(&role) {
                let nothing_there = route.path.contains('{') && code == "not_found";
                let shut = SHUT.contains(&code.as_str()) && !nothing_there;
                assert!(!shut, "{role} {name}: {status} {code}");
                assert!(status < 500, "{role} {name}: {status} {code}");
            } else {
                assert_eq!((status, code.as_str()), (403, "not_allowed"), "{role} {name}");
            }
        }
    }
}

#[tokio::test]
async fn a_disabled_user_has_no_access_to_any_route() {
    let http = http().await;
    let mut out = Vec::new();
    for (role, user) in PEOPLE {
        let expired = http.token(user).await;
        out.push((format!("expired {role}"), role, expired));
    }
    http.office.advance(91 * 24 * 60 * 60 * 1000);
    for (role, user) in PEOPLE {
        let left = http.token(user).await;
        http.ask(ask("DELETE", "/api/session", Some(&left)).body(Body::empty()).unwrap()).await;
        out.push((format!("signed out {role}"), role, left));
        let changed = http.token(user).await;
        out.push((format!("locked out {role}"), role, changed));
        let lost = http.token(user).await;
        let me = http.get("/api/session", Some(&lost)).await.json();
        let device = me["device"].as_str().unwrap().parse().unwrap();
        http.accounts.revoke_device(device, "admin", "lost").await.unwrap();
        out.push((format!("revoked {role}"), role, lost));
        http.disable(user).await;
    }
    out.push(("made up".to_owned(), Role::Admin, "0".repeat(64)));
    out.push(("nonsense".to_owned(), Role::Admin, "; drop table".to_owned()));
    for route in ROUTES {
        let Access::Roles(_) = route.access else { continue };
        for (who, role, token) in &out {
            // A revoked phone may upload its unsent work and receives nothing.
            let shut_out = who.starts_with("revoked") || who.starts_with("locked");
            let hands_over = route.path == "/sync" || route.path.starts_with("/api/blobs/");
            if hands_over && route.method != Method::GET && *role == Role::Collector && shut_out {
                continue;
            }
            let (status, code) = call(&http, route, Some(token)).await.code();
            let name = format!("{who}: {} {}", route.method, route.path);
            let shut =
                matches!((status, code.as_str()), (401, "signed_out") | (403, "not_allowed"));
            assert!(shut, "{name}: {status} {code}");
        }
    }
}

#[tokio::test]
async fn a_method_that_the_table_does_not_name_reaches_no_handler() {
    let http = http().await;
    let paths: BTreeSet<&str> = ROUTES.iter().map(|route| route.path).collect();
    for path in paths {
        let named: BTreeSet<&str> = ROUTES
            .iter()
            .filter(|route| mounted_as(route.path) == mounted_as(path))
            .map(|route| route.method.as_str())
            .collect();
        for method in METHODS {
            let read = method == "HEAD" && named.contains("GET");
            if named.contains(method) || read {
                continue;
            }
            for (_, user) in PEOPLE {
                let token = http.token_again(user).await;
                let request = ask(method, &filled(path), Some(&token)).body(Body::empty());
                let answer = http.ask(request.unwrap()).await;
                assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_head_is_let_in_where_a_get_is() {
    let http = http().await;
    for route in ROUTES.iter().filter(|route| route.method == Method::GET) {
        let Access::Roles(roles) = route.access else { continue };
        for (role, user) in PEOPLE {
            let token = http.token_again(user).await;
            let path = with_query(route.path);
            let request = ask("HEAD", &path, Some(&token)).body(Body::empty()).unwrap();
            let status = http.begin(request).await.status();
            let refused = status == StatusCode::FORBIDDEN;
            assert_eq!(refused, !roles.contains(&role), "{role} HEAD {path}: {status}");
        }
        let request = ask("HEAD", &filled(route.path), None).body(Body::empty()).unwrap();
        assert_eq!(http.begin(request).await.status(), StatusCode::UNAUTHORIZED);
    }
}

/// Ways of writing a path that a guard and a router might read differently.
#[tokio::test]
async fn another_spelling_of_a_path_reaches_nothing_that_is_guarded() {
    let http = http().await;
    http.visit("NB-SECRET", &["wu.min"]).await;
    let collector = http.token("chen.jie").await;
    let admin = http.token("ops").await;
    for route in ROUTES {
        let Access::Roles(roles) = route.access else { continue };
        let plain = filled(route.path);
        let (head, last) = plain.rsplit_once('/').unwrap();
        let encoded = last.bytes().next().map_or(String::new(), |b| format!("%{b:02X}"));
        let rest = last.get(1..).unwrap_or_default();
        for spelling in [
            format!("{plain}/"),
            format!("/{plain}"),
            format!("{head}//{last}"),
            format!("{head}/./{last}"),
            format!("{head}/x/../{last}"),
            format!("{head}/%2e%2e/{last}"),
            format!("{head}/{encoded}{rest}"),
            format!("{head}%2F{last}"),
            format!("{head}/{last};x=1"),
            format!("{head}/{last}%00"),
            format!("{head}/{last}%20"),
            plain.to_uppercase(),
            format!("/office/..{plain}"),
        ] {
            for token in [None, Some(collector.as_str()), Some(admin.as_str())] {
                let Ok(request) = ask(route.method.as_str(), &spelling, token).body(Body::empty())
                else {
                    continue; // no address at all
                };
                let answer = ended(http.begin(request).await).await;
                let allowed = token == Some(admin.as_str()) && roles.contains(&Role::Admin)
                    || token == Some(collector.as_str()) && roles.contains(&Role::Collector);
                let name = format!("{} {spelling} ({:?})", route.method, token.map(|t| t.len()));
                if answer.status.is_success() && !allowed {
                    // One of the two apps: the same page for everybody.
                    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{name}");
                }
                assert!(!answer.text().contains("NB-SECRET") || allowed, "{name}");
                assert!(answer.status.as_u16() < 500, "{name}: {}", answer.status);
            }
        }
    }
}

#[tokio::test]
async fn a_password_signs_in_and_nothing_else_that_is_open_says_anything_of_anybody() {
    let http = http().await;
    http.visit("NB-SECRET", &["wu.min"]).await;
    for route in ROUTES.iter().filter(|route| route.access == Access::Anyone) {
        let said = call(&http, route, None).await.text();
        for secret in ["NB-SECRET", "wu.min", "王芳", PASSWORD] {
            assert!(!said.contains(secret), "{} {}: {said}", route.method, route.path);
        }
    }
}

/// The path under which the router has a route: it tells no ending from an id.
fn mounted_as(path: &'static str) -> &'static str {
    path.strip_suffix(".automerge").unwrap_or(path)
}

/// The path with unknown ids, names and hashes in its parameters.
pub(crate) fn filled(path: &str) -> String {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap();
        filled.push_str(before);
        filled.push_str(&match name {
            "id" if path.starts_with("/api/devices") => "0".repeat(32),
            "id" => "01a20aaf-78e0-7801-9dc4-6124dccd5cf9".to_owned(),
            "sha256" => "ab".repeat(32),
            "number" => "4711".to_owned(),
            _ => "unknown".to_owned(),
        });
        rest = behind;
    }
    filled + rest
}

fn with_query(path: &str) -> String {
    let path = filled(path);
    if path == "/api/export" { format!("{path}?format=csv") } else { path }
}

pub(crate) async fn call(http: &HttpOffice, route: &Route, token: Option<&str>) -> Answer {
    let request = ask(route.method.as_str(), &with_query(route.path), token);
    let request = match route.request_media() {
        Some(media) => request.header(header::CONTENT_TYPE, media),
        None => request,
    };
    ended(http.begin(request.body(Body::empty()).unwrap()).await).await
}

/// An answer without the body of one that never ends.
async fn ended(response: axum::response::Response) -> Answer {
    let (head, body) = response.into_parts();
    let body = if is_endless(&head.headers) {
        Vec::new()
    } else {
        http_body_util::BodyExt::collect(body).await.unwrap().to_bytes().to_vec()
    };
    Answer { status: head.status, headers: head.headers, body }
}

fn is_endless(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|media| media == "text/event-stream")
}
