//! The office over HTTP: the phones' rounds, the console's API, and the pages themselves.
//!
//! One table ([`routes`]) says which route there is, who may use it and what it is for; requests
//! are checked against it before any handler runs, and the OpenAPI description is made from it.
//! Every error leaves as problem details (RFC 9457) through one mapping ([`problem`]); what
//! failed inside is logged, never sent. Logs name methods, paths, statuses and request ids, and
//! nothing that a record, a query or a form says.

mod assets;
mod blobs;
mod commands;
mod conduct;
mod cookies;
mod device_key;
mod events;
mod extract;
mod guard;
mod health;
mod layers;
mod lender;
mod metrics;
mod openapi;
mod openid_sign_in;
mod problem;
mod quarantine;
mod routes;
mod serve;
mod session;
mod sync;
mod tls;
mod traffic;
mod transfer;
mod users;
mod visits;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, patch, post, put};
use chrono_tz::Tz;
use tokio::sync::watch;

pub use assets::{Asset, Assets};
pub use lender::Lender;
pub use metrics::Metrics;
pub use problem::Problem;
pub use routes::{Access, ROUTES, Route};
pub use serve::serve;
pub use tls::{Acme, Tls};
pub use traffic::{
    BodyLimits, CallerLimits, Limits, QueueLimits, Traffic, TrafficConfig, TrustedProxies,
};

use layers::QueuedRoute;
use traffic::Queue;

use super::Office;
use super::auth::Accounts;
use super::auth::openid::OpenId;
use super::blobs::MAX_PIECE_BYTES;
use crate::sync::message::MAX_BODY;

/// The largest piece of an attachment.
const MAX_PIECE: usize = MAX_PIECE_BYTES as usize;

/// Everything that handlers share. Clones share it.
#[derive(Clone)]
pub struct App {
    /// The service.
    pub office: Office,
    /// Users, devices and sign-ins.
    pub accounts: Accounts,
    /// What is served besides the API.
    pub assets: Assets,
    /// Zone of borrowers where a case list doesn't say.
    pub zone: Option<Tz>,
    /// What borrowers are told of the lender.
    pub lender: Lender,
    /// Whether clients come over TLS: cookies are for TLS only then.
    pub secure: bool,
    /// Origin by which clients reach the office, such as `https://office.example`, where a proxy
    /// hides it.
    pub public: Option<String>,
    /// The identity provider, where there is one.
    pub openid: Option<Arc<OpenId>>,
    /// What the network may ask for.
    pub traffic: Traffic,
    /// QueueLimits true when the program stops, so that open streams end.
    pub closing: watch::Receiver<bool>,
}

/// The whole endpoint.
pub fn router(app: App) -> Router {
    let limits = app.traffic.limits();
    let sign_in = Router::new()
        .route("/api/session", post(session::sign_in))
        .route("/api/sign-in", get(openid_sign_in::ways))
        .route("/api/sign-in/openid", post(openid_sign_in::begin))
        .route("/api/sign-in/openid/return", get(openid_sign_in::finish));
    let quick = Router::new()
        .route("/api/visits", get(visits::list))
        .route("/api/visits/{id}", get(visits::show))
        .route("/api/visits/{id}/history", get(visits::history))
        .route("/api/visits/{id}/conduct", get(conduct::show))
        .route("/api/conduct", get(conduct::queue))
        .route("/api/visits/{id}/commands", post(commands::apply))
        .route("/api/users", get(users::list).post(users::add_user))
        .route("/api/users/{name}", patch(users::change_user))
        .route("/api/devices", get(users::devices))
        .route("/api/devices/{id}/revoke", post(users::revoke))
        .route("/api/quarantine", get(quarantine::list))
        .route("/api/quarantine/usage", get(quarantine::usage))
        .route("/api/quarantine/{number}", get(quarantine::show))
        .route("/api/quarantine/{number}/accept", post(quarantine::accept))
        .route("/api/quarantine/{number}/dismiss", post(quarantine::dismiss));
    // For every role: collectors must not fill the console's memory for bodies.
    let own = Router::new()
        .route("/api/session", get(session::show).delete(session::sign_out))
        .route("/api/conduct/layers", get(conduct::layers))
        .route("/api/device/key", put(device_key::enrol))
        .route("/api/lender", get(lender::show));
    let rounds = Router::new().route("/sync", post(sync::round));
    let pieces = Router::new().route("/api/blobs/{sha256}", put(blobs::put).get(blobs::get));
    let import = Router::new().route("/api/cases/import", post(transfer::import));
    let exported =
        Router::new().route("/api/quarantine/export/delete", post(quarantine::delete_exported));
    // What needs no place at all, and an export, which holds its own until its last byte.
    let free = Router::new()
        .route("/api/openapi.json", get(openapi::show))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .layer(layers::timeout(limits.answer));
    let long = Router::new()
        .route("/api/export", get(transfer::export))
        .route("/api/quarantine/export", get(quarantine::export))
        .layer(layers::timeout(limits.long_response_timeout));
    let endless = Router::new().route("/api/events", get(events::stream));
    let guarded = in_turn(sign_in, &app, Queue::SignIns, limits.sign_in_body)
        .merge(in_turn(quick, &app, Queue::Reads, limits.command_body))
        .merge(in_turn(own, &app, Queue::Reads, limits.sign_in_body))
        .merge(in_turn(rounds, &app, Queue::Rounds, MAX_BODY))
        .merge(in_turn(pieces, &app, Queue::Pieces, MAX_PIECE))
        .merge(in_turn(import, &app, Queue::Sheets, limits.sheet_body))
        .merge(in_turn(exported, &app, Queue::Sheets, limits.command_body))
        .merge(free)
        .merge(long)
        .merge(endless)
        .route_layer(from_fn_with_state(app.clone(), guard::admit));
    layers::around(guarded.fallback(assets::serve), &app).with_state(Arc::new(app))
}

/// Routes whose requests stand in a queue once they are whole.
fn in_turn(routes: Router<Arc<App>>, app: &App, queue: Queue, body: usize) -> Router<Arc<App>> {
    let limits = app.traffic.limits();
    let patience =
        if queue == Queue::Sheets { limits.long_response_timeout } else { limits.answer };
    let waits = QueuedRoute { traffic: app.traffic.clone(), queue, body, patience };
    routes
        // The queue's own layer is what bounds bodies.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(waits, layers::in_turn))
}
