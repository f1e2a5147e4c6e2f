//! Checks every request against the table of routes before a handler sees it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::cookies::{self, SESSION};
use super::extract::{Audit, Caller, RevokedCaller};
use super::routes::{Access, Route};
use super::traffic::ClientAddr;
use super::{App, Problem};
use crate::office::audit::AuditContext;
use crate::office::auth::{IdentifiedToken, Token};
use crate::record::terms::Role;

/// Set by the office's own pages: another site would need a CORS preflight, which is never granted.
/// Holds the app's version and, after a space, the workspace that asks.
const OWN_PAGES: &str = "x-doorstep";

/// A browser signs in and out here without naming a workspace.
const SESSION_ROUTE: &str = "/api/session";

/// An `EventSource` sends no headers of its own: its workspace is a parameter.
const EVENTS: &str = "/api/events";

/// Rounds of phones.
const ROUND: &str = "/sync";

/// The route that is guarded.
#[derive(Clone)]
pub(super) struct Guarded {
    pub(super) app: Arc<App>,
    pub(super) route: &'static Route,
}

/// Passes a request to its handler, with its caller, or refuses it.
pub(super) async fn admit(
    State(Guarded { app, route }): State<Guarded>,
    peer: ClientAddr,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let foreign = is_foreign(request.headers(), &app);
    // Signing in too: another site must not sign its visitors in.
    if !safe && foreign {
        return Err(Problem::foreign());
    }
    let roles = match route.access {
        Access::Roles(roles) => roles,
        Access::Anyone => {
            app.traffic.check_anonymous_rate(peer)?;
            return Ok(next.run(request).await);
        }
        Access::Operator if peer.local || app.traffic.has_metrics_token(request.headers()) => {
            return Ok(next.run(request).await);
        }
        Access::Reports => {
            admit_report(&app, peer, request.headers()).await?;
            return Ok(next.run(request).await);
        }
        Access::Operator => {
            app.traffic.check_anonymous_rate(peer)?;
            let detail = "only programs on the office's own machine, or with the metrics token";
            return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", detail));
        }
    };
    let Some(presented) = Presented::of(request.headers(), app.secure) else {
        app.traffic.check_anonymous_rate(peer)?;
        return Err(Problem::signed_out());
    };
    if route.path == ROUND {
        app.traffic.check_rounds_full()?;
    }
    let said = request.headers().get(OWN_PAGES).and_then(|value| value.to_str().ok());
    let (version, mut workspace) = match said.and_then(|said| said.split_once(' ')) {
        Some((version, workspace)) => (Some(version), Some(workspace)),
        None => (said, None),
    };
    if route.path == EVENTS {
        workspace = workspace.or_else(|| named_in_query(request.uri()));
    }
    let permit = app.traffic.identity().await?;
    let known = app.accounts.identify(&presented.token, version).await?;
    let revoked = match (&known, route.open_to_revoked) {
        (None, true) => app.accounts.revoked_session(&presented.token).await?,
        (Some(_), _) | (None, false) => None,
    };
    drop(permit);
    let session = known.as_ref().map(|known| &known.identity.session);
    match session.or(revoked.as_ref().map(|(session, _)| session)) {
        Some(session) => app.traffic.check_user_rate(peer, &session.user)?,
        None => {
            app.traffic.check_anonymous_rate(peer)?;
            return Err(Problem::signed_out());
        }
    }
    if presented.by_cookie && foreign {
        return Err(Problem::foreign());
    }
    if presented.by_cookie && !safe && version.is_none() {
        let detail = "requests with a cookie need the header X-Doorstep";
        return Err(Problem::new(StatusCode::FORBIDDEN, "missing_header", detail));
    }
    let session = known.as_ref().map(|known| &known.identity.session);
    if let Some(session) = session.or(revoked.as_ref().map(|(session, _)| session)) {
        let must_name = presented.by_cookie && route.path != SESSION_ROUTE;
        session.check_workspace(workspace, must_name).map_err(Problem::workspace)?;
    }
    if let Some((session, ended)) = revoked {
        // Only phones have unsent work.
        has_role(&[Role::Collector], session.role)?;
        request.extensions_mut().insert(RevokedCaller(session, ended));
        return Ok(next.run(request).await);
    }
    let IdentifiedToken { identity, renewed } = known.ok_or_else(Problem::signed_out)?;
    has_role(roles, identity.session.role)?;
    if !safe && identity.session.role != Role::Collector {
        let action = format!("{} {}", route.method, route.path);
        let clock = app.office.clock();
        let subject = subject_of(route.path, request.uri().path());
        let context = AuditContext::new(identity.session.clone(), action, subject, clock);
        request.extensions_mut().insert(Audit(Arc::new(context)));
    }
    let lasts = identity.ends_at.saturating_sub(app.office.now()) / 1000;
    let fresh = renewed.as_ref().filter(|_| presented.by_cookie);
    let fresh = fresh.map(|token| cookies::set(SESSION, &token.to_text(), lasts, app.secure));
    request.extensions_mut().insert(Caller { identity, renewed });
    let mut response = next.run(request).await;
    // Don't overwrite the cookie of a sign-out.
    if let Some(fresh) = fresh
        && !response.headers().contains_key(header::SET_COOKIE)
    {
        response.headers_mut().append(header::SET_COOKIE, fresh);
    }
    Ok(response)
}

