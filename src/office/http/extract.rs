//! Extractors whose rejections are problem details.

use std::fmt::Display;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;

use super::Problem;
use crate::office::Session;
use crate::office::auth::{Identity, Token};
use crate::sync::message::Revocation;

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
