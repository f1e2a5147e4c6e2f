//! `/api/complaints`: the complaint desk, for supervisors and administrators.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::{Extensions, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{Audit, Caller, ProblemBody, ProblemParts, State};
use super::query::{flag, page_size, parsed};
use super::traffic::{Queue, RequestSource};
use super::{App, Problem, transfer};
use crate::ids::RecordId;
use crate::office::complaints::{
    ComplaintAction, ComplaintFile, ComplaintRefusal, MAX_TEXT, NewComplaint,
};
use crate::office::sheets::export::{Format, complaints as sheet};
use crate::office::store::{
    Complaint, ComplaintEvent, ComplaintListing, ComplaintOutcome, ComplaintSource, ComplaintStep,
    ComplaintTopic,
};

/// Part of the desk.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct ComplaintQuery {
    /// 1: decided ones, the last decided first; else undecided ones, the earliest deadline first
    closed: String,
    /// rows of a page, 1 to 200
    limit: String,
    /// the cursor of the page before
    after: String,
}

/// Form of an export.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct ComplaintExportQuery {
    /// csv or xlsx
    format: String,
}

/// A complaint. Only the record names the borrower.
#[derive(Serialize, JsonSchema)]
pub(super) struct ComplaintLine {
    /// Number of the complaint.
    number: u64,
    /// The record of the case.
    record: String,
    /// The lender's case number.
    case_no: String,
    /// How it arrived.
    source: ComplaintSource,
    /// What it is about.
    topic: ComplaintTopic,
    /// What the borrower said.
    text: String,
    /// When the lender received it, ms.
    received_at: i64,
    /// Who took it in.
    raised_by: String,
    /// The rule that set the deadline, such as CN-16; empty for the product's own.
    rule: String,
    /// By when it has to be decided, ms.
    deadline_at: i64,
    /// The deadline before it was first extended, ms.
    extended_from: Option<i64>,
    /// The deadline passed before a decision.
    late: bool,
    /// When the borrower last got a reply, ms.
    replied_at: Option<i64>,
    /// When it was decided, ms.
    closed_at: Option<i64>,
    /// How it was decided.
    outcome: Option<ComplaintOutcome>,
}

/// One page of the desk.
#[derive(Serialize, JsonSchema)]
pub(super) struct ComplaintPage {
    rows: Vec<ComplaintLine>,
    /// Cursor of the page after this one.
    next: Option<String>,
    /// Undecided complaints.
    open: u64,
    /// Undecided complaints whose deadline has passed.
    late: u64,
}

/// Undecided complaints, in numbers.
#[derive(Serialize, JsonSchema)]
pub(super) struct ComplaintCounts {
    /// Undecided complaints.
    open: u64,
    /// Those of them whose deadline has passed.
    late: u64,
}

/// An entry of a complaint's history.
#[derive(Serialize, JsonSchema)]
pub(super) struct ComplaintEntry {
    /// ms.
    at: i64,
    /// Who.
    by: String,
    /// What was done.
    step: ComplaintStep,
    /// The decision.
    outcome: Option<ComplaintOutcome>,
    /// As entered.
    text: String,
}

/// A complaint with its history, oldest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct ComplaintDetails {
    complaint: ComplaintLine,
    /// Until when the deadline can be extended, ms; null where it cannot.
    latest_deadline: Option<i64>,
    events: Vec<ComplaintEntry>,
}

/// A complaint by phone or letter.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ComplaintRequest {
    /// a UUID made by the client; the same one is stored once
    id: String,
    /// the lender's case number
    case_no: String,
    /// how it arrived
    source: ComplaintSource,
    /// what it is about
    topic: ComplaintTopic,
    /// what the borrower said
    text: String,
    /// when the lender received it, ms
    received_at: i64,
}

