//! The blob store: whole blobs under their names.

use std::path::Path;
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use sha2::{Digest as _, Sha256};
use tokio_stream::StreamExt;

use crate::ids::{hex, unhex};
use crate::office::OfficeError;
use crate::office::store::{BlobName, StoreError};

/// Whole blobs. Clones share it.
#[derive(Debug, Clone)]
pub struct Shelf(Arc<dyn ObjectStore>);

/// What lies under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lies {
    /// Nothing.
    Missing,
    /// What the name says.
    Sound(Vec<u8>),
    /// Something else.
    Damaged,
}

impl Shelf {
    /// A shelf in a folder, which is made where it is not there, for its owner alone. Each write
    /// waits for the disk, and appears whole or not at all.
    pub fn folder(path: &Path) -> Result<Self, OfficeError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(|error| failed(&error))?;
        let folder = LocalFileSystem::new_with_prefix(path).map_err(|error| failed(&error))?;
        Ok(Self(Arc::new(folder.with_fsync(true))))
    }

    /// A shelf that ends with the program, for tests and for the simulation.
    pub fn in_memory() -> Self {
        Self(Arc::new(InMemory::new()))
    }

    /// Puts a blob under its name; durable once it returns. Putting it again changes nothing.
    pub(super) async fn put(&self, name: &BlobName, bytes: Vec<u8>) -> Result<(), OfficeError> {
        self.0.put(&key(name), bytes.into()).await.map(drop).map_err(|error| failed(&error))
    }

    /// Whether something lies under a name.
    pub(super) async fn is_there(&self, name: &BlobName) -> Result<bool, OfficeError> {
        match self.0.head(&key(name)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Reads what lies under a name and compares it with the name.
    pub(in crate::office) async fn take(&self, name: &BlobName) -> Result<Lies, OfficeError> {
        let found = match self.0.get(&key(name)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(Lies::Missing),
            Err(error) => return Err(failed(&error)),
        };
        let bytes = found.bytes().await.map_err(|error| failed(&error))?;
        let sound = <[u8; 32]>::from(Sha256::digest(&bytes)) == *name;
        Ok(if sound { Lies::Sound(bytes.to_vec()) } else { Lies::Damaged })
    }

    /// Takes a blob away, if it is there.
    pub(super) async fn remove(&self, name: &BlobName) -> Result<(), OfficeError> {
        match self.0.delete(&key(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Names of what was put before a time, ms.
    pub(super) async fn put_before(&self, at: i64) -> Result<Vec<BlobName>, OfficeError> {
        let all: Result<Vec<_>, _> = self.0.list(None).collect().await;
        let all = all.map_err(|error| failed(&error))?;
        let old = all.into_iter().filter(|object| object.last_modified.timestamp_millis() < at);
        Ok(old.filter_map(|object| unhex(object.location.filename()?)?.try_into().ok()).collect())
    }
}

/// Two levels, so that no folder grows large.
fn key(name: &BlobName) -> Key {
    let name = hex(name);
    Key::from(format!("{}/{name}", name.get(..2).unwrap_or_default()))
}

fn failed(error: &dyn std::fmt::Display) -> OfficeError {
    OfficeError::Store(StoreError::Failed(format!("the blob store: {error}")))
}
