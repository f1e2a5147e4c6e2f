//! Reads a file of rows under one heading: CSV in UTF-8, UTF-16 or GB18030, separated by commas,
//! semicolons or tabs, or an Excel workbook. Every cell becomes text.
//!
//! A few bytes of a file can expand to very many: cells that repeat one long text, rows with one
//! cell far to the right, archives with a high compression ratio. So the expanded size is counted
//! while the file is read.

mod archive;

use std::io::Cursor;
use std::panic::catch_unwind;

use calamine::{DataRef, Reader, Xlsx};
use csv::StringRecord;
use encoding_rs::{Encoding, GB18030};

/// Columns per row: more than any case list has. Bounds the memory of one row.
const MAX_COLUMNS: usize = 256;

/// Rows of one file: twice the longest required list. Each may end up in the report.
pub const MAX_ROWS: usize = 200_000;

/// Cells of one text file: 20 columns in each row.
const MAX_CELLS: usize = 20 * MAX_ROWS;

/// Memory of the rows of one file, bytes: 200,000 rows of 600 bytes.
const MAX_MEMORY: usize = 128 * 1024 * 1024;

/// Approximate overhead of a row in memory, bytes: its record and the ends of its cells.
const ROW_COST: usize = 128;

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// Empty, or only white space.
    #[error("the file is empty: export the case list again")]
    Empty,
    /// Neither text nor a workbook.
    #[error("the file is neither CSV nor XLSX: save the case list as one of them")]
    Binary,
    /// A workbook of Excel 97 to 2003.
    #[error("this is an old Excel workbook (.xls): save it as .xlsx or CSV")]
    OldWorkbook,
    /// A zip that is no workbook, or a truncated workbook.
    #[error("the workbook is damaged or is no .xlsx: open it in Excel and save it again")]
    Damaged,
    /// It exceeds a limit.
    #[error("the file is too large: split it into several")]
    TooLarge,
    /// No heading names a case number.
    #[error(
        "no heading for the case number in the first row: name the columns case_no, \
         borrower_name, overdue_amount, currency, due_date … or 案件编号, 借款人姓名, 逾期金额, \
         币种, 到期日 …"
    )]
    NoHeading,
}

/// Rows of text under a heading.
#[derive(Debug)]
pub struct Sheet {
    /// The first row.
    pub heading: Vec<String>,
    /// The rows below, in order.
    pub rows: Vec<Row>,
}

/// One row below the heading.
#[derive(Debug)]
pub struct Row {
    /// Number of the row below the heading, from 1.
    pub number: usize,
    /// The row's number in the sheet, where the heading is row 1.
    pub sheet_row: usize,
    /// Its cells.
    pub cells: StringRecord,
}

impl Sheet {
    /// Reads a CSV file or a workbook.
    pub fn read(bytes: &[u8]) -> Result<Self, SheetError> {
        let records = match bytes {
            [b'P', b'K', 3, 4, ..] => read_workbook_caught(bytes)?,
            [0xD0, 0xCF, 0x11, 0xE0, ..] => return Err(SheetError::OldWorkbook),
            _ => read_text(bytes)?,
        };
        let mut records = records.kept.into_iter().skip_while(|(_, cells)| is_blank(cells));
        let (top, heading) = records.next().ok_or(SheetError::Empty)?;
        let rows = records
            .filter(|(_, cells)| !is_blank(cells))
            .map(|(at, cells)| Row { number: at - top, sheet_row: at + 1, cells })
            .collect();
        Ok(Self { heading: heading.iter().map(str::to_owned).collect(), rows })
    }
}

fn is_blank(cells: &StringRecord) -> bool {
    cells.iter().all(|cell| cell.trim().is_empty())
}

/// Records with their position in the file, from 0.
struct Records {
    kept: Vec<(usize, StringRecord)>,
    /// Remaining memory, bytes.
    room: usize,
}

impl Records {
    fn new() -> Self {
        Self { kept: Vec::new(), room: MAX_MEMORY }
    }

    /// Reserves memory for text.
    fn reserve(&mut self, bytes: usize) -> Result<(), SheetError> {
        self.room = self.room.checked_sub(bytes).ok_or(SheetError::TooLarge)?;
        Ok(())
    }

    /// Adds a record whose text was reserved, unless it is empty.
    fn push(&mut self, at: usize, cells: &[String]) -> Result<(), SheetError> {
        if cells.iter().all(String::is_empty) {
            return Ok(());
        }
        self.reserve(ROW_COST + cells.len() * size_of::<usize>())?;
        if self.kept.len() == MAX_ROWS {
            return Err(SheetError::TooLarge);
        }
        self.kept.push((at, StringRecord::from(cells)));
        Ok(())
    }
}

