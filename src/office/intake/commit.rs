//! The commit stage: writes a verdict in one transaction with receipt, rows, feeds and decision.

use std::collections::BTreeSet;
use std::fmt;

use automerge::ChangeHash;
use sha2::{Digest as _, Sha256};

use crate::ids::{DeviceId, Heads, RecordId, unhex};
use crate::office::Office;
use crate::office::change::ChangeMeta;
use crate::office::merge::MergedRecord;
use crate::office::quarantine::add_to_quarantine;
use crate::office::store::{
    BlobReference, Decision, EntryKind, Reads, Receipt, RefusedWork, ReportFacts, Rows, StoreError,
    StoredChange, StoredRecord, Writes,
};
use crate::office::web_push::{self, GATHER_MS};
use crate::record::Record;
use crate::record::terms::Stage;
use crate::record::view::{AttachmentView, VisitView};
use crate::sync::digest::Item;

/// The result of judging one item.
#[expect(clippy::large_enum_variant, reason = "one at a time, and moved once")]
pub(in crate::office) enum Verdict<R> {
    /// Nothing is to be written.
    Reply(R),
    /// Something is to be written, unless the basis has changed.
    Commit(Commit<R>),
}

/// What is to be written for one item, and the reply once it is.
pub(in crate::office) enum Commit<R> {
    /// Accepted states of the record.
    Accept(AcceptedWork<R>),
    /// Work that is not merged.
    Quarantine {
        /// The work.
        work: RefusedWork,
        /// Makes the reply from the number of the work, `None` where the quarantine is full.
        reply: Box<dyn Fn(Option<u64>) -> R + Send>,
    },
}

/// States to be stored in one transaction.
pub(in crate::office) struct AcceptedWork<R> {
    /// The state that they follow; `None` for a new record.
    pub(in crate::office) before: Option<Predecessor>,
    /// States that follow one another. The first gets the receipt for accepted quarantined work.
    pub(in crate::office) states: Vec<AcceptedState>,
    pub(in crate::office) provenance: Provenance,
    /// The decision on quarantined work that this carries out; its receipt is filled in.
    pub(in crate::office) decision: Option<(u64, Decision)>,
    /// Makes the reply, at the end of the transaction.
    pub(in crate::office) reply: Box<Reply<R>>,
}

type Reply<R> = dyn Fn(&mut dyn Writes) -> Result<R, StoreError> + Send;

impl<R> Commit<R> {
    /// About how many bytes it occupies while it waits for the writer.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Accept(work) => work.states.iter().map(AcceptedState::size).sum(),
            Self::Quarantine { work, .. } => work.changes.iter().map(Vec::len).sum(),
        }
    }

    /// Announces the reads of [`write`](Self::write).
    pub(super) fn announce(&self, reads: &mut dyn Reads, record: RecordId) {
        let Self::Accept(AcceptedWork { states, .. }) = self else { return };
        drop(reads.last_receipt(record));
        drop(reads.assigned(record));
        drop(reads.collectors(record));
        // Most work leaves the collectors as they are.
        let after = states.last().map_or(&[][..], |state| state.rows.summary.collectors.as_slice());
        announce_feeds(reads, record, after);
    }

    /// Writes it and makes the reply.
    pub(super) fn write(&self, tx: &mut dyn Writes, record: RecordId) -> Result<R, StoreError> {
        match self {
            Self::Accept(work) => work.write(tx, record),
            Self::Quarantine { work, reply } => Ok(reply(add_to_quarantine(tx, work)?)),
        }
    }
}

impl<R> AcceptedWork<R> {
    fn write(&self, tx: &mut dyn Writes, record: RecordId) -> Result<R, StoreError> {
        let mut provenance = self.provenance.clone();
        let mut before = self.before.clone();
        let mut first_receipt = None;
        for state in &self.states {
            let (receipt, stored) = commit(tx, record, before.as_ref(), state, &provenance)?;
            first_receipt = first_receipt.or(Some(receipt));
            provenance.quarantine = None;
            before = Some(stored);
        }
        if let Some((number, decision)) = &self.decision {
            tx.decide(*number, &Decision { receipt: first_receipt, ..decision.clone() })?;
        }
        (self.reply)(tx)
    }
}

impl<R> fmt::Debug for Verdict<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reply(_) => "Reply",
            Self::Commit(Commit::Accept(_)) => "Accept",
            Self::Commit(Commit::Quarantine { .. }) => "Quarantine",
        })
    }
}

