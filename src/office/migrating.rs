//! From one machine to many endpoints: a copy of the office in PostgreSQL.

use std::sync::Arc;

use super::blobs::BlobStore;
use super::database::Database;
use super::store::migrate::Migration;
use super::store::postgres::Postgres;
use super::verify::Verified;
use super::{Clock, Office, OfficeError, fresh, system};
use crate::office::store::Store;

/// What [`Office::migrate`] copied.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Migrated {
    /// Rows of all tables.
    pub rows: u64,
    /// The verification of the copy. If it is not `ok`, no office opens the copy.
    pub verified: Verified,
}

/// A step of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationStep {
    /// Rows are copied.
    Copy,
    /// Rows of both sides are compared.
    Compare,
}

impl Office {
    /// Copies the office at an SQLite address into an empty PostgreSQL database, compares and verifies
    /// the copy, and only then lets an office open it. Call it again after an interruption. The
    /// file stays as it is. `progress` gets the rows that are done and all rows. Blocks.
    ///
    /// # Errors
    /// The file is in use or of an earlier version, the database has other data, or one of them fails.
    pub async fn migrate(
        from: &str,
        to: &str,
        blob_store: Option<BlobStore>,
        clock: Clock,
        progress: &dyn Fn(MigrationStep, u64, u64),
    ) -> Result<Migrated, OfficeError> {
        let (Database::Sqlite(path), Database::Postgres(address)) =
            (Database::at(from)?, Database::at(to)?)
        else {
            return Err(OfficeError::Migration);
        };
        let mut migration = Migration::begin(path, address, fresh()?)?;
        let rows = migration.rows;
        migration.copy(&|done| progress(MigrationStep::Copy, done, rows))?;
        migration.compare(&|done| progress(MigrationStep::Compare, done, rows))?;
        let store: Arc<dyn Store> = Arc::new(Postgres::open_unfinished(address)?);
        let device = store.read_with(|reads| reads.office_device())?;
        let office = Self::assemble(store, clock, Arc::new(system), (device, 0))?;
        let blob_store = match (blob_store, Database::at(from)?.default_blobs()) {
            (Some(blob_store), _) => blob_store,
            (None, Some(folder)) if folder.is_dir() => BlobStore::existing_folder(&folder)?,
            (None, _) => BlobStore::in_memory(),
        };
        let verified = office.with_blob_store(blob_store).verify().await?;
        if verified.ok {
            migration.finish()?;
        }
        Ok(Migrated { rows, verified })
    }
}
