//! Finds conflicts: fields that have several concurrent values.
//!
//! Equal values are not a conflict. Fields that the program fills in (zones, author and time of a
//! seal or a review) are not listed; they follow the field that is resolved.

use automerge::{Automerge, ObjId, ReadDoc, Value};

use super::reader::author_and_time;
use super::schema::{FIELDS, Kind, Mutability, first_containers};
use super::snapshot::{ObjectReader, Snapshot};
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
pub(super) fn standing<'d>(read: &Snapshot<'d>) -> Vec<FieldConflict<'d>> {
    let mut found = Vec::new();
    if !read.has_conflicts() {
        return found;
    }
    for (path, kind) in first_containers() {
        let aside = matches!(path.as_slice(), ["seal"] | ["case", "contact_summary"]);
        if !matches!(kind, Kind::Map) || aside {
            continue;
        }
        let container = read.at(&path);
        standing_in(read.doc, &path, container, &mut found);
        if has_rewritten_entries(&path) {
            for (key, entry) in container.entries() {
                let inner: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
                standing_in(read.doc, &inner, entry, &mut found);
            }
        }
    }
    found
}

/// Whether fields of the container's entries may be written more than once: raised holds, answers,
/// options.
fn has_rewritten_entries(path: &[&str]) -> bool {
    FIELDS.iter().any(|row| {
        matches!(row.kind, Kind::Map)
            && row.mutability != Mutability::Once
            && row.path.len() == path.len() + 1
            && row.path.iter().zip(path).all(|(want, have)| *want == "*" || want == have)
    })
}

fn standing_in<'d>(
    doc: &'d Automerge,
    path: &[&str],
    object: ObjectReader<'_, 'd>,
    found: &mut Vec<FieldConflict<'d>>,
) {
    let Some(id) = object.id() else { return };
    for field in object.fields().iter().filter(|field| field.conflict) {
        let key = field.key.as_ref();
        if matches!((path, key), (_, "zone") | (["review"], "marks" | "at" | "by" | "of")) {
            continue;
        }
        let Ok(mut values) = doc.get_all(id, key) else {
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
            found.push(FieldConflict {
                path: path.iter().copied().chain([key]).map(str::to_owned).collect(),
                object: id.clone(),
                key: key.to_owned(),
                values: distinct,
            });
        }
    }
}

/// Every conflict, as pages show it.
pub(super) fn conflicts(read: &Snapshot<'_>) -> Vec<Conflict> {
    let doc = read.doc;
    standing(read)
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
