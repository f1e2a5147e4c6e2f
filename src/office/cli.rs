//! The command line. Every command opens the office's store, does its work and says what became of
//! it: text for people, or with `--json` one object on standard output. Errors are one line on
//! standard error; the exit code is 2 where the command was not understood and 1 where it failed.

mod backup;
mod cases;
mod conduct;
mod failure;
mod openid;
mod people;
mod quarantine;
mod rescue;
mod serve;
mod simulate;
mod verify;
mod visits;

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono_tz::Tz;
use clap::{Args, Parser, Subcommand, ValueEnum};
use tokio::runtime::Runtime;

use super::auth::openid::NameClaim;
use super::auth::{Accounts, Hasher};
use super::blobs::BlobStore;
use super::{Office, private};
use crate::record::terms::Role;
use failure::Failure;
use quarantine::Quarantine;

/// Offline-first visit records: the office.
#[derive(Parser)]
#[command(name = "doorstep", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    shared: Shared,
}

/// What every command takes.
#[derive(Args)]
struct Shared {
    /// Where the records are: sqlite:PATH
    #[arg(
        long,
        global = true,
        env = "DOORSTEP_DATABASE",
        default_value = "sqlite:doorstep.sqlite3",
        value_name = "ADDRESS"
    )]
    database: String,
}

#[derive(Subcommand)]
enum Command {
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
struct Copied {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
struct Simulate {
    /// How many seeds
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Phones
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=50))]
    devices: u16,
    /// Lines that are told of a seed that fails
    #[arg(long, default_value_t = 40)]
    story: usize,
    /// Begin no other seed once one has failed
    #[arg(long)]
    stop_at_first: bool,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Serve {
    /// Address and port; port 0 takes a free one
    #[arg(long, env = "DOORSTEP_LISTEN", default_value = "127.0.0.1:8787", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Make the demo's users and invented cases where they are not there yet
    #[arg(long)]
    demo: bool,
    /// Certificate chain, PEM
    #[arg(long, env = "DOORSTEP_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, env = "DOORSTEP_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// The lender's name, as it stands on borrowers' copies
    #[arg(long, env = "DOORSTEP_LENDER", default_value = "", value_name = "NAME")]
    lender: String,
    /// How a borrower complains, as it stands on borrowers' copies
    #[arg(long, env = "DOORSTEP_COMPLAINTS", default_value = "", value_name = "TEXT")]
    complaints: String,
    /// Get certificates for this domain from an ACME directory, Let's Encrypt without another;
    /// may be given several times
    #[arg(
        long,
        env = "DOORSTEP_ACME",
        value_delimiter = ',',
        conflicts_with = "tls_cert",
        value_name = "DOMAIN"
    )]
    acme: Vec<String>,
    #[command(flatten)]
    acme_more: AcmeMore,
    /// A proxy that stands in front and says in X-Forwarded-For whom it serves; may be given
    /// several times
    #[arg(long, env = "DOORSTEP_BEHIND_PROXY", value_delimiter = ',', value_name = "ADDRESS")]
    behind_proxy: Vec<IpAddr>,
    /// File with a token by which /metrics may be read from other machines
    #[arg(long, env = "DOORSTEP_METRICS_TOKEN_FILE", value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
    /// Logs on standard error, for people or for machines
    #[arg(long, env = "DOORSTEP_LOG_FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
    #[command(flatten)]
    openid: OpenIdOptions,
    #[command(flatten)]
    attachments: Attachments,
    #[command(flatten)]
    zone: Zone,
    /// A layer of conduct of the lender's own, TOML; may be repeated
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// Days for which phones keep a record after the office has accepted it
    #[arg(
        long,
        env = "DOORSTEP_PHONE_DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u16).range(0..=3_650),
        value_name = "DAYS"
    )]
    phone_days: u16,
}

