//! The grammar of the command line: subcommands, options and their help.

mod serve;

use std::path::PathBuf;

use chrono_tz::Tz;
use clap::{Args, Parser, Subcommand};

use super::quarantine::Quarantine;
use crate::record::terms::Role;
pub(super) use serve::{LogFormat, OpenIdOptions, Serve};

/// Offline-first visit records: the office.
#[derive(Parser)]
#[command(name = "doorstep", version, arg_required_else_help = true)]
pub(in crate::office::cli) struct Cli {
    #[command(subcommand)]
    pub(in crate::office::cli) command: Command,
    #[command(flatten)]
    pub(in crate::office::cli) shared: Shared,
}

/// Options of every command.
#[derive(Args)]
pub(in crate::office::cli) struct Shared {
    /// Address of the database: sqlite:PATH or postgres://USER@HOST/NAME
    #[arg(
        long,
        global = true,
        env = "DOORSTEP_DATABASE",
        default_value = "sqlite:doorstep.sqlite3",
        value_name = "ADDRESS"
    )]
    pub(in crate::office::cli) database: String,
}

#[derive(Subcommand)]
pub(in crate::office::cli) enum Command {
    /// Run the office: serve phones and the console
    Serve(Box<Serve>),
    /// Import case lists, or unsent work that was saved on a phone
    #[command(subcommand)]
    Import(Import),
    /// Export visit records
    #[command(subcommand)]
    Export(Export),
    /// Manage users
    #[command(subcommand)]
    User(User),
    /// Manage devices
    #[command(subcommand)]
    Device(Device),
    /// Review refused work and decide on it
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Check and evaluate conduct policies
    #[command(subcommand)]
    Conduct(Conduct),
    /// Check that documents, heads, digests, receipts and rows agree
    Verify(Verify),
    /// Back up the database into a new file; the office may be running
    Backup(Copied),
    /// Replace the database with a backup; the office must be stopped
    Restore(Copied),
    /// Copy an office from SQLite into an empty PostgreSQL database and verify it; run it again if it was
    /// interrupted. The office must be stopped
    Migrate(Migrate),
    /// Manage the epoch, by which phones notice that the office was restored
    #[command(subcommand)]
    Epoch(Epoch),
    /// Simulate phones and office with injected faults in virtual time; a seed replays exactly
    Simulate(Simulate),
}

#[derive(Args)]
pub(in crate::office::cli) struct Copied {
    /// Backup file
    pub(in crate::office::cli) file: PathBuf,
    #[command(flatten)]
    pub(in crate::office::cli) output: Output,
}

#[derive(Args)]
pub(in crate::office::cli) struct Migrate {
    /// Address of the office: sqlite:PATH
    #[arg(long, value_name = "ADDRESS")]
    pub(in crate::office::cli) from: String,
    /// Address of the empty database: postgres://USER@HOST/NAME
    #[arg(long, value_name = "ADDRESS", env = "DOORSTEP_MIGRATE_TO", hide_env_values = true)]
    pub(in crate::office::cli) to: String,
    #[command(flatten)]
    pub(in crate::office::cli) attachments: Attachments,
    #[command(flatten)]
    pub(in crate::office::cli) output: Output,
}

#[derive(Subcommand)]
pub(in crate::office::cli) enum Epoch {
    /// Begin a new epoch after the database was restored by other means; the office must be stopped
    New(Output),
}

#[derive(Args)]
pub(in crate::office::cli) struct Simulate {
    /// Number of seeds
    #[arg(long, default_value_t = 200)]
    pub(in crate::office::cli) seeds: u64,
    /// First seed
    #[arg(long, default_value_t = 0)]
    pub(in crate::office::cli) seed: u64,
    /// Number of phones
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=50))]
    pub(in crate::office::cli) devices: u16,
    /// Trace lines to print for a failed seed
    #[arg(long, default_value_t = 40)]
    pub(in crate::office::cli) story: usize,
    /// The office's store: sqlite, or an empty database at postgres://USER@HOST/NAME
    #[arg(long, default_value = "sqlite", hide_default_value = true, value_name = "STORE")]
    pub(in crate::office::cli) store: String,
    /// Start no further seeds after a failure
    #[arg(long)]
    pub(in crate::office::cli) stop_at_first: bool,
    /// One JSON object instead of text
    #[arg(long)]
    pub(in crate::office::cli) json: bool,
}

#[derive(Subcommand)]
pub(in crate::office::cli) enum Conduct {
    /// Validate a policy layer and report errors by line
    Check {
        /// Policy layer, TOML
        file: PathBuf,
    },
    /// Evaluate all records that changed since their last evaluation
    Evaluate {
        /// The lender's policy layer, as for `serve`; may be repeated
        #[arg(long, value_name = "FILE")]
        policy: Vec<PathBuf>,
        #[command(flatten)]
        output: Output,
    },
    /// Show what policy layers would have decided for the existing records
    Replay {
        /// Policy layer, TOML; may be repeated
        #[arg(long, value_name = "FILE", required = true)]
        policy: Vec<PathBuf>,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Args)]
pub(in crate::office::cli) struct ExportConduct {
    /// Only records that changed since: a date or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub(in crate::office::cli) since: Option<String>,
    /// Only this rule, such as CN-04
    #[arg(long)]
    pub(in crate::office::cli) rule: Option<String>,
    /// The lender's policy layer; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(in crate::office::cli) policy: Vec<PathBuf>,
}

