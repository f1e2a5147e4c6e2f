//! Fields that mean something only together (rule M10): what a change leaves of each group that it
//! touches, as its author saw it.

use std::collections::BTreeMap;

use automerge::ScalarValue;
use automerge::legacy::OpType;

use super::place::not_allowed;
use super::refusal::Refusal;
use super::walk::View;
use crate::record::genesis;
use crate::record::schema::{FieldGroup, GROUPS, GroupRole};

/// The last value that a change gives to each grouped field; `None` where it takes the field away.
#[derive(Default)]
pub(super) struct Grouped(BTreeMap<Vec<String>, Option<ScalarValue>>);

impl Grouped {
    /// Notes one operation on a key of a map.
    pub(super) fn note(&mut self, path: &[String], action: &OpType) {
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
    pub(super) fn check(&self, view: &View<'_>) -> Result<(), Refusal> {
        GROUPS.iter().try_for_each(|group| self.check_group(group, view))
    }

    fn check_group(&self, group: &FieldGroup, view: &View<'_>) -> Result<(), Refusal> {
        let path = |key: &str| -> Vec<String> {
            group.path.iter().copied().chain([key]).map(str::to_owned).collect()
        };
        if !group.fields.iter().any(|(key, _)| self.0.contains_key(&path(key))) {
            return Ok(());
        }
        let fields: Vec<Field> = group
            .fields
            .iter()
            .map(|(key, bond)| {
                let path = path(key);
                let written = self.0.get(&path).cloned();
                let values = match &written {
                    Some(value) => value.iter().cloned().collect(),
                    None => genesis::container(group.path)
                        .map_or_else(Vec::new, |object| view.values(object, key)),
                };
                Field { path, bond: *bond, written: written.is_some_and(|to| to.is_some()), values }
            })
            .collect();
        let any = fields.iter().any(|field| !field.values.is_empty());
        fields.iter().try_for_each(|field| field.check(any, view))
    }
}

/// A field of a group after the change, as the change's author saw it.
struct Field {
    path: Vec<String>,
    bond: GroupRole,
    /// The change gives it a value.
    written: bool,
    /// All values that stand; several where the author left a conflict.
    values: Vec<ScalarValue>,
}

impl Field {
    /// `any`: some field of the group has a value.
    fn check(&self, any: bool, view: &View<'_>) -> Result<(), Refusal> {
        let broken = |why: &str| Err(not_allowed(&self.path, why));
        match self.bond {
            GroupRole::Optional => Ok(()),
            GroupRole::Required if any && self.values.is_empty() => {
                broken("this is written together with the fields beside it")
            }
            GroupRole::Required => Ok(()),
            GroupRole::Written if !self.written => {
                broken("this is written anew with the fields beside it")
            }
            GroupRole::Written => Ok(()),
            GroupRole::Author if self.is_one_of(&view.names()) => Ok(()),
            GroupRole::Device if self.is_one_of(&[&view.device.to_string()]) => Ok(()),
            GroupRole::Author | GroupRole::Device => broken("this is signed with another's name"),
        }
    }

    fn is_one_of(&self, names: &[&str]) -> bool {
        match self.values.as_slice() {
            [ScalarValue::Str(said)] => names.iter().any(|name| *name == said.as_str()),
            _ => false,
        }
    }
}
