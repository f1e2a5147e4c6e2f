//! Judges what is pushed into a record, and merges what holds (rules M1 to M3).
//!
//! A pure function: what the office holds of a record, the bytes that came and who sent them go
//! in, and what is to be kept comes out. It knows no store and no clock. The bytes are hostile
//! until proven otherwise: changes that parse and carry a right checksum can make Automerge
//! panic, or be accepted into a document that never loads again. So the checks stand in an order
//! in which each makes the next one safe:
//!
//! 1. number and size of the chunks ([`limits`]);
//! 2. each header, parsed by us; what its columns would expand to, counted without expanding;
//!    the checksum (`chunk`, `columns`);
//! 3. the author: the sender's device wrote it and signed with the sender's name, unless the
//!    office holds the change already;
//! 4. its place in the history: dependencies held, the actor's sequence without gap, operation
//!    counters where they belong (`graph`);
//! 5. every operation, against what its author had seen and the office's current stage (`walk`),
//!    and every group of fields that the change touches (`grouped`);
//! 6. signatures that a change adds (`signed`);
//! 7. the merge on a copy: saved, loaded, compared, valid, and still open to the next edit
//!    (`trial`).
//!
//! All or nothing per record: what is refused leaves no trace in it.

mod chunk;
mod columns;
mod graph;
mod grouped;
pub mod limits;
mod place;
mod reading;
mod refusal;
mod restore;
mod signed;
mod trial;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Automerge, Change, ChangeHash};

use super::store::Known;
use crate::ids::{DeviceId, Heads, device_of};
use crate::record::authority::Principal;
use crate::record::terms::Role;
use crate::record::{Record, genesis};
use chunk::Header;
use graph::Graph;
pub(super) use reading::read;
pub use refusal::Refusal;
pub use restore::restore;
use walk::View;

/// What the office holds of a record.
#[derive(Debug, Clone, Copy)]
pub struct Held<'h> {
    /// Its changes without the first, in order.
    pub known: &'h [Known],
    /// The document, as it was saved.
    pub document: &'h [u8],
}

/// Who pushes.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'s> {
    /// Sign-in name.
    pub user: &'s str,
    /// Role.
    pub role: Role,
    /// The device that the sign-in is on.
    pub device: DeviceId,
    /// The keys that it has enrolled.
    pub keys: &'s [[u8; 32]],
}

/// On whose authority a push is judged (rule M4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'s> {
    /// The sender's own.
    Own,
    /// A supervisor accepted it: role and stage are not asked, everything else is.
    Accepted,
    /// The office writes anew what this user had sent, under that user's name.
    Anew(&'s str),
}

/// What is to become of a push.
#[derive(Debug)]
pub enum Judgement {
    /// It holds; this is the record with it.
    Accepted(Box<Accepted>),
    /// All of it is held already.
    Duplicate,
    /// It follows changes that are not held.
    Missing,
    /// It does not hold.
    Refused(Refusal),
}

/// A record after a push, ready to be kept.
#[derive(Debug)]
pub struct Accepted {
    /// The record.
    pub record: Record,
    /// The same, saved and known to load.
    pub document: Vec<u8>,
    /// What was added, in order, with its bytes.
    pub added: Vec<(Known, Vec<u8>)>,
    /// Highest operation counter.
    pub max_op: u64,
}

/// Judges a push.
pub fn judge(held: Held<'_>, chunks: &[&[u8]], sender: Sender<'_>) -> Judgement {
    judge_as(held, chunks, sender, Standing::Own)
}

/// Judges a push on another authority than the sender's own. It goes through every check that any
/// push goes through; only which paths are writable at which stage is the accepting person's word.
pub fn judge_as(
    held: Held<'_>,
    chunks: &[&[u8]],
    sender: Sender<'_>,
    standing: Standing<'_>,
) -> Judgement {
    match sift(held, chunks, sender) {
        Ok(Sifted::Duplicate) => Judgement::Duplicate,
        Ok(Sifted::Missing) => Judgement::Missing,
        Ok(Sifted::Fresh(fresh)) => merged(held, &fresh, sender, standing),
        Err(refusal) => Judgement::Refused(refusal),
    }
}