/// The segment of a path where the route has its id; empty if it has none.
fn subject_of<'p>(route: &str, path: &'p str) -> &'p str {
    let mut segments = route.split('/').zip(path.split('/'));
    segments.find(|(segment, _)| segment.starts_with('{')).map_or("", |(_, id)| id)
}

/// Lets a program in that has a token for reports. A session doesn't count: other pages can't read
/// them with the cookie of a visitor.
async fn admit_report(app: &App, peer: ClientAddr, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(token) = report_token(headers) else {
        app.traffic.check_anonymous_rate(peer)?;
        return Err(Problem::report_token());
    };
    let permit = app.traffic.identity().await?;
    let user = app.accounts.report_reader(&token).await?;
    drop(permit);
    match user {
        Some(user) => app.traffic.check_user_rate(peer, &user),
        None => {
            app.traffic.check_anonymous_rate(peer)?;
            Err(Problem::report_token())
        }
    }
}

/// The token of a program: as a bearer, or as the password of any user name, which is what Excel asks
/// for.
fn report_token(headers: &HeaderMap) -> Option<Token> {
    let said = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    if let Some(token) = said.strip_prefix("Bearer ") {
        return Token::parse(token.trim());
    }
    let pair = BASE64_STANDARD.decode(said.strip_prefix("Basic ")?.trim()).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    Token::parse(pair.split_once(':')?.1.trim())
}

/// The workspace in the query.
fn named_in_query(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("workspace="))
}

fn has_role(roles: &[Role], role: Role) -> Result<(), Problem> {
    if roles.contains(&role) {
        return Ok(());
    }
    let detail = format!("this is not for a {role}");
    Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", detail))
}

/// Whether a page of another origin sends the request. Programs other than browsers send neither
/// header.
fn is_foreign(headers: &HeaderMap, app: &App) -> bool {
    let text = |value: &HeaderValue| value.to_str().unwrap_or("?").to_owned();
    if let Some(site) = headers.get("sec-fetch-site") {
        // `none`: typed or bookmarked by the user.
        return !matches!(text(site).as_str(), "same-origin" | "none");
    }
    // Browsers leave the header out without TLS, and old ones always do.
    let Some(origin) = headers.get(header::ORIGIN).map(text) else { return false };
    let host = headers.get(header::HOST).map(text);
    let own = host.is_some_and(|host| {
        origin.strip_prefix("https://").or(origin.strip_prefix("http://")) == Some(host.as_str())
    });
    !own && app.public.as_deref() != Some(origin.as_str())
}

/// A token, and whether a cookie carried it.
pub(super) struct Presented {
    pub(super) token: Token,
    pub(super) by_cookie: bool,
}

impl Presented {
    /// The token of a request; the `Authorization` header comes before the cookie.
    pub(super) fn of(headers: &HeaderMap, secure: bool) -> Option<Self> {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if let Some(text) = bearer {
            return Token::parse(text.trim()).map(|token| Self { token, by_cookie: false });
        }
        let token = cookies::get(headers, SESSION, secure, Token::parse)?;
        Some(Self { token, by_cookie: true })
    }
}
