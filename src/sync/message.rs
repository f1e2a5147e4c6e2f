//! The two bodies of a round: `POST /sync` and its reply (rules R1, R3, R5, R6).
//!
//! Both are one byte of protocol version, one byte of encoding, then CBOR,
//! deflated where that is smaller. Decoding any bytes gives a value or an error in bounded
//! memory: see [`decode_request`] and [`decode_reply`].

mod outcome;
mod state_token;

use std::borrow::Cow;

use minicbor::{Decode, Encode};

use super::digest::Digest;
use super::envelope::{self, MalformedBody};
use super::packed::columns::{self, Columns};
pub use super::packed::{Packed, Tables};
use super::ranges::{Differing, Range};
use crate::ids::{Heads, RecordId};

pub use super::envelope::{MAX_BODY, PROTOCOL};
pub use outcome::{Outcome, QuarantineDecision, RefusalCode, Revocation};
pub use state_token::{StateMac, StateToken};

/// Bytes of reply that a device asks for: a page that a weak link carries in a few seconds.
pub const DEFAULT_REPLY_BYTES: u32 = 256 * 1024;

/// Identifies one life of the office's store: a restore begins another.
pub type Epoch = [u8; 16];

/// A device's position in its feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Cursor {
    /// The life of the office's store; zeros before the first round.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub epoch: Epoch,
    /// The last feed entry that the device has received; 0 before the first.
    #[n(1)]
    pub seq: u64,
    /// The device has every record as of this entry. Less than `seq` in the middle of a pass over
    /// several pages, since a pass skips entries that later ones replaced.
    #[n(2)]
    pub base: u64,
}

impl Cursor {
    /// Whether no pass is under way: the device has every record as of `seq`.
    pub fn is_whole(&self) -> bool {
        self.base == self.seq
    }
}

/// The request of a round.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Columns>")]
pub struct Request {
    /// The device's position in the feed.
    #[n(0)]
    pub cursor: Cursor,
    /// Shared parts of the changes below.
    #[n(1)]
    pub tables: Tables,
    /// States that the office has lost (rule P3), handled before the pushes that may build on them.
    #[n(2)]
    pub restore: Vec<Restore>,
    /// Changes that the office has not confirmed, oldest record first (rule R5).
    #[n(3)]
    pub push: Vec<Push>,
    /// Records whose missing parts the device asks for, whatever its cursor (rules D5, P3).
    #[n(4)]
    pub want: Vec<Want>,
    /// Ranges of the device's records to compare; empty except in a repair (rule P3).
    #[n(5)]
    pub ranges: Vec<Range>,
    /// The largest reply that the device asks for, bytes.
    #[n(6)]
    pub max_bytes: u32,
    /// Quarantine numbers of this device's work that may have been decided (rule M4).
    #[n(7)]
    pub undecided: Option<Vec<u64>>,
    /// Records whose pushes the office is to quarantine if it lacks their dependencies: it has
    /// said so more than once, and this device can't restore them (rule R6).
    #[n(8)]
    pub quarantine: Option<Vec<RecordId>>,
}

/// One record's unconfirmed changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Columns>")]
pub struct Push {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// In causal order.
    #[cbor(with = "columns")]
    #[n(1)]
    pub changes: Vec<Packed>,
}

/// A state that the office once had and lost in a restore, with changes of any author that lead to
/// it (rule P3).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Columns>")]
pub struct Restore {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// A state that the office attested to this user.
    #[n(1)]
    pub heads: Heads,
    /// The office's proof of that.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub mac: StateMac,
    /// The changes that the office may lack, in causal order.
    #[cbor(with = "columns")]
    #[n(3)]
    pub changes: Vec<Packed>,
}

/// A record whose missing parts the device asks for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Want {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// What the device has of it; empty to ask for the whole document.
    #[n(1)]
    pub have: Heads,
}

/// Bytes of an Automerge chunk.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Chunk(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub Vec<u8>,
);

/// The office's reply.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Columns>")]
pub struct Reply {
    /// Shared parts of the changes below.
    #[n(0)]
    pub tables: Tables,
    /// One outcome per restored record, in the order of the request.
    #[n(1)]
    pub restored: Vec<Outcome>,
    /// One outcome per pushed record, in the order of the request.
    #[n(2)]
    pub results: Vec<Outcome>,
    /// Wanted records, then those of the feed after the cursor, in order of `seq`.
    #[n(3)]
    pub entries: Vec<RecordUpdate>,
    /// What differs in the ranges of the request.
    #[n(4)]
    pub differing: Differing,
    /// The device's cursor once it has applied this reply.
    #[n(5)]
    pub cursor: Cursor,
    /// Feed entries that remain after this cursor.
    #[n(6)]
    pub remaining: u64,
    /// Digest of the whole feed; to be compared only where `remaining` is 0.
    #[n(7)]
    pub digest: Digest,
    /// The office's clock, ms since 1970 UTC.
    #[n(8)]
    pub office_time: i64,
    /// Decisions on the quarantined work of the request.
    #[n(9)]
    pub decisions: Option<Vec<QuarantineDecision>>,
    /// The device is revoked: its pushes are in quarantine and all its records are withdrawn
    /// (rule F4).
    #[n(10)]
    pub revocation: Option<Revocation>,
}

/// The update of one record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Columns>")]
pub struct RecordUpdate {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// What the office sends of it.
    #[n(1)]
    pub content: UpdateContent,
}

/// What the office sends of a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Columns>")]
pub enum UpdateContent {
    /// Changes that the device lacks, in causal order.
    #[n(0)]
    Changes {
        /// Empty where the device itself wrote all that is new (rule R4).
        #[cbor(with = "columns")]
        #[n(0)]
        changes: Vec<Packed>,
        /// For the office's state.
        #[n(1)]
        state_token: StateToken,
    },
    /// The whole document (rule R4).
    #[n(1)]
    Document {
        /// Automerge `save()` without its own deflate, so that the body compresses across records.
        #[n(0)]
        document: Chunk,
        /// For the office's state.
        #[n(1)]
        state_token: StateToken,
    },
    /// The record is no longer the device's: it is erased once its unsent work is submitted.
    #[n(2)]
    Withdrawn,
    /// The office has no such record of this user, or has lost it. The device erases nothing.
    #[n(3)]
    Unknown,
}

/// Bytes of a request.
pub fn encode_request(request: &Request) -> Vec<u8> {
    envelope::encode(request)
}

/// A request from untrusted bytes.
pub fn decode_request(bytes: &[u8]) -> Result<Request, MalformedBody> {
    Inflated::new(bytes)?.request()
}

/// An inflated body that is not decoded yet: its size bounds what decoding takes.
#[derive(Debug)]
pub struct Inflated<'b>(Cow<'b, [u8]>);

impl<'b> Inflated<'b> {
    /// Inflates untrusted bytes, never past [`MAX_BODY`].
    pub fn new(bytes: &'b [u8]) -> Result<Self, MalformedBody> {
        envelope::payload(bytes).map(Self)
    }

    /// The same without borrowing the original bytes.
    pub fn into_owned(self) -> Inflated<'static> {
        Inflated(Cow::Owned(self.0.into_owned()))
    }

    /// Its size, bytes.
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// Decodes the request.
    pub fn request(&self) -> Result<Request, MalformedBody> {
        envelope::decode_payload(&self.0)
    }
}

/// Bytes of a reply.
pub fn encode_reply(reply: &Reply) -> Vec<u8> {
    envelope::encode(reply)
}

/// A reply from bytes.
pub fn decode_reply(bytes: &[u8]) -> Result<Reply, MalformedBody> {
    envelope::decode(bytes)
}
