//! Reads the columns of a change without expanding them.
//!
//! Columns are run-length encoded: a few bytes can encode billions of operations, or one operation
//! with billions of predecessors. Runs are counted here without being expanded, so that Automerge
//! only gets changes of bounded size.

use super::limits;
use crate::sync::reader::{ReadError, Reader};

/// Why columns are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadColumns {
    /// They violate the format.
    Malformed,
    /// They would expand to too much.
    TooLarge,
}

impl From<ReadError> for BadColumns {
    fn from(_: ReadError) -> Self {
        Self::Malformed
    }
}

/// Column specifications of the format: id and type as one number.
mod spec {
    pub(super) const OBJECT_ACTOR: u64 = 0x01;
    pub(super) const OBJECT_COUNTER: u64 = 0x02;
    pub(super) const KEY_ACTOR: u64 = 0x11;
    pub(super) const KEY_COUNTER: u64 = 0x13;
    pub(super) const KEY_TEXT: u64 = 0x15;
    pub(super) const INSERT: u64 = 0x34;
    pub(super) const ACTION: u64 = 0x42;
    pub(super) const VALUE_META: u64 = 0x56;
    pub(super) const VALUE: u64 = 0x57;
    pub(super) const PRED_COUNT: u64 = 0x70;
    pub(super) const PRED_ACTOR: u64 = 0x71;
    pub(super) const PRED_COUNTER: u64 = 0x73;
}

/// The highest action that visit records use: put, delete and the creation of objects. Higher ones
/// are counters, tables and marks.
const LAST_ACTION: u64 = 4;

/// The delete action.
const DELETE: u64 = 3;

/// Number of operations in a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) operations: u64,
    /// Operations on keys of maps.
    pub(super) keyed: u64,
}

/// Reads the columns and counts the operations. `actors` is the number of actors that the change names.
pub(super) fn operations(mut header: Reader<'_>, actors: u64) -> Result<Counts, BadColumns> {
    let count = header.unsigned()?;
    if count > limits::COLUMNS {
        return Err(BadColumns::TooLarge);
    }
    let mut lengths = Vec::new();
    for _ in 0..count {
        lengths.push((header.unsigned()?, header.unsigned()?));
    }
    // Ordered and unique: of duplicates we might read one and Automerge the other.
    if !lengths.is_sorted_by(|one, next| one.0 < next.0) {
        return Err(BadColumns::Malformed);
    }
    let mut data = header;
    let size = data.rest().len() as u64;
    let mut columns = Vec::new();
    for (spec, length) in lengths {
        columns.push((spec, data.take(length)?));
    }
    // We write no extra bytes after the columns.
    if !data.is_empty() {
        return Err(BadColumns::Malformed);
    }
    let of = |spec: u64| columns.iter().find(|(s, _)| *s == spec).map_or(&[][..], |(_, data)| data);

    let Actions { operations, deletes } = actions(of(spec::ACTION))?;
    let (mut predecessors, mut keyed) = (0, 0);
    // A written key or character takes at least a byte. Only deletions in a row take none.
    if operations - deletes > size {
        return Err(BadColumns::TooLarge);
    }
    for (spec, data) in &columns {
        let values = match *spec {
            spec::OBJECT_ACTOR | spec::KEY_ACTOR => below(data, actors)?,
            spec::OBJECT_COUNTER => below(data, u64::from(u32::MAX))?,
            spec::KEY_COUNTER => deltas(data)?,
            spec::KEY_TEXT => {
                let values;
                (values, keyed) = keys(data)?;
                values
            }
            spec::INSERT => flags(data)?,
            spec::ACTION => operations,
            spec::VALUE_META => values(data, of(spec::VALUE).len() as u64)?,
            // Its length is checked against the lengths in the meta column.
            spec::VALUE if of(spec::VALUE_META).is_empty() => return Err(BadColumns::Malformed),
            spec::VALUE => 0,
            spec::PRED_COUNT => {
                let (values, sum) = sum(data)?;
                predecessors = sum;
                values
            }
            // Checked below, against the sum of the counts.
            spec::PRED_ACTOR | spec::PRED_COUNTER => 0,
            _ => return Err(BadColumns::Malformed),
        };
        if values > operations {
            return Err(BadColumns::Malformed);
        }
    }
    if predecessors > limits::OPERATIONS {
        return Err(BadColumns::TooLarge);
    }
    if below(of(spec::PRED_ACTOR), actors)? != predecessors
        || deltas(of(spec::PRED_COUNTER))? != predecessors
    {
        return Err(BadColumns::Malformed);
    }
    if keyed > limits::KEYED {
        return Err(BadColumns::TooLarge);
    }
    Ok(Counts { operations, keyed })
}

/// Iterates over the runs of a column: `each` gets the length and value of a run, `None` for nulls.
/// Gives the number of values.
fn runs<'b, V>(
    data: &'b [u8],
    value: impl Fn(&mut Reader<'b>) -> Result<V, ReadError>,
    mut each: impl FnMut(u64, Option<V>) -> Result<(), BadColumns>,
) -> Result<u64, BadColumns> {
    let mut reader = Reader::new(data);
    let mut total = 0u64;
    while !reader.is_empty() {
        let length = reader.signed()?;
        let count = match length {
            0 => {
                let count = reader.unsigned()?;
                each(count, None)?;
                count
            }
            1.. => {
                let value = value(&mut reader)?;
                each(length.unsigned_abs(), Some(value))?;
                length.unsigned_abs()
            }
            // A literal run: each value takes at least one byte, so this ends with the data.
            ..0 => {
                for _ in 0..length.unsigned_abs() {
                    let value = value(&mut reader)?;
                    each(1, Some(value))?;
                }
                length.unsigned_abs()
            }
        };
        total = total.saturating_add(count);
    }
    Ok(total)
}

