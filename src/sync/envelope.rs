//! The envelope of a body: version, encoding, bounded inflate.

use std::borrow::Cow;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use minicbor::{Decode, Encode};

use super::packed::columns::{self, Columns};

/// Version of the protocol that this code speaks.
pub const PROTOCOL: u8 = 3;

/// The largest body that either side accepts, inflated: a page of whole documents, with a margin.
pub const MAX_BODY: usize = 4 * 1024 * 1024;

/// Payloads up to this size are sent as they are, such as those of a round with nothing new: mostly
/// hashes, and setting up a compressor costs more than the rest of the round.
const MIN_DEFLATED: usize = 96;

const PLAIN: u8 = 0;
const DEFLATE: u8 = 1;

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedBody {
    /// Truncated.
    #[error("the body is cut short")]
    Truncated,
    /// Of a newer or unknown program.
    #[error("protocol version {0} is not supported")]
    Version(u8),
    /// Larger than [`MAX_BODY`] once inflated.
    #[error("the body is larger than {MAX_BODY} bytes")]
    TooLarge,
    /// Against the protocol.
    #[error("the body is malformed: {0}")]
    Malformed(String),
}

/// Bytes of a value, deflated where that is smaller.
pub(super) fn encode<T: Encode<Columns>>(value: &T) -> Vec<u8> {
    let mut plain = vec![PROTOCOL, PLAIN];
    plain.append(&mut columns::to_vec(value));
    if plain.len() - 2 <= MIN_DEFLATED {
        return plain;
    }
    let mut encoder = DeflateEncoder::new(vec![PROTOCOL, DEFLATE], Compression::best());
    match encoder.write_all(&plain[2..]).and_then(|()| encoder.finish()) {
        Ok(deflated) if deflated.len() < plain.len() => deflated,
        _ => plain,
    }
}

/// A value from untrusted bytes.
pub(super) fn decode<T: for<'b> Decode<'b, Columns>>(bytes: &[u8]) -> Result<T, MalformedBody> {
    decode_payload(&payload(bytes)?)
}

/// The inflated payload of untrusted bytes, never more than [`MAX_BODY`].
pub(super) fn payload(bytes: &[u8]) -> Result<Cow<'_, [u8]>, MalformedBody> {
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

/// A value from an inflated payload.
pub(super) fn decode_payload<T: for<'b> Decode<'b, Columns>>(
    payload: &[u8],
) -> Result<T, MalformedBody> {
    columns::from_slice(payload).map_err(|error| MalformedBody::Malformed(error.to_string()))
}
