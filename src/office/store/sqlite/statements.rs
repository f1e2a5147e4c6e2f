//! Running cached statements in a transaction.

use rusqlite::{OptionalExtension, Params, Row};

use super::convert::failed;
use super::{StoreError, Tx};

impl Tx<'_> {
    /// Runs a cached statement; gives the number of changed rows.
    pub(super) fn write(&self, sql: &str, values: impl Params) -> Result<u64, StoreError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values))
            .map(|rows| rows as u64)
            .map_err(failed)
    }

    /// The row of a cached query that has exactly one.
    pub(super) fn query_one<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(values, read))
            .map_err(failed)
    }

    /// The first row of a cached query, if there is one.
    pub(super) fn query_optional<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(values, read).optional())
            .map_err(failed)
    }

    /// All rows of a cached query.
    pub(super) fn query_all<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map(values, read)?.collect())
            .map_err(failed)
    }
}
