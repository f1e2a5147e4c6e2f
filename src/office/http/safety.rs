//! `/api/safety`: visits that the office watches over, and alarms.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{Caller, ProblemBody, ProblemParts, State};
use super::{App, Problem};
use crate::ids::RecordId;
use crate::office::safety::{self, SafetyReport, WatchState};
use crate::office::store::SafetyWatch;

/// What a phone reports about its visit.
#[derive(Deserialize, JsonSchema)]
pub(super) struct SafetyRequest {
    /// the record's id
    record: String,
    /// counts up with each report
    revision: i64,
    /// ms until the check-out is due; negative if it is overdue
    due_in_ms: i64,
    /// how long ago an alarm was raised, ms
    #[serde(default)]
    alarm_age_ms: Option<i64>,
    /// degrees north of the alarm
    #[serde(default)]
    lat: Option<f64>,
    /// degrees east of the alarm
    #[serde(default)]
    lon: Option<f64>,
    /// the collector has checked out
    #[serde(default)]
    ended: bool,
}

/// A watched visit.
#[derive(Serialize, JsonSchema)]
pub(super) struct SafetyLine {
    /// Id of the watch.
    id: String,
    /// The collector.
    user: String,
    /// The record of the visit.
    record: String,
    /// Its state by the office's clock.
    state: WatchState,
    /// When the check-out is due, ms.
    due_at: i64,
    /// When an alarm was raised, ms.
    alarm_at: Option<i64>,
    /// Degrees north of the alarm.
    lat: Option<f64>,
    /// Degrees east of the alarm.
    lon: Option<f64>,
    /// When the last report came, ms.
    received_at: i64,
    /// Who takes care of it.
    seen_by: Option<String>,
    /// Since when, ms.
    seen_at: Option<i64>,
}

pub(super) async fn report(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
    ProblemBody(Json(asked)): ProblemBody<Json<SafetyRequest>>,
) -> Result<Json<SafetyLine>, Problem> {
    let report = SafetyReport {
        id: watch_id(&id)?,
        record: asked.record.parse().map_err(|_| invalid("record", "this is no record id"))?,
        revision: asked.revision,
        due_in_ms: asked.due_in_ms,
        alarm_age_ms: asked.alarm_age_ms,
        position: asked.lat.zip(asked.lon).filter(|(lat, lon)| on_earth(*lat, *lon)),
        ended: asked.ended,
    };
    let user = &caller.identity.session.user;
    let watch = app.office.report_safety(user, report).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(line(watch, app.office.now_ms())))
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<SafetyLine>>, Problem> {
    let now = app.office.now_ms();
    let watches = app.office.safety_watches().await?;
    Ok(Json(watches.into_iter().map(|watch| line(watch, now)).collect()))
}

pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
) -> Result<Json<SafetyLine>, Problem> {
    let by = &caller.identity.session.user;
    let watch = app.office.acknowledge_safety(watch_id(&id)?, by).await?;
    Ok(Json(line(watch.ok_or_else(Problem::not_found)?, app.office.now_ms())))
}

/// A UUID in the same form as a record's.
fn watch_id(text: &str) -> Result<[u8; 16], Problem> {
    text.parse::<RecordId>().map(|id| id.0).map_err(|_| Problem::not_found())
}

fn on_earth(lat: f64, lon: f64) -> bool {
    lat.abs() <= 90.0 && lon.abs() <= 180.0
}

fn invalid(path: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at(path)
}

fn line(watch: SafetyWatch, now: i64) -> SafetyLine {
    let state = safety::state(&watch, now);
    let (lat, lon) = watch.position.unzip();
    let (seen_by, seen_at) = watch.seen.unzip();
    SafetyLine {
        id: RecordId(watch.id).to_string(),
        user: watch.user,
        record: watch.record.to_string(),
        state,
        due_at: watch.due_at,
        alarm_at: watch.alarm_at,
        lat,
        lon,
        received_at: watch.received_at,
        seen_by,
        seen_at,
    }
}
