//! The office's processes over their one store: they start, die, and are restored from a backup.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;

use super::faulty_store::FaultyStore;
use crate::office::auth::{Accounts, Hasher};
use crate::office::store::StoreError;
use crate::office::store::sqlite::{self, InitialSecrets, Sqlite};
use crate::office::{Clock, Office, OfficeError, Random};

/// What all worlds of one thread share: making it takes longer than most of what they do.
pub(super) struct Fixture {
    pub(super) runtime: Runtime,
    /// An empty store, its tables made.
    store: Vec<u8>,
}

impl Fixture {
    pub(super) fn new() -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| error.to_string())?;
        let folder = folder().map_err(|error| error.to_string())?;
        let path = folder.path().join("empty.sqlite3");
        let fresh =
            InitialSecrets { epoch: [1; 16], office_device: [0xfe; 16], attestation_key: [3; 32] };
        drop(Sqlite::open(&path, fresh).map_err(|error| error.to_string())?);
        let store = std::fs::read(&path).map_err(|error| error.to_string())?;
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

/// The folder of the office's store and the clock by which its processes go.
pub(super) struct OfficeHost {
    folder: tempfile::TempDir,
    clock: Arc<AtomicI64>,
    backups: u32,
}

impl OfficeHost {
    pub(super) fn new(fixture: &Fixture, clock: Arc<AtomicI64>) -> Result<Self, String> {
        let folder = folder().map_err(|error| error.to_string())?;
        let host = Self { folder, clock, backups: 0 };
        std::fs::write(host.path(), &fixture.store).map_err(|error| error.to_string())?;
        Ok(host)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("office.sqlite3")
    }

    /// Starts a process.
    pub(super) fn open(&self, rng: &mut fastrand::Rng) -> Result<Endpoint, OfficeError> {
        let store = Arc::new(FaultyStore::open(&self.path(), fresh(rng))?);
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

    fn backup_path(&self) -> PathBuf {
        self.folder.path().join(format!("backup-{}", self.backups))
    }

    /// Keeps the store as it is now.
    pub(super) fn back_up(&mut self) -> Result<(), StoreError> {
        self.backups += 1;
        sqlite::backup(&self.path(), &self.backup_path()).map(drop)
    }

    pub(super) fn has_backup(&self) -> bool {
        self.backups > 0
    }

    /// Puts the last backup in the store's place. No process may be running.
    pub(super) fn restore(&self, rng: &mut fastrand::Rng) -> Result<(), StoreError> {
        sqlite::restore(&self.backup_path(), &self.path(), fresh(rng)).map(drop)
    }
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
