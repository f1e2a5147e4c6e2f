//! The judge: decides whether changes may be merged into a record, and merges them (rules M1 to M3).
//!
//! A pure function from the office's copy of a record, the chunks that arrived and their sender to
//! a [`Judgement`]. It knows no store and no clock. The chunks are hostile until proven otherwise:
//! changes that parse and carry a correct checksum can still make Automerge panic, or produce a
//! document that never loads again. Each check makes the next one safe:
//!
//! 1. number and size of the chunks ([`limits`]);
//! 2. each header, parsed by us; the operations that its columns would expand to, counted without
//!    expanding them; the checksum (`header`, `columns`);
//! 3. the author: written on the sender's device under the sender's name, unless the office has
//!    the change already;
//! 4. the change graph: dependencies present, no gap in the actor's sequence, operation counters
//!    in order (`graph`);
//! 5. every operation, against the record as its author saw it and the office's current stage
//!    (`op_check`), and every group of fields that the change touches (`groups`);
//! 6. signatures that a change adds (`signatures`);
//! 7. the merge on a copy: saved, loaded, compared, validated, and still writable (`postcheck`).
//!
//! Steps 1 to 4 need no document (`precheck`). A push is merged completely or not at all.

mod author_view;
mod columns;
mod extract;
mod graph;
mod groups;
mod header;
pub mod limits;
mod object_path;
mod op_check;
mod postcheck;
mod refusal;
mod restore;
mod signatures;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Automerge, Change, ChangeHash};

use super::change::ChangeMeta;
use crate::ids::{DeviceId, Heads, device_of};
use crate::record::authority::Principal;
use crate::record::terms::Role;
use crate::record::view::VisitView;
use crate::record::{LoadError, Record, genesis};
use author_view::AuthorView;
pub(super) use extract::extract_fields;
use graph::CausalPast;
use header::ChangeHeader;
pub use refusal::Refusal;
pub use restore::judge_restore;

/// The office's copy of a record.
#[derive(Debug, Clone, Copy)]
pub struct StoredState<'s> {
    /// Its changes without the genesis change, in the order of acceptance.
    pub changes: &'s [ChangeMeta],
    /// The saved document.
    pub document: &'s [u8],
    /// The same document, if it is in memory.
    pub loaded: Option<&'s Record>,
}

impl StoredState<'_> {
    /// The document.
    pub(super) fn load(&self) -> Result<Record, LoadError> {
        self.loaded.map_or_else(|| Record::load(self.document), |record| Ok(record.clone()))
    }
}

/// The authenticated sender of a push.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'s> {
    /// Sign-in name.
    pub user: &'s str,
    /// Role.
    pub role: Role,
    /// The device that the session belongs to.
    pub device: DeviceId,
    /// Public keys that the device has enrolled.
    pub keys: &'s [[u8; 32]],
}

/// On whose authority changes are judged (rule M4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JudgeAs<'s> {
    /// The sender's own.
    Sender,
    /// A supervisor accepted the work: role and stage are not checked, everything else is.
    Accepted,
    /// The office rewrites refused work of this user, under that user's name.
    Rewrite(&'s str),
}

/// The result of judging.
#[derive(Debug)]
pub enum Judgement {
    /// The changes may be merged; this is the record with them.
    Accepted(Box<MergedRecord>),
    /// The office has all of them already.
    Duplicate,
    /// They depend on changes that the office lacks.
    Missing,
    /// They may not be merged.
    Refused(Refusal),
}

/// A record with new changes, ready to be stored.
#[derive(Debug)]
pub struct MergedRecord {
    /// The record.
    pub record: Record,
    /// Its content.
    pub view: VisitView,
    /// The record, saved; it loads again.
    pub document: Vec<u8>,
    /// Bytes of the document saved without compression, about what it takes in memory.
    pub uncompressed: usize,
    /// The new changes in order, with their bytes.
    pub added: Vec<(ChangeMeta, Vec<u8>)>,
    /// Highest operation counter of the record.
    pub max_op: u64,
}

/// A record with new changes, before the checks of the result (step 7).
struct Unchecked {
    record: Record,
    /// The new changes in order, with their bytes.
    added: Vec<(ChangeMeta, Vec<u8>)>,
}

