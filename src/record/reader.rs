//! Typed reads of a document, now or at earlier heads.
//!
//! A value of the wrong type reads as absent: validation reports it, and the page still opens.

use automerge::{Automerge, ChangeHash, ObjId, ReadDoc, ScalarValue, Value};

use super::genesis;

/// Reads one document, now or at the given heads.
#[derive(Clone, Copy)]
pub(super) struct Reader<'d> {
    pub(super) doc: &'d Automerge,
    heads: Option<&'d [ChangeHash]>,
}

impl<'d> Reader<'d> {
    pub(super) fn new(doc: &'d Automerge, heads: Option<&'d [ChangeHash]>) -> Self {
        Self { doc, heads }
    }

    fn value(&self, object: &ObjId, key: &str) -> Option<Value<'d>> {
        let found = match self.heads {
            Some(heads) => self.doc.get_at(object, key, heads),
            None => self.doc.get(object, key),
        };
        found.ok().flatten().map(|(value, _)| value)
    }

    fn scalar(&self, path: &[&str], key: &str) -> Option<ScalarValue> {
        genesis::container(path).and_then(|object| self.scalar_in(object, key))
    }

    fn scalar_in(&self, object: &ObjId, key: &str) -> Option<ScalarValue> {
        self.value(object, key).and_then(|value| value.as_scalar().cloned())
    }

    pub(super) fn text(&self, path: &[&str], key: &str) -> String {
        text(self.scalar(path, key))
    }

    pub(super) fn integer(&self, path: &[&str], key: &str) -> Option<i64> {
        integer(self.scalar(path, key))
    }

    pub(super) fn float(&self, path: &[&str], key: &str) -> Option<f64> {
        float(self.scalar(path, key))
    }

    pub(super) fn time(&self, path: &[&str], key: &str) -> Option<i64> {
        time(self.scalar(path, key))
    }

    pub(super) fn enumerated<T>(
        &self,
        path: &[&str],
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        parse(&self.text(path, key))
    }

    /// Keys of a container, sorted.
    pub(super) fn keys(&self, path: &[&str]) -> Vec<String> {
        let Some(object) = genesis::container(path) else {
            return Vec::new();
        };
        match self.heads {
            Some(heads) => self.doc.keys_at(object, heads).collect(),
            None => self.doc.keys(object).collect(),
        }
    }

    pub(super) fn any_key(&self, path: &[&str]) -> bool {
        !self.keys(path).is_empty()
    }

    /// Entries of a container of maps, in order of their keys.
    pub(super) fn entries(&self, path: &[&str]) -> Vec<(String, EntryReader<'d>)> {
        let Some(container) = genesis::container(path) else {
            return Vec::new();
        };
        let reader = *self;
        self.keys(path)
            .into_iter()
            .filter_map(|key| match self.doc.get(container, key.as_str()) {
                Ok(Some((Value::Object(_), object))) => Some((key, EntryReader { reader, object })),
                _ => None,
            })
            .collect()
    }

    /// Every entry at a key; several if it was created concurrently.
    pub(super) fn concurrent(&self, path: &[&str], key: &str) -> Vec<EntryReader<'d>> {
        let Some(container) = genesis::container(path) else { return Vec::new() };
        let values = self.doc.get_all(container, key).unwrap_or_default().into_iter();
        let objects = values.filter(|(value, _)| matches!(value, Value::Object(_)));
        objects.map(|(_, object)| EntryReader { reader: *self, object }).collect()
    }

    /// As [`entries`](Self::entries), sorted by one of their times.
    pub(super) fn entries_by(&self, time: &str, path: &[&str]) -> Vec<(String, EntryReader<'d>)> {
        let mut entries = self.entries(path);
        entries.sort_by_cached_key(|(_, entry)| entry.time(time));
        entries
    }

    pub(super) fn merged_text(&self, key: &str) -> String {
        genesis::container(&[key]).and_then(|object| self.doc.text(object).ok()).unwrap_or_default()
    }
}

/// Reads one entry, such as a contact.
pub(super) struct EntryReader<'d> {
    reader: Reader<'d>,
    pub(super) object: ObjId,
}

impl EntryReader<'_> {
    pub(super) fn text(&self, key: &str) -> String {
        text(self.reader.scalar_in(&self.object, key))
    }
    pub(super) fn integer(&self, key: &str) -> Option<i64> {
        integer(self.reader.scalar_in(&self.object, key))
    }
    pub(super) fn time(&self, key: &str) -> Option<i64> {
        time(self.reader.scalar_in(&self.object, key))
    }
    pub(super) fn enumerated<T>(&self, key: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        parse(&self.text(key))
    }
}

fn text(value: Option<ScalarValue>) -> String {
    match value {
        Some(ScalarValue::Str(text)) => text.to_string(),
        _ => String::new(),
    }
}

fn integer(value: Option<ScalarValue>) -> Option<i64> {
    match value {
        Some(ScalarValue::Int(number)) => Some(number),
        _ => None,
    }
}

fn float(value: Option<ScalarValue>) -> Option<f64> {
    match value {
        Some(ScalarValue::F64(number)) => Some(number),
        _ => None,
    }
}

fn time(value: Option<ScalarValue>) -> Option<i64> {
    match value {
        Some(ScalarValue::Timestamp(ms)) => Some(ms),
        _ => None,
    }
}

/// Author and time (ms) of a change, by its own word.
pub(super) fn author_and_time(doc: &Automerge, hash: &ChangeHash) -> Option<(String, i64)> {
    let change = doc.get_change_meta_by_hash(hash)?;
    let by = change.message.map(|message| message.into_owned()).unwrap_or_default();
    Some((by, change.timestamp.saturating_mul(1000)))
}
