//! The office: where records are made, merged, kept and listed.
//!
//! [`Office`] is the service behind every way in: the phones' rounds, the console's edits, the
//! import. Whatever writes a record goes through the same judge ([`merge`]) and is kept by the
//! same few lines (`keep`), in one transaction with its receipt, its rows and its feeds. It knows
//! no HTTP; sign-in and addresses stand in front of it.
//!
//! Methods are asynchronous and may be called from anywhere: reads run on threads where blocking
//! is allowed, writes in the store's own thread. Only [`Office::open`] and [`Office::close`]
//! block.

mod age;
mod attestation;
pub mod auth;
pub mod blobs;
mod bring;
pub mod cancel;
pub mod cli;
pub mod conduct;
pub mod demo;
mod edit;
mod feed;
pub mod http;
mod intake;
mod keep;
mod keyed;
pub mod merge;
pub mod money;
mod private;
mod quarantine;
mod read;
pub mod rescue;
mod revoked;
mod round;
pub mod sheets;
pub mod store;
pub mod time;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use automerge::ActorId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

use crate::conduct::Policy;
use crate::ids::{DeviceId, RecordId, actor};
use crate::record::terms::Role;
use crate::record::{CommandError, LoadError};
use attestation::Attestor;
pub use attestation::EnrolmentProof;
use blobs::BlobStore;
pub use edit::{Created, NewVisit};
use keyed::KeyedQueue;
use merge::Refusal;
pub use quarantine::{
    Acceptance, ExportEnd, ExportLine, ExportScope, Fullness, QuarantineError, QuarantineField,
    QuarantineItem, QuarantineLine, QuarantinePage, QuarantineUsage, Restored, UserUsage,
};
pub use read::HistoryLine;
use store::sqlite::{self, InitialSecrets, Sqlite};
use store::{FeedUpdate, Store, StoreError};
pub use verify::{Problem, Verified};

/// Gives the time, ms since 1970 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Fills bytes with randomness.
pub type Random = Arc<dyn Fn(&mut [u8]) -> Result<(), StoreError> + Send + Sync>;

/// The name under which the office itself writes: imports, decisions of the command line, answers
/// of conduct. No user may have it.
const OWN_NAME: &str = "office";

