//! Changes on the wire, without the parts that the other side can reconstruct.
//!
//! A change of one field is some 130 bytes, of which its columns are 50. The rest is magic,
//! checksum, actors and dependency hashes. On the wire actors and names are in a table of the
//! message, and a dependency is a prefix of its hash, or nothing where it is the previous change.
//! The other side rebuilds the chunk and compares the checksum, so a change arrives byte for byte
//! or not at all.

use std::collections::BTreeMap;

pub mod columns;
mod contents;

use automerge::ChangeHash;
use minicbor::bytes::ByteVec;
use minicbor::decode::Error;
use minicbor::{Decode, Decoder, Encode};

use super::chunk::{self, Parts};
use crate::ids::GENESIS_ACTOR;

/// Bytes of a hash that identify a dependency within one record. Eight bytes make a collision
/// infeasible, and the checksum would reveal one.
const PREFIX: usize = 8;

/// A change that would expand to more than this many times its size on the wire is sent plain. A
/// table index can represent any number of bytes, so a small body could otherwise fill the memory.
/// A change of one field expands two or three times.
const MAX_EXPANSION: usize = 8;

/// Actors or names in a table: more than a body can use, and few enough that empty ones take
/// little memory.
const MAX_TABLE: usize = 16_384;

/// The previous change of a list, from which the next one is counted.
#[derive(Debug, Clone, Copy, Default)]
struct Previous {
    hash: Option<ChangeHash>,
    seq: u64,
    start_op: u64,
    /// `None` before the first change: its time is counted from the table's.
    time: Option<i64>,
}

/// A dependency by a prefix of its hash.
pub type Prefix = [u8; PREFIX];

/// The prefix of a hash.
pub fn prefix(hash: &ChangeHash) -> Prefix {
    let mut prefix = [0; PREFIX];
    prefix.copy_from_slice(&hash.0[..PREFIX]);
    prefix
}

/// The shared parts of the changes of one message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Tables {
    /// Actors; changes refer to them by index.
    #[n(0)]
    #[cbor(decode_with = "bounded_table")]
    actors: Vec<ByteVec>,
    /// Messages of changes, which are sign-in names.
    #[n(1)]
    #[cbor(decode_with = "bounded_table")]
    names: Vec<ByteVec>,
    /// The time from which those of the changes are counted, s.
    #[n(2)]
    time: i64,
}

fn bounded_table<'b, C>(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Vec<ByteVec>, Error> {
    let mut table = Vec::new();
    for bytes in d.array_iter_with(ctx)? {
        if table.len() == MAX_TABLE {
            return Err(Error::message("a table is too long"));
        }
        table.push(bytes?);
    }
    Ok(table)
}

/// One change on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packed {
    /// The chunk as it is: it can't be rebuilt byte for byte, or stripping saves nothing.
    Plain(Vec<u8>),
    /// The parts that the other side can't reconstruct. Boxed, so that a body of many small
    /// changes takes little more memory than its bytes.
    Stripped(Box<Stripped>),
}

/// The parts of a change that the other side can't reconstruct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripped {
    /// Index of the actor.
    actor: u32,
    /// Its sequence number, relative to the previous change of the list.
    seq: i64,
    /// The counter of its first operation, relative to the previous change.
    start_op: i64,
    /// Its time, s, relative to the previous change, or to the table's for the first.
    time: i64,
    /// Index of the message.
    name: u32,
    /// Hash prefixes of its dependencies; empty where it depends on the previous change alone.
    deps: Vec<Prefix>,
    /// Other actors that its columns name: 0 for that of the first change of every record, else
    /// the index plus one.
    others: Vec<u32>,
    /// Its columns, as they are.
    columns: Vec<u8>,
    /// Prefix of its hash. `None` where the next change depends on it alone, whose hash covers it.
    checksum: Option<[u8; 4]>,
}

impl Packed {
    /// A chunk as it is.
    pub fn plain(chunk: &[u8]) -> Self {
        Self::Plain(chunk.to_vec())
    }

    /// Approximate bytes on the wire.
    pub fn size(&self) -> usize {
        match self {
            Self::Plain(chunk) => chunk.len(),
            Self::Stripped(change) => change.size(),
        }
    }
}

