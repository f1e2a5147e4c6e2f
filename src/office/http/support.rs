//! `/api/devices/{id}/support` and `/api/device/support`: support bundles that the office asks for.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{Audit, Caller, ProblemBody, ProblemParts, State};
use super::{App, Problem};
use crate::ids::{DeviceId, RecordId};
use crate::office::store;
use crate::office::support::SupportRefusal;

/// Asks a device for a support bundle.
#[derive(Deserialize, JsonSchema)]
pub(super) struct SupportBundleRequest {
    /// UUID, made by the client
    id: String,
}

/// The answer of a device's user.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SupportAnswer {
    /// what the user read and sent; null: declined
    bundle: Option<String>,
}

/// What the office asks this device for.
#[derive(Serialize, JsonSchema)]
pub(super) struct PendingSupport {
    /// The request; null where there is none.
    request: Option<PendingSupportRequest>,
}

/// A request that the device's user has not answered.
#[derive(Serialize, JsonSchema)]
pub(super) struct PendingSupportRequest {
    /// UUID.
    id: String,
    /// Display name of the person who asked.
    requested_by: String,
    /// ms by the office's clock.
    requested_at: i64,
}

/// The last request to a device. Times are ms by the office's clock.
#[derive(Serialize, JsonSchema)]
pub(super) struct SupportLine {
    /// How far it is.
    state: SupportState,
    /// Who asked.
    requested_by: String,
    /// When.
    requested_at: i64,
    /// When the device's user sent or declined.
    answered_at: Option<i64>,
    /// When the bundle that can be opened arrived, for this request or an earlier one.
    bundle_at: Option<i64>,
}

/// How far a request for a support bundle is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SupportState {
    /// The device's user has not answered.
    Requested,
    /// The bundle is at the office.
    Sent,
    /// The device's user declined.
    Declined,
}

impl From<store::SupportRequest> for SupportLine {
    fn from(request: store::SupportRequest) -> Self {
        let state = match (request.answered_at, request.declined) {
            (None, _) => SupportState::Requested,
            (Some(_), false) => SupportState::Sent,
            (Some(_), true) => SupportState::Declined,
        };
        Self {
            state,
            requested_by: request.requested_by,
            requested_at: request.requested_at,
            answered_at: request.answered_at,
            bundle_at: request.bundle_at,
        }
    }
}

/// A bundle as it was sent. A phone wrote it: it is shown as text and nothing is decided by it.
#[derive(Serialize, JsonSchema)]
pub(super) struct SentBundle {
    /// The text.
    bundle: String,
}

pub(super) async fn request(
    State(app): State<Arc<App>>,
    caller: Caller,
    Audit(audit): Audit,
    ProblemParts(Path(device)): ProblemParts<Path<String>>,
    ProblemBody(Json(asked)): ProblemBody<Json<SupportBundleRequest>>,
) -> Result<StatusCode, Problem> {
    audit.set_subject(&device);
    let by = &caller.identity.session.user;
    app.office.request_support(device_id(&device)?, uuid(&asked.id)?, by).await??;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn bundle(
    State(app): State<Arc<App>>,
    ProblemParts(Path(device)): ProblemParts<Path<String>>,
) -> Result<Json<SentBundle>, Problem> {
    let bundle = app.office.support_bundle(device_id(&device)?).await?;
    Ok(Json(SentBundle { bundle: bundle.ok_or_else(Problem::not_found)? }))
}

pub(super) async fn pending(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<PendingSupport>, Problem> {
    let pending = app.office.pending_support(caller.identity.session.device).await?;
    let request = pending.map(|(request, requested_by)| PendingSupportRequest {
        id: RecordId(request.id).to_string(),
        requested_by,
        requested_at: request.requested_at,
    });
    Ok(Json(PendingSupport { request }))
}

pub(super) async fn answer(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
    ProblemBody(Json(answer)): ProblemBody<Json<SupportAnswer>>,
) -> Result<StatusCode, Problem> {
    let device = caller.identity.session.device;
    app.office.answer_support(device, uuid(&id)?, answer.bundle).await??;
    Ok(StatusCode::NO_CONTENT)
}

fn device_id(text: &str) -> Result<DeviceId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

/// A UUID in the same form as a record's.
fn uuid(text: &str) -> Result<[u8; 16], Problem> {
    text.parse::<RecordId>().map(|id| id.0).map_err(|_| Problem::not_found())
}

impl From<SupportRefusal> for Problem {
    fn from(refusal: SupportRefusal) -> Self {
        match refusal {
            SupportRefusal::Unknown => Self::not_found(),
            SupportRefusal::Invalid => {
                let detail = refusal.to_string();
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at("bundle")
            }
        }
    }
}
