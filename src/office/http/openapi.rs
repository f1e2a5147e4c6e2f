//! `/api/openapi.json`, made from the table of routes so that it can't leave one out.

use axum::Json;
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
                    "description": "For pages; other methods than GET need the header X-Doorstep.",
                },
                "bearer": { "type": "http", "scheme": "bearer" },
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
            _ => "a name as the list gives it",
        };
        parameters.push(json!({
            "name": name, "in": "path", "required": true, "description": meaning,
            "schema": { "type": "string" },
        }));
    }
    if route.path.contains("{number}") {
        parameters.push(json!({
            "name": "number", "in": "path", "required": true,
            "description": "a number in quarantine", "schema": { "type": "integer" },
        }));
    }
    if route.path.contains("{sha256}") {
        parameters.push(json!({
            "name": "sha256", "in": "path", "required": true,
            "description": "SHA-256 of the attachment's bytes, 64 hex digits",
            "schema": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
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
    let mut operation = json!({
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            status.to_string(): answer,
            "default": {
                "description": "Something is not",
                "content": {
                    "application/problem+json": {
                        "schema": { "$ref": "#/components/schemas/Problem" },
                    },
                },
            },
        },
    });
    if let Some(operation) = operation.as_object_mut() {
        if let Some(media) = route.body {
            let body = json!({ "required": true, "content": { media: {} } });
            operation.insert("requestBody".to_owned(), body);
        }
        match route.access {
            Access::Anyone => operation.insert("security".to_owned(), json!([])),
            Access::Roles(roles) => {
                operation.insert("x-roles".to_owned(), json!(roles));
                let either = json!([{ "cookie": [] }, { "bearer": [] }]);
                operation.insert("security".to_owned(), either)
            }
        };
    }
    operation
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
