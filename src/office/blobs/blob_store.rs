//! The blob store: whole blobs under their names.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use sha2::{Digest as _, Sha256};
use tokio::sync::{RwLock, Semaphore};
use tokio_stream::{Stream, StreamExt};

use crate::ids::{hex, unhex};
use crate::office::OfficeError;
use crate::office::private;
use crate::office::store::{BlobName, StoreError};

/// Uploads that are put together at once: each holds a whole blob in memory.
const PUT_TOGETHER_AT_ONCE: usize = 2;

/// Blobs that are read at once to compare them with their names: a phone that asks may wait.
const CHECKED_AT_ONCE: usize = 2;

/// How long a comparison counts while the file looks the same: an upload asks more than once, and
/// a disk that rots does not tell the file system.
const CHECKED_FOR: Duration = Duration::from_secs(60 * 60);

/// Comparisons that are remembered: some 100 bytes each.
const CHECKS_REMEMBERED: usize = 10_000;

/// Whole blobs. Clones share it.
#[derive(Clone)]
pub struct BlobStore {
    store: Arc<dyn ObjectStore>,
    /// Places for uploads that are put together.
    pub(super) places: Arc<Semaphore>,
    /// Held for writing where bytes and what the store knows of them go, for reading where they
    /// come: no blob comes between the two halves of its going.
    pub(super) going: Arc<RwLock<()>>,
    /// Places for comparisons that a phone waits for.
    checking: Arc<Semaphore>,
    checked: Arc<Mutex<BTreeMap<BlobName, Check>>>,
}

/// A blob that was found to be what its name says, and how it looked then.
struct Check {
    size: u64,
    modified_ms: i64,
    at: Instant,
}

/// What lies under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobCheck {
    /// Nothing.
    Missing,
    /// What the name says, so many bytes.
    Sound(u64),
    /// Something else.
    Damaged,
}

impl BlobStore {
    /// A shelf at an address: a folder's path, or `s3://BUCKET/PREFIX`. What S3 asks for is read
    /// from the environment, as `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION` and,
    /// for others than Amazon, `AWS_ENDPOINT`.
    pub fn at(address: &str) -> Result<Self, OfficeError> {
        match address.split_once("://") {
            Some(("s3", place)) if !place.trim_start_matches('/').is_empty() => Self::bucket(place),
            Some(_) => Err(failed(&"neither a folder nor s3://BUCKET/PREFIX")),
            None => Self::folder(Path::new(address)),
        }
    }

    /// A shelf in a folder, which is made where it is not there, for its owner alone. Each write
    /// waits for the disk, and appears whole or not at all.
    pub fn folder(path: &Path) -> Result<Self, OfficeError> {
        let ready = private::create_folder(path).and_then(|()| private::tighten(path));
        ready.map_err(|error| failed(&error))?;
        Self::existing_folder(path)
    }

    /// The same where the folder has to be there: a misspelt one would look like an empty one.
    pub fn existing(address: &str) -> Result<Self, OfficeError> {
        if address.contains("://") {
            return Self::at(address);
        }
        Self::existing_folder(Path::new(address))
    }

    pub(in crate::office) fn existing_folder(path: &Path) -> Result<Self, OfficeError> {
        let folder = LocalFileSystem::new_with_prefix(path).map_err(|error| failed(&error))?;
        Ok(Self::over(Arc::new(folder.with_fsync(true))))
    }

    /// A shelf that ends with the program, for tests and for the simulation.
    pub fn in_memory() -> Self {
        Self::over(Arc::new(InMemory::new()))
    }

    fn bucket(place: &str) -> Result<Self, OfficeError> {
        // Its client takes the process's provider of ciphers, or none.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let bucket = AmazonS3Builder::from_env().with_bucket_name(bucket).build();
        let bucket = bucket.map_err(|error| failed(&error))?;
        Ok(Self::over(Arc::new(PrefixStore::new(bucket, prefix))))
    }

    fn over(store: Arc<dyn ObjectStore>) -> Self {
        let places = Arc::new(Semaphore::new(PUT_TOGETHER_AT_ONCE));
        let checking = Arc::new(Semaphore::new(CHECKED_AT_ONCE));
        Self { store, places, going: Arc::default(), checking, checked: Arc::default() }
    }

    /// Puts a blob under its name, also in the place of a damaged one; durable once it returns.
    pub(super) async fn put(&self, name: &BlobName, bytes: Vec<u8>) -> Result<(), OfficeError> {
        let put = self.store.put(&key(name), bytes.into()).await;
        put.map(drop).map_err(|error| failed(&error))
    }

