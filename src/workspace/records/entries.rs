//! All records of the device, with indexes over them.
//!
//! A save or a round concerns a few records of many, so nothing on their paths walks over all of
//! them. Whatever is changed here is noted, and the indexes are brought up to date for those
//! records alone: the digest of the feed (rule P1), the records with unsent work by age, and the
//! few that need attention.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;

use super::entry::RecordEntry;
use crate::ids::RecordId;
use crate::sync::digest::{Digest, Item};

/// All records of the device.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    entries: BTreeMap<RecordId, RecordEntry>,
    /// Records that may differ from what the index says of them.
    touched: BTreeSet<RecordId>,
    /// Records that may differ from what the list's log says of them.
    unlisted: BTreeSet<RecordId>,
    index: Index,
    /// The rows of the store that are still to be read; `None` once all have been.
    unread: Option<Unread>,
    /// How many entries were given out: tests count what a round costs.
    #[cfg(test)]
    visits: std::cell::Cell<usize>,
}

/// The rows of the store that have not been read since the start (rule D8).
#[derive(Debug, Default)]
struct Unread {
    /// Rows up to this key have been read.
    through: String,
    /// Records after it whose rows say nothing new: read by themselves, or erased since.
    settled: BTreeSet<RecordId>,
}

/// What is known of the records without looking at each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Index {
    facts: BTreeMap<RecordId, Facts>,
    digest: Digest,
    unsent: usize,
    /// Records with unsent work, oldest work first.
    by_age: BTreeSet<(i64, RecordId)>,
    /// Records with work that is not durable yet.
    pending: BTreeSet<RecordId>,
    wanted: BTreeSet<RecordId>,
    withdrawn: BTreeSet<RecordId>,
    with_problem: BTreeSet<RecordId>,
}

/// What the index has of one record; default where there is no such record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Facts {
    /// `None` where it is not in the digest.
    item: Option<Item>,
    unsent: usize,
    oldest_at: Option<i64>,
    pending: bool,
    wanted: bool,
    withdrawn: bool,
    has_problem: bool,
}

impl Facts {
    fn of(entry: &RecordEntry) -> Self {
        Self {
            item: entry.is_in_digest().then(|| Item::of(entry.id, &entry.confirmed)),
            unsent: entry.outbox.len(),
            oldest_at: entry.outbox.oldest_at(),
            pending: entry.outbox.has_pending(),
            wanted: entry.wanted,
            withdrawn: entry.withdrawn,
            has_problem: entry.problem.is_some(),
        }
    }
}

impl Index {
    /// The digest of all confirmed states, to be compared with the office's (rule P2).
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// Changes that the office has not confirmed.
    pub(crate) fn unsent(&self) -> usize {
        self.unsent
    }

    /// When the oldest of them was made, ms.
    pub(crate) fn oldest_unsent_at(&self) -> Option<i64> {
        self.by_age.first().map(|(at, _)| *at)
    }

    /// Records with unsent work, oldest work first.
    pub(crate) fn with_unsent(&self) -> impl Iterator<Item = RecordId> {
        self.by_age.iter().map(|(_, id)| *id)
    }

    /// Records with work that is not durable yet.
    pub(crate) fn pending(&self) -> &BTreeSet<RecordId> {
        &self.pending
    }

    /// Records that the next request asks for.
    pub(crate) fn wanted(&self) -> &BTreeSet<RecordId> {
        &self.wanted
    }

    /// Withdrawn records that could not be erased yet.
    pub(crate) fn withdrawn(&self) -> &BTreeSet<RecordId> {
        &self.withdrawn
    }

    /// Records with a problem.
    pub(crate) fn with_problem(&self) -> &BTreeSet<RecordId> {
        &self.with_problem
    }

    /// Replaces what is known of a record.
    fn set(&mut self, id: RecordId, facts: Facts) {
        let before = match facts == Facts::default() {
            true => self.facts.remove(&id),
            false => self.facts.insert(id, facts.clone()),
        };
        let before = before.unwrap_or_default();
        before.item.into_iter().for_each(|item| self.digest.remove(item));
        facts.item.into_iter().for_each(|item| self.digest.add(item));
        self.unsent = self.unsent - before.unsent + facts.unsent;
        if let Some(at) = before.oldest_at {
            self.by_age.remove(&(at, id));
        }
        self.by_age.extend(facts.oldest_at.map(|at| (at, id)));
        for (set, is_in) in [
            (&mut self.pending, facts.pending),
            (&mut self.wanted, facts.wanted),
            (&mut self.withdrawn, facts.withdrawn),
            (&mut self.with_problem, facts.has_problem),
        ] {
            if is_in {
                set.insert(id)
            } else {
                set.remove(&id)
            };
        }
    }
}

impl Entries {
    // -- single records

