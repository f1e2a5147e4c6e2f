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

    /// The failure was reported already.
    pub(super) fn reported() -> Self {
        Self { message: None, code: FAILED }
    }

    /// Prints the message and gives the exit code.
    pub(super) fn report(self) -> ExitCode {
        if let Some(message) = self.message {
            eprintln!("doorstep: {}", one_line(&message));
        }
        ExitCode::from(self.code)
    }
}

/// Prints help and versions as they are, and other usage errors as one line.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let is_help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if is_help {
        // Fails only if the output is closed.
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
    }
    let text = error.render().to_string();
    let message = text.split("\n\nUsage:").next().unwrap_or_default();
    let message = message.split("\n\nFor more information").next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    Failure::usage(format!("{message}; see doorstep --help")).report()
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
