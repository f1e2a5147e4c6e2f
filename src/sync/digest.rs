//! The digest of a feed: a count and a sum of fingerprints (rule P1).
//!
//! The fingerprint of a record is SHA-256(record id ‖ sorted heads); the digest is their sum modulo
//! 2^256 and their number. It was chosen over LtHash because the same fingerprints serve the repair
//! (rule P3) and it takes 40 bytes instead of 2 KiB. A side that lies about its own records deceives
//! only itself.

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use crate::ids::{Heads, RecordId};

/// The fingerprint of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item([u8; 32]);

impl Item {
    /// The fingerprint of a record in a state.
    pub fn of(record: RecordId, heads: &Heads) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(record.0);
        for head in heads.as_slice() {
            hasher.update(head.0);
        }
        Self(hasher.finalize().into())
    }

    /// Its first bytes, which tell states of one record apart.
    pub fn mark(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.0;
        [a, b, c, d]
    }
}

/// An incremental multiset hash over the records of a feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Digest {
    /// Number of records.
    #[n(0)]
    pub count: u64,
    /// Little-endian sum of the items modulo 2^256.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub sum: [u8; 32],
}

impl Digest {
    /// Adds a record.
    pub fn add(&mut self, item: Item) {
        self.count = self.count.wrapping_add(1);
        let mut carry = 0u16;
        for (sum, byte) in self.sum.iter_mut().zip(item.0) {
            let total = u16::from(*sum) + u16::from(byte) + carry;
            *sum = total.to_le_bytes()[0];
            carry = total >> 8;
        }
    }

    /// Removes a record.
    pub fn remove(&mut self, item: Item) {
        self.count = self.count.wrapping_sub(1);
        let mut borrow = 0i16;
        for (sum, byte) in self.sum.iter_mut().zip(item.0) {
            let total = i16::from(*sum) - i16::from(byte) - borrow;
            *sum = total.to_le_bytes()[0];
            borrow = i16::from(total < 0);
        }
    }
}
