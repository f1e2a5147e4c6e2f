//! `/api/sign-in`: the sign-in methods, and signing in with an identity provider.

use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cookies::{self, OPENID_STATE};
use super::extract::{ProblemBody, ProblemParts, State};
use super::session::{claim, cookies_of, place};
use super::traffic::ClientAddr;
use super::{App, Problem};
use crate::office::auth::openid::{Callback, OpenId, OpenIdError, SIGN_IN_TIMEOUT_MS, SignInApp};
use crate::office::auth::{AuthError, SignInContext};

/// Sign-in methods besides the password.
#[derive(Serialize, JsonSchema)]
pub(super) struct SignInMethods {
    openid: Option<IdentityProvider>,
}

/// The identity provider.
#[derive(Serialize, JsonSchema)]
struct IdentityProvider {
    label: String,
}

/// A sign-in with the identity provider that is to start.
#[derive(Deserialize, JsonSchema)]
pub(super) struct OpenIdRequest {
    door: SignInApp,
    #[serde(default)]
    device: Option<String>,
    #[serde(default)]
    proof: Option<String>,
}

/// Where the browser goes to sign in.
#[derive(Serialize, JsonSchema)]
pub(super) struct ProviderAddress {
    to: String,
}

pub(super) async fn ways(State(app): State<Arc<App>>) -> Json<SignInMethods> {
    let label = |openid: &Arc<OpenId>| IdentityProvider { label: openid.settings().label.clone() };
    Json(SignInMethods { openid: app.openid.as_ref().map(label) })
}

/// Returns the address to go to. Only the own page can ask, so no other site can start a sign-in.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    ProblemBody(Json(asked)): ProblemBody<Json<OpenIdRequest>>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<ProviderAddress>), Problem> {
    let openid = app.openid.as_ref().ok_or_else(Problem::not_found)?;
    let OpenIdRequest { door, device, proof } = asked;
    // Refuse bad values before the user goes to the provider.
    claim(device.as_deref(), proof.as_deref())?;
    let (to, kept) = openid.begin(door, device, proof).await?;
    let cookie = cookies::set(OPENID_STATE, &kept, SIGN_IN_TIMEOUT_MS / 1000, app.secure);
    Ok(([(header::SET_COOKIE, cookie)], Json(ProviderAddress { to })))
}

/// The browser comes back from the provider. Success or not, it is redirected to one of the two apps,
/// with a code of a fixed set.
pub(super) async fn finish(
    State(app): State<Arc<App>>,
    peer: ClientAddr,
    headers: HeaderMap,
    ProblemParts(Query(callback)): ProblemParts<Query<Callback>>,
) -> Result<Response, Problem> {
    let openid = app.openid.as_ref().ok_or_else(Problem::not_found)?;
    let kept = cookies::get(&headers, OPENID_STATE, app.secure, |text| openid.pending(text));
    let Some(pending) = kept else { return Ok(back(None, Some("openid_stale"), [], &app)) };
    let door = Some(pending.door);
    let identity = match openid.finish(&pending, callback).await {
        Ok(identity) => identity,
        Err(error) => return Ok(back(door, Some(error.code()), [], &app)),
    };
    let (device, proof) = claim(pending.device.as_deref(), pending.proof.as_deref())?;
    let place = place(device, proof, &headers, peer, app.secure);
    let enrol = openid.settings().enrol;
    let mut signed_in = app.accounts.sign_in_oidc(identity.clone(), enrol, place).await;
    if signed_in.as_ref().is_err_and(|error| *error == AuthError::DeviceOfOtherUser) {
        // The phone belongs to another user: sign in on a new device, and let the phone upload the
        // other user's work first.
        let place = SignInContext { device: None, ..place };
        signed_in = app.accounts.sign_in_oidc(identity, enrol, place).await;
    }
    match signed_in {
        Ok(signed_in) => {
            let [token, device] = cookies_of(&signed_in, &app).map(|(_, cookie)| cookie);
            Ok(back(door, None, [token, device], &app))
        }
        Err(error) => Ok(back(door, Some(word(&error)), [], &app)),
    }
}

fn back<const N: usize>(
    door: Option<SignInApp>,
    word: Option<&'static str>,
    set: [HeaderValue; N],
    app: &App,
) -> Response {
    let page = match door {
        Some(SignInApp::Office) => "/office/",
        Some(SignInApp::Field) | None => "/",
    };
    let place = match word {
        None => format!("{page}#signed-in"),
        Some(word) => format!("{page}#sign-in={word}"),
    };
    // The state is for one return only.
    let gone = cookies::set(OPENID_STATE, "", 0, app.secure);
    let all = set.into_iter().chain([gone]).map(|cookie| (header::SET_COOKIE, cookie));
    let all: Vec<_> = all.collect();
    (StatusCode::SEE_OTHER, AppendHeaders(all), [(header::LOCATION, place)]).into_response()
}

/// The code for a failed sign-in.
fn word(error: &AuthError) -> &'static str {
    match error {
        AuthError::UnknownAccount => "openid_unknown_account",
        AuthError::OtherAccount => "openid_other_account",
        AuthError::DeviceRevoked => "device_revoked",
        AuthError::DeviceOfOtherUser => "device_of_other_user",
        AuthError::TooManyDevices => "too_many_devices",
        AuthError::DeviceUnknown => "device_unknown",
        AuthError::NotLinked => "openid_not_linked",
        AuthError::WrongPassword
        | AuthError::TooManyAttempts { .. }
        | AuthError::Busy
        | AuthError::NameTaken(_)
        | AuthError::AccountTaken
        | AuthError::Invalid(_)
        | AuthError::LastAdmin
        | AuthError::Unknown(_)
        | AuthError::Store(_)
        | AuthError::Closing => "office_busy",
    }
}

impl From<OpenIdError> for Problem {
    fn from(error: OpenIdError) -> Self {
        let status = match error {
            OpenIdError::Settings | OpenIdError::Unreachable => StatusCode::BAD_GATEWAY,
            OpenIdError::Stale | OpenIdError::Denied | OpenIdError::Refused => {
                StatusCode::FORBIDDEN
            }
        };
        Self::new(status, error.code(), error.to_string())
    }
}
