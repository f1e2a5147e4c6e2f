//! What a handler takes and gives, read from its own signature, so that the description of a
//! route can't differ from its code.

use std::future::Future;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::handler::Handler;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::extract::{Audit, Caller, ProblemBody, ProblemParts, State};
use super::routes::{BYTES, JSON};
use super::traffic::ClientAddr;
use super::{App, Problem};

/// A handler that can be mounted and described.
pub(super) struct Endpoint {
    mount: Box<dyn FnOnce(MethodFilter) -> MethodRouter<Arc<App>>>,
    describe: fn(&mut Signature),
}

/// Wraps a handler.
pub(super) fn endpoint<H, T, P>(handler: H) -> Endpoint
where
    H: Handler<T, Arc<App>> + Described<P>,
    T: 'static,
{
    Endpoint { mount: Box::new(|method| on(method, handler)), describe: H::describe }
}

impl Endpoint {
    pub(super) fn mount(self, method: MethodFilter) -> MethodRouter<Arc<App>> {
        (self.mount)(method)
    }

    pub(super) fn describe(&self, signature: &mut Signature) {
        (self.describe)(signature);
    }
}

/// Schemas of what the API takes and of what it gives. They are apart because a field with a
/// default may be left out of a request and is always there in a response.
pub(super) struct Schemas {
    requests: SchemaGenerator,
    responses: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.transforms.push(Box::new(RecursiveTransform(SeparateReference)));
            })
        };
        Self {
            requests: settings().for_deserialize().into_generator(),
            responses: settings().for_serialize().into_generator(),
        }
    }

    /// Every named schema. A type that is used in both directions has to be the same in both.
    pub(super) fn into_definitions(mut self) -> Map<String, Value> {
        let mut definitions = self.requests.take_definitions(true);
        for (name, schema) in self.responses.take_definitions(true) {
            if let Some(request) = definitions.insert(name.clone(), schema)
                && definitions.get(&name) != Some(&request)
            {
                tracing::error!(name, "a type differs between requests and responses");
                debug_assert!(false, "{name} differs between requests and responses");
            }
        }
        definitions
    }
}

/// Moves a reference that has other keywords beside it into `allOf`: many tools ignore those.
#[derive(Debug, Clone)]
struct SeparateReference;

impl Transform for SeparateReference {
    fn transform(&mut self, schema: &mut Schema) {
        if schema.get("properties").is_some()
            && let Some(reference) = schema.remove("$ref")
        {
            schema.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
        }
    }
}

/// What one handler takes and gives.
pub(super) struct Signature<'s> {
    schemas: &'s mut Schemas,
    /// Query parameters in the form of OpenAPI.
    pub(super) query: Vec<Value>,
    /// Media type and schema of the request's body.
    pub(super) request: Option<(&'static str, Value)>,
    /// Media type and schema of the response's body.
    pub(super) response: Option<(&'static str, Value)>,
}

impl<'s> Signature<'s> {
    pub(super) fn new(schemas: &'s mut Schemas) -> Self {
        Self { schemas, query: Vec::new(), request: None, response: None }
    }
}

/// A part of a handler's signature, which may add to the description.
pub(super) trait Describe {
    fn describe(_: &mut Signature) {}
}

impl Describe for State<Arc<App>> {}
impl Describe for Audit {}
impl Describe for Caller {}
impl Describe for ClientAddr {}
impl Describe for HeaderMap {}
impl Describe for Extensions {}
impl<T> Describe for ProblemParts<Path<T>> {}

impl<T: JsonSchema> Describe for ProblemParts<Query<T>> {
    fn describe(signature: &mut Signature) {
        let schema = T::json_schema(&mut signature.schemas.requests);
        let properties = schema.get("properties").and_then(Value::as_object);
        signature.query = properties
            .into_iter()
            .flatten()
            .map(|(name, property)| {
                json!({
                    "name": name,
                    "in": "query",
                    "description": property.get("description"),
                    "schema": { "type": "string" },
                })
            })
            .collect();
    }
}

impl<T: JsonSchema> Describe for ProblemBody<Json<T>> {
    fn describe(signature: &mut Signature) {
        let schema = signature.schemas.requests.subschema_for::<T>();
        signature.request = Some((JSON, schema.to_value()));
    }
}

impl Describe for ProblemBody<Bytes> {
    fn describe(signature: &mut Signature) {
        signature.request = Some((BYTES, json!({})));
    }
}

impl<T: JsonSchema> Describe for Json<T> {
    fn describe(signature: &mut Signature) {
        let schema = signature.schemas.responses.subschema_for::<T>();
        signature.response = Some((JSON, schema.to_value()));
    }
}

/// Responses whose row in the table of routes says what they are.
impl Describe for Response {}
impl Describe for StatusCode {}

/// Status or headers before a body.
impl<H, B: Describe> Describe for (H, B) {
    fn describe(signature: &mut Signature) {
        B::describe(signature);
    }
}

impl<R: Describe> Describe for Result<R, Problem> {
    fn describe(signature: &mut Signature) {
        R::describe(signature);
    }
}

/// A handler all of whose parts are described.
pub(super) trait Described<Parts> {
    fn describe(signature: &mut Signature);
}

macro_rules! described {
    ($($part:ident)*) => {
        impl<F, Fut, R, $($part,)*> Described<($($part,)*)> for F
        where
            F: Fn($($part),*) -> Fut,
            Fut: Future<Output = R>,
            R: Describe,
            $($part: Describe,)*
        {
            fn describe(signature: &mut Signature) {
                $($part::describe(signature);)*
                R::describe(signature);
            }
        }
    };
}
described!();
described!(A);
described!(A B);
described!(A B C);
described!(A B C D);
described!(A B C D E);
