//! Changes on the wire, without what the other side can work out.
//!
//! A change of one field is some 130 bytes, of which its columns are 50. The rest is magic,
//! checksum, actors, the hashes that it follows. On the wire actors and names stand once in a
//! table of the message, and a dependency is the beginning of its hash, or nothing where it is the
//! change before. The other side puts the chunk together again and compares the checksum, so a
//! change arrives as it was or not at all.

use std::collections::BTreeMap;

pub mod columns;
mod contents;

use automerge::ChangeHash;
use minicbor::bytes::ByteVec;
use minicbor::decode::Error;
use minicbor::{Decode, Decoder, Encode};

use super::chunk::{self, Parts};
use crate::ids::GENESIS_ACTOR;

/// Bytes of a hash that name a dependency within one record. Eight can't be met by trying within
/// the life of a record; a mistake would show in the checksum.
const PREFIX: usize = 8;

/// A change that comes to more than so many times what it takes on the wire travels plain. A place
/// in a table can stand for any number of bytes, so that a body could come to more than a machine
/// has. A change of one field comes to two or three times.
const EXPANSION: usize = 8;

/// Actors or names in a table: as many as a body can make use of, and few enough that empty ones
/// take no memory to speak of.
const PLACES: usize = 16_384;

/// What the next change of a list is counted from.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    hash: Option<ChangeHash>,
    seq: u64,
    start_op: u64,
    /// The table's time until a change has one.
    time: Option<i64>,
}

/// A dependency by the beginning of its hash.
pub type Prefix = [u8; PREFIX];

/// The beginning of a hash.
pub fn prefix(hash: &ChangeHash) -> Prefix {
    let mut prefix = [0; PREFIX];
    prefix.copy_from_slice(&hash.0[..PREFIX]);
    prefix
}

/// What the changes of one message share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Tables {
    /// Actors; changes name them by place.
    #[n(0)]
    #[cbor(decode_with = "places")]
    actors: Vec<ByteVec>,
    /// Messages of changes, which are sign-in names.
    #[n(1)]
    #[cbor(decode_with = "places")]
    names: Vec<ByteVec>,
    /// Time that the changes' own are counted from, s.
    #[n(2)]
    time: i64,
}

fn places<'b, C>(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Vec<ByteVec>, Error> {
    let mut table = Vec::new();
    for bytes in d.array_iter_with(ctx)? {
        if table.len() == PLACES {
            return Err(Error::message("a table is too long"));
        }
        table.push(bytes?);
    }
    Ok(table)
}

/// One change on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packed {
    /// The chunk as it is: where stripping it does not give it back, or is of no use.
    Plain(Vec<u8>),
    /// What the other side can't work out. Boxed, so that a body of many small changes takes
    /// little more memory than its bytes.
    Stripped(Box<Stripped>),
}

/// A change without what the other side can work out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripped {
    /// Place of the actor.
    actor: u32,
    /// The actor's number for it, less that of the change before in the list.
    seq: i64,
    /// Its first operation's counter, less that of the change before.
    start_op: i64,
    /// Seconds after the change before; after the table's time for the first.
    time: i64,
    /// Place of the message.
    name: u32,
    /// Beginnings of the hashes that it follows; empty for the change before alone.
    deps: Vec<Prefix>,
    /// Other actors that its columns name: 0 for the first change's, else the place and one.
    others: Vec<u32>,
    /// Its columns, as they are.
    columns: Vec<u8>,
    /// Beginning of its hash. None where the next change follows it alone: that one's hash says
    /// that both are as they were.
    checksum: Option<[u8; 4]>,
}

impl Packed {
    /// A chunk as it is.
    pub fn plain(chunk: &[u8]) -> Self {
        Self::Plain(chunk.to_vec())
    }

    /// About how many bytes it takes on the wire.
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

    /// Whether it may stand for a chunk that is so long but for the actors that it names.
    fn may_stand_for(&self, rest: usize, others: impl Iterator<Item = usize>) -> bool {
        let most = EXPANSION * self.size();
        let mut length = rest;
        // Ends with the first that is too much, however many there are.
        for other in others {
            length = length.saturating_add(other);
            if length > most {
                return false;
            }
        }
        length <= most
    }
}

/// Why changes can't be put together again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpackable {
    /// A change follows one that is not held.
    UnknownDependency,
    /// A place that no table has, or a checksum that is wrong.
    Malformed,
}

/// Packs the changes of one message.
#[derive(Debug, Default)]
pub struct Packer {
    tables: Tables,
    actors: BTreeMap<Vec<u8>, u32>,
    names: BTreeMap<Vec<u8>, u32>,
    began: bool,
}

