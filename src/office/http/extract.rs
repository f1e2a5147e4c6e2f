//! Extractors whose rejections are problem details.

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;

use super::{App, Problem};
use crate::office::Session;
use crate::office::audit::AuditContext;
use crate::office::auth::{Identity, Token};
use crate::sync::message::Revocation;

/// What handlers share. Handlers have to take this instead of axum's: for a request of the console
/// that may change something, the guard has set a context, and every write of this app is recorded
/// in the audit log.
#[derive(Debug)]
pub(super) struct State<S>(pub(super) S);

impl FromRequestParts<Arc<App>> for State<Arc<App>> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let Some(Audit(context)) = parts.extensions.get() else {
            return Ok(Self(Arc::clone(app)));
        };
        let (office, accounts) = (app.office.audited(context), app.accounts.audited(context));
        Ok(Self(Arc::new(App { office, accounts, ..App::clone(app) })))
    }
}

/// The entry that this request writes to the audit log. Set by the guard.
#[derive(Clone)]
pub(super) struct Audit(pub(super) Arc<AuditContext>);

impl<S: Send + Sync> FromRequestParts<S> for Audit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::signed_out)
    }
}

/// An extractor that reads the body; its rejections are problems.
#[derive(Debug)]
pub(super) struct ProblemBody<E>(pub(super) E);

impl<E, S> FromRequest<S> for ProblemBody<E>
where
    E: FromRequest<S>,
    E::Rejection: Display + IntoResponse,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        E::from_request(request, state).await.map(Self).map_err(problem)
    }
}

/// An extractor that reads the head; its rejections are problems.
#[derive(Debug)]
pub(super) struct ProblemParts<E>(pub(super) E);

impl<E, S> FromRequestParts<S> for ProblemParts<E>
where
    E: FromRequestParts<S>,
    E::Rejection: Display + IntoResponse,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        E::from_request_parts(parts, state).await.map(Self).map_err(problem)
    }
}

fn problem(rejection: impl Display + IntoResponse) -> Problem {
    let detail = rejection.to_string();
    match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(),
        status @ (StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::UNPROCESSABLE_ENTITY) => {
            Problem::new(status, "malformed", detail)
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, "malformed", detail),
    }
}

/// A revoked device, or one whose user was locked out, that sends its unsent work (rule F4). Set by
/// the guard.
#[derive(Debug, Clone)]
pub(super) struct RevokedCaller(pub(super) Session, pub(super) Revocation);

/// The signed-in sender of the request. Set by the guard.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) identity: Identity,
    /// The token to use from now on, if the current one is being replaced.
    pub(super) renewed: Option<Token>,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::signed_out)
    }
}
