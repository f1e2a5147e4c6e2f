//! Automerge change chunks. Their [`Parts`] are parsed and built without Automerge.
//!
//! The wire carries only what the other side can't reconstruct ([`packed`](super::packed)), and the
//! office checks every header before Automerge parses the chunk.

use automerge::{Change, ChangeHash};
use sha2::{Digest, Sha256};

use super::reader::{ReadError, Reader};

/// The first bytes of every Automerge chunk.
pub(super) const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];

/// The type of a plain change. Deflated changes, documents and bundles are refused: they can inflate
/// to any size.
const PLAIN_CHANGE: u8 = 1;

/// The parts of a change chunk, borrowed from its bytes. Only their syntax is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts<'b> {
    pub(crate) checksum: [u8; 4],
    /// Sorted by the rules of the format; not checked here.
    pub(crate) deps: Vec<ChangeHash>,
    pub(crate) actor: &'b [u8],
    pub(crate) seq: u64,
    pub(crate) start_op: u64,
    pub(crate) time: i64,
    pub(crate) message: &'b [u8],
    /// Other actors, which the columns name by index.
    pub(crate) others: Vec<&'b [u8]>,
    /// Column table, columns and trailing bytes.
    pub(crate) columns: &'b [u8],
}

impl<'b> Parts<'b> {
    /// Parses a chunk; allocates no more than its length.
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<Self, ReadError> {
        let mut reader = Reader::new(bytes);
        let magic: [u8; 4] = reader.array()?;
        let checksum = reader.array()?;
        let [chunk_type] = reader.array()?;
        let length = reader.unsigned()?;
        let mut body = Reader::new(reader.take(length)?);
        if magic != MAGIC || chunk_type != PLAIN_CHANGE || !reader.is_empty() {
            return Err(ReadError);
        }
        let deps = list(&mut body, |body| body.array().map(ChangeHash))?;
        let actor = length_prefixed(&mut body)?;
        let seq = body.unsigned()?;
        let start_op = body.unsigned()?;
        let time = body.signed()?;
        let message = length_prefixed(&mut body)?;
        let others = list(&mut body, length_prefixed)?;
        let columns = body.rest();
        Ok(Self { checksum, deps, actor, seq, start_op, time, message, others, columns })
    }

    /// The chunk as Automerge writes it, with the right checksum, and its hash.
    pub(crate) fn build(&self) -> (Vec<u8>, ChangeHash) {
        let mut body = Vec::with_capacity(self.columns.len() + 128);
        write_unsigned(&mut body, self.deps.len() as u64);
        self.deps.iter().for_each(|dep| body.extend(dep.0));
        write_length_prefixed(&mut body, self.actor);
        write_unsigned(&mut body, self.seq);
        write_unsigned(&mut body, self.start_op);
        write_signed(&mut body, self.time);
        write_length_prefixed(&mut body, self.message);
        write_unsigned(&mut body, self.others.len() as u64);
        self.others.iter().for_each(|other| write_length_prefixed(&mut body, other));
        body.extend(self.columns);

        let mut chunk = Vec::with_capacity(body.len() + 16);
        chunk.extend(MAGIC);
        chunk.extend([0; 4]);
        chunk.push(PLAIN_CHANGE);
        write_unsigned(&mut chunk, body.len() as u64);
        chunk.extend(body);
        let hash = hash(&chunk);
        chunk[4..8].copy_from_slice(&hash.0[..4]);
        (chunk, hash)
    }
}

/// The hash of a chunk: SHA-256 of all bytes after the checksum, which is its prefix.
pub(crate) fn hash(chunk: &[u8]) -> ChangeHash {
    ChangeHash(Sha256::digest(chunk.get(8..).unwrap_or_default()).into())
}

/// A change from a stored chunk; `None` if it is damaged. Automerge itself does not compare the
/// checksum.
pub(crate) fn parse_change(chunk: &[u8]) -> Option<Change> {
    let checksum = chunk.get(4..8)?;
    if !hash(chunk).0.starts_with(checksum) {
        return None;
    }
    Change::from_bytes(chunk.to_vec()).ok()
}

fn list<'b, T>(
    body: &mut Reader<'b>,
    one: impl Fn(&mut Reader<'b>) -> Result<T, ReadError>,
) -> Result<Vec<T>, ReadError> {
    let count = body.unsigned()?;
    // Collecting results reserves no memory, so a false count ends with the bytes.
    (0..count).map(|_| one(body)).collect()
}

fn length_prefixed<'b>(body: &mut Reader<'b>) -> Result<&'b [u8], ReadError> {
    let length = body.unsigned()?;
    body.take(length)
}

fn write_length_prefixed(body: &mut Vec<u8>, bytes: &[u8]) {
    write_unsigned(body, bytes.len() as u64);
    body.extend(bytes);
}

/// Unsigned LEB128.
pub(super) fn write_unsigned(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// Signed LEB128.
fn write_signed(bytes: &mut Vec<u8>, mut value: i64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0) {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}