    /// Whether the blob lies here whole, compared with its name: a phone erases its own bytes on
    /// this word, so the existence of a file is not enough.
    pub(super) async fn is_whole(&self, name: &BlobName) -> Result<bool, OfficeError> {
        let Some(looks) = self.head(name).await? else { return Ok(false) };
        if self.is_checked(name, &looks) {
            return Ok(true);
        }
        // Never closed.
        let _place = self.checking.acquire().await.map_err(|_| StoreError::Closed)?;
        match self.check(name).await? {
            BlobCheck::Sound(size) if size == looks.size => {
                self.remember(name, &looks);
                Ok(true)
            }
            // It changed meanwhile: the next question finds it.
            BlobCheck::Sound(_) | BlobCheck::Missing => Ok(false),
            BlobCheck::Damaged => {
                self.found_damaged(name);
                Ok(false)
            }
        }
    }

    /// A blob is not what its name says: it counts as missing, so that a phone that still has it
    /// uploads it again. The damaged file stays until then: parts of it may be of use.
    pub(super) fn found_damaged(&self, name: &BlobName) {
        self.checks().remove(name);
        metrics::counter!("doorstep_blobs_damaged_total").increment(1);
        tracing::error!(sha256 = hex(name), "an attachment is damaged where it is kept");
    }

    async fn head(&self, name: &BlobName) -> Result<Option<ObjectMeta>, OfficeError> {
        match self.store.head(&key(name)).await {
            Ok(looks) => Ok(Some(looks)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    fn is_checked(&self, name: &BlobName, looks: &ObjectMeta) -> bool {
        self.checks().get(name).is_some_and(|check| {
            let same = check.size == looks.size
                && check.modified_ms == looks.last_modified.timestamp_millis();
            same && check.at.elapsed() < CHECKED_FOR
        })
    }

    fn remember(&self, name: &BlobName, looks: &ObjectMeta) {
        let mut checks = self.checks();
        if checks.len() >= CHECKS_REMEMBERED {
            checks.retain(|_, check| check.at.elapsed() < CHECKED_FOR);
        }
        if checks.len() < CHECKS_REMEMBERED {
            let (size, modified_ms) = (looks.size, looks.last_modified.timestamp_millis());
            checks.insert(*name, Check { size, modified_ms, at: Instant::now() });
        }
    }

    fn checks(&self) -> MutexGuard<'_, BTreeMap<BlobName, Check>> {
        // Nothing in there can be left half changed.
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what lies under a name and compares it with the name, holding little of it at once.
    pub(in crate::office) async fn check(&self, name: &BlobName) -> Result<BlobCheck, OfficeError> {
        let Some((_, mut bytes)) = self.open(name).await? else { return Ok(BlobCheck::Missing) };
        let (mut hash, mut size) = (Sha256::new(), 0);
        while let Some(some) = bytes.next().await {
            let some = some.map_err(|error| failed(&error))?;
            hash.update(&some);
            size += some.len() as u64;
        }
        let sound = <[u8; 32]>::from(hash.finalize()) == *name;
        Ok(if sound { BlobCheck::Sound(size) } else { BlobCheck::Damaged })
    }

    /// The bytes under a name, as they come, and how many there are.
    pub(super) async fn open(
        &self,
        name: &BlobName,
    ) -> Result<Option<(u64, BlobBytes)>, OfficeError> {
        match self.store.get(&key(name)).await {
            Ok(found) => Ok(Some((found.meta.size, Box::pin(found.into_stream())))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Takes a blob away, if it is there.
    pub(super) async fn remove(&self, name: &BlobName) -> Result<(), OfficeError> {
        match self.store.delete(&key(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Names of what was put before a time, ms, as they come.
    pub(super) fn put_before(
        &self,
        at: i64,
    ) -> impl Stream<Item = Result<BlobName, OfficeError>> + Unpin {
        self.store.list(None).filter_map(move |object| match object {
            Ok(object) if object.last_modified.timestamp_millis() >= at => None,
            Ok(object) => unhex(object.location.filename()?)?.try_into().ok().map(Ok),
            Err(error) => Some(Err(failed(&error))),
        })
    }
}

/// A blob's bytes as they come from where they lie.
pub type BlobBytes = std::pin::Pin<Box<dyn Stream<Item = object_store::Result<Bytes>> + Send>>;

/// Two levels, so that no folder grows large.
fn key(name: &BlobName) -> Key {
    let name = hex(name);
    Key::from(format!("{}/{name}", name.get(..2).unwrap_or_default()))
}

fn failed(error: &dyn std::fmt::Display) -> OfficeError {
    OfficeError::Store(StoreError::Failed(format!("the blob store: {error}")))
}
