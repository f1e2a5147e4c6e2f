//! All visible values of a document, read in one pass.
//!
//! Looking fields up one by one costs a search of the document each. Views and validation need
//! nearly all of them, so they read a snapshot instead.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use automerge::iter::DocItem;
use automerge::{Automerge, ObjId, ROOT, ReadDoc, ScalarValueRef, Value, ValueRef};

use super::reader::{ReadFields, float, integer, text, time};

/// The visible values of an object and of everything in it.
pub(super) struct Snapshot<'d> {
    pub(super) doc: &'d Automerge,
    /// The object itself comes first, containers before their content.
    objects: Vec<Object<'d>>,
}

struct Object<'d> {
    id: ObjId,
    content: Content<'d>,
}

enum Content<'d> {
    Empty,
    /// In order of their keys.
    Map(Vec<Field<'d>>),
    List(Vec<ValueRef<'d>>),
    Text(String),
}

/// A key of a map with its winning value.
pub(super) struct Field<'d> {
    pub(super) key: Cow<'d, str>,
    pub(super) value: ValueRef<'d>,
    /// There are other, concurrent values.
    pub(super) conflict: bool,
    /// Position of the object that is the value.
    object: Option<usize>,
}

impl<'d> Snapshot<'d> {
    /// Reads a whole document.
    pub(super) fn new(doc: &'d Automerge) -> Self {
        Self::of_object(doc, &ROOT)
    }

    /// Reads one object, which may be one that lost against a concurrent value.
    pub(super) fn of_object(doc: &'d Automerge, object: &ObjId) -> Self {
        let mut objects = vec![Object { id: object.clone(), content: Content::Empty }];
        let mut positions = BTreeMap::from([(OpKey::of(object), 0)]);
        let mut current: Option<(Arc<ObjId>, Option<usize>)> = None;
        for found in doc.iter_at(object, None) {
            // Values of one object come in a row and share its id.
            let position = match &current {
                Some((id, position)) if Arc::ptr_eq(id, &found.obj) => *position,
                Some(_) | None => {
                    let position = positions.get(&OpKey::of(&found.obj)).copied();
                    current = Some((Arc::clone(&found.obj), position));
                    position
                }
            };
            let made = match &found.item {
                DocItem::Map(item) if matches!(item.value, ValueRef::Object(_)) => {
                    let (id, position) = (item.id(), objects.len());
                    positions.insert(OpKey::of(&id), position);
                    objects.push(Object { id, content: Content::Empty });
                    Some(position)
                }
                DocItem::Map(_) | DocItem::List(_) | DocItem::Text(_) => None,
            };
            // Objects in lists and texts have no position: the schema has none.
            if let Some(object) = position.and_then(|position| objects.get_mut(position)) {
                object.content.push(found.item, made);
            }
        }
        Self { doc, objects }
    }

    /// Whether any key has several concurrent values.
    pub(super) fn has_conflicts(&self) -> bool {
        self.objects.iter().any(|object| object.content.fields().iter().any(|field| field.conflict))
    }

    /// The object itself.
    pub(super) fn root(&self) -> ObjectReader<'_, 'd> {
        ObjectReader { snapshot: self, object: self.objects.first() }
    }

    /// The object at a path; one without fields if there is none.
    pub(super) fn at(&self, path: &[&str]) -> ObjectReader<'_, 'd> {
        path.iter().fold(self.root(), |object, key| object.child(key))
    }
}

impl ReadFields for Snapshot<'_> {
    fn scalar(&self, path: &[&str], key: &str) -> Option<ScalarValueRef<'_>> {
        self.at(path).scalar(key).cloned()
    }

    fn has_entries(&self, path: &[&str]) -> bool {
        !self.at(path).fields().is_empty()
    }
}

/// Identifies an object in one document: counter and actor index.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct OpKey(u64, usize);

impl OpKey {
    fn of(id: &ObjId) -> Self {
        match id {
            ObjId::Root => Self(0, 0),
            ObjId::Id(counter, _, actor) => Self(*counter, *actor),
        }
    }
}

impl<'d> Content<'d> {
    fn fields(&self) -> &[Field<'d>] {
        match self {
            Self::Map(fields) => fields,
            Self::Empty | Self::List(_) | Self::Text(_) => &[],
        }
    }

    fn push(&mut self, item: DocItem<'d>, object: Option<usize>) {
        match (&mut *self, item) {
            (Self::Map(fields), DocItem::Map(item)) => fields.push(Field {
                key: item.key,
                value: item.value,
                conflict: item.conflict,
                object,
            }),
            (Self::List(values), DocItem::List(item)) => values.push(item.value),
            (Self::Text(text), DocItem::Text(span)) => text.push_str(span.as_str()),
            (_, item) => {
                *self = match &item {
                    DocItem::Map(_) => Self::Map(Vec::new()),
                    DocItem::List(_) => Self::List(Vec::new()),
                    DocItem::Text(_) => Self::Text(String::new()),
                };
                self.push(item, object);
            }
        }
    }
}