fn read_text(bytes: &[u8]) -> Result<Records, SheetError> {
    let text = decode(bytes).ok_or(SheetError::Binary)?;
    if text.trim().is_empty() {
        return Err(SheetError::Empty);
    }
    let delimiter = delimiter(&text);
    // A row of nothing but delimiters takes many times its bytes in memory.
    if text.bytes().filter(|byte| *byte == delimiter).count() > MAX_CELLS {
        return Err(SheetError::TooLarge);
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut records = Records::new();
    // A reused buffer keeps its peak capacity; stored records are trimmed copies.
    let mut record = StringRecord::new();
    // Reading UTF-8 from memory does not fail, and rows may differ in length.
    for at in 0.. {
        if !reader.read_record(&mut record).map_err(|_| SheetError::Binary)? {
            break;
        }
        records.reserve(record.as_slice().len())?;
        // One more than allowed, so that the row is found too wide.
        let cells = record.iter().take(MAX_COLUMNS + 1).map(str::to_owned);
        records.push(at, &cells.collect::<Vec<_>>())?;
    }
    Ok(records)
}

/// Decodes the file; `None` if no encoding fits. Chinese text in GB18030 is practically never valid
/// UTF-8 by accident.
fn decode(bytes: &[u8]) -> Option<String> {
    let text = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => {
            encoding.decode_without_bom_handling_and_without_replacement(bytes.get(length..)?)?
        }
        None => match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => GB18030.decode_without_bom_handling_and_without_replacement(bytes)?,
        },
    };
    let is_text = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{1a}');
    text.chars().all(is_text).then(|| text.into_owned())
}

/// Detects the delimiter: the most frequent candidate of the first line, outside of quotes.
fn delimiter(text: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    for byte in text.trim_start().bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if !quoted => {
                counts.iter_mut().filter(|(known, _)| *known == byte).for_each(|(_, n)| *n += 1);
            }
            _ => {}
        }
    }
    // The comma comes first and wins a tie, for example in a single column.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(byte, _)| *byte)
}

/// Reads a workbook; a panic of the library on a malformed one means that it is damaged.
fn read_workbook_caught(bytes: &[u8]) -> Result<Records, SheetError> {
    catch_unwind(|| read_workbook(bytes)).unwrap_or(Err(SheetError::Damaged))
}

fn read_workbook(bytes: &[u8]) -> Result<Records, SheetError> {
    archive::check(bytes)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| SheetError::Damaged)?;
    for name in workbook.sheet_names() {
        // Cell by cell: a range would be allocated completely, down to the last cell.
        let mut cells = workbook.worksheet_cells_reader(&name).map_err(|_| SheetError::Damaged)?;
        let mut records = Records::new();
        let mut row: Vec<String> = Vec::new();
        let mut at = 0;
        while let Some(cell) = cells.next_cell().map_err(|_| SheetError::Damaged)? {
            let (line, column) = cell.get_position();
            let (line, column) = (line as usize, column as usize);
            if line < at {
                // Programs write rows in order; row numbers would be meaningless.
                return Err(SheetError::Damaged);
            }
            if line > at {
                records.push(at, &row)?;
                row.clear();
                at = line;
            }
            if column < MAX_COLUMNS {
                row.resize(row.len().max(column + 1), String::new());
                if let Some(place) = row.get_mut(column) {
                    // Before the copy: many cells may share one long text.
                    records.reserve(length(cell.get_value()))?;
                    *place = text_of(cell.get_value());
                }
            }
        }
        records.push(at, &row)?;
        if !records.kept.is_empty() {
            return Ok(records);
        }
    }
    Err(SheetError::Empty)
}

/// Bytes of a cell's text; 0 for numbers and the like, which are short.
fn length(cell: &DataRef<'_>) -> usize {
    match cell {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.len()
        }
        DataRef::SharedString(text) => text.len(),
        DataRef::Int(_)
        | DataRef::Float(_)
        | DataRef::Bool(_)
        | DataRef::DateTime(_)
        | DataRef::Error(_)
        | DataRef::Empty => 0,
    }
}

