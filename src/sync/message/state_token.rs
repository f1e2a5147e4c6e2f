//! State tokens: the office's proof that it had a record in a state (rule P3).

use minicbor::{Decode, Encode};

use crate::ids::{Heads, RecordId};
use crate::sync::digest::Item;

/// A truncated HMAC over user, record and state, which only the office can make and check.
pub type StateMac = [u8; 8];

/// A MAC, and a mark that tells the device which state it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct StateToken(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    [u8; 12],
);

impl StateToken {
    /// The token for a record in a state.
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
