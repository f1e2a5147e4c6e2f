//! The complaints of an office as a sheet for its regulator: when, how, and how they were decided.
//! Neither what was said nor who the borrower is.

use std::io::Write;

use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;

use super::column::Cell;
use super::{ExportError, Format, csv, xlsx};
use crate::office::store::{Complaint, ComplaintOutcome};
use crate::office::{Office, OfficeError};

/// Complaints read at once.
const PAGE: u32 = 200;
const DAY_MS: i64 = 24 * 3_600_000;

const HEADINGS: &[&str] = &[
    "number",
    "case_no",
    "source",
    "topic",
    "received_at",
    "rule",
    "deadline_at",
    "replied_at",
    "closed_at",
    "outcome",
    "days",
    "late",
    "extended_from",
];

/// Writes all complaints in order of their numbers, times in a zone; gives how many. Blocks.
pub fn write(
    office: &Office,
    zone: Tz,
    format: Format,
    out: &mut (dyn Write + Send),
) -> Result<u64, ExportError> {
    let now = office.now();
    let mut after = 0;
    let mut page = Vec::new().into_iter();
    let rows = std::iter::from_fn(|| {
        if page.len() == 0 {
            let read = office.store().read_with(|reads| reads.complaints_after(after, PAGE));
            match read {
                Ok(read) => page = read.into_iter(),
                Err(error) => return Some(Err(OfficeError::from(error).into())),
            }
        }
        let complaint = page.next()?;
        after = complaint.number;
        Some(Ok(cells(&complaint, zone, now)))
    });
    match format {
        Format::Csv | Format::Jsonl | Format::Automerge => csv::write_table(HEADINGS, rows, out),
        Format::Xlsx => xlsx::write_table("complaints", HEADINGS, rows, out),
    }
}

fn cells(complaint: &Complaint, zone: Tz, now: i64) -> Vec<Cell> {
    let time = |ms: Option<i64>| {
        let time = ms.and_then(DateTime::from_timestamp_millis);
        time.map_or(Cell::Empty, |time| {
            let there = time.with_timezone(&zone);
            Cell::Time(there.to_rfc3339_opts(SecondsFormat::Secs, false))
        })
    };
    let text = |text: &str| Cell::Text(text.to_owned());
    let (closed_at, outcome) = complaint.closed.unzip();
    let end = closed_at.unwrap_or(now);
    vec![
        Cell::Whole(i64::try_from(complaint.number).unwrap_or(i64::MAX)),
        text(&complaint.case_no),
        text(complaint.source.as_str()),
        text(complaint.topic.as_str()),
        time(Some(complaint.received_at)),
        text(&complaint.rule),
        time(Some(complaint.deadline_at)),
        time(complaint.replied_at),
        time(closed_at),
        text(outcome.map_or("", ComplaintOutcome::as_str)),
        Cell::Whole((end - complaint.received_at).div_euclid(DAY_MS)),
        text(if end > complaint.deadline_at { "yes" } else { "no" }),
        time(complaint.extended_from),
    ]
}
