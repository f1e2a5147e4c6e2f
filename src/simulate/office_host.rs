//! The office's processes over their one store: they start, die, and are restored from a backup.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;

use super::StoreKind;
use super::faulty_store::FaultyStore;
use super::schema::{Copy, Schema};
use crate::office::auth::{Accounts, Hasher};
use crate::office::store::postgres::{Postgres, new_epoch};
use crate::office::store::sqlite::{self, Sqlite};
use crate::office::store::{InitialSecrets, Store, StoreError};
use crate::office::{Clock, Office, OfficeError, Random};

/// What all worlds of one thread share: making it takes longer than most of what they do.
pub(super) struct Fixture {
    pub(super) runtime: Runtime,
    store: EmptyStore,
}

/// An empty store, its tables made.
enum EmptyStore {
    /// The bytes of its file.
    Sqlite(Vec<u8>),
    Postgres(Arc<Schema>),
}

impl Fixture {
    /// The fixture of a thread, by its number.
    pub(super) fn new(kind: &StoreKind, thread: usize) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| error.to_string())?;
        let secrets =
            InitialSecrets { epoch: [1; 16], office_device: [0xfe; 16], attestation_key: [3; 32] };
        let store = match kind {
            StoreKind::Sqlite => {
                let folder = folder().map_err(|error| error.to_string())?;
                let path = folder.path().join("empty.sqlite3");
                drop(Sqlite::open(&path, secrets).map_err(|error| error.to_string())?);
                EmptyStore::Sqlite(std::fs::read(&path).map_err(|error| error.to_string())?)
            }
            StoreKind::Postgres(address) => {
                let schema = Schema::new(address, thread, secrets);
                EmptyStore::Postgres(Arc::new(schema.map_err(|error| error.to_string())?))
            }
        };
        Ok(Self { runtime, store })
    }
}

/// One process of the office.
pub(super) struct Endpoint {
    pub(super) office: Office,
    pub(super) accounts: Accounts,
    pub(super) store: Arc<FaultyStore>,
    /// Its clock minus true time.
    pub(super) skew: Arc<AtomicI64>,
}

/// The office's store and the clock by which its processes go.
pub(super) struct OfficeHost {
    place: Place,
    clock: Arc<AtomicI64>,
    backups: u32,
}

/// Where the store is.
enum Place {
    Folder(tempfile::TempDir),
    Schema(Arc<Schema>),
}

impl Place {
    fn open(&self, fresh: InitialSecrets) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Folder(folder) => Arc::new(Sqlite::open(&file(folder), fresh)?),
            Self::Schema(schema) => Arc::new(Postgres::open(&schema.address(), fresh)?),
        })
    }
}

impl OfficeHost {
    pub(super) fn new(fixture: &Fixture, clock: Arc<AtomicI64>) -> Result<Self, String> {
        let place = match &fixture.store {
            EmptyStore::Sqlite(bytes) => {
                let folder = folder().map_err(|error| error.to_string())?;
                std::fs::write(file(&folder), bytes).map_err(|error| error.to_string())?;
                Place::Folder(folder)
            }
            EmptyStore::Postgres(schema) => {
                schema.load(Copy::Empty).map_err(|error| error.to_string())?;
                Place::Schema(Arc::clone(schema))
            }
        };
        Ok(Self { place, clock, backups: 0 })
    }

    /// Starts a process.
    pub(super) fn open(&self, rng: &mut fastrand::Rng) -> Result<Endpoint, OfficeError> {
        let store = Arc::new(FaultyStore::over(self.place.open(fresh(rng))?));
        let skew = Arc::new(AtomicI64::new(0));
        let (clock, ahead) = (Arc::clone(&self.clock), Arc::clone(&skew));
        let now = move || clock.load(Ordering::Relaxed) + ahead.load(Ordering::Relaxed);
        let seeded = Mutex::new(fastrand::Rng::with_seed(rng.u64(..)));
        let random: Random = Arc::new(move |bytes: &mut [u8]| {
            let mut rng =
                seeded.lock().map_err(|_| StoreError::Failed("randomness is gone".into()))?;
            rng.fill(bytes);
            Ok(())
        });
        let now: Clock = Arc::new(now);
        let accounts = Accounts::new(store.clone(), Arc::clone(&now), Hasher::for_tests());
        let office = Office::over(store.clone(), now, random)?;
        Ok(Endpoint { office, accounts, store, skew })
    }

    /// Keeps the store as it is now.
    pub(super) fn back_up(&mut self) -> Result<(), StoreError> {
        self.backups += 1;
        match &self.place {
            Place::Folder(folder) => {
                sqlite::backup(&file(folder), &backup_file(folder, self.backups)).map(drop)
            }
            Place::Schema(schema) => schema.save(Copy::Backup),
        }
    }

    pub(super) fn has_backup(&self) -> bool {
        self.backups > 0
    }

    /// Puts the last backup in the store's place. No process may be running.
    pub(super) fn restore(&self, rng: &mut fastrand::Rng) -> Result<(), StoreError> {
        let fresh = fresh(rng);
        match &self.place {
            Place::Folder(folder) => {
                let backup = backup_file(folder, self.backups);
                sqlite::restore(&backup, &file(folder), fresh).map(drop)
            }
            Place::Schema(schema) => {
                schema.load(Copy::Backup)?;
                new_epoch(&schema.address(), fresh)
            }
        }
    }
}

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("office.sqlite3")
}

fn backup_file(folder: &tempfile::TempDir, n: u32) -> PathBuf {
    folder.path().join(format!("backup-{n}"))
}

fn fresh(rng: &mut fastrand::Rng) -> InitialSecrets {
    let mut fresh =
        InitialSecrets { epoch: [0; 16], office_device: [0; 16], attestation_key: [0; 32] };
    rng.fill(&mut fresh.epoch);
    rng.fill(&mut fresh.office_device);
    rng.fill(&mut fresh.attestation_key);
    fresh
}

/// A folder in memory where the machine has one: the simulation makes its own crashes.
fn folder() -> std::io::Result<tempfile::TempDir> {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}
