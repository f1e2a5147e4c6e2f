//! `POST /api/visits/{id}/commands`: edits by the office's users.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;

use super::extract::{Audit, Caller, ProblemBody, ProblemParts, State};
use super::visits::record_id;
use super::{App, Problem};
use crate::record::command::Command;
use crate::record::terms::Flag;
use crate::record::view::VisitView;

pub(super) async fn apply(
    State(app): State<Arc<App>>,
    caller: Caller,
    Audit(audit): Audit,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
    ProblemBody(Json(command)): ProblemBody<Json<Command>>,
) -> Result<Json<VisitView>, Problem> {
    audit.set_detail(&name_of(&command));
    let session = caller.identity.session;
    if let Command::Assign(patch) = &command
        && let Some(names) = &patch.collectors
    {
        only_collectors(&app, names).await?;
    }
    let id = record_id(&id)?;
    // The hold of a complaint lasts until the desk has decided it.
    if matches!(command, Command::LiftHold { flag: Flag::Complaint })
        && app.office.has_open_complaint(id).await?
    {
        let detail = "the complaint about this case is not decided: decide it first";
        return Err(Problem::new(StatusCode::CONFLICT, "complaint_open", detail));
    }
    let view = app.office.command(id, command, &session.user, session.role).await?;
    Ok(Json(view))
}

/// The name of a command, as requests have it.
fn name_of(command: &Command) -> String {
    let json = serde_json::to_value(command).unwrap_or_default();
    json["do"].as_str().unwrap_or_default().to_owned()
}

/// An unknown name would silently withdraw the record from every phone.
pub(super) async fn only_collectors(app: &App, names: &[String]) -> Result<(), Problem> {
    let known = app.accounts.collectors().await?;
    match names.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let detail = format!("{name} is not a known collector");
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(Problem::new(status, "not_a_collector", detail).at("assignment.collectors"))
        }
    }
}
