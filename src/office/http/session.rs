//! `/api/session`: signing in and out.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::extract::{Caller, Checked};
use super::guard::Presented;
use super::{App, Problem};
use crate::ids::DeviceId;
use crate::office::auth::SIGN_IN_LASTS;
use crate::record::terms::Role;

/// Name of the cookie that browsers keep.
pub(super) const COOKIE: &str = "doorstep_session";

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
    expires_at: i64,
}

#[derive(Serialize)]
pub(super) struct Me {
    user: String,
    display_name: String,
    role: Role,
}

pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    address: Address,
    Checked(Json(asked)): Checked<Json<SignIn>>,
) -> Result<Response, Problem> {
    let device = asked.device.filter(|device| !device.is_empty());
    let device = device.map(|text| text.parse::<DeviceId>()).transpose().map_err(|_| {
        let detail = "a device id has 32 hex digits";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at("device")
    })?;
    let signed_in = app.accounts.sign_in(&asked.name, asked.password, device, address.0).await?;
    let token = signed_in.token.to_text();
    let cookie = cookie(&token, SIGN_IN_LASTS / 1000, app.secure);
    let session = signed_in.identity.session;
    let body = SignedIn {
        user: session.user,
        display_name: signed_in.identity.display_name,
        role: session.role,
        token,
        device: session.device.to_string(),
        expires_at: signed_in.expires_at,
    };
    Ok(([(header::SET_COOKIE, cookie)], Json(body)).into_response())
}

/// Who is signed in. Pages ask at their start, which keeps the cookie as fresh as the sign-in.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    headers: HeaderMap,
) -> Response {
    let me = Me {
        user: caller.session.user,
        display_name: caller.display_name,
        role: caller.session.role,
    };
    match Presented::of(&headers) {
        Some(presented) if presented.by_cookie => {
            let cookie = cookie(&presented.token.to_text(), SIGN_IN_LASTS / 1000, app.secure);
            ([(header::SET_COOKIE, cookie)], Json(me)).into_response()
        }
        Some(_) | None => Json(me).into_response(),
    }
}

pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(presented) = Presented::of(&headers) {
        app.accounts.sign_out(&presented.token).await?;
    }
    let gone = cookie("", 0, app.secure);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

fn cookie(value: &str, seconds: i64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text =
        format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    // Hex and constants: never a character that a header can't hold.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Where the request came from.
pub(super) struct Address(IpAddr);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        // Only requests that no network carried have no peer.
        Ok(Self(peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip())))
    }
}
