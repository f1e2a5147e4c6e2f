//! Writes fields that mean something only together (rule M10).

use automerge::transaction::Transactable;
use automerge::{ObjId, ReadDoc, ScalarValue, Value};

use super::{RecordWriter, check, container};
use crate::ids::device_of;
use crate::record::authority::WriteOp;
use crate::record::schema::{FieldGroup, GroupRole};
use crate::record::{CommandError, Record};

impl RecordWriter<'_, '_> {
    /// Writes the fields of a group, in its order; one that is not given keeps its value. Where
    /// anything changes all of them are written, with nothing between them: of two concurrent
    /// changes one then wins in every field, and the group never mixes what two people wrote.
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

    /// Picks one side of a conflict for the whole group: what the change that wrote the picked
    /// value made of the other fields comes with it. Who signs for the group is who picks.
    pub(super) fn resolve_group(
        &mut self,
        group: &FieldGroup,
        pick: &ObjId,
        before: &Record,
    ) -> Result<(), CommandError> {
        let doc = before.document();
        let object = container(group.path)?;
        let side = doc.hash_for_opid(pick);
        let of_side = |key: &str| {
            let values = doc.get_all(object, key).unwrap_or_default().into_iter();
            let mut values = values.filter(|(_, id)| doc.hash_for_opid(id) == side);
            values.next().and_then(|(value, _)| scalar(value))
        };
        let device = device_of(&self.author.actor).map(|id| id.to_string()).unwrap_or_default();
        let given: Vec<Option<ScalarValue>> = group
            .fields
            .iter()
            .map(|(key, bond)| match bond {
                GroupRole::Author => Some(self.author.user.as_str().into()),
                GroupRole::Device => Some(device.as_str().into()),
                GroupRole::Written | GroupRole::Required | GroupRole::Optional => of_side(key),
            })
            .collect();
        self.group(group, &given)
    }
}

fn scalar(value: Value<'_>) -> Option<ScalarValue> {
    value.into_scalar().ok()
}
