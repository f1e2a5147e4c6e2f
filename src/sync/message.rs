//! The two bodies of a round: `POST /sync` and its reply (rules R1, R3, R5, R6).
//!
//! Both are one byte of protocol version, one byte of encoding, then CBOR with integer keys,
//! deflated where that is smaller. Decoding any bytes gives a value or an error in bounded
//! memory: see [`decode_request`] and [`decode_reply`].

use minicbor::{Decode, Encode};

use super::digest::Digest;
use super::envelope::{self, MalformedBody};
use crate::ids::{Heads, RecordId};

/// Version of the protocol that this code speaks.
pub const PROTOCOL: u8 = 1;

/// Bytes of reply that a device asks for: a page that a weak link carries in a few seconds.
pub const DEFAULT_REPLY_BYTES: u32 = 256 * 1024;

/// The largest body that either side accepts, inflated: one page of whole documents with room.
pub const MAX_BODY: usize = 4 * 1024 * 1024;

/// Where a device stands in its feed. `epoch` changes when the office is restored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Cursor {
    /// Which life of the office's store; zeros before the first round.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub epoch: [u8; 16],
    /// Last entry of the feed that the device has been given; 0 before the first.
    #[n(1)]
    pub seq: u64,
    /// Up to here the device holds every record as it was. Behind `seq` while a pass goes on over
    /// several pages, since a pass skips entries that later ones replaced; [`UNSURE`] where the
    /// device cannot tell what it holds.
    #[n(2)]
    pub base: u64,
}

/// A [`Cursor::base`] that promises nothing: everything again, and what is not the device's any
/// more is named too (rule P3).
pub const UNSURE: u64 = u64::MAX;

/// What a device says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Request {
    /// Where the device stands.
    #[n(0)]
    pub cursor: Cursor,
    /// Changes that the office has not confirmed, oldest record first (rule R5).
    #[n(1)]
    pub push: Vec<Push>,
    /// Records that the device wants whole: damaged here, or not explained by changes (rule D5).
    #[n(2)]
    pub want: Vec<RecordId>,
    /// The most bytes wanted back.
    #[n(3)]
    pub max_bytes: u32,
    /// The digest that the device last proved equal.
    #[n(4)]
    pub proven: Option<Digest>,
}

/// One record's unconfirmed changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Push {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// Automerge change chunks in causal order, raw (not deflated one by one).
    #[n(1)]
    pub changes: Vec<Chunk>,
}

/// Bytes of an Automerge chunk.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Chunk(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub Vec<u8>,
);

/// What the office answers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Reply {
    /// One result per pushed record, in the order of the request.
    #[n(0)]
    pub results: Vec<PushResult>,
    /// Records of the feed after the cursor, and those wanted, in order of `seq`.
    #[n(1)]
    pub entries: Vec<Entry>,
    /// Where the device stands once it has applied this reply.
    #[n(2)]
    pub cursor: Cursor,
    /// Entries of the feed that remain after this cursor.
    #[n(3)]
    pub remaining: u64,
    /// Digest of the whole feed; equal to the device's own only when `remaining` is 0.
    #[n(4)]
    pub digest: Digest,
    /// The office's clock, ms since 1970 UTC.
    #[n(5)]
    pub office_time: i64,
}

/// What became of one push.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PushResult {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// What became of it.
    #[n(1)]
    pub outcome: Outcome,
}

/// The results of rule R6. Refusals are values, not errors.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// Durable at the office (rule D2); heads of the office's copy after the merge.
    #[n(0)]
    Merged {
        /// Heads of the office's copy.
        #[n(0)]
        heads: Heads,
    },
    /// The office held all of it before.
    #[n(1)]
    Duplicate {
        /// Heads of the office's copy.
        #[n(0)]
        heads: Heads,
    },
    /// Dependencies are missing: the device sends everything that it holds after `have`.
    #[n(2)]
    Missing {
        /// Heads of the office's copy; empty where the office has no such record.
        #[n(0)]
        have: Heads,
    },
    /// Not accepted; kept at the office under the quarantine number (rule M4).
    #[n(3)]
    Refused {
        /// Stable word for programs and translations.
        #[n(0)]
        code: RefusalCode,
        /// The path that may not be written, where there is one.
        #[n(1)]
        path: String,
        /// One sentence for people.
        #[n(2)]
        message: String,
        /// Number in the office's quarantine, 0 where nothing could be kept.
        #[n(3)]
        quarantine: u64,
    },
    /// The record is no longer the device's; its unsent work was kept at the office (rule F1).
    #[n(4)]
    Withdrawn,
}

/// Why a push was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum RefusalCode {
    /// The bytes are no change, or their checksum is wrong.
    #[n(0)]
    Malformed,
    /// A cap on size or number is passed.
    #[n(1)]
    TooLarge,
    /// A change was written by somebody else's actor.
    #[n(2)]
    ForeignActor,
    /// The actor's sequence has a gap or repeats with other content.
    #[n(3)]
    BrokenSequence,
    /// A path is not writable for this role at this stage.
    #[n(4)]
    NotAllowed,
    /// The merged record would not be a valid visit record.
    #[n(5)]
    InvalidRecord,
    /// The office holds no such record, or it was never this user's.
    #[n(6)]
    UnknownRecord,
}

impl RefusalCode {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::ForeignActor => "foreign_actor",
            Self::BrokenSequence => "broken_sequence",
            Self::NotAllowed => "not_allowed",
            Self::InvalidRecord => "invalid_record",
            Self::UnknownRecord => "unknown_record",
        }
    }
}

/// One record of the feed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// What the device does with it.
    #[n(1)]
    pub content: Content,
}

/// What the office sends of a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Content {
    /// Changes that the device lacks, in causal order, and the heads that must result.
    #[n(0)]
    Changes {
        /// Raw change chunks.
        #[n(0)]
        changes: Vec<Chunk>,
        /// Heads of the office's copy.
        #[n(1)]
        heads: Heads,
    },
    /// The whole document (rule R4).
    #[n(1)]
    Whole {
        /// Automerge `save()` without its own deflate, so that the body compresses across records.
        #[n(0)]
        document: Chunk,
        /// Heads of the office's copy.
        #[n(1)]
        heads: Heads,
    },
    /// Not the device's any more: erase it once its unsent work has been handed over.
    #[n(2)]
    Withdrawn,
}

/// Bytes of a request.
pub fn encode_request(request: &Request) -> Vec<u8> {
    envelope::seal(request)
}

/// A request from untrusted bytes.
pub fn decode_request(bytes: &[u8]) -> Result<Request, MalformedBody> {
    envelope::open(bytes)
}

/// Bytes of a reply.
pub fn encode_reply(reply: &Reply) -> Vec<u8> {
    envelope::seal(reply)
}

/// A reply from bytes.
pub fn decode_reply(bytes: &[u8]) -> Result<Reply, MalformedBody> {
    envelope::open(bytes)
}
