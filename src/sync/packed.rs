//! Changes on the wire, without what the other side can work out.
//!
//! A change of one field is some 130 bytes, of which its columns are 50. The rest is magic,
//! checksum, actors, the hashes that it follows. On the wire actors and names stand once in a
//! table of the message, and a dependency is the beginning of its hash, or nothing where it is the
//! change before. The other side puts the chunk together again and compares the checksum, so a
//! change arrives as it was or not at all.

use std::collections::BTreeMap;

pub mod columns;

use automerge::ChangeHash;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::chunk::{self, Parts};
use crate::record::genesis;

/// Bytes of a hash that name a dependency within one record. Eight can't be met by trying within
/// the life of a record; a mistake would show in the checksum.
const PREFIX: usize = 8;

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
    actors: Vec<ByteVec>,
    /// Messages of changes, which are sign-in names.
    #[n(1)]
    names: Vec<ByteVec>,
    /// Time that the changes' own are counted from, s.
    #[n(2)]
    time: i64,
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
            Self::Stripped(change) => {
                16 + change.deps.len() * PREFIX + change.others.len() + change.columns.len()
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
        let faithful = |parts: &Parts<'_>| parts.build().0 == chunk && !parts.deps.is_empty();
        let Some(parts) = Parts::parse(chunk).ok().filter(faithful) else {
            before.hash = Some(hash);
            return Packed::plain(chunk);
        };
        if !self.began {
            self.began = true;
            self.tables.time = parts.time;
        }
        let last = *before;
        let follows = last.hash.is_some_and(|last| parts.deps == [last]);
        let deps = if follows { Vec::new() } else { parts.deps.iter().map(prefix).collect() };
        *before = Before {
            hash: Some(hash),
            seq: parts.seq,
            start_op: parts.start_op,
            time: Some(parts.time),
        };
        Packed::Stripped(Box::new(Stripped {
            actor: self.actor(parts.actor),
            seq: parts.seq.wrapping_sub(last.seq).cast_signed(),
            start_op: parts.start_op.wrapping_sub(last.start_op).cast_signed(),
            time: parts.time.wrapping_sub(last.time.unwrap_or(self.tables.time)),
            name: place(&mut self.names, &mut self.tables.names, parts.message),
            deps,
            others: parts.others.iter().map(|other| self.other(other)).collect(),
            columns: parts.columns.to_vec(),
            checksum: Some(parts.checksum),
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
    let mut deps: Vec<ChangeHash> = if change.deps.is_empty() {
        vec![before.hash.ok_or(Unpackable::Malformed)?]
    } else {
        let found = change.deps.iter().map(|name| find(name).ok_or(Unpackable::UnknownDependency));
        found.collect::<Result<_, _>>()?
    };
    deps.sort_unstable();
    let other = |place: &u32| match place.checked_sub(1) {
        Some(place) => at(&tables.actors, place),
        None => Ok(genesis::ACTOR.as_slice()),
    };
    before.seq = before.seq.wrapping_add_signed(change.seq);
    before.start_op = before.start_op.wrapping_add_signed(change.start_op);
    let time = before.time.unwrap_or(tables.time).wrapping_add(change.time);
    before.time = Some(time);
    let parts = Parts {
        checksum: [0; 4],
        deps,
        actor: at(&tables.actors, change.actor)?,
        seq: before.seq,
        start_op: before.start_op,
        time,
        message: at(&tables.names, change.name)?,
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
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::ids::RecordId;
    use crate::sync::message::Push;

    prop_compose! {
        /// A change, and whether it follows the one before it alone.
        fn change()(
            follows: bool,
            deps in vec(any::<[u8; 32]>(), 1..4),
            actor in vec(any::<u8>(), 0..30),
            seq: u64,
            start_op: u64,
            time: i64,
            message in vec(any::<u8>(), 0..20),
            others in vec(prop_oneof![vec(any::<u8>(), 0..30), Just(genesis::ACTOR.to_vec())], 0..4),
            columns in vec(any::<u8>(), 0..80),
        ) -> (bool, Vec<[u8; 32]>, Vec<u8>, u64, u64, i64, Vec<u8>, Vec<Vec<u8>>, Vec<u8>) {
            (follows, deps, actor, seq, start_op, time, message, others, columns)
        }
    }

    prop_compose! {
        /// Chunks of one record, with what is no change among them, and the hashes that they name.
        fn chunks()(
            changes in vec((change(), prop::option::weighted(0.1, vec(any::<u8>(), 0..40))), 0..8),
        ) -> (Vec<Vec<u8>>, Vec<ChangeHash>) {
            let mut chunks: Vec<Vec<u8>> = Vec::new();
            let mut held = Vec::new();
            for (change, garbage) in changes {
                let (follows, deps, actor, seq, start_op, time, message, others, columns) = change;
                if let Some(garbage) = garbage {
                    chunks.push(garbage);
                    continue;
                }
                let mut deps: Vec<ChangeHash> = deps.into_iter().map(ChangeHash).collect();
                deps.sort_unstable();
                deps.dedup();
                match chunks.last() {
                    Some(last) if follows => deps = vec![chunk::hash(last)],
                    _ => held.extend(deps.clone()),
                }
                let parts = Parts {
                    checksum: [0; 4],
                    deps,
                    actor: &actor,
                    seq,
                    start_op,
                    time,
                    message: &message,
                    others: others.iter().map(Vec::as_slice).collect(),
                    columns: &columns,
                };
                chunks.push(parts.build().0);
            }
            (chunks, held)
        }
    }

    fn find(held: &[ChangeHash], name: &Prefix) -> Option<ChangeHash> {
        held.iter().find(|hash| prefix(hash) == *name).copied()
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_as_it_was((chunks, held) in chunks()) {
            let mut packer = Packer::default();
            let packed = packer.pack(chunks.iter().map(Vec::as_slice));
            let again = unpack(&packed, &packer.into_tables(), |name| find(&held, name));
            prop_assert_eq!(again, Ok(chunks));
        }

        #[test]
        fn a_change_that_was_touched_does_not_come_out(
            (chunks, held) in chunks(),
            at: prop::sample::Index,
            bit in 0u8..8,
        ) {
            let mut packer = Packer::default();
            let mut packed = packer.pack(chunks.iter().map(Vec::as_slice));
            let tables = packer.into_tables();
            let stripped: Vec<&mut Stripped> = packed
                .iter_mut()
                .filter_map(|one| match one {
                    Packed::Stripped(change) if !change.columns.is_empty() => Some(&mut **change),
                    Packed::Stripped(_) | Packed::Plain(_) => None,
                })
                .collect();
            prop_assume!(!stripped.is_empty());
            let place = at.index(stripped.len());
            let change = stripped.into_iter().nth(place).unwrap();
            change.columns[0] ^= 1 << bit;
            prop_assert!(unpack(&packed, &tables, |name| find(&held, name)).is_err());
        }

        #[test]
        fn what_is_encoded_decodes_to_the_same((chunks, _) in chunks(), extra in 0u8..3) {
            let changes = Packer::default().pack(chunks.iter().map(Vec::as_slice));
            let push = Push { record: RecordId([1; 16]), changes };
            let bytes = columns::to_vec(&push);
            prop_assert_eq!(columns::from_slice(&bytes).ok(), Some(push));
            // More than what is asked for is as wrong as less.
            let longer = [bytes.clone(), vec![extra; 1]].concat();
            prop_assert!(columns::from_slice::<Push>(&longer).is_err());
            prop_assert!(columns::from_slice::<Push>(&bytes[..bytes.len() - 1]).is_err());
        }

        #[test]
        fn any_bytes_are_changes_or_an_error(bytes in vec(any::<u8>(), 0..400)) {
            if let Ok(Push { changes, .. }) = columns::from_slice(&bytes) {
                let _ = unpack(&changes, &Tables::default(), |_| Some(ChangeHash([7; 32])));
            }
            let _ = Parts::parse(&bytes);
        }
    }

    #[test]
    fn a_place_that_no_table_has_is_an_error() {
        let mut packer = Packer::default();
        let parts = Parts {
            checksum: [0; 4],
            deps: vec![ChangeHash([1; 32])],
            actor: &[1; 24],
            seq: 1,
            start_op: 2,
            time: 3,
            message: b"chen.jie",
            others: Vec::new(),
            columns: &[0],
        };
        let mut chunk = parts.build().0;
        chunk[4] ^= 1;
        let packed = packer.pack([chunk.as_slice()]);
        // Its checksum is not right, so it travels plain; stripped by hand it is refused.
        assert!(matches!(packed[..], [Packed::Plain(_)]));
        let stripped = Packed::Stripped(Box::new(Stripped {
            actor: 9,
            seq: 1,
            start_op: 1,
            time: 0,
            name: 0,
            deps: vec![[1; PREFIX]],
            others: Vec::new(),
            columns: vec![0],
            checksum: None,
        }));
        let held = |_: &Prefix| Some(ChangeHash([1; 32]));
        assert_eq!(unpack(&[stripped], &Tables::default(), held), Err(Unpackable::Malformed));
        assert_eq!(unpack(&packed, &Tables::default(), held).map(|chunks| chunks.len()), Ok(1));
    }
}
