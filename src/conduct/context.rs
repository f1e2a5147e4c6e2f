//! The input of a rule: the record, the moment, and facts from outside the record.

use super::finding::Finding;
use super::policy::{Layer, Rule};
use super::terms::Moment;
use super::time::{Day, HOUR, ZoneData};
use super::view::Evidence;
use crate::record::terms::{
    AppointmentStatus, Channel, CheckAnswer, CheckItem, ConductKind, Flag, Grade, TargetRole,
};
use crate::record::view::{ConductEntry, ContactView, VisitView};

/// Maximum travel time: a departure earlier than this is not for the appointment.
const TRAVEL_TIME: i64 = 12 * HOUR;

/// Facts from outside the record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExternalFacts {
    /// By how much the clock that wrote the record's times is ahead of the office's, ms.
    pub skew_ms: Option<i64>,
    /// Time of the office's last known counts and holds, ms: on a phone the last time it was up to
    /// date, in the office now.
    pub office_as_of: Option<i64>,
    /// How many months the office retains records, if known.
    pub retention_months: Option<i64>,
}

/// The input of an evaluation.
#[derive(Debug, Clone, Copy)]
pub struct EvalInput<'q> {
    /// The record.
    pub view: &'q VisitView,
    /// The moment of the visit.
    pub moment: Moment,
    /// Now, by the device's clock, ms.
    pub at: i64,
    /// The borrower's zone, as data.
    pub zone: Option<&'q ZoneData>,
    /// Facts from outside the record.
    pub facts: ExternalFacts,
}

/// The context of one rule, under one assumption about the device's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct EvalContext<'q> {
    pub(super) view: &'q VisitView,
    pub(super) moment: Moment,
    pub(super) zone: Option<&'q ZoneData>,
    pub(super) facts: ExternalFacts,
    /// The layer whose holidays apply.
    pub(super) calendar: &'q Layer,
    pub(super) rule: &'q Rule,
    /// Subtracted from every time that a device wrote, ms.
    pub(super) clock_correction: i64,
    /// Now, corrected.
    pub(super) now: i64,
    /// The assumed time of the visit, ms.
    pub(super) planned: i64,
    /// Maximum age of the office's counts and holds, ms.
    pub(super) max_age: Option<i64>,
}

/// The visit, as far as it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    /// Not begun; planned for this time.
    Planned(i64),
    /// Begun at this time; no end is recorded.
    Begun(i64),
    /// Begun and ended.
    Ended(i64, i64),
    /// No visit took place.
    None,
}

impl<'q> EvalContext<'q> {
    /// Corrects a time that a device wrote.
    pub(super) fn device(&self, at: i64) -> i64 {
        at.saturating_sub(self.clock_correction)
    }

    pub(super) fn visit(&self) -> Visit {
        let facts = &self.view.visit;
        match (self.moment, facts.arrived_at, facts.left_at) {
            (Moment::Before, ..) => Visit::Planned(self.planned),
            (Moment::Arrival, None, _) => Visit::Begun(self.now),
            (Moment::Arrival, Some(arrived), _) => Visit::Begun(self.device(arrived)),
            (Moment::After, None, _) => Visit::None,
            (Moment::After, Some(arrived), None) => Visit::Begun(self.device(arrived)),
            (Moment::After, Some(arrived), Some(left)) => {
                Visit::Ended(self.device(arrived), self.device(left).max(self.device(arrived)))
            }
        }
    }

    /// The visit as `[from, to]`, as far as it is recorded; `None` if there was none.
    pub(super) fn interval(&self) -> Option<(i64, i64)> {
        match self.visit() {
            Visit::Planned(at) | Visit::Begun(at) => Some((at, at)),
            Visit::Ended(from, to) => Some((from, to)),
            Visit::None => None,
        }
    }

    /// Turns a pass into unknown if the end of the visit is not recorded: the visit may have run
    /// past the agreed time, the end of a window, or into a holiday.
    pub(super) fn so_far(&self, passes: Finding) -> Finding {
        if self.moment == Moment::After && matches!(self.visit(), Visit::Begun(_)) {
            let mut open =
                Finding::unknown("not_left").with_evidence(evidence("visit.left_at", ""));
            open.evidence.extend(passes.evidence);
            open.evidence.sort_unstable();
            open.evidence.dedup();
            return open;
        }
        passes
    }

    /// When the visit began or is planned; `None` if there was none.
    pub(super) fn visit_from(&self) -> Option<i64> {
        self.interval().map(|(from, _)| from)
    }

    pub(super) fn day(&self, at: i64) -> Option<Day> {
        self.zone?.day(at)
    }

    /// Contacts made while the rule was in force, with their corrected times.
    pub(super) fn contacts(&self) -> impl Iterator<Item = (i64, &'q ContactView)> {
        let context = *self;
        self.view.contacts.iter().filter_map(move |contact| {
            let at = context.device(contact.at);
            context.in_force(at).then_some((at, contact))
        })
    }

