//! The embedded store: SQLite in WAL mode, durable on every commit.
//!
//! One thread owns the only connection that writes; it takes jobs off a queue, runs each in a
//! savepoint and commits many at once (`writer`). Reads have connections of their own, each read
//! in a transaction, so that it sees one state (rule F3), and can't write.

mod accounts;
mod audit;
mod audit_samples;
mod backfill;
mod backup;
mod blobs;
mod complaints;
mod conduct;
mod convert;
mod facts;
mod feeds;
mod files;
mod filters;
mod fleet;
mod imports;
mod listing;
mod proposals;
mod quarantine;
mod queues;
mod records;
mod report;
mod report_tokens;
mod rows;
mod safety;
mod saved_views;
mod search;
mod statements;
mod support;
mod tables;
mod throttle;
mod web_push;
mod writer;

use std::cmp::Ordering;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::broadcast;

pub use super::InitialSecrets;
use super::queue::JobQueue;
use super::{FeedUpdate, Prefetch, ReadJob, Reads, Store, StoreError, WriteJob};
pub use backup::{backup, new_epoch, restore};
use convert::failed;
pub(super) use tables::Tables;

mod migrations {
    refinery::embed_migrations!("src/office/store/sqlite/migrations");
}

/// Version of the tables' semantics: a program refuses a file of another one.
const FORMAT: i64 = 1;

/// How long a connection waits for another process's write, such as an import while the office
/// runs.
const BUSY: Duration = Duration::from_secs(20);

/// Idle read connections that are kept, for each core: a reader is in use for as long as its
/// statements run. More are opened for more concurrent reads.
const IDLE_READERS_PER_CORE: usize = 4;

/// The most idle read connections: each may hold 2 MiB of pages.
const MAX_IDLE_READERS: usize = 64;

/// Memory for pages of a connection that writes, KiB: a group of jobs fits, or its pages would be
/// written twice.
const WRITER_CACHE_KIB: usize = 32 * 1024;

/// Pages of the write-ahead log, 4 KiB each, after which they move into the database: a page that many
/// commits change is moved once.
const LOG_PAGES: usize = 4_096;

/// Prepared statements that a connection keeps: more than there are.
const MAX_STATEMENTS: usize = 256;

/// Buffered feed updates per subscriber; a slow one loses older ones, which only costs delay.
const MAX_BUFFERED_UPDATES: usize = 4096;

/// Commands that only read upgrade nothing.
const EARLIER_VERSION: &str = "an earlier version wrote the database, and reading does not change it: start the \
     office once with `doorstep serve`; make a database of a backup with \
     `doorstep restore` under another --database";

/// A store in one SQLite file.
pub struct Sqlite {
    path: PathBuf,
    /// `None` for a read-only store.
    writer: Option<JobQueue>,
    readers: Mutex<Vec<Connection>>,
    updates: broadcast::Sender<FeedUpdate>,
    /// Shared lock on the file while it is open: `restore` must not replace it.
    _shared: Option<File>,
}

impl Sqlite {
    /// Opens a file; creates or upgrades it where needed. Blocks.
    pub fn open(path: &Path, fresh: InitialSecrets) -> Result<Self, StoreError> {
        files::prepare(path)?;
        let shared = backup::share(path)?;
        Ok(Self { _shared: Some(shared), ..Self::open_unshared(path, fresh)? })
    }

