//! Parses the header of a change chunk ourselves, one at a time, before Automerge sees it.

use automerge::{ActorId, ChangeHash};
use sha2::{Digest, Sha256};

use super::columns::{self, BadColumns};
use super::limits;
use super::reader::{Cut, Reader};
use super::refusal::Refusal;

/// What every Automerge chunk begins with.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];

/// The type of a plain change. Deflated ones, documents and bundles are not taken from devices:
/// they can inflate to anything.
const PLAIN_CHANGE: u8 = 1;

/// What a change chunk says of itself, checked against its own bytes only.
#[derive(Debug)]
pub(super) struct Header<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) hash: ChangeHash,
    pub(super) deps: Vec<ChangeHash>,
    pub(super) actor: ActorId,
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) message: &'b str,
    pub(super) others: Vec<ActorId>,
    pub(super) operations: u64,
}

impl<'b> Header<'b> {
    /// Parses a chunk from untrusted bytes.
    pub(super) fn parse(bytes: &'b [u8]) -> Result<Self, Refusal> {
        if bytes.len() > limits::CHANGE_BYTES {
            return Err(Refusal::too_large("a change has too many bytes"));
        }
        parse(bytes).map_err(|bad| match bad {
            BadColumns::Malformed => Refusal::malformed("the bytes are no change"),
            BadColumns::TooLarge => Refusal::too_large("a change holds too much"),
        })
    }

    /// The highest operation counter of the change. A change without operations has the one
    /// before its first.
    pub(super) fn max_op(&self) -> u64 {
        self.start_op.saturating_add(self.operations).saturating_sub(1)
    }
}

fn parse(bytes: &[u8]) -> Result<Header<'_>, BadColumns> {
    let mut reader = Reader::new(bytes);
    let magic: [u8; 4] = reader.array()?;
    let checksum: [u8; 4] = reader.array()?;
    let hashed = reader.rest();
    let [chunk_type] = reader.array()?;
    let length = reader.unsigned()?;
    let body = reader.take(length)?;
    if magic != MAGIC || chunk_type != PLAIN_CHANGE || !reader.is_empty() {
        return Err(BadColumns::Malformed);
    }
    // Automerge itself does not check it.
    let hash: [u8; 32] = Sha256::digest(hashed).into();
    if hash.first_chunk() != Some(&checksum) {
        return Err(BadColumns::Malformed);
    }

    let mut body = Reader::new(body);
    let deps = several(&mut body, limits::DEPS, |body| body.array().map(ChangeHash))?;
    let actor = actor(&mut body)?;
    let seq = body.unsigned()?;
    let start_op = body.unsigned()?;
    let _time = body.signed()?;
    let length = body.unsigned()?;
    if length > limits::MESSAGE {
        return Err(BadColumns::TooLarge);
    }
    let message = std::str::from_utf8(body.take(length)?).map_err(|_| BadColumns::Malformed)?;
    let others = several(&mut body, limits::ACTORS, actor_of)?;
    let sorted = deps.is_sorted_by(|one, next| one < next)
        && others.is_sorted_by(|one, next| one < next)
        && !others.contains(&actor);
    if !sorted || seq == 0 || start_op == 0 {
        return Err(BadColumns::Malformed);
    }
    let operations = columns::operations(body, others.len() as u64 + 1)?;
    Ok(Header {
        bytes,
        hash: ChangeHash(hash),
        deps,
        actor,
        seq,
        start_op,
        message,
        others,
        operations,
    })
}

fn several<'b, T>(
    body: &mut Reader<'b>,
    most: u64,
    one: impl Fn(&mut Reader<'b>) -> Result<T, Cut>,
) -> Result<Vec<T>, BadColumns> {
    let count = body.unsigned()?;
    if count > most {
        return Err(BadColumns::TooLarge);
    }
    (0..count).map(|_| one(body).map_err(BadColumns::from)).collect()
}

fn actor(body: &mut Reader<'_>) -> Result<ActorId, BadColumns> {
    actor_of(body).map_err(BadColumns::from)
}

fn actor_of(body: &mut Reader<'_>) -> Result<ActorId, Cut> {
    let length = body.unsigned()?;
    body.take(length).map(ActorId::from)
}
