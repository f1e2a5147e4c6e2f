//! Lists of records: filters, order, and keyset pagination.

use super::{FactFilter, Queue};
use crate::ids::{RecordId, hex, unhex};
use crate::record::terms::{Flag, ReviewStatus, Stage};
use crate::record::view::VisitSummary;

/// Sort column of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// When the office last accepted something.
    #[default]
    Updated,
    /// Day by which to visit; rows without one come last.
    Due,
    /// Case number.
    CaseNo,
    /// Overdue amount.
    Overdue,
    /// The rules by which phones sort their lists.
    Queue,
}

impl Sort {
    /// Parses a sort's stable name.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "updated" => Some(Self::Updated),
            "due" => Some(Self::Due),
            "case_no" => Some(Self::CaseNo),
            "overdue" => Some(Self::Overdue),
            "queue" => Some(Self::Queue),
            _ => None,
        }
    }
}

/// A query for one page of the list. Absent filters match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Only the records of a queue.
    pub queue: Option<Queue>,
    /// The present day where queues are read, `YYYY-MM-DD`.
    pub today: String,
    /// Part of the case number, the borrower's name or the address.
    pub text: String,
    /// Stages, any of them.
    pub stages: Vec<Stage>,
    /// Sign-in names of collectors, any of them.
    pub collectors: Vec<String>,
    /// Review status.
    pub review: Option<ReviewStatus>,
    /// An active hold.
    pub hold: Option<Flag>,
    /// Only with conflicts.
    pub conflicts: bool,
    /// Only with no collector.
    pub unassigned: bool,
    /// Only records updated at or after this time, ms.
    pub since: Option<i64>,
    /// What the dashboard counts.
    pub facts: FactFilter,
    /// Sort column.
    pub sort: Sort,
    /// Highest first.
    pub descending: bool,
    /// Page size.
    pub limit: u32,
    /// Continue after this row.
    pub after: Option<PageCursor>,
}

/// Position in an ordered list: the last row's key and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCursor {
    /// The row's value in the sort column.
    pub key: SortKey,
    /// The row's record.
    pub record: RecordId,
}

/// A value in the sort column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortKey {
    /// A date or a case number.
    Text(String),
    /// A time or an amount.
    Number(i64),
}

impl PageCursor {
    /// The cursor as an opaque string for clients.
    pub fn encode(&self) -> String {
        match &self.key {
            SortKey::Text(text) => format!("t{}.{}", hex(text.as_bytes()), hex(&self.record.0)),
            SortKey::Number(number) => format!("n{number}.{}", hex(&self.record.0)),
        }
    }

    /// Decodes a client's cursor; `None` where it is malformed.
    pub fn decode(cursor: &str) -> Option<Self> {
        let (key, record) = cursor.split_once('.')?;
        let record = RecordId(unhex(record)?.try_into().ok()?);
        let key = match key.split_at_checked(1)? {
            ("t", text) => SortKey::Text(String::from_utf8(unhex(text)?).ok()?),
            ("n", number) => SortKey::Number(number.parse().ok()?),
            _ => return None,
        };
        Some(Self { key, record })
    }
}

/// One row of a list.
#[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "VisitRow")]
pub struct Row {
    /// The displayed columns.
    #[serde(flatten)]
    pub summary: VisitSummary,
    /// The part of the address that neighbouring records share, or empty.
    pub area: String,
    /// When the office last accepted something, ms.
    pub updated_at: i64,
    /// When a promised payment that is not covered yet is due, `YYYY-MM-DD`, or empty.
    pub promise_due: String,
    /// The promised amount, minor units; 0 without a promise.
    pub promise_amount: i64,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The rows, in order.
    pub rows: Vec<Row>,
    /// Cursor of the next page, if there is one.
    pub next: Option<PageCursor>,
    /// Number of matching rows on all pages, counted up to [`MAX_TOTAL`].
    pub total: u64,
}

/// Rows of a list are counted up to here: counting more would cost more than the page.
pub const MAX_TOTAL: u32 = 10_000;

/// Escapes the wildcards of LIKE.
pub(super) fn escape_like(text: &str) -> String {
    text.chars().fold(String::new(), |mut pattern, c| {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
        pattern
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_round_trips() {
        for key in [SortKey::Text("外访-7.1".into()), SortKey::Number(-12)] {
            let cursor = PageCursor { key, record: RecordId([7; 16]) };
            assert_eq!(PageCursor::decode(&cursor.encode()), Some(cursor));
        }
        for wrong in ["", "t", "é.00", "n1.00", "x1.07070707070707070707070707070707"] {
            assert_eq!(PageCursor::decode(wrong), None, "{wrong}");
        }
    }
}
