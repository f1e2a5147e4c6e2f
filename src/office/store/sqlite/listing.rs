//! The list in SQLite: filters as a condition, pages by the key of the last row.

use rusqlite::types::Value;
use rusqlite::{Row as SqlRow, params_from_iter};

use super::Tx;
use super::convert::number;
use super::rows::{SUMMARY, summary};
use crate::office::store::listing::escape_like;
use crate::office::store::{Listing, Page, PageCursor, Row, Sort, SortKey, StoreError};

impl Tx<'_> {
    pub(super) fn read_page(&mut self, listing: &Listing) -> Result<Page, StoreError> {
        let mut filter = Filter::of(listing);
        let total = self.query_one(
            &format!("SELECT count(*) FROM visits v WHERE {}", filter.sql),
            params_from_iter(&filter.values),
            |row| number(row, 0),
        )?;

        let column = column(listing.sort);
        let (order, behind) = if listing.descending { ("DESC", "<") } else { ("ASC", ">") };
        if let Some(cursor) = &listing.after {
            let key = match &cursor.key {
                SortKey::Text(text) => Value::Text(text.clone()),
                SortKey::Number(number) => Value::Integer(*number),
            };
            filter.add(
                &format!("({column}, v.record) {behind} (?, ?)"),
                [key, Value::Blob(cursor.record.0.to_vec())],
            );
        }
        // One row more than the limit shows whether another page follows.
        filter.values.push(Value::Integer(i64::from(listing.limit) + 1));
        let sql = format!(
            "SELECT {SUMMARY}, {column} FROM visits v WHERE {}
             ORDER BY {column} {order}, v.record {order} LIMIT ?",
            filter.sql
        );
        let mut found: Vec<(Row, PageCursor)> =
            self.query_all(&sql, params_from_iter(&filter.values), line)?;
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

fn line(row: &SqlRow<'_>) -> rusqlite::Result<(Row, PageCursor)> {
    let (summary, updated_at) = summary(row)?;
    let key = match row.get(21)? {
        Value::Integer(number) => SortKey::Number(number),
        Value::Text(text) => SortKey::Text(text),
        other @ (Value::Null | Value::Real(_) | Value::Blob(_)) => {
            return Err(rusqlite::Error::InvalidColumnType(21, "key".into(), other.data_type()));
        }
    };
    let cursor = PageCursor { key, record: crate::ids::RecordId(row.get(0)?) };
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
        Self { sql: "1".into(), values: Vec::new() }
    }
}

/// A text as a value of a statement.
pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

impl Filter {
    fn of(listing: &Listing) -> Self {
        let mut filter = Self::default();
        let wanted = listing.text.trim();
        if !wanted.is_empty() {
            let pattern = text(&format!("%{}%", escape_like(wanted)));
            filter.add(
                "(v.case_no LIKE ? ESCAPE '\\' OR v.borrower_name LIKE ? ESCAPE '\\'
                  OR v.address LIKE ? ESCAPE '\\')",
                [pattern.clone(), pattern.clone(), pattern],
            );
        }
        if !listing.stages.is_empty() {
            let markers = vec!["?"; listing.stages.len()].join(", ");
            filter.add(
                &format!("v.stage IN ({markers})"),
                listing.stages.iter().map(|stage| text(stage.as_str())),
            );
        }
        if !listing.collectors.is_empty() {
            let markers = vec!["?"; listing.collectors.len()].join(", ");
            filter.add(
                &format!(
                    "v.record IN (SELECT record FROM visit_collectors WHERE collector IN ({markers}))"
                ),
                listing.collectors.iter().map(|name| text(name)),
            );
        }
        if let Some(review) = listing.review {
            filter.add("v.review_status = ?", [text(review.as_str())]);
        }
        if let Some(hold) = listing.hold {
            filter.add(
                "EXISTS (SELECT 1 FROM visit_holds h WHERE h.record = v.record AND h.flag = ?)",
                [text(hold.as_str())],
            );
        }
        if listing.conflicts {
            filter.add("v.conflicts > 0", []);
        }
        if listing.unassigned {
            filter
                .add("NOT EXISTS (SELECT 1 FROM visit_collectors c WHERE c.record = v.record)", []);
        }
        if let Some(since) = listing.since {
            filter.add("v.updated_at >= ?", [Value::Integer(since)]);
        }
        filter.add_facts(&listing.facts);
        filter
    }

    pub(super) fn add(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.extend(values);
    }
}
