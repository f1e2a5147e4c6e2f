//! `/api/bulk`: reviews and holds of many records at once; and what all requests for many records
//! answer with.

use std::sync::Arc;

use axum::Json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::commands::check;
use super::extract::{Audit, Caller, ProblemBody, State};
use super::{App, Problem};
use crate::ids::RecordId;
use crate::office::OfficeError;
use crate::office::bulk::{BulkAction, BulkChange, BulkOutcome};
use crate::record::command::Command;

/// Records of one request: the caller sends many requests, and shows how far it is.
pub(super) const MAX_ROWS: usize = 100;

/// One record.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct BulkRow {
    /// the record's id
    record: String,
    /// `updated_at` of the row that the user saw: nothing is accepted or lifted on a record that was
    /// changed since, and it is reported as `moved`
    seen_at: i64,
}

/// One action on many records.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct BulkRequest {
    /// what is done to each
    action: BulkAction,
    /// at most 100
    rows: Vec<BulkRow>,
}

/// What became of each row, in the order of the request.
#[derive(Serialize, JsonSchema)]
pub(super) struct BulkReport {
    rows: Vec<BulkResult>,
}

/// What became of one row.
#[derive(Serialize, JsonSchema)]
pub(super) struct BulkResult {
    /// The record's id.
    record: String,
    /// done, unchanged, moved or refused.
    outcome: &'static str,
    /// Why it was refused: a stable word, or empty.
    code: &'static str,
    /// Why it was refused: one sentence, or empty.
    detail: String,
    /// The field that it is about, or empty.
    path: String,
}

pub(super) async fn act(
    State(app): State<Arc<App>>,
    caller: Caller,
    Audit(audit): Audit,
    ProblemBody(Json(asked)): ProblemBody<Json<BulkRequest>>,
) -> Result<Json<BulkReport>, Problem> {
    let BulkRequest { action, rows } = asked;
    if rows.len() > MAX_ROWS {
        return Err(OfficeError::TooMany.into());
    }
    audit.set_detail(&format!("{} records: {}", rows.len(), name_of(&action)));
    let session = &caller.identity.session;
    let rows = rows.into_iter().map(|BulkRow { record, seen_at }| {
        let (app, action) = (app.clone(), action.clone());
        let (id, user, role) = (record.clone(), session.user.clone(), session.role);
        let work = async move {
            let record: RecordId = id.parse().map_err(|_| Problem::unknown_record())?;
            if let BulkAction::LiftHold { flag } | BulkAction::UndoHold { flag, .. } = action {
                check(&app, record, &Command::LiftHold { flag }).await?;
            }
            Ok(app.office.bulk(BulkChange { record, action, seen_at }, &user, role).await?)
        };
        (record, work)
    });
    Ok(Json(report(rows).await))
}

/// Works on all rows at once. From here on nothing fails as a whole: some rows may have been written.
pub(super) async fn report<F>(rows: impl Iterator<Item = (String, F)>) -> BulkReport
where
    F: Future<Output = Result<BulkOutcome, Problem>> + Send + 'static,
{
    // Spawned: a request that is cut off completes its rows, and rows share commits.
    let tasks: Vec<_> = rows.map(|(record, work)| (record, tokio::spawn(work))).collect();
    let mut rows = Vec::new();
    for (record, task) in tasks {
        rows.push(result(record, task.await.unwrap_or_else(|_| Err(Problem::internal()))));
    }
    BulkReport { rows }
}

fn result(record: String, outcome: Result<BulkOutcome, Problem>) -> BulkResult {
    let (outcome, problem) = match outcome {
        Ok(BulkOutcome::Done) => ("done", None),
        Ok(BulkOutcome::Unchanged) => ("unchanged", None),
        Ok(BulkOutcome::Moved) => ("moved", None),
        Err(problem) => ("refused", Some(problem)),
    };
    let (code, detail, path) = problem.map_or(("", String::new(), String::new()), |problem| {
        (problem.code(), problem.detail().to_owned(), problem.path().to_owned())
    });
    BulkResult { record, outcome, code, detail, path }
}

fn name_of(action: &BulkAction) -> String {
    match action {
        BulkAction::PlaceHold { flag, .. } => format!("place_hold {flag}"),
        BulkAction::UndoHold { flag, .. } => format!("undo_hold {flag}"),
        BulkAction::LiftHold { flag } => format!("lift_hold {flag}"),
        BulkAction::Accept { .. } => "accept".to_owned(),
        BulkAction::UndoAccept { .. } => "undo_accept".to_owned(),
    }
}
