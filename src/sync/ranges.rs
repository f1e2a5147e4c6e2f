//! Range-based set reconciliation: what differs between two large sets, in one request (rule P3).
//!
//! The device cuts what it holds into ranges of record ids and sends the digest of each; the
//! office answers with the states of its own records in the ranges that differ. For `n` records of
//! which `d` differ that is some `n / 16` digests and `16 d` states: 17 KiB and 10 KiB for ten of
//! five thousand. A recursive scheme sends less of a very large set and needs more requests, which
//! are what is dear on a weak link.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::digest::{Digest, Item};
use crate::ids::{Heads, RecordId};

/// Records in a range: about where digests of equal ranges and states of different ones cost the
/// same when a few in a thousand differ.
const RANGE: usize = 16;

/// Ranges in one request: bounds its size whatever a device holds.
const RANGES: usize = 2_048;

/// A range of record ids and what the device holds in it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Range {
    /// First id of the range; it ends where the next begins.
    #[n(0)]
    pub from: RecordId,
    /// A part of the digest of its records: enough where nobody lies.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub print: [u8; 16],
}

/// What the office holds in the ranges that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Differing {
    /// How many ranges, from the first, were compared; fewer than asked where the page is full.
    #[n(0)]
    pub compared: u32,
    /// Places of those that differ.
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

/// Cuts what is held, from an id on, into ranges. The first begins at `from`, the last has no end.
pub fn cut<'h>(from: RecordId, held: impl Iterator<Item = (RecordId, &'h Heads)>) -> Vec<Range> {
    let held: Vec<_> = held.filter(|(record, _)| *record >= from).collect();
    let size = RANGE.max(held.len().div_ceil(RANGES));
    let mut ranges: Vec<Range> = held
        .chunks(size)
        .filter_map(|items| {
            let (first, _) = items.first()?;
            Some(Range { from: *first, print: print(items.iter().copied()) })
        })
        .collect();
    match ranges.first_mut() {
        Some(first) => first.from = from,
        None => ranges.push(Range { from, print: print(std::iter::empty()) }),
    }
    ranges
}

/// Whether ranges from untrusted bytes are in order and not too many: comparing them costs no
/// more than looking at everything once.
pub fn are_valid(ranges: &[Range]) -> bool {
    ranges.len() <= RANGES && ranges.is_sorted_by(|one, next| one.from < next.from)
}

/// Compares ranges with what is held here, both in order of id, until the states of what differs
/// would take more than `budget` bytes; one range is always compared.
pub fn compare(ranges: &[Range], held: &BTreeMap<RecordId, Heads>, budget: usize) -> Differing {
    let mut found = Differing::default();
    let mut used = 0;
    for (place, range) in (0u32..).zip(ranges) {
        let next = ranges.get(place as usize + 1).map(|next| next.from);
        let inside = || {
            let until =
                move |(record, _): &(&RecordId, &Heads)| next.is_none_or(|next| **record < next);
            held.range(range.from..).take_while(until)
        };
        if print(inside().map(|(record, heads)| (*record, heads))) != range.print {
            let states =
                inside().map(|(record, heads)| State { record: *record, heads: heads.clone() });
            let states: Vec<State> = states.collect();
            let size: usize =
                states.iter().map(|state| 24 + 32 * state.heads.as_slice().len()).sum();
            if used > 0 && used + size > budget {
                return found;
            }
            used += size;
            found.ranges.push(place);
            found.states.extend(states);
        }
        found.compared = place + 1;
    }
    found
}

fn print<'h>(items: impl Iterator<Item = (RecordId, &'h Heads)>) -> [u8; 16] {
    let mut digest = Digest::default();
    items.for_each(|(record, heads)| digest.add(Item::of(record, heads)));
    let mut print = [0; 16];
    print.copy_from_slice(&digest.sum[..16]);
    // So that no number of records adds up to none.
    for (byte, count) in print.iter_mut().zip(digest.count.to_le_bytes()) {
        *byte ^= count;
    }
    print
}
