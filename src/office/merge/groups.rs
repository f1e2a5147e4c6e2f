//! Checks groups of fields that must be written together (rule M10), as a change leaves them in its
//! author's view.

use std::collections::BTreeMap;

use automerge::ScalarValue;
use automerge::legacy::OpType;

use super::author_view::AuthorView;
use super::object_path::not_allowed;
use super::refusal::Refusal;
use crate::record::genesis;
use crate::record::schema::{FieldGroup, GROUPS, GroupRole};

/// The last value that a change writes to each grouped field; `None` where it deletes the field.
#[derive(Default)]
pub(super) struct GroupWrites(BTreeMap<Vec<String>, Option<ScalarValue>>);

impl GroupWrites {
    /// Records one operation on a key of a map.
    pub(super) fn record(&mut self, path: &[String], action: &OpType) {
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        if !GROUPS.iter().any(|group| group.contains(&segments)) {
            return;
        }
        let value = match action {
            OpType::Put(value) => Some(value.clone()),
            OpType::Delete
            | OpType::Make(_)
            | OpType::Increment(_)
            | OpType::MarkBegin(_)
            | OpType::MarkEnd(_) => None,
        };
        self.0.insert(path.to_vec(), value);
    }

    /// Checks every group that the change touches.
    pub(super) fn check(&self, view: &AuthorView<'_>) -> Result<(), Refusal> {
        GROUPS.iter().try_for_each(|group| self.check_group(group, view))
    }

    fn check_group(&self, group: &FieldGroup, view: &AuthorView<'_>) -> Result<(), Refusal> {
        let path = |key: &str| -> Vec<String> {
            group.path.iter().copied().chain([key]).map(str::to_owned).collect()
        };
        if !group.fields.iter().any(|(key, _)| self.0.contains_key(&path(key))) {
            return Ok(());
        }
        let fields: Vec<Field> = group
            .fields
            .iter()
            .map(|(key, role)| {
                let path = path(key);
                let written = self.0.get(&path).cloned();
                let values = match &written {
                    Some(value) => value.iter().cloned().collect(),
                    None => genesis::container(group.path)
                        .map_or_else(Vec::new, |object| view.values(object, key)),
                };
                Field { path, role: *role, written: written.is_some_and(|to| to.is_some()), values }
            })
            .collect();
        let any = fields.iter().any(|field| !field.values.is_empty());
        fields.iter().try_for_each(|field| field.check(any, view))
    }
}

/// A field of a group after the change, as the change's author saw it.
struct Field {
    path: Vec<String>,
    role: GroupRole,
    /// The change writes a value.
    written: bool,
    /// All visible values; several where the author left a conflict.
    values: Vec<ScalarValue>,
}

impl Field {
    /// `any`: at least one field of the group has a value.
    fn check(&self, any: bool, view: &AuthorView<'_>) -> Result<(), Refusal> {
        let broken = |why: &str| Err(not_allowed(&self.path, why));
        match self.role {
            GroupRole::Optional => Ok(()),
            GroupRole::Required if any && self.values.is_empty() => {
                broken("this must be written with the other fields of its group")
            }
            GroupRole::Required => Ok(()),
            GroupRole::Written if !self.written => {
                broken("this must be written again with the other fields of its group")
            }
            GroupRole::Written => Ok(()),
            GroupRole::Author if self.is_one_of(&view.names()) => Ok(()),
            GroupRole::Device if self.is_one_of(&[&view.device.to_string()]) => Ok(()),
            GroupRole::Author | GroupRole::Device => {
                broken("this is signed with another user's name")
            }
        }
    }

    fn is_one_of(&self, names: &[&str]) -> bool {
        match self.values.as_slice() {
            [ScalarValue::Str(said)] => names.iter().any(|name| *name == said.as_str()),
            _ => false,
        }
    }
}