impl Packer {
    /// Packs changes of one record, in causal order.
    pub fn pack<'c>(&mut self, chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<Packed> {
        let mut before = Before::default();
        let mut packed: Vec<Packed> = Vec::new();
        for chunk in chunks {
            let one = self.one(chunk, &mut before);
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

    /// What goes with the packed changes.
    pub fn into_tables(self) -> Tables {
        self.tables
    }

    fn one(&mut self, chunk: &[u8], before: &mut Before) -> Packed {
        let hash = chunk::hash(chunk);
        // The other side puts what a change follows in order.
        let in_order = |deps: &[ChangeHash]| !deps.is_empty() && deps.is_sorted_by(|a, b| a < b);
        let faithful = |parts: &Parts<'_>| in_order(&parts.deps) && parts.build().0 == chunk;
        let parts = Parts::parse(chunk).ok().filter(faithful);
        let Some(stripped) = parts.and_then(|parts| self.strip(&parts, *before)) else {
            before.hash = Some(hash);
            return Packed::plain(chunk);
        };
        before.add(&stripped, self.tables.time);
        before.hash = Some(hash);
        Packed::Stripped(Box::new(stripped))
    }

    /// `None` where a table is full, or what comes out would be too many times as long.
    fn strip(&mut self, parts: &Parts<'_>, last: Before) -> Option<Stripped> {
        if !self.began {
            self.began = true;
            self.tables.time = parts.time;
        }
        let follows = last.hash.is_some_and(|last| parts.deps == [last]);
        let deps = if follows { Vec::new() } else { parts.deps.iter().map(prefix).collect() };
        let stripped = Stripped {
            actor: self.actor(parts.actor)?,
            seq: parts.seq.wrapping_sub(last.seq).cast_signed(),
            start_op: parts.start_op.wrapping_sub(last.start_op).cast_signed(),
            time: parts.time.wrapping_sub(last.time.unwrap_or(self.tables.time)),
            name: place(&mut self.names, &mut self.tables.names, parts.message)?,
            deps,
            others: parts.others.iter().map(|other| self.other(other)).collect::<Option<_>>()?,
            columns: parts.columns.to_vec(),
            checksum: Some(parts.checksum),
        };
        let others = parts.others.iter().map(|other| other.len());
        stripped.may_stand_for(parts.actor.len() + parts.message.len(), others).then_some(stripped)
    }

    fn actor(&mut self, actor: &[u8]) -> Option<u32> {
        place(&mut self.actors, &mut self.tables.actors, actor)
    }

    fn other(&mut self, actor: &[u8]) -> Option<u32> {
        if *actor == GENESIS_ACTOR { Some(0) } else { Some(self.actor(actor)? + 1) }
    }
}

fn place(
    known: &mut BTreeMap<Vec<u8>, u32>,
    table: &mut Vec<ByteVec>,
    bytes: &[u8],
) -> Option<u32> {
    if let Some(place) = known.get(bytes) {
        return Some(*place);
    }
    let place = u32::try_from(table.len()).ok().filter(|_| table.len() < PLACES)?;
    table.push(bytes.to_vec().into());
    known.insert(bytes.to_vec(), place);
    Some(place)
}

impl Before {
    /// Counts on by what a change says.
    fn add(&mut self, change: &Stripped, table: i64) {
        self.seq = self.seq.wrapping_add_signed(change.seq);
        self.start_op = self.start_op.wrapping_add_signed(change.start_op);
        self.time = Some(self.time.unwrap_or(table).wrapping_add(change.time));
    }
}

/// Puts the changes of one record together again. `held` finds a change of the record by the
/// beginning of its hash.
pub fn unpack(
    packed: &[Packed],
    tables: &Tables,
    held: impl Fn(&Prefix) -> Option<ChangeHash>,
) -> Result<Vec<Vec<u8>>, Unpackable> {
    let mut came: BTreeMap<Prefix, ChangeHash> = BTreeMap::new();
    let mut before = Before::default();
    let mut chunks = Vec::new();
    // Whether the change before is still to be vouched for by the hash of one that follows it.
    let mut open = false;
    for one in packed {
        let find = |name: &Prefix| came.get(name).copied().or_else(|| held(name));
        let follows = matches!(one, Packed::Stripped(change) if change.deps.is_empty());
        if open && !follows {
            return Err(Unpackable::Malformed);
        }
        let (chunk, hash) = match one {
            Packed::Plain(chunk) => (chunk.clone(), chunk::hash(chunk)),
            Packed::Stripped(change) => rebuild(change, tables, &mut before, find)?,
        };
        open = matches!(one, Packed::Stripped(change) if change.checksum.is_none());
        chunks.push(chunk);
        came.insert(prefix(&hash), hash);
        before.hash = Some(hash);
    }
    if open { Err(Unpackable::Malformed) } else { Ok(chunks) }
}

fn rebuild(
    change: &Stripped,
    tables: &Tables,
    before: &mut Before,
    find: impl Fn(&Prefix) -> Option<ChangeHash>,
) -> Result<(Vec<u8>, ChangeHash), Unpackable> {
    let other = |place: &u32| match place.checked_sub(1) {
        Some(place) => at(&tables.actors, place),
        None => Ok(GENESIS_ACTOR.as_slice()),
    };
    let (actor, message) = (at(&tables.actors, change.actor)?, at(&tables.names, change.name)?);
    let others = change.others.iter().map(|place| other(place).map_or(0, <[u8]>::len));
    if !change.may_stand_for(actor.len() + message.len(), others) {
        return Err(Unpackable::Malformed);
    }
    let mut deps: Vec<ChangeHash> = if change.deps.is_empty() {
        vec![before.hash.ok_or(Unpackable::Malformed)?]
    } else {
        let found = change.deps.iter().map(|name| find(name).ok_or(Unpackable::UnknownDependency));
        found.collect::<Result<_, _>>()?
    };
    deps.sort_unstable();
    before.add(change, tables.time);
    let parts = Parts {
        checksum: [0; 4],
        deps,
        actor,
        seq: before.seq,
        start_op: before.start_op,
        time: before.time.unwrap_or(tables.time),
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

fn at(table: &[ByteVec], place: u32) -> Result<&[u8], Unpackable> {
    let found = usize::try_from(place).ok().and_then(|place| table.get(place));
    found.map(|bytes| bytes.as_slice()).ok_or(Unpackable::Malformed)
}

#[cfg(test)]
mod tests;
