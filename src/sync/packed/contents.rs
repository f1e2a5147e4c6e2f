//! The contents of all changes in a body, by Automerge's own columns.
//!
//! The operations of a change are themselves columns: all keys, then all values, and so on, most
//! with a few bytes. Gathering each column over all changes saves some sixty bytes of the deflated
//! body for thirty small changes. A content in any other format is sent as it is.

use minicbor::decode::Error;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

use super::columns::Column;
use crate::sync::chunk::write_unsigned;
use crate::sync::reader::{ReadError, Reader};

/// The column of contents in any other format: after all columns that Automerge can name.
const OPAQUE: u16 = 0x100;

/// Contents, written one by one and read in the same order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// For each content its number of columns plus one and their names, or 0 if it is opaque.
    shapes: Column,
    /// Bytes of each column.
    lengths: Column,
    parts: Sorted<Column>,
}

/// Values of columns, sorted by their names: at most 257.
type Sorted<T> = Vec<(u16, T)>;

/// The value of a column; a new one is the default.
fn value<T: Default>(columns: &mut Sorted<T>, name: u16) -> &mut T {
    let at = columns.binary_search_by_key(&name, |(name, _)| *name).unwrap_or_else(|at| {
        columns.insert(at, (name, T::default()));
        at
    });
    &mut columns[at].1
}

impl Contents {
    pub(super) fn put(&mut self, content: &[u8]) {
        match split_columns(content) {
            Ok(columns) => {
                self.shapes.put(columns.len() + 1);
                for (name, part) in columns {
                    self.shapes.put(name);
                    self.put_part(name.into(), part);
                }
            }
            Err(ReadError) => {
                self.shapes.put(0);
                self.put_part(OPAQUE, content);
            }
        }
    }

    fn put_part(&mut self, name: u16, part: &[u8]) {
        self.lengths.put(part.len());
        value(&mut self.parts, name).put_bytes(part);
    }

    pub(super) fn take(&mut self) -> Result<Vec<u8>, Error> {
        let Some(names) = names(&mut self.shapes)? else {
            return Ok(self.take_part(OPAQUE)?.to_vec());
        };
        let mut content = Vec::new();
        let mut bytes = Vec::new();
        write_unsigned(&mut content, names.len() as u64);
        for name in names {
            let part = self.take_part(name.into())?;
            write_unsigned(&mut content, name.into());
            write_unsigned(&mut content, part.len() as u64);
            bytes.extend_from_slice(part);
        }
        content.append(&mut bytes);
        Ok(content)
    }

    fn take_part(&mut self, name: u16) -> Result<&[u8], Error> {
        let length = self.lengths.take()?;
        let at = self.parts.binary_search_by_key(&name, |(name, _)| *name);
        let part = at.ok().and_then(|at| self.parts.get_mut(at)).ok_or_else(Error::end_of_input)?;
        part.1.take_bytes(length)
    }

    pub(super) fn is_read(&self) -> bool {
        self.shapes.is_read()
            && self.lengths.is_read()
            && self.parts.iter().all(|(_, part)| part.is_read())
    }
}

/// A content's columns by name; an error where it is in another format or a name is too large.
fn split_columns(content: &[u8]) -> Result<Vec<(u8, &[u8])>, ReadError> {
    let mut reader = Reader::new(content);
    let count = reader.unsigned()?;
    // Reserves no memory, so a false count ends with the bytes.
    let heads = (0..count)
        .map(|_| Ok((u8::try_from(reader.unsigned()?).map_err(|_| ReadError)?, reader.unsigned()?)))
        .collect::<Result<Vec<_>, ReadError>>()?;
    let columns = heads
        .into_iter()
        .map(|(name, length)| Ok((name, reader.take(length)?)))
        .collect::<Result<Vec<_>, ReadError>>()?;
    if reader.is_empty() { Ok(columns) } else { Err(ReadError) }
}

/// The names of the next content's columns; `None` where it is opaque.
fn names(shapes: &mut Column) -> Result<Option<Vec<u8>>, Error> {
    let count: u32 = shapes.take()?;
    let Some(count) = count.checked_sub(1) else { return Ok(None) };
    (0..count).map(|_| shapes.take()).collect::<Result<_, _>>().map(Some)
}

impl<C> Encode<C> for Contents {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let bytes: Vec<u8> =
            self.parts.iter().flat_map(|(_, part)| part.bytes().iter().copied()).collect();
        e.array(3)?;
        self.shapes.encode(e, ctx)?;
        self.lengths.encode(e, ctx)?;
        e.bytes(&bytes)?.ok()
    }

    /// Contents without columns have shapes but no parts.
    fn is_nil(&self) -> bool {
        self.shapes.bytes().is_empty()
    }
}

impl<'b, C> Decode<'b, C> for Contents {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, Error> {
        if d.array()? != Some(3) {
            return Err(Error::message("contents are three values"));
        }
        let (shapes, lengths) = (Column::decode(d, ctx)?, Column::decode(d, ctx)?);
        let parts = split_parts(shapes.clone(), lengths.clone(), d.bytes()?)?;
        Ok(Self { shapes, lengths, parts })
    }

    fn nil() -> Option<Self> {
        Some(Self::default())
    }
}

/// Splits the bytes into columns, each as long as the sum of its lengths.
fn split_parts(
    mut shapes: Column,
    mut lengths: Column,
    mut bytes: &[u8],
) -> Result<Sorted<Column>, Error> {
    let mut sums: Sorted<usize> = Sorted::new();
    while !shapes.is_read() {
        let parts = match names(&mut shapes)? {
            Some(names) => names.into_iter().map(u16::from).collect(),
            None => vec![OPAQUE],
        };
        for name in parts {
            let sum = value(&mut sums, name);
            *sum = sum.checked_add(lengths.take()?).ok_or_else(Error::end_of_input)?;
        }
    }
    let mut columns = Sorted::new();
    for (name, sum) in sums {
        let (part, rest) = bytes.split_at_checked(sum).ok_or_else(Error::end_of_input)?;
        bytes = rest;
        columns.push((name, Column::of(part)));
    }
    if bytes.is_empty() { Ok(columns) } else { Err(Error::message("bytes of no column")) }
}
