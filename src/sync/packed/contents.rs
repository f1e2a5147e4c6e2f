//! The contents of all changes in a body, by Automerge's own columns.
//!
//! The operations of a change are themselves columns: all keys, then all values, and so on. Most
//! changes are a few bytes of each. Gathered over all changes, what is alike stands side by side
//! and deflates to some sixty bytes less for thirty small changes. A content that is not of this
//! form travels as it is.

use std::collections::BTreeMap;

use minicbor::decode::Error;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

use super::columns::Column;
use crate::sync::chunk::write_unsigned;
use crate::sync::reader::{ReadError, Reader};

/// Where contents stand that are not taken apart: behind all columns that Automerge can name.
const WHOLE: u16 = 0x100;

/// Contents, written one by one, then read in the same order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// For each content 0 where it stands whole; else one more than it has columns, and their
    /// names.
    shapes: Column,
    /// Bytes of each column.
    lengths: Column,
    /// The bytes, by name of the column.
    parts: BTreeMap<u16, Column>,
}

impl Contents {
    pub(super) fn put(&mut self, content: &[u8]) {
        match apart(content) {
            Ok(columns) => {
                self.shapes.put(columns.len() + 1);
                for (name, part) in columns {
                    self.shapes.put(name);
                    self.put_part(name.into(), part);
                }
            }
            Err(ReadError) => {
                self.shapes.put(0);
                self.put_part(WHOLE, content);
            }
        }
    }

    fn put_part(&mut self, name: u16, part: &[u8]) {
        self.lengths.put(part.len());
        self.parts.entry(name).or_default().put_bytes(part);
    }

    pub(super) fn take(&mut self) -> Result<Vec<u8>, Error> {
        let Some(names) = names(&mut self.shapes)? else {
            return Ok(self.take_part(WHOLE)?.to_vec());
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
        let part = self.parts.get_mut(&name).ok_or_else(Error::end_of_input)?;
        part.take_bytes(length)
    }

    pub(super) fn is_read(&self) -> bool {
        self.shapes.is_read()
            && self.lengths.is_read()
            && self.parts.values().all(|part| part.is_read())
    }
}

/// A content's columns by name; an error where it has anything else, or a name too large.
fn apart(content: &[u8]) -> Result<Vec<(u8, &[u8])>, ReadError> {
    let mut reader = Reader::new(content);
    let count = reader.unsigned()?;
    // A count that lies ends with the bytes: nothing is reserved for it.
    let heads = (0..count)
        .map(|_| Ok((u8::try_from(reader.unsigned()?).map_err(|_| ReadError)?, reader.unsigned()?)))
        .collect::<Result<Vec<_>, ReadError>>()?;
    let columns = heads
        .into_iter()
        .map(|(name, length)| Ok((name, reader.take(length)?)))
        .collect::<Result<Vec<_>, ReadError>>()?;
    if reader.is_empty() { Ok(columns) } else { Err(ReadError) }
}

/// The names of the next content's columns; none where it stands whole.
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
            self.parts.values().flat_map(|part| part.bytes().iter().copied()).collect();
        e.array(3)?;
        self.shapes.encode(e, ctx)?;
        self.lengths.encode(e, ctx)?;
        e.bytes(&bytes)?.ok()
    }

    /// Not for want of parts: contents without a column have none.
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
        let parts = cut(shapes.clone(), lengths.clone(), d.bytes()?)?;
        Ok(Self { shapes, lengths, parts })
    }

    fn nil() -> Option<Self> {
        Some(Self::default())
    }
}

/// Finds where each column ends: it is as long as all contents say together.
fn cut(
    mut shapes: Column,
    mut lengths: Column,
    mut bytes: &[u8],
) -> Result<BTreeMap<u16, Column>, Error> {
    let mut sums: BTreeMap<u16, usize> = BTreeMap::new();
    while !shapes.is_read() {
        let parts = match names(&mut shapes)? {
            Some(names) => names.into_iter().map(u16::from).collect(),
            None => vec![WHOLE],
        };
        for name in parts {
            let sum = sums.entry(name).or_default();
            *sum = sum.checked_add(lengths.take()?).ok_or_else(Error::end_of_input)?;
        }
    }
    let mut columns = BTreeMap::new();
    for (name, sum) in sums {
        let (part, rest) = bytes.split_at_checked(sum).ok_or_else(Error::end_of_input)?;
        bytes = rest;
        columns.insert(name, Column::of(part));
    }
    if bytes.is_empty() { Ok(columns) } else { Err(Error::message("bytes of no column")) }
}
