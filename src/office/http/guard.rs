//! Checks every request against the table of routes before a handler sees it.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::extract::{Caller, Leaver};
use super::routes::{Access, access};
use super::session::COOKIE;
use super::{App, Problem};
use crate::office::auth::Token;
use crate::record::terms::Role;

/// Another site can't set this header without asking first, and is never allowed to.
const OWN_PAGES: &str = "x-doorstep";

/// Where phones speak.
const ROUND: &str = "/sync";

/// Lets a request through to its handler, with its caller, or refuses it.
pub(super) async fn admit(
    State(app): State<App>,
    matched: MatchedPath,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let roles = match access(request.method(), matched.as_str()) {
        Some(Access::Anyone) => return Ok(next.run(request).await),
        Some(Access::Roles(roles)) => roles,
        None => {
            let detail = "this address doesn't take that method";
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail));
        }
    };
    let presented = Presented::of(request.headers()).ok_or_else(Problem::signed_out)?;
    let caller = match app.accounts.identify(&presented.token).await? {
        Some(caller) => caller,
        // A device that is shut out hands over what it has unsent.
        None if matched.as_str() == ROUND => {
            let leaver = app.accounts.recall(&presented.token).await?;
            let (session, ended) = leaver.ok_or_else(Problem::signed_out)?;
            return hand_over(request, next, &presented, roles, Leaver(session, ended)).await;
        }
        None => return Err(Problem::signed_out()),
    };
    comes_from_own_page(&request, &presented)?;
    has_role(roles, caller.session.role)?;
    request.extensions_mut().insert(Caller(caller));
    Ok(next.run(request).await)
}

/// Lets the last contact of a device that is shut out through to its handler.
async fn hand_over(
    mut request: Request,
    next: Next,
    presented: &Presented,
    roles: &[Role],
    leaver: Leaver,
) -> Result<Response, Problem> {
    comes_from_own_page(&request, presented)?;
    has_role(roles, leaver.0.role)?;
    request.extensions_mut().insert(leaver);
    Ok(next.run(request).await)
}

fn comes_from_own_page(request: &Request, presented: &Presented) -> Result<(), Problem> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if presented.by_cookie && !safe && !request.headers().contains_key(OWN_PAGES) {
        let detail = "requests with a cookie need the header X-Doorstep";
        return Err(Problem::new(StatusCode::FORBIDDEN, "missing_header", detail));
    }
    Ok(())
}

fn has_role(roles: &[Role], role: Role) -> Result<(), Problem> {
    if roles.contains(&role) {
        return Ok(());
    }
    let detail = format!("this is not for a {role}");
    Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", detail))
}

/// A token, and how it came.
pub(super) struct Presented {
    pub(super) token: Token,
    pub(super) by_cookie: bool,
}

impl Presented {
    /// The token of a request: of a program's header before a browser's cookie.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if let Some(text) = bearer {
            return Token::parse(text.trim()).map(|token| Self { token, by_cookie: false });
        }
        let cookies = headers.get_all(header::COOKIE).into_iter();
        cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == COOKIE)
            .find_map(|(_, value)| Token::parse(value))
            .map(|token| Self { token, by_cookie: true })
    }
}
