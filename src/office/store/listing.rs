//! Lists of records: filters, order, and pages that stay right while rows come and go.

use crate::ids::{RecordId, hex, unhex};
use crate::record::terms::{Flag, ReviewStatus, Stage};
use crate::record::view::VisitSummary;

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// When the office last accepted something.
    #[default]
    Updated,
    /// Day by which to visit; none stands behind every day.
    Due,
    /// Case number.
    CaseNo,
    /// Overdue amount.
    Overdue,
}

impl Sort {
    /// The sort of a word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "updated" => Some(Self::Updated),
            "due" => Some(Self::Due),
            "case_no" => Some(Self::CaseNo),
            "overdue" => Some(Self::Overdue),
            _ => None,
        }
    }
}

/// The rows that are asked for. Absent filters let everything pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Part of the case number, the borrower's name or the address.
    pub text: String,
    /// Stages, any of them.
    pub stages: Vec<Stage>,
    /// Sign-in name of a collector.
    pub collector: Option<String>,
    /// Where the review stands.
    pub review: Option<ReviewStatus>,
    /// A hold that stands.
    pub hold: Option<Flag>,
    /// Only with conflicts.
    pub conflicts: bool,
    /// Only with no collector.
    pub unassigned: bool,
    /// Only what changed at or after this time, ms.
    pub since: Option<i64>,
    /// What to order by.
    pub sort: Sort,
    /// Highest first.
    pub descending: bool,
    /// The most rows wanted.
    pub limit: u32,
    /// The place behind which to go on.
    pub after: Option<PageCursor>,
}

/// A place in an ordered list: the last row's key and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCursor {
    /// What the row is ordered by, as text or as a number.
    pub key: SortKey,
    /// The row's record.
    pub record: RecordId,
}

/// What a row is ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortKey {
    /// A date or a case number.
    Text(String),
    /// A time or an amount.
    Number(i64),
}

impl PageCursor {
    /// The place as a cursor that clients hand back unread.
    pub fn encode(&self) -> String {
        match &self.key {
            SortKey::Text(text) => format!("t{}.{}", hex(text.as_bytes()), hex(&self.record.0)),
            SortKey::Number(number) => format!("n{number}.{}", hex(&self.record.0)),
        }
    }

    /// A place from a cursor, or `None` where it is not one.
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
    /// What the list shows.
    #[serde(flatten)]
    pub summary: VisitSummary,
    /// When the office last accepted something, ms.
    pub updated_at: i64,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// In order.
    pub rows: Vec<Row>,
    /// Where the next page begins, if there is one.
    pub next: Option<PageCursor>,
    /// How many rows pass the filters, on all pages.
    pub total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_cursor() {
        for key in [SortKey::Text("外访-7.1".into()), SortKey::Number(-12)] {
            let place = PageCursor { key, record: RecordId([7; 16]) };
            assert_eq!(PageCursor::decode(&place.encode()), Some(place));
        }
        for wrong in ["", "t", "é.00", "n1.00", "x1.07070707070707070707070707070707"] {
            assert_eq!(PageCursor::decode(wrong), None, "{wrong}");
        }
    }
}
