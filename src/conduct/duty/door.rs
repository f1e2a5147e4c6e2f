//! Who comes, what is shown at the door, and when they leave.

use crate::conduct::finding::{Finding, Next};
use crate::conduct::policy::Met;
use crate::conduct::scene::{Scene, Visit, is_party, seen, seen_or_not};
use crate::conduct::terms::Moment;
use crate::conduct::time::MINUTE;
use crate::record::terms::{
    AppointmentStatus, CheckAnswer, CheckItem, Disposition, Grade, PlaceType, ProposedBy,
    TargetRole,
};

/// At least so many collectors. Before departure nobody has gone alone yet: fewer names are a gap,
/// which stops the departure all the same, since whoever goes can name who comes along.
pub(super) fn visitors(scene: &Scene<'_>, least: i64) -> Finding {
    if scene.visit() == Visit::None {
        return Finding::aside("no_visit");
    }
    let named = i64::try_from(scene.view.visit.visitors.len()).unwrap_or(i64::MAX);
    let found = if named >= least {
        Finding::pass("enough_visitors").graded(Grade::Attested)
    } else if scene.moment == Moment::After && named > 0 {
        Finding::fail("too_few_visitors").graded(Grade::Attested)
    } else if scene.moment == Moment::Before {
        Finding::unknown("visitors_not_named").until(Next::WrittenDown)
    } else {
        Finding::unknown("visitors_not_named")
    };
    found
        .with("count", named)
        .with("least", least)
        .saw(seen("visit.visitors", scene.view.visit.visitors.join(" ")))
}

/// Whether an item of the door matters; `Err` says what it is instead.
fn matters(scene: &Scene<'_>, met: Met) -> Result<(), Finding> {
    if scene.visit() == Visit::None {
        return Err(Finding::aside("no_visit"));
    }
    let person = scene.view.visit.person_met;
    let missing = || Finding::unknown("person_unknown").saw(seen("visit.person_met", ""));
    match (met, person) {
        (Met::Nobody, _) => Ok(()),
        // At the door the item is asked before it is known who opens.
        (Met::Party | Met::Anybody, None) if scene.moment == Moment::Arrival => Ok(()),
        (Met::Party | Met::Anybody, None) => Err(missing()),
        (_, Some(TargetRole::Nobody)) => Err(Finding::aside("nobody_met")),
        (Met::Party, Some(person)) if !is_party(person) => Err(Finding::aside("party_not_met")),
        (Met::Party | Met::Anybody, Some(_)) => Ok(()),
    }
}

/// One item of the checklist.
pub(super) fn check(scene: &Scene<'_>, item: CheckItem, met: Met, optional: bool) -> Finding {
    if let Err(instead) = matters(scene, met) {
        return instead;
    }
    let path = format!("checks.{item}");
    match scene.check(item) {
        None => Finding::unknown("not_answered").saw(seen(path, "")),
        Some((CheckAnswer::Yes, grade, _)) => {
            Finding::pass("done").saw(seen(path, "yes")).graded(grade)
        }
        Some((CheckAnswer::NotPossible, grade, _)) if optional => {
            Finding::aside("no_occasion").saw(seen(path, "not_possible")).graded(grade)
        }
        Some((answer @ (CheckAnswer::No | CheckAnswer::NotPossible), grade, _)) => {
            Finding::fail("not_done").saw(seen(path, answer)).graded(grade)
        }
    }
    .with("item", item)
}

/// The person's identity was checked before the talk began.
pub(super) fn verified_first(scene: &Scene<'_>) -> Finding {
    if let Err(instead) = matters(scene, Met::Party) {
        return instead;
    }
    let talk_from = scene.view.visit.talk_from.map(|at| scene.device(at));
    let path = "checks.identity_verified";
    let talked = seen_or_not("visit.talk_from", scene.view.visit.talk_from);
    match (scene.check(CheckItem::IdentityVerified), talk_from) {
        (Some((CheckAnswer::No | CheckAnswer::NotPossible, grade, _)), _) => {
            Finding::fail("not_verified").saw(seen(path, "no")).graded(grade)
        }
        (Some((CheckAnswer::Yes, grade, at)), Some(from)) if at > from => {
            Finding::fail("verified_late").saw(seen(path, at)).saw(talked).graded(grade)
        }
        (Some((CheckAnswer::Yes, grade, at)), Some(_)) => {
            Finding::pass("verified").saw(seen(path, at)).saw(talked).graded(grade)
        }
        (Some((CheckAnswer::Yes, _, at)), None) => {
            Finding::unknown("talk_not_begun").saw(seen(path, at)).saw(talked)
        }
        (None, _) => Finding::unknown("not_answered").saw(seen(path, "")),
    }
}