/// How many operations a push and the record that it is for come to, about: what judging it takes.
/// A push that will be refused for its form weighs nothing.
pub(super) fn weight(max_op: u64, chunks: &[&[u8]]) -> u64 {
    let headers = chunks.iter().filter_map(|chunk| Header::parse(chunk).ok());
    headers.fold(max_op, |weight, header| weight.saturating_add(header.operations))
}

/// What the cheap checks leave of a push.
enum Sifted<'b> {
    Duplicate,
    Missing,
    Fresh(Vec<Header<'b>>),
}

/// Steps 1 to 4, as far as they need no document.
fn sift<'b>(
    held: Held<'_>,
    chunks: &[&'b [u8]],
    sender: Sender<'_>,
) -> Result<Sifted<'b>, Refusal> {
    if chunks.len() > limits::CHANGES {
        return Err(Refusal::too_large("the push has too many changes"));
    }
    let mut held_hashes: BTreeSet<ChangeHash> =
        held.known.iter().map(|known| known.hash).chain([genesis::hash()]).collect();
    let mut last_seq: BTreeMap<&[u8], u64> = BTreeMap::new();
    for known in held.known {
        let seq = last_seq.entry(known.actor.to_bytes()).or_default();
        *seq = known.seq.max(*seq);
    }
    let mut fresh: Vec<Header<'b>> = Vec::new();
    for chunk in chunks {
        let header = Header::parse(chunk)?;
        if held_hashes.insert(header.hash) {
            fresh.push(header);
        }
    }
    if fresh.is_empty() {
        return Ok(Sifted::Duplicate);
    }
    if held.known.len() + fresh.len() > limits::CHANGES_OF_RECORD {
        return Err(Refusal::too_large("the record would have too many changes"));
    }
    let sum = |count: fn(&Header<'_>) -> u64| fresh.iter().map(count).sum::<u64>();
    if sum(|header| header.operations) > limits::OPERATIONS
        || sum(|header| header.keyed) > limits::KEYED
    {
        return Err(Refusal::too_large("the push holds too much"));
    }
    for header in &fresh {
        signed(header, sender)?;
    }
    // A dependency may come in the same push, but only before the change that follows it.
    let mut later: BTreeSet<ChangeHash> = fresh.iter().map(|header| header.hash).collect();
    let mut missing = false;
    for header in &fresh {
        missing |= header.deps.iter().any(|dep| !held_hashes.contains(dep) || later.contains(dep));
        later.remove(&header.hash);
    }
    if missing {
        return Ok(Sifted::Missing);
    }
    for header in &fresh {
        let seq = last_seq.get(header.actor.to_bytes()).copied().unwrap_or(0);
        if header.seq != seq + 1 {
            return Err(Refusal::broken_sequence("the changes of a session have a gap or a fork"));
        }
        // `fresh` outlives the map's use of its keys.
        last_seq.insert(header.actor.to_bytes(), header.seq);
    }
    Ok(Sifted::Fresh(fresh))
}

/// Step 3.
fn signed(header: &Header<'_>, sender: Sender<'_>) -> Result<(), Refusal> {
    if device_of(&header.actor) != Some(sender.device) {
        return Err(Refusal::foreign("a change was written on another device"));
    }
    if header.message != sender.user {
        return Err(Refusal::foreign("a change was signed by another user"));
    }
    Ok(())
}

