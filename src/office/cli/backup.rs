//! `doorstep backup`, `doorstep restore` and `doorstep epoch new`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::Output;
use super::failure::Failure;
use super::{print, print_json};
use crate::office::database::without_password;
use crate::office::{Office, OfficeError};

const AFTERWARDS: &str = "Phones bring back what is newer at their next contact. Everybody signs in \
     again; users and devices that were locked out since the backup must be locked out once more.";

#[derive(Serialize)]
struct BackedUp {
    file: PathBuf,
    bytes: u64,
}

#[derive(Serialize)]
struct Restored {
    database: String,
    /// Where what stood there before lies now.
    replaced: Option<PathBuf>,
}

pub(super) fn backup(database: &str, file: &Path, output: &Output) -> Result<(), Failure> {
    let bytes = Office::backup(database, file).map_err(|error| said("back up", &error))?;
    if output.json {
        return print_json(&BackedUp { file: file.to_owned(), bytes });
    }
    print(format!(
        "{} holds everything but attachments as it is now, {bytes} bytes. Keep it as safe as the \
         office itself. Copy the folder of attachments after it: files there never change.",
        file.display()
    ))
}

pub(super) fn restore(database: &str, file: &Path, output: &Output) -> Result<(), Failure> {
    let replaced = Office::restore(database, file).map_err(|error| said("restore", &error))?;
    if output.json {
        return print_json(&Restored { database: database.to_owned(), replaced });
    }
    let mut lines = vec![format!("{database} is what {} says.", file.display())];
    if let Some(replaced) = replaced {
        lines.push(format!("What stood there lies in {}.", replaced.display()));
    }
    lines.push(AFTERWARDS.to_owned());
    print(lines.join("\n"))
}

#[derive(Serialize)]
struct EpochBegun {
    database: String,
}

pub(super) fn new_epoch(database: &str, output: &Output) -> Result<(), Failure> {
    Office::new_epoch(database).map_err(|error| said("begin a new epoch", &error))?;
    let database = without_password(database);
    if output.json {
        return print_json(&EpochBegun { database });
    }
    print(format!("{database} has a new epoch. {AFTERWARDS}"))
}

fn said(what: &str, error: &OfficeError) -> Failure {
    Failure::failed(format!("cannot {what}: {error}"))
}
