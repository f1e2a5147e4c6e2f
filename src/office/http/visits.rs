//! `/api/visits`: lists, records and histories for the console.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::{Describe, Signature};
use super::extract::{ProblemParts, State};
use super::query::{day, filled, flag, names, page_size, parsed, period, zone};
use super::{App, Problem};
use crate::conduct::terms::Answer;
use crate::ids::RecordId;
use crate::office::store::{
    DpdBucket, Event, FactFilter, Listing, MAX_TOTAL, PageCursor, PromiseState, Queue, Row, Sort,
};
use crate::office::time;
use crate::office::{AttachmentArrival, HistoryLine};
use crate::record::position::PositionCheck;
use crate::record::terms::{Disposition, Flag, OverdueReason, ReviewStatus, Stage};
use crate::record::view::VisitView;

/// Filters, order and page of a list; an export takes the filters.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct VisitQuery {
    /// part of the case number, the borrower's name or the address
    q: String,
    /// a queue, such as to_review
    queue: String,
    /// the present day of the reader, `YYYY-MM-DD`, for queues; without it, the office's in UTC
    today: String,
    /// stages, comma-separated
    stage: String,
    /// sign-in names of collectors, comma-separated
    collector: String,
    /// pending, accepted or returned
    review: String,
    /// a hold in force, such as dispute
    hold: String,
    /// 1: only with conflicts
    conflicts: String,
    /// 1: only without a collector
    unassigned: String,
    /// only what changed since: a date, an RFC 3339 time or ms
    since: String,
    /// with `from` and `to`: planned (an agreed appointment starts), visited (arrival), contacted,
    /// reached (the right party), promised (a payment is due) or due (and not accepted)
    event: String,
    /// first day of the event's period, YYYY-MM-DD
    from: String,
    /// its last day
    to: String,
    /// IANA zone of the days; UTC without
    zone: String,
    /// 1: only with an arrival
    visited: String,
    /// 1: only where the borrower, a guarantor or a representative was met
    met: String,
    /// outcome of the visit, such as ptp; `none` for none yet
    outcome: String,
    /// reason for late payment, such as illness; `none` for none yet
    reason: String,
    /// days past due: 0, 1-30, 31-60, 61-90, 91-180 or 181-
    dpd: String,
    /// state of the promise: kept, pending or broken
    promise: String,
    /// a rule of conduct whose answer is fail or unknown
    rule: String,
    /// fail or unknown: answers of `rule`, or of any
    answer: String,
    /// updated, due, case_no, overdue, or queue for the order of phones (lists only)
    sort: String,
    /// asc or desc (lists only)
    dir: String,
    /// rows of a page, 1 to 200 (lists only)
    limit: String,
    /// the cursor of the page before (lists only)
    after: String,
    /// csv, xlsx, jsonl or automerge (exports only)
    pub(super) format: String,
    /// 1: without names, phone numbers, addresses, positions and free text (exports only; not for
    /// automerge)
    pub(super) minimal: String,
}

impl VisitQuery {
    /// The listing that the client asks for, at a time in ms.
    pub(super) fn listing(&self, now: i64) -> Result<Listing, Problem> {
        let stages = self.stage.split(',').map(str::trim).filter(|word| !word.is_empty());
        let stages = stages.map(|word| Stage::parse(word).ok_or(Problem::parameter("stage")));
        Ok(Listing {
            text: self.q.trim().to_owned(),
            queue: parsed(&self.queue, "queue", Queue::parse)?,
            today: day(&self.today, now)?,
            stages: stages.collect::<Result<_, _>>()?,
            collectors: names(&self.collector),
            review: parsed(&self.review, "review", ReviewStatus::parse)?,
            hold: parsed(&self.hold, "hold", Flag::parse)?,
            conflicts: flag(&self.conflicts, "conflicts")?,
            unassigned: flag(&self.unassigned, "unassigned")?,
            since: parsed(&self.since, "since", time::parse)?,
            facts: self.facts(now)?,
            sort: parsed(&self.sort, "sort", Sort::parse)?.unwrap_or_default(),
            descending: parsed(&self.dir, "dir", descending)?.unwrap_or(self.sort.is_empty()),
            limit: page_size(&self.limit)?,
            after: parsed(&self.after, "after", PageCursor::decode)?,
        })
    }

