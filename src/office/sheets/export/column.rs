//! The columns of an export for people. Headings are stable: other programs read them, and the
//! import knows those that a case list shares.

use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;

use super::{Exported, Scope};
use crate::office::money::Currency;
use crate::record::terms::ReviewStatus;
use crate::record::view::VisitView;

/// The content of a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// What a person typed, or a word of a vocabulary.
    Text(String),
    /// A count.
    Whole(i64),
    /// An amount in major units, exact.
    Amount(String),
    /// Degrees or metres.
    Fraction(f64),
    /// ISO 8601, date or time with offset.
    Time(String),
    /// Nothing.
    Empty,
}

/// A heading and how its cells are read.
pub(super) struct Column {
    /// In the first row.
    pub(super) heading: &'static str,
    read: fn(&Reading<'_>) -> Cell,
}

impl Column {
    /// The cell of a record.
    pub(super) fn cell(&self, record: &Exported) -> Cell {
        let case = &record.view.case;
        (self.read)(&Reading {
            record,
            view: &record.view,
            currency: Currency::parse(&case.currency),
            zone: case.zone.parse().unwrap_or(Tz::UTC),
        })
    }
}

/// Columns with personal data of borrowers, or with free text that may have some.
const PERSONAL: &[&str] = &[
    "review_remark",
    "borrower_name",
    "phone",
    "alt_phone",
    "address",
    "note",
    "instructions",
    "appointment_place",
    "borrower_remark",
    "visit_lat",
    "visit_lon",
    "visit_accuracy_m",
    "checks",
    "overdue_reason_text",
    "promise_channel",
    "notes",
    "feedback",
    "amendments",
];

/// The columns of a scope, in order.
pub(super) fn columns(scope: Scope) -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(move |column| match scope {
        Scope::Whole => true,
        Scope::Minimal => !PERSONAL.contains(&column.heading),
    })
}

/// The first row.
pub(super) fn headings(scope: Scope) -> Vec<&'static str> {
    columns(scope).map(|column| column.heading).collect()
}

/// The row of a record.
pub(super) fn cells(record: &Exported, scope: Scope) -> Vec<Cell> {
    columns(scope).map(|column| column.cell(record)).collect()
}

/// A record, and what its amounts and times are in.
struct Reading<'a> {
    record: &'a Exported,
    view: &'a VisitView,
    currency: Option<Currency>,
    zone: Tz,
}

impl Reading<'_> {
    fn amount(&self, minor: i64) -> Cell {
        match self.currency {
            Some(currency) => Cell::Amount(currency.major(minor)),
            // Minor units of an unknown currency would be read as major ones.
            None => Cell::Text(format!("{minor} minor units")),
        }
    }

    fn time(&self, ms: impl Into<Option<i64>>) -> Cell {
        let time = ms.into().and_then(DateTime::from_timestamp_millis);
        time.map_or(Cell::Empty, |time| {
            let there = time.with_timezone(&self.zone);
            Cell::Time(there.to_rfc3339_opts(SecondsFormat::Secs, false))
        })
    }
}

fn text(text: impl Into<String>) -> Cell {
    let text = text.into();
    if text.is_empty() { Cell::Empty } else { Cell::Text(text) }
}

fn word<T: ToString>(word: Option<T>) -> Cell {
    word.map_or(Cell::Empty, |word| Cell::Text(word.to_string()))
}

fn date(date: &str) -> Cell {
    if date.is_empty() { Cell::Empty } else { Cell::Time(date.to_owned()) }
}

fn count(things: usize) -> Cell {
    Cell::Whole(i64::try_from(things).unwrap_or(i64::MAX))
}

fn joined<T: ToString>(things: impl IntoIterator<Item = T>) -> Cell {
    text(things.into_iter().map(|thing| thing.to_string()).collect::<Vec<_>>().join("; "))
}

fn checks(r: &Reading<'_>) -> Cell {
    joined(r.view.checks.iter().map(|check| {
        let reason = if check.reason.is_empty() { "" } else { ": " };
        format!("{}={} ({}{reason}{})", check.item, check.answer, check.by, check.reason)
    }))
}

fn chosen_option(r: &Reading<'_>) -> Cell {
    let chosen = r.view.talk.chosen_option.as_ref();
    let option = r.view.talk.options.iter().find(|option| Some(&option.id) == chosen);
    option.map_or(Cell::Empty, |option| {
        let amount = match r.amount(option.amount) {
            Cell::Amount(amount) | Cell::Text(amount) => amount,
            Cell::Whole(_) | Cell::Fraction(_) | Cell::Time(_) | Cell::Empty => String::new(),
        };
        text(format!(
            "{}: {amount} in {} from {}",
            option.kind, option.instalments, option.first_due
        ))
    })
}

macro_rules! columns {
    ($($heading:literal => $read:expr;)+) => {
        &[$(Column { heading: $heading, read: $read },)+]
    };
}

