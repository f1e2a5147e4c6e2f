//! Replays changes one after the other and finds what each did to the state that its author saw.

use std::collections::{BTreeMap, BTreeSet};

use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId as LongOpId, OpType};
use automerge::{ActorId, Change, ChangeHash, ObjType};

use crate::record::view::FieldValue;

/// A field before and after a change. A list is shown as one text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FieldChange {
    pub(super) path: Vec<String>,
    pub(super) from: FieldValue,
    pub(super) to: FieldValue,
}

/// All operations of the changes replayed so far.
pub(super) struct Replay {
    /// Sorted, so that an actor's position orders operations with equal counters.
    actors: Vec<ActorId>,
    /// How many changes that are still to come depend on a change.
    dependents: BTreeMap<ChangeHash, usize>,
    /// The states after the changes on which others still depend.
    clocks: BTreeMap<ChangeHash, Clock>,
    objects: BTreeMap<OpId, Object>,
}

/// An operation, or the object that it made. The order is Automerge's: the greatest of concurrent
/// values wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct OpId {
    counter: u64,
    /// Position in [`Replay::actors`].
    actor: usize,
}

const ROOT: OpId = OpId { counter: 0, actor: 0 };

/// A state: the last operation of each actor that belongs to it.
#[derive(Clone)]
struct Clock(Vec<u64>);

struct Object {
    /// The object and the key where it was made; `None` for the root.
    made_at: Option<(OpId, String)>,
    content: Content,
}

enum Content {
    Map(BTreeMap<String, Register>),
    Sequence(Sequence),
}

/// A text or a list.
#[derive(Default)]
struct Sequence {
    is_text: bool,
    elements: Vec<Element>,
    /// Position of the last operation: the next one is likely to be there.
    cursor: usize,
    /// The last operation of each actor on this sequence.
    writers: BTreeMap<usize, u64>,
    /// The whole after all operations up to the last change, if it is known.
    latest: Option<String>,
}

/// An element of a sequence.
struct Element {
    id: OpId,
    register: Register,
}

/// All values that a key or an element ever had, in the order of their operations.
#[derive(Default)]
struct Register(Vec<RegisterValue>);

struct RegisterValue {
    id: OpId,
    /// `None` for an object.
    value: Option<FieldValue>,
    /// The operations that replaced or deleted it.
    successors: Vec<OpId>,
}

impl Replay {
    /// Prepares to replay these changes, dependencies first.
    pub(super) fn new(changes: &[Change]) -> Self {
        let mut dependents = BTreeMap::new();
        for dep in changes.iter().flat_map(Change::deps) {
            *dependents.entry(*dep).or_default() += 1;
        }
        let actors: BTreeSet<&ActorId> = changes.iter().map(Change::actor_id).collect();
        let root = Object { made_at: None, content: Content::Map(BTreeMap::new()) };
        Self {
            actors: actors.into_iter().cloned().collect(),
            dependents,
            clocks: BTreeMap::new(),
            objects: BTreeMap::from([(ROOT, root)]),
        }
    }

    /// Replays the next change and gives the fields that it changed: those of older objects first,
    /// fields of one object in order of their keys.
    pub(super) fn apply(&mut self, change: &Change) -> Vec<FieldChange> {
        let Ok(actor) = self.actors.binary_search(change.actor_id()) else { return Vec::new() };
        let before = self.state_before(change);
        let mut after = before.clone();
        after.advance(OpId { counter: change.max_op(), actor });
        let mut touched: BTreeMap<OpId, BTreeSet<String>> = BTreeMap::new();
        for (counter, op) in (change.start_op().get()..).zip(change.decode().operations) {
            if let Some((object, key)) = self.apply_op(OpId { counter, actor }, op) {
                touched.entry(object).or_default().extend(key);
            }
        }
        let mut fields = Vec::new();
        for (object, keys) in &touched {
            fields.extend(self.changed_fields(*object, keys, &before, &after));
        }
        if self.dependents.contains_key(&change.hash()) {
            self.clocks.insert(change.hash(), after);
        }
        fields
    }

    /// The state that the author of a change saw.
    fn state_before(&mut self, change: &Change) -> Clock {
        let mut clock = Clock(vec![0; self.actors.len()]);
        for dep in change.deps() {
            let left = self.dependents.get_mut(dep).map_or(0, |left| {
                *left = left.saturating_sub(1);
                *left
            });
            if left == 0 {
                clock.merge(self.clocks.remove(dep).as_ref());
            } else {
                clock.merge(self.clocks.get(dep));
            }
        }
        clock
    }

