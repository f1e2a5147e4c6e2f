//! The order of work: what a record needs next, and the sort key by the office's rules.
//!
//! Nothing here depends on the current time, so a row keeps its key until its record or the rules
//! change. Pages compare keys by code unit and decide themselves what is overdue today.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::terms::{AppointmentStatus, ReviewStatus, Stage};
use super::view::{VisitSummary, VisitView};
use crate::types::{ApiType, TsType};

super::terms::vocabulary! {
/// One rule of the order. A rule decides among records that the rules before it leave equal.
OrderRule {
    /// The earliest date of the assignment first; records without one last.
    Due = "due",
    /// High priority first.
    Priority = "priority",
    /// The earliest promised payment that is still open first.
    Promise = "promise",
    /// Records of one area together.
    Area = "area",
    /// The longest overdue first.
    Age = "age",
}}

TsType! {
/// What has to be done next on a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// The office returned it.
    Correct,
    /// A hold forbids contact.
    Hold,
    /// No contact yet.
    Contact,
    /// No appointment is agreed.
    Arrange,
    /// Visit, or continue the visit.
    Visit,
    /// Complete and seal it.
    Finish,
    /// Sealed, with a promised payment that is still open.
    FollowUp,
    /// Nothing: sealed or accepted.
    Done,
}
}

TsType! {
/// A promised payment that no recorded payments cover yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct OpenPromise {
    /// `YYYY-MM-DD`.
    #[n(0)]
    pub due_date: String,
    /// Minor units.
    #[n(1)]
    pub amount: i64,
}
}

/// The rules of the order, most important first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueOrder(Vec<OrderRule>);

impl Default for QueueOrder {
    fn default() -> Self {
        Self(vec![OrderRule::Due, OrderRule::Priority, OrderRule::Promise, OrderRule::Age])
    }
}

/// Sorts before every character of a part.
const SEPARATOR: char = '\u{1}';
/// Sorts after every date.
const NO_DATE: &str = "9999-99-99";

impl QueueOrder {
    /// From the words of [`OrderRule`]. A newer office may send words that this version does not
    /// know: they are skipped. No known word gives the default order.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut rules = Vec::new();
        for rule in words.into_iter().filter_map(OrderRule::parse) {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        if rules.is_empty() { Self::default() } else { Self(rules) }
    }

    /// The rules, most important first.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn rules(&self) -> &[OrderRule] {
        &self.0
    }

    /// The key of a record; records that the rules leave equal are in order of case number.
    pub fn sort_key(&self, summary: &VisitSummary, promise: Option<&OpenPromise>) -> String {
        let mut key = String::new();
        for rule in &self.0 {
            match rule {
                OrderRule::Due => key.push_str(date_or_last(&summary.due_by)),
                OrderRule::Priority => key.push_str(&summary.priority.clamp(0, 9).to_string()),
                OrderRule::Promise => {
                    key.push_str(date_or_last(promise.map_or("", |promise| &promise.due_date)));
                }
                OrderRule::Area => key.push_str(area(&summary.address)),
                OrderRule::Age => {
                    const OLDEST: i64 = 99_999;
                    let left = OLDEST - summary.days_past_due.clamp(0, OLDEST);
                    key.push_str(&format!("{left:05}"));
                }
            }
            key.push(SEPARATOR);
        }
        key.push_str(&summary.case_no);
        key
    }
}

fn date_or_last(date: &str) -> &str {
    if date.is_empty() { NO_DATE } else { date }
}

/// What has to be done next on a record.
pub fn work(summary: &VisitSummary, promise: Option<&OpenPromise>) -> Work {
    let open = match summary.stage {
        Stage::Sealed | Stage::Reviewed if promise.is_some() => return Work::FollowUp,
        Stage::Sealed | Stage::Reviewed => return Work::Done,
        Stage::Recorded if summary.review_status == ReviewStatus::Returned => {
            return Work::Correct;
        }
        Stage::Recorded => Work::Finish,
        Stage::OnSite => Work::Visit,
        Stage::Scheduled => match summary.appointment_status {
            Some(AppointmentStatus::Agreed) => Work::Visit,
            Some(
                AppointmentStatus::Proposed
                | AppointmentStatus::Declined
                | AppointmentStatus::Cancelled,
            )
            | None => Work::Arrange,
        },
        Stage::Contacted => Work::Arrange,
        Stage::Assigned => Work::Contact,
    };
    // A hold stops contacts and visits; what was visited is still to be finished.
    match open {
        Work::Contact | Work::Arrange if !summary.holds.is_empty() => Work::Hold,
        Work::Visit if !summary.holds.is_empty() && summary.stage != Stage::OnSite => Work::Hold,
        open => open,
    }
}

