//! What every request and answer passes through.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::timeout::TimeoutLayer;
use tracing::Instrument;
use uuid::Uuid;

use super::assets::StaticFile;
use super::problem::Code;
use super::traffic::{ClientAddr, Queue, RequestSource, Traffic};
use super::{App, Problem, metrics, routes};
use crate::office::cancel::CancelToken;
use crate::office::time;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Only what the pages need: their own scripts and wasm, no inline code or styles, no frames.
const CONTENT_SECURITY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; \
    connect-src 'self'; worker-src 'self'; manifest-src 'self'; object-src 'none'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Only the device features that a visit needs.
const PERMISSIONS: &str = "geolocation=(self), camera=(self), microphone=(self), \
    screen-wake-lock=(self), payment=(), usb=(), serial=(), bluetooth=(), browsing-topics=()";

static SECURITY_HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Browsers insist on TLS for a year.
const TLS_ONLY: &str = "max-age=31536000";

/// Ends a request whose answer does not begin in time.
pub(super) fn timeout(patience: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, patience)
}

/// The queue of a route, and its limits.
#[derive(Clone)]
pub(super) struct Queued {
    traffic: Traffic,
    queue: Queue,
    /// The largest body, bytes.
    max_body: usize,
    /// From the whole request to the beginning of its answer.
    timeout: Duration,
}

impl Queued {
    pub(super) fn new(traffic: Traffic, queue: Queue, max_body: usize) -> Self {
        let limits = traffic.limits();
        let timeout = match queue {
            Queue::Sheets => limits.long_response_timeout,
            Queue::Rounds | Queue::Pieces | Queue::Reads | Queue::SignIns => {
                limits.response_timeout
            }
        };
        Self { traffic, queue, max_body, timeout }
    }
}

/// Runs the handler once the whole request has arrived and a slot is free. A request that is still
/// arriving reserves memory for its bytes, but no slot.
///
/// Blocking work can't be interrupted, so it continues when its client disconnects or times out.
/// It keeps its slot and its body's memory until it is done: otherwise disconnecting early would
/// admit more work than the limits allow. Work in several steps is cancelled before its next step.
pub(super) async fn wait_in_queue(
    State(queued): State<Queued>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Queued { traffic, queue, max_body, timeout } = queued;
    let (mut head, body) = request.into_parts();
    let source = RequestSource::of(&head.extensions);
    let (bytes, reservation) = match announced_length(&head) {
        Some(0) => (Bytes::new(), None),
        Some(bytes) if bytes > max_body => return Err(Problem::too_large()),
        announced => {
            let received = traffic.receive(queue, &source, body, announced, max_body).await?;
            (received.0, Some(received.1))
        }
    };
    let permit = traffic.admit(queue, &source).await?;
    let cancel = CancelToken::with_deadline(Instant::now() + traffic.limits().round_work);
    let _cancel_on_drop = cancel.cancel_on_drop();
    head.extensions.insert(cancel);
    let work = async move {
        let _held = (reservation, permit);
        next.run(Request::from_parts(head, Body::from(bytes))).await
    };
    match tokio::time::timeout(timeout, tokio::spawn(work.in_current_span())).await {
        Ok(Ok(response)) => Ok(response),
        // For the layer that answers panics.
        Ok(Err(ended)) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Ok(Err(_)) => Err(Problem::closing()),
        Err(_) => Err(Problem::took_too_long()),
    }
}

/// The length that the head announces for the body, bytes; `None` if it announces none.
fn announced_length(head: &Parts) -> Option<usize> {
    if matches!(head.method, Method::GET | Method::HEAD | Method::DELETE) {
        return Some(0);
    }
    let length = head.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    Some(length.parse().unwrap_or(usize::MAX))
}

/// Puts the layers around the whole endpoint.
pub(super) fn around(router: Router<Arc<App>>, app: &Arc<App>) -> Router<Arc<App>> {
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(Arc::clone(app), observe))
        .layer(compression())
        .layer(from_fn_with_state(Arc::clone(app), set_headers))
        .layer(CatchPanicLayer::custom(panicked));
    router.layer(layers)
}

