//! `/api/…/conduct`: what the rules of conduct say.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::extract::ProblemParts;
use super::visits::record_id;
use super::{App, Problem};
use crate::conduct::terms::{Answer, LegalStatus, Severity};
use crate::conduct::view::ConductView;
use crate::conduct::{Moment, builtin};
use crate::ids::RecordId;
use crate::office::store::{ConductListing, ConductRow};
use crate::record::terms::Grade;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    moment: String,
}

/// The answers of one record.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
    ProblemParts(Query(asked)): ProblemParts<Query<Asked>>,
) -> Result<Json<ConductView>, Problem> {
    let moment = match asked.moment.as_str() {
        "" => None,
        word => Some(Moment::parse(word).ok_or(Problem::parameter("moment"))?),
    };
    Ok(Json(app.office.conduct(record_id(&id)?, moment).await?))
}

/// The lender's own layers, packed as phones take them.
pub(super) async fn layers(State(app): State<Arc<App>>) -> Response {
    let packed = builtin::pack(&app.office.policy().own());
    ([(header::CONTENT_TYPE, "application/cbor")], packed).into_response()
}

/// Rows of a page unless the client asks for another number, and the most.
const PAGE: (u32, u32) = (50, 200);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    answer: String,
    rule: String,
    limit: String,
    after: String,
}

#[derive(Serialize)]
pub(super) struct Line {
    record: String,
    case_no: String,
    rule: String,
    moment: Moment,
    layer: String,
    answer: Answer,
    severity: Severity,
    status: LegalStatus,
    shadow: bool,
    grade: Option<Grade>,
    reason: String,
    policy: String,
    at: i64,
}

#[derive(Serialize)]
pub(super) struct Queue {
    rows: Vec<Line>,
    next: Option<String>,
    /// Records have changed since they were evaluated last: more rows may follow.
    evaluating: bool,
}

/// One page of failures and unknowns.
pub(super) async fn queue(
    State(app): State<Arc<App>>,
    ProblemParts(Query(which)): ProblemParts<Query<Which>>,
) -> Result<Json<Queue>, Problem> {
    let answer = match which.answer.as_str() {
        "" => None,
        "fail" => Some(Answer::Fail),
        "unknown" => Some(Answer::Unknown),
        _ => return Err(Problem::parameter("answer")),
    };
    let limit = match which.limit.as_str() {
        "" => PAGE.0,
        text => text
            .parse()
            .ok()
            .filter(|limit| (1..=PAGE.1).contains(limit))
            .ok_or(Problem::parameter("limit"))?,
    };
    let after = match which.after.as_str() {
        "" => None,
        text => Some(cursor(text).ok_or(Problem::parameter("after"))?),
    };
    let rule = Some(which.rule).filter(|rule| !rule.is_empty());
    let listing = ConductListing { answer, rule, after, limit };
    // Before the rows: what is evaluated in between is in them.
    let evaluating = app.office.is_evaluating().await?;
    let rows = app.office.conduct_queue(listing).await?;
    let full = u32::try_from(rows.len()).is_ok_and(|rows| rows == limit);
    let next = rows.last().filter(|_| full).map(|last| format!("{}/{}", last.record, last.rule));
    Ok(Json(Queue { rows: rows.into_iter().map(line).collect(), next, evaluating }))
}

fn cursor(text: &str) -> Option<(RecordId, String)> {
    let (record, rule) = text.split_once('/')?;
    Some((record.parse().ok()?, rule.to_owned()))
}

fn line(row: ConductRow) -> Line {
    Line {
        record: row.record.to_string(),
        case_no: row.case_no,
        rule: row.rule,
        moment: row.moment,
        layer: row.layer,
        answer: row.answer,
        severity: row.severity,
        status: row.status,
        shadow: row.shadow,
        grade: row.grade,
        reason: row.reason,
        policy: row.policy,
        at: row.at,
    }
}