impl Stripped {
    fn size(&self) -> usize {
        16 + self.deps.len() * PREFIX + self.others.len() + self.columns.len()
    }

    /// Whether its expansion is within bounds: `names` bytes of actor and message, and the lengths
    /// of the other actors.
    fn expands_within_bounds(&self, names: usize, others: impl Iterator<Item = usize>) -> bool {
        let limit = MAX_EXPANSION * self.size();
        let mut length = names;
        // Stops at the limit, however many actors there are.
        for other in others {
            length = length.saturating_add(other);
            if length > limit {
                return false;
            }
        }
        length <= limit
    }
}

/// Why changes can't be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpackable {
    /// A change depends on one that is not there.
    UnknownDependency,
    /// An index outside a table, or a wrong checksum.
    Malformed,
}

/// Packs the changes of one message.
#[derive(Debug, Default)]
pub struct Packer {
    tables: Tables,
    actors: BTreeMap<Vec<u8>, u32>,
    names: BTreeMap<Vec<u8>, u32>,
    has_time: bool,
}

impl Packer {
    /// Packs changes of one record, in causal order.
    pub fn pack<'c>(&mut self, chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<Packed> {
        let mut previous = Previous::default();
        let mut packed: Vec<Packed> = Vec::new();
        for chunk in chunks {
            let one = self.pack_one(chunk, &mut previous);
            if let (Packed::Stripped(next), Some(Packed::Stripped(last))) =
                (&one, packed.last_mut())
                && next.deps.is_empty()
            {
                last.checksum = None;
            }
            packed.push(one);
        }
        packed
    }

    /// The tables of all packed changes.
    pub fn into_tables(self) -> Tables {
        self.tables
    }

    fn pack_one(&mut self, chunk: &[u8], previous: &mut Previous) -> Packed {
        let hash = chunk::hash(chunk);
        // The other side sorts dependencies.
        let is_sorted = |deps: &[ChangeHash]| !deps.is_empty() && deps.is_sorted_by(|a, b| a < b);
        let is_lossless = |parts: &Parts<'_>| is_sorted(&parts.deps) && parts.build().0 == chunk;
        let parts = Parts::parse(chunk).ok().filter(is_lossless);
        let Some(stripped) = parts.and_then(|parts| self.strip(&parts, *previous)) else {
            previous.hash = Some(hash);
            return Packed::plain(chunk);
        };
        previous.advance(&stripped, self.tables.time);
        previous.hash = Some(hash);
        Packed::Stripped(Box::new(stripped))
    }

    /// `None` where a table is full or the expansion is out of bounds.
    fn strip(&mut self, parts: &Parts<'_>, last: Previous) -> Option<Stripped> {
        if !self.has_time {
            self.has_time = true;
            self.tables.time = parts.time;
        }
        let follows = last.hash.is_some_and(|last| parts.deps == [last]);
        let deps = if follows { Vec::new() } else { parts.deps.iter().map(prefix).collect() };
        let stripped = Stripped {
            actor: self.actor(parts.actor)?,
            seq: parts.seq.wrapping_sub(last.seq).cast_signed(),
            start_op: parts.start_op.wrapping_sub(last.start_op).cast_signed(),
            time: parts.time.wrapping_sub(last.time.unwrap_or(self.tables.time)),
            name: intern(&mut self.names, &mut self.tables.names, parts.message)?,
            deps,
            others: parts.others.iter().map(|other| self.other(other)).collect::<Option<_>>()?,
            columns: parts.columns.to_vec(),
            checksum: Some(parts.checksum),
        };
        let others = parts.others.iter().map(|other| other.len());
        let names = parts.actor.len() + parts.message.len();
        stripped.expands_within_bounds(names, others).then_some(stripped)
    }

    fn actor(&mut self, actor: &[u8]) -> Option<u32> {
        intern(&mut self.actors, &mut self.tables.actors, actor)
    }

    fn other(&mut self, actor: &[u8]) -> Option<u32> {
        if *actor == GENESIS_ACTOR { Some(0) } else { Some(self.actor(actor)? + 1) }
    }
}

