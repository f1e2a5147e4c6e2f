//! Signatures under a seal: each collector signs, with the key of their device, the state that
//! they saw and the text that was read back.
//!
//! What is signed is a [statement](Statement) that names everything and leaves nothing to the
//! reader: the heads are hashes over all that the record said.

use std::collections::BTreeMap;

use automerge::{Automerge, ObjId, PatchAction, Prop, ReadDoc, ScalarValue};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::reader::{EntryReader, Reader};
use super::schema::{self, WriteWindow, Writers};
use super::view::SignatureView;
use super::{genesis, history, stage};
use crate::ids::{Heads, hex, unhex};

/// First line of every statement: a signature under it says nothing anywhere else.
const DOMAIN: &str = "doorstep seal 1";

/// What a collector signs.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'s> {
    /// The record's id.
    pub record: &'s str,
    /// The state that is signed.
    pub heads: &'s Heads,
    /// Device id, hex.
    pub device: &'s str,
    /// The device's clock, ms.
    pub at: i64,
    /// The text that was read back, as it was shown.
    pub text: &'s str,
    /// Sign-in name.
    pub user: &'s str,
}

impl Statement<'_> {
    /// The bytes that are signed: lines of `name: value`. The name of the user, the only value
    /// that is not of a closed form, stands last, so that no two statements are the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { record, heads, device, at, text, user } = self;
        let heads = heads.to_hex().join(" ");
        let text = hex(&Sha256::digest(text.as_bytes()));
        format!(
            "{DOMAIN}\nrecord: {record}\nheads: {heads}\ndevice: {device}\nat: {at}\n\
             text-sha256: {text}\nuser: {user}"
        )
        .into_bytes()
    }

    /// Whether a signature, 128 hex digits, is one over this statement by a key, 64 hex digits.
    pub fn is_signed(&self, key: &str, signature: &str) -> bool {
        let bytes = |text: &str| unhex(text).filter(|bytes| hex(bytes) == text);
        let key = bytes(key).and_then(|bytes| VerifyingKey::try_from(bytes.as_slice()).ok());
        let signature = bytes(signature).and_then(|bytes| Signature::from_slice(&bytes).ok());
        // Strict: a signature that several keys or statements would fit is none.
        key.zip(signature)
            .is_some_and(|(key, signature)| key.verify_strict(&self.to_bytes(), &signature).is_ok())
    }
}

/// Every signature, oldest first.
pub(super) fn signatures(doc: &Automerge) -> Vec<SignatureView> {
    // A record that was returned or reopened is open until it is sealed again.
    let sealed = stage::of(doc, None).is_sealed();
    let seals = if sealed { sealed_at(doc, None) } else { Vec::new() };
    let mut known: BTreeMap<Vec<String>, bool> = BTreeMap::new();
    let with_state = |(_, mut said): (ObjId, SignatureView)| {
        if let Some(heads) = named(doc, &said.heads) {
            let changed =
                known.entry(said.heads.clone()).or_insert_with(|| content_changed(doc, &heads));
            said.changed = *changed;
            let seen = sealed_at(doc, Some(&heads));
            said.standing = !said.changed && seen.iter().any(|at| seals.contains(at));
        }
        said
    };
    entries(doc).into_iter().map(with_state).collect()
}

/// The same with the object of each; whether it still stands is left out.
pub(super) fn entries(doc: &Automerge) -> Vec<(ObjId, SignatureView)> {
    let read = Reader::new(doc, None);
    let record = read.text(&[], "id");
    let entry = |(id, entry): (String, EntryReader<'_>)| {
        let mut said = SignatureView {
            id,
            at: entry.time("at").unwrap_or(0),
            by: entry.text("by"),
            device: entry.text("device"),
            key: entry.text("key"),
            heads: entry.text("heads").split(' ').map(str::to_owned).collect(),
            text: entry.text("text"),
            signature: entry.text("signature"),
            sound: false,
            changed: false,
            standing: false,
        };
        if let Some(heads) = named(doc, &said.heads) {
            said.sound = statement(&record, &heads, &said).is_signed(&said.key, &said.signature);
        }
        (entry.object, said)
    };
    let found = read.entries_by("at", &["seal"]).into_iter();
    found.filter(|(key, _)| schema::is_signature_key(key)).map(entry).collect()
}

/// Whether anything that a seal closes differs between a state and now: every open-phase path
/// that a collector may write, by any author.
pub(super) fn content_changed(doc: &Automerge, since: &Heads) -> bool {
    let now = doc.get_heads();
    doc.diff(since.as_slice(), &now).iter().any(|patch| {
        let mut path = history::path_of(patch);
        match &patch.action {
            PatchAction::PutMap { key, .. }
            | PatchAction::DeleteMap { key }
            | PatchAction::Conflict { prop: Prop::Map(key) } => path.push(key.clone()),
            PatchAction::PutSeq { .. }
            | PatchAction::Insert { .. }
            | PatchAction::SpliceText { .. }
            | PatchAction::DeleteSeq { .. }
            | PatchAction::Increment { .. }
            | PatchAction::Conflict { prop: Prop::Seq(_) }
            | PatchAction::Mark { .. } => {}
        }
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        is_sealed_content(&path)
    })
}

/// Whether a path is one that the seal closes to collectors. The seal's own fields are its word
/// for the rest.
pub(crate) fn is_sealed_content(path: &[&str]) -> bool {
    let closed = |row: &schema::FieldSpec| {
        matches!(row.writers, Writers::Collector | Writers::Both)
            && row.write_window == WriteWindow::BeforeSeal
    };
    path.first() != Some(&"seal") && schema::field_spec(path).is_some_and(closed)
}

fn statement<'s>(record: &'s str, heads: &'s Heads, said: &'s SignatureView) -> Statement<'s> {
    let SignatureView { device, at, text, by, .. } = said;
    Statement { record, heads, device, at: *at, text, user: by }
}

/// Heads that a signature names, where they are sorted, each is of this document, and there are
/// any.
pub(super) fn named(doc: &Automerge, heads: &[String]) -> Option<Heads> {
    let parsed = Heads::from_hex(heads)?;
    let whole = !heads.is_empty() && parsed.to_hex() == heads;
    let held = parsed.as_slice().iter().all(|head| doc.get_change_meta_by_hash(head).is_some());
    (whole && held).then_some(parsed)
}

/// The seals that stand, now or at some heads, by their times.
fn sealed_at(doc: &Automerge, heads: Option<&Heads>) -> Vec<i64> {
    let Some(seal) = genesis::container(&["seal"]) else { return Vec::new() };
    let values = match heads {
        Some(heads) => doc.get_all_at(seal, "at", heads.as_slice()),
        None => doc.get_all(seal, "at"),
    };
    let times = values.unwrap_or_default().into_iter();
    times
        .filter_map(|(value, _)| match value.as_scalar() {
            Some(ScalarValue::Timestamp(ms)) => Some(*ms),
            _ => None,
        })
        .collect()
}