/// The promised payment, unless the recorded payments reach its amount.
pub fn open_promise(view: &VisitView) -> Option<OpenPromise> {
    let promise = view.talk.promise.as_ref()?;
    let paid = view.payments.iter().fold(0_i64, |sum, payment| sum.saturating_add(payment.amount));
    (paid < promise.amount)
        .then(|| OpenPromise { due_date: promise.due_date.clone(), amount: promise.amount })
}

/// The part of an address that neighbouring records share: the district of a Chinese address, or
/// the district or town of one with commas. Empty if none is found.
pub fn area(address: &str) -> &str {
    match district(address) {
        "" => locality(address),
        found => found,
    }
}

/// Ends of administrative divisions, and words with the same ends that are none.
const DIVISIONS: [char; 5] = ['市', '区', '县', '旗', '州'];
const NOT_DIVISIONS: [&str; 4] = ["小区", "社区", "园区", "街区"];
/// From here on an address names streets and houses.
const STREETS: [char; 8] = ['路', '街', '道', '巷', '弄', '镇', '乡', '村'];

/// The last division before the street: `江北区` of `浙江省宁波市江北区通途路669号`.
fn district(address: &str) -> &str {
    let mut found = "";
    let mut start = 0;
    for (at, character) in address.char_indices() {
        let end = at + character.len_utf8();
        if character == '省' {
            start = end;
        } else if STREETS.contains(&character) || character.is_ascii_digit() {
            break;
        } else if DIVISIONS.contains(&character) {
            let part = &address[start..end];
            if part.chars().count() > 1 && !NOT_DIVISIONS.iter().any(|word| part.ends_with(word)) {
                found = part;
                start = end;
            }
        }
    }
    found
}

/// `Kensington` of `12 High Street, Kensington, London W8`; a part with digits is no name.
fn locality(address: &str) -> &str {
    let parts: Vec<&str> = address.split([',', '，']).map(str::trim).collect();
    let candidate = match parts.as_slice() {
        [] | [_] => return "",
        [.., last] if parts.len() == 2 => last,
        [.., part, _] => part,
    };
    let name_end = candidate.find(|c: char| c.is_ascii_digit()).map_or(candidate.len(), |digit| {
        candidate[..digit].rfind(char::is_whitespace).unwrap_or_default()
    });
    candidate[..name_end].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_found_in_chinese_addresses_and_in_others() {
        for (address, expected) in [
            ("浙江省宁波市江北区通途路669号18幢801室", "江北区"),
            ("浙江省宁波市余姚市钱湖南路379号38幢2704室", "余姚市"),
            ("浙江省宁波市慈溪市新碶街道明州路939号", "慈溪市"),
            ("宁波市象山县天童南路584号", "象山县"),
            ("北京市朝阳区文苑小区3幢", "朝阳区"),
            ("12 High Street, Kensington, London W8 4PT", "Kensington"),
            ("Flat 4, 12 MG Road, Indiranagar 560038, Bengaluru", "Indiranagar"),
            ("12 High Street, London W8 4PT", "London"),
            ("12 High Street", ""),
            ("12 High Street, 4711", ""),
            ("", ""),
        ] {
            assert_eq!(area(address), expected, "{address}");
        }
    }

    #[test]
    fn unknown_and_repeated_rules_are_skipped() {
        let order = QueueOrder::from_words(["area", "moon", "area", "due"]);
        assert_eq!(order, QueueOrder(vec![OrderRule::Area, OrderRule::Due]));
        assert_eq!(QueueOrder::from_words(["moon"]), QueueOrder::default());
    }
}
