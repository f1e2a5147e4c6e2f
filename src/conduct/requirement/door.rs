//! Visitors, the checklist at the door, and leaving.

use crate::conduct::context::{EvalContext, Visit, evidence, is_party, optional_evidence};
use crate::conduct::finding::{Finding, NextLawful};
use crate::conduct::policy::Met;
use crate::conduct::terms::Moment;
use crate::conduct::time::MINUTE;
use crate::record::terms::{
    AppointmentStatus, CheckAnswer, CheckItem, Disposition, Grade, PlaceType, ProposedBy,
    TargetRole,
};

/// A minimum number of collectors. Before departure too few names are missing evidence, not a
/// violation; they still prevent departure, since the visitors can be named at any time.
pub(super) fn visitors(context: &EvalContext<'_>, least: i64) -> Finding {
    if context.visit() == Visit::None {
        return Finding::not_applicable("no_visit");
    }
    let named = i64::try_from(context.view.visit.visitors.len()).unwrap_or(i64::MAX);
    let found = if named >= least {
        Finding::pass("enough_visitors").with_grade(Grade::Attested)
    } else if context.moment == Moment::After && named > 0 {
        Finding::fail("too_few_visitors").with_grade(Grade::Attested)
    } else if context.moment == Moment::Before {
        Finding::unknown("visitors_not_named").with_next(NextLawful::NeedsEntry)
    } else {
        Finding::unknown("visitors_not_named")
    };
    found
        .with_param("count", named)
        .with_param("least", least)
        .with_evidence(evidence("visit.visitors", context.view.visit.visitors.join(" ")))
}

/// Whether a checklist item applies; `Err` is the finding otherwise.
fn applies(context: &EvalContext<'_>, met: Met) -> Result<(), Finding> {
    if context.visit() == Visit::None {
        return Err(Finding::not_applicable("no_visit"));
    }
    let person = context.view.visit.person_met;
    let missing =
        || Finding::unknown("person_unknown").with_evidence(evidence("visit.person_met", ""));
    match (met, person) {
        (Met::Nobody, _) => Ok(()),
        // At the door the items are shown before it is known who opens.
        (Met::Party | Met::Anybody, None) if context.moment == Moment::Arrival => Ok(()),
        (Met::Party | Met::Anybody, None) => Err(missing()),
        (_, Some(TargetRole::Nobody)) => Err(Finding::not_applicable("nobody_met")),
        (Met::Party, Some(person)) if !is_party(person) => {
            Err(Finding::not_applicable("party_not_met"))
        }
        (Met::Party | Met::Anybody, Some(_)) => Ok(()),
    }
}

/// One item of the checklist.
pub(super) fn check(
    context: &EvalContext<'_>,
    item: CheckItem,
    met: Met,
    optional: bool,
) -> Finding {
    if let Err(instead) = applies(context, met) {
        return instead;
    }
    let path = format!("checks.{item}");
    match context.check(item) {
        None => Finding::unknown("not_answered").with_evidence(evidence(path, "")),
        Some((CheckAnswer::Yes, grade, _)) => {
            Finding::pass("done").with_evidence(evidence(path, "yes")).with_grade(grade)
        }
        Some((CheckAnswer::NotPossible, grade, _)) if optional => {
            Finding::not_applicable("no_occasion")
                .with_evidence(evidence(path, "not_possible"))
                .with_grade(grade)
        }
        Some((answer @ (CheckAnswer::No | CheckAnswer::NotPossible), grade, _)) => {
            Finding::fail("not_done").with_evidence(evidence(path, answer)).with_grade(grade)
        }
    }
    .with_param("item", item)
}

/// The person's identity was checked before the talk began.
pub(super) fn verified_first(context: &EvalContext<'_>) -> Finding {
    if let Err(instead) = applies(context, Met::Party) {
        return instead;
    }
    let talk_from = context.view.visit.talk_from.map(|at| context.device(at));
    let path = "checks.identity_verified";
    let talked = optional_evidence("visit.talk_from", context.view.visit.talk_from);
    match (context.check(CheckItem::IdentityVerified), talk_from) {
        (Some((CheckAnswer::No | CheckAnswer::NotPossible, grade, _)), _) => {
            Finding::fail("not_verified").with_evidence(evidence(path, "no")).with_grade(grade)
        }
        (Some((CheckAnswer::Yes, grade, at)), Some(from)) if at > from => {
            Finding::fail("verified_late")
                .with_evidence(evidence(path, at))
                .with_evidence(talked)
                .with_grade(grade)
        }
        (Some((CheckAnswer::Yes, grade, at)), Some(_)) => Finding::pass("verified")
            .with_evidence(evidence(path, at))
            .with_evidence(talked)
            .with_grade(grade),
        (Some((CheckAnswer::Yes, _, at)), None) => Finding::unknown("talk_not_begun")
            .with_evidence(evidence(path, at))
            .with_evidence(talked),
        (None, _) => Finding::unknown("not_answered").with_evidence(evidence(path, "")),
    }
}

