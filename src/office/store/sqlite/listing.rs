//! The list in SQLite: pages by the key of the last row, and a plan that is chosen, not guessed.
//!
//! A filter is either rare or frequent. The rows are counted first, up to a bound, by the index of
//! the most selective condition. Up to the bound they are read by that index and sorted. Beyond it,
//! the rows are read in the order of the list and filtered: a page is full after few of them. So
//! neither way reads the whole table, whatever statistics SQLite has.

use rusqlite::types::Value;
use rusqlite::{Row as SqlRow, params_from_iter};

use super::Tx;
use super::convert::number;
use super::filters::{Condition, conditions};
use super::rows::{PROMISE, SUMMARY, promise, summary};

use crate::ids::RecordId;
use crate::office::store::{Listing, MAX_TOTAL, Page, PageCursor, Row, Sort, SortKey, StoreError};
use crate::record::queue::area;

/// A listing's conditions, the most selective one first.
pub(super) struct Query(Vec<Condition>);

impl Query {
    pub(super) fn of(listing: &Listing) -> Self {
        let mut conditions = conditions(listing);
        // Stable: of equal ones the first stays first.
        conditions.sort_by_key(|condition| condition.rank);
        Self(conditions)
    }

    /// Tables and conditions that read the rows by the index of the first condition.
    fn by_index(&self) -> Source {
        match self.0.split_first() {
            None => Source::new("visits v"),
            Some((first, rest)) => {
                let mut source = Source::new(&first.from);
                source.add(&first.indexed, &first.values);
                source.filter(rest)
            }
        }
    }

    /// Tables and conditions that read the rows in the order of an index.
    fn in_order(&self, index: &str) -> Source {
        Source::new(&format!("visits v INDEXED BY {index}")).filter(&self.0)
    }

    /// Whether the first condition's index has the order of a sort.
    fn has_order(&self, sort: Sort) -> bool {
        sort == Sort::Queue && self.0.first().is_some_and(|first| first.in_queue_order)
    }
}

/// What follows FROM, with its values.
struct Source {
    sql: String,
    values: Vec<Value>,
}

impl Source {
    fn new(from: &str) -> Self {
        Self { sql: format!("{from} WHERE 1"), values: Vec::new() }
    }

    fn add(&mut self, condition: &str, values: &[Value]) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.extend_from_slice(values);
    }

    fn filter(mut self, conditions: &[Condition]) -> Self {
        for condition in conditions {
            self.add(&condition.filter, condition.filter_values());
        }
        self
    }
}

impl Tx<'_> {
    /// Counts rows up to a bound.
    pub(super) fn count_rows(&self, query: &Query, cap: u32) -> Result<u64, StoreError> {
        let Source { sql, mut values } = query.by_index();
        values.push(Value::Integer(cap.into()));
        self.query_one(
            &format!("SELECT count(*) FROM (SELECT 1 FROM {sql} LIMIT ?)"),
            params_from_iter(values),
            |row| number(row, 0),
        )
    }

    pub(super) fn read_page(&mut self, listing: &Listing) -> Result<Page, StoreError> {
        let query = Query::of(listing);
        let total = self.count_rows(&query, MAX_TOTAL)?;
        let (column, index) = column(listing.sort);
        let rare = total < MAX_TOTAL.into() && !query.0.is_empty();
        let mut source = if rare || query.has_order(listing.sort) {
            query.by_index()
        } else {
            query.in_order(index)
        };
        let (order, behind) = if listing.descending { ("DESC", "<") } else { ("ASC", ">") };
        if let Some(cursor) = &listing.after {
            let key = match &cursor.key {
                SortKey::Text(text) => Value::Text(text.clone()),
                SortKey::Number(number) => Value::Integer(*number),
            };
            let values = [key, Value::Blob(cursor.record.0.to_vec())];
            source.add(&format!("({column}, v.record) {behind} (?, ?)"), &values);
        }
        // One row more than the limit shows whether another page follows.
        source.values.push(Value::Integer(i64::from(listing.limit) + 1));
        let sql = format!(
            "SELECT {SUMMARY}, {PROMISE}, {column} FROM {} ORDER BY {column} {order}, v.record {order} LIMIT ?",
            source.sql
        );
        let mut found: Vec<(Row, PageCursor)> =
            self.query_all(&sql, params_from_iter(&source.values), line)?;
        let limit = usize::try_from(listing.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let next = if more { found.last().map(|(_, cursor)| cursor.clone()) } else { None };
        Ok(Page { rows: found.into_iter().map(|(row, _)| row).collect(), next, total })
    }
}

/// Where the key stands, behind the summary and the promise.
const KEY: usize = 23;

/// The column of a sort, and its index.
fn column(sort: Sort) -> (&'static str, &'static str) {
    match sort {
        Sort::Updated => ("v.updated_at", "visits_by_updated"),
        Sort::Due => ("v.due_key", "visits_by_due"),
        Sort::CaseNo => ("v.case_no", "visits_by_case"),
        Sort::Overdue => ("v.overdue", "visits_by_overdue"),
        Sort::Queue => ("v.queue_key", "visits_by_queue"),
    }
}

fn line(row: &SqlRow<'_>) -> rusqlite::Result<(Row, PageCursor)> {
    let (summary, updated_at) = summary(row)?;
    let (promise_due, promise_amount) =
        promise(row)?.map_or_else(Default::default, |promise| (promise.due_date, promise.amount));
    let key = match row.get(KEY)? {
        Value::Integer(number) => SortKey::Number(number),
        Value::Text(text) => SortKey::Text(text),
        other @ (Value::Null | Value::Real(_) | Value::Blob(_)) => {
            let kind = other.data_type();
            return Err(rusqlite::Error::InvalidColumnType(KEY, "key".into(), kind));
        }
    };
    let cursor = PageCursor { key, record: RecordId(row.get(0)?) };
    let area = area(&summary.address).to_owned();
    Ok((Row { summary, area, updated_at, promise_due, promise_amount }, cursor))
}