/// Something done about a complaint.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ComplaintStepRequest {
    /// a UUID made by the client; the same one is done once
    id: String,
    /// described, replied, extended, closed or reopened
    step: ComplaintStep,
    /// what the borrower said, the reply, or the reason
    text: String,
    /// with `described`: how it arrived
    #[serde(default)]
    source: Option<ComplaintSource>,
    /// with `described`: what it is about
    #[serde(default)]
    topic: Option<ComplaintTopic>,
    /// with `extended`: the new deadline, ms
    #[serde(default)]
    deadline_at: Option<i64>,
    /// with `closed`: how it was decided
    #[serde(default)]
    outcome: Option<ComplaintOutcome>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    ProblemParts(Query(query)): ProblemParts<Query<ComplaintQuery>>,
) -> Result<Json<ComplaintPage>, Problem> {
    let limit = page_size(&query.limit)?;
    let open = !flag(&query.closed, "closed")?;
    let after = parsed(&query.after, "after", |text| {
        let (at, number) = text.split_once('_')?;
        Some((at.parse().ok()?, number.parse().ok()?))
    })?;
    let rows = app.office.complaints(ComplaintListing { open, after, limit }).await?;
    let full = rows.len() == limit as usize;
    let cursor = |last: &Complaint| {
        let at = last.closed.map_or(last.deadline_at, |(at, _)| at);
        format!("{at}_{}", last.number)
    };
    let next = rows.last().filter(|_| full).map(cursor);
    let (count, late) = app.office.complaint_counts().await?;
    let now = app.office.now();
    let rows = rows.into_iter().map(|row| line(row, now)).collect();
    Ok(Json(ComplaintPage { rows, next, open: count, late }))
}

pub(super) async fn counts(State(app): State<Arc<App>>) -> Result<Json<ComplaintCounts>, Problem> {
    let (open, late) = app.office.complaint_counts().await?;
    Ok(Json(ComplaintCounts { open, late }))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    ProblemParts(Path(number)): ProblemParts<Path<String>>,
) -> Result<Json<ComplaintDetails>, Problem> {
    let found = app.office.complaint(number_of(&number)?).await?;
    details(&app, found.ok_or_else(Problem::not_found)?).await
}

pub(super) async fn enter(
    State(app): State<Arc<App>>,
    caller: Caller,
    Audit(audit): Audit,
    ProblemBody(Json(asked)): ProblemBody<Json<ComplaintRequest>>,
) -> Result<(StatusCode, Json<ComplaintDetails>), Problem> {
    audit.set_subject(asked.case_no.trim());
    let new = NewComplaint {
        id: uuid(&asked.id)?,
        case_no: asked.case_no.trim().to_owned(),
        source: asked.source,
        topic: asked.topic,
        text: asked.text,
        received_at: asked.received_at,
    };
    let entered = app.office.enter_complaint(new, &caller.identity.session.user).await?;
    let file = entered.map_err(|refusal| match refusal {
        ComplaintRefusal::Unknown => invalid("case_no", "no case has this number"),
        ComplaintRefusal::Decided
        | ComplaintRefusal::Text
        | ComplaintRefusal::Extension
        | ComplaintRefusal::Time => refused(refusal),
    })?;
    Ok((StatusCode::CREATED, details(&app, file).await?))
}

