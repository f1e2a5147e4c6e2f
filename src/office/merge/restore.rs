//! Judges changes that restore a state which the office lost and had attested (rule P3).
//!
//! Role, stage and paths are not checked again: the office accepted the state before, and its heads
//! are hashes over every change that led to it. A change that is no ancestor of the heads is refused.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;

use super::header::ChangeHeader;
use super::{Judgement, Refusal, StoredState, Unchecked, decode, limits, with_postcheck};
use crate::ids::{Heads, RecordId};
use crate::record::{Record, genesis};

/// Judges changes that lead to attested heads; the caller has verified the state token. `stored` is
/// what the office still has of the record, if anything.
pub fn judge_restore(
    record: RecordId,
    stored: Option<StoredState<'_>>,
    chunks: &[&[u8]],
    heads: &Heads,
) -> Judgement {
    match new_ancestors(stored, chunks, heads) {
        Ok(Some(fresh)) if fresh.is_empty() => Judgement::Duplicate,
        Ok(Some(fresh)) => with_postcheck(|| merge_restored(record, stored, &fresh)),
        Ok(None) => Judgement::Missing,
        Err(refusal) => Judgement::Refused(refusal),
    }
}

/// The chunks that the office lacks, in order; `None` where an ancestor of the heads is in neither.
fn new_ancestors<'b>(
    stored: Option<StoredState<'_>>,
    chunks: &[&'b [u8]],
    heads: &Heads,
) -> Result<Option<Vec<ChangeHeader<'b>>>, Refusal> {
    if chunks.len() > limits::CHANGES_OF_RECORD {
        return Err(Refusal::too_large("the record has too many changes"));
    }
    let stored = stored.map_or(&[][..], |stored| stored.changes);
    let held: BTreeSet<ChangeHash> =
        stored.iter().map(|change| change.hash).chain([genesis::hash()]).collect();
    let mut known = held.clone();
    let mut fresh = Vec::new();
    let mut complete = true;
    for chunk in chunks {
        let header = ChangeHeader::parse(chunk)?;
        complete &= header.deps.iter().all(|dep| known.contains(dep));
        if known.insert(header.hash) {
            fresh.push(header);
        }
    }
    let new_deps: BTreeMap<ChangeHash, &[ChangeHash]> =
        fresh.iter().map(|header| (header.hash, header.deps.as_slice())).collect();
    let mut ancestors: BTreeSet<ChangeHash> = BTreeSet::new();
    let mut open = heads.as_slice().to_vec();
    while let Some(hash) = open.pop() {
        match new_deps.get(&hash) {
            Some(deps) if ancestors.insert(hash) => open.extend_from_slice(deps),
            Some(_) => {}
            None => complete &= held.contains(&hash),
        }
    }
    if ancestors.len() < fresh.len() {
        return Err(Refusal::not_attested());
    }
    Ok(complete.then_some(fresh))
}

fn merge_restored(
    id: RecordId,
    stored: Option<StoredState<'_>>,
    fresh: &[ChangeHeader<'_>],
) -> Result<Unchecked, Refusal> {
    let unfit = |_| Refusal::malformed("the changes do not fit the record");
    let mut record = match stored {
        Some(stored) => stored.load().map_err(unfit)?,
        None => Record::blank(),
    };
    let changes = fresh.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    record.apply_or_discard(changes).map_err(unfit)?;
    if record.id() != Some(id) {
        return Err(Refusal::malformed("the changes are of another record"));
    }
    let added = fresh.iter().map(|header| (header.meta(), header.bytes.to_vec()));
    Ok(Unchecked { added: added.collect(), record })
}
