//! Backup and restore of the database file.
//!
//! A backup is one consistent snapshot, taken while others write. A restored file starts a new
//! epoch, so that devices compare what they hold with it and restore what it lost (rule P3), and a
//! new office device, because a restored copy would reuse sequence numbers of the old one (rule
//! I1). Every sign-in ends: one that was revoked after the backup must not become valid again.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::convert::failed;
use super::{FORMAT, InitialSecrets, Sqlite, StoreError, connect, connect_to_read, files};
use crate::office::private;

/// Copies the file's state into a new file and gives its size.
///
/// # Errors
/// There is no such database, the new file exists, or the disk fails; nothing is left behind then.
pub fn backup(database: &Path, to: &Path) -> Result<u64, StoreError> {
    if to.exists() {
        return Err(StoreError::Failed(format!("{} exists already", to.display())));
    }
    files::demand(database)?;
    let _shared = share(database)?;
    let part = beside(to, "part");
    copy(database, &part).inspect_err(|_| drop(fs::remove_file(&part)))?;
    fs::rename(&part, to).and_then(|()| sync_folder(to)).map_err(io_failed)?;
    Ok(fs::metadata(to).map_err(io_failed)?.len())
}

/// Replaces a database with a backup; gives the path under which the replaced file was kept.
///
/// # Errors
/// The backup is no valid database of this program, the database is in use, or the disk fails. The
/// database is unchanged then.
pub fn restore(
    from: &Path,
    database: &Path,
    fresh: InitialSecrets,
) -> Result<Option<PathBuf>, StoreError> {
    if !from.is_file() {
        return Err(StoreError::Failed(format!("there is no backup {}", from.display())));
    }
    let _lock = lock_exclusive(database)?;
    let part = beside(database, "restoring");
    for suffix in ["", "-wal", "-shm"] {
        drop(fs::remove_file(beside(&part, suffix)));
    }
    prepare(from, &part, fresh).inspect_err(|_| drop(fs::remove_file(&part)))?;
    let kept = keep_replaced(database)?;
    fs::rename(&part, database).and_then(|()| sync_folder(database)).map_err(io_failed)?;
    Ok(kept)
}

/// Begins a new epoch in a database that was restored by other means.
///
/// # Errors
/// There is no such database, it is in use, or the disk fails. The database is unchanged then.
pub fn new_epoch(database: &Path, fresh: InitialSecrets) -> Result<(), StoreError> {
    files::demand(database)?;
    let _lock = lock_exclusive(database)?;
    // Brings an older file up to date.
    drop(Sqlite::open_unshared(database, fresh)?);
    let mut connection = connect(database)?;
    connection.execute_batch("PRAGMA synchronous = FULL;").map_err(failed)?;
    write_epoch(&mut connection, fresh).map_err(failed)
}

fn write_epoch(connection: &mut Connection, fresh: InitialSecrets) -> rusqlite::Result<()> {
    let tx = connection.transaction()?;
    tx.execute(
        "UPDATE meta SET epoch = ?1, office_device = ?2, office_session = 0",
        (fresh.epoch, fresh.office_device),
    )?;
    tx.execute("DELETE FROM sessions", ())?;
    tx.commit()
}

/// Takes the shared lock that every process holds while it has the database open.
pub(super) fn share(database: &Path) -> Result<File, StoreError> {
    lock(database, File::try_lock_shared, "a backup is being restored here: try again later")
}

/// Takes the shared lock for a reader, without creating its file. `restore` creates the file first,
/// so a database without one is not being replaced.
pub(super) fn share_if_there(database: &Path) -> Result<Option<File>, StoreError> {
    match File::open(beside(database, "lock")) {
        Ok(file) => {
            take(file, File::try_lock_shared, "a backup is being restored here: try again later")
                .map(Some)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_failed(error)),
    }
}

pub(super) fn lock_exclusive(database: &Path) -> Result<File, StoreError> {
    lock(database, File::try_lock, "the database is in use: stop the office first")
}

