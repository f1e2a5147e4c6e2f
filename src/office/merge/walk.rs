//! Walks the operations of one change and judges each against what its author had seen (rule M2).
//!
//! Not from the difference that the change makes: a write that lost a race shows there without a
//! value, and one into a deleted entry not at all. Every operation counts.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType};
use automerge::{Automerge, ChangeHash, ExpandedChange, ObjId, ObjType, ReadDoc, ScalarValue};

use super::graph::Seen;
use super::grouped::Grouped;
use super::place::{self, Id, Made, Place, not_allowed};
use super::refusal::Refusal;
use crate::ids::DeviceId;
use crate::record::authority::{self, Denied, Principal, WriteOp};
use crate::record::schema::Mutability;
use crate::sync::message::RefusalCode;

/// What the author of a change had before them.
pub(super) struct View<'v> {
    pub(super) doc: &'v Automerge,
    /// `None` where the author had seen all that the document holds.
    pub(super) at: Option<&'v [ChangeHash]>,
    pub(super) seen: &'v Seen,
    pub(super) writer: Principal<'v>,
    pub(super) device: DeviceId,
    /// Whose work the writer writes anew: it may stand under that name.
    pub(super) vouched_for: Option<&'v str>,
}

impl View<'_> {
    /// Judges every operation of a change.
    pub(super) fn judge(&self, change: &ExpandedChange) -> Result<(), Refusal> {
        let mut walk = Walk {
            view: self,
            made: BTreeMap::new(),
            places: BTreeMap::new(),
            standing: BTreeMap::new(),
            elements: BTreeMap::new(),
            grouped: Grouped::default(),
        };
        for (counter, op) in (change.start_op.get()..).zip(&change.operations) {
            walk.operation(OpId::new(counter, &change.actor_id), op)?;
        }
        walk.grouped.check(self)
    }

    fn allowed(&self, path: &[String], act: WriteOp) -> Result<Mutability, Refusal> {
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

    /// The values that stand at a key, by the operations that wrote them.
    fn standing(&self, object: &ObjId, key: &str) -> Result<BTreeSet<Id>, Refusal> {
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
        [self.writer.user].into_iter().chain(self.vouched_for).collect()
    }

    /// Whether a text is one of the values at a key.
    fn says(&self, object: &ObjId, key: &str, text: &str) -> bool {
        self.values(object, key).iter().any(|value| value.as_str() == Some(text))
    }

    /// The elements that stand in a list or a text.
    fn elements(&self, object: &ObjId) -> BTreeSet<Id> {
        let items = match self.at {
            Some(heads) => self.doc.list_range_at(object, .., heads),
            None => self.doc.list_range(object, ..),
        };
        items.filter_map(|item| plain(&item.id())).collect()
    }
}

/// The elements of one list or text, as the change goes on.
struct Elements {
    /// Those that may be inserted behind.
    known: BTreeSet<Id>,
    /// Those that may be taken out.
    standing: BTreeSet<Id>,
}

struct Walk<'w, 'v> {
    view: &'w View<'v>,
    /// Objects that this change makes.
    made: BTreeMap<Id, Place>,
    /// Objects that stood before, as far as they were looked up.
    places: BTreeMap<Id, Place>,
    /// Keys that this change touches, with what stands there now.
    standing: BTreeMap<(Id, String), BTreeSet<Id>>,
    elements: BTreeMap<Id, Elements>,
    grouped: Grouped,
}

impl Walk<'_, '_> {
    fn operation(&mut self, id: OpId, op: &Op) -> Result<(), Refusal> {
        let place = self.place(&op.obj)?;
        match (place.kind, &op.key) {
            (ObjType::Map, Key::Map(key)) if !op.insert => self.keyed(&place, key, id, op),
            (ObjType::List | ObjType::Text, Key::Seq(element)) => {
                self.element(&place, element, id, op)
            }
            (ObjType::Map | ObjType::Table | ObjType::List | ObjType::Text, _) => {
                Err(Refusal::malformed("an operation's key does not fit its object"))
            }
        }
    }

    fn place(&mut self, object: &ObjectId) -> Result<Place, Refusal> {
        let id = match object {
            ObjectId::Root => (0, Vec::new()),
            ObjectId::Id(id) => internal(id),
        };
        if let Some(place) = self.made.get(&id).or_else(|| self.places.get(&id)) {
            return Ok(place.clone());
        }
        let place = place::find(self.view.doc, object, self.view.seen)?;
        self.places.insert(id, place.clone());
        Ok(place)
    }

