//! Validates a document against the schema: every path is known, every value is of its kind.

use automerge::{ObjType, ScalarValueRef, ValueRef};

use super::date::Date;
use super::error::Invalid;
use super::schema::{Kind, field_spec};
use super::snapshot::{ObjectReader, Snapshot};

/// The largest time that JavaScript can show, ms either side of 1970.
const TIME_LIMIT: i64 = 8_640_000_000_000_000;

/// Maximum number of entries of one container, such as contacts: far more than a visit has, and
/// few enough to keep lists and database rows small.
pub(super) const ENTRIES: usize = 2_000;

/// Validates the whole document.
pub(super) fn validate(read: &Snapshot<'_>) -> Result<(), Invalid> {
    container(read.root(), &mut Vec::new())
}

fn container<'s>(object: ObjectReader<'s, '_>, path: &mut Vec<&'s str>) -> Result<(), Invalid> {
    for (entry, field) in object.fields().iter().enumerate() {
        if entry == ENTRIES {
            return Err(invalid(path, "too many entries"));
        }
        path.push(&field.key);
        if field.conflict {
            // All concurrent values, not only the winner.
            for (value, inner) in object.concurrent(&field.key) {
                let inner = inner.as_ref().map_or(object.object(field), Snapshot::root);
                check(&value, inner, &mut path.clone())?;
            }
        } else {
            check(&field.value, object.object(field), path)?;
        }
        path.pop();
    }
    Ok(())
}

/// Checks a value at a path; `inner` is its content if it is an object.
fn check<'s>(
    value: &ValueRef<'_>,
    inner: ObjectReader<'s, '_>,
    path: &mut Vec<&'s str>,
) -> Result<(), Invalid> {
    let Some(row) = field_spec(path) else {
        return Err(invalid(path, "no such field"));
    };
    let fits = match (value, row.kind) {
        (ValueRef::Scalar(scalar), kind) => accepts(kind, scalar),
        (ValueRef::Object(ObjType::Map), Kind::Map) => return container(inner, path),
        (ValueRef::Object(ObjType::Text), Kind::MergedText(most)) => {
            if inner.characters().chars().count() > most { Err("too long") } else { Ok(()) }
        }
        (ValueRef::Object(ObjType::List), Kind::List) => {
            inner.values().iter().try_for_each(|value| match value {
                ValueRef::Scalar(scalar) => accepts(Kind::Text(40), scalar),
                ValueRef::Object(_) => Err("not a text"),
            })
        }
        (ValueRef::Object(_), _) => Err("this field has no container"),
    };
    fits.map_err(|reason| invalid(path, reason))
}

fn invalid(path: &[&str], reason: &str) -> Invalid {
    Invalid { path: path.join("."), reason: reason.to_owned() }
}

/// Checks a scalar against a kind.
pub(super) fn accepts(kind: Kind, scalar: &ScalarValueRef<'_>) -> Result<(), &'static str> {
    let held = match (kind, scalar) {
        (Kind::Text(most), ScalarValueRef::Str(text)) => {
            if text.chars().count() > most {
                return Err("too long");
            }
            true
        }
        (Kind::Enum(known), ScalarValueRef::Str(text)) => known(text),
        (Kind::Integer(least, most), ScalarValueRef::Int(number)) => {
            (least..=most).contains(number)
        }
        (Kind::Float(least, most), ScalarValueRef::F64(number)) => {
            number.is_finite() && (f64::from(least)..=f64::from(most)).contains(number)
        }
        (Kind::Time, ScalarValueRef::Timestamp(ms)) => (-TIME_LIMIT..=TIME_LIMIT).contains(ms),
        (Kind::Date, ScalarValueRef::Str(text)) => text.is_empty() || Date::parse(text).is_some(),
        (Kind::Member, ScalarValueRef::Boolean(true)) => true,
        _ => return Err("wrong type"),
    };
    if held { Ok(()) } else { Err("not a valid value for this field") }
}
