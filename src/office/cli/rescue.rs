//! `doorstep import rescue`.

use std::fs;

use super::args::ImportRescue;
use super::failure::Failure;
use super::{OfficeContext, print, print_json};
use crate::office::rescue::{RescueReport, RescuedRecord};

pub(super) fn run(context: &OfficeContext, asked: ImportRescue) -> Result<(), Failure> {
    let name = asked.file.display();
    let file = fs::read(&asked.file).map_err(|error| {
        Failure::failed(format!("cannot read {name}: {error}; check its name and place"))
    })?;
    let report = context.runtime.block_on(context.office.import_rescue(&file));
    let report = report.map_err(|error| Failure::failed(format!("{name}: {error}")))?;
    if asked.output.json { print_json(&report) } else { print(text(&report)) }
}

fn text(report: &RescueReport) -> String {
    let RescueReport {
        user,
        device,
        changes,
        merged,
        duplicate,
        quarantined,
        not_kept,
        damaged,
        rows,
    } = report;
    let mut lines = vec![
        format!("{changes} changes of {user}, from device {device}"),
        format!("records: {merged} merged, {duplicate} duplicate, {quarantined} quarantined"),
    ];
    if *not_kept > 0 {
        lines.push(format!(
            "{not_kept} records NOT kept: keep the file, decide on the quarantined work, import it again"
        ));
    }
    lines.extend(rows.iter().map(row));
    lines.extend(damaged.iter().map(|key| format!("{key}: damaged on the phone, not readable")));
    lines.join("\n")
}

fn row(row: &RescuedRecord) -> String {
    let name = row.case_no.as_deref().unwrap_or(&row.record);
    let mut line = format!("{name}: {} changes, {}", row.changes, row.outcome);
    if let Some(reason) = &row.reason {
        line.push_str(": ");
        line.push_str(reason);
    }
    line
}
