//! The record as the author of a change saw it.

use std::collections::BTreeSet;

use automerge::{Automerge, ChangeHash, ObjId, ReadDoc, ScalarValue};

use super::graph::CausalPast;
use super::object_path::Id;
use super::refusal::Refusal;
use crate::ids::DeviceId;
use crate::record::authority::{self, Denied, Principal, WriteOp};
use crate::record::schema::Mutability;
use crate::sync::message::RefusalCode;

/// The record as the author of a change saw it.
pub(super) struct AuthorView<'v> {
    pub(super) doc: &'v Automerge,
    /// Heads that the author had seen; `None` where that is the whole document.
    pub(super) at: Option<&'v [ChangeHash]>,
    pub(super) past: &'v CausalPast,
    pub(super) writer: Principal<'v>,
    pub(super) device: DeviceId,
    /// The user whose refused work is rewritten: entries may keep that name.
    pub(super) on_behalf_of: Option<&'v str>,
}

impl AuthorView<'_> {
    pub(super) fn allowed(&self, path: &[String], act: WriteOp) -> Result<Mutability, Refusal> {
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        authority::authorize(&segments, act, self.writer).map(|row| row.mutability).map_err(
            |denied| {
                let code = match denied {
                    Denied::Sealed => RefusalCode::Sealed,
                    Denied::UnknownPath
                    | Denied::Fixed
                    | Denied::Role
                    | Denied::NotSealed
                    | Denied::Once
                    | Denied::NotOwn => RefusalCode::NotAllowed,
                };
                Refusal::at(code, path, denied.to_string())
            },
        )
    }

    /// The operations whose values are visible at a key.
    pub(super) fn current_ops(&self, object: &ObjId, key: &str) -> Result<BTreeSet<Id>, Refusal> {
        let values = match self.at {
            Some(heads) => self.doc.get_all_at(object, key, heads),
            None => self.doc.get_all(object, key),
        };
        let values = values.map_err(|_| Refusal::malformed("an operation is on no map"))?;
        Ok(values.into_iter().filter_map(|(_, id)| plain(&id)).collect())
    }

    /// The scalar values at a key.
    pub(super) fn values(&self, object: &ObjId, key: &str) -> Vec<ScalarValue> {
        let values = match self.at {
            Some(heads) => self.doc.get_all_at(object, key, heads),
            None => self.doc.get_all(object, key),
        };
        let values = values.unwrap_or_default().into_iter();
        values.filter_map(|(value, _)| value.into_scalar().ok()).collect()
    }

    /// The names that the author may write as their own.
    pub(super) fn names(&self) -> Vec<&str> {
        [self.writer.user].into_iter().chain(self.on_behalf_of).collect()
    }

    /// Whether a text is one of the values at a key.
    pub(super) fn has_text(&self, object: &ObjId, key: &str, text: &str) -> bool {
        self.values(object, key).iter().any(|value| value.as_str() == Some(text))
    }

    /// Those of the named elements that are visible in a list or a text.
    pub(super) fn visible(&self, object: &ObjId, named: &BTreeSet<Id>) -> BTreeSet<Id> {
        let items = match self.at {
            Some(heads) => self.doc.list_range_at(object, .., heads),
            None => self.doc.list_range(object, ..),
        };
        // A text has an element per character, and a change names few: compare counters first.
        let counters: BTreeSet<u64> = named.iter().map(|(counter, _)| *counter).collect();
        let found = items.filter_map(|item| match item.id() {
            ObjId::Id(counter, actor, _) if counters.contains(&counter) => {
                Some((counter, actor.to_bytes().to_vec()))
            }
            ObjId::Id(..) | ObjId::Root => None,
        });
        found.filter(|id| named.contains(id)).collect()
    }
}

pub(super) fn plain(id: &ObjId) -> Option<Id> {
    match id {
        ObjId::Root => None,
        ObjId::Id(counter, actor, _) => Some((*counter, actor.to_bytes().to_vec())),
    }
}
