//! One page of a feed for a device (rules R3 to R5, F1, F3), read from one snapshot of the store.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Sink, Write};

use automerge::{Change, ChangeHash};
use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::ids::{DeviceId, Heads, RecordId, device_of};
use crate::office::attestation::Attestor;
use crate::office::store::{EntryKind, FeedEntry, Reads, StoreError, StoredRecord};
use crate::record::Record;
use crate::sync::digest::Digest;
use crate::sync::document;
use crate::sync::message::{
    Chunk, Cursor, MAX_BODY, Packed, RecordUpdate, StateToken, Tables, UpdateContent, Want,
};
use crate::sync::packed::Packer;
use crate::sync::ranges::{self, Differing, Range};

/// Upper limit of a page's bytes as sent, whatever the device requests.
const MAX_BYTES: usize = MAX_BODY / 2;

/// The most bytes of updates once inflated: the rest of the body is for results and ranges.
const MAX_INFLATED: usize = MAX_BODY / 4 * 3;

/// The least bytes of a page: smaller pages would cost more in requests than they carry.
const MIN_BYTES: usize = 4 * 1024;

/// Overhead of an update: record id, a head, and CBOR framing.
const OVERHEAD: usize = 64;

/// Bytes of changes beyond which the whole document is sent instead.
const MAX_CHANGES_BYTES: usize = 256 * 1024;

/// Bytes of documents that are loaded to answer `want`, of which only a few may be sent. A device
/// asks again for what it did not get.
const MAX_LOADED_BYTES: usize = 8 * 1024 * 1024;

/// Entries read at a time.
const BATCH: u32 = 256;

/// Entries whose contents are announced at a time: their documents are in memory together.
const ANNOUNCED: usize = 32;

/// The most entries of a page that is read without another thread.
const MAX_LIGHT: u32 = 8;

/// A device's request for a page.
pub(in crate::office) struct PageRequest {
    pub(in crate::office) user: String,
    pub(in crate::office) device: DeviceId,
    pub(in crate::office) cursor: Cursor,
    pub(in crate::office) want: Vec<Want>,
    pub(in crate::office) ranges: Vec<Range>,
    pub(in crate::office) max_bytes: u32,
    /// Heads that the results of this request tell the device.
    pub(in crate::office) merged: BTreeMap<RecordId, Heads>,
    /// Changes that the device restored in this request.
    pub(in crate::office) restored: BTreeSet<ChangeHash>,
    pub(in crate::office) attestor: Attestor,
}

impl PageRequest {
    fn state_token(&self, record: RecordId, heads: &Heads) -> StateToken {
        self.attestor.state_token(&self.user, record, heads)
    }
}

/// A page.
#[derive(Debug)]
pub(in crate::office) struct Page {
    pub(in crate::office) tables: Tables,
    pub(in crate::office) entries: Vec<RecordUpdate>,
    pub(in crate::office) differing: Differing,
    pub(in crate::office) cursor: Cursor,
    pub(in crate::office) remaining: u64,
    pub(in crate::office) digest: Digest,
}

/// Whether the page takes a few lookups by key: the device asks for nothing, and nothing is new but
/// what this request brought.
pub(in crate::office) fn is_light(
    reads: &mut dyn Reads,
    request: &PageRequest,
) -> Result<bool, StoreError> {
    let PageRequest { cursor, want, ranges, merged, .. } = request;
    if !want.is_empty() || !ranges.is_empty() || cursor.epoch != reads.epoch()? {
        return Ok(false);
    }
    let entries = reads.entries_after(&request.user, cursor.seq, MAX_LIGHT)?;
    let few = entries.len() < MAX_LIGHT as usize;
    Ok(few && entries.iter().all(|entry| merged.contains_key(&entry.record)))
}

/// Announces the reads with which [`page`] begins.
pub(in crate::office) fn announce(reads: &mut dyn Reads, request: &PageRequest) {
    drop(reads.epoch());
    drop(reads.feed(&request.user));
    drop(reads.entries_after(&request.user, request.cursor.seq, BATCH));
}

/// Announces the reads of [`content`] for some entries, as far as they fit into memory at once.
fn announce_contents(
    reads: &mut dyn Reads,
    request: &PageRequest,
    entries: &[FeedEntry],
    held: u64,
) {
    reads.prefetch(&mut |reads| {
        for entry in entries {
            drop(reads.entry_at(&request.user, entry.record, held));
            drop(reads.heads(entry.record));
        }
    });
    reads.prefetch(&mut |reads| {
        for entry in entries.iter().filter(|entry| entry.kind != EntryKind::Withdrawn) {
            let base = reads.entry_at(&request.user, entry.record, held).ok().flatten();
            match base.filter(|base| base.kind != EntryKind::Withdrawn) {
                Some(base) => drop(reads.changes_after(entry.record, base.ordinal)),
                None => drop(reads.record(entry.record)),
            }
        }
    });
}

