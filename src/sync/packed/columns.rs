//! The changes of one body, column by column.
//!
//! Values that are similar in all changes, such as relative numbers, are next to each other and
//! deflate to almost nothing, without hashes and contents in between. A body is a sequence of two
//! values: the columns of all its changes, and the rest, in which each list of changes is only its
//! length.

use minicbor::data::Type;
use minicbor::decode::Error;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

use super::contents::Contents;
use super::{PREFIX, Packed, Stripped};

/// Changes in one body: more than fit into the largest, and few enough that empty ones take little
/// memory.
const MAX_CHANGES: usize = 65_536;

/// Bytes of a checksum on the wire.
const CHECKSUM: usize = 4;

/// Kind of a plain chunk.
const PLAIN: u32 = 0;
/// Kind of a stripped change without a checksum.
const UNCHECKED: u32 = 1;
/// Kind of a stripped change with a checksum.
const CHECKED: u32 = 2;

/// The columns of all changes in a body: the context in which it is encoded and decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Columns {
    /// [`PLAIN`], [`UNCHECKED`] or [`CHECKED`].
    #[n(0)]
    kinds: Column,
    #[n(1)]
    actors: Column,
    #[n(2)]
    seqs: Column,
    #[n(3)]
    start_ops: Column,
    #[n(4)]
    times: Column,
    #[n(5)]
    names: Column,
    /// Number of dependencies; 0 for the previous change alone.
    #[n(6)]
    dep_counts: Column,
    /// Number of other actors, then their indexes.
    #[n(7)]
    others: Column,
    /// Hash prefixes of the dependencies, then of the change itself.
    #[n(8)]
    hashes: Column,
    /// Chunks and columns of operations.
    #[n(9)]
    contents: Contents,
    /// Changes decoded so far.
    #[cbor(skip)]
    taken: usize,
}

/// A queue of encoded values: written at the end, read from the front.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Column {
    bytes: Vec<u8>,
    read: usize,
}

impl<C> Encode<C> for Column {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        if self.bytes.is_empty() { e.null()?.ok() } else { e.bytes(&self.bytes)?.ok() }
    }

    fn is_nil(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl<'b, C> Decode<'b, C> for Column {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        if d.datatype()? == Type::Null {
            d.null()?;
            return Ok(Self::default());
        }
        Ok(Self::of(d.bytes()?))
    }

    fn nil() -> Option<Self> {
        Some(Self::default())
    }
}

impl Column {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), read: 0 }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn put<T: Encode<()>>(&mut self, value: T) {
        // Writing to a Vec cannot fail: its write error is `Infallible`.
        if minicbor::encode(value, &mut self.bytes).is_err() {
            unreachable!("encoding into memory cannot fail");
        }
    }

    pub(super) fn put_bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn take<'b, T: Decode<'b, ()>>(&'b mut self) -> Result<T, Error> {
        let mut decoder = Decoder::new(self.bytes.get(self.read..).unwrap_or_default());
        let value = decoder.decode()?;
        self.read += decoder.position();
        Ok(value)
    }

    pub(super) fn take_bytes(&mut self, count: usize) -> Result<&[u8], Error> {
        let end = self.read.checked_add(count).ok_or_else(Error::end_of_input)?;
        let bytes = self.bytes.get(self.read..end).ok_or_else(Error::end_of_input)?;
        self.read = end;
        Ok(bytes)
    }

    pub(super) fn is_read(&self) -> bool {
        self.read == self.bytes.len()
    }
}

impl AsMut<Self> for Columns {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

impl Columns {
    fn put(&mut self, packed: &Packed) {
        match packed {
            Packed::Plain(chunk) => {
                self.kinds.put(PLAIN);
                self.contents.put(chunk);
            }
            Packed::Stripped(change) => {
                self.kinds.put(if change.checksum.is_some() { CHECKED } else { UNCHECKED });
                self.actors.put(change.actor);
                self.seqs.put(change.seq);
                self.start_ops.put(change.start_op);
                self.times.put(change.time);
                self.names.put(change.name);
                self.dep_counts.put(change.deps.len());
                self.others.put(change.others.len());
                change.others.iter().for_each(|index| self.others.put(index));
                change.deps.iter().for_each(|name| self.hashes.put_bytes(name));
                self.hashes.put_bytes(change.checksum.as_ref().map_or(&[], |sum| &sum[..]));
                self.contents.put(&change.columns);
            }
        }
    }