#[derive(Subcommand)]
enum Conduct {
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
struct ExportConduct {
    /// Only records that changed since: a date or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only this rule, such as CN-04
    #[arg(long)]
    rule: Option<String>,
    /// A layer of the lender's own; may be repeated
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
}

#[derive(Args)]
struct OpenIdOptions {
    /// Origin by which clients reach the office, such as https://office.example; needed where
    /// that is not the address listened on
    #[arg(long, env = "DOORSTEP_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Sign in with this OpenID Connect provider too
    #[arg(long, env = "DOORSTEP_OIDC_ISSUER", requires = "oidc_client_id", value_name = "URL")]
    oidc_issuer: Option<String>,
    /// The office's name at the provider
    #[arg(long, env = "DOORSTEP_OIDC_CLIENT_ID", requires = "oidc_issuer", value_name = "ID")]
    oidc_client_id: Option<String>,
    /// File with the office's secret at the provider
    #[arg(
        long,
        env = "DOORSTEP_OIDC_CLIENT_SECRET_FILE",
        requires = "oidc_issuer",
        value_name = "FILE"
    )]
    oidc_client_secret_file: Option<PathBuf>,
    /// The claim that names a user: preferred_username, email or sub
    #[arg(long, env = "DOORSTEP_OIDC_CLAIM", default_value = "preferred_username", value_parser = claim)]
    oidc_claim: NameClaim,
    /// The domain that claim must have behind its @, such as lender.example; it is cut off
    #[arg(long, env = "DOORSTEP_OIDC_DOMAIN", requires = "oidc_issuer", value_name = "DOMAIN")]
    oidc_domain: Option<String>,
    /// Create collector accounts for unknown users; without it only known users come in
    #[arg(long, env = "DOORSTEP_OIDC_ENROL", requires = "oidc_issuer")]
    oidc_enrol: bool,
    /// What the button calls the provider
    #[arg(
        long,
        env = "DOORSTEP_OIDC_LABEL",
        default_value = "OpenID Connect",
        value_name = "NAME"
    )]
    oidc_label: String,
}

