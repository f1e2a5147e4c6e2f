//! Validates a document against the schema: every path is known, every value is of its kind.

use automerge::{Automerge, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value};

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
        (Kind::Date, ScalarValue::Str(text)) => text.is_empty() || is_date(text),
        (Kind::Member, ScalarValue::Boolean(true)) => true,
        _ => return Err("wrong type"),
    };
    if held { Ok(()) } else { Err("not a valid value for this field") }
}

/// Whether a text is a day of the Gregorian calendar, `YYYY-MM-DD`.
pub(super) fn is_date(text: &str) -> bool {
    let number =
        |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?;
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return false;
    }
    let (Some(year), Some(month), Some(day)): (Option<u32>, Option<u32>, Option<u32>) =
        (number(year), number(month), number(day))
    else {
        return false;
    };
    days_in_month(year, month).is_some_and(|days| (1..=days).contains(&day))
}

/// The number of days of a month (1 to 12) of the Gregorian calendar; `None` for other numbers.
pub(super) fn days_in_month(year: u32, month: u32) -> Option<u32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if leap => Some(29),
        2 => Some(28),
        _ => None,
    }
}
