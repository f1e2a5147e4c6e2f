//! Parses the header of a change chunk before Automerge sees it.

use automerge::{ActorId, ChangeHash};

use super::columns::{self, BadColumns, Counts};
use super::limits;
use super::refusal::Refusal;
use crate::office::change::ChangeMeta;
use crate::sync::chunk::{self, Parts};
use crate::sync::reader::Reader;

/// The header of a change chunk, checked against the chunk's own bytes only.
#[derive(Debug)]
pub(super) struct ChangeHeader<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) hash: ChangeHash,
    pub(super) deps: Vec<ChangeHash>,
    pub(super) actor: ActorId,
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) message: &'b str,
    pub(super) others: Vec<ActorId>,
    pub(super) operations: u64,
    pub(super) keyed: u64,
}

impl<'b> ChangeHeader<'b> {
    /// Parses a chunk from untrusted bytes.
    pub(super) fn parse(bytes: &'b [u8]) -> Result<Self, Refusal> {
        if bytes.len() > limits::CHANGE_BYTES {
            return Err(Refusal::too_large("a change has too many bytes"));
        }
        parse(bytes).map_err(|bad| match bad {
            BadColumns::Malformed => Refusal::malformed("the bytes are not a change"),
            BadColumns::TooLarge => Refusal::too_large("a change has too many operations"),
        })
    }

    /// The metadata that the prechecks of later changes need.
    pub(super) fn meta(&self) -> ChangeMeta {
        ChangeMeta {
            hash: self.hash,
            actor: self.actor.clone(),
            seq: self.seq,
            max_op: self.max_op(),
        }
    }

    /// The highest operation counter of the change. A change without operations has the one
    /// before its first.
    fn max_op(&self) -> u64 {
        self.start_op.saturating_add(self.operations).saturating_sub(1)
    }
}

fn parse(bytes: &[u8]) -> Result<ChangeHeader<'_>, BadColumns> {
    let parts = Parts::parse(bytes)?;
    let hash = chunk::hash(bytes);
    // Automerge itself does not check it.
    if hash.0.first_chunk() != Some(&parts.checksum) {
        return Err(BadColumns::Malformed);
    }
    let over = |count: usize, most: u64| count as u64 > most;
    if over(parts.deps.len(), limits::DEPS)
        || over(parts.message.len(), limits::MESSAGE)
        || over(parts.others.len(), limits::ACTORS)
    {
        return Err(BadColumns::TooLarge);
    }
    let message = std::str::from_utf8(parts.message).map_err(|_| BadColumns::Malformed)?;
    let sorted = parts.deps.is_sorted_by(|one, next| one < next)
        && parts.others.is_sorted_by(|one, next| one < next)
        && !parts.others.contains(&parts.actor);
    let plausible_time = parts.time.unsigned_abs() <= limits::TIME;
    if !sorted || !plausible_time || parts.seq == 0 || parts.start_op == 0 {
        return Err(BadColumns::Malformed);
    }
    let Counts { operations, keyed } =
        columns::operations(Reader::new(parts.columns), parts.others.len() as u64 + 1)?;
    Ok(ChangeHeader {
        bytes,
        hash,
        deps: parts.deps,
        actor: ActorId::from(parts.actor),
        seq: parts.seq,
        start_op: parts.start_op,
        message,
        others: parts.others.into_iter().map(ActorId::from).collect(),
        operations,
        keyed,
    })
}
