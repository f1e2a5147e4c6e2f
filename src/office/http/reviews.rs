//! `/api/visits/{id}/review` and `/api/visits/{id}/audit`: the second person's acceptance, and audits
//! of drawn records.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{Audit, Caller, ProblemBody, ProblemParts, State};
use super::proposals::{ProposalLine, line};
use super::visits::record_id;
use super::{App, Problem};
use crate::office::audit_samples::AuditRefusal;
use crate::office::store::{AuditFinding, AuditOutcome, AuditSample};

/// The second person's acceptance and the audit that a record needs.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReviewStateLine {
    /// The acceptance that waits for a second person.
    proposal: Option<ProposalLine>,
    /// The record's audit, if it was drawn.
    audit: Option<AuditSampleLine>,
}

/// A record that was drawn for an audit. Times are ms.
#[derive(Serialize, JsonSchema)]
pub(super) struct AuditSampleLine {
    /// The seal that is audited, by its time on the device.
    sealed_at: i64,
    /// When the record was drawn.
    drawn_at: i64,
    /// The outcome; null while the record waits for its audit.
    outcome: Option<AuditOutcome>,
    /// Who audited it; empty before.
    by: String,
    /// When.
    at: Option<i64>,
    /// What was found.
    note: String,
}

/// The outcome of an audit.
#[derive(Deserialize, JsonSchema)]
pub(super) struct AuditRequest {
    /// `sealed_at` of the audit that the user saw
    sealed_at: i64,
    /// passed or failed
    outcome: AuditOutcome,
    /// what was found; needed with `failed`
    note: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
) -> Result<Json<ReviewStateLine>, Problem> {
    let state = app.office.review_state(record_id(&id)?).await?;
    let (proposal, audit) = (state.proposal.map(line), state.sample.map(sample));
    Ok(Json(ReviewStateLine { proposal, audit }))
}

pub(super) async fn audit(
    State(app): State<Arc<App>>,
    caller: Caller,
    Audit(audit): Audit,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
    ProblemBody(Json(asked)): ProblemBody<Json<AuditRequest>>,
) -> Result<Json<AuditSampleLine>, Problem> {
    let AuditRequest { sealed_at, outcome, note } = asked;
    audit.set_detail(&format!("audit {}", outcome.as_str()));
    let (id, user) = (record_id(&id)?, &caller.identity.session.user);
    let done = app.office.put_audit(id, sealed_at, outcome, &note, user).await?;
    Ok(Json(sample(done.map_err(refused)?)))
}

fn sample(AuditSample { record: _, sealed_at, drawn_at, finding }: AuditSample) -> AuditSampleLine {
    let open = AuditSampleLine {
        sealed_at,
        drawn_at,
        outcome: None,
        by: String::new(),
        at: None,
        note: String::new(),
    };
    match finding {
        None => open,
        Some(AuditFinding { outcome, by, at, note }) => {
            AuditSampleLine { outcome: Some(outcome), by, at: Some(at), note, ..open }
        }
    }
}

fn refused(refusal: AuditRefusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        AuditRefusal::Unknown => Problem::new(StatusCode::NOT_FOUND, "not_found", detail),
        AuditRefusal::Moved => Problem::new(StatusCode::CONFLICT, "record_moved", detail),
        AuditRefusal::Decided => Problem::new(StatusCode::CONFLICT, "audit_decided", detail),
        AuditRefusal::Own => Problem::new(StatusCode::CONFLICT, "own_audit", detail),
        AuditRefusal::Note => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "reason_needed", detail).at("note")
        }
    }
}
