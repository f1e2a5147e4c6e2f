//! Compares what the office answers with the schemas that it publishes.

use axum::http::Method;
use doorstep::office::http::{ROUTES, openapi};
use serde_json::{Map, Value};

/// Panics if an answer in JSON is not what its route declares.
pub(crate) fn check(method: &Method, path: &str, body: &[u8]) {
    let Some(template) = template_of(method, path) else { return };
    let body: Value = serde_json::from_slice(body).unwrap();
    let operation = &openapi()["paths"][template][method.as_str().to_lowercase()];
    let responses = operation["responses"].as_object().unwrap();
    let (_, success) = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap();
    let schema = &success["content"]["application/json"]["schema"];
    assert!(!schema.is_null(), "{method} {template} declares no JSON");
    if let Err(error) = validate(&body, schema) {
        panic!("{method} {template} answers with what it does not declare: {error}\n{body:#}");
    }
}

/// The documented path of the route that takes a request.
fn template_of(method: &Method, path: &str) -> Option<&'static str> {
    let matches = |template: &str| {
        let (template, path) = (template.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template.zip(path).all(|(part, given)| part.starts_with('{') || part == given)
    };
    let routes = ROUTES.iter().filter(|route| route.method == *method && matches(route.path));
    // A path without a gap is the better match: `usage` is no number.
    routes.map(|route| route.path).min_by_key(|template| template.contains('{'))
}

/// Checks a value against a schema in the part of JSON Schema that the office uses.
fn validate(value: &Value, schema: &Value) -> Result<(), String> {
    let Value::Object(schema) = schema else {
        return if *schema == Value::Bool(false) { Err("never valid".into()) } else { Ok(()) };
    };
    for (keyword, expected) in schema {
        let fits = match keyword.as_str() {
            "title" | "description" | "format" | "default" | "required" => true,
            "$ref" => {
                let place = expected.as_str().unwrap().trim_start_matches('#');
                validate(value, openapi().pointer(place).unwrap())?;
                true
            }
            "type" => match expected {
                Value::Array(types) => types.iter().any(|kind| is_of_type(value, kind)),
                kind => is_of_type(value, kind),
            },
            "const" => value == expected,
            "enum" => expected.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|number| number >= expected.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= expected.as_f64().unwrap()),
            "allOf" => {
                expected.as_array().unwrap().iter().try_for_each(|part| validate(value, part))?;
                true
            }
            "anyOf" | "oneOf" => {
                let parts = expected.as_array().unwrap().iter();
                let fitting = parts.filter(|part| validate(value, part).is_ok()).count();
                fitting == 1 || (fitting > 1 && keyword == "anyOf")
            }
            "items" => {
                let mut items = value.as_array().into_iter().flatten();
                items.try_for_each(|item| validate(item, expected))?;
                true
            }
            "properties" => has_properties(value, expected.as_object().unwrap(), schema)?,
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let mut others = value.as_object().into_iter().flatten();
                others.try_for_each(|(name, value)| match known {
                    Some(known) if known.contains_key(name) => Ok(()),
                    _ => validate(value, expected).map_err(|error| format!("{name}: {error}")),
                })?;
                true
            }
            unknown => panic!("this test does not know the keyword {unknown}"),
        };
        if !fits {
            return Err(format!("{value} is not {keyword}: {expected}"));
        }
    }
    Ok(())
}

/// Whether an object has what is required, and nothing that is not described: such a field would
/// be missing in the console's types.
fn has_properties(
    value: &Value,
    properties: &Map<String, Value>,
    schema: &Map<String, Value>,
) -> Result<bool, String> {
    let Some(object) = value.as_object() else { return Ok(true) };
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        if !object.contains_key(name) {
            return Err(format!("{name} is missing"));
        }
    }
    // The other parts of a union of references describe fields too.
    let is_whole = !schema.contains_key("allOf") && !schema.contains_key("oneOf");
    for (name, value) in object {
        match properties.get(name) {
            Some(property) => {
                validate(value, property).map_err(|error| format!("{name}: {error}"))?;
            }
            None if is_whole && !schema.contains_key("additionalProperties") => {
                return Err(format!("{name} is not described"));
            }
            None => {}
        }
    }
    Ok(true)
}

fn is_of_type(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("{unknown} is no type of JSON"),
    }
}
