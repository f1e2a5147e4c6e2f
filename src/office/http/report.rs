//! `/api/report`: the figures of the dashboard; `/api/own-figures`: those of one collector.

use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use schemars::JsonSchema;
use serde::Deserialize;

use super::extract::{Caller, ProblemParts, State};
use super::query::{names, period, zone};
use super::{App, Problem};
use crate::office::{OwnFigures, Report};

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

/// Where months begin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct OwnFiguresParameters {
    /// IANA zone of the months; UTC without
    zone: String,
}

pub(super) async fn own(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Query(query)): ProblemParts<Query<OwnFiguresParameters>>,
) -> Result<Json<OwnFigures>, Problem> {
    let user = &caller.identity.session.user;
    Ok(Json(app.office.own_figures(user, zone(&query.zone)?).await?))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    ProblemParts(Query(query)): ProblemParts<Query<ReportParameters>>,
) -> Result<Json<Report>, Problem> {
    let zone = zone(&query.zone)?;
    let period = period(&query.from, &query.to, zone)?;
    Ok(Json(app.office.report(period, zone, names(&query.collector)).await?))
}
