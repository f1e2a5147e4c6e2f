//! Typed reads of single fields, now or at earlier heads.
//!
//! A value of the wrong type reads as absent: validation reports it, and the page still opens.

use automerge::{Automerge, ChangeHash, ReadDoc, ScalarValueRef};

use super::genesis;

/// Reads of fields in containers of the first change.
pub(super) trait ReadFields {
    /// The value of a field, unless it is absent or an object.
    fn scalar(&self, path: &[&str], key: &str) -> Option<ScalarValueRef<'_>>;

    /// Whether a container has any entry.
    fn has_entries(&self, path: &[&str]) -> bool;

    fn time(&self, path: &[&str], key: &str) -> Option<i64> {
        time(self.scalar(path, key).as_ref())
    }

    fn enumerated<T>(
        &self,
        path: &[&str],
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        parse(text(self.scalar(path, key).as_ref()).unwrap_or_default())
    }
}

/// Looks up single fields of one document, now or at the given heads.
#[derive(Clone, Copy)]
pub(super) struct Reader<'d> {
    doc: &'d Automerge,
    heads: Option<&'d [ChangeHash]>,
}

impl<'d> Reader<'d> {
    pub(super) fn new(doc: &'d Automerge, heads: Option<&'d [ChangeHash]>) -> Self {
        Self { doc, heads }
    }

    pub(super) fn text(&self, path: &[&str], key: &str) -> String {
        text(self.scalar(path, key).as_ref()).unwrap_or_default().to_owned()
    }
}

impl ReadFields for Reader<'_> {
    fn scalar(&self, path: &[&str], key: &str) -> Option<ScalarValueRef<'_>> {
        let object = genesis::container(path)?;
        let found = match self.heads {
            Some(heads) => self.doc.get_at(object, key, heads),
            None => self.doc.get(object, key),
        };
        let (value, _) = found.ok()??;
        value.into_scalar().ok().map(ScalarValueRef::from)
    }

    fn has_entries(&self, path: &[&str]) -> bool {
        let Some(object) = genesis::container(path) else { return false };
        let mut keys = match self.heads {
            Some(heads) => self.doc.keys_at(object, heads),
            None => self.doc.keys(object),
        };
        keys.next().is_some()
    }
}

pub(super) fn text<'v>(value: Option<&'v ScalarValueRef<'_>>) -> Option<&'v str> {
    match value {
        Some(ScalarValueRef::Str(text)) => Some(text),
        _ => None,
    }
}

pub(super) fn integer(value: Option<&ScalarValueRef<'_>>) -> Option<i64> {
    match value {
        Some(ScalarValueRef::Int(number)) => Some(*number),
        _ => None,
    }
}

pub(super) fn float(value: Option<&ScalarValueRef<'_>>) -> Option<f64> {
    match value {
        Some(ScalarValueRef::F64(number)) => Some(*number),
        _ => None,
    }
}

pub(super) fn time(value: Option<&ScalarValueRef<'_>>) -> Option<i64> {
    match value {
        Some(ScalarValueRef::Timestamp(ms)) => Some(*ms),
        _ => None,
    }
}

/// Author and time (ms) of a change, by its own word.
pub(super) fn author_and_time(doc: &Automerge, hash: &ChangeHash) -> Option<(String, i64)> {
    let change = doc.get_change_meta_by_hash(hash)?;
    let by = change.message.map(|message| message.into_owned()).unwrap_or_default();
    Some((by, change.timestamp.saturating_mul(1000)))
}