/// Judges a push on the sender's own authority.
pub fn judge(stored: StoredState<'_>, chunks: &[&[u8]], sender: Sender<'_>) -> Judgement {
    judge_as(stored, chunks, sender, JudgeAs::Sender)
}

/// Judges a push on the given authority. Every check is made whatever the authority, except that
/// role and stage do not limit [`JudgeAs::Accepted`] and [`JudgeAs::Rewrite`].
pub fn judge_as(
    stored: StoredState<'_>,
    chunks: &[&[u8]],
    sender: Sender<'_>,
    judge_as: JudgeAs<'_>,
) -> Judgement {
    match precheck(stored, chunks, sender) {
        Ok(Precheck::Duplicate) => Judgement::Duplicate,
        Ok(Precheck::Missing) => Judgement::Missing,
        Ok(Precheck::New(fresh)) => {
            with_postcheck(|| merge_changes(stored, &fresh, sender, judge_as))
        }
        Err(refusal) => Judgement::Refused(refusal),
    }
}

/// Approximate number of operations that judging a push has to process: those of the record
/// (`max_op`) and those of the push. Chunks that do not parse count 0: they are refused early.
pub(super) fn judging_cost(max_op: u64, chunks: &[&[u8]]) -> u64 {
    let headers = chunks.iter().filter_map(|chunk| ChangeHeader::parse(chunk).ok());
    headers.fold(max_op, |cost, header| cost.saturating_add(header.operations))
}

/// The result of the checks that need no document.
enum Precheck<'b> {
    Duplicate,
    Missing,
    New(Vec<ChangeHeader<'b>>),
}

/// Steps 1 to 4, except for the parts of step 4 that need the change graph.
fn precheck<'b>(
    stored: StoredState<'_>,
    chunks: &[&'b [u8]],
    sender: Sender<'_>,
) -> Result<Precheck<'b>, Refusal> {
    if chunks.len() > limits::CHANGES {
        return Err(Refusal::too_large("the push has too many changes"));
    }
    let mut known_hashes: BTreeSet<ChangeHash> =
        stored.changes.iter().map(|change| change.hash).chain([genesis::hash()]).collect();
    let mut last_seq: BTreeMap<&[u8], u64> = BTreeMap::new();
    for change in stored.changes {
        let seq = last_seq.entry(change.actor.to_bytes()).or_default();
        *seq = change.seq.max(*seq);
    }
    let mut fresh: Vec<ChangeHeader<'b>> = Vec::new();
    for chunk in chunks {
        let header = ChangeHeader::parse(chunk)?;
        if known_hashes.insert(header.hash) {
            fresh.push(header);
        }
    }
    if fresh.is_empty() {
        return Ok(Precheck::Duplicate);
    }
    if stored.changes.len() + fresh.len() > limits::CHANGES_OF_RECORD {
        return Err(Refusal::too_large("the record would have too many changes"));
    }
    let sum = |count: fn(&ChangeHeader<'_>) -> u64| fresh.iter().map(count).sum::<u64>();
    if sum(|header| header.operations) > limits::OPERATIONS
        || sum(|header| header.keyed) > limits::KEYED
    {
        return Err(Refusal::too_large("the push has too many operations"));
    }
    for header in &fresh {
        check_author(header, sender)?;
    }
    // A dependency may be part of the same push, but only before the change that depends on it.
    let mut later: BTreeSet<ChangeHash> = fresh.iter().map(|header| header.hash).collect();
    let mut missing = false;
    for header in &fresh {
        missing |= header.deps.iter().any(|dep| !known_hashes.contains(dep) || later.contains(dep));
        later.remove(&header.hash);
    }
    if missing {
        return Ok(Precheck::Missing);
    }
    for header in &fresh {
        let seq = last_seq.get(header.actor.to_bytes()).copied().unwrap_or(0);
        if header.seq != seq + 1 {
            return Err(Refusal::broken_sequence("the changes of a session have a gap or a fork"));
        }
        last_seq.insert(header.actor.to_bytes(), header.seq);
    }
    Ok(Precheck::New(fresh))
}

