//! Copies an office's data from a SQLite file into a PostgreSQL database.
//!
//! Rows are copied table by table in order of their keys, in batches that are there as a whole or not at all, so an
//! interrupted copy continues behind the last row of each table. Then every row is read again
//! from both sides and compared. Tables are found in the databases' catalogs: one that has no
//! counterpart is an error, not a loss.

use std::path::Path;

use super::postgres::{Table, Tables as Target};
use super::sqlite::Tables as Source;
use super::{InitialSecrets, StoreError};
use crate::record::queue;

/// A value of a column.
pub(super) use rusqlite::types::Value as Cell;

/// Rows of a batch, at most.
pub(super) const MAX_BATCH_ROWS: usize = 500;

/// Size from which a batch takes no further row, bytes: bounds memory.
pub(super) const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Tables with another name in SQLite.
const RENAMED: [(&str, &str); 2] =
    [("conduct_evaluated", "conduct_asked"), ("blob_uploaders", "blob_bringers")];

/// Columns of SQLite that PostgreSQL does without.
const DERIVED: [(&str, &str); 4] =
    [("visit_search", "id"), ("visits", "unassigned"), ("visits", "held"), ("visits", "queue_key")];

/// A copy in progress. No office has the file open meanwhile.
pub(in crate::office) struct Migration {
    source: Source,
    target: Target,
    tables: Vec<Table>,
    /// Rows of all tables.
    pub(in crate::office) rows: u64,
}

impl Migration {
    /// Begins a copy into an empty database, or continues one that was interrupted. The copy gets an
    /// epoch of its own, so that phones compare what they hold (rule P3), and a device of its own, so
    /// that numbers are not given twice if the file is used again (rule I1). Blocks.
    pub(in crate::office) fn begin(
        from: &Path,
        to: &str,
        fresh: InitialSecrets,
    ) -> Result<Self, StoreError> {
        let source = Source::open(from)?;
        let mut target = Target::open(to, &source.identity()?, source.settings()?, fresh)?;
        let tables = target.all()?;
        demand_counterparts(&source, &tables)?;
        let counts = tables.iter().map(|table| source.count(source_table(&table.name)));
        let rows = counts.sum::<Result<u64, _>>()?;
        Ok(Self { source, target, tables, rows })
    }

    /// Copies what is not there yet. `progress` is called with the number of rows that are. Blocks.
    pub(in crate::office) fn copy(&mut self, progress: &dyn Fn(u64)) -> Result<(), StoreError> {
        let mut done = 0;
        for table in &self.tables {
            let mut after = self.target.last_key(table)?;
            if let Some(key) = &after {
                let columns: Vec<&str> =
                    table.key.iter().map(|column| source_column(&table.name, column)).collect();
                if !self.source.has(source_table(&table.name), &columns, key)? {
                    return Err(differs(table));
                }
                done += self.target.count(table)?;
            }
            loop {
                progress(done);
                let batch = read(&self.source, table, after.as_deref())?;
                let Some(last) = batch.last() else { break };
                self.target.add(table, &batch)?;
                done += batch.len() as u64;
                after = Some(key_of(table, last));
            }
        }
        Ok(())
    }

    /// Compares every row of both sides, the digests of feeds among them. Blocks.
    pub(in crate::office) fn compare(&mut self, progress: &dyn Fn(u64)) -> Result<(), StoreError> {
        let mut done = 0;
        for table in &self.tables {
            let mut after = None;
            loop {
                progress(done);
                let batch = read(&self.source, table, after.as_deref())?;
                // One row at the end shows what the source does not have.
                let limit = batch.len().max(1);
                if self.target.read(table, after.as_deref(), limit)? != batch {
                    return Err(differs(table));
                }
                let Some(last) = batch.last() else { break };
                done += batch.len() as u64;
                after = Some(key_of(table, last));
            }
        }
        Ok(())
    }

    /// Makes the copy an office's database. Blocks.
    pub(in crate::office) fn finish(mut self) -> Result<(), StoreError> {
        self.target.finish()
    }
}

/// Every table and column of both sides has a counterpart.
fn demand_counterparts(source: &Source, tables: &[Table]) -> Result<(), StoreError> {
    let missing = |what: &str| {
        Err(StoreError::Failed(format!("this version of the program cannot copy {what}")))
    };
    for name in source.names()? {
        let Some(table) = tables.iter().find(|table| source_table(&table.name) == name) else {
            return missing(&name);
        };
        let columns = source.columns(&name)?;
        for column in &columns {
            let has = |(to, _): &(String, _)| source_column(&table.name, to) == column;
            let derived = DERIVED.contains(&(name.as_str(), column));
            if !derived && !table.columns.iter().any(has) {
                return missing(&format!("{name}.{column}"));
            }
        }
        for (column, _) in &table.columns {
            if !columns.iter().any(|from| from == source_column(&table.name, column)) {
                return missing(&format!("{}.{column}", table.name));
            }
        }
    }
    let names = source.names()?;
    match tables.iter().find(|table| !names.iter().any(|name| name == source_table(&table.name))) {
        Some(table) => missing(&table.name),
        None => Ok(()),
    }
}

fn source_table(table: &str) -> &str {
    RENAMED.iter().find(|(to, _)| *to == table).map_or(table, |(_, from)| from)
}

fn source_column<'c>(table: &str, column: &'c str) -> &'c str {
    match (table, column) {
        ("visits", "area") => "address",
        (_, "user_name") => "user",
        (_, column) => column,
    }
}

/// The next rows of the source, as the target has them.
fn read(
    source: &Source,
    table: &Table,
    after: Option<&[Cell]>,
) -> Result<Vec<Vec<Cell>>, StoreError> {
    let name = |column: &'_ String| source_column(&table.name, column).to_owned();
    let columns: Vec<String> = table.columns.iter().map(|(column, _)| name(column)).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let key: Vec<String> = table.key.iter().map(name).collect();
    let key: Vec<&str> = key.iter().map(String::as_str).collect();
    let mut rows = source.read(source_table(&table.name), &columns, &key, after)?;
    for row in &mut rows {
        for ((column, _), cell) in table.columns.iter().zip(row) {
            if let Cell::Text(text) = cell {
                if table.name == "visits" && column == "area" {
                    *text = queue::area(text).to_string();
                }
                // PostgreSQL stores no NUL in a text.
                if text.contains('\0') {
                    *text = text.replace('\0', "\u{fffd}");
                }
            }
        }
    }
    Ok(rows)
}

fn key_of(table: &Table, row: &[Cell]) -> Vec<Cell> {
    let cell = |name: &String| {
        let at = table.columns.iter().position(|(column, _)| column == name);
        at.and_then(|at| row.get(at)).cloned().unwrap_or(Cell::Null)
    };
    table.key.iter().map(cell).collect()
}

fn differs(table: &Table) -> StoreError {
    StoreError::Failed(format!("the copy of {} differs: copy into a new database", table.name))
}
