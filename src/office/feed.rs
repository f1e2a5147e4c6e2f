//! One page of a feed for a device (rules R3 to R5, F1, F3), read in one state of the store.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Change, ChangeHash};

use super::attestation::Attestor;
use super::store::{EntryKind, FeedEntry, Reads, StoreError, Stored};
use crate::ids::{DeviceId, Heads, RecordId, device_of};
use crate::record::Record;
use crate::sync::digest::Digest;
use crate::sync::message::{
    Chunk, Cursor, MAX_BODY, Packed, RecordUpdate, StateToken, Tables, UpdateContent, Want,
};
use crate::sync::packed::Packer;
use crate::sync::ranges::{self, Differing, Range};

/// The most bytes of a page, whatever is asked for: half a body, since the last entry may go past
/// the mark by one whole document.
const MOST: usize = MAX_BODY / 2;

/// The least bytes of a page: less than this makes rounds, not progress.
const LEAST: usize = 4 * 1024;

/// What an entry costs beside its bytes: record id, a head, and the frame of CBOR.
const FRAME: usize = 64;

/// Bytes of changes beyond which the whole document is sent instead.
const LONG: usize = 256 * 1024;

/// Bytes of documents that are loaded for what a device wants, of which little may travel. What
/// does not come now is wanted again.
const LOADED: usize = 8 * 1024 * 1024;

/// Entries read at once.
const BATCH: u32 = 256;

/// What a device asks for.
pub(super) struct Ask {
    pub(super) user: String,
    pub(super) device: DeviceId,
    pub(super) cursor: Cursor,
    pub(super) want: Vec<Want>,
    pub(super) ranges: Vec<Range>,
    pub(super) max_bytes: u32,
    /// Heads that the results of this same request tell the device.
    pub(super) merged: BTreeMap<RecordId, Heads>,
    /// Changes that it brought with this request.
    pub(super) restored: BTreeSet<ChangeHash>,
    pub(super) attestor: Attestor,
}

impl Ask {
    fn state_token(&self, record: RecordId, stored: &Stored) -> StateToken {
        self.attestor.state_token(&self.user, record, &stored.heads)
    }
}

/// What it gets.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) tables: Tables,
    pub(super) entries: Vec<RecordUpdate>,
    pub(super) differing: Differing,
    pub(super) cursor: Cursor,
    pub(super) remaining: u64,
    pub(super) digest: Digest,
}

/// Reads the page after a cursor. It has at least one entry where the feed has one, so that every
/// round makes progress.
pub(super) fn page(reads: &mut dyn Reads, ask: &Ask) -> Result<Page, StoreError> {
    let epoch = reads.epoch()?;
    let feed = reads.feed(&ask.user)?;
    let known_life = ask.cursor.epoch == epoch && ask.cursor.seq <= feed.seq;
    let (from, base) = if known_life {
        (ask.cursor.seq, ask.cursor.base)
    } else if ask.ranges.is_empty() && !(ask.cursor.seq > 0 && ask.cursor.is_whole()) {
        // Nothing is held, or a first sync was under way: from the beginning.
        (0, 0)
    } else {
        // A cursor of another life of the store says nothing here. The digest tells whether
        // anything differs, and ranges find out what (rule P3).
        (feed.seq, feed.seq)
    };
    let held = base.min(from);
    let mut filling = Filling::new(ask.max_bytes);
    let differing = differing(reads, ask, filling.budget)?;

    let (mut sent, mut loaded) = (BTreeSet::new(), 0);
    for want in &ask.want {
        if loaded > LOADED {
            break;
        }
        let content = wanted(reads, ask, want, &mut filling.packer, &mut loaded)?;
        if !filling.take(want.record, content) {
            break;
        }
        sent.insert(want.record);
    }

    let mut at = from;
    'feed: loop {
        let batch = reads.entries_after(&ask.user, at, BATCH)?;
        let Some(last) = batch.last() else { break };
        let end = last.seq;
        for entry in batch {
            let content = match sent.contains(&entry.record) {
                true => None,
                false => content(reads, ask, entry, held, &mut filling.packer)?,
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
        tables: filling.packer.into_tables(),
        entries: filling.entries,
        differing,
        cursor: Cursor { epoch, seq, base },
        remaining,
        digest: feed.digest,
    })
}

fn differing(reads: &mut dyn Reads, ask: &Ask, budget: usize) -> Result<Differing, StoreError> {
    if ask.ranges.is_empty() {
        return Ok(Differing::default());
    }
    let held: BTreeMap<RecordId, Heads> = reads.members(&ask.user)?.into_iter().collect();
    Ok(ranges::compare(&ask.ranges, &held, budget))
}

