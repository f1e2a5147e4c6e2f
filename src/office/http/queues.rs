//! `/api/queues` and `/api/assignments`: records that wait for the office, and assignment of many at once.

use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use schemars::JsonSchema;
use serde::Deserialize;

use super::bulk::{BulkReport, MAX_ROWS, report};
use super::commands::only_collectors;
use super::extract::{Audit, Caller, ProblemBody, ProblemParts, State};
use super::query::day;
use super::{App, Problem};
use crate::office::OfficeError;
use crate::office::assigning::{AssignmentChange, AssignmentValues};
use crate::office::queues::QueueCounts;

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

pub(super) async fn assign(
    State(app): State<Arc<App>>,
    caller: Caller,
    Audit(audit): Audit,
    ProblemBody(Json(asked)): ProblemBody<Json<AssignmentsRequest>>,
) -> Result<Json<BulkReport>, Problem> {
    if asked.rows.len() > MAX_ROWS {
        return Err(OfficeError::TooMany.into());
    }
    let named = asked.rows.iter().filter_map(|row| row.set.collectors.as_ref()).flatten();
    let mut named: Vec<String> = named.cloned().collect();
    named.sort();
    named.dedup();
    only_collectors(&app, &named).await?;
    audit.set_detail(&detail(&asked.rows));
    let session = &caller.identity.session;
    let rows = asked.rows.into_iter().map(|AssignmentRow { record, set, seen }| {
        let (app, user, role) = (app.clone(), session.user.clone(), session.role);
        let id = record.clone();
        let work = async move {
            let record = id.parse().map_err(|_| Problem::unknown_record())?;
            let change = AssignmentChange { record, set: set.into(), seen: seen.into() };
            Ok(app.office.assign(change, &user, role).await?)
        };
        (record, work)
    });
    Ok(Json(report(rows).await))
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

impl From<AssignmentFields> for AssignmentValues {
    fn from(AssignmentFields { collectors, due_by, priority }: AssignmentFields) -> Self {
        Self { collectors, due_by, priority }
    }
}
