//! The history of each field: who changed it, from which value to which.
//!
//! The changes are replayed in causal order. Each is compared with the state that its author saw,
//! so what it did does not depend on changes made elsewhere at the same time. The effort follows
//! the number of operations, and for a text its length.

mod replay;

use std::collections::BTreeMap;

use automerge::{Automerge, Change, ChangeHash};

use super::genesis;
use super::view::{FieldValue, HistoryEntry};
use crate::ids::{device_of, hex};
use replay::{FieldChange, Replay};

/// Every change of every field, oldest first, without the first change of the schema.
pub(super) fn history(doc: &Automerge) -> Vec<HistoryEntry> {
    let mut entries = Vec::new();
    replay(doc, |change, fields| {
        if change.hash() == genesis::hash() {
            return;
        }
        let by = change.message().unwrap_or_default().to_owned();
        let at = change.timestamp().saturating_mul(1000);
        let device = device_of(change.actor_id()).map(|id| id.to_string()).unwrap_or_default();
        let hash = hex(&change.hash().0);
        entries.extend(fields.into_iter().map(|FieldChange { path, from, to }| HistoryEntry {
            path: path.join("."),
            from,
            to,
            by: by.clone(),
            device: device.clone(),
            at,
            change: hash.clone(),
        }));
    });
    entries
}

/// A field and the value that a change gave it; absent where the change deleted it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WrittenField {
    pub(crate) path: Vec<String>,
    pub(crate) value: FieldValue,
}

/// Every field that these changes touched, with the values their authors gave them, in the order of
/// the hashes.
pub(super) fn written_by(doc: &Automerge, hashes: &[ChangeHash]) -> Vec<WrittenField> {
    let mut written: BTreeMap<ChangeHash, Vec<WrittenField>> = BTreeMap::new();
    replay(doc, |change, fields| {
        if hashes.contains(&change.hash()) {
            let fields = fields.into_iter();
            let fields =
                fields.map(|FieldChange { path, to, .. }| WrittenField { path, value: to });
            written.insert(change.hash(), fields.collect());
        }
    });
    hashes.iter().filter_map(|hash| written.remove(hash)).flatten().collect()
}

fn replay(doc: &Automerge, mut each: impl FnMut(&Change, Vec<FieldChange>)) {
    let changes = doc.get_changes(&[]);
    let mut replay = Replay::new(&changes);
    for change in &changes {
        let fields = replay.apply(change);
        each(change, fields);
    }
}
