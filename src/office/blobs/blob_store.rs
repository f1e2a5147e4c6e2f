//! The blob store: complete blobs under their names.

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

/// Uploads that are assembled concurrently: each holds a whole blob in memory.
const MAX_ASSEMBLING: usize = 2;

/// Blobs that are verified concurrently on behalf of phones, which can wait.
const MAX_CHECKING: usize = 2;

/// How long a verification counts while size and modification time stay the same. Uploads ask more
/// than once; but bit rot does not change the modification time.
const CHECK_VALID_FOR: Duration = Duration::from_secs(60 * 60);

/// Verifications that are remembered, some 100 bytes each.
const MAX_REMEMBERED_CHECKS: usize = 10_000;

/// Complete blobs. Clones share it.
#[derive(Clone)]
pub struct BlobStore {
    store: Arc<dyn ObjectStore>,
    /// Bounds concurrent assembly of uploads.
    pub(super) assembly_permits: Arc<Semaphore>,
    /// Held for writing while a blob and its row are deleted, for reading while they are added, so
    /// that no upload comes between the two deletions.
    pub(super) removal_lock: Arc<RwLock<()>>,
    /// Bounds concurrent verification on behalf of phones.
    check_permits: Arc<Semaphore>,
    checks: Arc<Mutex<BTreeMap<BlobName, Check>>>,
}

/// A successful verification, and the object's metadata at that time.
struct Check {
    size: u64,
    modified_ms: i64,
    at: Instant,
}

/// Result of verifying a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobCheck {
    /// There is no blob of this name.
    Missing,
    /// Intact; its size in bytes.
    Sound(u64),
    /// The bytes don't match the name.
    Damaged,
}

impl BlobStore {
    /// A blob store at an address: a folder's path, or `s3://BUCKET/PREFIX`. The S3 configuration is
    /// read from the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION` and,
    /// for other providers than Amazon, `AWS_ENDPOINT`.
    pub fn at(address: &str) -> Result<Self, OfficeError> {
        match address.split_once("://") {
            Some(("s3", place)) if !place.trim_start_matches('/').is_empty() => Self::bucket(place),
            Some(_) => Err(failed(&"neither a folder nor s3://BUCKET/PREFIX")),
            None => Self::folder(Path::new(address)),
        }
    }

    /// A blob store in a folder, created where missing and restricted to its owner. Writes are
    /// durable and atomic.
    pub fn folder(path: &Path) -> Result<Self, OfficeError> {
        let ready = private::create_folder(path).and_then(|()| private::tighten(path));
        ready.map_err(|error| failed(&error))?;
        Self::existing_folder(path)
    }

    /// Like [`at`](Self::at), but the folder has to exist: a misspelt one would look empty.
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

    /// A blob store in memory, for tests and for the simulation.
    pub fn in_memory() -> Self {
        Self::over(Arc::new(InMemory::new()))
    }

    fn bucket(place: &str) -> Result<Self, OfficeError> {
        // The S3 client needs the process's default crypto provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let bucket = AmazonS3Builder::from_env().with_bucket_name(bucket).build();
        let bucket = bucket.map_err(|error| failed(&error))?;
        Ok(Self::over(Arc::new(PrefixStore::new(bucket, prefix))))
    }

    fn over(store: Arc<dyn ObjectStore>) -> Self {
        let assembly_permits = Arc::new(Semaphore::new(MAX_ASSEMBLING));
        let check_permits = Arc::new(Semaphore::new(MAX_CHECKING));
        Self {
            store,
            assembly_permits,
            removal_lock: Arc::default(),
            check_permits,
            checks: Arc::default(),
        }
    }

    /// Stores a blob, replacing a damaged one; durable once it returns.
    pub(super) async fn put(&self, name: &BlobName, bytes: Vec<u8>) -> Result<(), OfficeError> {
        let put = self.store.put(&key(name), bytes.into()).await;
        put.map(drop).map_err(|error| failed(&error))
    }

    /// Whether a blob is here and intact. A phone erases its own copy on this answer, so the
    /// existence of a file is not enough.
    pub(super) async fn is_whole(&self, name: &BlobName) -> Result<bool, OfficeError> {
        let Some(meta) = self.head(name).await? else { return Ok(false) };
        if self.is_checked(name, &meta) {
            return Ok(true);
        }
        // Never closed.
        let _permit = self.check_permits.acquire().await.map_err(|_| StoreError::Closed)?;
        match self.check(name).await? {
            BlobCheck::Sound(size) if size == meta.size => {
                self.remember(name, &meta);
                Ok(true)
            }
            // It changed meanwhile: the next call sees the new state.
            BlobCheck::Sound(_) | BlobCheck::Missing => Ok(false),
            BlobCheck::Damaged => {
                self.report_damaged(name);
                Ok(false)
            }
        }
    }

    /// Records that a blob is damaged: it counts as missing, so that a phone that still has it uploads
    /// it again. The damaged file stays until then: parts of it may be of use.
    pub(super) fn report_damaged(&self, name: &BlobName) {
        self.checks().remove(name);
        metrics::counter!("doorstep_blobs_damaged_total").increment(1);
        tracing::error!(sha256 = hex(name), "an attachment is damaged where it is kept");
    }

    async fn head(&self, name: &BlobName) -> Result<Option<ObjectMeta>, OfficeError> {
        match self.store.head(&key(name)).await {
            Ok(meta) => Ok(Some(meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    fn is_checked(&self, name: &BlobName, meta: &ObjectMeta) -> bool {
        self.checks().get(name).is_some_and(|check| {
            let same = check.size == meta.size
                && check.modified_ms == meta.last_modified.timestamp_millis();
            same && check.at.elapsed() < CHECK_VALID_FOR
        })
    }

    fn remember(&self, name: &BlobName, meta: &ObjectMeta) {
        let mut checks = self.checks();
        if checks.len() >= MAX_REMEMBERED_CHECKS {
            checks.retain(|_, check| check.at.elapsed() < CHECK_VALID_FOR);
        }
        if checks.len() < MAX_REMEMBERED_CHECKS {
            let (size, modified_ms) = (meta.size, meta.last_modified.timestamp_millis());
            checks.insert(*name, Check { size, modified_ms, at: Instant::now() });
        }
    }

    fn checks(&self) -> MutexGuard<'_, BTreeMap<BlobName, Check>> {
        // A panic can't leave the map inconsistent.
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a blob as a stream and verifies it.
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

    /// A blob's size and its bytes as a stream.
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

    /// Deletes a blob, if it exists.
    pub(super) async fn remove(&self, name: &BlobName) -> Result<(), OfficeError> {
        match self.store.delete(&key(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Names of the blobs stored before a time, ms, as a stream.
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

/// A blob's bytes as a stream.
pub type BlobBytes = std::pin::Pin<Box<dyn Stream<Item = object_store::Result<Bytes>> + Send>>;

/// Two levels, so that no folder gets too large.
fn key(name: &BlobName) -> Key {
    let name = hex(name);
    Key::from(format!("{}/{name}", name.get(..2).unwrap_or_default()))
}

fn failed(error: &dyn std::fmt::Display) -> OfficeError {
    OfficeError::Store(StoreError::Failed(format!("the blob store: {error}")))
}
