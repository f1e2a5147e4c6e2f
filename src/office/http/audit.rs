//! `/api/audit`: what users of the console changed.

use std::io::{self, Write};
use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use axum::http::{Extensions, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{ProblemParts, State};
use super::query::{filled, page_size, parsed, period, zone};
use super::traffic::{Queue, RequestSource};
use super::{App, Problem, transfer};
use crate::ids::hex;
use crate::office::store::{AuditEntry, AuditFilter};

/// Filters and page of the log.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct AuditQuery {
    /// sign-in name of who did it
    user: String,
    /// method and route, such as POST /api/users
    action: String,
    /// id of the record or device, name of the user, or number
    subject: String,
    /// first day, YYYY-MM-DD; with `to`
    from: String,
    /// last day
    to: String,
    /// IANA zone of the days; UTC without
    zone: String,
    /// rows of a page, 1 to 200
    limit: String,
    /// the cursor of the page before
    after: String,
}

/// An entry.
#[derive(Serialize, JsonSchema)]
pub(super) struct AuditLine {
    /// Its number.
    seq: u64,
    /// ms.
    at: i64,
    /// Who.
    user: String,
    /// With which role.
    role: String,
    /// The device of the session, 32 hex digits.
    session: String,
    /// Method and route.
    action: String,
    /// On which record, user, device or number; empty if none.
    subject: String,
    /// More about the action.
    detail: String,
    /// Hash of the entry before, hex.
    previous: String,
    /// Hash of this one, hex.
    hash: String,
}

/// One page of the log.
#[derive(Serialize, JsonSchema)]
pub(super) struct AuditPage {
    rows: Vec<AuditLine>,
    /// Cursor of the page after this one.
    next: Option<String>,
}

/// One page, newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    ProblemParts(Query(query)): ProblemParts<Query<AuditQuery>>,
) -> Result<Json<AuditPage>, Problem> {
    let dated = filled(&query.from).or(filled(&query.to)).is_some();
    let zone = zone(&query.zone)?;
    let days = if dated { Some(period(&query.from, &query.to, zone)?) } else { None };
    let text = |text: &str| filled(text).map(str::to_owned);
    let limit = page_size(&query.limit)?;
    let filter = AuditFilter {
        user: text(&query.user),
        action: text(&query.action),
        subject: text(&query.subject),
        from: days.as_ref().map(|days| days.start),
        until: days.as_ref().map(|days| days.end),
        before: parsed(&query.after, "after", |text| text.parse().ok())?,
        limit,
    };
    let entries = app.office.audit_page(filter).await?;
    let full = u32::try_from(entries.len()).is_ok_and(|rows| rows == limit);
    let next = entries.last().filter(|_| full).map(|last| last.seq.to_string());
    Ok(Json(AuditPage { rows: entries.into_iter().map(line).collect(), next }))
}

/// The whole log, oldest first, lines of JSON.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    extensions: Extensions,
) -> Result<Response, Problem> {
    let permit = app.traffic.admit(Queue::Sheets, &RequestSource::of(&extensions)).await?;
    let office = app.office.clone();
    let body = transfer::streamed(move |out| {
        let _held = permit;
        let mut seq = 0;
        loop {
            let batch = office.audit_after(seq).map_err(io::Error::other)?;
            let Some(last) = batch.last() else { return Ok(()) };
            seq = last.seq;
            for entry in batch {
                serde_json::to_writer(&mut *out, &line(entry)).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\""),
    ];
    Ok((headers, body).into_response())
}

fn line(entry: AuditEntry) -> AuditLine {
    AuditLine {
        seq: entry.seq,
        at: entry.at,
        user: entry.user,
        role: entry.role,
        session: entry.session.to_string(),
        action: entry.action,
        subject: entry.subject,
        detail: entry.detail,
        previous: hex(&entry.previous),
        hash: hex(&entry.hash),
    }
}
