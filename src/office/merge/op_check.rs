//! Checks every operation of a change against the record as its author saw it (rule M2).
//!
//! The difference that the change makes to the record is not enough: a write that lost a race
//! shows there without a value, and a write into a deleted entry does not show at all.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType};
use automerge::{ExpandedChange, ObjId, ObjType, ReadDoc, ScalarValue};

use super::author_view::{AuthorView, plain};
use super::groups::GroupWrites;
use super::object_path::{self, CreatedBy, Id, ObjectPath, not_allowed};
use super::refusal::Refusal;
use crate::record::authority::WriteOp;
use crate::record::schema::Mutability;

impl AuthorView<'_> {
    /// Checks every operation of a change.
    pub(super) fn check(&self, change: &ExpandedChange) -> Result<(), Refusal> {
        let named = change.operations.iter().filter_map(|op| match &op.key {
            Key::Seq(element) => element.as_opid().map(internal),
            Key::Map(_) => None,
        });
        let mut checker = OpChecker {
            view: self,
            named: named.collect(),
            created: BTreeMap::new(),
            existing: BTreeMap::new(),
            slots: BTreeMap::new(),
            elements: BTreeMap::new(),
            groups: GroupWrites::default(),
        };
        for (counter, op) in (change.start_op.get()..).zip(&change.operations) {
            checker.operation(OpId::new(counter, &change.actor_id), op)?;
        }
        checker.groups.check(self)
    }
}

/// Elements of one list or text that the change names, updated operation by operation.
struct Elements {
    /// Elements that an insertion may follow, those that this change deletes included.
    insertable_after: BTreeSet<Id>,
    /// Elements that may be deleted.
    visible: BTreeSet<Id>,
}

struct OpChecker<'w, 'v> {
    view: &'w AuthorView<'v>,
    /// Elements of lists and texts that operations of this change name.
    named: BTreeSet<Id>,
    /// Objects that this change creates.
    created: BTreeMap<Id, ObjectPath>,
    /// Objects from before the change, cached.
    existing: BTreeMap<Id, ObjectPath>,
    /// The operations whose values are visible at each key that this change writes.
    slots: BTreeMap<(Id, String), BTreeSet<Id>>,
    elements: BTreeMap<Id, Elements>,
    groups: GroupWrites,
}

impl OpChecker<'_, '_> {
    fn operation(&mut self, id: OpId, op: &Op) -> Result<(), Refusal> {
        let object = self.object(&op.obj)?;
        match (object.kind, &op.key) {
            (ObjType::Map, Key::Map(key)) if !op.insert => self.map_operation(&object, key, id, op),
            (ObjType::List | ObjType::Text, Key::Seq(element)) => {
                self.sequence_operation(&object, element, id, op)
            }
            (ObjType::Map | ObjType::Table | ObjType::List | ObjType::Text, _) => {
                Err(Refusal::malformed("an operation's key does not fit its object"))
            }
        }
    }

    fn object(&mut self, object: &ObjectId) -> Result<ObjectPath, Refusal> {
        let id = match object {
            ObjectId::Root => (0, Vec::new()),
            ObjectId::Id(id) => internal(id),
        };
        if let Some(found) = self.created.get(&id).or_else(|| self.existing.get(&id)) {
            return Ok(found.clone());
        }
        let found = object_path::find(self.view.doc, object, self.view.past)?;
        self.existing.insert(id, found.clone());
        Ok(found)
    }

    /// An operation on a key of a map.
    fn map_operation(
        &mut self,
        object: &ObjectPath,
        key: &str,
        id: OpId,
        op: &Op,
    ) -> Result<(), Refusal> {
        let mut path = object.path.clone();
        path.push(key.to_owned());
        let slot = (object_id(&object.id), key.to_owned());
        let current = match (self.slots.remove(&slot), object.created_by) {
            (Some(current), _) => current,
            (None, CreatedBy::ThisChange) => BTreeSet::new(),
            (None, CreatedBy::Genesis | CreatedBy::Earlier) => {
                self.view.current_ops(&object.id, key)?
            }
        };
        // A write replaces all values that its author saw at the key, and no others.
        if predecessors(op) != current {
            return Err(Refusal::malformed("an operation replaces what its author had not seen"));
        }
        let act = match (&op.action, object.created_by) {
            (OpType::Delete, _) if current.is_empty() => {
                return Err(Refusal::malformed("an operation deletes nothing"));
            }
            (OpType::Delete, _) => WriteOp::Delete,
            (_, CreatedBy::ThisChange) => WriteOp::Create,
            (_, CreatedBy::Genesis) if current.is_empty() => WriteOp::Create,
            // Also where the key was empty: all fields of an entry are written by the change that
            // creates it.
            (_, CreatedBy::Genesis | CreatedBy::Earlier) => WriteOp::Update,
        };
        let writing = self.view.allowed(&path, act)?;
        self.groups.record(&path, &op.action);
        let written = match &op.action {
            OpType::Delete => BTreeSet::new(),
            OpType::Put(value) => {
                plain_scalar(value, &path)?;
                self.check_own_name(object, &path, key, value, writing == Mutability::Once)?;
                BTreeSet::from([internal(&id)])
            }
            OpType::Make(kind) => {
                self.check_not_hidden(object, key, &path, writing)?;
                let created = ObjectPath {
                    path,
                    kind: *kind,
                    created_by: CreatedBy::ThisChange,
                    id: object_path::public_id(&id),
                };
                self.created.insert(internal(&id), created);
                BTreeSet::from([internal(&id)])
            }
            OpType::Increment(_) | OpType::MarkBegin(_) | OpType::MarkEnd(_) => {
                return Err(not_allowed(&path, "a visit record has no counters and no marks"));
            }
        };
        self.slots.insert(slot, written);
        Ok(())
    }

