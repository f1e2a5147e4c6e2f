//! `/api/openapi.json`, made from the table of routes so that it can't leave one out. Which problems
//! a route may answer with follows from what it takes and who may use it.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::Method;
use serde_json::{Map, Value, json};

use super::routes::{Access, ROUTES, Route};

pub(super) async fn show() -> Json<Value> {
    Json(description())
}

fn description() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.as_str().to_lowercase(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Doorstep office",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Offline-first visit records. Times are ms since 1970 UTC, dates \
                YYYY-MM-DD, money minor units of the case's ISO 4217 currency. Errors are problem \
                details (RFC 9457) whose `code` is a stable word.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": super::cookies::SESSION.name(true),
                    "description": "For pages; other methods than GET need the header X-Doorstep, \
                        the app's version. A phone's app adds a space and the first 8 digits of its \
                        device's id, and then no session of another device answers.",
                },
                "bearer": { "type": "http", "scheme": "bearer" },
                "metrics": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The metrics token; programs of the office's own machine need none.",
                },
            },
            "schemas": { "Problem": problem() },
        },
    })
}

fn operation(route: &Route) -> Value {
    let (status, media) = route.answer;
    let mut parameters: Vec<Value> = Vec::new();
    for name in route.path.split('{').skip(1).filter_map(|part| part.split('}').next()) {
        let meaning = match (name, route.path.starts_with("/api/visits/")) {
            ("id", true) => "a record's id, UUIDv7",
            ("id", false) => "an id as the list gives it",
            ("sha256", _) => "SHA-256 of the attachment's bytes, 64 hex digits",
            ("number", _) => "a number in quarantine",
            _ => "a name as the list gives it",
        };
        parameters.push(json!({
            "name": name, "in": "path", "required": true, "description": meaning,
            "schema": { "type": "string" },
        }));
    }
    parameters.extend(route.query.iter().map(|(name, meaning)| {
        json!({
            "name": name, "in": "query", "description": meaning, "schema": { "type": "string" },
        })
    }));
    let answer = match status {
        204 => json!({ "description": "Done" }),
        _ => json!({ "description": "All is well", "content": { media: {} } }),
    };
    let mut responses = Map::new();
    responses.insert(status.to_string(), answer);
    let problems = problems(route);
    responses
        .extend(problems.into_iter().map(|(status, codes)| (status.to_string(), told(&codes))));
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(operation) = operation.as_object_mut() {
        if let Some(media) = route.body {
            let body = json!({ "required": true, "content": { media: {} } });
            operation.insert("requestBody".to_owned(), body);
        }
        match route.access {
            Access::Anyone => operation.insert("security".to_owned(), json!([])),
            Access::Operator => {
                let either = json!([{}, { "metrics": [] }]);
                operation.insert("security".to_owned(), either)
            }
            Access::Roles(roles) => {
                operation.insert("x-roles".to_owned(), json!(roles));
                let either = json!([{ "cookie": [] }, { "bearer": [] }]);
                operation.insert("security".to_owned(), either)
            }
        };
    }
    operation
}

/// Such as `get_api_visits_id_history`.
fn operation_id(route: &Route) -> String {
    let path: String = route
        .path
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
        .collect();
    let words: Vec<&str> = path.split('_').filter(|word| !word.is_empty()).collect();
    format!("{}_{}", route.method.as_str().to_lowercase(), words.join("_"))
}

/// What may go wrong: status and stable words.
fn problems(route: &Route) -> BTreeMap<u16, Vec<&'static str>> {
    let mut problems: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    let mut may = |status, codes: &[&'static str]| {
        problems.entry(status).or_default().extend_from_slice(codes);
    };
    may(429, &["rate_limited"]);
    may(500, &["internal"]);
    may(503, &["office_busy", "timeout", "closing"]);
    if route.method != Method::GET {
        may(403, &["other_site"]);
    }
    match route.access {
        Access::Anyone => {}
        Access::Operator => may(403, &["not_allowed"]),
        Access::Roles(_) => {
            may(401, &["signed_out"]);
            may(409, &["other_workspace"]);
            may(426, &["unsupported_version"]);
            may(403, &["not_allowed", "other_site"]);
            if route.method != Method::GET {
                may(403, &["missing_header"]);
            }
        }
    }
    if route.path.contains('{') {
        let unknown = if route.path.starts_with("/api/visits/") {
            "unknown_record"
        } else if route.path.starts_with("/api/blobs/") {
            "unknown_blob"
        } else {
            "not_found"
        };
        may(404, &[unknown]);
    }
    if route.path.contains("{number}") {
        may(404, &["unknown_quarantine"]);
        if route.method == Method::POST {
            may(409, &["already_accepted", "record_moved"]);
            may(422, &["reason_needed"]);
        }
    }
    if !route.query.is_empty() {
        may(400, &["malformed"]);
        may(422, &["invalid_value"]);
    }
    if let Some(media) = route.body {
        may(400, &["malformed"]);
        may(408, &["timeout"]);
        may(413, &["too_large"]);
        if media == "application/json" {
            may(415, &["malformed"]);
            may(422, &["malformed", "invalid_value"]);
        }
    }
    // What only one route has.
    match (route.method.as_str(), route.path) {
        ("POST", "/api/session") => {
            may(401, &["wrong_password"]);
            may(403, &["device_revoked", "device_of_other_user", "device_unknown"]);
            may(429, &["too_many_attempts", "too_many_devices"]);
        }
        ("GET", "/api/sign-in/openid/return") => {
            may(403, &["openid_unknown_account", "openid_other_account", "openid_not_linked"]);
            may(403, &["device_revoked", "device_unknown"]);
            may(404, &["not_found"]);
        }
        ("POST", "/api/sign-in/openid") => may(404, &["not_found"]),
        ("POST", "/api/users") => may(409, &["name_taken"]),
        ("PATCH", "/api/users/{name}") => may(409, &["last_admin", "account_taken"]),
        ("PUT", "/api/blobs/{sha256}") => {
            may(415, &["media_type"]);
            may(422, &["wrong_hash"]);
            may(507, &["too_much"]);
        }
        ("POST", "/api/visits/{id}/commands") => {
            may(409, &["sealed", "not_sealed", "fixed", "written_once"]);
            may(422, &["unknown_path", "not_a_collector"]);
        }
        ("POST", "/api/cases/import") => may(422, &["no_sheet", "not_a_collector"]),
        ("POST", "/api/quarantine/export/delete") => {
            may(409, &["export_changed", "nothing_to_export"]);
        }
        ("GET", "/readyz") => may(503, &["not_ready"]),
        _ => {}
    }
    for codes in problems.values_mut() {
        codes.sort_unstable();
        codes.dedup();
    }
    problems
}

fn told(codes: &[&str]) -> Value {
    let mut answer = json!({
        "description": codes.join(", "),
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    });
    if codes.iter().any(|code| ["office_busy", "rate_limited"].contains(code))
        && let Some(answer) = answer.as_object_mut()
    {
        let seconds = json!({ "type": "integer", "minimum": 1 });
        let header = json!({ "description": "seconds to stay away", "schema": seconds });
        answer.insert("headers".to_owned(), json!({ "Retry-After": header }));
    }
    answer
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "code": { "type": "string", "description": "a stable word, such as not_allowed" },
            "detail": { "type": "string", "description": "one sentence for people" },
            "path": { "type": "string", "description": "the field or parameter it is about" },
        },
    })
}