    /// Adds an operation; gives the object that it changed and, in a map, the key.
    fn apply_op(&mut self, id: OpId, op: Op) -> Option<(OpId, Option<String>)> {
        let at = match &op.obj {
            ObjectId::Root => ROOT,
            ObjectId::Id(object) => self.short(object)?,
        };
        let preds: Vec<OpId> = op.pred.iter().filter_map(|pred| self.short(pred)).collect();
        let element = match &op.key {
            Key::Seq(ElementId::Id(element)) => Some(self.short(element)?),
            Key::Seq(ElementId::Head) | Key::Map(_) => None,
        };
        let (value, made) = match op.action {
            OpType::Put(scalar) => (Some(Some(scalar)), None),
            OpType::Make(kind) => (Some(None), Some(kind)),
            // An element without a value keeps the place that others refer to.
            OpType::Delete | OpType::MarkBegin(_) | OpType::MarkEnd(_) => (None, None),
            // The schema has no counters.
            OpType::Increment(_) => return None,
        };
        let object = self.objects.get_mut(&at)?;
        let (register, key) = match (&mut object.content, op.key) {
            (Content::Map(fields), Key::Map(key)) => {
                let key = key.to_string();
                (fields.entry(key.clone()).or_default(), Some(key))
            }
            (Content::Sequence(sequence), Key::Seq(_)) => {
                (sequence.register(id, element, op.insert)?, None)
            }
            (Content::Map(_), Key::Seq(_)) | (Content::Sequence(_), Key::Map(_)) => return None,
        };
        register.replace(&preds, id);
        if let Some(scalar) = value {
            register.add(id, scalar.as_ref().map(FieldValue::from));
        }
        if let Some(kind) = made {
            let made_at = Some((at, key.clone().unwrap_or_default()));
            self.objects.insert(id, Object { made_at, content: Content::new(kind) });
        }
        Some((at, key))
    }

    fn changed_fields(
        &mut self,
        object: OpId,
        keys: &BTreeSet<String>,
        before: &Clock,
        after: &Clock,
    ) -> Vec<FieldChange> {
        let path = self.visible_path(object, after);
        let content = self.objects.get_mut(&object).map(|object| &mut object.content);
        match (content, path) {
            (Some(Content::Map(fields)), Some(path)) => {
                let change = |key: &String| {
                    let (from, to) = fields.get(key)?.change(before, after)?;
                    let path = path.iter().chain([key]).cloned().collect();
                    Some(FieldChange { path, from, to })
                };
                keys.iter().filter_map(change).collect()
            }
            (Some(Content::Sequence(sequence)), Some(path)) => {
                let change = sequence.change(before, after);
                change.map(|(from, to)| FieldChange { path, from, to }).into_iter().collect()
            }
            (Some(Content::Sequence(sequence)), None) => {
                sequence.latest = None;
                Vec::new()
            }
            (Some(Content::Map(_)), None) | (None, _) => Vec::new(),
        }
    }

    /// The path of an object, root first; `None` if it is deleted or lost against a concurrent
    /// value.
    fn visible_path(&self, object: OpId, at: &Clock) -> Option<Vec<String>> {
        let Some((parent, key)) = &self.objects.get(&object)?.made_at else {
            return Some(Vec::new());
        };
        let Content::Map(fields) = &self.objects.get(parent)?.content else { return None };
        if fields.get(key)?.winner(at)?.id != object {
            return None;
        }
        let mut path = self.visible_path(*parent, at)?;
        path.push(key.clone());
        Some(path)
    }

    fn short(&self, id: &LongOpId) -> Option<OpId> {
        let actor = self.actors.binary_search(id.actor()).ok()?;
        Some(OpId { counter: id.counter(), actor })
    }
}

impl Clock {
    fn covers(&self, id: OpId) -> bool {
        self.0.get(id.actor).is_some_and(|last| id.counter <= *last)
    }

    fn advance(&mut self, id: OpId) {
        if let Some(last) = self.0.get_mut(id.actor) {
            *last = id.counter.max(*last);
        }
    }

    fn merge(&mut self, other: Option<&Self>) {
        for (last, other) in self.0.iter_mut().zip(other.into_iter().flat_map(|clock| &clock.0)) {
            *last = (*last).max(*other);
        }
    }
}

impl Content {
    fn new(kind: ObjType) -> Self {
        match kind {
            ObjType::Map | ObjType::Table => Self::Map(BTreeMap::new()),
            ObjType::List | ObjType::Text => {
                let is_text = kind == ObjType::Text;
                Self::Sequence(Sequence { is_text, ..Sequence::default() })
            }
        }
    }
}

