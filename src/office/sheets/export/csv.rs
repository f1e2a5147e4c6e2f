//! CSV that Excel reads as it is meant: UTF-8 with a byte order mark, CRLF, every cell quoted, and
//! none that a spreadsheet would run as a formula.

use std::io::{self, Write};

use super::column::{Cell, cells, headings};
use super::{ExportError, Exported, Scope};
use crate::office::sheets::formula;

/// Writes a heading and one row per record; gives the number of records.
pub(super) fn write(
    records: impl Iterator<Item = Result<Exported, ExportError>>,
    scope: Scope,
    out: &mut dyn Write,
) -> Result<u64, ExportError> {
    write_table(&headings(scope), records.map(|record| Ok(cells(&record?, scope))), out)
}

/// Writes a heading and rows; gives the number of rows.
pub(super) fn write_table(
    headings: &[&str],
    rows: impl Iterator<Item = Result<Vec<Cell>, ExportError>>,
    out: &mut dyn Write,
) -> Result<u64, ExportError> {
    out.write_all("\u{feff}".as_bytes())?;
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(out);
    writer.write_record(headings).map_err(io::Error::from)?;
    let mut written = 0;
    for row in rows {
        writer.write_record(row?.into_iter().map(cell_text)).map_err(io::Error::from)?;
        written += 1;
    }
    writer.flush()?;
    Ok(written)
}

fn cell_text(cell: Cell) -> String {
    match cell {
        Cell::Text(text) => formula::escape(text),
        Cell::Whole(number) => number.to_string(),
        Cell::Fraction(number) => number.to_string(),
        // Digits that the office wrote: a minus is a sign here.
        Cell::Amount(text) | Cell::Time(text) => text,
        Cell::Empty => String::new(),
    }
}
