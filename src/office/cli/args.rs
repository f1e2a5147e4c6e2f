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

/// What every command takes.
#[derive(Args)]
pub(in crate::office::cli) struct Shared {
    /// Where the records are: sqlite:PATH
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
    /// Serve phones and the console
    Serve(Box<Serve>),
    /// Bring case lists, or work that was saved on a phone, into the office
    #[command(subcommand)]
    Import(Import),
    /// Take visit records out of the office
    #[command(subcommand)]
    Export(Export),
    /// Keep users
    #[command(subcommand)]
    User(User),
    /// Keep devices
    #[command(subcommand)]
    Device(Device),
    /// Look at refused work and decide on it
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Layers of conduct, and what they say
    #[command(subcommand)]
    Conduct(Conduct),
    /// Check that documents, heads, digests, receipts and rows agree
    Verify(Verify),
    /// Copy everything into a new file, while the office goes on
    Backup(Copied),
    /// Make the office's store from a backup; the office must be stopped
    Restore(Copied),
    /// Run phones and office under faults, in virtual time; a seed replays exactly
    Simulate(Simulate),
}

#[derive(Args)]
pub(in crate::office::cli) struct Copied {
    /// The backup
    pub(in crate::office::cli) file: PathBuf,
    #[command(flatten)]
    pub(in crate::office::cli) output: Output,
}

#[derive(Args)]
pub(in crate::office::cli) struct Simulate {
    /// How many seeds
    #[arg(long, default_value_t = 200)]
    pub(in crate::office::cli) seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    pub(in crate::office::cli) seed: u64,
    /// Phones
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=50))]
    pub(in crate::office::cli) devices: u16,
    /// Lines that are told of a seed that fails
    #[arg(long, default_value_t = 40)]
    pub(in crate::office::cli) story: usize,
    /// Begin no other seed once one has failed
    #[arg(long)]
    pub(in crate::office::cli) stop_at_first: bool,
    /// One JSON object instead of text
    #[arg(long)]
    pub(in crate::office::cli) json: bool,
}

#[derive(Subcommand)]
pub(in crate::office::cli) enum Conduct {
    /// Is a layer whole? If not, which line is wrong, and how
    Check {
        /// The layer, TOML
        file: PathBuf,
    },
    /// Ask the rules of every record that changed since they were asked
    Evaluate {
        /// A layer of the lender's own, as `serve` was given; may be repeated
        #[arg(long, value_name = "FILE")]
        policy: Vec<PathBuf>,
        #[command(flatten)]
        output: Output,
    },
    /// What layers would have decided over the records that are there
    Replay {
        /// The layer; may be repeated
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
    /// A layer of the lender's own; may be repeated
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
    /// Collector of rows that name none
    #[arg(long, value_name = "USER")]
    pub(in crate::office::cli) assign_to: Option<String>,
    /// Only say what would happen
    #[arg(long)]
    pub(in crate::office::cli) dry_run: bool,
    #[command(flatten)]
    pub(in crate::office::cli) zone: Zone,
    #[command(flatten)]
    pub(in crate::office::cli) output: Output,
}

#[derive(Args)]
pub(in crate::office::cli) struct Zone {
    /// IANA time zone of borrowers for whom neither the list nor the currency says one
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
    /// Where attachments lie: a folder, or s3://BUCKET/PREFIX with keys from AWS_* in the
    /// environment; without, a folder beside the database, its path with .blobs behind it
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
    /// What the rules of conduct say of every record, a JSON line an answer
    Conduct(ExportConduct),
}

#[derive(Args)]
pub(in crate::office::cli) struct ExportVisits {
    /// csv, xlsx, jsonl or automerge
    #[arg(long)]
    pub(in crate::office::cli) format: String,
    /// File to write (a folder for automerge); standard output without
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
    /// Add a user; the password is read from standard input or asked for
    Add {
        /// Sign-in name, such as chen.jie
        name: String,
        /// collector, supervisor, auditor or admin
        #[arg(long, value_parser = role)]
        role: Role,
        /// What people read; the name where it is absent
        #[arg(long)]
        display_name: Option<String>,
    },
    /// List users
    List(Output),
    /// Lock a user out and end every sign-in
    Disable {
        /// Sign-in name
        name: String,
    },
    /// Let a user in again
    Enable {
        /// Sign-in name
        name: String,
    },
    /// Set a password and end every sign-in; it is read from standard input or asked for
    Password {
        /// Sign-in name
        name: String,
    },
    /// Change what a user may do and end every sign-in
    Role {
        /// Sign-in name
        name: String,
        /// collector, supervisor, auditor or admin
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Link an account of the identity provider, which then signs in as this user
    Link {
        /// Sign-in name
        name: String,
        /// The provider, as serve --oidc-issuer names it
        #[arg(long, env = "DOORSTEP_OIDC_ISSUER", value_name = "URL")]
        issuer: String,
        /// The provider's own id of the account, its claim sub
        #[arg(long, value_name = "ID")]
        subject: String,
    },
    /// Unlink the identity provider's account; a collector's next sign-in links by name again
    Unlink {
        /// Sign-in name
        name: String,
    },
}

#[derive(Subcommand)]
pub(in crate::office::cli) enum Device {
    /// List devices
    List(Output),
    /// Enrol a device of a user that a restored office has forgotten; make sure whose it is
    Enrol {
        /// The device's id, 32 hex digits
        id: String,
        /// Sign-in name of the user whose phone it is
        #[arg(long)]
        user: String,
    },
    /// Refuse a device from now on
    Revoke {
        /// The device's id, 32 hex digits
        id: String,
        /// Why, such as lost
        #[arg(long)]
        reason: String,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "a role is collector, supervisor, auditor or admin".to_owned())
}

fn zone(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| "a zone is named as IANA does, such as Asia/Shanghai".to_owned())
}
