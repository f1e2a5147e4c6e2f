//! Writes groups of fields together (rule M10).

use automerge::transaction::Transactable;
use automerge::{ReadDoc, ScalarValue, Value};

use super::{RecordWriter, check, container};
use crate::record::CommandError;
use crate::record::authority::WriteOp;
use crate::record::schema::FieldGroup;

impl RecordWriter<'_, '_> {
    /// Writes the fields of a group in its order; an absent value keeps the present one. If any
    /// field changes, all are written in consecutive operations: then one of two concurrent
    /// changes wins in every field, and the group never mixes values of two authors.
    pub(super) fn group(
        &mut self,
        group: &FieldGroup,
        given: &[Option<ScalarValue>],
    ) -> Result<(), CommandError> {
        let object = container(group.path)?;
        let mut values = Vec::new();
        let mut changed = false;
        for ((key, _), given) in group.fields.iter().zip(given) {
            let path: Vec<&str> = group.path.iter().copied().chain([*key]).collect();
            let row = self.authorize(&path, WriteOp::Update)?;
            let now = self.tx.get(object, *key)?.and_then(|(value, _)| scalar(value));
            if let Some(value) = given {
                check(row, &path, value)?;
                let alone = self.tx.get_all(object, *key)?.len() <= 1;
                changed |= !alone || now.as_ref() != Some(value);
            }
            values.push((*key, given.clone().or(now)));
        }
        if !changed {
            return Ok(());
        }
        for (key, _) in &values {
            if self.tx.get(object, *key)?.is_some() {
                self.tx.delete(object, *key)?;
            }
        }
        for (key, value) in values {
            if let Some(value) = value {
                self.tx.put(object, key, value)?;
            }
        }
        Ok(())
    }
}

fn scalar(value: Value<'_>) -> Option<ScalarValue> {
    value.into_scalar().ok()
}
