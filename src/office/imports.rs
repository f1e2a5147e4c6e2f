//! Imports of case lists from the console: a file is stored, its columns are mapped to fields, a check
//! shows the outcome of each row, and then the rows are imported. Check and import run in the background,
//! batch by batch, with their progress in the store: a closed page ends nothing, and after a killed
//! program any process over the store continues (`run`).

mod layout;
mod refused;
mod run;
mod state;

use serde::{Deserialize, Serialize};

use super::sheets::import::{RowOutcome, RowReport, Sheet, SheetError};
use super::store::{Reads, StoreError, StoredImport, Writes};
use super::{Office, OfficeError};
use crate::record::terms::Role;
pub use layout::ImportColumn;
use layout::{remember, suggest};
pub use state::{ImportPhase, ImportState};
use state::{choose, has_settings, restart};

/// Imports of one user that are stored; the oldest one makes room.
const MAX_PER_USER: usize = 5;

/// How long an import is stored after its upload, ms: it holds personal data. A week is enough to
/// correct refused rows.
const KEPT_MS: i64 = 7 * 24 * 3_600_000;

/// Longest name of a file, in characters.
const MAX_NAME: usize = 200;

/// An import with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its id.
    pub id: [u8; 16],
    /// When it was uploaded, ms.
    pub created_at: i64,
    /// Its state.
    pub state: ImportState,
}

/// How an import is checked.
#[derive(Debug, Clone, Default)]
pub struct ImportSettings {
    /// The field of each column, by its name in reports; empty leaves a column out.
    pub columns: Vec<String>,
    /// Collector of rows that name none, or empty.
    pub assign_to: String,
    /// Zone of borrowers where the file doesn't say.
    pub zone: String,
}

/// Why nothing was done about an import.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefusal {
    /// The user has no such import.
    #[error("there is no such import")]
    Unknown,
    /// The id belongs to another file.
    #[error("this import has another file")]
    OtherFile,
    /// The file is not a case list.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// It runs.
    #[error("this import is running: wait until it has ended")]
    Running,
    /// The user has too many imports that run.
    #[error("too many imports are running: wait until one has ended")]
    TooMany,
    /// Columns are mapped to no field, or two to one.
    #[error("each column is mapped to a field of its own, or to none")]
    Columns,
    /// The collector does not exist.
    #[error("{0} is not a known collector")]
    NoCollector(String),
    /// It was not checked with its present settings.
    #[error("check the file first")]
    Unchecked,
}

/// What became of a request about an import.
pub type ImportResult<T> = Result<Result<T, ImportRefusal>, OfficeError>;

impl Office {
    /// Stores a file to be imported, once for each `id`.
    pub async fn add_import(
        &self,
        id: [u8; 16],
        file: Vec<u8>,
        name: &str,
        (user, role): (&str, Role),
    ) -> ImportResult<Import> {
        let (file, sheet) = match read_sheet(file).await? {
            Ok(read) => read,
            Err(error) => return Ok(Err(error.into())),
        };
        let state = ImportState {
            name: name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect(),
            columns: layout::columns(&sheet),
            total: sheet.rows.len() as u64,
            role: role.as_str().to_owned(),
            ..ImportState::default()
        };
        drop(sheet);
        let (user, now) = (user.to_owned(), self.now());
        let added = self.store.write(move |tx| {
            if let Some(stored) = tx.import(id)? {
                return Ok(match stored.user == user {
                    false => Err(ImportRefusal::Unknown),
                    true if tx.import_file(id)?.as_ref() != Some(&file) => {
                        Err(ImportRefusal::OtherFile)
                    }
                    true => Ok(import(stored)?),
                });
            }
            tx.delete_imports_before(now - KEPT_MS)?;
            if !make_room(tx, &user)? {
                return Ok(Err(ImportRefusal::TooMany));
            }
            let mut state = state.clone();
            suggest(&mut state.columns, &tx.import_columns(&user)?);
            let added = Import { id, created_at: now, state };
            tx.add_import(&stored(&added, &user, None)?, &file)?;
            Ok(Ok(added))
        });
        Ok(added.await?)
    }

    /// The imports of a user, newest first.
    pub async fn imports(&self, user: &str) -> Result<Vec<Import>, OfficeError> {
        let user = user.to_owned();
        self.blocking(move |office| {
            Ok(office
                .store
                .read_with(|reads| reads.imports_of(&user)?.into_iter().map(import).collect())?)
        })
        .await
    }

    /// An import of a user.
    pub async fn import(&self, id: [u8; 16], user: &str) -> ImportResult<Import> {
        let user = user.to_owned();
        self.blocking(move |office| Ok(office.store.read_with(|reads| own(reads, id, &user))?))
            .await
    }

