//! `/api/queues` and `/api/assignments`: records that wait for the office, and assignment of many at once.

use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::commands::only_collectors;
use super::extract::{Audit, Caller, ProblemBody, ProblemParts, State};
use super::query::day;
use super::{App, Problem};
use crate::office::OfficeError;
use crate::office::assigning::{AssignmentChange, AssignmentOutcome, AssignmentValues};
use crate::office::queues::QueueCounts;

/// Records of one request: the caller sends many requests, and shows how far it is.
const MAX_ROWS: usize = 100;

/// Which day it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct QueueQuery {
    /// the present day of the reader, `YYYY-MM-DD`; without it, that of the office in UTC
    today: String,
}

pub(super) async fn counts(
    State(app): State<Arc<App>>,
    ProblemParts(Query(asked)): ProblemParts<Query<QueueQuery>>,
) -> Result<Json<QueueCounts>, Problem> {
    let today = day(&asked.today, app.office.now())?;
    Ok(Json(app.office.queue_counts(today).await?))
}

/// Values of an assignment. Absent ones stay as they are.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct AssignmentFields {
    /// sign-in names
    collectors: Option<Vec<String>>,
    /// `YYYY-MM-DD`, empty for none
    due_by: Option<String>,
    /// 1 (high), 2 or 3
    priority: Option<i64>,
}

/// A change of one record's assignment.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct AssignmentRow {
    /// the record's id
    record: String,
    /// what is set
    set: AssignmentFields,
    /// what the user saw in place of it: anything else there is left alone and reported as `moved`
    seen: AssignmentFields,
}

/// Changes of many assignments.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct AssignmentsRequest {
    /// at most 100
    rows: Vec<AssignmentRow>,
}

/// What became of each row, in the order of the request.
#[derive(Serialize, JsonSchema)]
pub(super) struct AssignmentReport {
    rows: Vec<AssignmentResult>,
}

/// What became of one row.
#[derive(Serialize, JsonSchema)]
pub(super) struct AssignmentResult {
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

pub(super) async fn assign(
    State(app): State<Arc<App>>,
    caller: Caller,
    Audit(audit): Audit,
    ProblemBody(Json(asked)): ProblemBody<Json<AssignmentsRequest>>,
) -> Result<Json<AssignmentReport>, Problem> {
    if asked.rows.len() > MAX_ROWS {
        return Err(OfficeError::TooMany.into());
    }
    let named = asked.rows.iter().filter_map(|row| row.set.collectors.as_ref()).flatten();
    let mut named: Vec<String> = named.cloned().collect();
    named.sort();
    named.dedup();
    only_collectors(&app, &named).await?;
    audit.set_detail(&detail(&asked.rows));
    // From here on nothing fails as a whole: some rows may have been written.
    let session = &caller.identity.session;
    let mut tasks = Vec::new();
    for AssignmentRow { record, set, seen } in asked.rows {
        let (app, user, role) = (app.clone(), session.user.clone(), session.role);
        let id = record.clone();
        // Spawned: a request that is cut off completes its rows, and rows share commits.
        let task = tokio::spawn(async move {
            let record = id.parse().map_err(|_| Problem::unknown_record())?;
            let change = AssignmentChange { record, set: set.into(), seen: seen.into() };
            Ok(app.office.assign(change, &user, role).await?)
        });
        tasks.push((record, task));
    }
    let mut rows = Vec::new();
    for (record, task) in tasks {
        rows.push(result(record, task.await.unwrap_or_else(|_| Err(Problem::internal()))));
    }
    Ok(Json(AssignmentReport { rows }))
}

/// How many records, and the fields that are set.
fn detail(rows: &[AssignmentRow]) -> String {
    let any = |is_set: fn(&AssignmentFields) -> bool| rows.iter().any(|row| is_set(&row.set));
    let fields = [
        ("collectors", any(|set| set.collectors.is_some())),
        ("due_by", any(|set| set.due_by.is_some())),
        ("priority", any(|set| set.priority.is_some())),
    ];
    let fields: Vec<_> = fields.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
    format!("{} records: {}", rows.len(), fields.join(", "))
}

fn result(record: String, outcome: Result<AssignmentOutcome, Problem>) -> AssignmentResult {
    let (outcome, problem) = match outcome {
        Ok(AssignmentOutcome::Done) => ("done", None),
        Ok(AssignmentOutcome::Unchanged) => ("unchanged", None),
        Ok(AssignmentOutcome::Moved) => ("moved", None),
        Err(problem) => ("refused", Some(problem)),
    };
    let (code, detail, path) = problem.map_or(("", String::new(), String::new()), |problem| {
        (problem.code(), problem.detail().to_owned(), problem.path().to_owned())
    });
    AssignmentResult { record, outcome, code, detail, path }
}

impl From<AssignmentFields> for AssignmentValues {
    fn from(AssignmentFields { collectors, due_by, priority }: AssignmentFields) -> Self {
        Self { collectors, due_by, priority }
    }
}