/// Reads the page after a cursor. It has at least one update where the feed has an entry, so that
/// every round makes progress.
pub(in crate::office) fn page(
    reads: &mut dyn Reads,
    request: &PageRequest,
) -> Result<Page, StoreError> {
    let epoch = reads.epoch()?;
    let feed = reads.feed(&request.user)?;
    let same_epoch = request.cursor.epoch == epoch && request.cursor.seq <= feed.seq;
    let (from, base) = if same_epoch {
        (request.cursor.seq, request.cursor.base)
    } else if request.ranges.is_empty() && !(request.cursor.seq > 0 && request.cursor.is_whole()) {
        // The device has nothing, or was in its first sync: start from the beginning.
        (0, 0)
    } else {
        // A cursor of another epoch means nothing here. The digest shows whether anything differs,
        // and ranges find what (rule P3).
        (feed.seq, feed.seq)
    };
    let held = base.min(from);
    let mut builder = PageBuilder::new(request.max_bytes);
    let differing = differing(reads, request, builder.budget)?;

    let (mut sent, mut loaded) = (BTreeSet::new(), 0);
    for want in &request.want {
        if loaded > MAX_LOADED_BYTES {
            break;
        }
        let content = wanted(reads, request, want, &mut builder.packer, &mut loaded)?;
        if !builder.add(want.record, content) {
            break;
        }
        sent.insert(want.record);
    }

    let (mut at, mut ended) = (from, from >= feed.seq);
    'feed: while !ended {
        let batch = reads.entries_after(&request.user, at, BATCH)?;
        let Some(last) = batch.last() else { break };
        let (end, full) = (last.seq, batch.len() == BATCH as usize);
        for (n, entry) in batch.iter().copied().enumerate() {
            if n.is_multiple_of(ANNOUNCED) {
                let next = batch.get(n..batch.len().min(n + ANNOUNCED)).unwrap_or_default();
                announce_contents(reads, request, next, held);
            }
            let content = match sent.contains(&entry.record) {
                true => None,
                false => content(reads, request, entry, held, &mut builder.packer)?,
            };
            if let Some(content) = content
                && !builder.add(entry.record, content)
            {
                break 'feed;
            }
            at = entry.seq;
        }
        ended = !full;
        if at == end && builder.is_full {
            break;
        }
    }
    let remaining = if ended { 0 } else { reads.count_after(&request.user, at)? };
    // Replaced entries may have numbers after the last one. Only the end of a pass tells what the
    // device has.
    let (seq, base) = if remaining == 0 { (feed.seq, feed.seq) } else { (at, base) };
    Ok(Page {
        tables: builder.packer.into_tables(),
        entries: builder.entries,
        differing,
        cursor: Cursor { epoch, seq, base },
        remaining,
        digest: feed.digest,
    })
}

fn differing(
    reads: &mut dyn Reads,
    request: &PageRequest,
    budget: usize,
) -> Result<Differing, StoreError> {
    if request.ranges.is_empty() {
        return Ok(Differing::default());
    }
    let held: BTreeMap<RecordId, Heads> = reads.members(&request.user)?.into_iter().collect();
    Ok(ranges::compare(&request.ranges, &held, budget))
}

/// Updates that fit into the requested number of bytes, as sent.
struct PageBuilder {
    packer: Packer,
    entries: Vec<RecordUpdate>,
    /// Bytes once inflated.
    inflated: usize,
    /// Bytes as sent, without documents.
    used: usize,
    /// What the documents take: deflated here as well, fast, since text that they share decides it.
    documents: DeflateEncoder<Sink>,
    is_full: bool,
    budget: usize,
}

impl PageBuilder {
    fn new(max_bytes: u32) -> Self {
        let budget = usize::try_from(max_bytes).unwrap_or(MAX_BYTES).clamp(MIN_BYTES, MAX_BYTES);
        Self {
            packer: Packer::default(),
            entries: Vec::new(),
            inflated: 0,
            used: 0,
            documents: DeflateEncoder::new(io::sink(), Compression::fast()),
            is_full: false,
            budget,
        }
    }

    /// Adds an update if it fits, or is the first.
    fn add(&mut self, record: RecordId, content: UpdateContent) -> bool {
        if self.is_full {
            return false;
        }
        self.used += OVERHEAD;
        self.inflated += OVERHEAD;
        match &content {
            UpdateContent::Changes { changes, .. } => {
                let size: usize = changes.iter().map(Packed::size).sum();
                self.used += size;
                self.inflated += size;
            }
            UpdateContent::Document { document, .. } => {
                self.inflated += document.0.len();
                self.deflate(&document.0);
            }
            UpdateContent::Withdrawn | UpdateContent::Unknown => {}
        }
        let size = self.used as u64 + self.documents.total_out();
        self.is_full = size >= self.budget as u64 || self.inflated >= MAX_INFLATED;
        if self.is_full && !self.entries.is_empty() {
            return false;
        }
        self.entries.push(RecordUpdate { record, content });
        true
    }