fn text_of(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_text(*number),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(time) if time.is_datetime() => {
            let (year, month, day, ..) = time.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::DateTime(time) => number_text(time.as_f64()),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A number as Excel shows it: 15 significant digits, so that 0.1 + 0.2 reads 0.3.
fn number_text(number: f64) -> String {
    let rounded = format!("{number:.14e}").parse().unwrap_or(number);
    // Display never uses an exponent and writes the shortest digits that name the number.
    format!("{rounded}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn cells(bytes: &[u8]) -> Vec<Vec<String>> {
        let sheet = Sheet::read(bytes).unwrap();
        let rows = sheet.rows.iter().map(|row| row.cells.iter().map(str::to_owned).collect());
        std::iter::once(sheet.heading.clone()).chain(rows).collect()
    }

    #[rstest]
    #[case::plain("案件编号,备注\nNB1,甲\n".as_bytes().to_vec())]
    #[case::bom("\u{feff}案件编号,备注\r\nNB1,甲\r\n".as_bytes().to_vec())]
    #[case::gb18030(GB18030.encode("案件编号,备注\r\nNB1,甲").0.into_owned())]
    #[case::semicolons("案件编号;备注\nNB1;甲\n".as_bytes().to_vec())]
    #[case::tabs("案件编号\t备注\nNB1\t甲\n".as_bytes().to_vec())]
    #[case::utf16([0xFF, 0xFE].into_iter()
        .chain("案件编号\t备注\nNB1\t甲\n".encode_utf16().flat_map(u16::to_le_bytes)).collect())]
    fn encodings_and_delimiters(#[case] bytes: Vec<u8>) {
        assert_eq!(cells(&bytes), [["案件编号", "备注"], ["NB1", "甲"]]);
    }

    #[test]
    fn quoted_line_breaks_add_no_rows_and_blank_ones_do_not_count_as_cases() {
        let sheet =
            Sheet::read(b"case_no,note\nA,\"one\ntwo\"\n,\nB,\"say \"\"hi\"\"\"\n").unwrap();
        let rows: Vec<_> =
            sheet.rows.iter().map(|row| (row.number, row.sheet_row, &row.cells[1])).collect();
        assert_eq!(rows, [(1, 2, "one\ntwo"), (3, 4, "say \"hi\"")]);
    }

    #[test]
    fn workbooks_read_as_they_show() {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet();
        let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
        sheet.write_row(0, 0, ["case_no", "overdue_amount", "due_date", "phone"]).unwrap();
        sheet.write(2, 0, "NB1").unwrap();
        sheet.write(2, 1, 0.1 + 0.2).unwrap();
        let due = rust_xlsxwriter::ExcelDateTime::parse_from_str("2026-11-03").unwrap();
        sheet.write_with_format(2, 2, due, &date).unwrap();
        sheet.write(2, 3, 19_000_003_045_i64).unwrap();
        let sheet = Sheet::read(&workbook.save_to_buffer().unwrap()).unwrap();
        assert_eq!(sheet.heading, ["case_no", "overdue_amount", "due_date", "phone"]);
        assert_eq!(sheet.rows.len(), 1);
        assert_eq!((sheet.rows[0].number, sheet.rows[0].sheet_row), (2, 3));
        assert_eq!(
            sheet.rows[0].cells.iter().collect::<Vec<_>>(),
            ["NB1", "0.3", "2026-11-03", "19000003045"]
        );
    }

    #[rstest]
    #[case::nothing(b"", SheetError::Empty)]
    #[case::blank(b" \r\n\r\n", SheetError::Empty)]
    #[case::binary(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", SheetError::Binary)]
    #[case::zeros(&[0; 64], SheetError::Binary)]
    #[case::cut_off(b"PK\x03\x04damaged", SheetError::Damaged)]
    #[case::old(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", SheetError::OldWorkbook)]
    fn what_is_no_sheet(#[case] bytes: &[u8], #[case] error: SheetError) {
        assert_eq!(Sheet::read(bytes).unwrap_err(), error);
    }

    #[rstest]
    #[case::rows("a\n".repeat(MAX_ROWS + 2))]
    #[case::cells(format!("case_no\n{}x", ",".repeat(MAX_CELLS + 1)))]
    fn a_list_that_comes_to_too_much_is_refused(#[case] text: String) {
        assert_eq!(Sheet::read(text.as_bytes()).unwrap_err(), SheetError::TooLarge);
    }

    #[test]
    fn one_long_row_costs_the_others_nothing() {
        let text = format!("case_no\n{}\n{}", "x".repeat(8 << 20), "a\n".repeat(100_000));
        assert_eq!(Sheet::read(text.as_bytes()).unwrap().rows.len(), 100_001);
    }

    #[test]
    fn cells_that_share_a_long_text_are_counted_each() {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet();
        let long = "x".repeat(32_000);
        for row in 0..100 {
            for column in 0..50 {
                sheet.write(row, column, &long).unwrap();
            }
        }
        let bytes = workbook.save_to_buffer().unwrap();
        assert!(bytes.len() < 100_000);
        assert_eq!(Sheet::read(&bytes).unwrap_err(), SheetError::TooLarge);
    }
}
