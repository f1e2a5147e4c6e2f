//! `/api/users` and `/api/devices`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::extract::{Caller, ProblemBody, ProblemParts};
use super::query::parsed;
use super::{App, Problem};
use crate::ids::DeviceId;
use crate::office::auth::{AuthError, DeviceLine, NewUser, UserChange, UserLine};
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
    ProblemBody(Json(new)): ProblemBody<Json<NewUser>>,
) -> Result<(StatusCode, Json<UserLine>), Problem> {
    Ok((StatusCode::CREATED, Json(app.accounts.add_user(new).await?)))
}

pub(super) async fn change_user(
    State(app): State<Arc<App>>,
    ProblemParts(Path(name)): ProblemParts<Path<String>>,
    ProblemBody(Json(change)): ProblemBody<Json<UserChange>>,
) -> Result<Json<UserLine>, Problem> {
    Ok(Json(app.accounts.change_user(&name, change).await?))
}

/// Supervisors see the devices of collectors, administrators and auditors see all.
pub(super) async fn devices(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Vec<DeviceLine>>, Problem> {
    let of = match caller.identity.session.role {
        Role::Admin | Role::Auditor => None,
        Role::Supervisor | Role::Collector => Some(Role::Collector),
    };
    Ok(Json(app.accounts.devices(of).await?))
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