    /// Starts to determine the outcome of each row. Nothing is written to records. A repeated request
    /// changes nothing.
    pub async fn check_import(
        &self,
        id: [u8; 16],
        settings: ImportSettings,
        user: &str,
    ) -> ImportResult<Import> {
        let (user, now) = (user.to_owned(), self.now());
        let started = self.store.write(move |tx| {
            let mut import = match own(tx, id, &user)? {
                Ok(import) => import,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let state = &mut import.state;
            if state.phase == ImportPhase::Checking && has_settings(state, &settings) {
                return Ok(Ok(import));
            }
            if state.phase.is_running() {
                return Ok(Err(ImportRefusal::Running));
            }
            if let Err(refusal) = choose(state, &settings) {
                return Ok(Err(refusal));
            }
            if !settings.assign_to.is_empty() && !collectors(tx)?.contains(&settings.assign_to) {
                return Ok(Err(ImportRefusal::NoCollector(settings.assign_to.clone())));
            }
            restart(state, ImportPhase::Checking);
            let known = tx.import_columns(&user)?;
            tx.put_import_columns(&user, &remember(&state.columns, known.first()), now)?;
            tx.update_import(&stored(&import, &user, Some(now))?)?;
            Ok(Ok(import))
        });
        Ok(started.await?)
    }

    /// Starts to import the rows as they were checked. A repeated request changes nothing.
    pub async fn run_import(&self, id: [u8; 16], user: &str) -> ImportResult<Import> {
        let (user, now) = (user.to_owned(), self.now());
        let started = self.store.write(move |tx| {
            let mut import = match own(tx, id, &user)? {
                Ok(import) => import,
                Err(refusal) => return Ok(Err(refusal)),
            };
            match import.state.phase {
                ImportPhase::Importing | ImportPhase::Done => return Ok(Ok(import)),
                ImportPhase::Checked => {}
                ImportPhase::Uploaded | ImportPhase::Checking | ImportPhase::Failed => {
                    return Ok(Err(ImportRefusal::Unchecked));
                }
            }
            restart(&mut import.state, ImportPhase::Importing);
            tx.update_import(&stored(&import, &user, Some(now))?)?;
            Ok(Ok(import))
        });
        Ok(started.await?)
    }

    /// Reports of rows behind a row, in order: those of one outcome, or all. Rows without changes have
    /// none.
    pub async fn import_rows(
        &self,
        id: [u8; 16],
        user: &str,
        outcome: Option<RowOutcome>,
        after: u64,
        limit: u32,
    ) -> ImportResult<Vec<RowReport>> {
        let user = user.to_owned();
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| {
                if let Err(refusal) = own(reads, id, &user)? {
                    return Ok(Err(refusal));
                }
                let outcome = outcome.map_or("", RowOutcome::as_str);
                let rows = reads.import_rows(id, outcome, after, limit)?;
                rows.iter().map(|row| decode(&row.report)).collect::<Result<_, _>>().map(Ok)
            })?)
        })
        .await
    }

    /// Deletes an import that does not run, with its file.
    pub async fn delete_import(&self, id: [u8; 16], user: &str) -> ImportResult<()> {
        let user = user.to_owned();
        let deleted = self.store.write(move |tx| {
            match own(tx, id, &user)? {
                Ok(import) if import.state.phase.is_running() => {
                    return Ok(Err(ImportRefusal::Running));
                }
                Ok(_) => {}
                Err(refusal) => return Ok(Err(refusal)),
            }
            tx.delete_import(id)?;
            Ok(Ok(()))
        });
        Ok(deleted.await?)
    }

    /// Deletes files and reports of imports a week after their upload.
    pub async fn expire_imports(&self) -> Result<(), OfficeError> {
        let before = self.now() - KEPT_MS;
        Ok(self.store.write(move |tx| tx.delete_imports_before(before)).await?)
    }
}

/// Reads a file and gives it back with its rows.
async fn read_sheet(file: Vec<u8>) -> Result<Result<(Vec<u8>, Sheet), SheetError>, OfficeError> {
    let read = tokio::task::spawn_blocking(move || {
        let sheet = Sheet::read(&file)?;
        Ok((file, sheet))
    });
    // A panic in a reader of foreign formats means a file that it cannot read.
    Ok(read.await.unwrap_or(Err(SheetError::Damaged)))
}

/// Deletes the oldest imports of a user beyond the limit; false if too many are running.
fn make_room(tx: &mut dyn Writes, user: &str) -> Result<bool, StoreError> {
    let imports = tx.imports_of(user)?;
    let excess = (imports.len() + 1).saturating_sub(MAX_PER_USER);
    let idle = imports.iter().rev().filter(|import| import.claimed_until.is_none());
    let oldest: Vec<_> = idle.take(excess).map(|import| import.id).collect();
    for id in &oldest {
        tx.delete_import(*id)?;
    }
    Ok(oldest.len() == excess)
}

/// Sign-in names of collectors who may be assigned.
fn collectors<R: Reads + ?Sized>(
    reads: &mut R,
) -> Result<std::collections::BTreeSet<String>, StoreError> {
    let users = reads.users()?.into_iter();
    let active = users.filter(|user| user.role == Role::Collector && user.disabled_at.is_none());
    Ok(active.map(|user| user.name).collect())
}

/// An import of a user; another user's is unknown.
fn own<R: Reads + ?Sized>(
    reads: &mut R,
    id: [u8; 16],
    user: &str,
) -> Result<Result<Import, ImportRefusal>, StoreError> {
    match reads.import(id)?.filter(|stored| stored.user == user) {
        Some(stored) => import(stored).map(Ok),
        None => Ok(Err(ImportRefusal::Unknown)),
    }
}

fn import(stored: StoredImport) -> Result<Import, StoreError> {
    let state = decode(&stored.state)?;
    Ok(Import { id: stored.id, created_at: stored.created_at, state })
}

fn stored(
    import: &Import,
    user: &str,
    claimed_until: Option<i64>,
) -> Result<StoredImport, StoreError> {
    Ok(StoredImport {
        id: import.id,
        user: user.to_owned(),
        created_at: import.created_at,
        claimed_until,
        state: encode(&import.state)?,
    })
}

fn encode(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(error.to_string()))
}

fn decode<T: for<'t> Deserialize<'t>>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged(error.to_string()))
}