#[derive(Subcommand)]
pub(in crate::office::cli) enum Import {
    /// A case list: CSV (UTF-8 or GB18030) or XLSX
    Cases(ImportCases),
    /// A rescue file: unsent work that was saved on a phone
    Rescue(ImportRescue),
}

#[derive(Args)]
pub(in crate::office::cli) struct ImportRescue {
    /// The file
    pub(in crate::office::cli) file: PathBuf,
    #[command(flatten)]
    pub(in crate::office::cli) output: Output,
}

#[derive(Args)]
pub(in crate::office::cli) struct ImportCases {
    /// The file
    pub(in crate::office::cli) file: PathBuf,
    /// Collector for rows without one
    #[arg(long, value_name = "USER")]
    pub(in crate::office::cli) assign_to: Option<String>,
    /// Report what would happen without changing anything
    #[arg(long)]
    pub(in crate::office::cli) dry_run: bool,
    #[command(flatten)]
    pub(in crate::office::cli) zone: Zone,
    #[command(flatten)]
    pub(in crate::office::cli) output: Output,
}

#[derive(Args)]
pub(in crate::office::cli) struct Zone {
    /// Default IANA time zone, for borrowers without one in the list or by currency
    #[arg(long, env = "DOORSTEP_ZONE", value_name = "ZONE", value_parser = zone)]
    pub(in crate::office::cli) zone: Option<Tz>,
}

#[derive(Args)]
pub(in crate::office::cli) struct Verify {
    #[command(flatten)]
    pub(in crate::office::cli) attachments: Attachments,
    #[command(flatten)]
    pub(in crate::office::cli) output: Output,
}

#[derive(Args)]
pub(in crate::office::cli) struct Attachments {
    /// Where attachments are stored: a folder, or s3://BUCKET/PREFIX with credentials in AWS_*
    /// environment variables [default: the path of the SQLite file with .blobs appended]
    #[arg(long, env = "DOORSTEP_BLOBS", value_name = "PLACE")]
    pub(in crate::office::cli) blobs: Option<String>,
}

#[derive(Args)]
pub(in crate::office::cli) struct Output {
    /// One JSON object instead of text
    #[arg(long)]
    pub(in crate::office::cli) json: bool,
}

#[derive(Subcommand)]
pub(in crate::office::cli) enum Export {
    /// Visit records, one row or one document each
    Visits(ExportVisits),
    /// Answers of the conduct rules for every record, as JSON lines
    Conduct(ExportConduct),
}

#[derive(Args)]
pub(in crate::office::cli) struct ExportVisits {
    /// csv, xlsx, jsonl or automerge
    #[arg(long)]
    pub(in crate::office::cli) format: String,
    /// File to write, or folder for automerge [default: standard output]
    #[arg(long, value_name = "PATH")]
    pub(in crate::office::cli) out: Option<PathBuf>,
    /// Only what changed since: a date or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub(in crate::office::cli) since: Option<String>,
    /// Only this stage or review status, such as sealed or returned
    #[arg(long)]
    pub(in crate::office::cli) status: Option<String>,
}

#[derive(Subcommand)]
pub(in crate::office::cli) enum User {
    /// Add a user; the password is read from standard input or prompted for
    Add {
        /// Sign-in name, such as chen.jie
        name: String,
        /// collector, supervisor, auditor or admin
        #[arg(long, value_parser = role)]
        role: Role,
        /// Display name [default: the sign-in name]
        #[arg(long)]
        display_name: Option<String>,
    },
    /// List users
    List(Output),
    /// Disable a user and end their sign-ins
    Disable {
        /// Sign-in name
        name: String,
    },
    /// Enable a disabled user
    Enable {
        /// Sign-in name
        name: String,
    },
    /// Set a password and end the user's sign-ins; it is read from standard input or prompted for
    Password {
        /// Sign-in name
        name: String,
    },
    /// Change a user's role and end their sign-ins
    Role {
        /// Sign-in name
        name: String,
        /// collector, supervisor, auditor or admin
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Link an account of the identity provider to a user
    Link {
        /// Sign-in name
        name: String,
        /// The provider's issuer, as in serve --oidc-issuer
        #[arg(long, env = "DOORSTEP_OIDC_ISSUER", value_name = "URL")]
        issuer: String,
        /// The account's subject (claim sub)
        #[arg(long, value_name = "ID")]
        subject: String,
    },
    /// Unlink the identity provider's account; a collector's next sign-in links it by name again
    Unlink {
        /// Sign-in name
        name: String,
    },
}

#[derive(Subcommand)]
pub(in crate::office::cli) enum Device {
    /// List devices
    List(Output),
    /// Enrol a device that a restored office does not know; verify whose it is first
    Enrol {
        /// The device's id, 32 hex digits
        id: String,
        /// Sign-in name of the device's user
        #[arg(long)]
        user: String,
    },
    /// Revoke a device
    Revoke {
        /// The device's id, 32 hex digits
        id: String,
        /// Reason, such as lost
        #[arg(long)]
        reason: String,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "a role is collector, supervisor, auditor or admin".to_owned())
}

fn zone(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| "expected an IANA time zone, such as Asia/Shanghai".to_owned())
}