    fn deflate(&mut self, document: &[u8]) {
        let written = self.documents.write_all(document).and_then(|()| self.documents.flush());
        if written.is_err() {
            unreachable!("a sink takes everything");
        }
    }
}

/// What the device lacks of a record, by its heads (rules D5, P3). Adds the bytes of documents that
/// were loaded to `loaded`.
fn wanted(
    reads: &mut dyn Reads,
    request: &PageRequest,
    want: &Want,
    packer: &mut Packer,
    loaded: &mut usize,
) -> Result<UpdateContent, StoreError> {
    match reads.entry_at(&request.user, want.record, u64::MAX)?.map(|entry| entry.kind) {
        Some(EntryKind::Added | EntryKind::Changed) => {}
        Some(EntryKind::Withdrawn) => return Ok(UpdateContent::Withdrawn),
        // Don't reveal whether there is such a record.
        None => return Ok(UpdateContent::Unknown),
    }
    let heads = heads(reads, want.record)?;
    let state_token = request.state_token(want.record, &heads);
    if want.have == heads {
        return Ok(UpdateContent::Changes { changes: Vec::new(), state_token });
    }
    let stored = stored(reads, want.record)?;
    if want.have.as_slice().is_empty() {
        return whole(request, want.record, &stored);
    }
    *loaded += stored.document.len();
    let changes = load(want.record, &stored)?.changes_after(&want.have);
    let changes = packer.pack(changes.iter().map(Change::raw_bytes));
    Ok(UpdateContent::Changes { changes, state_token })
}

/// What the device lacks of an entry's record, if anything.
fn content(
    reads: &mut dyn Reads,
    request: &PageRequest,
    entry: FeedEntry,
    held: u64,
    packer: &mut Packer,
) -> Result<Option<UpdateContent>, StoreError> {
    let base = reads
        .entry_at(&request.user, entry.record, held)?
        .filter(|base| base.kind != EntryKind::Withdrawn);
    if entry.kind == EntryKind::Withdrawn {
        // Added and withdrawn since the last page: the device has nothing to erase.
        return Ok(base.map(|_| UpdateContent::Withdrawn));
    }
    let whole = |reads: &mut dyn Reads| {
        whole(request, entry.record, &stored(reads, entry.record)?).map(Some)
    };
    let Some(base) = base else { return whole(reads) };
    let heads = heads(reads, entry.record)?;
    let mut changes = reads.changes_after(entry.record, base.ordinal)?;
    changes.retain(|change| {
        // Not what the device pushed itself (rule R4), nor what it just restored. Its own changes
        // that another user pushed, or accepted, may be unknown to it.
        let own = device_of(&change.meta.actor) == Some(request.device);
        let known = own && change.device == request.device;
        !(known || request.restored.contains(&change.meta.hash))
    });
    if changes.is_empty() && request.merged.get(&entry.record) == Some(&heads) {
        return Ok(None);
    }
    // After a long absence the document is smaller, and its size is bounded.
    if changes.iter().map(|change| change.bytes.len()).sum::<usize>() > MAX_CHANGES_BYTES {
        return whole(reads);
    }
    let changes = packer.pack(changes.iter().map(|change| change.bytes.as_slice()));
    Ok(Some(UpdateContent::Changes {
        changes,
        state_token: request.state_token(entry.record, &heads),
    }))
}

fn stored(reads: &mut dyn Reads, record: RecordId) -> Result<StoredRecord, StoreError> {
    reads.record(record)?.ok_or_else(|| unknown(record))
}

fn heads(reads: &mut dyn Reads, record: RecordId) -> Result<Heads, StoreError> {
    reads.heads(record)?.ok_or_else(|| unknown(record))
}

fn unknown(record: RecordId) -> StoreError {
    StoreError::Damaged(format!("a feed names record {record}, which does not exist"))
}

fn load(record: RecordId, stored: &StoredRecord) -> Result<Record, StoreError> {
    Record::load(&stored.document)
        .map_err(|error| StoreError::Damaged(format!("record {record}: {error}")))
}

fn whole(
    request: &PageRequest,
    record: RecordId,
    stored: &StoredRecord,
) -> Result<UpdateContent, StoreError> {
    let document = match document::inflate(&stored.document) {
        Ok(document) => Chunk(document),
        // Damaged, or of a form that the office does not write.
        Err(_) => Chunk(load(record, stored)?.save_uncompressed()),
    };
    let state_token = request.state_token(record, &stored.heads);
    Ok(UpdateContent::Document { document, state_token })
}
