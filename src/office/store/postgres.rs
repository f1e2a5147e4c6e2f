//! The store for many endpoints: PostgreSQL.
//!
//! Each endpoint has one writer thread, whose transactions are serializable, and a pool of
//! connections for reads, each read in one snapshot (rule F3). Nothing here assumes to be alone: all
//! that endpoints must agree on is decided by the database's transactions, without sequences or
//! advisory locks, and notifications only save time.

mod accounts;
mod audit;
mod audit_samples;
mod blobs;
mod bulletin;
mod complaints;
mod conduct;
mod connection;
mod facts;
mod feeds;
mod fleet;
mod imports;
mod listing;
mod maintenance;
mod proposals;
mod quarantine;
mod queues;
mod readers;
mod records;
mod report;
mod report_tokens;
mod row;
mod rows;
mod safety;
mod saved_views;
mod support;
mod tables;
mod throttle;
mod tls;
mod tx;
mod value;
mod web_push;
mod writer;

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::broadcast;
use tokio::task::block_in_place;

use super::queue::JobQueue;
use super::{FeedUpdate, InitialSecrets, ReadJob, Store, StoreError, WriteJob};
use bulletin::Bulletin;
use connection::{Connection, Failure, Request, Server, answered, wait};
pub use maintenance::{demand_unused, new_epoch, run_script};
use readers::Readers;
pub(in crate::office::store) use tables::{Table, Tables};
use tx::{READ, Tx};
use value::values;
use writer::Writer;

mod migrations {
    refinery::embed_migrations!("src/office/store/postgres/migrations");
}

/// Version of the tables' semantics: a program refuses a database of another one.
const FORMAT: i64 = 1;

/// How long opening waits for a server that is starting.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long migrations may take: large tables get new indexes.
const MIGRATION: Duration = Duration::from_secs(3_600);

/// Attempts to migrate: endpoints that start at the same time hinder each other.
const MIGRATION_ATTEMPTS: u32 = 10;

/// Buffered feed updates per subscriber; a slow one loses older ones, which only costs delay.
const MAX_BUFFERED_UPDATES: usize = 4096;

const EARLIER_VERSION: &str = "an earlier version wrote the database, and reading does not change it: start the \
     office once with `doorstep serve`";

const NO_OFFICE: &str = "this is no database of an office";

const LATER_VERSION: &str = "a later version of this program wrote the database: use that one";

/// A store in a PostgreSQL database.
pub struct Postgres {
    server: Arc<Server>,
    /// `None` for a read-only store.
    writer: Option<JobQueue>,
    readers: Readers,
    updates: broadcast::Sender<FeedUpdate>,
}

impl Postgres {
    /// Opens a database at an address such as `postgres://user@host/name`; creates or upgrades its
    /// tables where needed. Blocks.
    pub fn open(address: &str, fresh: InitialSecrets) -> Result<Self, StoreError> {
        let server = Arc::new(Server::of(address)?);
        let mut connection = connect_patiently(&server)?;
        migrate(&server, &mut connection)?;
        let put = connection.statement(
            "INSERT INTO meta
               (one, format, epoch, office_device, office_session, attestation_key)
             VALUES (1, $1, $2, $3, 0, $4) ON CONFLICT DO NOTHING",
        )?;
        let InitialSecrets { epoch, office_device, attestation_key } = fresh;
        let values = values![FORMAT, epoch, office_device, attestation_key];
        connection.pipeline(vec![Request::Execute(put, &values)])?;
        check_format(&mut connection, FORMAT)?;
        let (updates, _) = broadcast::channel(MAX_BUFFERED_UPDATES);
        let (bulletin, task) = Bulletin::new(server.config(), updates.clone());
        server.spawn(task);
        let mut writer = Writer::new(Arc::clone(&server), updates.clone(), bulletin);
        let writer = Some(JobQueue::start(move |jobs| writer.run(jobs))?);
        Ok(Self { server, writer, readers: Readers::new(), updates })
    }

    /// Opens an existing database read-only, without upgrading its schema. Blocks.
    pub fn open_to_read(address: &str) -> Result<Self, StoreError> {
        Self::open_existing(address, FORMAT)
    }

    /// The same for a copy that is not complete.
    pub(in crate::office) fn open_unfinished(address: &str) -> Result<Self, StoreError> {
        Self::open_existing(address, tables::UNFINISHED)
    }

