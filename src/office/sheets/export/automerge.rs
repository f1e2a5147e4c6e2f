//! The documents themselves, one file each, loadable by any Automerge 3 implementation.

use std::io::{self, Write};
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{ExportError, Exported, Selection};
use crate::office::private;

/// Writes a zip with one file per record; gives their number.
pub(super) fn write_zip(
    records: impl Iterator<Item = Result<Exported, ExportError>>,
    out: &mut dyn Write,
) -> Result<u64, ExportError> {
    let mut zip = ZipWriter::new_stream(out);
    // Saved documents are compressed already.
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut written = 0;
    for record in records {
        let record = record?;
        zip.start_file(file_name(&record), options).map_err(io::Error::from)?;
        zip.write_all(&record.document)?;
        written += 1;
    }
    zip.finish().map_err(io::Error::from)?;
    Ok(written)
}

/// Writes a folder with one file per record, made where it isn't there; gives their number.
/// Blocks.
pub fn write_folder(selection: Selection, folder: &Path) -> Result<u64, ExportError> {
    private::create_folder(folder)?;
    let mut written = 0;
    for record in selection.records(true) {
        let record = record?;
        let mut file = private::create(&folder.join(file_name(&record)))?;
        file.write_all(&record.document)?;
        written += 1;
    }
    Ok(written)
}

/// A name that every file system takes, and that never leaves the folder.
fn file_name(record: &Exported) -> String {
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let case_no: String = record.view.case_no.chars().take(64).map(plain).collect();
    format!("{case_no}-{}.automerge", record.view.id)
}
