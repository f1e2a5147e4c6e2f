//! The office's services beside rounds: intake under contention, quarantine, files in and out.

mod export;
mod import;
mod intake;
#[cfg(unix)]
mod migrate;
mod quarantine;
mod rescue;
mod revoked;
mod verify;
