//! `/api/users` and `/api/devices`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{Audit, Caller, ProblemBody, ProblemParts, State};
use super::query::parsed;
use super::support::SupportLine;
use super::{App, Problem};
use crate::ids::DeviceId;
use crate::office::auth::{AuthError, DeviceLine, NewUser, UserChange, UserLine};
use crate::office::store::FailedRounds;
use crate::record::terms::Role;

/// Which users.
#[derive(Deserialize, JsonSchema)]
pub(super) struct UserQuery {
    /// collector, supervisor, auditor or admin
    #[serde(default)]
    role: String,
}

/// Refuses a device from now on.
#[derive(Deserialize, JsonSchema)]
pub(super) struct RevokeRequest {
    /// Why.
    reason: String,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    ProblemParts(Query(query)): ProblemParts<Query<UserQuery>>,
) -> Result<Json<Vec<UserLine>>, Problem> {
    let role = parsed(&query.role, "role", Role::parse)?;
    Ok(Json(app.accounts.users(role).await?))
}

pub(super) async fn add_user(
    State(app): State<Arc<App>>,
    Audit(audit): Audit,
    ProblemBody(Json(new)): ProblemBody<Json<NewUser>>,
) -> Result<(StatusCode, Json<UserLine>), Problem> {
    audit.set_subject(&new.name);
    audit.set_detail(new.role.as_str());
    Ok((StatusCode::CREATED, Json(app.accounts.add_user(new).await?)))
}

pub(super) async fn change_user(
    State(app): State<Arc<App>>,
    Audit(audit): Audit,
    ProblemParts(Path(name)): ProblemParts<Path<String>>,
    ProblemBody(Json(change)): ProblemBody<Json<UserChange>>,
) -> Result<Json<UserLine>, Problem> {
    audit.set_detail(&change.fields().join(", "));
    Ok(Json(app.accounts.change_user(&name, change).await?))
}

/// A device, and what it last said about itself.
#[derive(Serialize, JsonSchema)]
pub(super) struct FleetLine {
    #[serde(flatten)]
    device: DeviceLine,
    /// Its last report.
    report: Option<FleetReport>,
    /// Records of its user that have changed since the office last sent to it; `None` if unknown.
    undelivered: Option<u64>,
    /// The last request for a support bundle.
    support: Option<SupportLine>,
}

/// What a device said about itself. Times are ms by the office's clock.
#[derive(Serialize, JsonSchema)]
pub(super) struct FleetReport {
    /// When.
    received_at: i64,
    /// Changes that the office has not confirmed.
    unsent: i64,
    /// When the oldest of them was made.
    oldest_unsent_at: Option<i64>,
    /// Whether the browser keeps the app's storage; `None` where it does not say.
    persisted: Option<bool>,
    /// Device clock minus office clock, ms.
    clock_skew_ms: Option<i64>,
    /// Failed rounds since the report before, by reason.
    failed: Vec<FailedRounds>,
}

/// Supervisors see the devices of collectors, administrators and auditors see all.
pub(super) async fn devices(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Vec<FleetLine>>, Problem> {
    let of = match caller.identity.session.role {
        Role::Admin | Role::Auditor => None,
        Role::Supervisor | Role::Collector => Some(Role::Collector),
    };
    let mut fleet = app.office.fleet().await?;
    let mut support = app.office.support_requests().await?;
    let line = |device: DeviceLine| {
        let id = device.id.parse::<DeviceId>().ok();
        let (report, undelivered) = id.and_then(|id| fleet.remove(&id)).unzip();
        let support = id.and_then(|id| support.remove(&id)).map(SupportLine::from);
        let report = report.map(|report| FleetReport {
            received_at: report.received_at,
            unsent: report.unsent,
            oldest_unsent_at: report.oldest_unsent_at,
            persisted: report.persisted,
            clock_skew_ms: report.clock_skew_ms,
            failed: report.failed,
        });
        FleetLine { device, report, undelivered: undelivered.flatten(), support }
    };
    Ok(Json(app.accounts.devices(of).await?.into_iter().map(line).collect()))
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
    ProblemBody(Json(request)): ProblemBody<Json<RevokeRequest>>,
) -> Result<StatusCode, Problem> {
    let id: DeviceId = id.parse().map_err(|_| AuthError::Unknown("device"))?;
    let by = &caller.identity.session.user;
    app.accounts.revoke_device(id, by, &request.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}
