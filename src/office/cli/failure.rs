//! How a command fails: one line on standard error that says what to do, and an exit code.

use std::io;
use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::office::OfficeError;
use crate::office::auth::AuthError;
use crate::office::demo::DemoError;
use crate::office::sheets::export::ExportError;
use crate::office::sheets::import::ImportError;

/// Why a command did not do its work.
#[derive(Debug)]
pub(super) struct Failure {
    message: Option<String>,
    code: u8,
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;

impl Failure {
    /// The command was understood and failed.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), code: FAILED }
    }

    /// The command was not understood.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), code: USAGE }
    }

    /// What was to be said is said already.
    pub(super) fn said() -> Self {
        Self { message: None, code: FAILED }
    }

    /// Tells it.
    pub(super) fn report(self) -> ExitCode {
        if let Some(message) = self.message {
            eprintln!("doorstep: {}", one_line(&message));
        }
        ExitCode::from(self.code)
    }
}

/// Help and versions are answers; other usage errors become one line.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let answer = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if answer {
        // Where nobody reads it there is nobody to tell.
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
    }
    let text = error.render().to_string();
    let told = text.split("\n\nUsage:").next().unwrap_or_default();
    let told = told.split("\n\nFor more information").next().unwrap_or_default();
    let told = told.strip_prefix("error: ").unwrap_or(told);
    Failure::usage(format!("{told}; see doorstep --help")).report()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::failed(format!("cannot write: {error}"))
    }
}

macro_rules! failed {
    ($($error:ty),+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::failed(error.to_string())
            }
        })+
    };
}

failed!(OfficeError, AuthError, ImportError, ExportError, DemoError);
