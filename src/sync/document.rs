//! Automerge document chunks without Automerge: inflates their columns.
//!
//! Documents are stored with deflated columns. A body of many documents compresses better as a
//! whole, since equal text of different records is found then. Loading and saving a document for
//! that costs a hundred times what inflating its columns does.

use std::io::Read;

use flate2::read::DeflateDecoder;
use sha2::{Digest, Sha256};

use super::chunk::{MAGIC, hash, write_unsigned};
use super::envelope::MAX_BODY;
use super::reader::{ReadError, Reader};

/// The type of a document chunk.
const DOCUMENT: u8 = 0;

/// The bit of a column's name that says that the column is deflated.
const DEFLATED: u64 = 0b1000;

/// A column in the table of a document.
struct Column {
    name: u64,
    length: u64,
}

/// The same document with plain columns, byte for byte as Automerge saves it without compression;
/// an error where the chunk is damaged, or is no single document.
pub(crate) fn inflate(chunk: &[u8]) -> Result<Vec<u8>, ReadError> {
    let mut reader = Reader::new(chunk);
    let magic: [u8; 4] = reader.array()?;
    let checksum: [u8; 4] = reader.array()?;
    let [chunk_type] = reader.array()?;
    let length = reader.unsigned()?;
    if magic != MAGIC || chunk_type != DOCUMENT || reader.rest().len() as u64 != length {
        return Err(ReadError);
    }
    // The copy gets a checksum of its own, which must not cover up damage.
    if !hash(chunk).0.starts_with(&checksum) {
        return Err(ReadError);
    }
    let body = reader.rest();
    for _ in 0..reader.unsigned()? {
        let actor = reader.unsigned()?;
        reader.take(actor)?;
    }
    for _ in 0..reader.unsigned()? {
        reader.array::<32>()?;
    }
    let prefix = &body[..body.len() - reader.rest().len()];
    let (changes, operations) = (columns(&mut reader)?, columns(&mut reader)?);

    let mut plain = prefix.to_vec();
    let mut bytes = Vec::new();
    for columns in [changes, operations] {
        write_unsigned(&mut plain, columns.len() as u64);
        for Column { name, length } in columns {
            let (column, before) = (reader.take(length)?, bytes.len());
            match name & DEFLATED {
                0 => bytes.extend_from_slice(column),
                _ => inflate_column(column, &mut bytes)?,
            }
            write_unsigned(&mut plain, name & !DEFLATED);
            write_unsigned(&mut plain, (bytes.len() - before) as u64);
        }
    }
    plain.append(&mut bytes);
    plain.extend_from_slice(reader.rest());
    Ok(document(&plain))
}

/// The column table at the front of the reader. Reserves no memory, so a false count ends with the
/// bytes.
fn columns(reader: &mut Reader<'_>) -> Result<Vec<Column>, ReadError> {
    let count = reader.unsigned()?;
    (0..count)
        .map(|_| Ok(Column { name: reader.unsigned()?, length: reader.unsigned()? }))
        .collect()
}

/// Inflates a column, never past the size of a body in all.
fn inflate_column(column: &[u8], bytes: &mut Vec<u8>) -> Result<(), ReadError> {
    let room = MAX_BODY.saturating_sub(bytes.len()) as u64;
    let read = DeflateDecoder::new(column).take(room + 1).read_to_end(bytes);
    if read.is_err() || bytes.len() > MAX_BODY { Err(ReadError) } else { Ok(()) }
}

/// A document chunk with this content.
fn document(content: &[u8]) -> Vec<u8> {
    let mut head = vec![DOCUMENT];
    write_unsigned(&mut head, content.len() as u64);
    let checksum = Sha256::new().chain_update(&head).chain_update(content).finalize();
    let mut chunk = Vec::with_capacity(content.len() + 16);
    chunk.extend(MAGIC);
    chunk.extend_from_slice(&checksum[..4]);
    chunk.append(&mut head);
    chunk.extend_from_slice(content);
    chunk
}

#[cfg(test)]
mod tests {
    use automerge::transaction::Transactable;
    use automerge::{Automerge, AutomergeError, ROOT};
    use proptest::prelude::*;

    use super::*;

    /// A document with this number of changes, with columns long enough to be deflated.
    fn written(changes: usize) -> Automerge {
        let mut document = Automerge::new();
        for n in 0..changes {
            let written = document.transact::<_, _, AutomergeError>(|tx| {
                tx.put(ROOT, format!("key {n}"), "the borrower was not at home ".repeat(n % 7))
            });
            written.expect("puts");
        }
        document
    }

    #[test]
    fn an_inflated_document_is_as_automerge_saves_it_without_compression() {
        for changes in [0, 1, 2, 40, 300] {
            let document = written(changes);
            let (saved, plain) = (document.save(), document.save_nocompress());
            assert_eq!(saved.len() < plain.len(), changes >= 40);
            assert_eq!(inflate(&saved), Ok(plain.clone()));
            assert_eq!(inflate(&plain), Ok(plain));
        }
    }

    #[test]
    fn a_damaged_document_is_refused() {
        let saved = written(40).save();
        for at in 0..saved.len() {
            assert_eq!(inflate(&saved[..at]), Err(ReadError), "cut at {at}");
            let mut flipped = saved.clone();
            flipped[at] ^= 1;
            assert_eq!(inflate(&flipped), Err(ReadError), "flipped at {at}");
        }
        let more = [saved.as_slice(), &[0]].concat();
        assert_eq!(inflate(&more), Err(ReadError));
    }

    #[test]
    fn a_document_that_inflates_past_the_limit_is_refused() {
        let mut column = Vec::new();
        let zeros = vec![0; MAX_BODY + 1];
        let mut encoder =
            flate2::read::DeflateEncoder::new(&zeros[..], flate2::Compression::best());
        encoder.read_to_end(&mut column).expect("deflates");
        // No actors, no heads, no columns of changes, one deflated column of operations.
        let mut content = vec![0, 0, 0, 1, 8];
        write_unsigned(&mut content, column.len() as u64);
        content.append(&mut column);
        assert_eq!(inflate(&document(&content)), Err(ReadError));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_document_or_refused(content: Vec<u8>) {
            let _ = inflate(&document(&content));
            let _ = inflate(&content);
        }
    }
}