#[derive(Args)]
struct AcmeMore {
    /// Whom the directory may write to
    #[arg(long, env = "DOORSTEP_ACME_CONTACT", requires = "acme", value_name = "EMAIL")]
    acme_contact: Option<String>,
    /// Another directory than Let's Encrypt's
    #[arg(long, env = "DOORSTEP_ACME_DIRECTORY", requires = "acme", value_name = "URL")]
    acme_directory: Option<String>,
    /// Roots by which that directory is known, PEM
    #[arg(long, env = "DOORSTEP_ACME_ROOTS", requires = "acme", value_name = "FILE")]
    acme_roots: Option<PathBuf>,
    /// Folder for the account's key and the certificates
    #[arg(long, env = "DOORSTEP_ACME_FOLDER", default_value = "acme", value_name = "FOLDER")]
    acme_folder: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Import {
    /// A case list: CSV (UTF-8 or GB18030) or XLSX
    Cases(ImportCases),
    /// A rescue file: unsent work that was saved on a phone
    Rescue(ImportRescue),
}

#[derive(Args)]
struct ImportRescue {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
struct ImportCases {
    /// The file
    file: PathBuf,
    /// Collector of rows that name none
    #[arg(long, value_name = "USER")]
    assign_to: Option<String>,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    zone: Zone,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
struct Zone {
    /// IANA time zone of borrowers for whom neither the list nor the currency says one
    #[arg(long, env = "DOORSTEP_ZONE", value_name = "ZONE", value_parser = zone)]
    zone: Option<Tz>,
}

#[derive(Args)]
struct Verify {
    #[command(flatten)]
    attachments: Attachments,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
struct Attachments {
    /// Where attachments lie: a folder, or s3://BUCKET/PREFIX with keys from AWS_* in the
    /// environment; without, a folder beside the database, its path with .blobs behind it
    #[arg(long, env = "DOORSTEP_BLOBS", value_name = "PLACE")]
    blobs: Option<String>,
}

impl Attachments {
    /// The office with its attachments where they were asked for.
    fn of(&self, office: &Office, access: Access) -> Result<Office, Failure> {
        let Some(place) = &self.blobs else { return Ok(office.clone()) };
        let blob_store =
            if access == Access::Read { BlobStore::existing(place) } else { BlobStore::at(place) };
        let blob_store =
            blob_store.map_err(|error| Failure::failed(format!("--blobs {place}: {error}")))?;
        Ok(office.clone().with_blob_store(blob_store))
    }
}

#[derive(Args)]
struct Output {
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Export {
    /// Visit records, one row or one document each
    Visits(ExportVisits),
    /// What the rules of conduct say of every record, a JSON line an answer
    Conduct(ExportConduct),
}

#[derive(Args)]
struct ExportVisits {
    /// csv, xlsx, jsonl or automerge
    #[arg(long)]
    format: String,
    /// File to write (a folder for automerge); standard output without
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Only what changed since: a date or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only this stage or review status, such as sealed or returned
    #[arg(long)]
    status: Option<String>,
}

#[derive(Subcommand)]
enum User {
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
enum Device {
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

fn claim(word: &str) -> Result<NameClaim, String> {
    match word {
        "preferred_username" => Ok(NameClaim::PreferredUsername),
        "email" => Ok(NameClaim::Email),
        "sub" => Ok(NameClaim::Subject),
        _ => Err("a claim is preferred_username, email or sub".to_owned()),
    }
}

fn zone(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| "a zone is named as IANA does, such as Asia/Shanghai".to_owned())
}

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
            // What opening has to say is heard too.
            serve::start_log(options.log_format);
            Desk::with(database, Access::Create, |desk| serve::run(desk, *options))
        }
        Command::Import(Import::Cases(options)) => {
            Desk::with(database, Access::Create, |desk| cases::run(desk, options))
        }
        Command::Import(Import::Rescue(options)) => {
            Desk::with(database, Access::Write, |desk| rescue::run(desk, options))
        }
        Command::Export(Export::Visits(options)) => {
            Desk::with(database, Access::Read, |desk| visits::run(desk, options))
        }
        Command::Export(Export::Conduct(options)) => {
            Desk::with(database, Access::Read, |desk| conduct::export(desk, options))
        }
        Command::Conduct(Conduct::Check { file }) => conduct::check(&file),
        Command::Conduct(command) => {
            let reads = matches!(command, Conduct::Replay { .. });
            let access = if reads { Access::Read } else { Access::Write };
            Desk::with(database, access, |desk| conduct::run(desk, command))
        }
        Command::User(command) => {
            let access = match command {
                User::Add { .. } => Access::Create,
                User::List(_) => Access::Read,
                _ => Access::Write,
            };
            Desk::with(database, access, |desk| people::user(desk, command))
        }
        Command::Device(command) => {
            let reads = matches!(command, Device::List(_));
            let access = if reads { Access::Read } else { Access::Write };
            Desk::with(database, access, |desk| people::device(desk, command))
        }
        Command::Quarantine(command) => {
            Desk::with(database, command.access(), |desk| quarantine::run(desk, command))
        }
        Command::Verify(asked) => {
            Desk::with(database, Access::Read, |desk| verify::run(desk, &asked))
        }
        // These need no office: two work on its file, one leaves everybody's store alone.
        Command::Backup(copied) => backup::backup(database, &copied.file, &copied.output),
        Command::Restore(copied) => backup::restore(database, &copied.file, &copied.output),
        Command::Simulate(options) => simulate::run(&options),
    }
}

/// What a command does to the database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Nothing.
    Read,
    /// Writes to the one that is there.
    Write,
    /// Writes, and makes one where there is none: what an office begins with.
    Create,
}

/// What commands work with.
struct Desk {
    address: String,
    office: Office,
    accounts: Accounts,
    runtime: Runtime,
}

/// Who the command line writes as.
const BY: (&str, Role) = (super::OWN_NAME, Role::Supervisor);

impl Desk {
    /// Opens the office, does a command's work and finishes what was begun.
    fn with(
        address: &str,
        access: Access,
        work: impl FnOnce(&Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let desk = Self::open(address, access)?;
        let done = work(&desk);
        desk.office.close();
        done
    }

    fn open(address: &str, access: Access) -> Result<Self, Failure> {
        let cannot = |error| Failure::failed(format!("cannot open {address}: {error}"));
        if access != Access::Create && !Office::is_there(address).map_err(cannot)? {
            return Err(Failure::failed(format!(
                "there is no database at {address}: check --database; doorstep serve, user add \
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
        Ok(Self { address: address.to_owned(), office, accounts, runtime })
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Prints lines, or one object. A reader that went away, such as `head`, is no failure.
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
