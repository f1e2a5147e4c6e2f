//! The command line. A command opens the office's store, does its work and prints the result: text,
//! or with `--json` one object, on standard output. Errors are one line on standard error; the exit
//! code is 2 for a usage error and 1 for a failure.

mod args;
mod backup;
mod cases;
mod conduct;
mod failure;
mod migrate;
mod openid;
mod people;
mod quarantine;
mod rescue;
mod serve;
mod simulate;
mod verify;
mod visits;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use tokio::runtime::Runtime;

use super::auth::{Accounts, Hasher};
use super::blobs::BlobStore;
use super::database::{Database, without_password};
use super::{Office, private};
use crate::record::terms::Role;
use args::{Attachments, Cli, Command, Conduct, Device, Epoch, Export, Import, User};
use failure::Failure;

/// Runs the program.
pub fn main() -> ExitCode {
    private::deny_others();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let database = &cli.shared.database;
    match cli.command {
        Command::Serve(options) => {
            // Before the store is opened, which logs too.
            serve::start_log(options.log_format);
            OfficeContext::with(database, Access::Create, |context| serve::run(context, *options))
        }
        Command::Import(Import::Cases(options)) => {
            OfficeContext::with(database, Access::Create, |context| cases::run(context, options))
        }
        Command::Import(Import::Rescue(options)) => {
            OfficeContext::with(database, Access::Write, |context| rescue::run(context, options))
        }
        Command::Export(Export::Visits(options)) => {
            OfficeContext::with(database, Access::Read, |context| visits::run(context, options))
        }
        Command::Export(Export::Conduct(options)) => {
            OfficeContext::with(database, Access::Read, |context| conduct::export(context, options))
        }
        Command::Conduct(Conduct::Check { file }) => conduct::check(&file),
        Command::Conduct(command) => {
            let reads = matches!(command, Conduct::Replay { .. });
            let access = if reads { Access::Read } else { Access::Write };
            OfficeContext::with(database, access, |context| conduct::run(context, command))
        }
        Command::User(command) => {
            let access = match command {
                User::Add { .. } => Access::Create,
                User::List(_) => Access::Read,
                _ => Access::Write,
            };
            OfficeContext::with(database, access, |context| people::user(context, command))
        }
        Command::Device(command) => {
            let reads = matches!(command, Device::List(_));
            let access = if reads { Access::Read } else { Access::Write };
            OfficeContext::with(database, access, |context| people::device(context, command))
        }
        Command::Quarantine(command) => {
            OfficeContext::with(database, command.access(), |context| {
                quarantine::run(context, command)
            })
        }
        Command::Verify(asked) => {
            OfficeContext::with(database, Access::Read, |context| verify::run(context, &asked))
        }
        // These don't open the office: they work on the database file, or on none.
        Command::Backup(copied) => backup::backup(database, &copied.file, &copied.output),
        Command::Restore(copied) => backup::restore(database, &copied.file, &copied.output),
        Command::Migrate(asked) => migrate::run(&asked),
        Command::Epoch(Epoch::New(output)) => backup::new_epoch(database, &output),
        Command::Simulate(options) => simulate::run(&options),
    }
}

impl Attachments {
    /// The office with the attachments at the given place.
    fn of(&self, context: &OfficeContext, access: Access) -> Result<Office, Failure> {
        let office = &context.office;
        let Some(place) = &self.blobs else {
            if context.has_default_blobs {
                return Ok(office.clone());
            }
            return Err(Failure::failed(
                "with PostgreSQL, --blobs says where attachments are: a bucket or folder that all \
                 endpoints share",
            ));
        };
        let blob_store =
            if access == Access::Read { BlobStore::existing(place) } else { BlobStore::at(place) };
        let blob_store =
            blob_store.map_err(|error| Failure::failed(format!("--blobs {place}: {error}")))?;
        Ok(office.clone().with_blob_store(blob_store))
    }
}

/// A command's access to the database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Read-only.
    Read,
    /// Writes to an existing one.
    Write,
    /// Writes; creates a missing one.
    Create,
}

/// The opened office that a command works with.
struct OfficeContext {
    /// Without its password.
    address: String,
    /// Whether attachments have a place unless one is chosen.
    has_default_blobs: bool,
    office: Office,
    accounts: Accounts,
    runtime: Runtime,
}

/// The author of the command line's changes.
const BY: (&str, Role) = (super::OWN_NAME, Role::Supervisor);

impl OfficeContext {
    /// Opens the office, runs a command and closes the office.
    fn with(
        address: &str,
        access: Access,
        work: impl FnOnce(&Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let context = Self::open(address, access)?;
        let done = work(&context);
        context.office.close();
        done
    }

    fn open(address: &str, access: Access) -> Result<Self, Failure> {
        let shown = without_password(address);
        let cannot = |error| Failure::failed(format!("cannot open {shown}: {error}"));
        if access != Access::Create && !Office::is_there(address).map_err(cannot)? {
            return Err(Failure::failed(format!(
                "there is no database at {shown}: check --database; doorstep serve, user add \
                 and import cases make a new one"
            )));
        }
        let office = match access {
            Access::Read => Office::open_to_read(address, now),
            Access::Write | Access::Create => Office::open(address, now),
        };
        let office = office.map_err(cannot)?;
        let clock = {
            let office = office.clone();
            move || office.now()
        };
        let accounts =
            Accounts::new(office.store().clone(), std::sync::Arc::new(clock), Hasher::default());
        let runtime = Runtime::new()
            .map_err(|error| Failure::failed(format!("cannot start threads: {error}")))?;
        let has_default_blobs = Database::at(address).map_err(cannot)?.default_blobs().is_some();
        Ok(Self { address: shown, has_default_blobs, office, accounts, runtime })
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Prints text. A closed pipe, as with `head`, is no failure.
fn print(text: impl AsRef<str>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(io::Error::from)?;
    print(text)
}
