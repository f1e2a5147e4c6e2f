//! The table of routes against what the router does.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::header;
use doorstep::office::http::{ROUTES, openapi};

use crate::support::http_office::{HttpOffice, ask};

#[tokio::test]
async fn the_description_lists_every_route() {
    let http = HttpOffice::open().await;
    let description = http.get("/api/openapi.json", None).await.json();
    let described: BTreeSet<String> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let routes: BTreeSet<String> =
        ROUTES.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, routes);
    assert_eq!(ROUTES.len(), routes.len(), "a route stands twice");
}

#[tokio::test]
async fn the_description_is_whole_and_valid() {
    let http = HttpOffice::open().await;
    let text = http.get("/api/openapi.json", None).await.text();
    let spec = oas3::from_json(&text).unwrap();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in spec.operations() {
        let name = format!("{method} {path}");
        assert!(ids.insert(operation.operation_id.clone().unwrap()), "{name} has another's id");
        assert!(!operation.summary.as_deref().unwrap_or_default().is_empty(), "{name}");
        let parameters = operation.parameters(&spec).unwrap();
        let in_path = parameters
            .iter()
            .filter(|parameter| matches!(parameter.location, oas3::spec::ParameterIn::Path));
        assert_eq!(in_path.count(), path.matches('{').count(), "{name}");
        let responses = operation.responses(&spec);
        for always in ["429", "500", "503"] {
            assert!(responses.contains_key(always), "{name} lacks {always}");
        }
        let (well, ill): (Vec<_>, Vec<_>) =
            responses.iter().partition(|(status, _)| status.starts_with(['2', '3']));
        assert_eq!(well.len(), 1, "{name}");
        for (status, response) in ill {
            let media = &response.content["application/problem+json"];
            let schema = media.schema.as_ref().unwrap().resolve(&spec).unwrap();
            assert!(matches!(schema, oas3::spec::Schema::Object(_)), "{name} {status}");
        }
    }
}

/// The console's types are generated from this file. `make api` writes it and them anew.
#[test]
fn the_checked_in_description_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/www/openapi.json");
    let current = format!("{:#}\n", openapi());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(file, current).unwrap();
        return;
    }
    let checked_in = std::fs::read_to_string(file).unwrap();
    assert!(checked_in == current, "www/openapi.json is stale: run make api");
}

#[tokio::test]
async fn methods_and_addresses_that_are_not_there_are_problems() {
    let http = HttpOffice::open().await;
    let token = http.token("admin").await;
    let delete = ask("DELETE", "/api/visits", Some(&token)).body(Body::empty()).unwrap();
    let answer = http.ask(delete).await;
    assert_eq!(answer.code(), (405, "method_not_allowed".into()));
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let answer = http.get("/api/nothing", Some(&token)).await;
    assert_eq!(answer.code(), (404, "not_found".into()));
    let answer = http.post("/", None, Vec::new()).await;
    assert_eq!(answer.code(), (405, "method_not_allowed".into()));
}

#[tokio::test]
async fn every_answer_carries_the_office_clock_and_its_fences() {
    let http = HttpOffice::open().await;
    for path in ["/healthz", "/readyz", "/", "/api/session", "/api/nothing"] {
        let answer = http.get(path, None).await;
        assert_eq!(answer.header("date"), "Mon, 23 Nov 2026 10:30:00 GMT", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
        let private = path.starts_with("/api");
        assert_eq!(answer.header("cache-control") == "no-store", private, "{path}");
    }
}

#[tokio::test]
async fn answers_of_the_api_are_compressed_and_rounds_are_not() {
    let http = HttpOffice::open().await;
    let get = |path: &str| {
        let request = ask("GET", path, None).header(header::ACCEPT_ENCODING, "gzip, br");
        request.body(Body::empty()).unwrap()
    };
    let answer = http.ask(get("/api/openapi.json")).await;
    assert_eq!(answer.header("content-encoding"), "br");
    let token = http.token("chen.jie").await;
    let round = ask("POST", "/sync", Some(&token)).header(header::ACCEPT_ENCODING, "br");
    let body = doorstep::sync::message::encode_request(&Default::default());
    let answer = http.ask(round.body(Body::from(body)).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-encoding")), (200, ""));
}
