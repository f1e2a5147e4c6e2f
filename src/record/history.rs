//! The history of each field: who changed it, from which value to which.

use automerge::{Automerge, ChangeHash, ObjId, ObjType, Patch, PatchAction, Prop, ReadDoc, Value};

use super::genesis;
use super::reader::author_and_time;
use super::view::{FieldValue, HistoryEntry};
use crate::ids::{device_of, hex};

/// Every change of every field, oldest first, without the first change of the schema.
pub(super) fn history(doc: &Automerge) -> Vec<HistoryEntry> {
    doc.get_changes_meta(&[])
        .iter()
        .filter(|change| change.hash != genesis::hash())
        .flat_map(|change| {
            let (by, at) = author_and_time(doc, &change.hash).unwrap_or_default();
            let device = device_of(&change.actor).map(|id| id.to_string()).unwrap_or_default();
            let diff = ChangeDiff { doc, before: &change.deps, after: [change.hash] };
            diff.fields().into_iter().map(move |(path, from, to)| HistoryEntry {
                path: path.join("."),
                from,
                to,
                by: by.clone(),
                device: device.clone(),
                at,
                change: hex(&change.hash.0),
            })
        })
        .collect()
}

/// A field and the value that a change gave it; absent where the change deleted it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WrittenField {
    pub(crate) path: Vec<String>,
    pub(crate) value: FieldValue,
}

/// Every field that a change touched, with the value its author gave it.
pub(super) fn written_by(doc: &Automerge, hash: &ChangeHash) -> Vec<WrittenField> {
    let Some(change) = doc.get_change_meta_by_hash(hash) else { return Vec::new() };
    let diff = ChangeDiff { doc, before: &change.deps, after: [*hash] };
    diff.fields().into_iter().map(|(path, _, value)| WrittenField { path, value }).collect()
}

/// A field before and after a change.
type Field = (Vec<String>, FieldValue, FieldValue);

/// One change as its author saw it: the document before and after it.
struct ChangeDiff<'d> {
    doc: &'d Automerge,
    before: &'d [ChangeHash],
    after: [ChangeHash; 1],
}

impl ChangeDiff<'_> {
    fn fields(&self) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        for patch in self.doc.diff(self.before, &self.after) {
            let place = path_of(&patch);
            let field = match &patch.action {
                PatchAction::PutMap { key, value: (Value::Scalar(scalar), _), .. } => Some((
                    joined(&place, key),
                    self.value_before(&patch.obj, key),
                    FieldValue::from(scalar.as_ref()),
                )),
                // A new entry: its fields follow in patches of their own.
                PatchAction::PutMap { .. } => None,
                PatchAction::DeleteMap { key } => Some((
                    joined(&place, key),
                    self.value_before(&patch.obj, key),
                    FieldValue::Absent,
                )),
                PatchAction::PutSeq { .. }
                | PatchAction::Insert { .. }
                | PatchAction::SpliceText { .. }
                | PatchAction::DeleteSeq { .. } => Some(self.sequence(&patch.obj, &place)),
                // The schema has no counters and no marks; conflicts are listed elsewhere.
                PatchAction::Increment { .. }
                | PatchAction::Conflict { .. }
                | PatchAction::Mark { .. } => None,
            };
            // A text or a list changes in several patches: report it once.
            if let Some(field) =
                field.filter(|field| fields.last().is_none_or(|last| last.0 != field.0))
            {
                fields.push(field);
            }
        }
        fields
    }

    fn value_before(&self, object: &ObjId, key: &str) -> FieldValue {
        match self.doc.get_at(object, key, self.before) {
            Ok(Some((Value::Scalar(scalar), _))) => FieldValue::from(scalar.as_ref()),
            Ok(Some((Value::Object(_), _)) | None) | Err(_) => FieldValue::Absent,
        }
    }

    fn sequence(&self, object: &ObjId, place: &[String]) -> Field {
        let whole = |heads: &[ChangeHash]| {
            let text = match self.doc.object_type(object) {
                Ok(ObjType::Text) => self.doc.text_at(object, heads).unwrap_or_default(),
                _ => self
                    .doc
                    .values_at(object, heads)
                    .filter_map(|(value, _)| value.as_str().map(str::to_owned))
                    .collect::<Vec<_>>()
                    .join(", "),
            };
            FieldValue::Text(text)
        };
        (place.to_vec(), whole(self.before), whole(&self.after))
    }
}

/// Path of the object that a patch changes.
pub(super) fn path_of(patch: &Patch) -> Vec<String> {
    patch.path.iter().map(|(_, prop)| segment(prop)).collect()
}

fn joined(place: &[String], key: &str) -> Vec<String> {
    place.iter().cloned().chain([key.to_owned()]).collect()
}

fn segment(prop: &Prop) -> String {
    match prop {
        Prop::Map(key) => key.clone(),
        Prop::Seq(index) => index.to_string(),
    }
}
