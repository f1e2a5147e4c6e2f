//! The rows of a file that were refused, as a file of the same columns: to be corrected and imported
//! again.

use std::collections::BTreeMap;

use super::{ImportResult, own, read_sheet};
use crate::office::sheets::formula;
use crate::office::sheets::import::columns::REASON_HEADING;
use crate::office::sheets::import::{RowOutcome, RowReport, Sheet};
use crate::office::{Office, OfficeError};

impl Office {
    /// The refused rows of an import as CSV with a byte order mark: the reason, then the columns of the
    /// file.
    pub async fn refused_rows(&self, id: [u8; 16], user: &str) -> ImportResult<Vec<u8>> {
        let user = user.to_owned();
        let read = self.blocking(move |office| {
            let read = office.store.read_with(|reads| {
                if let Err(refusal) = own(reads, id, &user)? {
                    return Ok(Err(refusal));
                }
                let rows = reads.import_rows(id, RowOutcome::Refused.as_str(), 0, u32::MAX)?;
                Ok(Ok((reads.import_file(id)?.unwrap_or_default(), rows)))
            })?;
            Ok(read)
        });
        let (file, rows) = match read.await? {
            Ok(read) => read,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let sheet = match read_sheet(file).await? {
            Ok((_, sheet)) => sheet,
            Err(error) => return Ok(Err(error.into())),
        };
        let reasons = rows
            .iter()
            .map(|row| Ok((row.row, reason(&super::decode(&row.report)?))))
            .collect::<Result<BTreeMap<u64, String>, OfficeError>>()?;
        self.blocking(move |_| Ok(Ok(write(&sheet, &reasons)))).await
    }
}

/// In both languages: the file may be passed on.
fn reason(row: &RowReport) -> String {
    let mut reason = row.reason.clone().unwrap_or_default();
    if let Some(chinese) = row.reason_zh.as_ref().filter(|chinese| **chinese != reason) {
        reason = format!("{reason} / {chinese}");
    }
    match &row.field {
        Some(field) => format!("{field}: {reason}"),
        None => reason,
    }
}

/// The reason comes first: a refused row may have more cells than the heading.
fn write(sheet: &Sheet, reasons: &BTreeMap<u64, String>) -> Vec<u8> {
    let out = "\u{feff}".as_bytes().to_vec();
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .quote_style(csv::QuoteStyle::Always)
        .flexible(true)
        .from_writer(out);
    // A file that was refused before has its old reasons in a column.
    let old = sheet.heading.iter().position(|heading| heading.trim() == REASON_HEADING);
    let mut line = |reason: &str, cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells.enumerate().filter(|(at, _)| Some(*at) != old).map(|(_, cell)| cell);
        let escaped = cells.map(|cell| formula::escape(formula::unescape(cell).to_owned()));
        // Writing to memory does not fail.
        drop(writer.write_record(std::iter::once(reason.to_owned()).chain(escaped)));
    };
    line(REASON_HEADING, &mut sheet.heading.iter().map(String::as_str));
    for row in &sheet.rows {
        if let Some(reason) = reasons.get(&(row.number as u64)) {
            line(&formula::escape(reason.clone()), &mut row.cells.iter());
        }
    }
    writer.into_inner().unwrap_or_default()
}
