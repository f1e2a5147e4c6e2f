//! Visit records leave the office: as CSV and XLSX for people, as JSON lines for programs, as
//! Automerge documents for anybody who wants to check the history.
//!
//! An export is written record by record: it asks for one page of the list at a time, and no
//! format holds more than the record at hand.

mod automerge;
mod column;
pub mod complaints;
mod csv;
pub mod odata;
mod source;
mod xlsx;

use std::io::{self, Write};

pub use automerge::write_folder;
pub use source::Selection;

use crate::office::OfficeError;
use crate::record::view::VisitView;

/// What an export can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, UTF-8 with a byte order mark so that Excel reads Chinese.
    Csv,
    /// An Excel workbook.
    Xlsx,
    /// One view per line.
    Jsonl,
    /// The documents themselves, zipped.
    Automerge,
}

impl Format {
    /// The format of a word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "jsonl" => Some(Self::Jsonl),
            "automerge" => Some(Self::Automerge),
            _ => None,
        }
    }

    /// The name of a file of this format.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Csv => "visits.csv",
            Self::Xlsx => "visits.xlsx",
            Self::Jsonl => "visits.jsonl",
            Self::Automerge => "visits-automerge.zip",
        }
    }

    /// The media type of such a file.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Jsonl => "application/jsonl; charset=utf-8",
            Self::Automerge => "application/zip",
        }
    }
}

/// What an export says of each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Whole,
    /// No names, phone numbers, addresses and positions of borrowers, and no free text.
    Minimal,
}

/// A record as it is exported.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Everything that it says.
    pub view: VisitView,
    /// When the office last accepted something, ms.
    pub updated_at: i64,
    /// Its document; empty where the format has no use for it.
    pub document: Vec<u8>,
}

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A record could not be read.
    #[error(transparent)]
    Office(#[from] OfficeError),
    /// The file could not be written.
    #[error("the export could not be written: {0}")]
    Write(#[from] io::Error),
}

/// Writes all records that are selected; gives their number. Blocks.
pub fn write(
    selection: Selection,
    format: Format,
    scope: Scope,
    out: &mut (dyn Write + Send),
) -> Result<u64, ExportError> {
    let records = selection.records(format == Format::Automerge);
    match format {
        Format::Csv => csv::write(records, scope, out),
        Format::Xlsx => xlsx::write(records, scope, out),
        Format::Jsonl => jsonl(records, scope, out),
        // A document is signed as a whole.
        Format::Automerge => automerge::write_zip(records, out),
    }
}

fn jsonl(
    records: impl Iterator<Item = Result<Exported, ExportError>>,
    scope: Scope,
    out: &mut dyn Write,
) -> Result<u64, ExportError> {
    let mut written = 0;
    for record in records {
        let record = record?;
        let line = match scope {
            Scope::Whole => serde_json::to_writer(&mut *out, &record.view),
            Scope::Minimal => {
                let names: Vec<_> = odata::properties().map(|(name, _)| name).collect();
                serde_json::to_writer(&mut *out, &odata::entity(&record, &names))
            }
        };
        line.map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        written += 1;
    }
    Ok(written)
}

#[cfg(test)]
mod tests;
