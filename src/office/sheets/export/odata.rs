//! The columns of an export as properties of OData entities. Only those without
//! personal data of borrowers: reports need no other.

use serde_json::{Map, Number, Value};

use super::column::{Cell, columns, headings};
use super::{Exported, Scope};

const AMOUNTS: &[&str] = &["principal", "overdue_amount", "promise_amount", "payments_total"];
const COUNTS: &[&str] =
    &["days_past_due", "priority", "contacts", "options_offered", "payments", "attachments"];
const DATES: &[&str] = &["due_date", "last_payment_date", "due_by", "promise_due_date"];

/// The type of a property, as OData names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyType {
    /// A word or an id.
    String,
    /// A count.
    Int64,
    /// An amount in major units.
    Decimal,
    /// A day.
    Date,
    /// A time with offset.
    DateTimeOffset,
}

impl PropertyType {
    fn of(name: &str) -> Self {
        match name {
            name if AMOUNTS.contains(&name) => Self::Decimal,
            name if COUNTS.contains(&name) => Self::Int64,
            name if DATES.contains(&name) => Self::Date,
            "talk_from" | "talk_to" => Self::DateTimeOffset,
            name if name.ends_with("_at") => Self::DateTimeOffset,
            _ => Self::String,
        }
    }

    /// Its name in a schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "Edm.String",
            Self::Int64 => "Edm.Int64",
            Self::Decimal => "Edm.Decimal",
            Self::Date => "Edm.Date",
            Self::DateTimeOffset => "Edm.DateTimeOffset",
        }
    }
}

/// The key of an entity.
pub const KEY: &str = "record_id";

/// Names and types of all properties, in the order of an export.
pub fn properties() -> impl Iterator<Item = (&'static str, PropertyType)> {
    headings(Scope::Minimal).into_iter().map(|name| (name, PropertyType::of(name)))
}

/// A record as an entity with some properties. A value that does not fit its type is null.
pub fn entity(record: &Exported, selected: &[&str]) -> Map<String, Value> {
    let columns = columns(Scope::Minimal).filter(|column| selected.contains(&column.heading));
    columns
        .map(|column| {
            let name = column.heading;
            (name.to_owned(), value(column.cell(record), PropertyType::of(name)))
        })
        .collect()
}

fn value(cell: Cell, kind: PropertyType) -> Value {
    match (cell, kind) {
        (Cell::Text(text), PropertyType::String) => Value::String(text),
        (Cell::Time(text), PropertyType::Date | PropertyType::DateTimeOffset) => {
            Value::String(text)
        }
        (Cell::Whole(number), PropertyType::Int64) => Value::Number(number.into()),
        // JSON has one kind of number; the double nearest to an amount reads back as its digits.
        (Cell::Amount(text), PropertyType::Decimal) => {
            text.parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
        }
        (
            Cell::Text(_)
            | Cell::Time(_)
            | Cell::Whole(_)
            | Cell::Amount(_)
            | Cell::Fraction(_)
            | Cell::Empty,
            _,
        ) => Value::Null,
    }
}