fn lock(
    database: &Path,
    take: fn(&File) -> Result<(), TryLockError>,
    taken: &str,
) -> Result<File, StoreError> {
    let path = beside(database, "lock");
    private::create_if_missing(&path).map_err(io_failed)?;
    let file = OpenOptions::new().append(true).open(path).map_err(io_failed)?;
    self::take(file, take, taken)
}

fn take(
    file: File,
    take: fn(&File) -> Result<(), TryLockError>,
    taken: &str,
) -> Result<File, StoreError> {
    match take(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Failed(taken.to_owned())),
        Err(TryLockError::Error(error)) => Err(io_failed(error)),
    }
}

/// Copies a snapshot into a file that only its owner may read.
fn copy(database: &Path, to: &Path) -> Result<(), StoreError> {
    empty(to)?;
    let connection = connect_to_read(database)?;
    let name = to.to_str().ok_or_else(|| StoreError::Failed("the path is no text".into()))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(failed)?;
    drop(connection);
    File::open(to).and_then(|file| file.sync_all()).map_err(io_failed)
}

/// Prepares a checked and upgraded copy of a backup with a new epoch.
fn prepare(from: &Path, part: &Path, fresh: InitialSecrets) -> Result<(), StoreError> {
    let backup = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let sound = |backup: &Connection| {
        let check: String = backup.query_row("PRAGMA integrity_check", (), |row| row.get(0))?;
        let format: i64 = backup.query_row("SELECT format FROM meta", (), |row| row.get(0))?;
        Ok((check, format))
    };
    let (check, format) = backup
        .and_then(|backup| sound(&backup))
        .map_err(|error| StoreError::Failed(format!("the backup cannot be read: {error}")))?;
    if check != "ok" || format != FORMAT {
        return Err(StoreError::Failed(format!("the backup is not sound: {check}")));
    }
    empty(part)?;
    copy_into(from, part).map_err(io_failed)?;
    // Brings an older file up to date.
    drop(Sqlite::open_unshared(part, fresh)?);
    let mut connection = connect(part)?;
    write_epoch(&mut connection, fresh).map_err(failed)?;
    // No write-ahead log, which the rename would leave behind.
    connection.execute_batch("PRAGMA journal_mode = DELETE;").map_err(failed)?;
    drop(connection);
    File::open(part).and_then(|file| file.sync_all()).map_err(io_failed)
}

/// Links the present database to another name. Its own path is never empty: the rename that
/// follows replaces it in one step.
fn keep_replaced(database: &Path) -> Result<Option<PathBuf>, StoreError> {
    if !database.exists() {
        return Ok(None);
    }
    files::tighten(database)?;
    // A damaged file can't be checkpointed; then its log is kept with it.
    if let Ok(old) = connect(database) {
        drop(old.execute_batch("PRAGMA journal_mode = DELETE;"));
    }
    let name = |n: u32| beside(database, &format!("replaced-{n}"));
    let kept = (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0));
    fs::hard_link(database, &kept).map_err(io_failed)?;
    let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    if log(database).exists() {
        fs::rename(log(database), log(&kept)).map_err(io_failed)?;
    }
    Ok(Some(kept))
}

/// The path with a suffix; SQLite's own suffixes have no dot.
fn beside(path: &Path, what: &str) -> PathBuf {
    let dot = if what.is_empty() || what.starts_with('-') { "" } else { "." };
    let mut name = path.as_os_str().to_owned();
    name.push(format!("{dot}{what}"));
    PathBuf::from(name)
}

/// Creates an empty file that only its owner may read.
fn empty(path: &Path) -> Result<(), StoreError> {
    drop(fs::remove_file(path));
    private::create(path).map(drop).map_err(io_failed)
}

/// Copies the bytes only: `fs::copy` would also copy the permissions.
fn copy_into(from: &Path, to: &Path) -> io::Result<()> {
    let mut copy = private::create(to)?;
    io::copy(&mut File::open(from)?, &mut copy)?;
    copy.sync_all()
}

/// Makes a rename durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn io_failed(error: io::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}