/// What the commit needs of the state before.
#[derive(Debug, Clone)]
pub(in crate::office) struct Predecessor {
    heads: Heads,
    changes: u64,
    created_at: i64,
}

impl Predecessor {
    pub(in crate::office) fn of(stored: &StoredRecord) -> Self {
        let StoredRecord { changes, created_at, .. } = *stored;
        Self { heads: stored.heads.clone(), changes, created_at }
    }
}

/// Who handed work in, and when it was received.
#[derive(Debug, Clone)]
pub(in crate::office) struct Provenance {
    pub(in crate::office) user: String,
    pub(in crate::office) device: DeviceId,
    /// By the office's clock, ms.
    pub(in crate::office) at: i64,
    /// The number of the quarantined work that the user accepts with it.
    pub(in crate::office) quarantine: Option<u64>,
}

/// A state of a record that has been judged and is ready to be stored.
#[derive(Debug)]
pub(in crate::office) struct AcceptedState {
    pub(in crate::office) document: Vec<u8>,
    pub(in crate::office) heads: Heads,
    pub(in crate::office) max_op: u64,
    pub(in crate::office) added: Vec<(ChangeMeta, Vec<u8>)>,
    pub(in crate::office) rows: Rows,
    /// The time of the seal, ms, where the record is drawn for an audit.
    pub(in crate::office) audited_seal: Option<i64>,
}

impl AcceptedState {
    /// About how many bytes it occupies while it waits for the writer.
    fn size(&self) -> usize {
        let added = self.added.iter().map(|(_, bytes)| bytes.len());
        // The rows repeat most of the document.
        added.sum::<usize>() + 3 * self.document.len()
    }

    /// The state to be stored; its document stays in memory for the next judgement.
    pub(in crate::office) fn of(
        office: &Office,
        id: RecordId,
        merged: MergedRecord,
        at: i64,
    ) -> Self {
        let MergedRecord { record, view, document, uncompressed, added, max_op } = merged;
        let audited_seal = office.audited_seal(id, &view);
        let (heads, rows) = (record.heads(), rows_of(&record, view, at));
        office.documents.put(id, record, uncompressed);
        Self { document, heads, max_op, added, rows, audited_seal }
    }

    fn stored(&self, before: Option<&Predecessor>, at: i64) -> StoredRecord {
        StoredRecord {
            case_no: self.rows.summary.case_no.clone(),
            heads: self.heads.clone(),
            max_op: self.max_op,
            changes: before.map_or(0, |before| before.changes) + self.added.len() as u64,
            created_at: before.map_or(at, |before| before.created_at),
            updated_at: at,
            document: self.document.clone(),
        }
    }
}

/// The rows derived from a record (rule M7).
pub(in crate::office) fn rows(record: &Record, updated_at: i64) -> Rows {
    rows_of(record, record.view(), updated_at)
}

fn rows_of(record: &Record, view: VisitView, updated_at: i64) -> Rows {
    let reviewed = view.stage == Stage::Reviewed;
    let mut rows = Rows {
        summary: Record::summary_of(&view),
        facts: ReportFacts::of(&view),
        contacts: view.contacts,
        payments: view.payments,
        conflicts: view.conflicts,
        attachments: view.attachments.into_iter().filter_map(blob_reference).collect(),
        updated_at,
        accepted_at: if reviewed { record.accepted_at() } else { None },
    };
    rows.attachments.sort();
    rows.contacts.sort_by(|one, other| one.id.cmp(&other.id));
    rows.payments.sort_by(|one, other| one.id.cmp(&other.id));
    rows.conflicts.sort_by(|one, other| one.path.cmp(&other.path));
    rows
}

/// The row of an attachment; a key that is not a hash names no blob.
fn blob_reference(attachment: AttachmentView) -> Option<BlobReference> {
    let name = unhex(&attachment.sha256)?.try_into().ok()?;
    let AttachmentView { media_type, size, by, .. } = attachment;
    Some(BlobReference { name, media_type, size, by })
}

