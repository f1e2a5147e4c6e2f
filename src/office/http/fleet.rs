//! `/api/device/report`: what a phone says about itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::extract::{Caller, ProblemBody, State};
use super::{App, Problem};
use crate::office::fleet::{REASONS, REPORT_VERSION, SelfReport};
use crate::office::store::FailedRounds;

/// What a phone says about itself.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceReportRequest {
    /// form of the report: 1
    version: u32,
    /// changes that the office has not confirmed
    unsent: i64,
    /// age of the oldest of them, ms
    #[serde(default)]
    oldest_unsent_age_ms: Option<i64>,
    /// whether the browser keeps the app's storage
    #[serde(default)]
    persisted: Option<bool>,
    /// device clock minus office clock, ms
    #[serde(default)]
    clock_skew_ms: Option<i64>,
    /// failed rounds since the report before, at most one entry a reason
    #[serde(default)]
    failed: Vec<FailedRounds>,
}

pub(super) async fn report(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemBody(Json(asked)): ProblemBody<Json<DeviceReportRequest>>,
) -> Result<StatusCode, Problem> {
    if asked.version != REPORT_VERSION {
        return Err(invalid("version", "this office knows version 1"));
    }
    let reasons: BTreeSet<&str> = asked.failed.iter().map(|failed| &*failed.reason).collect();
    if reasons.len() != asked.failed.len() || !reasons.iter().all(|one| REASONS.contains(one)) {
        return Err(invalid("failed", "one entry for each known reason"));
    }
    let report = SelfReport {
        unsent: asked.unsent,
        oldest_unsent_age_ms: asked.oldest_unsent_age_ms,
        persisted: asked.persisted,
        clock_skew_ms: asked.clock_skew_ms,
        failed: asked.failed,
    };
    app.office.report_device(caller.identity.session.device, report).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn invalid(path: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at(path)
}
