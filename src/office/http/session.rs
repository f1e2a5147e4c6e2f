//! `/api/session`: signing in and out.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cookies::{self, DEVICE, SESSION};
use super::extract::{Caller, ProblemBody, State};
use super::guard::Presented;
use super::traffic::ClientAddr;
use super::{App, Problem};
use crate::ids::{DeviceId, hex, unhex};
use crate::office::EnrolmentProof;
use crate::office::auth::{self, Attempt, Lifetime, SignInContext};
use crate::record::terms::Role;

/// How long after its last sign-in a browser keeps its device id, seconds.
const DEVICE_KEPT: i64 = 400 * 24 * 60 * 60;

/// How long after a sign-in the session proves it, ms.
const FRESH: i64 = 10 * 60 * 1000;

/// A sign-in with a password.
#[derive(Deserialize, JsonSchema)]
pub(super) struct SignInRequest {
    name: String,
    password: String,
    #[serde(default)]
    device: Option<String>,
    /// Proof that the office enrolled that device for this user, 64 hex digits.
    #[serde(default)]
    proof: Option<String>,
}

/// A sign-in that began.
#[derive(Serialize, JsonSchema)]
pub(super) struct SignedIn {
    user: String,
    display_name: String,
    role: Role,
    token: String,
    device: String,
    /// Key of the device's escrow, 64 hex digits.
    escrow: String,
    /// Proof of the device's enrolment, 64 hex digits.
    proof: String,
    expires_at: i64,
}

/// The user who is signed in.
#[derive(Serialize, JsonSchema)]
pub(super) struct Me {
    user: String,
    display_name: String,
    role: Role,
    device: String,
    /// Proof of the device's enrolment. It opens nothing without the user's sign-in, so a session
    /// is enough to be given it; phones that were enrolled before there were proofs ask for it.
    proof: String,
    /// Key of the device's escrow; only just after a sign-in, such as on the way back from the
    /// identity provider: a copied cookie is older than that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    escrow: Option<String>,
    /// The one to use from now on; only for programs, and only where it is to be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    token: Option<String>,
}

/// Both cookies of a browser that signs in.
type SetCookies = AppendHeaders<[(HeaderName, HeaderValue); 2]>;

pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    peer: ClientAddr,
    headers: HeaderMap,
    ProblemBody(Json(asked)): ProblemBody<Json<SignInRequest>>,
) -> Result<(SetCookies, Json<SignedIn>), Problem> {
    let SignInRequest { name, password, device, proof } = asked;
    let (device, proof) = claim(device.as_deref(), proof.as_deref())?;
    let place = place(device, proof, &headers, peer, app.secure);
    let signed_in = app.accounts.sign_in(Attempt { name, password, context: place }).await?;
    let token = signed_in.token.to_text();
    let cookies = cookies_of(&signed_in, &app);
    let auth::SignedIn { identity, expires_at, .. } = signed_in;
    let body = SignedIn {
        proof: hex(&app.office.enrolment(identity.session.device, &identity.session.user)),
        user: identity.session.user,
        display_name: identity.display_name,
        role: identity.session.role,
        token,
        device: identity.session.device.to_string(),
        escrow: hex(&app.office.escrow(identity.session.device)),
        expires_at,
    };
    Ok((AppendHeaders(cookies), Json(body)))
}

/// Parses the device that a phone claims to be, and its proof; either may be absent or empty.
pub(super) fn claim(
    device: Option<&str>,
    proof: Option<&str>,
) -> Result<(Option<DeviceId>, Option<EnrolmentProof>), Problem> {
    let invalid = |field, detail: &str| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at(field)
    };
    let device = device.filter(|text| !text.is_empty()).map(str::parse).transpose();
    let device = device.map_err(|_| invalid("device", "a device id has 32 hex digits"))?;
    let proof = proof.filter(|text| !text.is_empty()).map(|text| {
        let bytes = unhex(text).and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| invalid("proof", "a proof has 64 hex digits"))
    });
    Ok((device, proof.transpose()?))
}

/// The context of a sign-in: the device named in it, or the one in this browser's cookie.
pub(super) fn place(
    device: Option<DeviceId>,
    proof: Option<EnrolmentProof>,
    headers: &HeaderMap,
    peer: ClientAddr,
    secure: bool,
) -> SignInContext {
    let browser = cookies::get(headers, DEVICE, secure, |text| text.parse().ok());
    SignInContext { device, proof, browser, address: peer.address }
}

/// The cookies of a sign-in.
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
        proof: hex(&app.office.enrolment(identity.session.device, &identity.session.user)),
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
