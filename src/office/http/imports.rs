//! `/api/imports`: case lists that are imported in the background.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{Caller, ProblemBody, ProblemParts, State};
use super::query::{page_size, parsed};
use super::{App, Problem};
use crate::ids::RecordId;
use crate::office::Office;
use crate::office::imports::{
    Import, ImportColumn, ImportPhase, ImportRefusal, ImportSettings, ImportState,
};
use crate::office::sheets::import::columns::Field;
use crate::office::sheets::import::{ImportError, RowOutcome, RowReport};

/// An uploaded file.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct UploadQuery {
    /// name of the file
    name: String,
}

/// How a file is checked and imported.
#[derive(Deserialize, JsonSchema)]
pub(super) struct CheckRequest {
    /// the field of each column; empty leaves the column out
    columns: Vec<String>,
    /// collector of rows that name none
    #[serde(default)]
    assign_to: String,
}

/// Which reports of rows are listed.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct RowsQuery {
    /// created, updated, unchanged or refused; all without
    outcome: String,
    /// rows of a page, 1 to 200
    limit: String,
    /// number of the last row of the page before
    after: String,
}

/// An import and how far it is.
#[derive(Serialize, JsonSchema)]
pub(super) struct ImportLine {
    /// Its id.
    id: String,
    /// When it was uploaded, ms.
    created_at: i64,
    /// Name of the file.
    name: String,
    /// What is done about it.
    phase: ImportPhase,
    /// The columns of the file and what they are mapped to.
    columns: Vec<ImportColumn>,
    /// The fields that columns can be mapped to.
    fields: Vec<&'static str>,
    /// Collector of rows that name none, or empty.
    assign_to: String,
    /// Rows of the file.
    total: u64,
    /// Rows that were checked or imported.
    done: u64,
    /// New cases.
    created: u64,
    /// Cases with changed facts.
    updated: u64,
    /// Cases without changes.
    unchanged: u64,
    /// Rows with errors.
    refused: u64,
    /// Notes on the file as a whole.
    notes: Vec<String>,
    /// Why it stopped, or empty.
    failure: String,
}

/// One page of reports of rows.
#[derive(Serialize, JsonSchema)]
pub(super) struct ImportRows {
    rows: Vec<RowReport>,
    /// The last row, where another page may follow.
    next: Option<usize>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Vec<ImportLine>>, Problem> {
    let imports = app.office.imports(user(&caller)).await?;
    Ok(Json(imports.into_iter().map(line).collect()))
}

pub(super) async fn upload(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
    ProblemParts(Query(query)): ProblemParts<Query<UploadQuery>>,
    ProblemBody(file): ProblemBody<Bytes>,
) -> Result<Json<ImportLine>, Problem> {
    let session = &caller.identity.session;
    let by = (session.user.as_str(), session.role);
    let import = app.office.add_import(import_id(&id)?, file.into(), &query.name, by).await??;
    Ok(Json(line(import)))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
) -> Result<Json<ImportLine>, Problem> {
    Ok(Json(line(app.office.import(import_id(&id)?, user(&caller)).await??)))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
) -> Result<StatusCode, Problem> {
    app.office.delete_import(import_id(&id)?, user(&caller)).await??;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn check(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
    ProblemBody(Json(asked)): ProblemBody<Json<CheckRequest>>,
) -> Result<Json<ImportLine>, Problem> {
    let zone = app.zone.map_or("", |zone| zone.name()).to_owned();
    let settings = ImportSettings { columns: asked.columns, assign_to: asked.assign_to, zone };
    let import = app.office.check_import(import_id(&id)?, settings, user(&caller)).await??;
    start(&app.office);
    Ok(Json(line(import)))
}

pub(super) async fn run(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
) -> Result<Json<ImportLine>, Problem> {
    let import = app.office.run_import(import_id(&id)?, user(&caller)).await??;
    start(&app.office);
    Ok(Json(line(import)))
}

pub(super) async fn rows(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
    ProblemParts(Query(query)): ProblemParts<Query<RowsQuery>>,
) -> Result<Json<ImportRows>, Problem> {
    let outcome = parsed(&query.outcome, "outcome", RowOutcome::parse)?;
    let after = parsed(&query.after, "after", |text| text.parse().ok())?.unwrap_or_default();
    let limit = page_size(&query.limit)?;
    let (id, user) = (import_id(&id)?, user(&caller));
    let rows = app.office.import_rows(id, user, outcome, after, limit).await??;
    let full = rows.len() >= limit as usize;
    let next = rows.last().filter(|_| full).map(|row| row.row);
    Ok(Json(ImportRows { rows, next }))
}

pub(super) async fn refused(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
) -> Result<Response, Problem> {
    let file = app.office.refused_rows(import_id(&id)?, user(&caller)).await??;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"refused.csv\""),
    ];
    Ok((headers, file).into_response())
}

/// Runs waiting imports in the background.
fn start(office: &Office) {
    let office = office.clone();
    tokio::spawn(async move { office.run_imports().await });
}

fn user(caller: &Caller) -> &str {
    &caller.identity.session.user
}

/// A UUID in the same form as a record's.
fn import_id(text: &str) -> Result<[u8; 16], Problem> {
    text.parse::<RecordId>().map(|id| id.0).map_err(|_| Problem::not_found())
}

fn line(import: Import) -> ImportLine {
    let ImportState {
        name,
        phase,
        columns,
        assign_to,
        total,
        done,
        created,
        updated,
        unchanged,
        refused,
        notes,
        failure,
        ..
    } = import.state;
    ImportLine {
        id: RecordId(import.id).to_string(),
        created_at: import.created_at,
        name,
        phase,
        columns,
        fields: Field::all().map(Field::as_str).collect(),
        assign_to,
        total,
        done,
        created,
        updated,
        unchanged,
        refused,
        notes,
        failure,
    }
}

impl From<ImportRefusal> for Problem {
    fn from(refusal: ImportRefusal) -> Self {
        let detail = refusal.to_string();
        let (conflict, unfit) = (StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY);
        match refusal {
            ImportRefusal::Unknown => Self::not_found(),
            ImportRefusal::OtherFile => Self::new(conflict, "other_file", detail),
            ImportRefusal::Sheet(error) => ImportError::Sheet(error).into(),
            ImportRefusal::Running => Self::new(conflict, "import_running", detail),
            ImportRefusal::TooMany => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_imports", detail)
            }
            ImportRefusal::Columns => Self::new(unfit, "invalid_value", detail).at("columns"),
            ImportRefusal::NoCollector(_) => {
                Self::new(unfit, "not_a_collector", detail).at("assign_to")
            }
            ImportRefusal::Unchecked => Self::new(conflict, "import_unchecked", detail),
        }
    }
}
