//! Imports of case lists that run in the background, with their files and the outcome of each row.

use super::StoreError;

/// An import. Its state is text of the layer above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImport {
    /// UUID made by the client.
    pub id: [u8; 16],
    /// Who imports.
    pub user: String,
    /// ms.
    pub created_at: i64,
    /// Until when a process works on it, ms; `None` while there is nothing to do.
    pub claimed_until: Option<i64>,
    /// Its state as JSON.
    pub state: String,
}

/// The outcome of one row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// Number of the row below the heading, from 1.
    pub row: u64,
    /// The outcome's stable name.
    pub outcome: String,
    /// Its report as JSON.
    pub report: String,
}

/// Reads of imports.
pub trait ImportReads {
    /// An import, without its file.
    fn import(&mut self, id: [u8; 16]) -> Result<Option<StoredImport>, StoreError>;
    /// The imports of a user, newest first.
    fn imports_of(&mut self, user: &str) -> Result<Vec<StoredImport>, StoreError>;
    /// The file of an import.
    fn import_file(&mut self, id: [u8; 16]) -> Result<Option<Vec<u8>>, StoreError>;
    /// Outcomes of rows behind a row, in order: those of one outcome, or all where it is empty.
    fn import_rows(
        &mut self,
        id: [u8; 16],
        outcome: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ImportRow>, StoreError>;
    /// Imports that no process works on at a time, ms, though something is left to do; oldest first.
    fn abandoned_imports(&mut self, at: i64) -> Result<Vec<[u8; 16]>, StoreError>;
    /// What columns were mapped to, as JSON: by this user, then by the user who imported last.
    fn import_columns(&mut self, user: &str) -> Result<Vec<String>, StoreError>;
}

/// Writes of imports.
pub trait ImportWrites {
    /// Adds an import with its file.
    fn add_import(&mut self, import: &StoredImport, file: &[u8]) -> Result<(), StoreError>;
    /// Replaces the state and the claim of an import.
    fn update_import(&mut self, import: &StoredImport) -> Result<(), StoreError>;
    /// Replaces the outcomes of a range of rows, both ends included.
    fn replace_import_rows(
        &mut self,
        id: [u8; 16],
        first: u64,
        last: u64,
        rows: &[ImportRow],
    ) -> Result<(), StoreError>;
    /// Deletes an import with its file and the outcomes of its rows.
    fn delete_import(&mut self, id: [u8; 16]) -> Result<(), StoreError>;
    /// Deletes the imports that were created before a time, ms.
    fn delete_imports_before(&mut self, at: i64) -> Result<(), StoreError>;
    /// Remembers what a user mapped columns to.
    fn put_import_columns(&mut self, user: &str, columns: &str, at: i64) -> Result<(), StoreError>;
}
