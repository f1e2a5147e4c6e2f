//! An Excel workbook with one sheet. Rows go to a temporary file as they are written.

use std::io::{self, Write};

use rust_xlsxwriter::{ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::column::{Cell, cells, headings};
use super::{ExportError, Exported, Scope};
use crate::office::sheets::formula;

/// Excel refuses longer cells (32,767 characters, counted in UTF-16 units).
const MAX_CELL: usize = 32_767;

/// Says where the rest of a text is that Excel has no room for.
const CUT: &str = " … [cut here: the whole text is in the CSV and JSON lines]";

/// Digits that a spreadsheet keeps; longer amounts stay text.
const EXACT_DIGITS: usize = 15;

/// Writes a heading and one row per record; gives the number of records.
pub(super) fn write(
    records: impl Iterator<Item = Result<Exported, ExportError>>,
    scope: Scope,
    out: &mut dyn Write,
) -> Result<u64, ExportError> {
    let rows = records.map(|record| Ok(cells(&record?, scope)));
    write_table("visits", &headings(scope), rows, out)
}

/// Writes a sheet with a heading and rows; gives the number of rows.
pub(super) fn write_table(
    name: &str,
    headings: &[&str],
    rows: impl Iterator<Item = Result<Vec<Cell>, ExportError>>,
    out: &mut dyn Write,
) -> Result<u64, ExportError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory().map_err(failed)?;
    let heading = Format::new().set_bold().set_align(FormatAlign::Top);
    let formats = Formats {
        money: ["0", "0.00", "0.000", "0.0000"].map(|format| Format::new().set_num_format(format)),
        day: Format::new().set_num_format("yyyy-mm-dd"),
        time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
    };
    sheet.set_name(name).map_err(failed)?;
    sheet.set_freeze_panes(1, 2).map_err(failed)?;
    for (at, text) in (0..).zip(headings) {
        sheet.set_column_width(at, 18).map_err(failed)?;
        sheet.write_with_format(0, at, *text, &heading).map_err(failed)?;
    }
    let mut written = 0;
    for row in rows {
        written += 1;
        for (at, cell) in (0..).zip(row?) {
            put(sheet, written, at, cell, &formats).map_err(failed)?;
        }
    }
    // A workbook is a zip whose directory comes last and is written with seeks.
    let mut file = tempfile::tempfile()?;
    workbook.save_to_writer(&mut file).map_err(failed)?;
    io::Seek::rewind(&mut file)?;
    io::copy(&mut file, out)?;
    Ok(u64::from(written))
}

/// How numbers and times are shown.
struct Formats {
    /// By the number of decimals.
    money: [Format; 4],
    day: Format,
    time: Format,
}

/// A day or a time as Excel counts it, and whether it is a day. Excel knows no zones: a time is that
/// of the clock at the borrower's place, whose zone has a column of its own.
fn typed_time(text: &str) -> Option<(ExcelDateTime, bool)> {
    let (local, day) = (text.get(..19), text.len() == "2026-11-03".len());
    let time = ExcelDateTime::parse_from_str(local.unwrap_or(text)).ok()?;
    Some((time, day))
}

fn put(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Cell,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match cell {
        // A string is never taken for a formula here: the file says which is which.
        Cell::Text(text) => sheet.write_string(row, column, fit(formula::escape_typed(text)))?,
        Cell::Time(text) => match typed_time(&text) {
            Some((time, day)) => {
                let format = if day { &formats.day } else { &formats.time };
                sheet.write_datetime_with_format(row, column, time, format)?
            }
            None => sheet.write_string(row, column, text)?,
        },
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        Cell::Whole(number) => sheet.write_number(row, column, number as f64)?,
        Cell::Fraction(number) => sheet.write_number(row, column, number)?,
        Cell::Amount(text) => {
            let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            // The double nearest to so few digits reads back as the same digits.
            match (text.parse::<f64>(), formats.money.get(decimals)) {
                (Ok(number), Some(format)) if digits <= EXACT_DIGITS => {
                    sheet.write_number_with_format(row, column, number, format)?
                }
                _ => sheet.write_string(row, column, text)?,
            }
        }
        Cell::Empty => sheet,
    };
    Ok(())
}

fn fit(text: String) -> String {
    if text.encode_utf16().count() <= MAX_CELL {
        return text;
    }
    let mut room = MAX_CELL - CUT.encode_utf16().count();
    let mut short: String = text
        .chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= room;
            room = room.saturating_sub(c.len_utf16());
            fits
        })
        .collect();
    short.push_str(CUT);
    short
}

fn failed(error: XlsxError) -> ExportError {
    ExportError::Write(io::Error::other(error))
}