/// Entries that fit into the bytes that were asked for.
struct Filling {
    packer: Packer,
    entries: Vec<RecordUpdate>,
    used: usize,
    budget: usize,
}

impl Filling {
    fn new(max_bytes: u32) -> Self {
        let budget = usize::try_from(max_bytes).unwrap_or(MOST).clamp(LEAST, MOST);
        Self { packer: Packer::default(), entries: Vec::new(), used: 0, budget }
    }

    /// Takes an entry if it fits, or is the first.
    fn take(&mut self, record: RecordId, content: UpdateContent) -> bool {
        let bytes = FRAME
            + match &content {
                UpdateContent::Changes { changes, .. } => changes.iter().map(Packed::size).sum(),
                UpdateContent::Document { document, .. } => document.0.len(),
                UpdateContent::Withdrawn | UpdateContent::Unknown => 0,
            };
        if !self.entries.is_empty() && self.used + bytes > self.budget {
            return false;
        }
        self.used += bytes;
        self.entries.push(RecordUpdate { record, content });
        true
    }

    fn full(&self) -> bool {
        self.used >= self.budget
    }
}

/// What the device lacks of a record, by what it has (rules D5, P3). Adds to `loaded` what was
/// loaded for that.
fn wanted(
    reads: &mut dyn Reads,
    ask: &Ask,
    want: &Want,
    packer: &mut Packer,
    loaded: &mut usize,
) -> Result<UpdateContent, StoreError> {
    match reads.entry_at(&ask.user, want.record, u64::MAX)?.map(|entry| entry.kind) {
        Some(EntryKind::Added | EntryKind::Changed) => {}
        Some(EntryKind::Withdrawn) => return Ok(UpdateContent::Withdrawn),
        // Whether there is one is not the device's to know.
        None => return Ok(UpdateContent::Unknown),
    }
    let stored = stored(reads, want.record)?;
    if want.have.as_slice().is_empty() {
        return whole(ask, want.record, &stored);
    }
    let state_token = ask.state_token(want.record, &stored);
    if want.have == stored.heads {
        return Ok(UpdateContent::Changes { changes: Vec::new(), state_token });
    }
    *loaded += stored.document.len();
    let changes = load(want.record, &stored)?.changes_after(&want.have);
    let changes = packer.pack(changes.iter().map(Change::raw_bytes));
    Ok(UpdateContent::Changes { changes, state_token })
}

/// What the device lacks of an entry's record; `None` where that is nothing.
fn content(
    reads: &mut dyn Reads,
    ask: &Ask,
    entry: FeedEntry,
    held: u64,
    packer: &mut Packer,
) -> Result<Option<UpdateContent>, StoreError> {
    let base = reads
        .entry_at(&ask.user, entry.record, held)?
        .filter(|base| base.kind != EntryKind::Withdrawn);
    if entry.kind == EntryKind::Withdrawn {
        // Came and went behind the device's back: there is nothing to erase.
        return Ok(base.map(|_| UpdateContent::Withdrawn));
    }
    let stored = stored(reads, entry.record)?;
    let Some(base) = base else { return whole(ask, entry.record, &stored).map(Some) };
    let mut changes = reads.changes_after(entry.record, base.ordinal)?;
    changes.retain(|change| {
        // Not what the device handed in itself (rule R4), nor what it just brought. What it wrote
        // and somebody else handed in, or accepted, it may not know to be here.
        let own = device_of(&change.known.actor) == Some(ask.device);
        let known = own && change.device == ask.device;
        !(known || ask.restored.contains(&change.known.hash))
    });
    if changes.is_empty() && ask.merged.get(&entry.record) == Some(&stored.heads) {
        return Ok(None);
    }
    // A long absence: the document is shorter, and its size is bounded.
    if changes.iter().map(|change| change.bytes.len()).sum::<usize>() > LONG {
        return whole(ask, entry.record, &stored).map(Some);
    }
    let changes = packer.pack(changes.iter().map(|change| change.bytes.as_slice()));
    Ok(Some(UpdateContent::Changes {
        changes,
        state_token: ask.state_token(entry.record, &stored),
    }))
}

fn stored(reads: &mut dyn Reads, record: RecordId) -> Result<Stored, StoreError> {
    reads
        .record(record)?
        .ok_or_else(|| StoreError::Damaged(format!("a feed names record {record}, which is gone")))
}

fn load(record: RecordId, stored: &Stored) -> Result<Record, StoreError> {
    Record::load(&stored.document)
        .map_err(|error| StoreError::Damaged(format!("record {record}: {error}")))
}

fn whole(ask: &Ask, record: RecordId, stored: &Stored) -> Result<UpdateContent, StoreError> {
    let document = Chunk(load(record, stored)?.save_uncompressed());
    Ok(UpdateContent::Document { document, state_token: ask.state_token(record, stored) })
}
