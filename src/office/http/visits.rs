//! `/api/visits`: what the console reads.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::extract::ProblemParts;
use super::{App, Problem};
use crate::ids::RecordId;
use crate::office::HistoryLine;
use crate::office::store::{Listing, PageCursor, Row, Sort};
use crate::office::time;
use crate::record::terms::{Flag, ReviewStatus, Stage};

/// Rows of a page unless the client asks for another number.
const PAGE: u32 = 50;

/// The most rows of a page.
const LONGEST_PAGE: u32 = 200;

/// Filters, order and page as a query says them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    stage: String,
    collector: String,
    review: String,
    hold: String,
    conflicts: String,
    unassigned: String,
    since: String,
    sort: String,
    dir: String,
    limit: String,
    after: String,
    pub(super) format: String,
}

impl Asked {
    /// The listing that is asked for; an unknown word is refused, lest a filter be ignored.
    pub(super) fn listing(&self) -> Result<Listing, Problem> {
        let stages = self.stage.split(',').map(str::trim).filter(|word| !word.is_empty());
        let stages = stages.map(|word| Stage::parse(word).ok_or(Problem::parameter("stage")));
        Ok(Listing {
            text: self.q.trim().to_owned(),
            stages: stages.collect::<Result<_, _>>()?,
            collector: filled(&self.collector).map(str::to_owned),
            review: word(&self.review, "review", ReviewStatus::parse)?,
            hold: word(&self.hold, "hold", Flag::parse)?,
            conflicts: flag(&self.conflicts, "conflicts")?,
            unassigned: flag(&self.unassigned, "unassigned")?,
            since: word(&self.since, "since", time::parse)?,
            sort: word(&self.sort, "sort", Sort::parse)?.unwrap_or_default(),
            descending: word(&self.dir, "dir", descending)?.unwrap_or(self.sort.is_empty()),
            limit: word(&self.limit, "limit", limit)?.unwrap_or(PAGE),
            after: word(&self.after, "after", PageCursor::decode)?,
        })
    }
}

fn filled(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn word<T>(
    text: &str,
    name: &'static str,
    parse: fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    filled(text).map(|text| parse(text).ok_or(Problem::parameter(name))).transpose()
}

/// A parameter that is set or not.
pub(super) fn flag(text: &str, name: &'static str) -> Result<bool, Problem> {
    match text {
        "1" | "true" => Ok(true),
        "" | "0" | "false" => Ok(false),
        _ => Err(Problem::parameter(name)),
    }
}

fn descending(word: &str) -> Option<bool> {
    match word {
        "asc" => Some(false),
        "desc" => Some(true),
        _ => None,
    }
}

fn limit(text: &str) -> Option<u32> {
    text.parse().ok().filter(|limit| (1..=LONGEST_PAGE).contains(limit))
}

#[derive(Serialize)]
pub(super) struct ListPage {
    rows: Vec<Row>,
    next: Option<String>,
    total: u64,
}

#[derive(Serialize)]
pub(super) struct History {
    entries: Vec<HistoryLine>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    ProblemParts(Query(asked)): ProblemParts<Query<Asked>>,
) -> Result<Json<ListPage>, Problem> {
    let page = app.office.list(asked.listing()?).await?;
    let next = page.next.map(|place| place.encode());
    Ok(Json(ListPage { rows: page.rows, next, total: page.total }))
}

/// The view, or with `.automerge` behind the id the document itself.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    ProblemParts(Path(name)): ProblemParts<Path<String>>,
) -> Result<Response, Problem> {
    match name.strip_suffix(".automerge") {
        None => Ok(Json(app.office.visit(record_id(&name)?).await?).into_response()),
        Some(id) => {
            let id = record_id(id)?;
            let document = app.office.document(id).await?;
            let disposition = format!("attachment; filename=\"{id}.automerge\"");
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
                (header::CONTENT_DISPOSITION, disposition),
            ];
            Ok((headers, document).into_response())
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

/// What is no id names no record.
pub(super) fn record_id(text: &str) -> Result<RecordId, Problem> {
    text.parse().map_err(|_| Problem::unknown_record())
}
