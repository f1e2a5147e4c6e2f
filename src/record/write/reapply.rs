//! Writes values of refused work again (rule M4).

use std::collections::BTreeMap;

use automerge::{ReadDoc, ScalarValue, Value};

use super::{RecordWriter, container, split, wrong};
use crate::record::CommandError;
use crate::record::authority::{Denied, WriteOp};
use crate::record::history::WrittenField;
use crate::record::schema::{Kind, Mutability, field_spec};
use crate::record::view::FieldValue;

impl RecordWriter<'_, '_> {
    /// Writes each value at its path: entries as a whole, texts as a diff against the present text.
    pub(in crate::record) fn reapply(
        &mut self,
        fields: &[WrittenField],
    ) -> Result<(), CommandError> {
        let mut entries: BTreeMap<Vec<&str>, Vec<(&str, ScalarValue)>> = BTreeMap::new();
        for WrittenField { path, value } in fields {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let row = field_spec(&path).ok_or_else(|| denied(&path, Denied::UnknownPath))?;
            let (key, parent) = path.split_last().ok_or_else(|| denied(&[], Denied::Fixed))?;
            match (row.kind, scalar(value)) {
                (Kind::MergedText(_), _) => self.whole_text(row.path, value)?,
                (Kind::List, _) => self.phones(&listed(value))?,
                (_, None) => self.take_away(&path)?,
                (_, Some(value)) if container(parent).is_ok() => self.put(&path, value)?,
                (_, Some(value)) => {
                    entries.entry(parent.to_vec()).or_default().push((*key, value));
                }
            }
        }
        entries.into_iter().try_for_each(|(path, fields)| self.whole_entry(&path, &fields))
    }

    fn whole_text(
        &mut self,
        path: &'static [&'static str],
        value: &FieldValue,
    ) -> Result<(), CommandError> {
        let [key] = path else { return Err(denied(path, Denied::UnknownPath)) };
        let text = match value {
            FieldValue::Text(text) => text.as_str(),
            FieldValue::Number(_)
            | FieldValue::Decimal(_)
            | FieldValue::Bool(_)
            | FieldValue::Time(_)
            | FieldValue::Absent => return Err(wrong(path, "not a text")),
        };
        self.edit_text(key, &self.heads_before().to_hex(), text)
    }

    /// Deletes a value or a whole entry; single fields of an entry cannot be deleted.
    fn take_away(&mut self, path: &[&str]) -> Result<(), CommandError> {
        match split(path) {
            Ok(_) => self.remove(path),
            Err(_) => Err(denied(path, Denied::Once)),
        }
    }

    /// Writes an entry. A write-once entry that exists already must be equal.
    fn whole_entry(
        &mut self,
        path: &[&str],
        fields: &[(&str, ScalarValue)],
    ) -> Result<(), CommandError> {
        let (parent, key) = split(path)?;
        let writing = field_spec(path).map(|row| row.mutability);
        let Some((Value::Object(_), entry)) = self.tx.get(parent, key)? else {
            return self.entry(path, fields);
        };
        match writing {
            Some(Mutability::Free | Mutability::Own) => self.fields(path, &entry, fields),
            Some(Mutability::Once | Mutability::OwnOnce) | None => {
                for (key, value) in fields {
                    let held = self.tx.get(&entry, *key)?;
                    if held.is_none_or(|(held, _)| held.as_scalar() != Some(value)) {
                        self.authorize(path, WriteOp::Update)?;
                        return Err(denied(path, Denied::Once));
                    }
                }
                Ok(())
            }
        }
    }
}

fn denied(path: &[&str], denied: Denied) -> CommandError {
    CommandError::Denied { path: path.join("."), denied }
}

fn scalar(value: &FieldValue) -> Option<ScalarValue> {
    match value {
        FieldValue::Text(text) => Some(text.as_str().into()),
        FieldValue::Number(number) => Some((*number).into()),
        FieldValue::Decimal(number) => Some((*number).into()),
        FieldValue::Bool(truth) => Some((*truth).into()),
        FieldValue::Time(ms) => Some(ScalarValue::Timestamp(*ms)),
        FieldValue::Absent => None,
    }
}

/// Splits the only list of a record, phone numbers, which contain no commas.
fn listed(value: &FieldValue) -> Vec<String> {
    match value {
        FieldValue::Text(text) => {
            text.split(", ").filter(|text| !text.is_empty()).map(str::to_owned).collect()
        }
        FieldValue::Number(_)
        | FieldValue::Decimal(_)
        | FieldValue::Bool(_)
        | FieldValue::Time(_)
        | FieldValue::Absent => Vec::new(),
    }
}