/// Step 3.
fn check_author(header: &ChangeHeader<'_>, sender: Sender<'_>) -> Result<(), Refusal> {
    if device_of(&header.actor) != Some(sender.device) {
        return Err(Refusal::foreign("a change was written on another device"));
    }
    if header.message != sender.user {
        return Err(Refusal::foreign("a change was signed by another user"));
    }
    Ok(())
}

/// Steps 5 to 7: merges and checks the result. Automerge may panic on unexpected input in either:
/// that refuses the push and nothing else, since both work on copies.
fn with_postcheck(merge: impl FnOnce() -> Result<Unchecked, Refusal>) -> Judgement {
    match catch_unwind(AssertUnwindSafe(|| postcheck::check(merge()?))) {
        Ok(Ok(merged)) => Judgement::Accepted(Box::new(merged)),
        Ok(Err(refusal)) => Judgement::Refused(refusal),
        Err(_) => Judgement::Refused(Refusal::malformed("the changes do not fit the record")),
    }
}

fn merge_changes(
    stored: StoredState<'_>,
    fresh: &[ChangeHeader<'_>],
    sender: Sender<'_>,
    judge_as: JudgeAs<'_>,
) -> Result<Unchecked, Refusal> {
    let mut record = stored
        .load()
        .map_err(|error| Refusal::invalid("", &format!("the office's copy: {error}")))?;
    let mut all = CausalPast::of_all(record.document(), stored.changes);
    let mut added = Vec::new();
    for header in fresh {
        let change = decode(header)?;
        let past = all.at(record.document(), &header.deps);
        check_change(&record, &past, header, &change, sender, judge_as)?;
        record
            .apply_or_discard(vec![change])
            .map_err(|_| Refusal::malformed("a change does not fit the record"))?;
        signatures::check(&record, &past, header, sender)?;
        let meta = header.meta();
        all.add(&meta);
        added.push((meta, header.bytes.to_vec()));
    }
    Ok(Unchecked { record, added })
}

/// The change as Automerge decodes it, which must agree with our own parser.
fn decode(header: &ChangeHeader<'_>) -> Result<Change, Refusal> {
    let change = Change::from_bytes(header.bytes.to_vec())
        .map_err(|_| Refusal::malformed("the bytes are not a change"))?;
    let same = change.hash() == header.hash
        && change.actor_id() == &header.actor
        && change.seq() == header.seq
        && change.start_op().get() == header.start_op
        && change.len() as u64 == header.operations
        && change.deps() == header.deps
        && change.extra_bytes().is_empty();
    if same { Ok(change) } else { Err(Refusal::malformed("the bytes are not a change")) }
}

/// The rest of step 4, and step 5.
fn check_change(
    record: &Record,
    past: &CausalPast,
    header: &ChangeHeader<'_>,
    change: &Change,
    sender: Sender<'_>,
    judge_as: JudgeAs<'_>,
) -> Result<(), Refusal> {
    if past.last_seq(&header.actor) + 1 != header.seq {
        return Err(Refusal::broken_sequence("a change does not follow its author's last one"));
    }
    // An author continues from the highest operation counter seen. A lower start breaks the
    // document, a higher one uses up counters that all actors share: neither happens by accident.
    if header.start_op != graph::max_op(record.document(), &header.deps) + 1 {
        return Err(Refusal::malformed("a change's operations are numbered wrongly"));
    }
    if header.others.iter().any(|actor| !past.includes_actor(actor)) {
        return Err(Refusal::malformed("a change names an actor that its author had not seen"));
    }
    let doc: &Automerge = record.document();
    let is_current = Heads::new(doc.get_heads()) == Heads::new(header.deps.clone());
    // Whatever the author had seen, a seal at the office closes the open-phase paths (rule M9).
    let current = record.stage();
    let (at, stage) = if is_current {
        (None, current)
    } else {
        (Some(header.deps.as_slice()), record.stage_at(&header.deps))
    };
    let writer = Principal {
        user: sender.user,
        role: sender.role,
        stage,
        current,
        approved: judge_as != JudgeAs::Sender,
    };
    let on_behalf_of = match judge_as {
        JudgeAs::Rewrite(user) => Some(user),
        JudgeAs::Sender | JudgeAs::Accepted => None,
    };
    let view = AuthorView { doc, at, past, writer, device: sender.device, on_behalf_of };
    view.check(&change.decode())
}