    /// An operation on an element of a list or a text.
    fn sequence_operation(
        &mut self,
        object: &ObjectPath,
        element: &ElementId,
        id: OpId,
        op: &Op,
    ) -> Result<(), Refusal> {
        let mut path = object.path.clone();
        if object.kind == ObjType::List {
            path.push("#".to_owned());
        }
        let elements = match self.elements.entry(object_id(&object.id)) {
            Entry::Occupied(found) => found.into_mut(),
            // Permission does not depend on the element: a pasted text is authorized once.
            Entry::Vacant(vacant) => {
                self.view.allowed(&path, WriteOp::Update)?;
                let visible = match object.created_by {
                    CreatedBy::ThisChange => BTreeSet::new(),
                    CreatedBy::Genesis | CreatedBy::Earlier => {
                        self.view.visible(&object.id, &self.named)
                    }
                };
                vacant.insert(Elements { insertable_after: visible.clone(), visible })
            }
        };
        let target = element.as_opid().map(internal);
        let known = target.as_ref().is_none_or(|target| elements.insertable_after.contains(target));
        match (&op.action, target) {
            (OpType::Put(value), _) if op.insert && op.pred.is_empty() && known => {
                plain_scalar(value, &path)?;
                if object.kind == ObjType::Text && !matches!(value, ScalarValue::Str(_)) {
                    return Err(not_allowed(&path, "a text holds characters only"));
                }
                elements.insertable_after.insert(internal(&id));
                elements.visible.insert(internal(&id));
                Ok(())
            }
            // Elements are inserted and deleted, never overwritten.
            (OpType::Delete, Some(target))
                if !op.insert
                    && predecessors(op) == BTreeSet::from([target.clone()])
                    && elements.visible.remove(&target) =>
            {
                Ok(())
            }
            _ => Err(Refusal::malformed("an operation on an element that its author had not seen")),
        }
    }

    /// A user may not sign with another's name. Rewritable fields also accept a name that is
    /// already there: picking one of two conflicting values writes it again.
    fn check_own_name(
        &self,
        object: &ObjectPath,
        path: &[String],
        key: &str,
        value: &ScalarValue,
        once: bool,
    ) -> Result<(), Refusal> {
        let device = self.view.device.to_string();
        let own = match (key, path.first().map(String::as_str)) {
            ("by", _) => self.view.writer.user,
            ("device", Some("seal")) => &device,
            _ => return Ok(()),
        };
        let ScalarValue::Str(name) = value else { return Ok(()) };
        let represented = key == "by" && self.view.on_behalf_of.is_some_and(|user| name == user);
        if name == own || represented || (!once && self.view.has_text(&object.id, key, name)) {
            Ok(())
        } else {
            Err(not_allowed(path, "this is under another user's name"))
        }
    }

    /// A write-once entry must not be hidden behind a concurrent entry with the same key, written
    /// by an author who claims not to have seen it. Attachments are keyed by content hash: before
    /// the seal two collectors may both add the same one; afterwards evidence keeps its label.
    fn check_not_hidden(
        &self,
        object: &ObjectPath,
        key: &str,
        path: &[String],
        writing: Mutability,
    ) -> Result<(), Refusal> {
        let attachment = path.first().is_some_and(|first| first == "attachments");
        let shared = attachment && !self.view.writer.current.is_sealed();
        if writing != Mutability::Once || shared || object.created_by == CreatedBy::ThisChange {
            return Ok(());
        }
        match self.view.doc.get(&object.id, key) {
            Ok(None) => Ok(()),
            Ok(Some(_)) | Err(_) => Err(not_allowed(path, "an entry of this key is there already")),
        }
    }
}

fn plain_scalar(value: &ScalarValue, path: &[String]) -> Result<(), Refusal> {
    match value {
        ScalarValue::Str(_)
        | ScalarValue::Int(_)
        | ScalarValue::F64(_)
        | ScalarValue::Timestamp(_)
        | ScalarValue::Boolean(_) => Ok(()),
        ScalarValue::Bytes(_)
        | ScalarValue::Uint(_)
        | ScalarValue::Counter(_)
        | ScalarValue::Null
        | ScalarValue::Unknown { .. } => {
            Err(not_allowed(path, "a visit record has no values of this type"))
        }
    }
}

fn predecessors(op: &Op) -> BTreeSet<Id> {
    op.pred.iter().map(internal).collect()
}

fn internal(id: &OpId) -> Id {
    (id.0, id.1.to_bytes().to_vec())
}

fn object_id(id: &ObjId) -> Id {
    plain(id).unwrap_or_default()
}
