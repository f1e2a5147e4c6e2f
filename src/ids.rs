//! Identities: records, devices, actors, and the hashes that name changes.

use std::fmt;
use std::str::FromStr;

use automerge::{ActorId, ChangeHash};
use minicbor::{CborLen, Decode, Encode};
use uuid::Uuid;

/// A visit record's id, a UUIDv7 made where the record is made (rule I3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, CborLen)]
#[cbor(transparent)]
pub struct RecordId(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 16],
);

impl RecordId {
    /// A UUIDv7 from a time in ms since 1970 and ten random bytes.
    pub fn v7(now_ms: i64, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now_ms).unwrap_or(0);
        Self(*uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().as_bytes())
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

impl FromStr for RecordId {
    type Err = MalformedId;
    fn from_str(text: &str) -> Result<Self, MalformedId> {
        Uuid::try_parse(text).map(|uuid| Self(*uuid.as_bytes())).map_err(|_| MalformedId)
    }
}

/// A device's id: 16 random bytes, assigned at enrolment (rule I1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, CborLen)]
#[cbor(transparent)]
pub struct DeviceId(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 16],
);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for DeviceId {
    type Err = MalformedId;
    fn from_str(text: &str) -> Result<Self, MalformedId> {
        unhex(text).and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(MalformedId)
    }
}

/// Actor of the first change of every record: no device has it.
pub const GENESIS_ACTOR: [u8; 20] = [0; 20];

/// Length of every actor id: device (16 bytes) ‖ session (8 bytes, big endian).
pub const ACTOR_LEN: usize = 24;

/// The actor that a device writes as in one session of its store (rule I1).
pub fn actor(device: DeviceId, session: u64) -> ActorId {
    let mut bytes = [0; ACTOR_LEN];
    bytes[..16].copy_from_slice(&device.0);
    bytes[16..].copy_from_slice(&session.to_be_bytes());
    ActorId::from(bytes.as_slice())
}

/// Drivers number sessions below this, the limit of JavaScript's integers.
const SESSIONS: u64 = 1 << 53;

/// The next session after changes of a withdrawn record were submitted: the record may return
/// without them, and the same session would reuse their sequence numbers (rule I1).
pub fn session_after(session: u64) -> u64 {
    session.wrapping_add(SESSIONS)
}

/// The device of an actor; `None` where the actor has another length.
pub fn device_of(actor: &ActorId) -> Option<DeviceId> {
    let bytes: &[u8; ACTOR_LEN] = actor.to_bytes().try_into().ok()?;
    let mut device = [0; 16];
    device.copy_from_slice(bytes.get(..16)?);
    Some(DeviceId(device))
}

/// Automerge heads in sorted order: they identify a state of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Heads(Vec<ChangeHash>);

impl Heads {
    /// Sorts and deduplicates.
    pub fn new(mut hashes: Vec<ChangeHash>) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    /// The hashes, sorted.
    pub fn as_slice(&self) -> &[ChangeHash] {
        &self.0
    }

    /// Lower-case hex, in order.
    pub fn to_hex(&self) -> Vec<String> {
        self.0.iter().map(|hash| hex(&hash.0)).collect()
    }

    /// The heads from hex, or `None` where one is malformed.
    pub fn from_hex<S: AsRef<str>>(texts: &[S]) -> Option<Self> {
        texts
            .iter()
            .map(|text| change_hash(text.as_ref()))
            .collect::<Option<Vec<_>>>()
            .map(Self::new)
    }

    /// Adds a change with this hash and these dependencies.
    pub fn advance(&mut self, hash: ChangeHash, deps: &[ChangeHash]) {
        self.0.retain(|head| !deps.contains(head) && *head != hash);
        let at = self.0.partition_point(|head| *head < hash);
        self.0.insert(at, hash);
    }
}

impl<C> Encode<C> for Heads {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        // One byte string of 32 bytes per head: no overhead per item.
        let joined: Vec<u8> = self.0.iter().flat_map(|hash| hash.0).collect();
        e.bytes(&joined)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Heads {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let joined = d.bytes()?;
        let (hashes, rest) = joined.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(minicbor::decode::Error::message("heads are not whole hashes"));
        }
        Ok(Self::new(hashes.iter().map(|hash| ChangeHash(*hash)).collect()))
    }
}

/// A change hash from 64 hex digits.
pub fn change_hash(text: &str) -> Option<ChangeHash> {
    unhex(text).and_then(|bytes| bytes.try_into().ok()).map(ChangeHash)
}

/// A malformed id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed id")]
pub struct MalformedId;

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes from hex, or `None` where it is malformed.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| {
            let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
            Some(digit(*high)? << 4 | digit(*low)?)
        })
        .collect()
}