/// Steps 5 to 7, which give the bytes to Automerge. It can panic on what it does not expect;
/// that refuses the push and nothing else, since all of it happens on copies.
fn merged(
    held: Held<'_>,
    fresh: &[Header<'_>],
    sender: Sender<'_>,
    standing: Standing<'_>,
) -> Judgement {
    on_trial(|| admit(held, fresh, sender, standing))
}

/// Puts what a merge gives on trial; a panic in either refuses it.
fn on_trial(merge: impl FnOnce() -> Result<Accepted, Refusal>) -> Judgement {
    let merge = AssertUnwindSafe(|| {
        let accepted = merge()?;
        trial::passes(&accepted)?;
        Ok(accepted)
    });
    match catch_unwind(merge) {
        Ok(Ok(accepted)) => Judgement::Accepted(Box::new(accepted)),
        Ok(Err(refusal)) => Judgement::Refused(refusal),
        Err(_) => Judgement::Refused(Refusal::malformed("the changes do not fit the record")),
    }
}

fn admit(
    held: Held<'_>,
    fresh: &[Header<'_>],
    sender: Sender<'_>,
    standing: Standing<'_>,
) -> Result<Accepted, Refusal> {
    let mut record = Record::load(held.document)
        .map_err(|error| Refusal::invalid("", &format!("the office's copy: {error}")))?;
    let mut graph = Graph::of(record.document());
    let mut added = Vec::new();
    for header in fresh {
        let change = decoded(header)?;
        judge_change(&record, &graph, header, &change, sender, standing)?;
        record
            .apply_changes(vec![change])
            .map_err(|_| Refusal::malformed("a change does not fit the record"))?;
        signed::check(&record, &graph, header, sender)?;
        let known = header.known();
        graph.add(known.hash, known.actor.clone(), known.seq, known.max_op, header.deps.clone());
        added.push((known, header.bytes.to_vec()));
    }
    let max_op = graph.max_op(&record.document().get_heads());
    let document = record.save();
    Ok(Accepted { record, document, added, max_op })
}

/// A change as Automerge reads it, which must be the change that we read.
fn decoded(header: &Header<'_>) -> Result<Change, Refusal> {
    let change = Change::from_bytes(header.bytes.to_vec())
        .map_err(|_| Refusal::malformed("the bytes are no change"))?;
    let same = change.hash() == header.hash
        && change.actor_id() == &header.actor
        && change.seq() == header.seq
        && change.start_op().get() == header.start_op
        && change.len() as u64 == header.operations
        && change.deps() == header.deps
        && change.extra_bytes().is_empty();
    if same { Ok(change) } else { Err(Refusal::malformed("the bytes are no change")) }
}

/// The rest of step 4, and step 5.
fn judge_change(
    record: &Record,
    graph: &Graph,
    header: &Header<'_>,
    change: &Change,
    sender: Sender<'_>,
    standing: Standing<'_>,
) -> Result<(), Refusal> {
    let seen = graph.past(&header.deps);
    if seen.last_seq(&header.actor) + 1 != header.seq {
        return Err(Refusal::broken_sequence("a change does not follow its author's last one"));
    }
    // An author numbers on from the highest operation seen. Anything else is no accident: lower
    // breaks the document, higher uses up the numbers that everybody shares.
    if header.start_op != graph.max_op(&header.deps) + 1 {
        return Err(Refusal::malformed("a change's operations are numbered wrongly"));
    }
    if header.others.iter().any(|actor| !seen.knows(actor)) {
        return Err(Refusal::malformed("a change names an actor that its author had not seen"));
    }
    let doc: &Automerge = record.document();
    let now = Heads::new(doc.get_heads()) == Heads::new(header.deps.clone());
    let (at, stage) = if now {
        (None, record.stage())
    } else {
        (Some(header.deps.as_slice()), record.stage_at(&header.deps))
    };
    let vouched = standing != Standing::Own;
    // Whatever the author had seen: once the office holds a seal, nothing below it moves (M9).
    let current = record.stage();
    let writer =
        Principal { user: sender.user, role: sender.role, stage, current, approved: vouched };
    let vouched_for = match standing {
        Standing::Anew(user) => Some(user),
        Standing::Own | Standing::Accepted => None,
    };
    let view = View { doc, at, seen: &seen, writer, device: sender.device, vouched_for };
    view.judge(&change.decode())
}
