//! Keeps an accepted state of a record: document, changes, receipt, rows, feeds, in one
//! transaction.

use std::collections::BTreeSet;

use automerge::ChangeHash;
use sha2::{Digest as _, Sha256};

use super::merge::Accepted;
use super::store::{
    BlobReference, ChangeMeta, EntryKind, Receipt, Rows, StoreError, StoredChange, StoredRecord,
    Writes,
};
use crate::ids::{DeviceId, Heads, RecordId, unhex};
use crate::record::Record;
use crate::record::terms::Stage;
use crate::record::view::AttachmentView;
use crate::sync::digest::Item;

/// Who handed something in, and when it was received.
#[derive(Debug, Clone, Copy)]
pub(super) struct HandedIn<'h> {
    pub(super) user: &'h str,
    pub(super) device: DeviceId,
    pub(super) at: i64,
    /// The number of the refused work that the user accepts with it.
    pub(super) quarantine: Option<u64>,
}

/// A state of a record, worked out and ready to be kept.
#[derive(Debug)]
pub(super) struct State {
    pub(super) document: Vec<u8>,
    pub(super) heads: Heads,
    pub(super) max_op: u64,
    pub(super) added: Vec<(ChangeMeta, Vec<u8>)>,
    pub(super) rows: Rows,
}

impl State {
    /// About how many bytes it takes while it waits for the writer.
    pub(super) fn size(&self) -> usize {
        let added = self.added.iter().map(|(_, bytes)| bytes.len());
        // The rows say in other words what the document says.
        added.sum::<usize>() + 3 * self.document.len()
    }

    pub(super) fn of(accepted: Accepted, at: i64) -> Self {
        Self {
            heads: accepted.record.heads(),
            rows: rows(&accepted.record, at),
            document: accepted.document,
            max_op: accepted.max_op,
            added: accepted.added,
        }
    }
}

/// The plain rows that a record makes (rule M7).
pub(super) fn rows(record: &Record, updated_at: i64) -> Rows {
    let (view, summary) = record.view_and_summary();
    let mut rows = Rows {
        summary,
        contacts: view.contacts,
        payments: view.payments,
        conflicts: view.conflicts,
        attachments: view.attachments.into_iter().filter_map(named).collect(),
        updated_at,
        accepted_at: record.accepted_at(),
    };
    rows.attachments.sort();
    rows.contacts.sort_by(|one, other| one.id.cmp(&other.id));
    rows.payments.sort_by(|one, other| one.id.cmp(&other.id));
    rows.conflicts.sort_by(|one, other| one.path.cmp(&other.path));
    rows
}

/// An attachment as its row has it; one whose key is no hash names no blob.
fn named(attachment: AttachmentView) -> Option<BlobReference> {
    let name = unhex(&attachment.sha256)?.try_into().ok()?;
    let AttachmentView { media_type, size, by, .. } = attachment;
    Some(BlobReference { name, media_type, size, by })
}

/// Keeps a state that follows `before`, or is the record's first; gives the receipt's number.
pub(super) fn keep(
    tx: &mut dyn Writes,
    id: RecordId,
    before: Option<&StoredRecord>,
    state: &State,
    by: HandedIn<'_>,
) -> Result<u64, StoreError> {
    let held = before.map_or(0, |before| before.changes);
    let changes = held + state.added.len() as u64;
    let record = StoredRecord {
        case_no: state.rows.summary.case_no.clone(),
        heads: state.heads.clone(),
        max_op: state.max_op,
        changes,
        created_at: before.map_or(by.at, |before| before.created_at),
        updated_at: by.at,
        document: state.document.clone(),
    };
    tx.put_record(id, &record)?;
    for (ordinal, (known, bytes)) in (held + 1..).zip(&state.added) {
        let kept = StoredChange {
            ordinal,
            meta: known.clone(),
            received_at: by.at,
            device: by.device,
            user: by.user.to_owned(),
            bytes: bytes.clone(),
        };
        tx.add_change(id, &kept)?;
    }
    let hashes = state.added.iter().map(|(known, _)| known.hash).collect();
    let receipt = next_receipt(id, tx.last_receipt(id)?.as_ref(), hashes, by);
    tx.add_receipt(id, &receipt)?;

    let summary = &state.rows.summary;
    let reviewed = summary.stage == Stage::Reviewed;
    let assigned = if reviewed { tx.assigned(id)? } else { Vec::new() };
    let members = tx.collectors(id)?;
    tx.put_rows(id, &state.rows)?;
    let old = before.map(|before| Item::of(id, &before.heads));
    let new = Item::of(id, &state.heads);
    // The feeds come last, in order of their names (rule F2).
    // Whom it has left by age does not get it again for what others add to it (rule F5).
    let stays_away =
        |name: &String| assigned.contains(name) && !members.contains(name) && name != by.user;
    let after: BTreeSet<&String> =
        summary.collectors.iter().filter(|name| !stays_away(name)).collect();
    let members: BTreeSet<&String> = members.iter().collect();
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
        tx.append(feed, id, kind, changes, digest)?;
    }
    Ok(receipt.n)
}

/// The receipt that follows another (rule M5).
fn next_receipt(
    record: RecordId,
    last: Option<&Receipt>,
    hashes: Vec<ChangeHash>,
    by: HandedIn<'_>,
) -> Receipt {
    let mut receipt = Receipt {
        n: last.map_or(1, |last| last.n + 1),
        hashes,
        device: by.device,
        user: by.user.to_owned(),
        received_at: by.at,
        quarantine: by.quarantine,
        previous: last.map_or([0; 32], |last| last.hash),
        hash: [0; 32],
    };
    receipt.hash = receipt_hash(record, &receipt);
    receipt
}

/// SHA-256 over everything that a receipt says. The one field without a fixed length, beside the
/// hashes at the end, has its length before it. A receipt for work that somebody accepted begins
/// with a mark, which no hash before it can be.
pub(super) fn receipt_hash(record: RecordId, receipt: &Receipt) -> [u8; 32] {
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
