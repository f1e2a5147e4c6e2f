//! `/api/openapi.json`, built from the table of routes and the types of their handlers, so that it
//! can't leave one out or differ from the code. Which problems a route may answer with follows from
//! what it takes and who may use it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Json;
use axum::http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::endpoint::{Schemas, Signature};
use super::problem::ProblemDetails;
use super::routes::{Access, JSON, ROUTES, Route};

static DESCRIPTION: LazyLock<Value> = LazyLock::new(describe);

/// The OpenAPI description of the whole API.
pub fn openapi() -> &'static Value {
    &DESCRIPTION
}

pub(super) async fn show() -> Json<&'static Value> {
    Json(openapi())
}

fn describe() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            let operation = operation(route, route.signature(&mut schemas));
            path.insert(route.method.as_str().to_lowercase(), operation);
        }
    }
    let mut schemas = schemas.into_definitions();
    schemas.insert(
        "Problem".to_owned(),
        ProblemDetails::json_schema(&mut SchemaGenerator::default()).into(),
    );
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
                "report": { "type": "http", "scheme": "bearer", "description": REPORT_TOKEN },
                "report_basic": { "type": "http", "scheme": "basic", "description": REPORT_TOKEN },
                "metrics": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The metrics token; programs of the office's own machine need none.",
                },
            },
            "schemas": schemas,
        },
    })
}

const REPORT_TOKEN: &str = "A token for reports; as a password it goes with any user name.";

fn operation(route: &Route, signature: Signature) -> Value {
    let Signature { query, request, response, .. } = signature;
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
    let has_query = !query.is_empty();
    parameters.extend(query);
    let answer = match response {
        None => json!({ "description": "Done" }),
        Some((media, schema)) => {
            json!({ "description": "All is well", "content": { media: { "schema": schema } } })
        }
    };
    let mut responses = Map::new();
    responses.insert(route.status.to_string(), answer);
    let problems = problems(route, has_query, request.as_ref().map(|(media, _)| *media));
    responses
        .extend(problems.into_iter().map(|(status, codes)| (status.to_string(), told(&codes))));
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(operation) = operation.as_object_mut() {
        if let Some((media, schema)) = request {
            let body = json!({ "required": true, "content": { media: { "schema": schema } } });
            operation.insert("requestBody".to_owned(), body);
        }
        match route.access {
            Access::Anyone => operation.insert("security".to_owned(), json!([])),
            Access::Operator => {
                let either = json!([{}, { "metrics": [] }]);
                operation.insert("security".to_owned(), either)
            }
            Access::Reports => {
                let either = json!([{ "report": [] }, { "report_basic": [] }]);
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
fn problems(
    route: &Route,
    has_query: bool,
    request: Option<&str>,
) -> BTreeMap<u16, Vec<&'static str>> {
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
        Access::Reports => may(401, &["report_token"]),
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
    }
    if has_query {
        may(400, &["malformed"]);
        may(422, &["invalid_value"]);
    }
    if let Some(media) = request {
        may(400, &["malformed"]);
        may(408, &["timeout"]);
        may(413, &["too_large"]);
        if media == JSON {
            may(415, &["malformed"]);
            may(422, &["malformed", "invalid_value"]);
        }
    }
    for (status, codes) in route.problems {
        may(*status, codes);
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