/// Every column, in order.
pub(super) const COLUMNS: &[Column] = columns! {
    "record_id" => |r| text(&*r.view.id);
    "case_no" => |r| text(&*r.view.case_no);
    "stage" => |r| text(r.view.stage.as_str());
    "review_status" => |r| text(r.view.review.status.as_str());
    "returned" => |r| {
        let returned = r.view.review.status == ReviewStatus::Returned;
        text(if returned { "yes" } else { "no" })
    };
    "review_remark" => |r| text(&*r.view.review.remark);
    "reviewed_by" => |r| text(&*r.view.review.by);
    "reviewed_at" => |r| r.time(r.view.review.at);
    "borrower_name" => |r| text(&*r.view.case.borrower_name);
    "phone" => |r| joined(r.view.case.phones.iter().take(1));
    "alt_phone" => |r| joined(r.view.case.phones.iter().skip(1));
    "address" => |r| text(&*r.view.case.address);
    "product" => |r| text(&*r.view.case.product);
    "principal" => |r| r.view.case.principal.map_or(Cell::Empty, |minor| r.amount(minor));
    "overdue_amount" => |r| r.amount(r.view.case.overdue);
    "currency" => |r| text(&*r.view.case.currency);
    "days_past_due" => |r| Cell::Whole(r.view.case.days_past_due);
    "due_date" => |r| date(&r.view.case.due_date);
    "last_payment_date" => |r| date(&r.view.case.last_payment_date);
    "preferred_language" => |r| text(&*r.view.case.preferred_language);
    "zone" => |r| text(&*r.view.case.zone);
    "note" => |r| text(&*r.view.case.note);
    "holds" => |r| {
        let mut flags: Vec<_> = r.view.case.flags.iter().map(|raised| raised.flag).collect();
        flags.sort_unstable();
        flags.dedup();
        joined(flags)
    };
    "assigned_to" => |r| joined(&r.view.assignment.collectors);
    "due_by" => |r| date(&r.view.assignment.due_by);
    "priority" => |r| Cell::Whole(r.view.assignment.priority);
    "instructions" => |r| text(&*r.view.assignment.instructions);
    "contacts" => |r| count(r.view.contacts.len());
    "last_contact_at" => |r| r.time(r.view.contacts.last().map(|contact| contact.at));
    "last_contact_outcome" => |r| word(r.view.contacts.last().map(|contact| contact.outcome));
    "appointment_status" => |r| word(r.view.appointment.status);
    "appointment_starts_at" => |r| r.time(r.view.appointment.starts_at);
    "appointment_ends_at" => |r| r.time(r.view.appointment.ends_at);
    "appointment_place" => |r| text(&*r.view.appointment.place);
    "appointment_proposed_by" => |r| word(r.view.appointment.proposed_by);
    "borrower_remark" => |r| text(&*r.view.appointment.borrower_remark);
    "departed_at" => |r| r.time(r.view.visit.departed_at);
    "arrived_at" => |r| r.time(r.view.visit.arrived_at);
    "talk_from" => |r| r.time(r.view.visit.talk_from);
    "talk_to" => |r| r.time(r.view.visit.talk_to);
    "left_at" => |r| r.time(r.view.visit.left_at);
    "asked_to_leave_at" => |r| r.time(r.view.visit.asked_to_leave_at);
    "visit_lat" => |r| r.view.visit.position.map_or(Cell::Empty, |p| Cell::Fraction(p.lat));
    "visit_lon" => |r| r.view.visit.position.map_or(Cell::Empty, |p| Cell::Fraction(p.lon));
    "visit_accuracy_m" => |r| {
        r.view.visit.position.map_or(Cell::Empty, |p| Cell::Fraction(p.accuracy_m))
    };
    "place_type" => |r| word(r.view.visit.place_type);
    "visitors" => |r| joined(&r.view.visit.visitors);
    "person_met" => |r| word(r.view.visit.person_met);
    "checks" => checks;
    "disposition" => |r| word(r.view.talk.disposition);
    "overdue_reason" => |r| word(r.view.talk.overdue_reason);
    "overdue_reason_text" => |r| text(&*r.view.talk.overdue_reason_text);
    "willingness" => |r| word(r.view.talk.willingness);
    "options_offered" => |r| count(r.view.talk.options.len());
    "chosen_option" => chosen_option;
    "promise_amount" => |r| {
        r.view.talk.promise.as_ref().map_or(Cell::Empty, |promise| r.amount(promise.amount))
    };
    "promise_due_date" => |r| {
        r.view.talk.promise.as_ref().map_or(Cell::Empty, |promise| date(&promise.due_date))
    };
    "promise_channel" => |r| {
        r.view.talk.promise.as_ref().map_or(Cell::Empty, |promise| text(&*promise.channel))
    };
    "payments" => |r| count(r.view.payments.len());
    "payments_total" => |r| {
        let total = r.view.payments.iter().try_fold(0_i64, |sum, p| sum.checked_add(p.amount));
        total.map_or(Cell::Empty, |total| r.amount(total))
    };
    "notes" => |r| text(&*r.view.notes);
    "feedback" => |r| text(&*r.view.feedback);
    "attachments" => |r| count(r.view.attachments.len());
    "sealed_at" => |r| r.time(r.view.seal.as_ref().map(|seal| seal.at));
    "sealed_by" => |r| r.view.seal.as_ref().map_or(Cell::Empty, |seal| text(&*seal.by));
    "amendments" => |r| joined(r.view.amendments.iter().map(|a| format!("{}: {}", a.path, a.text)));
    "conflicts" => |r| joined(r.view.conflicts.iter().map(|conflict| &*conflict.path));
    "updated_at" => |r| r.time(r.record.updated_at);
};
