//! Compares refused work with the office's record, field by field (rule M4).
//!
//! Values are read from the refused changes themselves, as their author wrote them. A diff of the
//! merged document would not show a value that lost against a concurrent one.

use automerge::{ChangeHash, ObjId, ObjType, ROOT, ReadDoc, Value};
use serde::{Deserialize, Serialize};

use super::author::Author;
use super::authority::{WriteOp, authorize};
use super::document::Record;
use super::history::{self, WrittenField};
use super::schema::{Kind, field_spec};
use super::view::FieldValue;
use crate::types::ApiType;

ApiType! {
/// A field of refused work, next to the office's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefusedField {
    /// The fields that can only be reapplied together, such as `contacts.<id>`.
    pub unit: String,
    /// The field, such as `contacts.<id>.note`.
    pub path: String,
    /// The refused value.
    pub refused: FieldValue,
    /// The office's value.
    pub office: FieldValue,
    /// Whether the reader may reapply it now.
    pub again: bool,
}
}

impl Record {
    /// The fields that these changes wrote, each with the last value written.
    pub(crate) fn fields_written_by(&self, hashes: &[ChangeHash]) -> Vec<WrittenField> {
        let mut fields: Vec<WrittenField> = Vec::new();
        for WrittenField { path, value } in history::written_by(self.document(), hashes) {
            // A merged text is read as it is now, with later edits by others.
            let merged = matches!(kind(&path), Some(Kind::MergedText(_)));
            let value = if merged { self.value_at(&path) } else { value };
            let gone = matches!(value, FieldValue::Absent);
            // Drop the fields of an entry that a later change deleted.
            fields.retain(|field| field.path != path && !(gone && field.path.starts_with(&path)));
            fields.push(WrittenField { path, value });
        }
        fields
    }

    /// Compares refused fields with this record; `reader` is the user who could reapply them.
    pub(crate) fn compare_refused(
        &self,
        fields: &[WrittenField],
        reader: &Author,
    ) -> Vec<RefusedField> {
        let writer = reader.as_principal(self.stage());
        fields
            .iter()
            .map(|WrittenField { path, value }| {
                let unit = reapply_unit(path);
                let segments: Vec<&str> = path.iter().map(String::as_str).collect();
                let made = self.object_at(path.split_last().map_or(&[], |(_, parent)| parent));
                let act = match (value, made) {
                    (FieldValue::Absent, _) => WriteOp::Delete,
                    (_, None) => WriteOp::Create,
                    (_, Some(_)) => WriteOp::Update,
                };
                // A seal confirms one state of the record: the user seals again instead.
                let again = path.first().is_none_or(|first| first != "seal")
                    && authorize(&segments, act, writer).is_ok();
                RefusedField {
                    unit: unit.join("."),
                    path: path.join("."),
                    refused: value.clone(),
                    office: self.value_at(path),
                    again,
                }
            })
            .collect()
    }

    /// The value at a path; texts and lists as one text.
    pub(crate) fn value_at(&self, path: &[String]) -> FieldValue {
        let doc = self.document();
        let found = path.split_last().and_then(|(key, parent)| {
            doc.get(&self.object_at(parent)?, key.as_str()).ok().flatten()
        });
        match found {
            Some((Value::Scalar(scalar), _)) => FieldValue::from(scalar.as_ref()),
            Some((Value::Object(ObjType::Text), id)) => {
                FieldValue::Text(doc.text(&id).unwrap_or_default())
            }
            Some((Value::Object(ObjType::List), id)) => {
                let values = doc.values(&id);
                let values = values.filter_map(|(value, _)| value.as_str().map(str::to_owned));
                FieldValue::Text(values.collect::<Vec<_>>().join(", "))
            }
            Some((Value::Object(ObjType::Map | ObjType::Table), _)) | None => FieldValue::Absent,
        }
    }

    fn object_at(&self, path: &[String]) -> Option<ObjId> {
        path.iter().try_fold(ROOT, |object, key| {
            match self.document().get(&object, key.as_str()).ok().flatten() {
                Some((Value::Object(_), id)) => Some(id),
                Some((Value::Scalar(_), _)) | None => None,
            }
        })
    }
}

/// The prefix of a path that can only be reapplied as a whole.
pub(crate) fn reapply_unit(path: &[String]) -> &[String] {
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    let together = match segments.as_slice() {
        ["appointment" | "seal" | "review", ..] => 1,
        // An entry, a position or a promise is only meaningful with all of its fields.
        [.., _] if segments.len() > 2 && is_written_alone(&segments) => segments.len(),
        [parent @ .., _] if parent.len() > 1 => parent.len(),
        _ => segments.len(),
    };
    path.get(..together).unwrap_or(path)
}

/// Members of sets, and entries of append-only containers.
fn is_written_alone(path: &[&str]) -> bool {
    field_spec(path).is_some_and(|row| matches!(row.kind, Kind::Member | Kind::Map))
}

fn kind(path: &[String]) -> Option<Kind> {
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    field_spec(&segments).map(|row| row.kind)
}
