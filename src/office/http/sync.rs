//! `POST /sync`: one round of a phone.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{Extensions, header};
use axum::response::{IntoResponse, Response};

use super::extract::{Caller, ProblemBody, RevokedCaller, State};
use super::{App, Problem, metrics};
use crate::office::cancel::CancelToken;
use crate::sync::message::{Inflated, Reply, encode_reply};

const KIB: usize = 1024;

/// Results and heads of a reply that is encoded without another thread.
const MAX_LISTED: usize = 64;

pub(super) async fn round(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    ProblemBody(body): ProblemBody<Bytes>,
) -> Result<Response, Problem> {
    let up = body.len();
    // A kilobyte may inflate to a megabyte.
    let inflate = move || Inflated::new(&body).map(Inflated::into_owned);
    let inflated = run(up <= KIB, inflate).await??;
    let size = inflated.size();
    let _slot = app.office.acquire_slot(size).await;
    let request = run(size <= 16 * KIB, move || inflated.request()).await??;
    let cancel = extensions.get::<CancelToken>().cloned().unwrap_or_default();
    let reply = match (extensions.get::<Caller>(), extensions.get::<RevokedCaller>()) {
        (Some(caller), _) => {
            let session = &caller.identity.session;
            app.office.handle_sync_until(session, request, &cancel).await?
        }
        (None, Some(RevokedCaller(session, ended))) => {
            app.office.drain_until(session, request, *ended, &cancel).await?
        }
        (None, None) => return Err(Problem::signed_out()),
    };
    let Reply { entries, results, restored, differing, .. } = &reply;
    let listed = results.len() + restored.len() + differing.states.len();
    let small = entries.is_empty() && listed <= MAX_LISTED;
    let (reply, answer) = run(small, move || {
        let answer = encode_reply(&reply);
        (reply, answer)
    })
    .await?;
    metrics::round(up, &reply, answer.len());
    Ok(([(header::CONTENT_TYPE, "application/cbor")], answer).into_response())
}

/// Runs work on another thread unless it is small: handing it over costs more than a few lookups, and
/// megabytes would block other requests on this thread.
async fn run<T: Send + 'static>(
    small: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    if small {
        return Ok(work());
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        // For the layer that answers panics.
        Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Err(_) => Err(Problem::closing()),
    }
}
