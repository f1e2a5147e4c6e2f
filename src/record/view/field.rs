//! Single fields: their values, conflicts and history.

use automerge::ScalarValue;
use serde::{Deserialize, Serialize};

use crate::types::ApiType;

ApiType! {
/// The value of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum FieldValue {
    /// Text, or the text form of an enum.
    Text(String),
    /// An integer: a count, or money in minor units.
    Number(i64),
    /// A floating-point number, such as a latitude.
    Decimal(f64),
    /// True or false.
    #[serde(rename = "truth")]
    Bool(bool),
    /// Time, ms.
    Time(i64),
    /// No value, or a container.
    #[serde(rename = "nothing")]
    Absent,
}
}

impl From<&ScalarValue> for FieldValue {
    fn from(scalar: &ScalarValue) -> Self {
        match scalar {
            ScalarValue::Str(text) => Self::Text(text.to_string()),
            ScalarValue::Int(number) => Self::Number(*number),
            ScalarValue::Uint(number) => Self::Number(i64::try_from(*number).unwrap_or(i64::MAX)),
            ScalarValue::F64(number) => Self::Decimal(*number),
            ScalarValue::Boolean(truth) => Self::Bool(*truth),
            ScalarValue::Timestamp(ms) => Self::Time(*ms),
            ScalarValue::Bytes(_)
            | ScalarValue::Counter(_)
            | ScalarValue::Unknown { .. }
            | ScalarValue::Null => Self::Absent,
        }
    }
}

ApiType! {
/// A field with several concurrent values, until one is picked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// Such as `appointment.starts_at`.
    pub path: String,
    /// At least two different values; the winner comes first.
    pub values: Vec<ConflictValue>,
}
}

ApiType! {
/// One of the values in conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConflictValue {
    /// Identifies the value for `resolve`.
    pub id: String,
    /// The value.
    pub value: FieldValue,
    /// Who wrote it.
    pub by: String,
    /// Time of the change by its author's clock, ms.
    pub at: i64,
}
}

ApiType! {
/// One change of one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// Such as `talk.promise.amount`.
    pub path: String,
    /// The value that its author saw before.
    pub from: FieldValue,
    /// The value that its author wrote.
    pub to: FieldValue,
    /// Who.
    pub by: String,
    /// Device id, hex.
    pub device: String,
    /// Time of the change by its author's clock, ms.
    pub at: i64,
    /// Hash of the change, hex.
    pub change: String,
}
}
