//! The list in PostgreSQL: filters as a condition, pages by the key of the last row.

use super::queues::key_expression;
use super::row::Row as SqlRow;
use super::rows::{PROMISE, SUMMARY, promise, summary};
use super::tx::Tx;
use super::value::Value;
use crate::office::store::listing::escape_like;
use crate::office::store::{
    Listing, MAX_TOTAL, Page, PageCursor, Queue, QueueReads, Row, Sort, SortKey, StoreError,
};
use crate::record::queue::area;

/// Rows to read, and how many there are.
pub(super) struct Counted {
    source: Source,
    pub(super) total: u64,
}

/// The rows of a listing, as `visits v` under a condition.
struct Source {
    from: String,
    filter: Filter,
}

impl Tx<'_> {
    /// Counts rows up to a bound, and chooses how to read them. A text that few records have is looked
    /// up in the search index; one that many have is looked for row by row, until a page is full.
    pub(super) fn find_rows(&mut self, listing: &Listing, cap: u32) -> Result<Counted, StoreError> {
        let wanted = listing.text.trim();
        if !wanted.is_empty() {
            let source = Source::by_index(listing, wanted, cap);
            let Source { from, filter } = &source;
            let sql =
                format!("SELECT count(*), count(*) FILTER (WHERE {}) FROM {from}", filter.sql);
            let values = filter.values.clone();
            let (found, total) =
                self.query_one(&sql, values, |row| Ok((row.number(0)?, row.number(1)?)))?;
            if found < u64::from(cap) {
                return Ok(Counted { source, total });
            }
        }
        let source = Source::by_row(listing, wanted);
        let mut values = source.filter.values.clone();
        values.push(cap.into());
        let (condition, limit) = (&source.filter.sql, values.len());
        let sql = format!(
            "SELECT count(*) FROM
               (SELECT 1 FROM visits v WHERE {condition} LIMIT ${limit}) AS found"
        );
        let total = self.query_one(&sql, values, |row| row.number(0))?;
        Ok(Counted { source, total })
    }

    pub(super) fn read_page(&mut self, listing: &Listing) -> Result<Page, StoreError> {
        let Counted { source, total } = self.find_rows(listing, MAX_TOTAL)?;
        let Source { from, mut filter } = source;
        let column = match listing.sort {
            Sort::Updated => "v.updated_at".to_owned(),
            Sort::Due => "v.due_key".to_owned(),
            Sort::CaseNo => "v.case_no".to_owned(),
            Sort::Overdue => "v.overdue".to_owned(),
            Sort::Queue => key_expression(&self.queue_order()?),
        };
        let (order, behind) = if listing.descending { ("DESC", "<") } else { ("ASC", ">") };
        if let Some(cursor) = &listing.after {
            filter.add_cursor(listing, &column, behind, cursor);
        }
        // One row more than the limit shows whether another page follows.
        let limit = filter.value(i64::from(listing.limit) + 1);
        let sql = format!(
            "SELECT {SUMMARY}, {PROMISE}, {column} FROM {from} WHERE {}
             ORDER BY {column} {order}, v.record {order} LIMIT {limit}",
            filter.sql
        );
        let mut found: Vec<(Row, PageCursor)> =
            self.query_all(&sql, filter.values, |row| line(row, listing.sort))?;
        let limit = usize::try_from(listing.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let next = if more { found.last().map(|(_, cursor)| cursor.clone()) } else { None };
        Ok(Page { rows: found.into_iter().map(|(row, _)| row).collect(), next, total })
    }
}

/// Where the key stands, behind the summary and the promise.
const KEY: usize = 23;

fn is_number(sort: Sort) -> bool {
    match sort {
        Sort::Updated | Sort::Overdue => true,
        Sort::Due | Sort::CaseNo | Sort::Queue => false,
    }
}

fn line(row: &SqlRow, sort: Sort) -> Result<(Row, PageCursor), StoreError> {
    let (summary, updated_at) = summary(row)?;
    let (promise_due, promise_amount) =
        promise(row)?.map_or_else(Default::default, |promise| (promise.due_date, promise.amount));
    let key =
        if is_number(sort) { SortKey::Number(row.get(KEY)?) } else { SortKey::Text(row.get(KEY)?) };
    let cursor = PageCursor { key, record: row.record_id(0)? };
    let area = area(&summary.address).to_owned();
    Ok((Row { summary, area, updated_at, promise_due, promise_amount }, cursor))
}

/// A condition over `visits v` and its values, in order.
pub(super) struct Filter {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Default for Filter {
    /// Matches everything.
    fn default() -> Self {
        Self { sql: "true".into(), values: Vec::new() }
    }
}

impl Source {
    /// Records whose text the index has, up to a bound.
    fn by_index(listing: &Listing, wanted: &str, cap: u32) -> Self {
        let mut filter = Filter::default();
        let text = filter.value(wanted);
        let pattern = filter.value(format!("%{}%", escape_like(wanted)));
        let limit = filter.value(cap);
        // Each record is read by its key, whatever the planner expects of the text.
        let from = format!(
            "(WITH found AS MATERIALIZED
                (SELECT s.record FROM visit_search s
                 WHERE visit_grams(s.text, 1) @> visit_grams_of_part({text})
                   AND s.text ILIKE {pattern} LIMIT {limit})
              SELECT v.* FROM found f CROSS JOIN LATERAL
                (SELECT v.* FROM visits v WHERE v.record = f.record OFFSET 0) v) v"
        );
        filter.add_listing(listing);
        Self { from, filter }
    }

