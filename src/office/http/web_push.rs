//! `/api/web-push`: a phone's subscription to notices.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{Caller, ProblemBody, State};
use super::{App, Problem};
use crate::office::web_push::{NewSubscription, NoticeHours, SubscriptionRefusal};

/// A phone's subscription at its browser's push service.
#[derive(Deserialize, JsonSchema)]
pub(super) struct SubscribeRequest {
    /// URL of the push service for this browser
    endpoint: String,
    /// the browser's P-256 key, base64url
    p256dh: String,
    /// the browser's authentication secret, base64url
    auth: String,
    /// IANA zone of the hours
    zone: String,
    /// when notices may begin on each day, minutes after midnight
    from_minute: u16,
    /// when they end; equal to the beginning: at any time
    until_minute: u16,
}

/// What a phone needs to subscribe, and its subscription.
#[derive(Serialize, JsonSchema)]
pub(super) struct PushState {
    /// The office's public key, base64url.
    key: Option<String>,
    /// The subscription of this sign-in.
    subscription: Option<SubscriptionLine>,
}

/// A subscription as its phone is told of it.
#[derive(Serialize, JsonSchema)]
pub(super) struct SubscriptionLine {
    /// URL of the push service.
    endpoint: String,
    /// When notices may begin on each day, minutes after midnight.
    from_minute: u16,
    /// When they end.
    until_minute: u16,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<PushState>, Problem> {
    let subscription = app.office.push_subscription(caller.identity.session.device).await?;
    let subscription = subscription.map(|subscription| SubscriptionLine {
        endpoint: subscription.endpoint,
        from_minute: subscription.from_minute,
        until_minute: subscription.until_minute,
    });
    Ok(Json(PushState { key: app.office.push_key(), subscription }))
}

pub(super) async fn subscribe(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemBody(Json(asked)): ProblemBody<Json<SubscribeRequest>>,
) -> Result<StatusCode, Problem> {
    let auth = bytes(&asked.auth).and_then(|bytes| bytes.try_into().ok());
    let hours = NoticeHours::new(&asked.zone, asked.from_minute, asked.until_minute);
    let subscription = NewSubscription {
        endpoint: asked.endpoint,
        public_key: bytes(&asked.p256dh).ok_or_else(|| invalid("p256dh", "this is no key"))?,
        auth: auth.ok_or_else(|| invalid("auth", "a secret has 16 bytes"))?,
        hours: hours.ok_or_else(|| invalid("zone", "unknown zone, or no minutes of a day"))?,
    };
    let session = &caller.identity.session;
    match app.office.subscribe_push(session, subscription).await? {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(SubscriptionRefusal::Endpoint) => {
            Err(invalid("endpoint", "this is no https address of a public push service"))
        }
        Err(SubscriptionRefusal::Key) => Err(invalid("p256dh", "this is no key")),
        Err(SubscriptionRefusal::SignedOut) => Err(Problem::signed_out()),
    }
}

pub(super) async fn unsubscribe(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    app.office.unsubscribe_push(caller.identity.session.device).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Browsers send base64url without padding.
fn bytes(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

fn invalid(path: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at(path)
}
