//! Holds, permission and complaints.

use crate::conduct::context::{EvalContext, evidence, optional_evidence};
use crate::conduct::finding::{Finding, NextLawful};
use crate::conduct::terms::Moment;
use crate::conduct::time::DAY;
use crate::record::terms::{AppointmentStatus, Disposition, Flag, Grade};

/// None of these holds is in force when the visit begins. A hold raised during the visit is not a
/// violation.
pub(super) fn hold(context: &EvalContext<'_>, flags: &[Flag]) -> Finding {
    let Some(from) = context.visit_from() else { return Finding::not_applicable("no_visit") };
    match context.hold(flags, from) {
        Some((flag, until)) => {
            let next = until.map_or(NextLawful::Never, NextLawful::At);
            let next =
                if context.moment == Moment::Before { next } else { NextLawful::DoesNotStop };
            Finding::fail("on_hold")
                .with_param("flag", flag)
                .with_evidence(evidence(format!("case.flags.{flag}"), until.unwrap_or_default()))
                .with_grade(Grade::Attested)
                .with_next(next)
        }
        None if context.office_knows(from.min(context.now), None) => Finding::pass("no_hold")
            .with_evidence(evidence("case.flags", ""))
            .with_grade(Grade::Attested),
        None => Finding::unknown("holds_too_old")
            .with_evidence(optional_evidence("office_as_of", context.facts.office_as_of)),
    }
}

/// While one of these holds is in force, only with the borrower's agreement.
pub(super) fn agreed_despite(context: &EvalContext<'_>, flags: &[Flag]) -> Finding {
    let found = hold(context, flags);
    let Some((from, to)) = context.interval() else { return found };
    if context.hold(flags, from).is_none() {
        return found;
    }
    let grade = context.consent(from, to).max(context.agreed(from, to).then_some(Grade::Attested));
    match grade {
        Some(grade) => context.so_far(
            Finding::pass("agreed")
                .with_evidence(optional_evidence(
                    "appointment.status",
                    context.view.appointment.status,
                ))
                .with_grade(grade),
        ),
        None => found,
    }
}

/// The borrower agreed to the visit.
pub(super) fn permission(context: &EvalContext<'_>) -> Finding {
    let Some((from, to)) = context.interval() else { return Finding::not_applicable("no_visit") };
    let status = context.view.appointment.status;
    let evidence = optional_evidence("appointment.status", status);
    let agreed = context.agreed(from, to).then_some(Grade::Attested);
    match (context.consent(from, to).max(agreed), status) {
        (Some(grade), _) => context.so_far(Finding::pass("agreed").with_grade(grade)),
        (None, Some(AppointmentStatus::Declined | AppointmentStatus::Cancelled)) => {
            let next = if context.moment == Moment::Before {
                NextLawful::Never
            } else {
                NextLawful::DoesNotStop
            };
            Finding::fail("declined").with_grade(Grade::Attested).with_next(next)
        }
        (None, Some(AppointmentStatus::Agreed | AppointmentStatus::Proposed) | None) => {
            Finding::unknown("not_agreed")
        }
    }
    .with_evidence(evidence)
}

/// A complaint is decided in time.
pub(super) fn complaint_decided(context: &EvalContext<'_>, days: i64) -> Finding {
    let complaints: Vec<_> =
        context.view.case.flags.iter().filter(|raised| raised.flag == Flag::Complaint).collect();
    let Some(raised) = complaints.iter().min_by_key(|raised| raised.since) else {
        return if context.view.talk.disposition == Some(Disposition::Complaint) {
            Finding::unknown("complaint_not_raised")
                .with_evidence(evidence("talk.disposition", "complaint"))
        } else {
            Finding::not_applicable("no_complaint")
        };
    };
    let due = raised.since + days * DAY;
    let evidence = evidence("case.flags.complaint", raised.since);
    match raised.until {
        Some(until) if until <= due => Finding::pass("decided").with_grade(Grade::Attested),
        Some(_) => Finding::fail("decided_late").with_grade(Grade::Attested),
        None if context.now > due => Finding::fail("not_decided").with_grade(Grade::Attested),
        None => Finding::unknown("not_due"),
    }
    .with_param("days", days)
    .with_evidence(evidence)
}