/// Reads one object, such as a contact. A value of the wrong type reads as absent.
#[derive(Clone, Copy)]
pub(super) struct ObjectReader<'s, 'd> {
    snapshot: &'s Snapshot<'d>,
    object: Option<&'s Object<'d>>,
}

impl<'s, 'd> ObjectReader<'s, 'd> {
    /// `None` if there is no object.
    pub(super) fn id(&self) -> Option<&'s ObjId> {
        self.object.map(|object| &object.id)
    }

    /// Fields of a map in order of their keys.
    pub(super) fn fields(&self) -> &'s [Field<'d>] {
        self.object.map(|object| object.content.fields()).unwrap_or_default()
    }

    /// Values of a list.
    pub(super) fn values(&self) -> &'s [ValueRef<'d>] {
        match self.object.map(|object| &object.content) {
            Some(Content::List(values)) => values,
            Some(Content::Empty | Content::Map(_) | Content::Text(_)) | None => &[],
        }
    }

    /// The characters of a merged text.
    pub(super) fn characters(&self) -> &'s str {
        match self.object.map(|object| &object.content) {
            Some(Content::Text(text)) => text,
            Some(Content::Empty | Content::Map(_) | Content::List(_)) | None => "",
        }
    }

    /// Texts of a list.
    pub(super) fn texts(&self) -> Vec<String> {
        let text = |value: &ValueRef<'_>| match value {
            ValueRef::Scalar(ScalarValueRef::Str(text)) => Some(text.clone().into_owned()),
            ValueRef::Scalar(_) | ValueRef::Object(_) => None,
        };
        self.values().iter().filter_map(text).collect()
    }

    fn field(&self, key: &str) -> Option<&'s Field<'d>> {
        let fields = self.fields();
        let at = fields.binary_search_by(|field| field.key.as_ref().cmp(key)).ok()?;
        fields.get(at)
    }

    /// The object that is the value of a field.
    pub(super) fn object(&self, field: &Field<'_>) -> Self {
        let object = field.object.and_then(|position| self.snapshot.objects.get(position));
        Self { snapshot: self.snapshot, object }
    }

    /// The object at a key; one without fields if there is none.
    pub(super) fn child(&self, key: &str) -> Self {
        match self.field(key) {
            Some(field) => self.object(field),
            None => Self { snapshot: self.snapshot, object: None },
        }
    }

    pub(super) fn scalar(&self, key: &str) -> Option<&'s ScalarValueRef<'d>> {
        match &self.field(key)?.value {
            ValueRef::Scalar(scalar) => Some(scalar),
            ValueRef::Object(_) => None,
        }
    }

    pub(super) fn text(&self, key: &str) -> String {
        text(self.scalar(key)).unwrap_or_default().to_owned()
    }

    pub(super) fn integer(&self, key: &str) -> Option<i64> {
        integer(self.scalar(key))
    }

    pub(super) fn float(&self, key: &str) -> Option<f64> {
        float(self.scalar(key))
    }

    pub(super) fn time(&self, key: &str) -> Option<i64> {
        time(self.scalar(key))
    }

    pub(super) fn enumerated<T>(&self, key: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        parse(text(self.scalar(key)).unwrap_or_default())
    }

    /// Keys, sorted.
    pub(super) fn keys(&self) -> Vec<String> {
        self.fields().iter().map(|field| field.key.clone().into_owned()).collect()
    }

    /// Entries of a container of maps, in order of their keys.
    pub(super) fn entries(self) -> impl Iterator<Item = (String, Self)> {
        let entry = move |field: &'s Field<'d>| {
            let is_object = matches!(field.value, ValueRef::Object(_));
            is_object.then(|| (field.key.clone().into_owned(), self.object(field)))
        };
        self.fields().iter().filter_map(entry)
    }

    /// As [`entries`](Self::entries), sorted by one of their times.
    pub(super) fn entries_by(&self, time: &str) -> Vec<(String, Self)> {
        let mut entries: Vec<(String, Self)> = self.entries().collect();
        entries.sort_by_cached_key(|(_, entry)| entry.time(time));
        entries
    }

    /// Every value at a key, the winner last, with the content of those that are objects.
    pub(super) fn concurrent(&self, key: &str) -> Vec<(ValueRef<'d>, Option<Snapshot<'d>>)> {
        let doc = self.snapshot.doc;
        let values = self.id().and_then(|id| doc.get_all(id, key).ok()).unwrap_or_default();
        values
            .into_iter()
            .map(|(value, id)| match value {
                Value::Object(kind) => {
                    (ValueRef::Object(kind), Some(Snapshot::of_object(doc, &id)))
                }
                Value::Scalar(scalar) => (ValueRef::Scalar(scalar.into_owned().into()), None),
            })
            .collect()
    }
}
