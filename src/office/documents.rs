//! Loaded documents of records that were judged lately: loading one takes longer than judging a
//! change to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::store::StoredRecord;
use crate::ids::{Heads, RecordId};
use crate::record::view::VisitView;
use crate::record::{LoadError, Record};

/// Documents in memory at most. Each takes some 50 KB, whatever its size.
const DOCUMENTS: usize = 400;

/// Bytes of these documents at most, saved without compression: a few compressed bytes can be a
/// large document.
const BYTES: usize = 32 * 1024 * 1024;

/// The last judged state of each of some records. Heads are hashes over every change, so what is
/// found under the present heads is the present document; whatever else is here is not used.
#[derive(Debug, Default)]
pub(super) struct DocumentCache(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    entries: BTreeMap<RecordId, Entry>,
    /// Records by their last use, the oldest first.
    by_use: BTreeMap<u64, RecordId>,
    uses: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    heads: Heads,
    document: Arc<Record>,
    bytes: usize,
    used: u64,
}

impl DocumentCache {
    /// The document of a record with these heads, if it is here.
    pub(super) fn get(&self, record: RecordId, heads: &Heads) -> Option<Arc<Record>> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.entries.get(&record).filter(|entry| entry.heads == *heads)?;
        let used = entries.next_use(record);
        let entry = entries.entries.get_mut(&record)?;
        let before = std::mem::replace(&mut entry.used, used);
        let document = Arc::clone(&entry.document);
        entries.by_use.remove(&before);
        Some(document)
    }

    /// The content of a stored record, without loading its document if that is here.
    pub(super) fn view(
        &self,
        record: RecordId,
        stored: &StoredRecord,
    ) -> Result<VisitView, LoadError> {
        match self.get(record, &stored.heads) {
            Some(document) => Ok(document.view()),
            None => Record::load(&stored.document).map(|document| document.view()),
        }
    }

    /// Takes the state that a record is about to have, instead of an earlier one, with its size.
    pub(super) fn put(&self, record: RecordId, document: Record, bytes: usize) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove(record);
        let used = entries.next_use(record);
        let (heads, document) = (document.heads(), Arc::new(document));
        entries.entries.insert(record, Entry { heads, document, bytes, used });
        entries.bytes += bytes;
        while entries.entries.len() > DOCUMENTS || entries.bytes > BYTES {
            let Some(oldest) = entries.by_use.values().next().copied() else { break };
            entries.remove(oldest);
        }
    }
}

impl Entries {
    fn next_use(&mut self, record: RecordId) -> u64 {
        self.uses += 1;
        self.by_use.insert(self.uses, record);
        self.uses
    }

    fn remove(&mut self, record: RecordId) {
        if let Some(entry) = self.entries.remove(&record) {
            self.by_use.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::genesis;

    fn id(n: u16) -> RecordId {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&n.to_be_bytes());
        RecordId(bytes)
    }

    fn heads() -> Heads {
        Heads::new(vec![genesis::hash()])
    }

    #[test]
    fn only_the_state_with_the_heads_is_found() {
        let cache = DocumentCache::default();
        cache.put(id(1), Record::blank(), 10);
        assert!(cache.get(id(1), &heads()).is_some());
        assert!(cache.get(id(1), &Heads::default()).is_none());
        assert!(cache.get(id(2), &heads()).is_none());
    }

    #[test]
    fn the_least_recently_used_leave_first() {
        let cache = DocumentCache::default();
        for n in 0..=u16::try_from(DOCUMENTS).unwrap() {
            cache.put(id(n), Record::blank(), 10);
            assert!(cache.get(id(0), &heads()).is_some());
        }
        assert!(cache.get(id(1), &heads()).is_none());
        assert!(cache.get(id(2), &heads()).is_some());
        cache.put(id(3), Record::blank(), BYTES - 10);
        assert!(cache.get(id(2), &heads()).is_some() && cache.get(id(3), &heads()).is_some());
        assert!(cache.get(id(4), &heads()).is_none());
        cache.put(id(3), Record::blank(), BYTES + 1);
        let entries = cache.0.lock().unwrap();
        assert!(entries.entries.is_empty() && entries.by_use.is_empty());
        assert_eq!(entries.bytes, 0);
    }
}
