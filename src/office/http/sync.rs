//! `POST /sync`: one round of a phone.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Extensions, header};
use axum::response::{IntoResponse, Response};

use super::extract::{Caller, ProblemBody, RevokedCaller};
use super::{App, Problem, metrics};
use crate::office::cancel::CancelToken;
use crate::sync::message::{Inflated, encode_reply};

pub(super) async fn round(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    ProblemBody(body): ProblemBody<Bytes>,
) -> Result<Response, Problem> {
    let up = body.len();
    // Inflating megabytes would block other requests on this thread.
    let inflated = blocking(move || Inflated::new(&body).map(Inflated::into_owned)).await??;
    let _slot = app.office.acquire_slot(inflated.size()).await;
    let request = blocking(move || inflated.request()).await??;
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
    let (reply, answer) = blocking(move || {
        let answer = encode_reply(&reply);
        (reply, answer)
    })
    .await?;
    metrics::round(up, &reply, answer.len());
    Ok(([(header::CONTENT_TYPE, "application/cbor")], answer).into_response())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        // For the layer that answers panics.
        Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Err(_) => Err(Problem::closing()),
    }
}
