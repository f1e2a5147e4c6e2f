//! `/api/proposals`: changes that wait for the approval of a second person.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{Audit, Caller, ProblemBody, ProblemParts, State};
use super::query::{flag, page_size, parsed};
use super::visits::record_id;
use super::{App, Problem, commands};
use crate::office::approvals::{ApprovalRefusal, ProposedAction};
use crate::office::store::{ApprovalKind, Proposal, ProposalListing, ProposalState};
use crate::record::command::Command;
use crate::record::terms::Flag;

/// Which proposals.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct ProposalQuery {
    /// 1: decided, withdrawn and expired ones, the newest first; else pending ones, the oldest first
    closed: String,
    /// rows of a page, 1 to 200
    limit: String,
    /// the cursor of the page before
    after: String,
}

/// A proposal. Times are ms.
#[derive(Serialize, JsonSchema)]
pub(super) struct ProposalLine {
    /// Its number.
    number: u64,
    /// What it is about.
    kind: ApprovalKind,
    /// The record that it changes.
    record: Option<String>,
    /// The case number of that record.
    case_no: String,
    /// The hold that is lifted or shortened.
    flag: Option<Flag>,
    /// The number of the refused work that is accepted.
    quarantine: Option<u64>,
    /// The amount of a plan, minor units.
    amount: Option<i64>,
    /// ISO 4217 code of that amount.
    currency: String,
    /// Why it is proposed.
    reason: String,
    /// By whom.
    proposed_by: String,
    /// When.
    proposed_at: i64,
    /// From then on it cannot be approved.
    expires_at: i64,
    /// What became of it.
    state: ProposalState,
    /// Who decided; empty while pending.
    decided_by: String,
    /// When.
    decided_at: Option<i64>,
    /// Why.
    answer: String,
}

/// One page of proposals.
#[derive(Serialize, JsonSchema)]
pub(super) struct ProposalPage {
    rows: Vec<ProposalLine>,
    /// Cursor of the page after this one.
    next: Option<String>,
}

/// A change to be proposed.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ProposalRequest {
    /// a UUID made by the client; the same one is stored once
    id: String,
    /// the change
    action: ProposedAction,
    /// why
    reason: String,
}

/// A decision on a proposal.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct AnswerRequest {
    /// why; needed to refuse
    reason: String,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    ProblemParts(Query(query)): ProblemParts<Query<ProposalQuery>>,
) -> Result<Json<ProposalPage>, Problem> {
    let limit = page_size(&query.limit)?;
    let pending = !flag(&query.closed, "closed")?;
    let after = parsed(&query.after, "after", |text| text.parse().ok())?;
    let listing = ProposalListing { pending, now: app.office.now(), after, limit };
    let rows = app.office.proposals(listing).await?;
    let full = rows.len() == limit as usize;
    let next = rows.last().filter(|_| full).map(|last| last.number.to_string());
    Ok(Json(ProposalPage { rows: rows.into_iter().map(line).collect(), next }))
}

pub(super) async fn propose(
    State(app): State<Arc<App>>,
    caller: Caller,
    Audit(audit): Audit,
    ProblemBody(Json(asked)): ProblemBody<Json<ProposalRequest>>,
) -> Result<(StatusCode, Json<ProposalLine>), Problem> {
    let ProposalRequest { id, action, reason } = asked;
    let id = uuid::Uuid::parse_str(&id).map_err(|_| Problem::parameter("id"))?;
    match &action {
        ProposedAction::Command { record, command } => {
            audit.set_subject(record);
            audit.set_detail(&commands::name_of(command));
            commands::check(&app, record_id(record)?, command).await?;
        }
        ProposedAction::Quarantine { number, .. } => {
            audit.set_subject(&number.to_string());
            audit.set_detail("quarantine");
        }
        ProposedAction::Erasure { .. } => audit.set_detail("erasure"),
    }
    let session = &caller.identity.session;
    let made =
        app.office.propose(id.into_bytes(), action, &reason, &session.user, session.role).await?;
    Ok((StatusCode::CREATED, Json(line(made))))
}