struct Actions {
    operations: u64,
    deletes: u64,
}

fn actions(data: &[u8]) -> Result<Actions, BadColumns> {
    let mut deletes = 0u64;
    let operations = runs(data, Reader::unsigned, |count, action| match action {
        Some(DELETE) => {
            deletes = deletes.saturating_add(count);
            Ok(())
        }
        Some(0..=LAST_ACTION) => Ok(()),
        Some(_) | None => Err(BadColumns::Malformed),
    })?;
    if operations > limits::OPERATIONS {
        return Err(BadColumns::TooLarge);
    }
    Ok(Actions { operations, deletes })
}

fn below(data: &[u8], limit: u64) -> Result<u64, BadColumns> {
    runs(data, Reader::unsigned, |_, value| match value {
        Some(value) if value >= limit => Err(BadColumns::Malformed),
        Some(_) | None => Ok(()),
    })
}

/// A column of deltas whose sums are operation counters.
fn deltas(data: &[u8]) -> Result<u64, BadColumns> {
    let mut counter = 0i64;
    runs(data, Reader::signed, |count, delta| {
        // Within a run the counter is monotonic, so the last value is the extreme.
        let end = delta.map_or(Some(counter), |delta| {
            delta.checked_mul(i64::try_from(count).ok()?)?.checked_add(counter)
        });
        counter = end.ok_or(BadColumns::Malformed)?;
        if u32::try_from(counter).is_ok() { Ok(()) } else { Err(BadColumns::Malformed) }
    })
}

/// The number of values, and of those that are not null.
fn keys(data: &[u8]) -> Result<(u64, u64), BadColumns> {
    let mut keys = 0u64;
    let key = |reader: &mut Reader<'_>| {
        let length = reader.unsigned()?;
        reader.take(length)?;
        Ok(length)
    };
    let values = runs(data, key, |count, length| match length {
        Some(length) if length > limits::KEY => Err(BadColumns::TooLarge),
        Some(_) => {
            keys = keys.saturating_add(count);
            Ok(())
        }
        None => Ok(()),
    })?;
    Ok((values, keys))
}

/// A boolean column: alternating runs of false and true.
fn flags(data: &[u8]) -> Result<u64, BadColumns> {
    let mut reader = Reader::new(data);
    let mut total = 0u64;
    while !reader.is_empty() {
        total = total.saturating_add(reader.unsigned()?);
    }
    Ok(total)
}

/// The types and lengths of values; the lengths must add up to the size of the value column.
fn values(data: &[u8], length: u64) -> Result<u64, BadColumns> {
    let mut sum = 0u64;
    let count = runs(data, Reader::unsigned, |count, meta| {
        let length = meta.unwrap_or(0) >> 4;
        sum = sum.saturating_add(length.saturating_mul(count));
        Ok(())
    })?;
    if sum == length { Ok(count) } else { Err(BadColumns::Malformed) }
}

/// The number of values and their sum.
fn sum(data: &[u8]) -> Result<(u64, u64), BadColumns> {
    let mut sum = 0u64;
    let count = runs(data, Reader::unsigned, |count, value| {
        sum = sum.saturating_add(value.unwrap_or(0).saturating_mul(count));
        Ok(())
    })?;
    Ok((count, sum))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_columns_or_refused(bytes: Vec<u8>) {
            let _ = operations(Reader::new(&bytes), 2);
        }
    }

    #[test]
    fn a_few_bytes_that_stand_for_billions_are_too_large() {
        // One column, the actions: a run of 2^32 puts.
        let bomb = [1, 0x42, 6, 0x80, 0x80, 0x80, 0x80, 0x10, 1];
        assert_eq!(operations(Reader::new(&bomb), 1), Err(BadColumns::TooLarge));
        // One put with 2^35 predecessors.
        let bomb = [2, 0x42, 2, 0x70, 7, 1, 1, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 1];
        assert_eq!(operations(Reader::new(&bomb), 1), Err(BadColumns::TooLarge));
    }

    #[test]
    fn what_is_written_takes_a_byte() {
        // A hundred puts without keys.
        let puts = [1, 0x42, 3, 0xe4, 0, 1];
        assert_eq!(operations(Reader::new(&puts), 1), Err(BadColumns::TooLarge));
        // A hundred deletions, whose targets another column would name.
        let deletes = [1, 0x42, 3, 0xe4, 0, 3];
        let counts = Counts { operations: 100, keyed: 0 };
        assert_eq!(operations(Reader::new(&deletes), 1), Ok(counts));
    }

    #[test]
    fn a_run_of_empty_nulls_ends() {
        let endless = [1, 0x42, 4, 0, 0, 0, 0];
        assert_eq!(operations(Reader::new(&endless), 1), Err(BadColumns::Malformed));
    }
}
