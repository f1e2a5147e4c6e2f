//! `doorstep quarantine`.

use super::failure::Failure;
use super::people::{print_lines, written};
use super::{BY, Desk, Quarantine, print, print_json};
use crate::office::store::{Asides, Stand};
use crate::office::{Acceptance, QuarantineItem};
use crate::record::view::FieldValue;

pub(super) fn run(desk: &Desk, command: Quarantine) -> Result<(), Failure> {
    let Desk { office, runtime, .. } = desk;
    let (by, role) = BY;
    match command {
        Quarantine::List { state, user, limit, output } => {
            let stand = match state.as_deref() {
                None => None,
                Some(word) => Some(
                    Stand::parse(word)
                        .ok_or_else(|| Failure::usage("--state is open, accepted or dismissed"))?,
                ),
            };
            let asked = Asides { stand, user, limit, ..Asides::default() };
            let page = runtime.block_on(office.quarantine_page(asked))?;
            if output.json {
                return print_json(&page);
            }
            let lines = page.rows.iter().map(|row| {
                let case = row.case_no.as_deref().unwrap_or(&row.record);
                let (at, state) = (written(row.at), row.state.as_str());
                let about =
                    if row.path.is_empty() { row.units.join(" ") } else { row.path.clone() };
                format!(
                    "{:>6} {state:<9} {at} {:<16} {case}  {}  {about}",
                    row.id, row.user, row.code
                )
            });
            print_lines("nothing is in quarantine", lines)
        }
        Quarantine::Show { number, output } => {
            show(&runtime.block_on(office.quarantine_item(number))?, output.json)
        }
        Quarantine::Accept { number, reason, output } => {
            let reason = reason.unwrap_or_default();
            let accepted = office.accept_quarantined(number, None, &reason, by, role);
            show(&runtime.block_on(accepted)?, output.json)
        }
        Quarantine::Dismiss { number, reason, output } => {
            show(&runtime.block_on(office.dismiss_quarantined(number, &reason, by))?, output.json)
        }
    }
}

fn show(item: &QuarantineItem, json: bool) -> Result<(), Failure> {
    if json {
        return print_json(item);
    }
    let line = &item.line;
    let case = line.case_no.as_deref().unwrap_or(&line.record);
    let mut lines = vec![
        format!("{} for {case}, from {} on {}", line.id, line.user, line.device),
        format!("kept {}: {} {}", written(line.at), line.code, line.message),
    ];
    lines.extend(item.fields.iter().map(|field| {
        format!("  {}: {} (office: {})", field.path, said(&field.refused), said(&field.office))
    }));
    lines.extend(item.decisions.iter().map(|made| {
        format!("{} {} by {}: {}", made.decision.as_str(), written(made.at), made.by, made.reason)
    }));
    lines.push(match &item.acceptance {
        Acceptance::Merge => "can be accepted as it is".to_owned(),
        Acceptance::Anew => "can be accepted: its values would be written anew".to_owned(),
        Acceptance::Held => "the record has all of it".to_owned(),
        Acceptance::Impossible { message, .. } => format!("cannot be accepted: {message}"),
    });
    print(lines.join("\n"))
}

fn said(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => format!("{text:?}"),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Decimal(number) => number.to_string(),
        FieldValue::Truth(truth) => truth.to_string(),
        FieldValue::Time(ms) => written(*ms),
        FieldValue::Nothing => "nothing".to_owned(),
    }
}
