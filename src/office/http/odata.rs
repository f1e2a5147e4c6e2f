//! `/odata/v4`: the records for Excel and Power BI, read-only. A small part of OData 4.0: `$select`,
//! `$top`, `$skip`, comparisons in `$filter` that the list can answer from its indexes, and pages by
//! `@odata.nextLink`. What is not supported is refused, never ignored.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::extract::{ProblemParts, State};
use super::query::parsed;
use super::{App, Problem};
use crate::office::sheets::export::Exported;
use crate::office::sheets::export::odata::{KEY, entity, properties};
use crate::office::store::{Listing, Page, PageCursor, Sort};
use crate::office::time;
use crate::record::terms::{Disposition, ReviewStatus, Stage};

/// Records in one answer: each one is read whole.
const PAGE: u32 = 200;

/// Records that may be skipped: they are read to be skipped. A page's link to the next needs none.
const MAX_SKIP: u32 = 10_000;

const VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("odata-version"), HeaderValue::from_static("4.0"));

/// Options of a query.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct ODataQuery {
    /// the number of records at most
    #[serde(rename = "$top")]
    top: String,
    /// records left out, 10,000 at most
    #[serde(rename = "$skip")]
    skip: String,
    /// names of properties, comma-separated
    #[serde(rename = "$select")]
    select: String,
    /// comparisons joined by `and`: `eq` for stage, review_status, assigned_to and disposition, `ge`
    /// for updated_at
    #[serde(rename = "$filter")]
    filter: String,
    /// the position of a page, from `@odata.nextLink`
    #[serde(rename = "$skiptoken")]
    skiptoken: String,
    /// json
    #[serde(rename = "$format")]
    format: String,
    /// false
    #[serde(rename = "$count")]
    count: String,
    /// not supported
    #[serde(rename = "$orderby")]
    orderby: String,
    /// not supported
    #[serde(rename = "$expand")]
    expand: String,
    /// not supported
    #[serde(rename = "$search")]
    search: String,
    /// not supported
    #[serde(rename = "$apply")]
    apply: String,
    /// not supported
    #[serde(rename = "$compute")]
    compute: String,
}

pub(super) async fn service(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let context = format!("{}/$metadata", root(&app, &headers)?);
    let sets = json!([{ "name": "Visits", "kind": "EntitySet", "url": "Visits" }]);
    Ok(([VERSION], Json(json!({ "@odata.context": context, "value": sets }))).into_response())
}

pub(super) async fn metadata() -> Response {
    let mut fields = String::new();
    for (name, kind) in properties() {
        let (nullable, more) = match kind.as_str() {
            // Currencies have up to four decimals.
            "Edm.Decimal" => ("", " Precision=\"19\" Scale=\"4\""),
            "Edm.DateTimeOffset" => ("", " Precision=\"0\""),
            _ if name == KEY => (" Nullable=\"false\"", ""),
            _ => ("", ""),
        };
        let kind = kind.as_str();
        // Writing to a string does not fail.
        let _ = write!(fields, "<Property Name=\"{name}\" Type=\"{kind}\"{nullable}{more}/>");
    }
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\">\
         <edmx:DataServices>\
         <Schema Namespace=\"Doorstep\" xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">\
         <EntityType Name=\"Visit\"><Key><PropertyRef Name=\"{KEY}\"/></Key>{fields}</EntityType>\
         <EntityContainer Name=\"Container\">\
         <EntitySet Name=\"Visits\" EntityType=\"Doorstep.Visit\"/></EntityContainer>\
         </Schema></edmx:DataServices></edmx:Edmx>"
    );
    let media = (header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    ([VERSION, media], document).into_response()
}

