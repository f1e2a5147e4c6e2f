//! Finds conflicts: fields that have several concurrent values.
//!
//! Equal values are not a conflict. Fields that the program fills in (zones, author and time of a
//! seal or a review) are not listed; they follow the field that is resolved.

use automerge::{Automerge, ObjId, ReadDoc, Value};

use super::genesis;
use super::reader::author_and_time;
use super::schema::{FIELDS, Kind, Mutability, first_containers};
use super::view::{Conflict, ConflictValue, FieldValue};

/// A field with several concurrent values.
pub(super) struct FieldConflict<'d> {
    pub(super) path: Vec<String>,
    pub(super) object: ObjId,
    pub(super) key: String,
    /// The winner comes first.
    pub(super) values: Vec<(Value<'d>, ObjId)>,
}

/// Every conflict, in the order of the field table.
pub(super) fn standing(doc: &Automerge) -> Vec<FieldConflict<'_>> {
    let mut found = Vec::new();
    for (path, kind) in first_containers() {
        let aside = matches!(path.as_slice(), ["seal"] | ["case", "contact_summary"]);
        let listed = matches!(kind, Kind::Map) && !aside;
        let Some(object) = genesis::container(&path).filter(|_| listed) else {
            continue;
        };
        standing_in(doc, &path, object, &mut found);
        for entry in entries(doc, &path, object) {
            let inner: Vec<&str> = path.iter().copied().chain([entry.0.as_str()]).collect();
            standing_in(doc, &inner, &entry.1, &mut found);
        }
    }
    found
}

/// Entries whose fields may be written more than once: raised holds, answers, options.
fn entries(doc: &Automerge, path: &[&str], object: &ObjId) -> Vec<(String, ObjId)> {
    let rewritten = FIELDS.iter().any(|row| {
        matches!(row.kind, Kind::Map)
            && row.mutability != Mutability::Once
            && row.path.len() == path.len() + 1
            && row.path.iter().zip(path).all(|(want, have)| *want == "*" || want == have)
    });
    if !rewritten {
        return Vec::new();
    }
    doc.map_range(object, ..)
        .filter_map(|item| match doc.get(object, item.key.as_ref()) {
            Ok(Some((Value::Object(_), id))) => Some((item.key.into_owned(), id)),
            _ => None,
        })
        .collect()
}

fn standing_in<'d>(
    doc: &'d Automerge,
    path: &[&str],
    object: &ObjId,
    found: &mut Vec<FieldConflict<'d>>,
) {
    for item in doc.map_range(object, ..).filter(|item| item.conflict) {
        let key = item.key.into_owned();
        if matches!((path, key.as_str()), (_, "zone") | (["review"], "at" | "by" | "of")) {
            continue;
        }
        let Ok(mut values) = doc.get_all(object, key.as_str()) else {
            continue;
        };
        // Automerge gives the winner last.
        values.reverse();
        let mut distinct: Vec<(Value<'d>, ObjId)> = Vec::new();
        for (value, id) in values {
            let shown = shown(doc, &value, &id);
            if !distinct.iter().any(|(other, other_id)| self::shown(doc, other, other_id) == shown)
            {
                distinct.push((value, id));
            }
        }
        if distinct.len() > 1 {
            let path =
                path.iter().map(|segment| (*segment).to_owned()).chain([key.clone()]).collect();
            found.push(FieldConflict { path, object: object.clone(), key, values: distinct });
        }
    }
}

/// Every conflict, as pages show it.
pub(super) fn conflicts(doc: &Automerge) -> Vec<Conflict> {
    standing(doc)
        .into_iter()
        .map(|standing| Conflict {
            path: standing.path.join("."),
            values: standing
                .values
                .iter()
                .map(|(value, id)| {
                    let change = doc.hash_for_opid(id);
                    let (by, at) =
                        change.and_then(|hash| author_and_time(doc, &hash)).unwrap_or_default();
                    ConflictValue { id: id.to_string(), value: shown(doc, value, id), by, at }
                })
                .collect(),
        })
        .collect()
}

/// A value as pages show it; an entry is shown as its answer or note.
fn shown(doc: &Automerge, value: &Value<'_>, id: &ObjId) -> FieldValue {
    match value {
        Value::Scalar(scalar) => FieldValue::from(scalar.as_ref()),
        Value::Object(_) => ["answer", "note", "kind"]
            .iter()
            .find_map(|key| doc.get(id, *key).ok().flatten())
            .and_then(|(value, _)| value.as_scalar().map(FieldValue::from))
            .unwrap_or(FieldValue::Absent),
    }
}
