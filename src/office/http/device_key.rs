//! `/api/device/key`: the key that a device signs seals with.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::extract::{Caller, ProblemBody, State};
use super::{App, Problem};
use crate::ids::unhex;

/// The key that a device signs seals with.
#[derive(Deserialize, JsonSchema)]
pub(super) struct EnrolKeyRequest {
    /// Ed25519, 64 hex digits.
    key: String,
}

pub(super) async fn enrol(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemBody(Json(asked)): ProblemBody<Json<EnrolKeyRequest>>,
) -> Result<StatusCode, Problem> {
    let key = unhex(&asked.key).and_then(|key| key.try_into().ok()).ok_or_else(|| {
        let detail = "a key has 64 hex digits";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at("key")
    })?;
    app.accounts.enrol_key(caller.identity.session.device, key).await?;
    Ok(StatusCode::NO_CONTENT)
}
