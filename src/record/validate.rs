//! Validates a document against the schema: every path is known, every value is of its kind.

use automerge::{Automerge, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value};

use super::date::Date;
use super::error::Invalid;
use super::schema::{Kind, field_spec};

/// The largest time that JavaScript can show, ms either side of 1970.
const TIME_LIMIT: i64 = 8_640_000_000_000_000;

/// Maximum number of entries of one container, such as contacts: far more than a visit has, and
/// few enough to keep lists and database rows small.
pub(super) const ENTRIES: usize = 2_000;

/// Validates the whole document.
pub(super) fn validate(doc: &Automerge) -> Result<(), Invalid> {
    container(doc, &ROOT, &mut Vec::new())
}

fn container(doc: &Automerge, object: &ObjId, path: &mut Vec<String>) -> Result<(), Invalid> {
    for (entry, item) in doc.map_range(object, ..).enumerate() {
        if entry == ENTRIES {
            return Err(invalid(path, "too many entries"));
        }
        let key = item.key.into_owned();
        path.push(key.clone());
        // All concurrent values, not only the winner.
        let values =
            doc.get_all(object, key.as_str()).map_err(|error| invalid(path, &error.to_string()))?;
        for (value, id) in values {
            standing(doc, path, &value, &id)?;
        }
        path.pop();
    }
    Ok(())
}

fn standing(
    doc: &Automerge,
    path: &mut Vec<String>,
    value: &Value<'_>,
    id: &ObjId,
) -> Result<(), Invalid> {
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    let Some(row) = field_spec(&segments) else {
        return Err(invalid(path, "no such field"));
    };
    match (value, row.kind) {
        (Value::Scalar(scalar), kind) => {
            accepts(kind, scalar).map_err(|reason| invalid(path, reason))
        }
        (Value::Object(ObjType::Map), Kind::Map) => container(doc, id, path),
        (Value::Object(ObjType::Text), Kind::MergedText(most)) => {
            if doc.length(id) > most {
                Err(invalid(path, "too long"))
            } else {
                Ok(())
            }
        }
        (Value::Object(ObjType::List), Kind::List) => doc.values(id).try_for_each(|(value, _)| {
            let element = value.as_scalar().ok_or_else(|| invalid(path, "not a text"))?;
            accepts(Kind::Text(40), element).map_err(|reason| invalid(path, reason))
        }),
        (Value::Object(_), _) => Err(invalid(path, "this field has no container")),
    }
}

fn invalid(path: &[String], reason: &str) -> Invalid {
    Invalid { path: path.join("."), reason: reason.to_owned() }
}

/// Checks a scalar against a kind.
pub(super) fn accepts(kind: Kind, scalar: &ScalarValue) -> Result<(), &'static str> {
    let held = match (kind, scalar) {
        (Kind::Text(most), ScalarValue::Str(text)) => {
            if text.chars().count() > most {
                return Err("too long");
            }
            true
        }
        (Kind::Enum(known), ScalarValue::Str(text)) => known(text),
        (Kind::Integer(least, most), ScalarValue::Int(number)) => (least..=most).contains(number),
        (Kind::Float(least, most), ScalarValue::F64(number)) => {
            number.is_finite() && (f64::from(least)..=f64::from(most)).contains(number)
        }
        (Kind::Time, ScalarValue::Timestamp(ms)) => (-TIME_LIMIT..=TIME_LIMIT).contains(ms),
        (Kind::Date, ScalarValue::Str(text)) => text.is_empty() || Date::parse(text).is_some(),
        (Kind::Member, ScalarValue::Boolean(true)) => true,
        _ => return Err("wrong type"),
    };
    if held { Ok(()) } else { Err("not a valid value for this field") }
}