pub(super) async fn approve(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(number)): ProblemParts<Path<String>>,
    ProblemBody(Json(asked)): ProblemBody<Json<AnswerRequest>>,
) -> Result<Json<ProposalLine>, Problem> {
    let number = number_of(&number)?;
    let proposal = app.office.proposal(number).await?;
    if proposal.state == ProposalState::Pending
        && let Some(ProposedAction::Command { record, command }) = action_of(&proposal)
    {
        commands::check(&app, record_id(&record)?, &command).await?;
    }
    let session = &caller.identity.session;
    let decided = app.office.approve(number, &asked.reason, &session.user, session.role).await?;
    Ok(Json(line(decided)))
}

pub(super) async fn refuse(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(number)): ProblemParts<Path<String>>,
    ProblemBody(Json(asked)): ProblemBody<Json<AnswerRequest>>,
) -> Result<Json<ProposalLine>, Problem> {
    let (number, session) = (number_of(&number)?, &caller.identity.session);
    let decided = app.office.refuse(number, &asked.reason, &session.user, session.role).await?;
    Ok(Json(line(decided)))
}

pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(number)): ProblemParts<Path<String>>,
) -> Result<Json<ProposalLine>, Problem> {
    let user = &caller.identity.session.user;
    Ok(Json(line(app.office.withdraw(number_of(&number)?, user).await?)))
}

fn number_of(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| ApprovalRefusal::Unknown.into())
}

/// `None` if a later version stored it.
fn action_of(proposal: &Proposal) -> Option<ProposedAction> {
    serde_json::from_str(&proposal.action).ok()
}

pub(super) fn line(proposal: Proposal) -> ProposalLine {
    let (mut flag, mut quarantine) = (None, None);
    match action_of(&proposal) {
        Some(ProposedAction::Command { command, .. }) => {
            if let Command::LiftHold { flag: of } | Command::RaiseHold { flag: of, .. } = *command {
                flag = Some(of);
            }
        }
        Some(ProposedAction::Quarantine { number, .. }) => quarantine = Some(number),
        Some(ProposedAction::Erasure { .. }) | None => {}
    }
    ProposalLine {
        number: proposal.number,
        kind: proposal.kind,
        record: proposal.record.map(|record| record.to_string()),
        flag,
        quarantine,
        case_no: proposal.case_no,
        amount: proposal.amount,
        currency: proposal.currency,
        reason: proposal.reason,
        proposed_by: proposal.proposed_by,
        proposed_at: proposal.proposed_at,
        expires_at: proposal.expires_at,
        state: proposal.state,
        decided_by: proposal.decided_by,
        decided_at: proposal.decided_at,
        answer: proposal.answer,
    }
}

impl From<ApprovalRefusal> for Problem {
    fn from(refusal: ApprovalRefusal) -> Self {
        let status = match refusal {
            ApprovalRefusal::Unknown => StatusCode::NOT_FOUND,
            ApprovalRefusal::Role => StatusCode::FORBIDDEN,
            ApprovalRefusal::NotNeeded | ApprovalRefusal::Reason => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            ApprovalRefusal::Needed(_)
            | ApprovalRefusal::Decided
            | ApprovalRefusal::Expired
            | ApprovalRefusal::Own
            | ApprovalRefusal::NotOwn
            | ApprovalRefusal::ProposerLeft
            | ApprovalRefusal::Moved
            | ApprovalRefusal::Pending
            | ApprovalRefusal::NoEffect
            | ApprovalRefusal::TooMany => StatusCode::CONFLICT,
        };
        let path = if refusal == ApprovalRefusal::Reason { "reason" } else { "" };
        Self::new(status, refusal.code(), refusal.to_string()).at(path)
    }
}