    /// Opens an existing file read-only, without upgrading its schema. Reads commits that a killed
    /// process left in its write-ahead log. Blocks.
    pub fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        files::demand(path)?;
        let shared = backup::share_if_there(path)?;
        let connection = connect_to_read(path)?;
        check_schema(&connection)?;
        check_format(&connection)?;
        backfill::check(&connection)?;
        let (updates, _) = broadcast::channel(1);
        let readers = Mutex::new(vec![connection]);
        Ok(Self { path: path.to_owned(), writer: None, readers, updates, _shared: shared })
    }

    fn open_unshared(path: &Path, fresh: InitialSecrets) -> Result<Self, StoreError> {
        let mut connection = connect(path)?;
        // WAL stays with the file; FULL makes a commit wait for the disk (rule D2).
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
            .map_err(failed)?;
        migrations::migrations::runner()
            .run(&mut connection)
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        connection
            .execute(
                "INSERT INTO meta (one, format, epoch, office_device, office_session, voucher_key)
                 VALUES (1, ?1, ?2, ?3, 0, ?4) ON CONFLICT DO UPDATE
                 SET voucher_key = excluded.voucher_key WHERE voucher_key = x''",
                (FORMAT, fresh.epoch, fresh.office_device, fresh.attestation_key),
            )
            .map_err(failed)?;
        check_format(&connection)?;
        backfill::run(&mut connection)?;
        let (updates, _) = broadcast::channel(MAX_BUFFERED_UPDATES);
        let sent = updates.clone();
        let writer = JobQueue::start(move |jobs| writer::run(connection, jobs, &sent))?;
        let writer = Some(writer);
        Ok(Self {
            path: path.to_owned(),
            writer,
            readers: Mutex::default(),
            updates,
            _shared: None,
        })
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| connect_to_read(&self.path), Ok)
    }

    fn return_reader(&self, reader: Connection) {
        let mut idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < idle_readers() {
            idle.push(reader);
        }
    }
}

impl Store for Sqlite {
    fn submit(&self, job: Box<dyn WriteJob>) -> Result<(), StoreError> {
        match &self.writer {
            Some(writer) => writer.submit(job),
            None => {
                let error = StoreError::Failed("the store was opened read-only".to_owned());
                job.answer(Err(error.clone()));
                Err(error)
            }
        }
    }

    fn read(&self, read: &mut ReadJob<'_>) -> Result<(), StoreError> {
        let reader = self.reader()?;
        execute(&reader, "BEGIN")?;
        let outcome = read(&mut Tx { connection: &reader, updates: Vec::new() });
        // After a panic, or a failure here, the connection is closed instead.
        execute(&reader, "COMMIT")?;
        self.return_reader(reader);
        outcome
    }

    fn subscribe(&self) -> broadcast::Receiver<FeedUpdate> {
        self.updates.subscribe()
    }

    fn close(&self) {
        if let Some(writer) = &self.writer {
            writer.close();
        }
    }
}

fn idle_readers() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (IDLE_READERS_PER_CORE * cores).clamp(8, MAX_IDLE_READERS)
    })
}

/// One transaction, reading or writing.
struct Tx<'c> {
    connection: &'c Connection,
    updates: Vec<FeedUpdate>,
}

impl Prefetch for Tx<'_> {
    /// The file is close by.
    fn prefetch(&mut self, _: &mut dyn FnMut(&mut dyn Reads)) {}
}

/// Runs a cached statement that gives and takes nothing.
fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql).and_then(|mut sql| sql.execute(())).map(drop).map_err(failed)
}

/// Opens a connection for writing. The file exists: only [`files::prepare`] creates one.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection
        .execute_batch(&format!(
            "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;
             PRAGMA cache_size = -{WRITER_CACHE_KIB}; PRAGMA wal_autocheckpoint = {LOG_PAGES};"
        ))
        .map_err(failed)?;
    Ok(connection)
}

fn connect_to_read(path: &Path) -> Result<Connection, StoreError> {
    connect_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn connect_with(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(MAX_STATEMENTS);
    Ok(connection)
}

fn check_format(connection: &Connection) -> Result<(), StoreError> {
    let format: i64 =
        connection.query_row("SELECT format FROM meta", (), |row| row.get(0)).map_err(failed)?;
    if format == FORMAT {
        return Ok(());
    }
    let what = format!("the file has format {format}, this program knows {FORMAT}");
    Err(StoreError::Failed(what))
}

/// Refuses a schema of another version: a read-only store can't upgrade it.
fn check_schema(connection: &Connection) -> Result<(), StoreError> {
    let found: Option<i64> = connection
        .query_row("SELECT max(version) FROM refinery_schema_history", (), |row| row.get(0))
        .map_err(|error| {
            StoreError::Failed(format!("this is no database of an office: {error}"))
        })?;
    let runner = migrations::migrations::runner();
    let known =
        runner.get_migrations().iter().map(|migration| i64::from(migration.version())).max();
    match found.cmp(&known) {
        Ordering::Equal => Ok(()),
        Ordering::Less => Err(StoreError::Failed(EARLIER_VERSION.to_owned())),
        Ordering::Greater => Err(StoreError::Failed(
            "a later version of this program wrote the database: use that one".to_owned(),
        )),
    }
}
