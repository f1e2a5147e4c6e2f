//! `/api/visits`: lists, records and histories for the console.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::{Describe, Signature};
use super::extract::ProblemParts;
use super::query::{day, filled, flag, page_size, parsed};
use super::{App, Problem};
use crate::ids::RecordId;
use crate::office::HistoryLine;
use crate::office::store::{Listing, MAX_TOTAL, PageCursor, Queue, Row, Sort};
use crate::office::time;
use crate::record::terms::{Flag, ReviewStatus, Stage};
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
    /// sign-in name of a collector
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
}

impl VisitQuery {
    /// The listing that the client asks for.
    ///
    /// `now` is the office's time, ms.
    pub(super) fn listing(&self, now: i64) -> Result<Listing, Problem> {
        let stages = self.stage.split(',').map(str::trim).filter(|word| !word.is_empty());
        let stages = stages.map(|word| Stage::parse(word).ok_or(Problem::parameter("stage")));
        Ok(Listing {
            text: self.q.trim().to_owned(),
            queue: parsed(&self.queue, "queue", Queue::parse)?,
            today: day(&self.today, now)?,
            stages: stages.collect::<Result<_, _>>()?,
            collector: filled(&self.collector).map(str::to_owned),
            review: parsed(&self.review, "review", ReviewStatus::parse)?,
            hold: parsed(&self.hold, "hold", Flag::parse)?,
            conflicts: flag(&self.conflicts, "conflicts")?,
            unassigned: flag(&self.unassigned, "unassigned")?,
            since: parsed(&self.since, "since", time::parse)?,
            sort: parsed(&self.sort, "sort", Sort::parse)?.unwrap_or_default(),
            descending: parsed(&self.dir, "dir", descending)?.unwrap_or(self.sort.is_empty()),
            limit: page_size(&self.limit)?,
            after: parsed(&self.after, "after", PageCursor::decode)?,
        })
    }
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
    /// A total as high as this stands for this and more.
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

/// Anything but an id is an unknown record.
pub(super) fn record_id(text: &str) -> Result<RecordId, Problem> {
    text.parse().map_err(|_| Problem::unknown_record())
}
