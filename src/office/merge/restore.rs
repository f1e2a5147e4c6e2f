//! Takes back what the office has lost and once vouched for (rule P3).
//!
//! No change is judged again: the state is the office's own word, and its heads are hashes over
//! every change that led to it. What is not on the way to them is refused unread.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;

use super::chunk::Header;
use super::graph::Graph;
use super::{Accepted, Held, Judgement, Refusal, decoded, limits, on_trial};
use crate::ids::{Heads, RecordId};
use crate::record::{Record, genesis};

/// Judges changes that lead to a state which the office vouched for. `held` is what it still has.
pub fn restore(
    record: RecordId,
    held: Option<Held<'_>>,
    chunks: &[&[u8]],
    heads: &Heads,
) -> Judgement {
    match fresh(held, chunks, heads) {
        Ok(Some(fresh)) if fresh.is_empty() => Judgement::Duplicate,
        Ok(Some(fresh)) => on_trial(|| admit(record, held, &fresh)),
        Ok(None) => Judgement::Missing,
        Err(refusal) => Judgement::Refused(refusal),
    }
}

/// What is not held, in order; `None` where something between it and what is held is missing.
fn fresh<'b>(
    held: Option<Held<'_>>,
    chunks: &[&'b [u8]],
    heads: &Heads,
) -> Result<Option<Vec<Header<'b>>>, Refusal> {
    if chunks.len() > limits::CHANGES_OF_RECORD {
        return Err(Refusal::too_large("the record has too many changes"));
    }
    let held = held.map_or(&[][..], |held| held.known);
    let held: BTreeSet<ChangeHash> =
        held.iter().map(|known| known.hash).chain([genesis::hash()]).collect();
    let mut known = held.clone();
    let mut fresh = Vec::new();
    let mut complete = true;
    for chunk in chunks {
        let header = Header::parse(chunk)?;
        complete &= header.deps.iter().all(|dep| known.contains(dep));
        if known.insert(header.hash) {
            fresh.push(header);
        }
    }
    let follows: BTreeMap<ChangeHash, &[ChangeHash]> =
        fresh.iter().map(|header| (header.hash, header.deps.as_slice())).collect();
    let mut vouched: BTreeSet<ChangeHash> = BTreeSet::new();
    let mut open = heads.as_slice().to_vec();
    while let Some(hash) = open.pop() {
        match follows.get(&hash) {
            Some(deps) if vouched.insert(hash) => open.extend_from_slice(deps),
            Some(_) => {}
            None => complete &= held.contains(&hash),
        }
    }
    if vouched.len() < fresh.len() {
        return Err(Refusal::not_vouched());
    }
    Ok(complete.then_some(fresh))
}

fn admit(id: RecordId, held: Option<Held<'_>>, fresh: &[Header<'_>]) -> Result<Accepted, Refusal> {
    let unfit = |_| Refusal::malformed("the changes do not fit the record");
    let mut record = match held {
        Some(held) => Record::load(held.document).map_err(unfit)?,
        None => Record::blank(),
    };
    let changes = fresh.iter().map(decoded).collect::<Result<Vec<_>, _>>()?;
    record.apply_changes(changes).map_err(unfit)?;
    if record.id() != Some(id) {
        return Err(Refusal::malformed("the changes are of another record"));
    }
    let added = fresh.iter().map(|header| (header.known(), header.bytes.to_vec()));
    Ok(Accepted {
        document: record.save(),
        added: added.collect(),
        max_op: Graph::of(record.document()).max_op(&record.document().get_heads()),
        record,
    })
}
