//! The two bodies of a round: `POST /sync` and its reply (rules R1, R3, R5, R6).
//!
//! Both are one byte of protocol version, one byte of encoding, then CBOR with integer keys,
//! deflated where that is smaller. Decoding any bytes gives a value or an error in bounded
//! memory: see [`decode_request`] and [`decode_reply`].

use std::borrow::Cow;

use minicbor::{Decode, Encode};

use super::digest::{Digest, Item};
use super::envelope::{self, MalformedBody};
use super::packed::columns::{self, Columns};
pub use super::packed::{Packed, Tables};
use super::ranges::{Differing, Range};
use crate::ids::{Heads, RecordId};

/// Version of the protocol that this code speaks.
pub const PROTOCOL: u8 = 3;

/// Bytes of reply that a device asks for: a page that a weak link carries in a few seconds.
pub const DEFAULT_REPLY_BYTES: u32 = 256 * 1024;

/// The largest body that either side accepts, inflated: one page of whole documents with room.
pub const MAX_BODY: usize = 4 * 1024 * 1024;

/// Names one life of the office's store.
pub type Epoch = [u8; 16];

/// Where a device stands in its feed. `epoch` changes when the office is restored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Cursor {
    /// Which life of the office's store; zeros before the first round.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub epoch: Epoch,
    /// Last entry of the feed that the device has been given; 0 before the first.
    #[n(1)]
    pub seq: u64,
    /// Up to here the device holds every record as it was. Behind `seq` while a pass goes on over
    /// several pages, since a pass skips entries that later ones replaced.
    #[n(2)]
    pub base: u64,
}

impl Cursor {
    /// Whether a pass over the feed is over: the device holds all that it was given.
    pub fn is_whole(&self) -> bool {
        self.base == self.seq
    }
}

/// What a device says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Columns>")]
pub struct Request {
    /// Where the device stands.
    #[n(0)]
    pub cursor: Cursor,
    /// What the changes below share.
    #[n(1)]
    pub tables: Tables,
    /// What the office has lost (rule P3), taken before the pushes that may build on it.
    #[n(2)]
    pub restore: Vec<Restore>,
    /// Changes that the office has not confirmed, oldest record first (rule R5).
    #[n(3)]
    pub push: Vec<Push>,
    /// Records of which the device wants what it lacks, whatever the cursor says (rules D5, P3).
    #[n(4)]
    pub want: Vec<Want>,
    /// What the device holds, to be compared; empty but in a repair (rule P3).
    #[n(5)]
    pub ranges: Vec<Range>,
    /// The most bytes wanted back.
    #[n(6)]
    pub max_bytes: u32,
    /// Numbers of refused work of this device on which a decision may have been taken (rule M4).
    #[n(7)]
    pub undecided: Option<Vec<u64>>,
    /// Records for which the office has said more than once that it lacks what the pushed changes
    /// build on, and nothing brings it: the changes are to be kept for a person to look at (R6).
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

/// Changes of anybody that the office once held and lost in a restore (rule P3). The state token is
/// its own word for that, and the hashes in the heads hold all that they follow.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Columns>")]
pub struct Restore {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// A state that the office vouched for to this user.
    #[n(1)]
    pub heads: Heads,
    /// The office's word.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub mac: StateMac,
    /// What leads to it, in causal order, as far as the office may lack it.
    #[cbor(with = "columns")]
    #[n(3)]
    pub changes: Vec<Packed>,
}

/// A record of which the device wants what it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Want {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// What the device has of it; empty for the whole document.
    #[n(1)]
    pub have: Heads,
}

/// The office's word that it held a record in a state, for one user: a truncated HMAC that only
/// the office can make or check.
pub type StateMac = [u8; 8];

/// A MAC, and a mark of the state that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct StateToken(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    [u8; 12],
);

impl StateToken {
    /// The state token for a record in a state.
    pub fn new(record: RecordId, heads: &Heads, mac: StateMac) -> Self {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&Item::of(record, heads).mark());
        bytes[4..].copy_from_slice(&mac);
        Self(bytes)
    }

    /// The MAC, if it is for this state.
    pub fn mac_for(&self, record: RecordId, heads: &Heads) -> Option<StateMac> {
        let (mark, mac) = self.0.split_first_chunk::<4>()?;
        (*mark == Item::of(record, heads).mark()).then(|| mac.try_into().ok())?
    }
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
#[cbor(context_bound = "AsMut<Columns>")]
pub struct Reply {
    /// What the changes below share.
    #[n(0)]
    pub tables: Tables,
    /// One result per record brought, in the order of the request.
    #[n(1)]
    pub restored: Vec<Outcome>,
    /// One result per pushed record, in the order of the request.
    #[n(2)]
    pub results: Vec<Outcome>,
    /// Records wanted, and those of the feed after the cursor, in order of `seq`.
    #[n(3)]
    pub entries: Vec<RecordUpdate>,
    /// What differs in the ranges that were asked about.
    #[n(4)]
    pub differing: Differing,
    /// Where the device stands once it has applied this reply.
    #[n(5)]
    pub cursor: Cursor,
    /// Entries of the feed that remain after this cursor.
    #[n(6)]
    pub remaining: u64,
    /// Digest of the whole feed; equal to the device's own only when `remaining` is 0.
    #[n(7)]
    pub digest: Digest,
    /// The office's clock, ms since 1970 UTC.
    #[n(8)]
    pub office_time: i64,
    /// Decisions on the refused work that was asked about.
    #[n(9)]
    pub decisions: Option<Vec<QuarantineDecision>>,
    /// The device is not to work any more: what was pushed is kept and everything else withdrawn
    /// (rule F4).
    #[n(10)]
    pub revocation: Option<Revocation>,
}

