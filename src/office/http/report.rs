//! `/api/report`: the figures of the dashboard.

use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use schemars::JsonSchema;
use serde::Deserialize;

use super::extract::{ProblemParts, State};
use super::query::{names, period, zone};
use super::{App, Problem};
use crate::office::Report;

/// Days and team.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct ReportParameters {
    /// first day, YYYY-MM-DD
    from: String,
    /// last day, at most 366 days in all
    to: String,
    /// IANA zone of the days; UTC without
    zone: String,
    /// sign-in names of collectors, comma-separated; without, everybody's work
    collector: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    ProblemParts(Query(query)): ProblemParts<Query<ReportParameters>>,
) -> Result<Json<Report>, Problem> {
    let zone = zone(&query.zone)?;
    let period = period(&query.from, &query.to, zone)?;
    Ok(Json(app.office.report(period, zone, names(&query.collector)).await?))
}
