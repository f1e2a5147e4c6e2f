//! One page of a feed for a device (rules R3 to R5, F1, F3), read in one state of the store.

use std::collections::{BTreeMap, BTreeSet};

use super::store::{EntryKind, FeedEntry, Reads, StoreError, Stored};
use crate::ids::{DeviceId, Heads, RecordId, device_of};
use crate::record::Record;
use crate::sync::digest::Digest;
use crate::sync::message::{Chunk, Content, Cursor, Entry, MAX_BODY, UNSURE};

/// The most bytes of a page, whatever is asked for: half a body, since the last entry may go past
/// the mark by one whole document.
const MOST: usize = MAX_BODY / 2;

/// The least bytes of a page: less than this makes rounds, not progress.
const LEAST: usize = 4 * 1024;

/// What an entry costs beside its bytes: record id, a head, and the frame of CBOR.
const FRAME: usize = 64;

/// Bytes of changes beyond which the whole document is sent instead.
const LONG: usize = 256 * 1024;

/// Entries read at once.
const BATCH: u32 = 256;

/// What a device asks for.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) user: String,
    pub(super) device: DeviceId,
    pub(super) cursor: Cursor,
    pub(super) want: Vec<RecordId>,
    pub(super) max_bytes: u32,
    /// Heads that the results of this same request tell the device.
    pub(super) merged: BTreeMap<RecordId, Heads>,
}

/// What it gets.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    pub(super) cursor: Cursor,
    pub(super) remaining: u64,
    pub(super) digest: Digest,
}

/// Reads the page after a cursor. It has at least one entry where the feed has one, so that every
/// round makes progress.
pub(super) fn page(reads: &mut dyn Reads, ask: &Ask) -> Result<Page, StoreError> {
    let epoch = reads.epoch()?;
    let feed = reads.feed(&ask.user)?;
    // A cursor of another life of the store says nothing here: everything again (rule P3).
    let known_life = ask.cursor.epoch == epoch && ask.cursor.seq <= feed.seq;
    let (from, base) = match known_life {
        true => (ask.cursor.seq, ask.cursor.base),
        false if ask.cursor == Cursor::default() => (0, 0),
        false => (0, UNSURE),
    };
    let stranger = base == UNSURE;
    let held = if stranger { 0 } else { base.min(from) };
    let mut filling = Filling::new(ask.max_bytes);

    let want: BTreeSet<RecordId> = ask.want.iter().copied().collect();
    let mut sent = BTreeSet::new();
    for record in &want {
        let content = wanted(reads, ask, *record)?;
        if !filling.take(*record, content) {
            break;
        }
        sent.insert(*record);
    }

    let mut at = from;
    'feed: loop {
        let batch = reads.entries_after(&ask.user, at, BATCH)?;
        let Some(last) = batch.last() else { break };
        let end = last.seq;
        for entry in batch {
            let content = match sent.contains(&entry.record) {
                true => None,
                false => content(reads, ask, entry, held, stranger)?,
            };
            if let Some(content) = content
                && !filling.take(entry.record, content)
            {
                break 'feed;
            }
            at = entry.seq;
        }
        if at == end && filling.full() {
            break;
        }
    }
    let remaining = reads.count_after(&ask.user, at)?;
    // Behind the last entry that stands there may be numbers of entries that were replaced. Only
    // a pass that is over says what the device holds.
    let (seq, base) = if remaining == 0 { (feed.seq, feed.seq) } else { (at, base) };
    Ok(Page {
        entries: filling.entries,
        cursor: Cursor { epoch, seq, base },
        remaining,
        digest: feed.digest,
    })
}

/// Entries that fit into the bytes that were asked for.
struct Filling {
    entries: Vec<Entry>,
    used: usize,
    budget: usize,
}

impl Filling {
    fn new(max_bytes: u32) -> Self {
        let budget = usize::try_from(max_bytes).unwrap_or(MOST).clamp(LEAST, MOST);
        Self { entries: Vec::new(), used: 0, budget }
    }

    /// Takes an entry if it fits, or is the first.
    fn take(&mut self, record: RecordId, content: Content) -> bool {
        let bytes = FRAME
            + match &content {
                Content::Changes { changes, .. } => changes.iter().map(|chunk| chunk.0.len()).sum(),
                Content::Whole { document, .. } => document.0.len(),
                Content::Withdrawn => 0,
            };
        if !self.entries.is_empty() && self.used + bytes > self.budget {
            return false;
        }
        self.used += bytes;
        self.entries.push(Entry { record, content });
        true
    }

    fn full(&self) -> bool {
        self.used >= self.budget
    }
}

/// A record that the device wants whole (rule D5), if it may have it.
fn wanted(reads: &mut dyn Reads, ask: &Ask, record: RecordId) -> Result<Content, StoreError> {
    match reads.entry_at(&ask.user, record, u64::MAX)?.map(|entry| entry.kind) {
        Some(EntryKind::Added | EntryKind::Changed) => whole(record, &stored(reads, record)?),
        Some(EntryKind::Withdrawn) | None => Ok(Content::Withdrawn),
    }
}

/// What the device lacks of an entry's record; `None` where that is nothing.
fn content(
    reads: &mut dyn Reads,
    ask: &Ask,
    entry: FeedEntry,
    held: u64,
    stranger: bool,
) -> Result<Option<Content>, StoreError> {
    let base = reads
        .entry_at(&ask.user, entry.record, held)?
        .filter(|base| base.kind != EntryKind::Withdrawn);
    if entry.kind == EntryKind::Withdrawn {
        // Came and went behind the device's back: there is nothing to erase.
        let known = base.is_some() || stranger;
        return Ok(known.then_some(Content::Withdrawn));
    }
    let stored = stored(reads, entry.record)?;
    let Some(base) = base else { return whole(entry.record, &stored).map(Some) };
    let changes: Vec<Chunk> = reads
        .changes_after(entry.record, base.ordinal)?
        .into_iter()
        // Not what the device wrote itself (rule R4).
        .filter(|change| device_of(&change.known.actor) != Some(ask.device))
        .map(|change| Chunk(change.bytes))
        .collect();
    if changes.is_empty() && ask.merged.get(&entry.record) == Some(&stored.heads) {
        return Ok(None);
    }
    // A long absence: the document is shorter, and its size is bounded.
    if changes.iter().map(|chunk| chunk.0.len()).sum::<usize>() > LONG {
        return whole(entry.record, &stored).map(Some);
    }
    Ok(Some(Content::Changes { changes, heads: stored.heads }))
}

fn stored(reads: &mut dyn Reads, record: RecordId) -> Result<Stored, StoreError> {
    reads
        .record(record)?
        .ok_or_else(|| StoreError::Damaged(format!("a feed names record {record}, which is gone")))
}

fn whole(record: RecordId, stored: &Stored) -> Result<Content, StoreError> {
    let loaded = Record::load(&stored.document)
        .map_err(|error| StoreError::Damaged(format!("record {record}: {error}")))?;
    Ok(Content::Whole { document: Chunk(loaded.save_plain()), heads: stored.heads.clone() })
}
