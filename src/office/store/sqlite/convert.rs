//! Conversions between SQL values and Rust types.

use automerge::{ActorId, ChangeHash};
use rusqlite::Row;

use crate::ids::{DeviceId, Heads, RecordId};
use crate::office::store::StoreError;
use crate::record::terms::{Channel, ContactOutcome, TargetRole};
use crate::record::view::{ContactView, PaymentView};

pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}

/// Counters stay far below 2^63; a larger one is clamped, and the next comparison refuses it.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

pub(super) fn number_or_none(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => number(row, column).map(Some),
    }
}

pub(super) fn record_id(row: &Row<'_>, column: usize) -> rusqlite::Result<RecordId> {
    row.get(column).map(RecordId)
}

pub(super) fn device_id(row: &Row<'_>, column: usize) -> rusqlite::Result<DeviceId> {
    row.get(column).map(DeviceId)
}

pub(super) fn hash(row: &Row<'_>, column: usize) -> rusqlite::Result<ChangeHash> {
    row.get(column).map(ChangeHash)
}

pub(super) fn actor(row: &Row<'_>, column: usize) -> rusqlite::Result<ActorId> {
    Ok(ActorId::from(row.get_ref(column)?.as_blob()?))
}

/// Concatenates hashes in order.
pub(super) fn joined(hashes: &[ChangeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

pub(super) fn hashes(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<ChangeHash>> {
    let bytes = row.get_ref(column)?.as_blob()?;
    let (whole, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() {
        Ok(whole.iter().map(|hash| ChangeHash(*hash)).collect())
    } else {
        Err(rusqlite::Error::InvalidColumnType(
            column,
            "hashes".into(),
            rusqlite::types::Type::Blob,
        ))
    }
}

pub(super) fn heads(row: &Row<'_>, column: usize) -> rusqlite::Result<Heads> {
    hashes(row, column).map(Heads::new)
}

/// A column with the stable name of an enum value.
pub(super) fn word<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl Fn(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    parse(text).ok_or_else(|| {
        rusqlite::Error::InvalidColumnType(column, text.into(), rusqlite::types::Type::Text)
    })
}

/// The same for a column that may be NULL.
pub(super) fn word_or_none<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl Fn(&str) -> Option<T>,
) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => word(row, column, parse).map(Some),
    }
}

/// A row of `contacts`.
pub(super) fn contact(row: &Row<'_>) -> rusqlite::Result<ContactView> {
    Ok(ContactView {
        id: row.get(0)?,
        at: row.get(1)?,
        zone: row.get(2)?,
        channel: word(row, 3, Channel::parse)?,
        number_ref: row.get(4)?,
        target_role: word(row, 5, TargetRole::parse)?,
        outcome: word(row, 6, ContactOutcome::parse)?,
        note: row.get(7)?,
        by: row.get(8)?,
    })
}

/// A row of `payments`.
pub(super) fn payment(row: &Row<'_>) -> rusqlite::Result<PaymentView> {
    Ok(PaymentView {
        id: row.get(0)?,
        amount: row.get(1)?,
        at: row.get(2)?,
        channel: row.get(3)?,
        reference: row.get(4)?,
        receipt: row.get(5)?,
        by: row.get(6)?,
    })
}