    fn facts(&self, now: i64) -> Result<FactFilter, Problem> {
        let zone = zone(&self.zone)?;
        let event = match parsed(&self.event, "event", Event::parse)? {
            Some(event) => Some((event, period(&self.from, &self.to, zone)?)),
            None => None,
        };
        let promise = parsed(&self.promise, "promise", PromiseState::parse)?;
        let open_answer = |word: &str| {
            Answer::parse(word).filter(|answer| matches!(answer, Answer::Fail | Answer::Unknown))
        };
        Ok(FactFilter {
            event,
            visited: flag(&self.visited, "visited")?,
            met: flag(&self.met, "met")?,
            outcome: parsed(&self.outcome, "outcome", or_none(Disposition::parse))?,
            reason: parsed(&self.reason, "reason", or_none(OverdueReason::parse))?,
            dpd: parsed(&self.dpd, "dpd", DpdBucket::parse)?,
            promise: promise.map(|state| (state, time::today(now, zone))),
            rule: filled(&self.rule).map(str::to_owned),
            answer: parsed(&self.answer, "answer", open_answer)?,
        })
    }
}

/// The value of a word, or its absence for `none`.
fn or_none<T>(parse: impl Fn(&str) -> Option<T>) -> impl Fn(&str) -> Option<Option<T>> {
    move |word| if word == "none" { Some(None) } else { parse(word).map(Some) }
}

fn descending(word: &str) -> Option<bool> {
    match word {
        "asc" => Some(false),
        "desc" => Some(true),
        _ => None,
    }
}

/// One page of a list.
#[derive(Serialize, JsonSchema)]
pub(super) struct VisitPage {
    rows: Vec<Row>,
    /// Cursor of the page after this one.
    next: Option<String>,
    /// Records on all pages, counted up to `max_total`.
    total: u64,
    /// The largest total: it means this many or more.
    max_total: u32,
}

/// Changes of a record, oldest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct History {
    entries: Vec<HistoryLine>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    ProblemParts(Query(asked)): ProblemParts<Query<VisitQuery>>,
) -> Result<Json<VisitPage>, Problem> {
    let page = app.office.list(asked.listing(app.office.now())?).await?;
    let next = page.next.map(|cursor| cursor.encode());
    Ok(Json(VisitPage { rows: page.rows, next, total: page.total, max_total: MAX_TOTAL }))
}

/// What a record's address answers with.
pub(super) enum ViewOrDocument {
    View(Box<Json<VisitView>>),
    Document(Response),
}

impl IntoResponse for ViewOrDocument {
    fn into_response(self) -> Response {
        match self {
            Self::View(view) => view.into_response(),
            Self::Document(document) => document,
        }
    }
}

impl Describe for ViewOrDocument {
    fn describe(signature: &mut Signature) {
        Json::<VisitView>::describe(signature);
    }
}

/// The view, or with `.automerge` behind the id the document itself.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    ProblemParts(Path(name)): ProblemParts<Path<String>>,
) -> Result<ViewOrDocument, Problem> {
    match name.strip_suffix(".automerge") {
        None => {
            let view = app.office.visit(record_id(&name)?).await?;
            Ok(ViewOrDocument::View(Box::new(Json(view))))
        }
        Some(id) => {
            let id = record_id(id)?;
            let document = app.office.document(id).await?;
            let disposition = format!("attachment; filename=\"{id}.automerge\"");
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
                (header::CONTENT_DISPOSITION, disposition),
            ];
            Ok(ViewOrDocument::Document((headers, document).into_response()))
        }
    }
}

pub(super) async fn history(
    State(app): State<Arc<App>>,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
) -> Result<Json<History>, Problem> {
    let entries = app.office.history(record_id(&id)?).await?;
    Ok(Json(History { entries }))
}

/// How plausible the position is; `null` if the visit has none.
pub(super) async fn position(
    State(app): State<Arc<App>>,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
) -> Result<Json<Option<PositionCheck>>, Problem> {
    Ok(Json(app.office.check_position(record_id(&id)?).await?))
}

/// Anything but an id is an unknown record.
pub(super) fn record_id(text: &str) -> Result<RecordId, Problem> {
    text.parse().map_err(|_| Problem::unknown_record())
}

pub(super) async fn attachments(
    State(app): State<Arc<App>>,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
) -> Result<Json<Vec<AttachmentArrival>>, Problem> {
    Ok(Json(app.office.attachment_arrivals(record_id(&id)?).await?))
}
