//! The office: creates, merges, stores and lists records.
//!
//! [`Office`] is the service behind rounds of devices, edits in the console and imports. All work on
//! records goes through the intake pipeline (`intake`), which judges it ([`merge`]) and commits it in
//! one transaction with its receipt, rows and feeds. The service knows no HTTP and no sign-in: see
//! [`http`] and [`auth`].
//!
//! Methods are asynchronous and may be called from anywhere: reads run on threads where blocking is
//! allowed, unless they are a few lookups by key, and writes on the store's own thread. Methods that
//! block say so.

pub mod approvals;
pub mod assigning;
mod attestation;
pub mod audit;
pub mod audit_samples;
pub mod auth;
pub mod blobs;
pub mod bulk;
mod change;
pub mod cli;
pub mod complaints;
pub mod conduct;
mod database;
pub mod demo;
mod documents;
mod feed;
pub mod fleet;
pub mod http;
pub mod imports;
mod intake;
pub mod merge;
mod migrating;
pub mod money;
mod own_figures;
mod position;
mod private;
mod quarantine;
pub mod queues;
mod read;
mod receipts;
mod report;
mod revoked;
mod round;
pub mod safety;
pub mod sheets;
pub mod store;
pub mod support;
pub mod time;
mod verify;
pub mod views;
pub mod web_push;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use automerge::ActorId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

use crate::conduct::Policy;
use crate::ids::{DeviceId, RecordId, actor};
use crate::record::terms::Role;
use crate::record::{CommandError, LoadError};
use approvals::{ApprovalRefusal, ApprovalRules};
use attestation::Attestor;
pub use attestation::EnrolmentProof;
use blobs::BlobStore;
use database::Database;
use documents::DocumentCache;
use feed::FeedWatch;
use fleet::SeenCursors;
pub use intake::create::{Created, NewVisit};
use intake::keyed_queue::KeyedQueue;
pub use intake::{cancel, rescue};
use merge::Refusal;
pub use migrating::{Migrated, MigrationStep};
pub use own_figures::{OwnFigures, OwnMonth};
pub use quarantine::{
    Acceptance, ExportEnd, ExportLine, ExportScope, Fullness, QuarantineError, QuarantineField,
    QuarantineItem, QuarantineLine, QuarantinePage, QuarantineUsage, Restored, UserUsage,
};
pub use read::{AttachmentArrival, HistoryLine};
pub use receipts::ReceiptCheck;
pub use report::{Named, PromiseLine, Report, SyncHealth};
use store::{FeedUpdate, InitialSecrets, Store, StoreError};
pub use verify::{Problem, Verified};
use web_push::PushServices;

/// Gives the time, ms since 1970 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Fills bytes with randomness.
pub type Random = Arc<dyn Fn(&mut [u8]) -> Result<(), StoreError> + Send + Sync>;

/// Author of changes by the office itself: imports, decisions on the command line, evaluations of
/// conduct. No user may have this name.
const OWN_NAME: &str = "office";

/// A user who is signed in on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Sign-in name.
    pub user: String,
    /// Role.
    pub role: Role,
    /// The enrolled device.
    pub device: DeviceId,
}