pub(super) async fn visits(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    ProblemParts(Query(query)): ProblemParts<Query<ODataQuery>>,
) -> Result<Response, Problem> {
    query.refuse_unsupported()?;
    let selected = selected(&query.select)?;
    let top = parsed(&query.top, "$top", |text| text.parse::<u64>().ok())?;
    let after = parsed(&query.skiptoken, "$skiptoken", PageCursor::decode)?;
    let limit = u32::try_from(top.unwrap_or(PAGE.into())).unwrap_or(PAGE).min(PAGE);
    let listing =
        Listing { sort: Sort::CaseNo, descending: false, limit, after, ..filtered(&query.filter)? };
    let skip = parsed(&query.skip, "$skip", |text| text.parse().ok())?.unwrap_or_default();
    if skip > MAX_SKIP {
        return Err(Problem::parameter("$skip"));
    }
    let page = match limit {
        0 => Page { rows: Vec::new(), next: None, total: 0 },
        _ => page_behind(&app, listing, skip).await?,
    };
    let mut entities: Vec<Map<String, Value>> = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        let id = row.summary.id.parse().map_err(|_| Problem::internal())?;
        let view = app.office.visit(id).await?;
        let record = Exported { view, updated_at: row.updated_at, document: Vec::new() };
        entities.push(entity(&record, &selected));
    }
    let root = root(&app, &headers)?;
    let mut body = Map::new();
    let shown = match query.select.as_str() {
        "" | "*" => String::new(),
        _ => format!("({})", selected.join(",")),
    };
    body.insert("@odata.context".to_owned(), json!(format!("{root}/$metadata#Visits{shown}")));
    let left = top.map(|top| top.saturating_sub(entities.len() as u64));
    body.insert("value".to_owned(), json!(entities));
    if let Some(next) = page.next.filter(|_| left != Some(0)) {
        body.insert("@odata.nextLink".to_owned(), json!(query.next_link(&root, left, &next)?));
    }
    Ok(([VERSION], Json(body)).into_response())
}

/// The first page of a listing behind some records.
async fn page_behind(app: &App, listing: Listing, skip: u32) -> Result<Page, Problem> {
    let (mut after, mut left) = (listing.after.clone(), skip);
    while left > 0 {
        let limit = left.min(PAGE);
        let page = app.office.list(Listing { limit, after, ..listing.clone() }).await?;
        left -= limit;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(Page { rows: Vec::new(), ..page }),
        }
    }
    Ok(app.office.list(Listing { after, ..listing }).await?)
}

impl ODataQuery {
    fn refuse_unsupported(&self) -> Result<(), Problem> {
        let unsupported = [
            ("$orderby", &self.orderby),
            ("$expand", &self.expand),
            ("$search", &self.search),
            ("$apply", &self.apply),
            ("$compute", &self.compute),
        ];
        if let Some((name, _)) = unsupported.iter().find(|(_, value)| !value.is_empty()) {
            return Err(Problem::parameter(name));
        }
        if !matches!(self.count.as_str(), "" | "false") {
            return Err(Problem::parameter("$count"));
        }
        if !matches!(self.format.as_str(), "" | "json" | "application/json") {
            return Err(Problem::parameter("$format"));
        }
        Ok(())
    }

    /// The address of the next page: the same options, without what this page has used up.
    fn next_link(
        &self,
        root: &str,
        left: Option<u64>,
        next: &PageCursor,
    ) -> Result<String, Problem> {
        let mut link = Url::parse(&format!("{root}/Visits")).map_err(|_| Problem::internal())?;
        {
            let mut pairs = link.query_pairs_mut();
            for (name, value) in [("$select", &self.select), ("$filter", &self.filter)] {
                if !value.is_empty() {
                    pairs.append_pair(name, value);
                }
            }
            if let Some(left) = left {
                pairs.append_pair("$top", &left.to_string());
            }
            pairs.append_pair("$skiptoken", &next.encode());
        }
        Ok(link.into())
    }
}

