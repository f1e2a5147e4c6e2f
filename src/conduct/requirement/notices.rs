//! Notices to the borrower.
//!
//! A notice that is not recorded may have been sent by another system, so the answer is unknown. It
//! fails only if a recorded notice came too late.

use crate::conduct::context::{EvalContext, evidence, is_party};
use crate::conduct::finding::{Finding, NextLawful};
use crate::conduct::terms::Moment;
use crate::conduct::time::{DAY, HOUR};
use crate::record::terms::{ConductKind, ContactOutcome, Grade, NoticeAbout, TargetRole};

/// The first notice on a subject: time, evidence grade and id.
fn told(context: &EvalContext<'_>, about: NoticeAbout) -> Option<(i64, Grade, String)> {
    context
        .entries(ConductKind::Notice)
        .filter(|entry| entry.about == Some(about))
        .map(|entry| (entry.at, entry.grade.unwrap_or(Grade::Attested), entry.id.clone()))
        .min()
}

/// The first contact attempt.
fn first_contact(context: &EvalContext<'_>) -> Option<i64> {
    let to_borrower =
        context.contacts().filter(|(_, contact)| contact.target_role != TargetRole::ThirdParty);
    let visited = context.view.visit.arrived_at.map(|at| context.device(at));
    to_borrower.map(|(at, _)| at).chain(visited).min()
}

/// The first communication that reached the borrower.
fn first_communication(context: &EvalContext<'_>) -> Option<i64> {
    let said = context.contacts().filter(|(_, contact)| match contact.outcome {
        ContactOutcome::Reached | ContactOutcome::Sent | ContactOutcome::Refused => {
            contact.target_role != TargetRole::ThirdParty
        }
        ContactOutcome::NoAnswer
        | ContactOutcome::Busy
        | ContactOutcome::InvalidNumber
        | ContactOutcome::LeftMessage => false,
    });
    let met = context.view.visit.person_met.is_some_and(is_party);
    let visited = context.view.visit.arrived_at.filter(|_| met).map(|at| context.device(at));
    said.map(|(at, _)| at).chain(visited).min()
}

fn notice_missing(about: NoticeAbout) -> Finding {
    Finding::unknown("notice_missing")
        .with_param("about", about)
        .with_evidence(evidence("conduct.notice", ""))
}

/// Notice before the first contact.
pub(super) fn before_contact(context: &EvalContext<'_>, about: NoticeAbout) -> Finding {
    let Some(first) = first_contact(context) else { return Finding::not_applicable("no_contacts") };
    let Some((at, grade, id)) = told(context, about) else { return notice_missing(about) };
    let found = if at < first { Finding::pass("told") } else { Finding::fail("told_late") };
    found
        .with_param("about", about)
        .with_evidence(evidence(format!("conduct.{id}"), at))
        .with_grade(grade)
}

/// Notice at most this many days after the first communication.
pub(super) fn after_contact(context: &EvalContext<'_>, about: NoticeAbout, days: i64) -> Finding {
    let Some(first) = first_communication(context) else {
        return Finding::not_applicable("no_contacts");
    };
    let Some((at, grade, id)) = told(context, about) else {
        return notice_missing(about).with_param("days", days);
    };
    let in_time = at <= first + days * DAY;
    let found = if in_time { Finding::pass("told") } else { Finding::fail("told_late") };
    found
        .with_param("about", about)
        .with_param("days", days)
        .with_evidence(evidence(format!("conduct.{id}"), at))
        .with_grade(grade)
}

/// Notice at least this many hours before the visit.
pub(super) fn before_visit(context: &EvalContext<'_>, about: NoticeAbout, hours: i64) -> Finding {
    let Some((from, to)) = context.interval() else { return Finding::not_applicable("no_visit") };
    let notice = told(context, about);
    let lawful = notice.as_ref().map(|(at, ..)| at + hours * HOUR);
    let found = match (notice, lawful) {
        (Some((at, grade, id)), Some(lawful)) if lawful <= from => Finding::pass("told")
            .with_evidence(evidence(format!("conduct.{id}"), at))
            .with_grade(grade),
        (notice, lawful) => match (context.waived(from, to), notice, lawful) {
            (Some(grade), ..) => context.so_far(Finding::pass("agreed").with_grade(grade)),
            (None, Some((at, grade, id)), Some(lawful)) => {
                let planned = context.moment == Moment::Before;
                let next = if planned { NextLawful::At(lawful) } else { NextLawful::DoesNotStop };
                Finding::fail("told_late")
                    .with_evidence(evidence(format!("conduct.{id}"), at))
                    .with_grade(grade)
                    .with_next(next)
            }
            (None, ..) => {
                Finding::unknown("notice_missing").with_evidence(evidence("conduct.notice", ""))
            }
        },
    };
    found.with_param("about", about).with_param("hours", hours)
}
