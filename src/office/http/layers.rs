//! What every request and answer passes through.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::request_id::{
    MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};
use tower_http::trace::TraceLayer;

use super::{App, Problem};
use crate::office::time;

/// A body that stops coming is given up after this.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Only what the pages need: their own scripts and wasm, no inline code or styles, no frames.
const CONTENT_SECURITY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; \
    connect-src 'self'; worker-src 'self'; manifest-src 'self'; object-src 'none'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What a visit needs of the device, and nothing else.
const PERMISSIONS: &str = "geolocation=(self), camera=(self), microphone=(self), \
    screen-wake-lock=(self), payment=(), usb=(), serial=(), bluetooth=(), browsing-topics=()";

static ALWAYS: [(HeaderName, &str); 2] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// On all but rounds: they are no documents and run nothing, and each byte of them travels often.
static DOCUMENTS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

const NEEDLESS_ON_ROUNDS: [HeaderName; 4] = [
    REQUEST_ID,
    header::CACHE_CONTROL,
    header::X_CONTENT_TYPE_OPTIONS,
    HeaderName::from_static("cross-origin-resource-policy"),
];

/// Once seen over TLS, never again without, for a year.
const TLS_ONLY: &str = "max-age=31536000";

/// Gives up a request whose answer doesn't begin in time.
pub(super) fn timeout(patience: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, patience)
}

/// Puts the layers around the whole endpoint.
pub(super) fn around<S: Clone + Send + Sync + 'static>(router: Router<S>, app: &App) -> Router<S> {
    let layers = ServiceBuilder::new()
        .layer(from_fn(lighten_rounds))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(compression())
        .layer(from_fn_with_state(app.clone(), finish))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(RequestBodyTimeoutLayer::new(BODY_PATIENCE));
    router.layer(layers)
}

/// No query and no names: a search is for a person, and logs are read by others.
fn span<B>(request: &axum::http::Request<B>) -> tracing::Span {
    let id = request.extensions().get::<RequestId>();
    let id = id.and_then(|id| id.header_value().to_str().ok()).unwrap_or_default();
    tracing::info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        id,
    )
}

/// Rounds are deflated already; archives and documents are compressed inside.
fn compression() -> CompressionLayer<impl Predicate> {
    let unfit = ["application/cbor", "application/octet-stream", "application/zip"];
    let [rounds, documents, archives] = unfit.map(NotForContentType::new);
    let sheets = NotForContentType::new("application/vnd.openxmlformats");
    let fit = DefaultPredicate::new().and(rounds).and(documents).and(archives).and(sheets);
    CompressionLayer::new().compress_when(fit)
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    // The panic hook has reported it; what it says may be about a person.
    Problem::internal().into_response()
}

/// Headers that every answer has, and a body for errors that came without one.
async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let round = path == "/sync";
    let private = path.starts_with("/api/") || round;
    let mut response = with_body(next.run(request).await);
    let headers = response.headers_mut();
    if private {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let documents = if round { &[][..] } else { &DOCUMENTS };
    for (name, value) in ALWAYS.iter().chain(documents) {
        // What a handler says for itself, such as the sandbox of an attachment, is stricter.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if app.secure {
        let value = HeaderValue::from_static(TLS_ONLY);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    set_date(headers, app.office.now());
    response
}

/// A round that went well has only the headers that say something of it: each byte of them
/// travels with every round of every phone. A POST is not cached, another site cannot embed it,
/// its type is not one that browsers guess at, and its number is in the log.
async fn lighten_rounds(request: Request, next: Next) -> Response {
    let round = request.uri().path() == "/sync";
    let mut response = next.run(request).await;
    if round && response.status() == StatusCode::OK {
        for name in NEEDLESS_ON_ROUNDS {
            response.headers_mut().remove(name);
        }
    }
    response
}

/// The office's clock, by which phones learn how wrong theirs is.
fn set_date(headers: &mut HeaderMap, now: i64) {
    let date = time::http_date(now).and_then(|date| HeaderValue::try_from(date).ok());
    if let Some(date) = date {
        headers.insert(header::DATE, date);
    }
}

fn with_body(response: Response<Body>) -> Response {
    let bare = !response.headers().contains_key(header::CONTENT_TYPE);
    match response.status() {
        StatusCode::SERVICE_UNAVAILABLE if bare => {
            let detail = "this took too long: try again, or ask for less";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail).into_response()
        }
        status if bare && (status.is_client_error() || status.is_server_error()) => {
            Problem::new(status, "http_error", status.to_string()).into_response()
        }
        _ => response,
    }
}