impl Sequence {
    /// The register that an operation writes to. A new element comes after the one that it refers
    /// to, and before the earlier ones that were inserted there.
    fn register(&mut self, id: OpId, element: Option<OpId>, insert: bool) -> Option<&mut Register> {
        let found = match element {
            Some(element) => Some(self.find(element)?),
            None => None,
        };
        self.writers.insert(id.actor, id.counter);
        self.cursor = if insert {
            let first = found.map_or(0, |found| found + 1);
            let later = self.elements.iter().skip(first).take_while(|other| other.id > id);
            let at = first + later.count();
            self.elements.insert(at, Element { id, register: Register::default() });
            at
        } else {
            found?
        };
        self.elements.get_mut(self.cursor).map(|element| &mut element.register)
    }

    fn find(&self, id: OpId) -> Option<usize> {
        let near = (self.cursor..self.cursor + 2)
            .find(|at| self.elements.get(*at).is_some_and(|element| element.id == id));
        near.or_else(|| self.elements.iter().rposition(|element| element.id == id))
    }

    /// The whole before and after, if they differ.
    fn change(&mut self, before: &Clock, after: &Clock) -> Option<(FieldValue, FieldValue)> {
        let known = self.latest.take();
        let has_all = self
            .writers
            .iter()
            .all(|(actor, counter)| after.covers(OpId { actor: *actor, counter: *counter }));
        let last = self.elements.get(self.cursor).into_iter();
        let mut elements = last.chain(&self.elements);
        let is_changed = elements.any(|element| element.register.is_changed(before, after));
        let from = match known.filter(|_| has_all) {
            Some(known) => known,
            // Concurrent changes: the author saw a state of their own.
            None if is_changed || has_all => self.whole(before),
            None => return None,
        };
        if !is_changed {
            self.latest = Some(from);
            return None;
        }
        let to = self.whole(after);
        if has_all {
            self.latest = Some(to.clone());
        }
        Some((FieldValue::Text(from), FieldValue::Text(to)))
    }

    /// The whole as one text, in a state.
    fn whole(&self, at: &Clock) -> String {
        let values = self.elements.iter().filter_map(|element| element.register.winner(at));
        let texts = values.filter_map(|value| match &value.value {
            Some(FieldValue::Text(text)) => Some(text.as_str()),
            // As Automerge shows other values in a text.
            _ => self.is_text.then_some("\u{fffc}"),
        });
        if !self.is_text {
            return texts.collect::<Vec<_>>().join(", ");
        }
        let mut whole = String::with_capacity(self.elements.len());
        texts.for_each(|text| whole.push_str(text));
        whole
    }
}

impl Register {
    fn add(&mut self, id: OpId, value: Option<FieldValue>) {
        let at = self.0.partition_point(|other| other.id < id);
        self.0.insert(at, RegisterValue { id, value, successors: Vec::new() });
    }

    fn replace(&mut self, preds: &[OpId], by: OpId) {
        for value in self.0.iter_mut().filter(|value| preds.contains(&value.id)) {
            value.successors.push(by);
        }
    }

    fn visible(&self, at: &Clock) -> impl Iterator<Item = &RegisterValue> {
        self.0.iter().rev().filter(|value| {
            at.covers(value.id) && !value.successors.iter().any(|by| at.covers(*by))
        })
    }

    /// The value that a state shows.
    fn winner(&self, at: &Clock) -> Option<&RegisterValue> {
        self.visible(at).next()
    }

    /// Whether another value wins, or the same one wins and no concurrent ones are left: Automerge
    /// confirms a winner in that way.
    fn is_changed(&self, before: &Clock, after: &Clock) -> bool {
        self.winner(before).map(|value| value.id) != self.winner(after).map(|value| value.id)
            || (self.0.len() > 1
                && self.visible(before).count() > 1
                && self.visible(after).count() == 1)
    }

    /// The values before and after, if they differ. A new object is no value: its fields are.
    fn change(&self, before: &Clock, after: &Clock) -> Option<(FieldValue, FieldValue)> {
        if !self.is_changed(before, after) {
            return None;
        }
        let (from, to) = (self.winner(before), self.winner(after));
        let to = match to {
            Some(to) => to.value.clone()?,
            None => FieldValue::Absent,
        };
        let from = from.and_then(|from| from.value.clone());
        Some((from.unwrap_or(FieldValue::Absent), to))
    }
}
