//! The files of a database: there, and its owner's alone.

use std::io;
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::office::private;

/// What SQLite and this store keep beside the database. Files that SQLite makes get the
/// permissions of the database.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", ".lock"];

/// Makes an empty database where there is none, with its folder, and takes what is there away from
/// everybody but its owner.
pub(super) fn prepare(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        // One that is there may hold other things: its permissions are its keeper's.
        private::create_folder(folder).map_err(|error| failed(folder, &error))?;
    }
    private::create_if_missing(path).map_err(|error| failed(path, &error))?;
    tighten(path)
}

/// Takes a database away from everybody but its owner.
pub(super) fn tighten(path: &Path) -> Result<(), StoreError> {
    let beside = BESIDE.map(|suffix| PathBuf::from(format!("{}{suffix}", path.display())));
    for file in beside.iter().map(PathBuf::as_path).chain([path]) {
        private::tighten(file).map_err(|error| failed(file, &error))?;
    }
    Ok(())
}

/// Refuses a path under which no database is.
pub(super) fn demand(path: &Path) -> Result<(), StoreError> {
    if path.is_file() {
        return Ok(());
    }
    Err(StoreError::Failed(format!("there is no database {}", path.display())))
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Failed(format!("{}: {error}", path.display()))
}