/// Somebody who is signed in on a device.
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
    /// An edit does not hold.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The judge refused an edit of the office itself.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// A document of the store cannot be read.
    #[error("record damaged: {0}")]
    Damaged(#[from] LoadError),
    /// A request names more records than one may.
    #[error("the request names too many records")]
    TooMany,
    /// The database address is not one that this program knows.
    #[error("unknown database address {0}: use sqlite:PATH")]
    Address(String),
    /// A decision on refused work cannot be taken.
    #[error(transparent)]
    Quarantine(#[from] QuarantineError),
    /// A request names a record twice where it may name it once.
    #[error("the request names a record twice")]
    Repeated,
    /// There is no time for this now. What is not done of it was not begun: it may be asked again.
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
    /// Held while a push is judged that takes much memory.
    heavy: Arc<Mutex<()>>,
    /// Places for rounds whose bodies are large.
    large: Arc<Semaphore>,
    /// One queue per record: only one request at a time judges changes to it.
    judging: Arc<KeyedQueue<RecordId>>,
    policy: Arc<Policy>,
    blob_store: BlobStore,
}

/// Rounds at once whose bodies are large: taken apart, each may take some 30 MiB.
const LARGE_AT_ONCE: usize = 2;

/// Bytes of a body, inflated, from which on it is large.
const LARGE: usize = 64 * 1024;

impl Office {
    /// Opens the store at an address such as `sqlite:doorstep.db`, with attachments in a folder
    /// beside it. Blocks.
    pub fn open(
        address: &str,
        clock: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Result<Self, OfficeError> {
        let path = path_of(address)?;
        let store = Sqlite::open(path, fresh()?)?;
        let blob_store = BlobStore::folder(&blobs_beside(path))?;
        Ok(Self::over(Arc::new(store), Arc::new(clock), Arc::new(system))?
            .with_blob_store(blob_store))
    }

    /// Opens the store at an address to read it: nothing is made, nothing is written, and what
    /// would write fails. Attachments as for [`Office::open`]. Blocks.
    pub fn open_to_read(
        address: &str,
        clock: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Result<Self, OfficeError> {
        let path = path_of(address)?;
        let store: Arc<dyn Store> = Arc::new(Sqlite::open_to_read(path)?);
        // No change is ever written as it: the number of a session that never was does.
        let device = store.read_with(|reads| reads.office_device())?;
        let office = Self::assemble(store, Arc::new(clock), Arc::new(system), (device, 0))?;
        let blobs = blobs_beside(path);
        // Before the first attachment there is no folder.
        if !blobs.is_dir() {
            return Ok(office);
        }
        Ok(office.with_blob_store(BlobStore::existing_folder(&blobs)?))
    }

    /// Whether there is a database at an address.
    pub fn is_there(address: &str) -> Result<bool, OfficeError> {
        Ok(path_of(address)?.is_file())
    }

    /// Copies the store at an address, one consistent state, into a new file; gives its size.
    /// Others may go on writing. Blocks.
    pub fn backup(address: &str, to: &Path) -> Result<u64, OfficeError> {
        Ok(sqlite::backup(path_of(address)?, to)?)
    }

    /// Makes the store at an address from a backup; gives where what stood there lies now. What
    /// was lost comes back from the devices that held it (rule P3). Blocks.
    pub fn restore(address: &str, from: &Path) -> Result<Option<PathBuf>, OfficeError> {
        Ok(sqlite::restore(from, path_of(address)?, fresh()?)?)
    }

    /// The same with attachments elsewhere.
    pub fn with_blob_store(self, blob_store: BlobStore) -> Self {
        Self { blob_store, ..self }
    }

    /// The office over a store, with time and randomness from the caller; attachments end with it
    /// unless it is given a shelf. Blocks.
    pub fn over(store: Arc<dyn Store>, clock: Clock, random: Random) -> Result<Self, OfficeError> {
        // A number of its own for each start, so that two never write as the same actor (I1).
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
        // As many wait as there are requests at work, which are bounded.
        let judging = KeyedQueue::new(1, usize::MAX);
        let (repairs, heavy, policy) = Default::default();
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
            policy,
            blob_store,
        })
    }

    /// The store, for accounts and for reads that this service does not offer.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The time by the office's clock, ms.
    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    /// The key of a device's escrow. It opens what lies on that device and nowhere else, so it is
    /// given out only in answer to a sign-in with the password.
    pub fn escrow(&self, device: DeviceId) -> [u8; 32] {
        self.attestor.escrow(device)
    }

    /// Proof that a device was enrolled for a user, which the device keeps and shows to an office
    /// that no longer knows it (rule I1). It opens nothing without that user's sign-in.
    pub fn enrolment(&self, device: DeviceId, user: &str) -> EnrolmentProof {
        self.attestor.enrolment(device, user)
    }

    /// How often a device had to compare all that it holds, since the start (rule P4).
    pub fn repairs(&self) -> u64 {
        self.repairs.load(Ordering::Relaxed)
    }

    /// Feeds that move from now on (rule R8).
    pub fn subscribe(&self) -> broadcast::Receiver<FeedUpdate> {
        self.store.subscribe()
    }

    /// Waits until a round whose body is so many bytes, inflated, may be taken apart and handled;
    /// small ones never wait. The place is free again when what is given is dropped.
    pub async fn acquire_slot(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        // The places are never closed.
        if bytes < LARGE { None } else { Arc::clone(&self.large).acquire_owned().await.ok() }
    }

    /// Finishes what was begun, then refuses new work. Blocks.
    pub fn close(&self) {
        self.store.close();
    }

    /// Runs a read, or other work that takes its time, where blocking is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, OfficeError> + Send + 'static,
    ) -> Result<T, OfficeError> {
        let office = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&office)).await;
        // A panic in a read is answered as one; it has been reported where it happened.
        done.unwrap_or(Err(OfficeError::Closing))
    }
}

fn path_of(address: &str) -> Result<&Path, OfficeError> {
    let path = address.strip_prefix("sqlite:").filter(|path| !path.is_empty());
    path.map(Path::new).ok_or_else(|| OfficeError::Address(address.to_owned()))
}

/// The folder for attachments that belongs to a database.
fn blobs_beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".blobs");
    PathBuf::from(name)
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
