//! CSV that Excel reads as it is meant: UTF-8 with a byte order mark, CRLF, and no cell that a
//! spreadsheet would run as a formula.

use std::io::{self, Write};

use super::column::{COLUMNS, Cell};
use super::{ExportError, Exported};

/// Writes a heading and one row per record; gives the number of records.
pub(super) fn write(
    records: impl Iterator<Item = Result<Exported, ExportError>>,
    out: &mut dyn Write,
) -> Result<u64, ExportError> {
    out.write_all("\u{feff}".as_bytes())?;
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(COLUMNS.iter().map(|column| column.heading)).map_err(io::Error::from)?;
    let mut written = 0;
    for record in records {
        let record = record?;
        let cells = COLUMNS.iter().map(|column| cell_text(column.cell(&record)));
        writer.write_record(cells).map_err(io::Error::from)?;
        written += 1;
    }
    writer.flush()?;
    Ok(written)
}

fn cell_text(cell: Cell) -> String {
    match cell {
        Cell::Text(text) => defuse(text),
        Cell::Whole(number) => number.to_string(),
        Cell::Fraction(number) => number.to_string(),
        Cell::Amount(text) | Cell::Time(text) => text,
        Cell::Empty => String::new(),
    }
}

/// Puts an apostrophe before text that a spreadsheet would take for a formula. Phone numbers with
/// a plus get one too: there is no way to tell them from `+cmd|…`.
fn defuse(text: String) -> String {
    let risky = |c: char| {
        matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
    };
    if text.starts_with(risky) { format!("'{text}") } else { text }
}
