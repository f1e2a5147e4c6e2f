//! Reading columns of a row as Rust types.

use automerge::{ActorId, ChangeHash};
use tokio_postgres::types::FromSql;

use crate::ids::{DeviceId, Heads, RecordId};
use crate::office::store::StoreError;

pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}

/// One row of a query.
pub(super) struct Row(pub(super) tokio_postgres::Row);

impl Row {
    pub(super) fn get<'r, T: FromSql<'r>>(&'r self, column: usize) -> Result<T, StoreError> {
        self.0.try_get(column).map_err(|error| StoreError::Damaged(error.to_string()))
    }

    pub(super) fn number(&self, column: usize) -> Result<u64, StoreError> {
        u64::try_from(self.get::<i64>(column)?).map_err(|_| damaged("a negative number"))
    }

    pub(super) fn number_or_none(&self, column: usize) -> Result<Option<u64>, StoreError> {
        let value: Option<i64> = self.get(column)?;
        value
            .map(|value| u64::try_from(value).map_err(|_| damaged("a negative number")))
            .transpose()
    }

    pub(super) fn fixed<const N: usize>(&self, column: usize) -> Result<[u8; N], StoreError> {
        self.get::<&[u8]>(column)?.try_into().map_err(|_| damaged("bytes of a wrong length"))
    }

    pub(super) fn fixed_or_none<const N: usize>(
        &self,
        column: usize,
    ) -> Result<Option<[u8; N]>, StoreError> {
        let bytes: Option<&[u8]> = self.get(column)?;
        bytes
            .map(|bytes| bytes.try_into().map_err(|_| damaged("bytes of a wrong length")))
            .transpose()
    }

    pub(super) fn record_id(&self, column: usize) -> Result<RecordId, StoreError> {
        self.fixed(column).map(RecordId)
    }

    pub(super) fn device_id(&self, column: usize) -> Result<DeviceId, StoreError> {
        self.fixed(column).map(DeviceId)
    }

    pub(super) fn hash(&self, column: usize) -> Result<ChangeHash, StoreError> {
        self.fixed(column).map(ChangeHash)
    }

    pub(super) fn actor(&self, column: usize) -> Result<ActorId, StoreError> {
        self.get::<&[u8]>(column).map(ActorId::from)
    }

    pub(super) fn hashes(&self, column: usize) -> Result<Vec<ChangeHash>, StoreError> {
        let (whole, rest) = self.get::<&[u8]>(column)?.as_chunks::<32>();
        if rest.is_empty() {
            Ok(whole.iter().map(|hash| ChangeHash(*hash)).collect())
        } else {
            Err(damaged("hashes"))
        }
    }

    pub(super) fn heads(&self, column: usize) -> Result<Heads, StoreError> {
        self.hashes(column).map(Heads::new)
    }

    /// A column with the stable name of an enum value.
    pub(super) fn word<T>(
        &self,
        column: usize,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        let text: &str = self.get(column)?;
        parse(text).ok_or_else(|| damaged(text))
    }

    /// The same for a column that may be NULL.
    pub(super) fn word_or_none<T>(
        &self,
        column: usize,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let text: Option<&str> = self.get(column)?;
        text.map(|text| parse(text).ok_or_else(|| damaged(text))).transpose()
    }
}

/// Concatenates hashes in order.
pub(super) fn joined(hashes: &[ChangeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}
