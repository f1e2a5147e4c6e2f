//! The list in PostgreSQL: filters as a condition, pages by the key of the last row.

use super::row::Row as SqlRow;
use super::rows::{SUMMARY, summary};
use super::tx::Tx;
use super::value::Value;
use crate::office::store::listing::escape_like;
use crate::office::store::{Listing, Page, PageCursor, Row, Sort, SortKey, StoreError};

impl Tx<'_> {
    pub(super) fn read_page(&mut self, listing: &Listing) -> Result<Page, StoreError> {
        let mut filter = Filter::of(listing);
        let total = self.query_one(
            &format!("SELECT count(*) FROM visits v WHERE {}", filter.sql),
            filter.values.clone(),
            |row| row.number(0),
        )?;

        let column = column(listing.sort);
        let (order, behind) = if listing.descending { ("DESC", "<") } else { ("ASC", ">") };
        if let Some(cursor) = &listing.after {
            filter.add_cursor(listing, column, behind, cursor);
        }
        // One row more than the limit shows whether another page follows.
        let limit = filter.value(i64::from(listing.limit) + 1);
        let sql = format!(
            "SELECT {SUMMARY}, {column} FROM visits v WHERE {}
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

fn column(sort: Sort) -> &'static str {
    match sort {
        Sort::Updated => "v.updated_at",
        Sort::Due => "v.due_key",
        Sort::CaseNo => "v.case_no",
        Sort::Overdue => "v.overdue",
    }
}

fn is_number(sort: Sort) -> bool {
    match sort {
        Sort::Updated | Sort::Overdue => true,
        Sort::Due | Sort::CaseNo => false,
    }
}

fn line(row: &SqlRow, sort: Sort) -> Result<(Row, PageCursor), StoreError> {
    let (summary, updated_at) = summary(row)?;
    let key =
        if is_number(sort) { SortKey::Number(row.get(21)?) } else { SortKey::Text(row.get(21)?) };
    let cursor = PageCursor { key, record: row.record_id(0)? };
    Ok((Row { summary, updated_at }, cursor))
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

impl Filter {
    fn of(listing: &Listing) -> Self {
        let mut filter = Self::default();
        let wanted = listing.text.trim();
        if !wanted.is_empty() {
            let pattern = filter.value(format!("%{}%", escape_like(wanted)));
            filter.add(&format!(
                "(v.case_no ILIKE {pattern} OR v.borrower_name ILIKE {pattern}
                  OR v.address ILIKE {pattern})"
            ));
        }
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
        filter
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
