//! The files of a database: creation, existence and permissions (owner only).

use std::io;
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::office::private;

/// Suffixes of the files beside the database. SQLite gives those that it creates the database's
/// permissions.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", ".lock"];

/// Creates the database file and its folder where missing, and restricts existing files to their
/// owner.
pub(super) fn prepare(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        // An existing folder may hold other files: leave its permissions alone.
        private::create_folder(folder).map_err(|error| failed(folder, &error))?;
    }
    private::create_if_missing(path).map_err(|error| failed(path, &error))?;
    tighten(path)
}

/// Restricts a database's files to their owner.
pub(super) fn tighten(path: &Path) -> Result<(), StoreError> {
    let beside = BESIDE.map(|suffix| PathBuf::from(format!("{}{suffix}", path.display())));
    for file in beside.iter().map(PathBuf::as_path).chain([path]) {
        private::tighten(file).map_err(|error| failed(file, &error))?;
    }
    Ok(())
}

/// Fails where there is no database file.
pub(super) fn demand(path: &Path) -> Result<(), StoreError> {
    if path.is_file() {
        return Ok(());
    }
    Err(StoreError::Failed(format!("there is no database {}", path.display())))
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Failed(format!("{}: {error}", path.display()))
}
