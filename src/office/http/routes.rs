//! What a route is. All of them are declared once, in the [`table`]: handler, who may use it, how its
//! requests wait, and what it is for. The router, the guard and the OpenAPI description are built
//! from that.

mod table;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter};
pub use table::ROUTES;
pub(super) use table::{BYTES, JSON};

use super::App;
use super::endpoint::{Endpoint, Schemas, Signature};
use super::guard::{self, Guarded};
use super::layers::{self, Queued};
use super::traffic::{Limits, Queue};
use crate::record::terms::Role;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anyone,
    /// The machine's operator: a program on it, or one that has the metrics token.
    Operator,
    /// A program with a token for reports.
    Reports,
    /// These roles, signed in.
    Roles(&'static [Role]),
}

/// How requests to a route wait for their turn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Admission {
    /// Not at all: the answer costs next to nothing.
    Immediate,
    /// The handler itself takes a slot and holds it until the last byte is sent.
    Download,
    /// The answer never ends; its number per user is bounded instead.
    Stream,
    /// In a queue, once the whole request is here. The second is the largest body in bytes.
    Queued(Queue, fn(&Limits) -> usize),
}

/// Status codes of problems, with the `code`s that come with them.
pub(super) type Problems = &'static [(u16, &'static [&'static str])];

/// One route.
#[derive(Debug)]
pub struct Route {
    /// Method. A route for GET answers HEAD too.
    pub method: Method,
    /// Path as it is documented; `{id}` is the id of a record or a device, `{number}` one in
    /// quarantine.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What it does.
    pub summary: &'static str,
    pub(super) admission: Admission,
    /// Status of the answer when all is well.
    pub(super) status: u16,
    /// Media types of bodies that the handler's signature does not tell.
    request_media: Option<&'static str>,
    response_media: Option<&'static str>,
    /// Problems that only this route has.
    pub(super) problems: Problems,
    /// Revoked devices may still send what they have (rule F4).
    pub(super) open_to_revoked: bool,
    /// Another row's handler answers this path as well: the router can't tell an ending from an id.
    is_alias: bool,
    endpoint: fn() -> Endpoint,
}

/// A row of the table: what every route has to declare.
const fn route(
    method: Method,
    path: &'static str,
    access: Access,
    admission: Admission,
    endpoint: fn() -> Endpoint,
    summary: &'static str,
) -> Route {
    Route {
        method,
        path,
        access,
        summary,
        admission,
        status: 200,
        request_media: None,
        response_media: None,
        problems: &[],
        open_to_revoked: false,
        is_alias: false,
        endpoint,
    }
}

impl Route {
    const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    const fn takes(mut self, media: &'static str) -> Self {
        self.request_media = Some(media);
        self
    }

    const fn gives(mut self, media: &'static str) -> Self {
        self.response_media = Some(media);
        self
    }

    const fn problems(mut self, problems: Problems) -> Self {
        self.problems = problems;
        self
    }

    const fn open_to_revoked(mut self) -> Self {
        self.open_to_revoked = true;
        self
    }

    const fn alias(mut self) -> Self {
        self.is_alias = true;
        self
    }

    /// What the handler takes and gives; its types are added to the schemas.
    pub(super) fn signature<'s>(&self, schemas: &'s mut Schemas) -> Signature<'s> {
        let mut signature = Signature::new(schemas);
        (self.endpoint)().describe(&mut signature);
        let no_schema = || serde_json::json!({});
        if let Some(media) = self.request_media {
            signature.request = Some((media, no_schema()));
        }
        if let Some(media) = self.response_media {
            signature.response = Some((media, no_schema()));
        }
        signature
    }

    /// Media type of the request's body, if it has one.
    pub fn request_media(&self) -> Option<&'static str> {
        self.signature(&mut Schemas::new()).request.map(|(media, _)| media)
    }

    /// The handler behind its queue and its guard.
    fn mount(&'static self, app: &Arc<App>) -> MethodRouter<Arc<App>, Infallible> {
        let limits = app.traffic.limits();
        let method = MethodFilter::try_from(self.method.clone()).unwrap_or(MethodFilter::GET);
        let handler = (self.endpoint)().mount(method);
        let handler = match self.admission {
            Admission::Immediate => handler.layer(layers::timeout(limits.response_timeout)),
            Admission::Download => handler.layer(layers::timeout(limits.long_response_timeout)),
            Admission::Stream => handler,
            Admission::Queued(queue, max_body) => {
                let queued = Queued::new(app.traffic.clone(), queue, max_body(limits));
                // The queue's own layer bounds bodies.
                let handler = handler.layer(DefaultBodyLimit::disable());
                handler.layer(from_fn_with_state(queued, layers::wait_in_queue))
            }
        };
        let guarded = Guarded { app: Arc::clone(app), route: self };
        handler.layer(from_fn_with_state(guarded, guard::admit))
    }
}

/// Every route of the table, guarded.
pub(super) fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let mounted = ROUTES.iter().filter(|route| !route.is_alias);
    mounted.fold(Router::new(), |router, route| router.route(route.path, route.mount(app)))
}

/// The table's own copy of a path that the router matched.
pub(super) fn name(matched: &str) -> &'static str {
    ROUTES.iter().find(|route| route.path == matched).map_or("other", |route| route.path)
}