    /// Whether the rule is in force at a time; uses the UTC day if the zone is unknown.
    pub(super) fn in_force(&self, at: i64) -> bool {
        let utc = || Day::try_from(at.div_euclid(24 * HOUR)).unwrap_or(0);
        let day = self.day(at).unwrap_or_else(utc);
        self.rule.from.is_none_or(|from| day >= from)
            && self.rule.until.is_none_or(|until| day < until)
    }

    // -- consent

    /// Whether the borrower agreed to a visit in `[from, to]`. An appointment in conflict is no
    /// agreement.
    pub(super) fn agreed(&self, from: i64, to: i64) -> bool {
        let appointment = &self.view.appointment;
        let contested = ["appointment.status", "appointment.starts_at", "appointment.ends_at"];
        let sure = !self.view.conflicts.iter().any(|it| contested.contains(&it.path.as_str()));
        let inside = appointment
            .starts_at
            .zip(appointment.ends_at)
            .is_some_and(|(starts, ends)| starts <= from && to <= ends && from < ends);
        sure && inside && appointment.status == Some(AppointmentStatus::Agreed)
    }

    /// The evidence grade of a consent to this rule that covers `[from, to]`.
    pub(super) fn consent(&self, from: i64, to: i64) -> Option<Grade> {
        let given = self.entries(ConductKind::Consent).filter(|entry| {
            entry.rule == self.rule.id
                && entry.from.is_some_and(|since| since <= from)
                && entry.until.is_some_and(|until| to <= until && from < until)
                && !self
                    .entries(ConductKind::Withdrawal)
                    .any(|taken| taken.of == entry.id && self.device(taken.at) <= to.max(from))
        });
        given.filter_map(|entry| entry.grade).max()
    }

    /// Whether consent waives this rule for a visit in `[from, to]`.
    pub(super) fn waived(&self, from: i64, to: i64) -> Option<Grade> {
        if !self.rule.consent {
            return None;
        }
        let by_appointment = self.agreed(from, to).then_some(Grade::Attested);
        self.consent(from, to).max(by_appointment)
    }

    pub(super) fn entries(&self, kind: ConductKind) -> impl Iterator<Item = &'q ConductEntry> {
        self.view.conduct.iter().filter(move |entry| entry.kind == kind)
    }

    // -- checklist and holds

    /// The combined answer to an item: one collector's "no" outweighs the others.
    pub(super) fn check(&self, item: CheckItem) -> Option<(CheckAnswer, Grade, i64)> {
        let answers = self.view.checks.iter().filter(|check| check.item == item);
        let rank = |answer| match answer {
            CheckAnswer::No => 2,
            CheckAnswer::NotPossible => 1,
            CheckAnswer::Yes => 0,
        };
        answers
            .max_by_key(|check| (rank(check.answer), check.at))
            .map(|check| (check.answer, check.grade, self.device(check.at)))
    }

    /// The hold in force at a time that lasts longest, with its end.
    pub(super) fn hold(&self, flags: &[Flag], at: i64) -> Option<(Flag, Option<i64>)> {
        let standing = self.view.case.flags.iter().filter(|raised| {
            flags.contains(&raised.flag)
                && raised.since <= at
                && raised.until.is_none_or(|until| at < until)
        });
        standing
            .max_by_key(|raised| raised.until.unwrap_or(i64::MAX))
            .map(|raised| (raised.flag, raised.until))
    }

    /// Whether the office's counts and holds are recent enough for a time.
    pub(super) fn office_knows(&self, at: i64, as_of: Option<i64>) -> bool {
        let as_of = as_of.max(self.facts.office_as_of);
        as_of.is_some_and(|as_of| self.max_age.is_none_or(|age| as_of >= at.saturating_sub(age)))
    }
}

/// The planned time of the visit: the start of an upcoming appointment, else now.
pub(super) fn planned_at(view: &VisitView, now: i64) -> i64 {
    let appointment = &view.appointment;
    let off = matches!(
        appointment.status,
        Some(AppointmentStatus::Declined | AppointmentStatus::Cancelled)
    );
    match (appointment.starts_at, appointment.ends_at) {
        (Some(starts), Some(ends)) if !off && now < ends && starts - now <= TRAVEL_TIME => {
            starts.max(now)
        }
        _ => now,
    }
}

/// The borrower, a guarantor or a representative.
pub(super) fn is_party(role: TargetRole) -> bool {
    match role {
        TargetRole::Borrower | TargetRole::Guarantor | TargetRole::Representative => true,
        TargetRole::ThirdParty | TargetRole::Nobody => false,
    }
}

/// Whether a contact by this channel reaches the borrower at a time of day.
pub(super) fn is_timed(channel: Channel) -> bool {
    match channel {
        Channel::Call | Channel::Sms | Channel::Message | Channel::Email => true,
        Channel::Letter | Channel::Visit => false,
    }
}

/// The value of a field, as evidence.
pub(super) fn evidence(path: impl Into<String>, value: impl ToString) -> Evidence {
    Evidence { path: path.into(), value: value.to_string() }
}

/// As [`evidence`]; empty if the value is missing.
pub(super) fn optional_evidence(path: &str, value: Option<impl ToString>) -> Evidence {
    evidence(path, value.map(|value| value.to_string()).unwrap_or_default())
}
