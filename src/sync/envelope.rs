//! The frame around each body: version, encoding, bounded inflate.

use std::borrow::Cow;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use minicbor::{Decode, Encode};

use super::message::{MAX_BODY, PROTOCOL};
use super::packed::columns::{self, Columns};

const PLAIN: u8 = 0;
const DEFLATE: u8 = 1;

/// Why a body is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedBody {
    /// Shorter than its frame, or cut off.
    #[error("the body is cut short")]
    Truncated,
    /// Spoken by a newer or an unknown program.
    #[error("protocol version {0} is not spoken here")]
    Version(u8),
    /// Larger than [`MAX_BODY`] once inflated.
    #[error("the body is larger than {MAX_BODY} bytes")]
    TooLarge,
    /// Not what the protocol says.
    #[error("the body is malformed: {0}")]
    Malformed(String),
}

/// Frames a value, deflated where that is smaller.
pub(super) fn seal<T: Encode<Columns>>(value: &T) -> Vec<u8> {
    let mut plain = vec![PROTOCOL, PLAIN];
    plain.append(&mut columns::to_vec(value));
    let mut encoder = DeflateEncoder::new(vec![PROTOCOL, DEFLATE], Compression::best());
    match encoder.write_all(&plain[2..]).and_then(|()| encoder.finish()) {
        Ok(deflated) if deflated.len() < plain.len() => deflated,
        _ => plain,
    }
}

/// Opens a frame from untrusted bytes and decodes what is in it.
pub(super) fn open<T: for<'b> Decode<'b, Columns>>(bytes: &[u8]) -> Result<T, MalformedBody> {
    decode(&content(bytes)?)
}

/// Opens a frame from untrusted bytes, never inflating past [`MAX_BODY`].
pub(super) fn content(bytes: &[u8]) -> Result<Cow<'_, [u8]>, MalformedBody> {
    let [version, encoding, payload @ ..] = bytes else {
        return Err(MalformedBody::Truncated);
    };
    if *version != PROTOCOL {
        return Err(MalformedBody::Version(*version));
    }
    match *encoding {
        PLAIN if payload.len() > MAX_BODY => Err(MalformedBody::TooLarge),
        PLAIN => Ok(payload.into()),
        DEFLATE => Ok(inflate(payload)?.into()),
        other => Err(MalformedBody::Malformed(format!("unknown encoding {other}"))),
    }
}

fn inflate(payload: &[u8]) -> Result<Vec<u8>, MalformedBody> {
    let mut inflated = Vec::new();
    let limit = MAX_BODY as u64 + 1;
    DeflateDecoder::new(payload)
        .take(limit)
        .read_to_end(&mut inflated)
        .map_err(|_| MalformedBody::Truncated)?;
    if inflated.len() > MAX_BODY { Err(MalformedBody::TooLarge) } else { Ok(inflated) }
}

/// Decodes the content of a frame.
pub(super) fn decode<T: for<'b> Decode<'b, Columns>>(payload: &[u8]) -> Result<T, MalformedBody> {
    columns::from_slice(payload).map_err(|error| MalformedBody::Malformed(error.to_string()))
}