/// The address of the service as clients reach it.
fn root(app: &App, headers: &HeaderMap) -> Result<String, Problem> {
    if let Some(public) = &app.public {
        return Ok(format!("{public}/odata/v4"));
    }
    let scheme = if app.secure { "https" } else { "http" };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    // A host that is none would make a link to anywhere.
    let root = Url::parse(&format!("{scheme}://{host}/odata/v4"));
    root.map(Into::into).map_err(|_| Problem::not_found())
}

fn selected(text: &str) -> Result<Vec<&'static str>, Problem> {
    let all = || properties().map(|(name, _)| name);
    if text.is_empty() || text == "*" {
        return Ok(all().collect());
    }
    let names = text.split(',').map(str::trim);
    names
        .map(|wanted| all().find(|name| *name == wanted).ok_or(Problem::parameter("$select")))
        .collect()
}

/// The listing of a filter: comparisons joined by `and`, each property once.
fn filtered(text: &str) -> Result<Listing, Problem> {
    let wrong = || Problem::parameter("$filter");
    let mut listing = Listing::default();
    let mut seen = Vec::new();
    for clause in clauses(text) {
        let mut words = clause.splitn(3, ' ').map(str::trim);
        let (Some(name), Some(operator), Some(value)) = (words.next(), words.next(), words.next())
        else {
            return Err(wrong());
        };
        if seen.contains(&name) {
            return Err(wrong());
        }
        seen.push(name);
        match (name, operator) {
            ("stage", "eq") => {
                listing.stages = vec![Stage::parse(&literal(value)?).ok_or_else(wrong)?];
            }
            ("review_status", "eq") => {
                listing.review = Some(ReviewStatus::parse(&literal(value)?).ok_or_else(wrong)?);
            }
            ("assigned_to", "eq") => listing.collectors = vec![literal(value)?],
            ("disposition", "eq") => {
                let outcome = Disposition::parse(&literal(value)?).ok_or_else(wrong)?;
                listing.facts.outcome = Some(Some(outcome));
            }
            ("updated_at", "ge") => {
                listing.since = Some(time::parse(value).ok_or_else(wrong)?);
            }
            _ => return Err(wrong()),
        }
    }
    Ok(listing)
}

/// A text in single quotes; a quote in it is doubled.
fn literal(text: &str) -> Result<String, Problem> {
    let inner = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    let plain = inner.map(|inner| inner.replace("''", "\0"));
    let plain = plain.filter(|plain| !plain.contains('\'') && !plain.is_empty());
    plain.map(|plain| plain.replace('\0', "'")).ok_or(Problem::parameter("$filter"))
}

/// The parts between ` and `, outside of quotes, without brackets around them.
fn clauses(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted && at >= start && text[at..].starts_with(" and ") => {
                parts.push(&text[start..at]);
                start = at + " and ".len();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    let bare = parts.into_iter().map(|part| {
        let part = part.trim();
        part.strip_prefix('(').and_then(|part| part.strip_suffix(')')).unwrap_or(part).trim()
    });
    bare.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_those_of_the_list() {
        let listing = filtered(
            "(stage eq 'sealed') and assigned_to eq 'o''neil and co' and \
             updated_at ge 2026-11-03T00:00:00Z",
        )
        .unwrap();
        assert_eq!(listing.stages, [Stage::Sealed]);
        assert_eq!(listing.collectors, ["o'neil and co"]);
        assert_eq!(listing.since, Some(1_793_664_000_000));
        assert_eq!(filtered("").unwrap(), Listing::default());
        for wrong in [
            "stage eq sealed",
            "stage eq 'nothing'",
            "stage ne 'sealed'",
            "borrower_name eq 'x'",
            "stage eq 'sealed' or stage eq 'reviewed'",
            "stage eq 'sealed' and stage eq 'reviewed'",
            "stage",
            "updated_at ge yesterday",
            "assigned_to eq 'a'b'",
        ] {
            assert!(filtered(wrong).is_err(), "{wrong}");
        }
    }
}
