//! Addresses of databases, and the stores behind them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::OfficeError;
use super::blobs::BlobStore;
use super::store::postgres::{self, Postgres};
use super::store::sqlite::{self, Sqlite};
use super::store::{InitialSecrets, Store, StoreError};

/// Where the office's data is.
#[derive(Clone, Copy)]
pub(super) enum Database<'a> {
    /// A file.
    Sqlite(&'a Path),
    /// A database on a PostgreSQL server, as its connection URI.
    Postgres(&'a str),
}

impl<'a> Database<'a> {
    /// Parses an address such as `sqlite:doorstep.db` or `postgres://user@host/name`.
    pub(super) fn at(address: &'a str) -> Result<Self, OfficeError> {
        if is_postgres(address) {
            return Ok(Self::Postgres(address));
        }
        let path = address.strip_prefix("sqlite:").filter(|path| !path.is_empty());
        path.map(|path| Self::Sqlite(Path::new(path)))
            .ok_or_else(|| OfficeError::Address(without_password(address)))
    }

    pub(super) fn exists(self) -> Result<bool, OfficeError> {
        match self {
            Self::Sqlite(path) => Ok(path.is_file()),
            Self::Postgres(address) => Ok(Postgres::is_there(address)?),
        }
    }

    pub(super) fn open(self, fresh: InitialSecrets) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Sqlite(path) => Arc::new(Sqlite::open(path, fresh)?),
            Self::Postgres(address) => Arc::new(Postgres::open(address, fresh)?),
        })
    }

    pub(super) fn open_to_read(self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Sqlite(path) => Arc::new(Sqlite::open_to_read(path)?),
            Self::Postgres(address) => Arc::new(Postgres::open_to_read(address)?),
        })
    }

    /// The blob store that is used unless another is chosen: a folder beside the file. Endpoints of one
    /// PostgreSQL database have no common place, so one has to be chosen for them.
    pub(super) fn default_blobs(self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(path) => {
                let mut name = path.as_os_str().to_owned();
                name.push(".blobs");
                Some(PathBuf::from(name))
            }
            Self::Postgres(_) => None,
        }
    }

    /// Opens the default blob store; in memory where there is none.
    pub(super) fn default_blob_store(self) -> Result<BlobStore, OfficeError> {
        self.default_blobs().map_or_else(|| Ok(BlobStore::in_memory()), |it| BlobStore::folder(&it))
    }

    pub(super) fn backup(self, to: &Path) -> Result<u64, OfficeError> {
        match self {
            Self::Sqlite(path) => Ok(sqlite::backup(path, to)?),
            Self::Postgres(_) => Err(OfficeError::OwnTools),
        }
    }

    pub(super) fn restore(
        self,
        from: &Path,
        fresh: InitialSecrets,
    ) -> Result<Option<PathBuf>, OfficeError> {
        match self {
            Self::Sqlite(path) => Ok(sqlite::restore(from, path, fresh)?),
            Self::Postgres(_) => Err(OfficeError::OwnTools),
        }
    }

    /// Fails while the database is in use.
    pub(super) fn new_epoch(self, fresh: InitialSecrets) -> Result<(), OfficeError> {
        match self {
            Self::Sqlite(path) => Ok(sqlite::new_epoch(path, fresh)?),
            Self::Postgres(address) => {
                postgres::demand_unused(address)?;
                Ok(postgres::new_epoch(address, fresh)?)
            }
        }
    }
}

/// Whether an address names a database on a PostgreSQL server.
pub(super) fn is_postgres(address: &str) -> bool {
    address.starts_with("postgres://") || address.starts_with("postgresql://")
}

/// An address as it may be displayed.
pub(super) fn without_password(address: &str) -> String {
    let parts = address.split_once("://").and_then(|(scheme, rest)| {
        let (user, host) = rest.split_once('@')?;
        let (name, _) = user.split_once(':')?;
        Some(format!("{scheme}://{name}:***@{host}"))
    });
    parts.unwrap_or_else(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_displayed() {
        for (address, displayed) in [
            (
                "postgres://ann:s3cr3t@db.example:5433/office",
                "postgres://ann:***@db.example:5433/office",
            ),
            ("postgres://ann@db.example/office", "postgres://ann@db.example/office"),
            ("postgres://db.example/office", "postgres://db.example/office"),
            ("sqlite:a:b@c", "sqlite:a:b@c"),
        ] {
            assert_eq!(without_password(address), displayed);
        }
    }
}
