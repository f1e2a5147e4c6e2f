//! Case lists: files that an office gets from elsewhere.

use std::io::{Cursor, Write};

use doorstep::ids::DeviceId;
use doorstep::office::sheets::import::columns::Columns;
use doorstep::office::sheets::import::reader::Sheet;
use doorstep::office::sheets::import::row::RowReader;
use doorstep::office::sheets::import::{Rules, reader};
use doorstep::record::command::AssignmentPatch;
use doorstep::record::terms::Role;
use doorstep::record::{Author, Record};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A file is no sheet, or rows of which each is refused or makes a record.
pub fn case_list(bytes: &[u8]) {
    let Ok(Sheet { heading, rows }) = Sheet::read(bytes) else { return };
    assert!(rows.len() <= reader::MAX_ROWS);
    let Ok((columns, _)) = Columns::read(&heading) else { return };
    let rules = Rules { collectors: [super::USER.to_owned()].into(), ..Rules::default() };
    let mut reader = RowReader::new(columns, rules);
    let office = Author { role: Role::Supervisor, ..super::author(DeviceId([9; 16]), 1) };
    for row in rows.iter().take(32) {
        let Ok(row) = reader.read(row) else { continue };
        let assignment =
            AssignmentPatch { collectors: Some(row.collectors), ..AssignmentPatch::default() };
        let made = Record::create(super::ID, &row.case_no, &row.case, &assignment, &office);
        // What the record does not take is refused by it.
        assert!(made.is_err() || made.is_ok_and(|record| record.validate().is_ok()));
    }
}

/// The workbook of any bytes is a case list or none.
pub fn worksheet(bytes: &[u8]) {
    case_list(&workbook(bytes));
}

/// A workbook whose sheet, shared texts and styles are any bytes, parted by zeros: packed here,
/// since a fuzzer would never get past the archive's checksums.
pub fn workbook(bytes: &[u8]) -> Vec<u8> {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let mut part = |name| (name, parts.next().unwrap_or_default());
    let parts = [
        part("xl/worksheets/sheet1.xml"),
        part("xl/sharedStrings.xml"),
        part("xl/styles.xml"),
        ("_rels/.rels", PACKAGE),
        ("xl/workbook.xml", WORKBOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
    ];
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in parts {
        archive.start_file(name, stored).expect("into memory");
        archive.write_all(content).expect("into memory");
    }
    archive.finish().expect("into memory").into_inner()
}

const PACKAGE: &[u8] = br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;

const WORKBOOK: &[u8] = br#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>"#;

const RELATIONS: &[u8] = br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
