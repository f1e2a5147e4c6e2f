//! Work that was not accepted, beside what the record says without it (rule M4).
//!
//! Read from the changes as their author wrote them, not from the difference that they make: a
//! value that lost a race shows there as nothing at all.

use automerge::{ChangeHash, ObjId, ObjType, ROOT, ReadDoc, Value};
use serde::{Deserialize, Serialize};

use super::author::Author;
use super::authority::{WriteOp, authorize};
use super::document::Record;
use super::history::{self, WrittenField};
use super::schema::{Kind, field_spec};
use super::view::FieldValue;
use crate::types::TsType;

TsType! {
/// A field of work that was refused, beside what the office has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefusedField {
    /// What is taken or left as one, such as `contacts.<id>`: an entry is written whole.
    pub unit: String,
    /// The field, such as `contacts.<id>.note`.
    pub path: String,
    /// What was refused.
    pub refused: FieldValue,
    /// What the record says without it.
    pub office: FieldValue,
    /// Whether the reader may write it anew now.
    pub again: bool,
}
}

impl Record {
    /// What changes of this record made of its fields, each as the last of them left it.
    pub(crate) fn fields_written_by(&self, hashes: &[ChangeHash]) -> Vec<WrittenField> {
        let mut fields: Vec<WrittenField> = Vec::new();
        let written = hashes.iter().flat_map(|hash| history::written_by(self.document(), hash));
        for WrittenField { path, value } in written {
            // A text is read whole, with what others wrote into it since.
            let merged = matches!(kind(&path), Some(Kind::MergedText(_)));
            let value = if merged { self.value_at(&path) } else { value };
            let gone = matches!(value, FieldValue::Absent);
            // An entry that was made and taken back leaves nothing.
            fields.retain(|field| field.path != path && !(gone && field.path.starts_with(&path)));
            fields.push(WrittenField { path, value });
        }
        fields
    }

    /// Fields beside what this record says of them; `reader` is who would write them anew.
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
                // A seal is the word for what its author had before them: it is given anew.
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

    /// What stands at a path, texts and lists whole.
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

/// What of a path is taken or left as one.
pub(crate) fn reapply_unit(path: &[String]) -> &[String] {
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    let together = match segments.as_slice() {
        ["appointment" | "seal" | "review", ..] => 1,
        // Fields of an entry, and of a position or a promise, make sense together only.
        [.., _] if segments.len() > 2 && is_written_alone(&segments) => segments.len(),
        [parent @ .., _] if parent.len() > 1 => parent.len(),
        _ => segments.len(),
    };
    path.get(..together).unwrap_or(path)
}

/// Members of sets, and entries that go as a whole.
fn is_written_alone(path: &[&str]) -> bool {
    field_spec(path).is_some_and(|row| matches!(row.kind, Kind::Member | Kind::Map))
}

fn kind(path: &[String]) -> Option<Kind> {
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    field_spec(&segments).map(|row| row.kind)
}