    fn by_row(listing: &Listing, wanted: &str) -> Self {
        let mut filter = Filter::default();
        if !wanted.is_empty() {
            let pattern = filter.value(format!("%{}%", escape_like(wanted)));
            filter.add(&format!(
                "(v.case_no ILIKE {pattern} OR v.borrower_name ILIKE {pattern}
                  OR v.address ILIKE {pattern})"
            ));
        }
        filter.add_listing(listing);
        Self { from: "visits v".to_owned(), filter }
    }
}

impl Filter {
    /// Every condition but the text.
    fn add_listing(&mut self, listing: &Listing) {
        let filter = self;
        if !listing.stages.is_empty() {
            let stages: Vec<&str> = listing.stages.iter().map(|stage| stage.as_str()).collect();
            let stages = filter.value(stages);
            filter.add(&format!("v.stage = ANY ({stages})"));
        }
        if !listing.collectors.is_empty() {
            let collectors: Vec<&str> = listing.collectors.iter().map(String::as_str).collect();
            let collectors = filter.value(collectors);
            filter.add(&format!(
                "v.record IN (SELECT record FROM visit_collectors
                              WHERE collector = ANY ({collectors}))"
            ));
        }
        if let Some(review) = listing.review {
            let review = filter.value(review.as_str());
            filter.add(&format!("v.review_status = {review}"));
        }
        if let Some(hold) = listing.hold {
            let hold = filter.value(hold.as_str());
            filter.add(&format!(
                "EXISTS (SELECT 1 FROM visit_holds h WHERE h.record = v.record AND h.flag = {hold})"
            ));
        }
        if let Some(queue) = listing.queue {
            filter.add_queue(queue, &listing.today);
        }
        if listing.conflicts {
            filter.add("v.conflicts > 0");
        }
        if listing.unassigned {
            filter.add("NOT EXISTS (SELECT 1 FROM visit_collectors c WHERE c.record = v.record)");
        }
        if let Some(since) = listing.since {
            let since = filter.value(since);
            filter.add(&format!("v.updated_at >= {since}"));
        }
        filter.add_facts(&listing.facts);
    }

    fn add_queue(&mut self, queue: Queue, today: &str) {
        const OUTSTANDING: &str =
            "v.stage IN ('assigned', 'contacted', 'scheduled') AND v.due_by <> ''";
        let conduct = |answer: &str| {
            format!(
                "EXISTS (SELECT 1 FROM conduct c WHERE c.record = v.record
                   AND c.answer = '{answer}' AND NOT c.shadow)"
            )
        };
        let condition = match queue {
            Queue::Unassigned => "v.stage NOT IN ('sealed', 'reviewed') AND NOT EXISTS
                (SELECT 1 FROM visit_collectors c WHERE c.record = v.record)"
                .to_owned(),
            Queue::DueToday => format!("{OUTSTANDING} AND v.due_by = {}", self.value(today)),
            Queue::Overdue => format!("{OUTSTANDING} AND v.due_by < {}", self.value(today)),
            Queue::Returned => "v.stage = 'recorded' AND v.review_status = 'returned'".to_owned(),
            Queue::ToReview => "v.stage = 'sealed'".to_owned(),
            Queue::ToAudit => "v.stage IN ('sealed', 'reviewed') AND v.record IN
                (SELECT record FROM audit_samples WHERE outcome IS NULL)"
                .to_owned(),
            Queue::InConflict => "v.conflicts > 0".to_owned(),
            Queue::ConductFailed => conduct("fail"),
            Queue::ConductUnknown => format!("v.stage = 'sealed' AND {}", conduct("unknown")),
            Queue::Holds => "v.stage <> 'reviewed' AND v.record IN
                (SELECT record FROM visit_holds)"
                .to_owned(),
            Queue::Complaints => "v.stage <> 'reviewed' AND v.record IN
                (SELECT record FROM visit_holds WHERE flag = 'complaint')"
                .to_owned(),
            Queue::PromisesDue => {
                format!("v.promise_open AND v.promise_due = {}", self.value(today))
            }
            Queue::PromisesBroken => {
                format!("v.promise_open AND v.promise_due < {}", self.value(today))
            }
        };
        self.add(&condition);
    }

    /// Only rows behind a cursor. Every number sorts before every text, so a key of another type is a
    /// place before or behind all rows.
    fn add_cursor(&mut self, listing: &Listing, column: &str, behind: &str, cursor: &PageCursor) {
        let (key, fits) = match &cursor.key {
            SortKey::Text(text) => (Value::from(text), !is_number(listing.sort)),
            SortKey::Number(number) => (Value::from(*number), is_number(listing.sort)),
        };
        if fits {
            let (key, record) = (self.value(key), self.value(cursor.record.0));
            self.add(&format!("({column}, v.record) {behind} ({key}, {record})"));
        } else if is_number(listing.sort) != listing.descending {
            self.add("false");
        }
    }

    /// Adds a value; gives its marker.
    pub(super) fn value(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    pub(super) fn add(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }
}