    fn take(&mut self) -> Result<Packed, Error> {
        self.taken += 1;
        if self.taken > MAX_CHANGES {
            return Err(Error::message("too many changes"));
        }
        let checked = match self.kinds.take()? {
            PLAIN => return Ok(Packed::Plain(self.contents.take()?)),
            UNCHECKED => false,
            CHECKED => true,
            other => return Err(Error::unknown_variant(other.into())),
        };
        let actor = self.actors.take()?;
        let seq = self.seqs.take()?;
        let start_op = self.start_ops.take()?;
        let time = self.times.take()?;
        let name = self.names.take()?;
        let dep_count: u32 = self.dep_counts.take()?;
        let deps =
            (0..dep_count).map(|_| hash::<PREFIX>(&mut self.hashes)).collect::<Result<_, _>>()?;
        let checksum = checked.then(|| hash::<CHECKSUM>(&mut self.hashes)).transpose()?;
        let count: u32 = self.others.take()?;
        let others = (0..count).map(|_| self.others.take()).collect::<Result<_, _>>()?;
        let columns = self.contents.take()?;
        Ok(Packed::Stripped(Box::new(Stripped {
            actor,
            seq,
            start_op,
            time,
            name,
            deps,
            others,
            columns,
            checksum,
        })))
    }

    /// Whether all bytes have been read.
    fn are_read(&self) -> bool {
        let Self { kinds, actors, seqs, start_ops, times, names, .. } = self;
        let Self { dep_counts, others, hashes, contents, .. } = self;
        [kinds, actors, seqs, start_ops, times, names, dep_counts, others, hashes]
            .iter()
            .all(|column| column.is_read())
            && contents.is_read()
    }
}

fn hash<const N: usize>(hashes: &mut Column) -> Result<[u8; N], Error> {
    hashes.take_bytes(N)?.try_into().map_err(|_| Error::end_of_input())
}

/// Encodes a list of changes: the length in place, the changes in the columns of the body.
pub(in crate::sync) fn encode<C: AsMut<Columns>, W: Write>(
    changes: &[Packed],
    e: &mut Encoder<W>,
    columns: &mut C,
) -> Result<(), minicbor::encode::Error<W::Error>> {
    changes.iter().for_each(|change| columns.as_mut().put(change));
    changes.len().encode(e, columns)
}

/// Decodes a list of changes. A false length is an error at the end of the columns.
pub(in crate::sync) fn decode<'b, C: AsMut<Columns>>(
    d: &mut Decoder<'b>,
    columns: &mut C,
) -> Result<Vec<Packed>, Error> {
    let count = d.u32()?;
    (0..count).map(|_| columns.as_mut().take()).collect()
}

/// Bytes of a value that contains changes.
pub fn to_vec<T: Encode<Columns>>(value: &T) -> Vec<u8> {
    let (mut columns, mut rest) = (Columns::default(), Vec::new());
    let mut bytes = Vec::new();
    let written = minicbor::encode_with(value, &mut rest, &mut columns)
        .and_then(|()| minicbor::encode(&columns, &mut bytes));
    if written.is_err() {
        unreachable!("encoding into memory cannot fail");
    }
    bytes.append(&mut rest);
    bytes
}

/// A value that contains changes, from untrusted bytes, all of which must be read.
pub fn from_slice<T: for<'b> Decode<'b, Columns>>(bytes: &[u8]) -> Result<T, Error> {
    let mut decoder = Decoder::new(bytes);
    let mut columns: Columns = decoder.decode()?;
    let value = decoder.decode_with(&mut columns)?;
    if decoder.position() == bytes.len() && columns.are_read() {
        Ok(value)
    } else {
        Err(Error::message("bytes after the end"))
    }
}