/// Nobody entered a home without consent.
pub(super) fn entry_consent(scene: &Scene<'_>) -> Finding {
    match scene.view.visit.place_type {
        _ if scene.visit() == Visit::None => Finding::aside("no_visit"),
        None => Finding::unknown("place_unknown").saw(seen("visit.place_type", "")),
        Some(PlaceType::Home) => check(scene, CheckItem::EntryConsent, Met::Anybody, true),
        Some(PlaceType::Workplace | PlaceType::Branch | PlaceType::Public) => {
            Finding::aside("no_home")
        }
    }
}

/// A home is entered, and a workplace visited, only where the borrower asked for it.
pub(super) fn on_request(scene: &Scene<'_>) -> Finding {
    let appointment = &scene.view.appointment;
    match scene.view.visit.place_type {
        _ if scene.visit() == Visit::None => Finding::aside("no_visit"),
        None => Finding::unknown("place_unknown").saw(seen("visit.place_type", "")),
        Some(PlaceType::Home) => entry_consent(scene),
        Some(PlaceType::Branch | PlaceType::Public) => Finding::aside("no_home"),
        Some(PlaceType::Workplace) => {
            let from = scene.visit_from().unwrap_or(scene.now);
            if let Some(grade) = scene.consent(from, from) {
                return Finding::pass("agreed").graded(grade);
            }
            let by = seen_or_not("appointment.proposed_by", appointment.proposed_by);
            match (appointment.proposed_by, appointment.status) {
                (Some(ProposedBy::Borrower), Some(AppointmentStatus::Agreed)) => {
                    Finding::pass("asked_for").saw(by).graded(Grade::Attested)
                }
                (Some(ProposedBy::Collector | ProposedBy::Office), _) => {
                    Finding::fail("not_asked_for").saw(by).graded(Grade::Attested)
                }
                (Some(ProposedBy::Borrower) | None, _) => {
                    Finding::unknown("not_known_who_asked").saw(by)
                }
            }
        }
    }
}

/// Away within minutes once asked to leave.
pub(super) fn leave(scene: &Scene<'_>, minutes: i64) -> Finding {
    let facts = &scene.view.visit;
    if scene.visit() == Visit::None {
        return Finding::aside("no_visit");
    }
    let asked = seen_or_not("visit.asked_to_leave_at", facts.asked_to_leave_at);
    let left = seen_or_not("visit.left_at", facts.left_at);
    let told = scene.view.talk.disposition == Some(Disposition::AskedToLeave);
    match (facts.asked_to_leave_at, facts.left_at) {
        (None, _) if told => Finding::unknown("when_asked_unknown"),
        (None, _) => Finding::aside("not_asked_to_leave"),
        (Some(_), None) => Finding::unknown("not_left"),
        (Some(asked), Some(left)) if left - asked <= minutes * MINUTE => {
            Finding::pass("left").graded(Grade::DeviceCaptured)
        }
        (Some(_), Some(_)) => Finding::fail("stayed").graded(Grade::DeviceCaptured),
    }
    .with("minutes", minutes)
    .saw(asked)
    .saw(left)
}

/// One position, taken during the visit and for it.
pub(super) fn one_position(scene: &Scene<'_>) -> Finding {
    let facts = &scene.view.visit;
    let Some(position) = facts.position else { return Finding::aside("no_position") };
    let taken = seen("visit.position.at", position.at);
    let Some(from) = facts.departed_at.or(facts.arrived_at) else {
        return Finding::unknown("no_visit").saw(taken);
    };
    let until = facts.left_at;
    if position.at < from || until.is_some_and(|left| position.at > left) {
        Finding::fail("position_outside_visit").saw(taken).graded(Grade::DeviceCaptured)
    } else if until.is_none() {
        Finding::unknown("not_left").saw(taken)
    } else {
        Finding::pass("one_position").saw(taken).graded(Grade::DeviceCaptured)
    }
}
