//! The office over HTTP: the phones' rounds, the console's API, and the pages themselves.
//!
//! One table ([`routes`]) declares every route: its handler, who may use it, how its requests wait,
//! and what it is for. The router, the guard and the OpenAPI description are built from it.
//! Every error leaves as problem details (RFC 9457) through one mapping ([`problem`]); what
//! failed inside is logged, never sent. Logs name methods, paths, statuses and request ids, and
//! nothing that a record, a query or a form says.

mod assets;
mod audit;
mod blobs;
mod bulk;
mod commands;
mod complaints;
mod conduct;
mod cookies;
mod device_key;
mod endpoint;
mod events;
mod extract;
mod fleet;
mod guard;
mod health;
mod imports;
mod layers;
mod lender;
mod metrics;
mod odata;
mod openapi;
mod openid_sign_in;
mod problem;
mod proposals;
mod quarantine;
mod query;
mod queues;
mod receipts;
mod report;
mod report_tokens;
mod reviews;
mod routes;
mod safety;
mod serve;
mod session;
mod support;
mod sync;
mod tls;
mod traffic;
mod transfer;
mod users;
mod views;
mod visits;
mod web_push;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use chrono_tz::Tz;
use tokio::sync::watch;

pub use assets::{Asset, Assets};
pub use lender::Lender;
pub use metrics::Metrics;
pub use openapi::openapi;
pub use problem::Problem;
pub use routes::{Access, ROUTES, Route};
pub use serve::serve;
pub use tls::{Acme, Tls};
pub use traffic::{
    BodyLimits, CallerLimits, Limits, QueueLimits, Traffic, TrafficConfig, TrustedProxies,
};

use super::Office;
use super::auth::Accounts;
use super::auth::openid::OpenId;

/// Everything that handlers share. Clones share it.
#[derive(Clone)]
pub struct App {
    /// The service.
    pub office: Office,
    /// Users, devices and sign-ins.
    pub accounts: Accounts,
    /// Static files of the two apps.
    pub assets: Assets,
    /// Zone of borrowers where a case list doesn't say.
    pub zone: Option<Tz>,
    /// The lender, as borrowers are told.
    pub lender: Lender,
    /// Whether clients come over TLS: cookies are for TLS only then.
    pub secure: bool,
    /// Origin by which clients reach the office, such as `https://office.example`, where a proxy
    /// hides it.
    pub public: Option<String>,
    /// The identity provider, if there is one.
    pub openid: Option<Arc<OpenId>>,
    /// Rate limits, queues and memory for bodies.
    pub traffic: Traffic,
    /// Turns true when the program stops, so that open streams end.
    pub closing: watch::Receiver<bool>,
}

/// The whole endpoint.
pub fn router(app: App) -> Router {
    let app = Arc::new(app);
    let routes = routes::router(&app).method_not_allowed_fallback(method_not_allowed);
    layers::around(routes.fallback(assets::serve), &app).with_state(app)
}

async fn method_not_allowed() -> Problem {
    let detail = "this address doesn't take that method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
