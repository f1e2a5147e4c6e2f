//! Changes on the wire, without what the other side can work out.
//!
//! A change of one field is some 130 bytes, of which its columns are 50. The rest is magic,
//! checksum, actors, the hashes that it follows. On the wire actors and names stand once in a
//! table of the message, and a dependency is the beginning of its hash, or nothing where it is the
//! change before. The other side puts the chunk together again and compares the checksum, so a
//! change arrives as it was or not at all.

use std::collections::BTreeMap;

use automerge::ChangeHash;
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

use super::chunk::{self, Parts};
use crate::record::genesis;

/// Bytes of a hash that name a dependency within one record. Eight can't be met by trying within
/// the life of a record; a mistake would show in the checksum.
const PREFIX: usize = 8;

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
    actors: Vec<ByteVec>,
    /// Messages of changes, which are sign-in names.
    #[n(1)]
    names: Vec<ByteVec>,
    /// Time that the changes' own are counted from, s.
    #[n(2)]
    time: i64,
}

/// One change on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Packed {
    /// The chunk as it is: where stripping it does not give it back, or is of no use.
    #[n(0)]
    Plain(#[n(0)] ByteVec),
    /// What the other side can't work out. Boxed, so that a body of many small changes takes
    /// little more memory than its bytes.
    #[n(1)]
    Stripped(#[n(0)] Box<Stripped>),
}

/// A change without what the other side can work out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Stripped {
    /// Place of the actor.
    #[n(0)]
    actor: u32,
    /// The actor's number for it.
    #[n(1)]
    seq: u64,
    /// Its first operation's counter.
    #[n(2)]
    start_op: u64,
    /// Seconds after the table's time.
    #[n(3)]
    time: i64,
    /// Place of the message.
    #[n(4)]
    name: u32,
    /// Beginnings of the hashes that it follows; empty for the change before alone.
    #[n(5)]
    deps: ByteVec,
    /// Other actors that its columns name: 0 for the first change's, else the place and one.
    #[n(6)]
    others: Vec<u32>,
    /// Beginning of its hash.
    #[n(7)]
    checksum: ByteArray<4>,
    /// Its columns, as they are.
    #[n(8)]
    columns: ByteVec,
}

impl Packed {
    /// A chunk as it is.
    pub fn plain(chunk: &[u8]) -> Self {
        Self::Plain(chunk.to_vec().into())
    }

    /// About how many bytes it takes on the wire.
    pub fn size(&self) -> usize {
        match self {
            Self::Plain(chunk) => chunk.len(),
            Self::Stripped(change) => {
                16 + change.deps.len() + change.others.len() + change.columns.len()
            }
        }
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
        let mut before = None;
        let mut packed = Vec::new();
        for chunk in chunks {
            let hash = chunk::hash(chunk);
            packed.push(self.one(chunk, hash, before));
            before = Some(hash);
        }
        packed
    }

    /// What goes with the packed changes.
    pub fn into_tables(self) -> Tables {
        self.tables
    }

    fn one(&mut self, chunk: &[u8], hash: ChangeHash, before: Option<ChangeHash>) -> Packed {
        let faithful = |parts: &Parts<'_>| {
            let (again, named) = parts.build();
            again == chunk && named == hash && !parts.deps.is_empty()
        };
        let Some(parts) = Parts::parse(chunk).ok().filter(faithful) else {
            return Packed::plain(chunk);
        };
        if !self.began {
            self.began = true;
            self.tables.time = parts.time;
        }
        let follows = before.is_some_and(|before| parts.deps == [before]);
        let deps = if follows { Vec::new() } else { parts.deps.iter().flat_map(prefix).collect() };
        Packed::Stripped(Box::new(Stripped {
            actor: self.actor(parts.actor),
            seq: parts.seq,
            start_op: parts.start_op,
            time: parts.time.wrapping_sub(self.tables.time),
            name: place(&mut self.names, &mut self.tables.names, parts.message),
            deps: deps.into(),
            others: parts.others.iter().map(|other| self.other(other)).collect(),
            checksum: parts.checksum.into(),
            columns: parts.columns.to_vec().into(),
        }))
    }

    fn actor(&mut self, actor: &[u8]) -> u32 {
        place(&mut self.actors, &mut self.tables.actors, actor)
    }

    fn other(&mut self, actor: &[u8]) -> u32 {
        if *actor == genesis::ACTOR { 0 } else { self.actor(actor) + 1 }
    }
}

fn place(known: &mut BTreeMap<Vec<u8>, u32>, table: &mut Vec<ByteVec>, bytes: &[u8]) -> u32 {
    if let Some(place) = known.get(bytes) {
        return *place;
    }
    let place = u32::try_from(table.len()).unwrap_or(u32::MAX);
    table.push(bytes.to_vec().into());
    known.insert(bytes.to_vec(), place);
    place
}

/// Puts the changes of one record together again. `held` finds a change of the record by the
/// beginning of its hash.
pub fn unpack(
    packed: &[Packed],
    tables: &Tables,
    held: impl Fn(&Prefix) -> Option<ChangeHash>,
) -> Result<Vec<Vec<u8>>, Unpackable> {
    let mut came: BTreeMap<Prefix, ChangeHash> = BTreeMap::new();
    let mut before = None;
    let mut chunks = Vec::new();
    for one in packed {
        let find = |name: &Prefix| came.get(name).copied().or_else(|| held(name));
        let (chunk, hash) = match one {
            Packed::Plain(chunk) => (chunk.to_vec(), chunk::hash(chunk)),
            Packed::Stripped(change) => rebuild(change, tables, before, find)?,
        };
        chunks.push(chunk);
        came.insert(prefix(&hash), hash);
        before = Some(hash);
    }
    Ok(chunks)
}

fn rebuild(
    change: &Stripped,
    tables: &Tables,
    before: Option<ChangeHash>,
    find: impl Fn(&Prefix) -> Option<ChangeHash>,
) -> Result<(Vec<u8>, ChangeHash), Unpackable> {
    let (names, rest) = change.deps.as_chunks::<PREFIX>();
    if !rest.is_empty() {
        return Err(Unpackable::Malformed);
    }
    let mut deps: Vec<ChangeHash> = if names.is_empty() {
        vec![before.ok_or(Unpackable::Malformed)?]
    } else {
        let found = names.iter().map(|name| find(name).ok_or(Unpackable::UnknownDependency));
        found.collect::<Result<_, _>>()?
    };
    deps.sort_unstable();
    let other = |place: &u32| match place.checked_sub(1) {
        Some(place) => at(&tables.actors, place),
        None => Ok(genesis::ACTOR.as_slice()),
    };
    let parts = Parts {
        checksum: *change.checksum,
        deps,
        actor: at(&tables.actors, change.actor)?,
        seq: change.seq,
        start_op: change.start_op,
        time: tables.time.wrapping_add(change.time),
        message: at(&tables.names, change.name)?,
        others: change.others.iter().map(other).collect::<Result<_, _>>()?,
        columns: &change.columns,
    };
    let (chunk, hash) = parts.build();
    let intact = hash.0.first_chunk() == Some(&*change.checksum);
    if intact { Ok((chunk, hash)) } else { Err(Unpackable::Malformed) }
}

fn at(table: &[ByteVec], place: u32) -> Result<&[u8], Unpackable> {
    let found = usize::try_from(place).ok().and_then(|place| table.get(place));
    found.map(|bytes| bytes.as_slice()).ok_or(Unpackable::Malformed)
}
