//! Resolves conflicts: one of the concurrent values replaces the others.

use automerge::transaction::Transactable;
use automerge::{ObjId, ObjType, ReadDoc, ScalarValue, Value};

use super::{RecordWriter, container};
use crate::ids::device_of;
use crate::record::authority::WriteOp;
use crate::record::schema::{self, FieldGroup, GroupRole};
use crate::record::snapshot::Snapshot;
use crate::record::{CommandError, conflict};

impl RecordWriter<'_, '_> {
    /// Writes the picked value again, which replaces all concurrent values.
    pub(super) fn resolve(&mut self, path: &str, pick: &str) -> Result<(), CommandError> {
        let missing = || CommandError::Missing { path: path.to_owned() };
        let doc = self.before;
        let standing = conflict::standing(&Snapshot::new(doc))
            .into_iter()
            .find(|standing| standing.path.join(".") == path)
            .ok_or_else(missing)?;
        let segments: Vec<&str> = standing.path.iter().map(String::as_str).collect();
        self.authorize(&segments, WriteOp::Update)?;
        let (value, id) =
            standing.values.iter().find(|(_, id)| id.to_string() == pick).ok_or_else(missing)?;
        if let Some(group) = schema::group(&segments) {
            return self.resolve_group(group, id);
        }
        // Delete first: Automerge turns a write of the winning value into a delete of the others,
        // but a pick must be a write that replaces every value its author saw.
        self.tx.delete(&standing.object, standing.key.as_str())?;
        match value {
            Value::Scalar(scalar) => {
                self.tx.put(&standing.object, standing.key.as_str(), scalar.as_ref().clone())?;
            }
            Value::Object(_) => {
                let entry =
                    self.tx.put_object(&standing.object, standing.key.as_str(), ObjType::Map)?;
                for item in doc.map_range(id, ..) {
                    if let Ok(Some((Value::Scalar(scalar), _))) = doc.get(id, item.key.as_ref()) {
                        self.tx.put(&entry, item.key.as_ref(), scalar.into_owned())?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Picks one side of a conflict for the whole group: the other fields take the values of the
    /// change that wrote the picked one. The group is signed by the user who picks.
    pub(super) fn resolve_group(
        &mut self,
        group: &FieldGroup,
        pick: &ObjId,
    ) -> Result<(), CommandError> {
        let doc = self.before;
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