/// Why the office could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfficeError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such record.
    #[error("the office has no such record")]
    UnknownRecord,
    /// An edit is invalid or not allowed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The judge refused an edit of the office.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// A stored document cannot be read.
    #[error("record damaged: {0}")]
    Damaged(#[from] LoadError),
    /// A request names too many records.
    #[error("the request names too many records")]
    TooMany,
    /// The database address is not one that this program knows.
    #[error("unknown database address {0}: use sqlite:PATH or postgres://USER@HOST/NAME")]
    Address(String),
    /// The database server has its own backups.
    #[error(
        "PostgreSQL has its own tools for that: use pg_dump and pg_restore, or continuous archiving"
    )]
    OwnTools,
    /// An office can be copied from SQLite into PostgreSQL only.
    #[error("copy from sqlite:PATH to postgres://USER@HOST/NAME")]
    Migration,
    /// A decision on quarantined work cannot be carried out.
    #[error(transparent)]
    Quarantine(#[from] QuarantineError),
    /// A change needs the approval of a second person, or a proposal cannot be decided.
    #[error(transparent)]
    Approval(#[from] ApprovalRefusal),
    /// A list of a request names a record twice.
    #[error("the request names a record twice")]
    Repeated,
    /// Overloaded, or the deadline has passed. Each item of the request is either committed or
    /// untouched, and the request may be repeated.
    #[error("the office is busy")]
    Busy,
    /// The program is stopping.
    #[error("the office is closing")]
    Closing,
}

/// The office's service. Clones share it.
#[derive(Clone)]
pub struct Office {
    store: Arc<dyn Store>,
    clock: Clock,
    random: Random,
    device: DeviceId,
    actor: ActorId,
    attestor: Attestor,
    repairs: Arc<AtomicU64>,
    /// Held while a push is judged that needs much memory.
    heavy: Arc<Mutex<()>>,
    /// Permits for rounds with large bodies.
    large: Arc<Semaphore>,
    /// One queue per record: only one request at a time judges changes to it.
    judging: Arc<KeyedQueue<RecordId>>,
    documents: Arc<DocumentCache>,
    policy: Arc<Policy>,
    approvals: Arc<ApprovalRules>,
    /// Percent of the sealed records that are audited.
    audit_share: u8,
    blob_store: BlobStore,
    feed_watch: Arc<FeedWatch>,
    push_services: Arc<PushServices>,
    /// Held by the process's one running import.
    importing: Arc<tokio::sync::Mutex<()>>,
    seen_cursors: Arc<SeenCursors>,
}

/// Concurrent rounds with large bodies: decoded, each may take some 30 MiB.
const LARGE_AT_ONCE: usize = 2;

/// Size from which a body is large, bytes after inflation.
const LARGE: usize = 64 * 1024;

impl Office {
    /// Opens the store at an address such as `sqlite:doorstep.db` or `postgres://user@host/name`. Attachments
    /// are in a folder beside the file; for PostgreSQL in memory, unless a blob store is set. Blocks.
    pub fn open(
        address: &str,
        clock: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Result<Self, OfficeError> {
        let database = Database::at(address)?;
        let store = database.open(fresh()?)?;
        let office = Self::over(store, Arc::new(clock), Arc::new(system))?;
        Ok(office.with_blob_store(database.default_blob_store()?))
    }

    /// Opens the store at an address read-only: nothing is created, and writes fail. Attachments as
    /// for [`Office::open`]. Blocks.
    pub fn open_to_read(
        address: &str,
        clock: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Result<Self, OfficeError> {
        let database = Database::at(address)?;
        let store = database.open_to_read()?;
        // Session 0 is never written as: there are no writes.
        let device = store.read_with(|reads| reads.office_device())?;
        let office = Self::assemble(store, Arc::new(clock), Arc::new(system), (device, 0))?;
        // The folder is created with the first attachment.
        match database.default_blobs().filter(|blobs| blobs.is_dir()) {
            Some(blobs) => Ok(office.with_blob_store(BlobStore::existing_folder(&blobs)?)),
            None => Ok(office),
        }
    }

    /// Whether there is a database at an address.
    pub fn is_there(address: &str) -> Result<bool, OfficeError> {
        Database::at(address)?.exists()
    }

    /// Copies a consistent snapshot of the store at an address into a new file; gives its size in
    /// bytes. Other processes may keep writing. Blocks.
    pub fn backup(address: &str, to: &Path) -> Result<u64, OfficeError> {
        Database::at(address)?.backup(to)
    }

    /// Replaces the store at an address by a backup; gives the path to which the replaced store was
    /// moved. Devices bring back what the backup lacks (rule P3). Blocks.
    pub fn restore(address: &str, from: &Path) -> Result<Option<PathBuf>, OfficeError> {
        Database::at(address)?.restore(from, fresh()?)
    }

    /// Begins a new epoch in the store at an address, after it was restored by other means: devices
    /// compare what they hold with it and bring back what it lacks (rule P3). Ends every sign-in.
    /// Fails while endpoints run. Blocks.
    pub fn new_epoch(address: &str) -> Result<(), OfficeError> {
        Database::at(address)?.new_epoch(fresh()?)
    }

    /// The same with another blob store.
    pub fn with_blob_store(self, blob_store: BlobStore) -> Self {
        Self { blob_store, ..self }
    }

    /// The office over a store, with clock and randomness from the caller. Attachments are in memory
    /// unless a blob store is set. Blocks.
    pub fn over(store: Arc<dyn Store>, clock: Clock, random: Random) -> Result<Self, OfficeError> {
        // A new session for each start, so that two processes never write as the same actor (I1).
        let written_as = store.write_now(|tx| tx.next_office_session())?;
        Self::assemble(store, clock, random, written_as)
    }

    fn assemble(
        store: Arc<dyn Store>,
        clock: Clock,
        random: Random,
        (device, session): (DeviceId, u32),
    ) -> Result<Self, OfficeError> {
        let attestor = Attestor::new(store.read_with(|reads| reads.attestation_key())?);
        let actor = actor(device, session.into());
        let large = Arc::new(Semaphore::new(LARGE_AT_ONCE));
        // Unbounded here: the number of concurrent requests is bounded.
        let judging = KeyedQueue::new(1, usize::MAX);
        let (repairs, heavy, policy, feed_watch, importing) = Default::default();
        let blob_store = BlobStore::in_memory();
        Ok(Self {
            store,
            clock,
            random,
            device,
            actor,
            attestor,
            repairs,
            heavy,
            large,
            judging,
            documents: Arc::default(),
            policy,
            approvals: Arc::default(),
            audit_share: 0,
            blob_store,
            feed_watch,
            push_services: Arc::default(),
            importing,
            seen_cursors: Arc::default(),
        })
    }

    /// The store, for accounts and for reads that this service does not offer.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The office's clock.
    pub(crate) fn clock(&self) -> Clock {
        Arc::clone(&self.clock)
    }

    /// The time by the office's clock, ms.
    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    /// The key of a device's escrow. It opens what is stored on that device, so it is only given to
    /// a sign-in with the password.
    pub fn escrow(&self, device: DeviceId) -> [u8; 32] {
        self.attestor.escrow(device)
    }

    /// Proof that a device was enrolled for a user, for the device to show to an office that no
    /// longer knows it (rule I1). It grants nothing without that user's sign-in.
    pub fn enrolment(&self, device: DeviceId, user: &str) -> EnrolmentProof {
        self.attestor.enrolment(device, user)
    }

    /// Number of repairs since the start (rule P4).
    pub fn repairs(&self) -> u64 {
        self.repairs.load(Ordering::Relaxed)
    }

    /// Notifications of new feed entries from now on (rule R8).
    pub fn subscribe(&self) -> broadcast::Receiver<FeedUpdate> {
        self.store.subscribe()
    }

    /// How far a user's feed has grown.
    pub(crate) async fn feed_seq(&self, user: &str) -> Result<u64, OfficeError> {
        let user = user.to_owned();
        let read =
            move |office: &Self| Ok(office.store.read_with(|reads| Ok(reads.feed(&user)?.seq))?);
        self.blocking(read).await
    }

    /// Waits until a round may be handled whose body has this many bytes after inflation; small ones
    /// never wait. Dropping the permit makes room for the next.
    pub async fn acquire_slot(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        if bytes < LARGE { None } else { Arc::clone(&self.large).acquire_owned().await.ok() }
    }

    /// Finishes queued writes, then refuses new work. Blocks.
    pub fn close(&self) {
        self.store.close();
    }

    /// Runs blocking work on a thread where that is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, OfficeError> + Send + 'static,
    ) -> Result<T, OfficeError> {
        let office = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&office)).await;
        // A panic has been reported where it happened.
        done.unwrap_or(Err(OfficeError::Closing))
    }
}

fn fresh() -> Result<InitialSecrets, StoreError> {
    Ok(InitialSecrets {
        epoch: random(&system)?,
        office_device: random(&system)?,
        attestation_key: random(&system)?,
    })
}

/// Randomness of the operating system.
fn system(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(bytes).map_err(|error| StoreError::Failed(error.to_string()))
}

fn random<const N: usize>(
    source: &dyn Fn(&mut [u8]) -> Result<(), StoreError>,
) -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    source(&mut bytes)?;
    Ok(bytes)
}