    pub(crate) fn get(&self, id: &RecordId) -> Option<&RecordEntry> {
        let entry = self.entries.get(id);
        self.visit(entry.iter().len());
        entry
    }

    pub(crate) fn contains_key(&self, id: &RecordId) -> bool {
        self.entries.contains_key(id)
    }

    /// An entry that the caller may change.
    pub(crate) fn get_mut(&mut self, id: &RecordId) -> Option<&mut RecordEntry> {
        self.visit(1);
        let entry = self.entries.get_mut(id)?;
        self.touched.insert(*id);
        Some(entry)
    }

    pub(crate) fn get_or_insert_with(
        &mut self,
        id: RecordId,
        new: impl FnOnce() -> RecordEntry,
    ) -> &mut RecordEntry {
        self.visit(1);
        self.touched.insert(id);
        self.entries.entry(id).or_insert_with(new)
    }

    pub(crate) fn insert(&mut self, id: RecordId, entry: RecordEntry) {
        self.touched.insert(id);
        self.entries.insert(id, entry);
    }

    pub(crate) fn remove(&mut self, id: &RecordId) {
        self.touched.insert(*id);
        self.entries.remove(id);
        // The store may still have its row for a moment.
        self.settle(*id);
    }

    /// Something of a record's row of the list has changed that is not in its entry.
    pub(crate) fn touch(&mut self, id: RecordId) {
        self.touched.insert(id);
    }

    // -- all records

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All records, in order of id: not for the path of a save or a round.
    pub(crate) fn values(&self) -> impl Iterator<Item = &RecordEntry> {
        self.visit(self.entries.len());
        self.entries.values()
    }

    /// The records of a range, in order of id.
    pub(crate) fn range(
        &self,
        range: impl RangeBounds<RecordId>,
    ) -> impl Iterator<Item = (&RecordId, &RecordEntry)> {
        self.visit(self.entries.len());
        self.entries.range(range)
    }

    pub(crate) fn clear(&mut self) {
        self.touched.extend(self.entries.keys());
        self.entries.clear();
        self.unread = None;
    }

    // -- rows that have not been read yet (rule D8)

    /// From now on the store may have rows of records that are not here.
    pub(crate) fn begin_reading(&mut self) {
        self.unread = Some(Unread::default());
    }

    /// Whether every row of the store has been read.
    pub(crate) fn is_complete(&self) -> bool {
        self.unread.is_none()
    }

    /// Whether the store may have a record that is not here.
    pub(crate) fn is_unread(&self, id: &RecordId) -> bool {
        self.unread.as_ref().is_some_and(|unread| {
            !self.entries.contains_key(id)
                && !unread.settled.contains(id)
                && id.to_string() > unread.through
        })
    }

    /// A record's row has been read alone, or must not be read any more.
    pub(crate) fn settle(&mut self, id: RecordId) {
        if let Some(unread) = &mut self.unread {
            unread.settled.insert(id);
        }
    }

    /// The key up to which rows have been read; `None` once all have been.
    pub(crate) fn read_through(&self) -> Option<&str> {
        self.unread.as_ref().map(|unread| unread.through.as_str())
    }

    /// Rows up to this key have been read; all of them without one.
    pub(crate) fn set_read_through(&mut self, key: Option<String>) {
        self.unread =
            self.unread.take().zip(key).map(|(unread, through)| Unread { through, ..unread });
    }

    // -- indexes

    /// The index, brought up to date.
    pub(crate) fn reindex(&mut self) -> &Index {
        for id in std::mem::take(&mut self.touched) {
            self.visit(1);
            self.index.set(id, self.entries.get(&id).map(Facts::of).unwrap_or_default());
            self.unlisted.insert(id);
        }
        &self.index
    }

    /// The index of all records as they are now. Costs a copy unless `reindex` was called since
    /// the last change.
    pub(crate) fn index(&self) -> Cow<'_, Index> {
        if self.touched.is_empty() {
            return Cow::Borrowed(&self.index);
        }
        let mut index = self.index.clone();
        for id in &self.touched {
            index.set(*id, self.entries.get(id).map(Facts::of).unwrap_or_default());
        }
        Cow::Owned(index)
    }

    /// Records that were changed, added or removed since the last call.
    pub(crate) fn take_unlisted(&mut self) -> BTreeSet<RecordId> {
        self.reindex();
        std::mem::take(&mut self.unlisted)
    }

    /// Whether the index is as if it were computed from all records.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn is_index_true(&self) -> bool {
        let mut computed = Index::default();
        for (id, entry) in &self.entries {
            computed.set(*id, Facts::of(entry));
        }
        computed == *self.index()
    }

    #[cfg(test)]
    fn visit(&self, entries: usize) {
        self.visits.set(self.visits.get() + entries);
    }

    #[cfg(not(test))]
    fn visit(&self, _: usize) {}
}

#[cfg(test)]
mod tests;
