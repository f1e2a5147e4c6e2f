//! Range-based set reconciliation: finds differences of two large sets in one request (rule P3).
//!
//! The device splits its records into ranges of ids and sends the fingerprint of each; the office
//! replies with the states of its own records in the ranges that differ. For `n` records of which
//! `d` differ that is some `n / 16` fingerprints and `16 d` states: 17 KiB and 10 KiB for ten of
//! five thousand. A recursive scheme sends less for very large sets but needs more requests, which
//! are expensive on a weak link.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::digest::{Digest, Item};
use crate::ids::{Heads, RecordId};

/// Records in a range: where fingerprints of equal ranges and states of differing ones cost about
/// the same if a few records in a thousand differ.
const RECORDS_PER_RANGE: usize = 16;

/// Ranges in one request: bounds its size.
const MAX_RANGES: usize = 2_048;

/// A range of record ids and the device's fingerprint of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Range {
    /// First id of the range; it ends where the next begins.
    #[n(0)]
    pub from: RecordId,
    /// A truncated digest of its records. A side that lies about it deceives only itself.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub fingerprint: [u8; 16],
}

/// The office's records in the ranges that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Differing {
    /// How many ranges were compared, from the first; fewer than requested where the page is full.
    #[n(0)]
    pub compared: u32,
    /// Indexes of those that differ.
    #[n(1)]
    pub ranges: Vec<u32>,
    /// States of the office's records in them, in order of id.
    #[n(2)]
    pub states: Vec<State>,
}

/// The state of a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct State {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// Its heads.
    #[n(1)]
    pub heads: Heads,
}

/// Splits records from an id on into ranges. The first begins at `from`, the last has no end.
pub fn split<'h>(
    from: RecordId,
    records: impl Iterator<Item = (RecordId, &'h Heads)>,
) -> Vec<Range> {
    let records: Vec<_> = records.filter(|(record, _)| *record >= from).collect();
    let size = RECORDS_PER_RANGE.max(records.len().div_ceil(MAX_RANGES));
    let mut ranges: Vec<Range> = records
        .chunks(size)
        .filter_map(|items| {
            let (first, _) = items.first()?;
            Some(Range { from: *first, fingerprint: fingerprint(items.iter().copied()) })
        })
        .collect();
    match ranges.first_mut() {
        Some(first) => first.from = from,
        None => ranges.push(Range { from, fingerprint: fingerprint(std::iter::empty()) }),
    }
    ranges
}

/// Whether ranges from untrusted bytes are in order and not too many: comparing them then costs at
/// most one pass over all records.
pub fn are_valid(ranges: &[Range]) -> bool {
    ranges.len() <= MAX_RANGES && ranges.is_sorted_by(|one, next| one.from < next.from)
}

/// Compares ranges with `records`, until the states of those that differ would take more than
/// `budget` bytes; one range is always compared.
pub fn compare(ranges: &[Range], records: &BTreeMap<RecordId, Heads>, budget: usize) -> Differing {
    let mut found = Differing::default();
    let mut used = 0;
    for (index, range) in (0u32..).zip(ranges) {
        let next = ranges.get(index as usize + 1).map(|next| next.from);
        let inside = || {
            let until =
                move |(record, _): &(&RecordId, &Heads)| next.is_none_or(|next| **record < next);
            records.range(range.from..).take_while(until)
        };
        if fingerprint(inside().map(|(record, heads)| (*record, heads))) != range.fingerprint {
            let states =
                inside().map(|(record, heads)| State { record: *record, heads: heads.clone() });
            let states: Vec<State> = states.collect();
            let size: usize =
                states.iter().map(|state| 24 + 32 * state.heads.as_slice().len()).sum();
            if used > 0 && used + size > budget {
                return found;
            }
            used += size;
            found.ranges.push(index);
            found.states.extend(states);
        }
        found.compared = index + 1;
    }
    found
}

fn fingerprint<'h>(items: impl Iterator<Item = (RecordId, &'h Heads)>) -> [u8; 16] {
    let mut digest = Digest::default();
    items.for_each(|(record, heads)| digest.add(Item::of(record, heads)));
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(&digest.sum[..16]);
    // Mixes in the count, so that no set of records looks like an empty one.
    for (byte, count) in fingerprint.iter_mut().zip(digest.count.to_le_bytes()) {
        *byte ^= count;
    }
    fingerprint
}
