//! Single fields: their values, conflicts and history.

use automerge::ScalarValue;
use serde::{Deserialize, Serialize};

use crate::types::TsType;

TsType! {
/// A scalar of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum FieldValue {
    /// Text or a word of a vocabulary.
    Text(String),
    /// A whole number: a count, or money in minor units.
    Number(i64),
    /// A fraction, such as a position.
    Decimal(f64),
    /// True or false.
    #[serde(rename = "truth")]
    Bool(bool),
    /// Time, ms.
    Time(i64),
    /// Nothing, or a container.
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

TsType! {
/// A field for which several values stand until somebody picks one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// Such as `appointment.starts_at`.
    pub path: String,
    /// At least two that differ; the one that shows now stands first.
    pub values: Vec<ConflictValue>,
}
}

TsType! {
/// One of the values in conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConflictValue {
    /// Names the value when one is picked.
    pub id: String,
    /// What it says.
    pub value: FieldValue,
    /// Who wrote it.
    pub by: String,
    /// When its writer's clock says it was written, ms.
    pub at: i64,
}
}

TsType! {
/// One change of one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// Such as `talk.promise.amount`.
    pub path: String,
    /// What its writer saw before.
    pub from: FieldValue,
    /// What the writer made of it.
    pub to: FieldValue,
    /// Who.
    pub by: String,
    /// Device id, hex.
    pub device: String,
    /// When the writer's clock says it was, ms.
    pub at: i64,
    /// The change that did it, hex.
    pub change: String,
}
}
