//! An Automerge change chunk taken apart and put together again, without Automerge.
//!
//! Both sides need the parts: the wire carries only what the other side can't work out
//! ([`packed`](super::packed)), and the office looks at every header before Automerge does.

use automerge::ChangeHash;
use sha2::{Digest, Sha256};

use super::reader::{ReadError, Reader};

/// What every Automerge chunk begins with.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];

/// The type of a plain change. Deflated ones, documents and bundles are not taken from devices:
/// they can inflate to anything.
const PLAIN_CHANGE: u8 = 1;

/// The parts of a change chunk, as they stand in its bytes. Nothing is checked but the form.
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
    /// Other actors that the columns name, by their place.
    pub(crate) others: Vec<&'b [u8]>,
    /// Column table, columns and what follows them.
    pub(crate) columns: &'b [u8],
}

impl<'b> Parts<'b> {
    /// Takes a chunk apart; allocates no more than the bytes are long.
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
        let deps = several(&mut body, |body| body.array().map(ChangeHash))?;
        let actor = counted(&mut body)?;
        let seq = body.unsigned()?;
        let start_op = body.unsigned()?;
        let time = body.signed()?;
        let message = counted(&mut body)?;
        let others = several(&mut body, counted)?;
        let columns = body.rest();
        Ok(Self { checksum, deps, actor, seq, start_op, time, message, others, columns })
    }

    /// The chunk, byte for byte as Automerge writes it and with the checksum that it should have,
    /// and its hash.
    pub(crate) fn build(&self) -> (Vec<u8>, ChangeHash) {
        let mut body = Vec::with_capacity(self.columns.len() + 128);
        write_unsigned(&mut body, self.deps.len() as u64);
        self.deps.iter().for_each(|dep| body.extend(dep.0));
        write_counted(&mut body, self.actor);
        write_unsigned(&mut body, self.seq);
        write_unsigned(&mut body, self.start_op);
        signed(&mut body, self.time);
        write_counted(&mut body, self.message);
        write_unsigned(&mut body, self.others.len() as u64);
        self.others.iter().for_each(|other| write_counted(&mut body, other));
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

/// The hash that names a chunk: of all that follows its checksum, which is the hash's beginning.
pub(crate) fn hash(chunk: &[u8]) -> ChangeHash {
    ChangeHash(Sha256::digest(chunk.get(8..).unwrap_or_default()).into())
}

fn several<'b, T>(
    body: &mut Reader<'b>,
    one: impl Fn(&mut Reader<'b>) -> Result<T, ReadError>,
) -> Result<Vec<T>, ReadError> {
    let count = body.unsigned()?;
    // Collecting results reserves nothing: a count that lies ends with the bytes.
    (0..count).map(|_| one(body)).collect()
}

fn counted<'b>(body: &mut Reader<'b>) -> Result<&'b [u8], ReadError> {
    let length = body.unsigned()?;
    body.take(length)
}

fn write_counted(body: &mut Vec<u8>, bytes: &[u8]) {
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
fn signed(bytes: &mut Vec<u8>, mut value: i64) {
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