/// Finds out where a request comes from, gives it an id, and counts and logs its outcome.
///
/// Logs hold no path, query or name: searches name people, and an unknown path is whatever a client
/// wrote. For the same reason the id is the office's own and never a client's.
async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let peer = ClientAddr::of(request.extensions(), request.headers(), app.traffic.proxies());
    request.extensions_mut().insert(peer);
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = route.map_or("pages", routes::name);
    let method = name_of(request.method());
    let id = Uuid::now_v7();
    let span = tracing::info_span!("request", %id, method, route);
    let mut response = next.run(request).instrument(span.clone()).await;

    let (status, took) = (response.status(), began.elapsed());
    let code = response.extensions().get::<Code>().map(|code| code.0);
    metrics::request(route, method, status.as_u16(), code, took);
    span.in_scope(|| {
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (status, code) = (status.as_u16(), code.unwrap_or_default());
        let frequent = ["/sync", "/api/events", "/healthz", "/readyz", "/metrics", "pages"];
        match status {
            500 => tracing::warn!(status, code, ms, "failed"),
            // Metrics count these; a log line each would only add to the load.
            429 | 503 => tracing::debug!(status, code, ms, "deferred"),
            200..400 if frequent.contains(&route) => tracing::debug!(status, ms, "answered"),
            _ => tracing::info!(status, code, ms, "answered"),
        }
    });
    // Successful rounds save the bytes: their ids are not looked up.
    if !is_round(route, status)
        && let Ok(id) = HeaderValue::try_from(id.to_string())
    {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// A name of a fixed set: clients can invent methods.
fn name_of(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Rounds, archives, documents and static files are compressed already.
fn compression() -> CompressionLayer<impl Predicate> {
    let unfit = ["application/cbor", "application/octet-stream", "application/zip"];
    let [rounds, documents, archives] = unfit.map(NotForContentType::new);
    let sheets = NotForContentType::new("application/vnd.openxmlformats");
    let dynamic =
        |_, _, _: &HeaderMap, extensions: &Extensions| extensions.get::<StaticFile>().is_none();
    let fit =
        DefaultPredicate::new().and(dynamic).and(rounds).and(documents).and(archives).and(sheets);
    CompressionLayer::new().compress_when(fit)
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    // The panic hook has logged the place; the message may contain personal data.
    Problem::internal().into_response()
}

/// Adds the headers that every answer has, and a body to errors that have none.
///
/// Successful rounds get no security headers, to save bytes on weak links: browsers neither show nor
/// cache the answer to a POST, and a round needs a header that no other site can send.
async fn set_headers(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let (round, private) = (path == "/sync", path.starts_with("/api/") || path == "/sync");
    let mut response = with_body(next.run(request).await);
    let status = response.status();
    let headers = response.headers_mut();
    set_date(headers, app.office.now());
    if round && status == StatusCode::OK {
        return response;
    }
    if private {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    for (name, value) in &SECURITY_HEADERS {
        // A handler's own header, such as an attachment's sandbox, is stricter.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if app.secure {
        let value = HeaderValue::from_static(TLS_ONLY);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    response
}

fn is_round(route: &str, status: StatusCode) -> bool {
    route == "/sync" && status == StatusCode::OK
}

/// The office's time, from which phones learn their clock's error.
fn set_date(headers: &mut HeaderMap, now: i64) {
    let date = time::http_date(now).and_then(|date| HeaderValue::try_from(date).ok());
    if let Some(date) = date {
        headers.insert(header::DATE, date);
    }
}

fn with_body(response: Response<Body>) -> Response {
    let bare = !response.headers().contains_key(header::CONTENT_TYPE);
    match response.status() {
        StatusCode::SERVICE_UNAVAILABLE if bare => Problem::took_too_long().into_response(),
        status if bare && (status.is_client_error() || status.is_server_error()) => {
            Problem::new(status, "http_error", status.to_string()).into_response()
        }
        _ => response,
    }
}