    fn open_existing(address: &str, format: i64) -> Result<Self, StoreError> {
        let server = Arc::new(Server::of(address)?);
        let mut connection = connect_patiently(&server)?;
        match schema_version(&mut connection)?.map(|found| found.cmp(&newest_version())) {
            Some(Ordering::Equal) => {}
            Some(Ordering::Less) => return Err(StoreError::Failed(EARLIER_VERSION.to_owned())),
            Some(Ordering::Greater) => return Err(StoreError::Failed(LATER_VERSION.to_owned())),
            None => return Err(StoreError::Failed(NO_OFFICE.to_owned())),
        }
        check_format(&mut connection, format)?;
        let (updates, _) = broadcast::channel(1);
        Ok(Self { server, writer: None, readers: Readers::new(), updates })
    }

    /// Whether the database has an office's tables. Blocks.
    pub fn is_there(address: &str) -> Result<bool, StoreError> {
        let server = Server::of(address)?;
        Ok(schema_version(&mut connect_patiently(&server)?)?.is_some())
    }

    fn read_now(&self, read: &mut ReadJob<'_>) -> Result<(), StoreError> {
        // After a panic the connection is closed instead of returned.
        let mut reader = self.readers.acquire(&self.server)?;
        let mut tx = Tx::new(&self.server, reader.connection(), READ);
        let outcome = read(&mut tx);
        tx.end();
        let lost = tx.failure.as_ref().is_some_and(Failure::is_lost);
        if !lost {
            reader.give_back();
        }
        outcome
    }

    /// Answers waited for since the store was opened, on all its connections.
    pub fn round_trips(&self) -> u64 {
        self.server.round_trips()
    }
}

impl Store for Postgres {
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
        match Handle::try_current() {
            // Other tasks of this worker thread move on while it waits for the server.
            Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
                block_in_place(|| self.read_now(read))
            }
            Ok(_) | Err(_) => self.read_now(read),
        }
    }

    fn is_remote(&self) -> bool {
        true
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

fn connect_patiently(server: &Server) -> Result<Connection, StoreError> {
    let began = Instant::now();
    loop {
        match server.connect() {
            Err(Failure::Lost(_)) if began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(200));
            }
            Err(failure) => return Err(failure.into()),
            Ok(connection) => return Ok(connection),
        }
    }
}

fn migrate(server: &Server, connection: &mut Connection) -> Result<(), StoreError> {
    for attempt in 1.. {
        if schema_version(connection)?.is_some_and(|found| found > newest_version()) {
            return Err(StoreError::Failed(LATER_VERSION.to_owned()));
        }
        answered(connection.client().batch_execute("SET statement_timeout = 0"))?;
        let runner = migrations::migrations::runner();
        let error = match wait(runner.run_async(connection.client()), MIGRATION) {
            Some(Ok(_)) => break,
            Some(Err(error)) => error.to_string(),
            None => "it takes too long".to_owned(),
        };
        // Each migration is one transaction with its line in the history, so of two endpoints one
        // fails as a whole and finds it done.
        if attempt == MIGRATION_ATTEMPTS {
            return Err(StoreError::Failed(format!("upgrading the database failed: {error}")));
        }
        std::thread::sleep(Duration::from_millis(fastrand::u64(50..500)));
        // The failed migration may have left its transaction open.
        *connection = server.connect()?;
    }
    Ok(())
}

/// The newest migration that this program knows.
fn newest_version() -> i32 {
    let runner = migrations::migrations::runner();
    runner.get_migrations().iter().map(|migration| migration.version()).max().unwrap_or_default()
}

/// The newest migration that was applied; `None` if the database has no office.
fn schema_version(connection: &mut Connection) -> Result<Option<i32>, StoreError> {
    let client = connection.client();
    let found = answered(client.query_one("SELECT to_regclass('meta') IS NOT NULL", &[]))?;
    if !row::Row(found).get::<bool>(0)? {
        return Ok(None);
    }
    let sql = "SELECT max(version) FROM refinery_schema_history";
    row::Row(answered(client.query_one(sql, &[]))?).get(0)
}

fn check_format(connection: &mut Connection, known: i64) -> Result<(), StoreError> {
    let row = answered(connection.client().query_one("SELECT format FROM meta", &[]))?;
    let format: i64 = row::Row(row).get(0)?;
    if format == known {
        return Ok(());
    }
    let what = match format {
        tables::UNFINISHED => {
            "a copy into this database is not complete: run `doorstep migrate` again".to_owned()
        }
        _ => format!("the database has format {format}, this program knows {known}"),
    };
    Err(StoreError::Failed(what))
}
