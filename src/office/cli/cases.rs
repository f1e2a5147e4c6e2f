//! `doorstep import cases`.

use std::fs;
use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

use super::args::ImportCases;
use super::failure::Failure;
use super::{BY, OfficeContext, print, print_json};
use crate::office::sheets::import::{ImportError, ImportReport, Options, RowReport, import};

/// Lists as long as this are worth a progress bar.
const LONG: usize = 2_000;

pub(super) fn run(context: &OfficeContext, asked: ImportCases) -> Result<(), Failure> {
    let file = fs::read(&asked.file).map_err(|error| {
        let file = asked.file.display();
        Failure::failed(format!("cannot read {file}: {error}; check its name and place"))
    })?;
    let options =
        Options { assign_to: asked.assign_to, zone: asked.zone.zone, dry_run: asked.dry_run };
    let bar = bar();
    let progress = |done: usize, of: usize| {
        if of >= LONG {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        }
    };
    let importing = import(&context.office, &context.accounts, file, options, BY, &progress);
    let report = context.runtime.block_on(importing);
    bar.finish_and_clear();
    let report = report.map_err(|error| match error {
        ImportError::Sheet(error) => Failure::failed(format!("{}: {error}", asked.file.display())),
        error @ (ImportError::NoCollector(_)
        | ImportError::Office(_)
        | ImportError::Accounts(_)) => error.into(),
    })?;
    if asked.output.json { print_json(&report) } else { print(text(&report)) }
}

fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} rows, {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn text(report: &ImportReport) -> String {
    let ImportReport { dry_run, created, updated, unchanged, refused, rows, notes } = report;
    let would = if *dry_run { "nothing written; it would be: " } else { "" };
    let mut lines = vec![format!(
        "{would}{created} created, {updated} updated, {unchanged} unchanged, {refused} refused"
    )];
    lines.extend(notes.iter().map(|note| format!("note: {note}")));
    lines.extend(rows.iter().map(row));
    lines.join("\n")
}

/// People look a row up by the number that their spreadsheet shows.
fn row(row: &RowReport) -> String {
    let mut parts = vec![format!("line {} of the sheet", row.sheet_row)];
    parts.extend(row.case_no.clone());
    parts.push(row.outcome.to_string());
    parts.extend(row.field.clone());
    parts.extend(row.reason.clone());
    if !row.changed.is_empty() {
        parts.push(row.changed.join(", "));
    }
    parts.join(": ")
}
