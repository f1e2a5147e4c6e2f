//! `doorstep quarantine`.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::args::Output;
use super::failure::Failure;
use super::people::{print_lines, written};
use super::{Access, BY, OfficeContext, print, print_json};

use crate::office::store::{QuarantineFilter, QuarantineSize, QuarantineState};
use crate::office::{
    Acceptance, ExportLine, ExportScope, OfficeError, QuarantineError, QuarantineItem,
    QuarantineUsage, Restored,
};
use crate::record::view::FieldValue;

#[derive(Subcommand)]
pub(super) enum Quarantine {
    /// List refused work, newest first
    List {
        /// open, accepted or dismissed
        #[arg(long)]
        state: Option<String>,
        /// Only what this user sent
        #[arg(long)]
        user: Option<String>,
        /// Maximum number of pieces
        #[arg(long, default_value_t = 1_000)]
        limit: u32,
        #[command(flatten)]
        output: Output,
    },
    /// Show the effect of accepting a piece of refused work
    Show {
        /// Its number
        number: u64,
        #[command(flatten)]
        output: Output,
    },
    /// Accept a piece of refused work
    Accept {
        /// Its number
        number: u64,
        /// Reason
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Dismiss a piece of refused work; it stays stored
    Dismiss {
        /// Its number
        number: u64,
        /// Reason
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        output: Output,
    },
    /// Dismiss all undecided work of a user, such as one whose account floods the quarantine
    DismissAll {
        /// Sign-in name
        #[arg(long)]
        user: String,
        /// Reason
        #[arg(long)]
        reason: String,
    },
    /// How full the quarantine is, and what was exported
    Usage(Output),
    /// Write decided work with its bytes to a file
    Export {
        /// File to create; it must not exist
        #[arg(long, value_name = "PATH")]
        out: PathBuf,
        /// Delete the bytes from the office once the file is durable; the deletion is recorded
        #[arg(long)]
        delete: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Store the bytes of exported work again, so that it can be accepted
    Restore {
        /// Export file
        file: PathBuf,
        #[command(flatten)]
        output: Output,
    },
}

impl Quarantine {
    /// The command's access to the database.
    pub(super) fn access(&self) -> Access {
        match self {
            Self::List { .. } | Self::Show { .. } | Self::Usage(_) => Access::Read,
            Self::Export { delete, .. } => {
                if *delete {
                    Access::Write
                } else {
                    Access::Read
                }
            }
            Self::Accept { .. }
            | Self::Dismiss { .. }
            | Self::DismissAll { .. }
            | Self::Restore { .. } => Access::Write,
        }
    }
}

pub(super) fn run(context: &OfficeContext, command: Quarantine) -> Result<(), Failure> {
    let OfficeContext { office, runtime, .. } = context;
    let (by, role) = BY;
    match command {
        Quarantine::List { state, user, limit, output } => {
            let stand = match state.as_deref() {
                None => None,
                Some(word) => Some(
                    QuarantineState::parse(word)
                        .ok_or_else(|| Failure::usage("--state is open, accepted or dismissed"))?,
                ),
            };
            let asked =
                QuarantineFilter { state: stand, user, limit, ..QuarantineFilter::default() };
            let page = runtime.block_on(office.quarantine_page(asked))?;
            if output.json {
                return print_json(&page);
            }
            let lines = page.rows.iter().map(|row| {
                let case = row.case_no.as_deref().unwrap_or(&row.record);
                let (at, state) = (written(row.at), row.state.as_str());
                let about =
                    if row.path.is_empty() { row.units.join(" ") } else { row.path.clone() };
                format!(
                    "{:>6} {state:<9} {at} {:<16} {case}  {}  {about}",
                    row.id, row.user, row.code
                )
            });
            print_lines("nothing is in quarantine", lines)
        }
        Quarantine::Show { number, output } => {
            show(&runtime.block_on(office.quarantine_item(number))?, output.json)
        }
        Quarantine::Accept { number, reason, output } => {
            let reason = reason.unwrap_or_default();
            let accepted = office.accept_quarantined(number, None, &reason, by, role);
            show(&runtime.block_on(accepted)?, output.json)
        }
        Quarantine::DismissAll { user, reason } => {
            let dismissed = runtime.block_on(office.dismiss_all(&user, &reason, by))?;
            print(format!("{dismissed} pieces of {user} dismissed"))
        }
        Quarantine::Usage(output) => {
            let usage = runtime.block_on(office.quarantine_usage())?;
            if output.json { print_json(&usage) } else { print(usage_text(&usage)) }
        }
        Quarantine::Export { out, delete, output } => export(context, &out, delete, output.json),
        Quarantine::Restore { file, output } => {
            let name = file.display();
            let opened = File::open(&file).map_err(|error| {
                Failure::failed(format!("cannot read {name}: {error}; check its name and place"))
            })?;
            let restored = runtime.block_on(office.restore_quarantine(BufReader::new(opened)))?;
            if output.json {
                return print_json(&restored);
            }
            let Restored { restored, unchanged, unknown } = restored;
            print(format!("{restored} restored, {unchanged} unchanged, {unknown} unknown here"))
        }
        Quarantine::Dismiss { number, reason, output } => {
            show(&runtime.block_on(office.dismiss_quarantined(number, &reason, by))?, output.json)
        }
    }
}

/// Writes an export beside its place and moves it there once it is on the disk; only then its
/// bytes are deleted from the office.
fn export(context: &OfficeContext, out: &Path, delete: bool, json: bool) -> Result<(), Failure> {
    let OfficeContext { office, runtime, .. } = context;
    let cannot = |error: io::Error| Failure::failed(format!("{}: {error}", out.display()));
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    let scope = ExportScope { until: office.now(), most_bytes: u64::MAX };
    let writing = office.export_quarantine(scope, BufWriter::new(file));
    let (file, end) = runtime.block_on(writing)?;
    if end.pieces == 0 {
        return Err(OfficeError::from(QuarantineError::NothingToExport).into());
    }
    let file = file.into_inner().map_err(|error| cannot(error.into_error()))?;
    file.as_file().sync_all().map_err(cannot)?;
    // What an earlier export holds may be nowhere else.
    file.persist_noclobber(out).map_err(|error| cannot(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)?;
    let deleted = if delete {
        Some(runtime.block_on(office.delete_exported(scope, &end.sha256, BY.0))?)
    } else {
        None
    };
    let deleted = deleted.map(ExportLine::from);
    if json {
        return print_json(&json!({ "export": end, "deleted": deleted }));
    }
    let place = out.display();
    let mut text = format!("{} pieces, {} bytes in {place}", end.pieces, end.bytes);
    if let Some(deleted) = deleted {
        text.push_str(&format!(
            ". The office deleted those bytes and recorded export {}. Keep the file as safe as the \
             office: doorstep quarantine restore brings them back.",
            deleted.id
        ));
    }
    print(text)
}

fn usage_text(usage: &QuarantineUsage) -> String {
    let QuarantineUsage { open, decided, most, users, exports, .. } = usage;
    let mut lines = vec![
        format!("undecided {:>10} pieces {:>14} bytes", open.pieces, open.bytes),
        format!("decided   {:>10} pieces {:>14} bytes", decided.pieces, decided.bytes),
        format!("at most   {:>10} pieces {:>14} bytes", most.pieces, most.bytes),
    ];
    lines.extend(users.iter().map(|user| {
        let QuarantineSize { pieces, bytes } = user.open;
        format!("{}: {pieces} pieces, {bytes} bytes undecided, nearly all that is kept", user.user)
    }));
    lines.extend(exports.iter().map(|export| {
        let ExportLine { id, at, by, held, sha256 } = export;
        let at = written(*at);
        format!("export {id} {at} by {by}: {} pieces, {} bytes, {sha256}", held.pieces, held.bytes)
    }));
    lines.join("\n")
}

fn show(item: &QuarantineItem, json: bool) -> Result<(), Failure> {
    if json {
        return print_json(item);
    }
    let line = &item.line;
    let case = line.case_no.as_deref().unwrap_or(&line.record);
    let mut lines = vec![
        format!("{} for {case}, from {} on {}", line.id, line.user, line.device),
        format!("kept {}: {} {}", written(line.at), line.code, line.message),
    ];
    lines.extend(item.fields.iter().map(|field| {
        format!("  {}: {} (office: {})", field.path, said(&field.refused), said(&field.office))
    }));
    lines.extend(item.decisions.iter().map(|made| {
        format!("{} {} by {}: {}", made.decision.as_str(), written(made.at), made.by, made.reason)
    }));
    lines.push(match &item.acceptance {
        Acceptance::Merge => "can be accepted as it is".to_owned(),
        Acceptance::Rewrite => "can be accepted: its values would be written anew".to_owned(),
        Acceptance::Duplicate => "the record has all of it".to_owned(),
        Acceptance::Impossible { message, .. } => format!("cannot be accepted: {message}"),
    });
    print(lines.join("\n"))
}

fn said(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => format!("{text:?}"),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Decimal(number) => number.to_string(),
        FieldValue::Bool(truth) => truth.to_string(),
        FieldValue::Time(ms) => written(*ms),
        FieldValue::Absent => "nothing".to_owned(),
    }
}