    /// An operation on a key of a map.
    fn keyed(&mut self, place: &Place, key: &str, id: OpId, op: &Op) -> Result<(), Refusal> {
        let mut path = place.path.clone();
        path.push(key.to_owned());
        let slot = (object_id(&place.id), key.to_owned());
        let standing = match (self.standing.remove(&slot), place.made) {
            (Some(standing), _) => standing,
            (None, Made::Here) => BTreeSet::new(),
            (None, Made::First | Made::Before) => self.view.standing(&place.id, key)?,
        };
        // Whoever writes a key replaces all that stands there, no more and no less.
        if predecessors(op) != standing {
            return Err(Refusal::malformed("an operation replaces what its author had not seen"));
        }
        let act = match (&op.action, place.made) {
            (OpType::Delete, _) if standing.is_empty() => {
                return Err(Refusal::malformed("an operation deletes nothing"));
            }
            (OpType::Delete, _) => WriteOp::Delete,
            (_, Made::Here) => WriteOp::Create,
            (_, Made::First) if standing.is_empty() => WriteOp::Create,
            // Also where nothing stood: an entry is made whole or not at all.
            (_, Made::First | Made::Before) => WriteOp::Update,
        };
        let writing = self.view.allowed(&path, act)?;
        self.grouped.note(&path, &op.action);
        let now = match &op.action {
            OpType::Delete => BTreeSet::new(),
            OpType::Put(value) => {
                plain_scalar(value, &path)?;
                self.own_name(place, &path, key, value, writing == Mutability::Once)?;
                BTreeSet::from([internal(&id)])
            }
            OpType::Make(kind) => {
                self.not_hidden(place, key, &path, writing)?;
                let made = Place { path, kind: *kind, made: Made::Here, id: place::public_id(&id) };
                self.made.insert(internal(&id), made);
                BTreeSet::from([internal(&id)])
            }
            OpType::Increment(_) | OpType::MarkBegin(_) | OpType::MarkEnd(_) => {
                return Err(not_allowed(&path, "a visit record has no counters and no marks"));
            }
        };
        self.standing.insert(slot, now);
        Ok(())
    }

    /// An operation on an element of a list or a text.
    fn element(
        &mut self,
        place: &Place,
        element: &ElementId,
        id: OpId,
        op: &Op,
    ) -> Result<(), Refusal> {
        let mut path = place.path.clone();
        if place.kind == ObjType::List {
            path.push("#".to_owned());
        }
        let elements = match self.elements.entry(object_id(&place.id)) {
            Entry::Occupied(found) => found.into_mut(),
            // Whoever may write one element may write them all: a pasted text is judged once.
            Entry::Vacant(vacant) => {
                self.view.allowed(&path, WriteOp::Update)?;
                let standing = match place.made {
                    Made::Here => BTreeSet::new(),
                    Made::First | Made::Before => self.view.elements(&place.id),
                };
                vacant.insert(Elements { known: standing.clone(), standing })
            }
        };
        let target = element.as_opid().map(internal);
        let known = target.as_ref().is_none_or(|target| elements.known.contains(target));
        match (&op.action, target) {
            (OpType::Put(value), _) if op.insert && op.pred.is_empty() && known => {
                plain_scalar(value, &path)?;
                if place.kind == ObjType::Text && !matches!(value, ScalarValue::Str(_)) {
                    return Err(not_allowed(&path, "a text holds characters only"));
                }
                elements.known.insert(internal(&id));
                elements.standing.insert(internal(&id));
                Ok(())
            }
            // Elements are put in and taken out, never written over.
            (OpType::Delete, Some(target))
                if !op.insert
                    && predecessors(op) == BTreeSet::from([target.clone()])
                    && elements.standing.remove(&target) =>
            {
                Ok(())
            }
            _ => Err(Refusal::malformed("an operation on an element that its author had not seen")),
        }
    }

    /// Nobody signs with another's name. Fields that may be written again take a name that stands
    /// there already too: picking one of two values in conflict writes it anew.
    fn own_name(
        &self,
        place: &Place,
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
        let ScalarValue::Str(said) = value else { return Ok(()) };
        let vouched_for = key == "by" && self.view.vouched_for.is_some_and(|user| said == user);
        if said == own || vouched_for || (!once && self.view.says(&place.id, key, said)) {
            Ok(())
        } else {
            Err(not_allowed(path, "this stands under another's name"))
        }
    }

    /// An entry that is written once is not hidden behind a second of the same key, made by
    /// somebody who claims not to have seen it. Attachments are named by their content, so that
    /// two collectors may well add the same before the seal; after it, evidence keeps its label.
    fn not_hidden(
        &self,
        place: &Place,
        key: &str,
        path: &[String],
        writing: Mutability,
    ) -> Result<(), Refusal> {
        let attachment = path.first().is_some_and(|first| first == "attachments");
        let shared = attachment && !self.view.writer.current.is_sealed();
        if writing != Mutability::Once || shared || place.made == Made::Here {
            return Ok(());
        }
        match self.view.doc.get(&place.id, key) {
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

fn plain(id: &ObjId) -> Option<Id> {
    match id {
        ObjId::Root => None,
        ObjId::Id(counter, actor, _) => Some((*counter, actor.to_bytes().to_vec())),
    }
}
