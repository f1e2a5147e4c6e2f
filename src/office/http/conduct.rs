//! `/api/…/conduct`: answers of the rules of conduct.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{ProblemParts, State};
use super::query::{filled, page_size, parsed};
use super::visits::record_id;
use super::{App, Problem};
use crate::conduct::terms::{Answer, LegalStatus, Severity};
use crate::conduct::view::ConductView;
use crate::conduct::{Moment, builtin};
use crate::ids::RecordId;
use crate::office::store::{ConductListing, ConductRow};
use crate::record::terms::Grade;

/// Which moment to evaluate.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct MomentQuery {
    /// before, arrival or after; without it, the moment that the record has come to
    moment: String,
}

/// The answers of one record.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
    ProblemParts(Query(query)): ProblemParts<Query<MomentQuery>>,
) -> Result<Json<ConductView>, Problem> {
    let moment = parsed(&query.moment, "moment", Moment::parse)?;
    Ok(Json(app.office.conduct(record_id(&id)?, moment).await?))
}

/// The lender's own layers, packed as phones take them.
pub(super) async fn layers(State(app): State<Arc<App>>) -> Response {
    let packed = builtin::pack(&app.office.policy().own());
    ([(header::CONTENT_TYPE, "application/cbor")], packed).into_response()
}

/// Filters and page of the queue.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct ConductQuery {
    /// fail or unknown; both without
    answer: String,
    /// only this rule, such as CN-04
    rule: String,
    /// rows of a page, 1 to 200
    limit: String,
    /// the cursor of the page before
    after: String,
}

/// An answer that is not "kept".
#[derive(Serialize, JsonSchema)]
pub(super) struct ConductQueueRow {
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
    /// A stable word.
    reason: String,
    policy: String,
    at: i64,
}

/// One page of the queue.
#[derive(Serialize, JsonSchema)]
pub(super) struct ConductQueuePage {
    rows: Vec<ConductQueueRow>,
    /// Cursor of the page after this one.
    next: Option<String>,
    /// Records have changed since they were evaluated last: more rows may follow.
    evaluating: bool,
}

/// One page of failures and unknowns.
pub(super) async fn queue(
    State(app): State<Arc<App>>,
    ProblemParts(Query(query)): ProblemParts<Query<ConductQuery>>,
) -> Result<Json<ConductQueuePage>, Problem> {
    let open_answer = |word: &str| match word {
        "fail" => Some(Answer::Fail),
        "unknown" => Some(Answer::Unknown),
        _ => None,
    };
    let answer = parsed(&query.answer, "answer", open_answer)?;
    let limit = page_size(&query.limit)?;
    let after = parsed(&query.after, "after", cursor)?;
    let rule = filled(&query.rule).map(str::to_owned);
    let listing = ConductListing { answer, rule, after, limit };
    // Ask before reading the rows: they include anything evaluated in between.
    let evaluating = app.office.is_evaluating().await?;
    let rows = app.office.conduct_queue(listing).await?;
    let full = u32::try_from(rows.len()).is_ok_and(|rows| rows == limit);
    let next = rows.last().filter(|_| full).map(|last| format!("{}/{}", last.record, last.rule));
    Ok(Json(ConductQueuePage { rows: rows.into_iter().map(row_of).collect(), next, evaluating }))
}

fn cursor(text: &str) -> Option<(RecordId, String)> {
    let (record, rule) = text.split_once('/')?;
    Some((record.parse().ok()?, rule.to_owned()))
}

fn row_of(row: ConductRow) -> ConductQueueRow {
    ConductQueueRow {
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