/// A home is entered only with consent.
pub(super) fn entry_consent(context: &EvalContext<'_>) -> Finding {
    match context.view.visit.place_type {
        _ if context.visit() == Visit::None => Finding::not_applicable("no_visit"),
        None => Finding::unknown("place_unknown").with_evidence(evidence("visit.place_type", "")),
        Some(PlaceType::Home) => check(context, CheckItem::EntryConsent, Met::Anybody, true),
        Some(PlaceType::Workplace | PlaceType::Branch | PlaceType::Public) => {
            Finding::not_applicable("no_home")
        }
    }
}

/// A home is entered, and a workplace visited, only at the borrower's request.
pub(super) fn on_request(context: &EvalContext<'_>) -> Finding {
    let appointment = &context.view.appointment;
    match context.view.visit.place_type {
        _ if context.visit() == Visit::None => Finding::not_applicable("no_visit"),
        None => Finding::unknown("place_unknown").with_evidence(evidence("visit.place_type", "")),
        Some(PlaceType::Home) => entry_consent(context),
        Some(PlaceType::Branch | PlaceType::Public) => Finding::not_applicable("no_home"),
        Some(PlaceType::Workplace) => {
            let from = context.visit_from().unwrap_or(context.now);
            if let Some(grade) = context.consent(from, from) {
                return Finding::pass("agreed").with_grade(grade);
            }
            let by = optional_evidence("appointment.proposed_by", appointment.proposed_by);
            match (appointment.proposed_by, appointment.status) {
                (Some(ProposedBy::Borrower), Some(AppointmentStatus::Agreed)) => {
                    Finding::pass("asked_for").with_evidence(by).with_grade(Grade::Attested)
                }
                (Some(ProposedBy::Collector | ProposedBy::Office), _) => {
                    Finding::fail("not_asked_for").with_evidence(by).with_grade(Grade::Attested)
                }
                (Some(ProposedBy::Borrower) | None, _) => {
                    Finding::unknown("not_known_who_asked").with_evidence(by)
                }
            }
        }
    }
}

/// The collectors leave within a number of minutes after being asked to.
pub(super) fn leave(context: &EvalContext<'_>, minutes: i64) -> Finding {
    let facts = &context.view.visit;
    if context.visit() == Visit::None {
        return Finding::not_applicable("no_visit");
    }
    let asked = optional_evidence("visit.asked_to_leave_at", facts.asked_to_leave_at);
    let left = optional_evidence("visit.left_at", facts.left_at);
    let told = context.view.talk.disposition == Some(Disposition::AskedToLeave);
    match (facts.asked_to_leave_at, facts.left_at) {
        (None, _) if told => Finding::unknown("when_asked_unknown"),
        (None, _) => Finding::not_applicable("not_asked_to_leave"),
        (Some(_), None) => Finding::unknown("not_left"),
        (Some(asked), Some(left)) if left - asked <= minutes * MINUTE => {
            Finding::pass("left").with_grade(Grade::DeviceCaptured)
        }
        (Some(_), Some(_)) => Finding::fail("stayed").with_grade(Grade::DeviceCaptured),
    }
    .with_param("minutes", minutes)
    .with_evidence(asked)
    .with_evidence(left)
}

/// One position, taken during the visit.
pub(super) fn one_position(context: &EvalContext<'_>) -> Finding {
    let facts = &context.view.visit;
    let Some(position) = facts.position else { return Finding::not_applicable("no_position") };
    let taken = evidence("visit.position.at", position.at);
    let Some(from) = facts.departed_at.or(facts.arrived_at) else {
        return Finding::unknown("no_visit").with_evidence(taken);
    };
    let until = facts.left_at;
    if position.at < from || until.is_some_and(|left| position.at > left) {
        Finding::fail("position_outside_visit")
            .with_evidence(taken)
            .with_grade(Grade::DeviceCaptured)
    } else if until.is_none() {
        Finding::unknown("not_left").with_evidence(taken)
    } else {
        Finding::pass("one_position").with_evidence(taken).with_grade(Grade::DeviceCaptured)
    }
}