pub(super) async fn act(
    State(app): State<Arc<App>>,
    caller: Caller,
    Audit(audit): Audit,
    ProblemParts(Path(number)): ProblemParts<Path<String>>,
    ProblemBody(Json(asked)): ProblemBody<Json<ComplaintStepRequest>>,
) -> Result<Json<ComplaintDetails>, Problem> {
    let (number, id, text) = (number_of(&number)?, uuid(&asked.id)?, asked.text);
    audit.set_detail(asked.step.as_str());
    let missing = |path| invalid(path, "this is needed with the step");
    let action = match asked.step {
        ComplaintStep::Described => {
            let source = asked.source.ok_or_else(|| missing("source"))?;
            let topic = asked.topic.ok_or_else(|| missing("topic"))?;
            ComplaintAction::Describe { source, topic, text }
        }
        ComplaintStep::Replied => ComplaintAction::Reply { text },
        ComplaintStep::Extended => {
            let deadline_at = asked.deadline_at.ok_or_else(|| missing("deadline_at"))?;
            ComplaintAction::Extend { deadline_at, text }
        }
        ComplaintStep::Closed => {
            let outcome = asked.outcome.ok_or_else(|| missing("outcome"))?;
            ComplaintAction::Close { outcome, text }
        }
        ComplaintStep::Reopened => ComplaintAction::Reopen { text },
        ComplaintStep::Received => return Err(invalid("step", "a complaint is received once")),
    };
    let user = &caller.identity.session.user;
    let file = app.office.act_on_complaint(number, id, action, user).await?.map_err(refused)?;
    details(&app, file).await
}

/// For the regulator: numbers, times and decisions, and nothing that was said.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    ProblemParts(Query(query)): ProblemParts<Query<ComplaintExportQuery>>,
) -> Result<Response, Problem> {
    let format = match Format::parse(&query.format) {
        Some(format @ (Format::Csv | Format::Xlsx)) => format,
        Some(Format::Jsonl | Format::Automerge) | None => {
            return Err(Problem::parameter("format"));
        }
    };
    let permit = app.traffic.admit(Queue::Sheets, &RequestSource::of(&extensions)).await?;
    let (office, zone) = (app.office.clone(), app.zone.unwrap_or_default());
    let body = transfer::streamed(move |out| {
        let done = sheet::write(&office, zone, format, out);
        drop(permit);
        done.map(drop)
    });
    let name = if format == Format::Csv { "complaints.csv" } else { "complaints.xlsx" };
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, body).into_response())
}

fn number_of(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

/// A UUID in the same form as a record's.
fn uuid(text: &str) -> Result<[u8; 16], Problem> {
    text.parse::<RecordId>().map(|id| id.0).map_err(|_| invalid("id", "this is no UUID"))
}

fn invalid(path: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at(path)
}

fn refused(refusal: ComplaintRefusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        ComplaintRefusal::Unknown => Problem::not_found(),
        ComplaintRefusal::Decided => {
            Problem::new(StatusCode::CONFLICT, "complaint_decided", detail)
        }
        ComplaintRefusal::Text => {
            let detail = format!("a text of 1 to {MAX_TEXT} characters is needed");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at("text")
        }
        ComplaintRefusal::Extension => {
            Problem::new(StatusCode::CONFLICT, "extension_not_allowed", detail).at("deadline_at")
        }
        ComplaintRefusal::Time => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Problem::new(status, "invalid_value", detail).at("received_at")
        }
    }
}

async fn details(
    app: &App,
    (complaint, events): ComplaintFile,
) -> Result<Json<ComplaintDetails>, Problem> {
    let latest_deadline = app.office.latest_deadline(&complaint).await?;
    let entry = |ComplaintEvent { id: _, at, by, step, outcome, text }| ComplaintEntry {
        at,
        by,
        step,
        outcome,
        text,
    };
    let events = events.into_iter().map(entry).collect();
    let complaint = line(complaint, app.office.now());
    Ok(Json(ComplaintDetails { complaint, latest_deadline, events }))
}

fn line(complaint: Complaint, now: i64) -> ComplaintLine {
    let (closed_at, outcome) = complaint.closed.unzip();
    ComplaintLine {
        number: complaint.number,
        record: complaint.record.to_string(),
        case_no: complaint.case_no,
        source: complaint.source,
        topic: complaint.topic,
        text: complaint.text,
        received_at: complaint.received_at,
        raised_by: complaint.raised_by,
        rule: complaint.rule,
        deadline_at: complaint.deadline_at,
        extended_from: complaint.extended_from,
        late: closed_at.unwrap_or(now) > complaint.deadline_at,
        replied_at: complaint.replied_at,
        closed_at,
        outcome,
    }
}