/// The index of bytes in a table, to which they are added; `None` where it is full.
fn intern(
    known: &mut BTreeMap<Vec<u8>, u32>,
    table: &mut Vec<ByteVec>,
    bytes: &[u8],
) -> Option<u32> {
    if let Some(index) = known.get(bytes) {
        return Some(*index);
    }
    let index = u32::try_from(table.len()).ok().filter(|_| table.len() < MAX_TABLE)?;
    table.push(bytes.to_vec().into());
    known.insert(bytes.to_vec(), index);
    Some(index)
}

impl Previous {
    /// Adds the relative numbers of a change; `table` is the table's time.
    fn advance(&mut self, change: &Stripped, table: i64) {
        self.seq = self.seq.wrapping_add_signed(change.seq);
        self.start_op = self.start_op.wrapping_add_signed(change.start_op);
        self.time = Some(self.time.unwrap_or(table).wrapping_add(change.time));
    }
}

/// Rebuilds the changes of one record. `known` finds a change that the record has by the prefix of
/// its hash.
pub fn unpack(
    packed: &[Packed],
    tables: &Tables,
    known: impl Fn(&Prefix) -> Option<ChangeHash>,
) -> Result<Vec<Vec<u8>>, Unpackable> {
    let mut unpacked: BTreeMap<Prefix, ChangeHash> = BTreeMap::new();
    let mut previous = Previous::default();
    let mut chunks = Vec::new();
    // The previous change has no checksum: the hash of this one must cover it.
    let mut unchecked = false;
    for one in packed {
        let find = |name: &Prefix| unpacked.get(name).copied().or_else(|| known(name));
        let follows = matches!(one, Packed::Stripped(change) if change.deps.is_empty());
        if unchecked && !follows {
            return Err(Unpackable::Malformed);
        }
        let (chunk, hash) = match one {
            Packed::Plain(chunk) => (chunk.clone(), chunk::hash(chunk)),
            Packed::Stripped(change) => rebuild(change, tables, &mut previous, find)?,
        };
        unchecked = matches!(one, Packed::Stripped(change) if change.checksum.is_none());
        chunks.push(chunk);
        unpacked.insert(prefix(&hash), hash);
        previous.hash = Some(hash);
    }
    if unchecked { Err(Unpackable::Malformed) } else { Ok(chunks) }
}

fn rebuild(
    change: &Stripped,
    tables: &Tables,
    previous: &mut Previous,
    find: impl Fn(&Prefix) -> Option<ChangeHash>,
) -> Result<(Vec<u8>, ChangeHash), Unpackable> {
    let other = |index: &u32| match index.checked_sub(1) {
        Some(index) => lookup(&tables.actors, index),
        None => Ok(GENESIS_ACTOR.as_slice()),
    };
    let (actor, message) =
        (lookup(&tables.actors, change.actor)?, lookup(&tables.names, change.name)?);
    let others = change.others.iter().map(|index| other(index).map_or(0, <[u8]>::len));
    if !change.expands_within_bounds(actor.len() + message.len(), others) {
        return Err(Unpackable::Malformed);
    }
    let mut deps: Vec<ChangeHash> = if change.deps.is_empty() {
        vec![previous.hash.ok_or(Unpackable::Malformed)?]
    } else {
        let found = change.deps.iter().map(|name| find(name).ok_or(Unpackable::UnknownDependency));
        found.collect::<Result<_, _>>()?
    };
    deps.sort_unstable();
    previous.advance(change, tables.time);
    let parts = Parts {
        checksum: [0; 4],
        deps,
        actor,
        seq: previous.seq,
        start_op: previous.start_op,
        time: previous.time.unwrap_or(tables.time),
        message,
        others: change.others.iter().map(other).collect::<Result<_, _>>()?,
        columns: &change.columns,
    };
    let (chunk, hash) = parts.build();
    if change.checksum.is_some_and(|checksum| !hash.0.starts_with(&checksum)) {
        return Err(Unpackable::Malformed);
    }
    Ok((chunk, hash))
}

fn lookup(table: &[ByteVec], index: u32) -> Result<&[u8], Unpackable> {
    let found = usize::try_from(index).ok().and_then(|index| table.get(index));
    found.map(|bytes| bytes.as_slice()).ok_or(Unpackable::Malformed)
}

#[cfg(test)]
mod tests;