/// Stores a state that follows `before`, or is the record's first. Gives the receipt's number, and
/// what the commit of a further state needs of this one.
pub(in crate::office) fn commit(
    tx: &mut dyn Writes,
    id: RecordId,
    before: Option<&Predecessor>,
    state: &AcceptedState,
    provenance: &Provenance,
) -> Result<(u64, Predecessor), StoreError> {
    let Provenance { user, device, at, quarantine: _ } = provenance;
    let stored = state.stored(before, *at);
    let (ordinal, last) = (before.map_or(0, |before| before.changes), stored.changes);
    tx.put_record(id, &stored)?;
    for (ordinal, (meta, bytes)) in (ordinal + 1..).zip(&state.added) {
        let change = StoredChange {
            ordinal,
            meta: meta.clone(),
            received_at: *at,
            device: *device,
            user: user.clone(),
            bytes: bytes.clone(),
        };
        tx.add_change(id, &change)?;
    }
    let hashes = state.added.iter().map(|(meta, _)| meta.hash).collect();
    let receipt = next_receipt(id, tx.last_receipt(id)?.as_ref(), hashes, provenance);
    tx.add_receipt(id, &receipt)?;

    let summary = &state.rows.summary;
    let reviewed = summary.stage == Stage::Reviewed;
    let assigned = if reviewed { tx.assigned(id)? } else { Vec::new() };
    let members = tx.collectors(id)?;
    // Collectors are not notified of their own work.
    let others = members.iter().any(|name| name != user);
    let basis = if others { tx.notice_basis(id)? } else { None };
    tx.put_rows(id, &state.rows)?;
    if let Some(sealed_at) = state.audited_seal {
        tx.draw_audit_sample(id, sealed_at, *at)?;
    }
    let old = before.map(|before| Item::of(id, &before.heads));
    let new = Item::of(id, &state.heads);
    // Don't re-send an expired record because of other users' edits (rule F5).
    let expired =
        |name: &String| assigned.contains(name) && !members.contains(name) && name != user;
    let after: BTreeSet<&String> =
        summary.collectors.iter().filter(|name| !expired(name)).collect();
    let members: BTreeSet<&String> = members.iter().collect();
    tx.prefetch(&mut |reads| announce_feeds(reads, id, members.union(&after)));
    // The feeds come last, in order of their names (rule F2).
    for feed in members.union(&after) {
        let mut digest = tx.feed(feed)?.digest;
        if let (true, Some(old)) = (members.contains(feed), old) {
            digest.remove(old);
        }
        if after.contains(feed) {
            digest.add(new);
        }
        let kind = match (members.contains(feed), after.contains(feed)) {
            (true, true) => EntryKind::Changed,
            (true, false) => EntryKind::Withdrawn,
            (false, _) => EntryKind::Added,
        };
        tx.append(feed, id, kind, last, digest)?;
        if let Some(notice) = web_push::notice_about(kind, basis.as_ref(), summary)
            && *feed != user
        {
            tx.queue_notice(feed, notice, at + GATHER_MS)?;
        }
    }
    Ok((receipt.n, Predecessor::of(&stored)))
}

fn announce_feeds(
    reads: &mut dyn Reads,
    record: RecordId,
    feeds: impl IntoIterator<Item = impl AsRef<str>>,
) {
    for feed in feeds {
        drop(reads.feed(feed.as_ref()));
        drop(reads.entry_at(feed.as_ref(), record, u64::MAX));
    }
}

/// The next receipt of the chain (rule M5).
fn next_receipt(
    record: RecordId,
    last: Option<&Receipt>,
    hashes: Vec<ChangeHash>,
    provenance: &Provenance,
) -> Receipt {
    let mut receipt = Receipt {
        n: last.map_or(1, |last| last.n + 1),
        hashes,
        device: provenance.device,
        user: provenance.user.clone(),
        received_at: provenance.at,
        quarantine: provenance.quarantine,
        previous: last.map_or([0; 32], |last| last.hash),
        hash: [0; 32],
    };
    receipt.hash = receipt_hash(record, &receipt);
    receipt
}

/// SHA-256 over all fields of a receipt. The user, whose length varies, is preceded by its length;
/// the hashes come last. A receipt for accepted quarantined work begins with a domain separator,
/// which cannot be the hash of a previous receipt.
pub(in crate::office) fn receipt_hash(record: RecordId, receipt: &Receipt) -> [u8; 32] {
    let mut hasher = Sha256::new();
    if let Some(quarantine) = receipt.quarantine {
        hasher.update(b"doorstep receipt of accepted work 1");
        hasher.update(quarantine.to_be_bytes());
    }
    hasher.update(receipt.previous);
    hasher.update(record.0);
    hasher.update(receipt.n.to_be_bytes());
    hasher.update(receipt.device.0);
    hasher.update(receipt.received_at.to_be_bytes());
    hasher.update((receipt.user.len() as u64).to_be_bytes());
    hasher.update(receipt.user.as_bytes());
    for hash in &receipt.hashes {
        hasher.update(hash.0);
    }
    hasher.finalize().into()
}
