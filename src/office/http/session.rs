//! `/api/session`: signing in and out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::cookies::{self, DEVICE, SESSION};
use super::edge::Peer;
use super::extract::{Caller, Checked};
use super::guard::Presented;
use super::{App, Problem};
use crate::ids::{DeviceId, hex};
use crate::office::auth::{self, Attempt, Lifetime, Place};
use crate::record::terms::Role;

/// A browser stays the same device for so long after its last sign-in, seconds.
const DEVICE_KEPT: i64 = 400 * 24 * 60 * 60;

/// For so long after a sign-in the session itself stands for it, ms.
const FRESH: i64 = 10 * 60 * 1000;

#[derive(Deserialize)]
pub(super) struct SignIn {
    name: String,
    password: String,
    #[serde(default)]
    device: Option<String>,
}

#[derive(Serialize)]
struct SignedIn {
    user: String,
    display_name: String,
    role: Role,
    token: String,
    device: String,
    /// Key of the device's escrow, 64 hex digits.
    escrow: String,
    expires_at: i64,
}

#[derive(Serialize)]
pub(super) struct Me {
    user: String,
    display_name: String,
    role: Role,
    device: String,
    /// Key of the device's escrow; only just after a sign-in, such as on the way back from the
    /// identity provider: a copied cookie is older than that.
    #[serde(skip_serializing_if = "Option::is_none")]
    escrow: Option<String>,
    /// The one to use from now on; only for programs, and only where it is to be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    peer: Peer,
    headers: HeaderMap,
    Checked(Json(asked)): Checked<Json<SignIn>>,
) -> Result<Response, Problem> {
    let SignIn { name, password, device } = asked;
    let place = place(device, &headers, peer, app.secure)?;
    let signed_in = app.accounts.sign_in(Attempt { name, password, place }).await?;
    let token = signed_in.token.to_text();
    let cookies = cookies_of(&signed_in, &app);
    let auth::SignedIn { identity, expires_at, .. } = signed_in;
    let body = SignedIn {
        user: identity.session.user,
        display_name: identity.display_name,
        role: identity.session.role,
        token,
        device: identity.session.device.to_string(),
        escrow: hex(&app.office.escrow(identity.session.device)),
        expires_at,
    };
    Ok((AppendHeaders(cookies), Json(body)).into_response())
}

/// Where somebody signs in: the device that is named, or that this browser was.
pub(super) fn place(
    device: Option<String>,
    headers: &HeaderMap,
    peer: Peer,
    secure: bool,
) -> Result<Place, Problem> {
    let device = device.filter(|device| !device.is_empty());
    let device = device.map(|text| text.parse::<DeviceId>()).transpose().map_err(|_| {
        let detail = "a device id has 32 hex digits";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at("device")
    })?;
    let browser = cookies::get(headers, DEVICE, secure, |text| text.parse().ok());
    Ok(Place { device, browser, address: peer.address })
}

/// What a browser keeps of a sign-in.
pub(super) fn cookies_of(signed_in: &auth::SignedIn, app: &App) -> [(HeaderName, HeaderValue); 2] {
    let identity = &signed_in.identity;
    let lasts = identity.ends_at.saturating_sub(app.office.now()) / 1000;
    let token = cookies::set(SESSION, &signed_in.token.to_text(), lasts, app.secure);
    let device = identity.session.device.to_string();
    let device = cookies::set(DEVICE, &device, DEVICE_KEPT, app.secure);
    [(header::SET_COOKIE, token), (header::SET_COOKIE, device)]
}

/// Who is signed in.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Json<Me> {
    let Caller { identity, renewed } = caller;
    let by_cookie = Presented::of(&headers, app.secure).is_some_and(|shown| shown.by_cookie);
    let began = identity.ends_at - Lifetime::of(identity.session.role).absolute;
    let fresh = app.office.now().saturating_sub(began) < FRESH;
    Json(Me {
        escrow: fresh.then(|| hex(&app.office.escrow(identity.session.device))),
        user: identity.session.user,
        display_name: identity.display_name,
        role: identity.session.role,
        device: identity.session.device.to_string(),
        token: renewed.filter(|_| !by_cookie).map(|token| token.to_text()),
    })
}

pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(presented) = Presented::of(&headers, app.secure) {
        app.accounts.sign_out(&presented.token).await?;
    }
    let gone = cookies::set(SESSION, "", 0, app.secure);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}
