//! Signatures of a seal: each collector signs, with the key of their device, the state that they
//! saw and the text that was read back.
//!
//! The signed [statement](Statement) covers the whole content: heads are hashes over all changes.

use std::collections::BTreeMap;

use automerge::{Automerge, ObjId, Patch, PatchAction, Prop, ReadDoc, ScalarValue};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::reader::Reader;
use super::schema::{self, WriteWindow, Writers};
use super::snapshot::{ObjectReader, Snapshot};
use super::view::SignatureView;
use super::{genesis, stage};
use crate::ids::{Heads, hex, unhex};

/// First line of every statement; it separates these signatures from any other use of the key.
const DOMAIN: &str = "doorstep seal 1";

/// The statement that a collector signs.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'s> {
    /// The record's id.
    pub record: &'s str,
    /// The signed state.
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
    /// The bytes that are signed: lines of `name: value`. The user name is the only free-form value
    /// and comes last, so that no two statements have the same bytes.
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

    /// Verifies a signature (128 hex digits) of this statement by a public key (64 hex digits).
    pub fn is_signed(&self, key: &str, signature: &str) -> bool {
        let bytes = |text: &str| unhex(text).filter(|bytes| hex(bytes) == text);
        let key = bytes(key).and_then(|bytes| VerifyingKey::try_from(bytes.as_slice()).ok());
        let signature = bytes(signature).and_then(|bytes| Signature::from_slice(&bytes).ok());
        // Strict verification refuses weak keys, whose signatures fit several statements.
        key.zip(signature)
            .is_some_and(|(key, signature)| key.verify_strict(&self.to_bytes(), &signature).is_ok())
    }
}

/// Every signature, oldest first.
pub(super) fn signatures(read: &Snapshot<'_>) -> Vec<SignatureView> {
    let doc = read.doc;
    // A returned record is open until it is sealed again.
    let sealed = stage::of(read).is_sealed();
    let seals = if sealed { sealed_at(doc, None) } else { Vec::new() };
    let mut known: BTreeMap<Vec<String>, bool> = BTreeMap::new();
    let with_state = |mut said: SignatureView| {
        if let Some(heads) = named(doc, &said.heads) {
            let changed =
                known.entry(said.heads.clone()).or_insert_with(|| content_changed(doc, &heads));
            said.changed = *changed;
            let seen = sealed_at(doc, Some(&heads));
            said.standing = !said.changed && seen.iter().any(|at| seals.contains(at));
        }
        said
    };
    signatures_in(read.at(&["seal"]), doc, |_| true).into_iter().map(with_state).collect()
}

/// The signatures whose Automerge objects are wanted; `standing` and `changed` are not computed.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn entries(doc: &Automerge, wanted: impl Fn(&ObjId) -> bool) -> Vec<SignatureView> {
    let seal = genesis::container(&["seal"]).map(|seal| Snapshot::of_object(doc, seal));
    seal.map(|seal| signatures_in(seal.root(), doc, wanted)).unwrap_or_default()
}

fn signatures_in(
    seal: ObjectReader<'_, '_>,
    doc: &Automerge,
    wanted: impl Fn(&ObjId) -> bool,
) -> Vec<SignatureView> {
    let record = Reader::new(doc, None).text(&[], "id");
    let entry = |(id, entry): (String, ObjectReader<'_, '_>)| {
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
        said
    };
    let found = seal.entries_by("at").into_iter();
    found
        .filter(|(key, entry)| schema::is_signature_key(key) && entry.id().is_some_and(&wanted))
        .map(entry)
        .collect()
}

/// Whether any field that the seal protects differs between the given heads and now, no matter who
/// wrote it.
pub(super) fn content_changed(doc: &Automerge, since: &Heads) -> bool {
    let now = doc.get_heads();
    doc.diff(since.as_slice(), &now).iter().any(|patch| {
        let mut path = path_of(patch);
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

/// Path of the object that a patch changes.
fn path_of(patch: &Patch) -> Vec<String> {
    let segment = |(_, prop): &(ObjId, Prop)| match prop {
        Prop::Map(key) => key.clone(),
        Prop::Seq(index) => index.to_string(),
    };
    patch.path.iter().map(segment).collect()
}

/// Whether the seal protects a path: collectors may write it before the seal only. The fields of
/// the seal itself do not count.
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

/// The heads of a signature, if they are sorted, not empty, and all in this document.
pub(super) fn named(doc: &Automerge, heads: &[String]) -> Option<Heads> {
    let parsed = Heads::from_hex(heads)?;
    let whole = !heads.is_empty() && parsed.to_hex() == heads;
    let held = parsed.as_slice().iter().all(|head| doc.get_change_meta_by_hash(head).is_some());
    (whole && held).then_some(parsed)
}

/// Times of the concurrent seals, now or at the given heads.
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
