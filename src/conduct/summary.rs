//! The office's counts over the other records of a case: `case.contact_summary`.
//!
//! One count per kind and day of the borrower's calendar. Every cap can be computed from them, and
//! none of them changes as time passes: `visits.2026-11-03`, `calls.…`, `conversations.…`,
//! `contacts.…`, and by number `attempts.phones.0.…` and `unanswered.phones.0.…`. They
//! count what the rules count in the record itself.

use std::collections::BTreeMap;

use super::context::{EvalContext, ExternalFacts};
use super::policy::{Count, Layer, Rule};
use super::requirement::{KEPT, events, name};
use super::terms::{Confidence, LegalStatus, Moment, Scope, Severity};
use super::time::{ZoneData, show_day};
use crate::record::view::VisitView;

/// Every kind of count.
const COUNTS: [Count; 6] = [
    Count::Visits,
    Count::Calls,
    Count::Conversations,
    Count::Contacts,
    Count::Attempts,
    Count::Unanswered,
];

/// What a record adds to the summaries of the other records of its case, at `now` (ms); empty if
/// the borrower's zone is unknown.
pub fn counts(view: &VisitView, zone: &ZoneData, now: i64) -> BTreeMap<String, i64> {
    let rule = Rule {
        id: String::new(),
        title: String::new(),
        scope: Scope::Both,
        status: LegalStatus::ProductChoice,
        confidence: Confidence::S1,
        citation: String::new(),
        from: None,
        until: None,
        severity: Severity::EvidenceGap,
        consent: false,
        requirements: Vec::new(),
    };
    let layer = Layer {
        id: String::new(),
        version: String::new(),
        title: String::new(),
        jurisdiction: String::new(),
        max_age_hours: None,
        holidays: Vec::new(),
        holidays_known: None,
        rules: Vec::new(),
    };
    let context = EvalContext {
        view,
        moment: Moment::After,
        zone: Some(zone),
        facts: ExternalFacts::default(),
        calendar: &layer,
        rule: &rule,
        clock_correction: 0,
        now,
        planned: now,
        max_age: None,
    };
    let mut counts = BTreeMap::new();
    for count in COUNTS {
        for one in events(&context, count).unwrap_or_default() {
            // Skip counts of other records, and old ones.
            if one.at.is_none_or(|at| at < now - KEPT) {
                continue;
            }
            let number =
                if one.number.is_empty() { String::new() } else { format!("{}.", one.number) };
            let name = format!("{}.{number}{}", name(count), show_day(one.day));
            *counts.entry(name).or_default() += one.times;
        }
    }
    counts
}
