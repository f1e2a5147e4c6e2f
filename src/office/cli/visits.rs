//! `doorstep export visits`.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::OfficeContext;
use super::args::ExportVisits;
use super::failure::Failure;
use crate::office::sheets::export::{self, ExportError, Format, Scope, Selection};
use crate::office::store::Listing;
use crate::office::time;
use crate::record::terms::{ReviewStatus, Stage};

pub(super) fn run(context: &OfficeContext, asked: ExportVisits) -> Result<(), Failure> {
    let format = Format::parse(&asked.format)
        .ok_or_else(|| Failure::usage("--format is csv, xlsx, jsonl or automerge"))?;
    let listing = listing(asked.since.as_deref(), asked.status.as_deref())?;
    let runtime = context.runtime.handle().clone();
    let selection = Selection::new(context.office.clone(), listing, runtime);
    let written = match (format, asked.out) {
        (Format::Automerge, Some(folder)) => export::write_folder(selection, &folder)?,
        (Format::Automerge, None) => {
            return Err(Failure::usage("name a folder for the documents with --out DIR"));
        }
        (Format::Csv | Format::Xlsx | Format::Jsonl, Some(path)) => {
            to_file(selection, format, &path)?
        }
        (Format::Xlsx, None) if io::stdout().is_terminal() => {
            return Err(Failure::usage("name a file for the workbook with --out PATH"));
        }
        (Format::Csv | Format::Xlsx | Format::Jsonl, None) => {
            match to_output(selection, format) {
                // A closed pipe, as with `head`, is no failure.
                Err(ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Ok(());
                }
                written => written?,
            }
        }
    };
    let records = if written == 1 { "record" } else { "records" };
    eprintln!("{written} {records} exported");
    Ok(())
}

fn to_output(selection: Selection, format: Format) -> Result<u64, ExportError> {
    let mut out = io::BufWriter::new(io::stdout());
    let written = export::write(selection, format, Scope::Whole, &mut out)?;
    out.flush()?;
    Ok(written)
}

/// Writes a temporary file and renames it, so that the file is never incomplete.
fn to_file(selection: Selection, format: Format, path: &Path) -> Result<u64, Failure> {
    let cannot = |error: io::Error| Failure::failed(format!("{}: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    let mut out = io::BufWriter::new(&mut file);
    let written = export::write(selection, format, Scope::Whole, &mut out)?;
    out.flush().map_err(cannot)?;
    drop(out);
    file.as_file().sync_all().map_err(cannot)?;
    file.persist(path).map_err(|error| cannot(error.error))?;
    Ok(written)
}

fn listing(since: Option<&str>, status: Option<&str>) -> Result<Listing, Failure> {
    let mut listing = Listing::default();
    if let Some(text) = since {
        let since = time::parse(text).ok_or_else(|| {
            Failure::usage("--since is a date such as 2026-11-03 or a time in RFC 3339")
        })?;
        listing.since = Some(since);
    }
    if let Some(word) = status {
        match (Stage::parse(word), ReviewStatus::parse(word)) {
            (Some(stage), _) => listing.stages = vec![stage],
            (None, Some(review)) => listing.review = Some(review),
            (None, None) => {
                let stages = Stage::ALL.iter().map(|stage| stage.as_str());
                let reviews = ReviewStatus::ALL.iter().map(|review| review.as_str());
                let known: Vec<&str> = stages.chain(reviews).collect();
                return Err(Failure::usage(format!("--status is one of {}", known.join(", "))));
            }
        }
    }
    Ok(listing)
}