/// What a person at the office decided on refused work.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct QuarantineDecision {
    /// Its number in quarantine.
    #[n(0)]
    pub quarantine: u64,
    /// Whether it was accepted; else it was dismissed.
    #[n(1)]
    pub accepted: bool,
    /// Why, in the person's words; may be empty where it was accepted.
    #[n(2)]
    pub reason: String,
}

/// Why a device is not to work any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Revocation {
    /// The device was revoked.
    #[n(0)]
    DeviceRevoked,
    /// Its user was locked out.
    #[n(1)]
    UserDisabled,
}

impl Revocation {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeviceRevoked => "device_revoked",
            Self::UserDisabled => "user_disabled",
        }
    }
}

/// The results of rule R6. Refusals are values, not errors.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// Durable at the office (rule D2).
    #[n(0)]
    Merged {
        /// For the office's copy after the merge.
        #[n(0)]
        state_token: StateToken,
    },
    /// The office held all of it before.
    #[n(1)]
    Duplicate {
        /// For the office's copy.
        #[n(0)]
        state_token: StateToken,
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
    /// What is brought back is no state that the office vouched for.
    #[n(7)]
    NotAttested,
    /// Not kept: the office keeps as much refused work of this device as it takes (rule M4).
    #[n(8)]
    QuarantineFull,
    /// What the work builds on is neither at the office nor on the device.
    #[n(9)]
    MissingDependencies,
    /// A signature under the seal is wrong, or by a key that the device did not enrol.
    #[n(10)]
    WrongSignature,
    /// The office holds a seal on the record: what the seal closes came too late (rule M9).
    #[n(11)]
    Sealed,
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
            Self::NotAttested => "not_vouched",
            Self::QuarantineFull => "quarantine_full",
            Self::MissingDependencies => "without_past",
            Self::WrongSignature => "wrong_signature",
            Self::Sealed => "sealed",
        }
    }
}

/// One record of the feed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Columns>")]
pub struct RecordUpdate {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// What the device does with it.
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
        /// None where the device wrote all that is new (rule R4).
        #[cbor(with = "columns")]
        #[n(0)]
        changes: Vec<Packed>,
        /// For the office's copy.
        #[n(1)]
        state_token: StateToken,
    },
    /// The whole document (rule R4).
    #[n(1)]
    Document {
        /// Automerge `save()` without its own deflate, so that the body compresses across records.
        #[n(0)]
        document: Chunk,
        /// For the office's copy.
        #[n(1)]
        state_token: StateToken,
    },
    /// Not the device's any more: erase it once its unsent work has been handed over.
    #[n(2)]
    Withdrawn,
    /// What was wanted was never this user's, or the office has lost it; nothing is erased for it.
    #[n(3)]
    Unknown,
}

/// Bytes of a request.
pub fn encode_request(request: &Request) -> Vec<u8> {
    envelope::seal(request)
}

/// A request from untrusted bytes.
pub fn decode_request(bytes: &[u8]) -> Result<Request, MalformedBody> {
    Inflated::new(bytes)?.request()
}

/// A body that is inflated and not yet taken apart: its size says what that may take.
#[derive(Debug)]
pub struct Inflated<'b>(Cow<'b, [u8]>);

impl<'b> Inflated<'b> {
    /// Inflates untrusted bytes, never past [`MAX_BODY`].
    pub fn new(bytes: &'b [u8]) -> Result<Self, MalformedBody> {
        envelope::content(bytes).map(Self)
    }

    /// The same without the bytes that it came as.
    pub fn into_owned(self) -> Inflated<'static> {
        Inflated(Cow::Owned(self.0.into_owned()))
    }

    /// Its size, bytes.
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// The request that it is.
    pub fn request(&self) -> Result<Request, MalformedBody> {
        envelope::decode(&self.0)
    }
}

/// Bytes of a reply.
pub fn encode_reply(reply: &Reply) -> Vec<u8> {
    envelope::seal(reply)
}

/// A reply from bytes.
pub fn decode_reply(bytes: &[u8]) -> Result<Reply, MalformedBody> {
    envelope::open(bytes)
}
