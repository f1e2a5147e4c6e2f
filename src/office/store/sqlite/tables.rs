//! The tables of a file row by row, for a copy into another kind of store.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::convert::failed;
use super::{backfill, backup, check_format, check_schema, connect_to_read, files};
use crate::ids::hex;
use crate::office::store::StoreError;
use crate::office::store::migrate::{Cell, MAX_BATCH_BYTES, MAX_BATCH_ROWS};

/// Tables that hold what other stores keep otherwise, or derive.
const OWN: [&str; 5] =
    ["meta", "refinery_schema_history", "sqlite_", "visit_trigrams", "visit_grams"];

/// A file that no other process has open.
pub(in crate::office::store) struct Tables {
    connection: Connection,
    _lock: File,
}

impl Tables {
    /// Fails while the file is in use, and for one of an earlier version.
    pub(in crate::office::store) fn open(path: &Path) -> Result<Self, StoreError> {
        files::demand(path)?;
        let _lock = backup::lock_exclusive(path)?;
        let connection = connect_to_read(path)?;
        check_schema(&connection)?;
        check_format(&connection)?;
        backfill::check(&connection)?;
        Ok(Self { connection, _lock })
    }

    /// Names this state of this file: every process that writes gets a session of its own.
    pub(in crate::office::store) fn identity(&self) -> Result<String, StoreError> {
        let sql = "SELECT epoch, office_device, office_session FROM meta";
        let row = |row: &rusqlite::Row<'_>| {
            let (epoch, device): ([u8; 16], [u8; 16]) = (row.get(0)?, row.get(1)?);
            Ok(format!("{} {} {}", hex(&epoch), hex(&device), row.get::<_, i64>(2)?))
        };
        self.connection.query_row(sql, (), row).map_err(failed)
    }

    /// The key of the office's state tokens, and the order of the queues.
    pub(in crate::office::store) fn settings(&self) -> Result<([u8; 32], String), StoreError> {
        let sql = "SELECT voucher_key, queue_order FROM meta";
        self.connection.query_row(sql, (), |row| row.try_into()).map_err(failed)
    }

    /// Tables with data of their own.
    pub(in crate::office::store) fn names(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut found = self.connection.prepare(sql).map_err(failed)?;
        let names = found.query_map((), |row| row.get(0)).map_err(failed)?;
        let names = names.collect::<Result<Vec<String>, _>>().map_err(failed)?;
        Ok(names.into_iter().filter(|name| !OWN.iter().any(|own| name.starts_with(own))).collect())
    }

    pub(in crate::office::store) fn columns(&self, table: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0";
        let mut found = self.connection.prepare(sql).map_err(failed)?;
        let names = found.query_map([table], |row| row.get(0)).map_err(failed)?;
        names.collect::<Result<_, _>>().map_err(failed)
    }

    pub(in crate::office::store) fn count(&self, table: &str) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM \"{table}\"");
        let count = self.connection.query_row(&sql, (), |row| row.get::<_, i64>(0));
        Ok(count.map_err(failed)?.unsigned_abs())
    }

    /// The rows after a key, as many as fit into a batch, in order of the key.
    pub(in crate::office::store) fn read(
        &self,
        table: &str,
        columns: &[&str],
        key: &[&str],
        after: Option<&[Cell]>,
    ) -> Result<Vec<Vec<Cell>>, StoreError> {
        let key = quoted(key);
        let behind = after.map_or_else(String::new, |after| {
            format!("WHERE ({key}) > ({})", vec!["?"; after.len()].join(", "))
        });
        let sql = format!(
            "SELECT {} FROM \"{table}\" {behind} ORDER BY {key} LIMIT {MAX_BATCH_ROWS}",
            quoted(columns)
        );
        let mut query = self.connection.prepare_cached(&sql).map_err(failed)?;
        let mut rows = query.query(params_from_iter(after.unwrap_or_default())).map_err(failed)?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while bytes < MAX_BATCH_BYTES
            && let Some(row) = rows.next().map_err(failed)?
        {
            let cells = (0..columns.len()).map(|column| row.get(column));
            let cells = cells.collect::<Result<Vec<Cell>, _>>().map_err(failed)?;
            bytes += cells.iter().map(size).sum::<usize>();
            batch.push(cells);
        }
        Ok(batch)
    }

    /// Whether a row with this key exists.
    pub(in crate::office::store) fn has(
        &self,
        table: &str,
        key: &[&str],
        values: &[Cell],
    ) -> Result<bool, StoreError> {
        let markers = vec!["?"; values.len()].join(", ");
        let sql = format!("SELECT 1 FROM \"{table}\" WHERE ({}) = ({markers})", quoted(key));
        let found = self.connection.query_row(&sql, params_from_iter(values), |_| Ok(()));
        found.optional().map(|found| found.is_some()).map_err(failed)
    }
}

fn quoted(columns: &[&str]) -> String {
    let quoted: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    quoted.join(", ")
}

fn size(cell: &Cell) -> usize {
    match cell {
        Cell::Null | Cell::Integer(_) | Cell::Real(_) => 8,
        Cell::Text(text) => text.len(),
        Cell::Blob(bytes) => bytes.len(),
    }
}
