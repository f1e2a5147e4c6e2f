//! `/api/quarantine`: refused work, and decisions on it.

use std::io::{self, BufWriter, Seek};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::{Extensions, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::extract::{Caller, ProblemBody, ProblemParts, State};
use super::query::{page_size, parsed};
use super::traffic::{Queue, RequestSource};
use super::{App, Problem, transfer};
use crate::ids::Heads;
use crate::office::store::{QuarantineFilter, QuarantineState};
use crate::office::{
    ExportLine, ExportScope, QuarantineError, QuarantineItem, QuarantinePage, QuarantineUsage,
};

/// Bytes of changes in one export: hex doubles them, and a browser holds them in memory.
const MOST_EXPORTED: u64 = 32 * 1024 * 1024;

/// Filters and page of a list of refused work.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct QuarantineQuery {
    /// open, accepted or dismissed
    state: String,
    /// sign-in name of the user who sent it
    user: String,
    /// the device that sent it, 32 hex digits
    device: String,
    /// a record's id
    record: String,
    /// why it was refused, such as not_allowed
    code: String,
    /// rows of a page, 1 to 200
    limit: String,
    /// the cursor of the page before
    after: String,
}

impl QuarantineQuery {
    fn filters(self) -> Result<QuarantineFilter, Problem> {
        Ok(QuarantineFilter {
            state: parsed(&self.state, "state", QuarantineState::parse)?,
            user: Some(self.user).filter(|user| !user.is_empty()),
            device: parsed(&self.device, "device", |text| text.parse().ok())?,
            record: parsed(&self.record, "record", |text| text.parse().ok())?,
            code: Some(self.code).filter(|code| !code.is_empty()),
            before: parsed(&self.after, "after", |text| text.parse().ok())?,
            limit: page_size(&self.limit)?,
        })
    }
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    ProblemParts(Query(asked)): ProblemParts<Query<QuarantineQuery>>,
) -> Result<Json<QuarantinePage>, Problem> {
    Ok(Json(app.office.quarantine_page(asked.filters()?).await?))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    ProblemParts(Path(number)): ProblemParts<Path<String>>,
) -> Result<Json<QuarantineItem>, Problem> {
    Ok(Json(app.office.quarantine_item(id(&number)?).await?))
}

/// A decision on refused work.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct DecisionRequest {
    /// Why.
    reason: String,
    /// `heads` of the item that the person looked at.
    heads: Option<Vec<String>>,
}

pub(super) async fn accept(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(number)): ProblemParts<Path<String>>,
    ProblemBody(Json(asked)): ProblemBody<Json<DecisionRequest>>,
) -> Result<Json<QuarantineItem>, Problem> {
    let session = caller.identity.session;
    let seen = asked.heads.map(|heads| Heads::from_hex(&heads).ok_or(Problem::parameter("heads")));
    let accepted = app.office.accept_quarantined(
        id(&number)?,
        seen.transpose()?,
        &asked.reason,
        &session.user,
        session.role,
    );
    Ok(Json(accepted.await?))
}

pub(super) async fn dismiss(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(number)): ProblemParts<Path<String>>,
    ProblemBody(Json(asked)): ProblemBody<Json<DecisionRequest>>,
) -> Result<Json<QuarantineItem>, Problem> {
    let user = caller.identity.session.user;
    Ok(Json(app.office.dismiss_quarantined(id(&number)?, &asked.reason, &user).await?))
}

pub(super) async fn usage(State(app): State<Arc<App>>) -> Result<Json<QuarantineUsage>, Problem> {
    Ok(Json(app.office.quarantine_usage().await?))
}

/// Written to disk before it is sent, so that a slow client holds no snapshot of the store.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    extensions: Extensions,
) -> Result<Response, Problem> {
    let permit = app.traffic.admit(Queue::Sheets, &RequestSource::of(&extensions)).await?;
    let scope = ExportScope { until: app.office.now(), most_bytes: MOST_EXPORTED };
    let file = BufWriter::new(tempfile::tempfile().map_err(|error| write_failed(&error))?);
    let (file, _) = app.office.export_quarantine(scope, file).await?;
    let mut file = file.into_inner().map_err(|error| write_failed(error.error()))?;
    file.rewind().map_err(|error| write_failed(&error))?;
    let body = transfer::streamed(move |out| {
        io::copy(&mut file, out)?;
        drop(permit);
        Ok(())
    });
    let disposition = "attachment; filename=\"quarantine.jsonl\"";
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, body).into_response())
}

fn write_failed(error: &io::Error) -> Problem {
    tracing::error!(%error, "an export could not be written");
    Problem::internal()
}

/// The last line of an export that was saved.
#[derive(Deserialize, JsonSchema)]
pub(super) struct DeleteExportRequest {
    #[serde(flatten)]
    scope: ExportScope,
    sha256: String,
}

pub(super) async fn delete_exported(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemBody(Json(asked)): ProblemBody<Json<DeleteExportRequest>>,
) -> Result<Json<ExportLine>, Problem> {
    let user = caller.identity.session.user;
    let DeleteExportRequest { scope, sha256 } = asked;
    Ok(Json(app.office.delete_exported(scope, &sha256, &user).await?.into()))
}

fn id(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| QuarantineError::Unknown.into())
}

impl From<QuarantineError> for Problem {
    fn from(error: QuarantineError) -> Self {
        let detail = error.to_string();
        match error {
            QuarantineError::Unknown => {
                Self::new(StatusCode::NOT_FOUND, "unknown_quarantine", detail)
            }
            QuarantineError::Accepted => {
                Self::new(StatusCode::CONFLICT, "already_accepted", detail)
            }
            QuarantineError::Moved => Self::new(StatusCode::CONFLICT, "record_moved", detail),
            QuarantineError::Reason => {
                let unfit = StatusCode::UNPROCESSABLE_ENTITY;
                Self::new(unfit, "reason_needed", detail).at("reason")
            }
            QuarantineError::ExportChanged => {
                Self::new(StatusCode::CONFLICT, "export_changed", detail)
            }
            QuarantineError::NothingToExport => {
                Self::new(StatusCode::CONFLICT, "nothing_to_export", detail)
            }
            QuarantineError::NoExport => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "malformed", detail)
            }
            QuarantineError::Impossible { code, path, message } => {
                Self::new(StatusCode::CONFLICT, code, message).at(path)
            }
        }
    }
}
