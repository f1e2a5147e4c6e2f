//! What the borrower was told, and when.
//!
//! A notice that nobody wrote down may have been given all the same, by a letter of another system:
//! that is unknown. It failed where it was written down and came too late.

use crate::conduct::finding::{Finding, Next};
use crate::conduct::scene::{Scene, is_party, seen};
use crate::conduct::terms::Moment;
use crate::conduct::time::{DAY, HOUR};
use crate::record::terms::{ConductKind, ContactOutcome, Grade, NoticeAbout, TargetRole};

/// The first time that the borrower was told, and how that is evidenced.
fn told(scene: &Scene<'_>, about: NoticeAbout) -> Option<(i64, Grade, String)> {
    scene
        .entries(ConductKind::Notice)
        .filter(|entry| entry.about == Some(about))
        .map(|entry| (entry.at, entry.grade.unwrap_or(Grade::Attested), entry.id.clone()))
        .min()
}

/// The first attempt to reach the borrower.
fn first_contact(scene: &Scene<'_>) -> Option<i64> {
    let to_borrower =
        scene.contacts().filter(|(_, contact)| contact.target_role != TargetRole::ThirdParty);
    let visited = scene.view.visit.arrived_at.map(|at| scene.device(at));
    to_borrower.map(|(at, _)| at).chain(visited).min()
}

/// The first communication: something was said or sent to the borrower.
fn first_communication(scene: &Scene<'_>) -> Option<i64> {
    let said = scene.contacts().filter(|(_, contact)| match contact.outcome {
        ContactOutcome::Reached | ContactOutcome::Sent | ContactOutcome::Refused => {
            contact.target_role != TargetRole::ThirdParty
        }
        ContactOutcome::NoAnswer
        | ContactOutcome::Busy
        | ContactOutcome::InvalidNumber
        | ContactOutcome::LeftMessage => false,
    });
    let met = scene.view.visit.person_met.is_some_and(is_party);
    let visited = scene.view.visit.arrived_at.filter(|_| met).map(|at| scene.device(at));
    said.map(|(at, _)| at).chain(visited).min()
}

fn not_written_down(about: NoticeAbout) -> Finding {
    Finding::unknown("notice_missing").with("about", about).saw(seen("conduct.notice", ""))
}

/// Told before the first contact.
pub(super) fn before_contact(scene: &Scene<'_>, about: NoticeAbout) -> Finding {
    let Some(first) = first_contact(scene) else { return Finding::aside("no_contacts") };
    let Some((at, grade, id)) = told(scene, about) else { return not_written_down(about) };
    let found = if at < first { Finding::pass("told") } else { Finding::fail("told_late") };
    found.with("about", about).saw(seen(format!("conduct.{id}"), at)).graded(grade)
}

/// Told at most so many days after the first communication.
pub(super) fn after_contact(scene: &Scene<'_>, about: NoticeAbout, days: i64) -> Finding {
    let Some(first) = first_communication(scene) else { return Finding::aside("no_contacts") };
    let Some((at, grade, id)) = told(scene, about) else {
        return not_written_down(about).with("days", days);
    };
    let in_time = at <= first + days * DAY;
    let found = if in_time { Finding::pass("told") } else { Finding::fail("told_late") };
    found
        .with("about", about)
        .with("days", days)
        .saw(seen(format!("conduct.{id}"), at))
        .graded(grade)
}

/// Told so many hours before the visit.
pub(super) fn before_visit(scene: &Scene<'_>, about: NoticeAbout, hours: i64) -> Finding {
    let Some((from, to)) = scene.stretch() else { return Finding::aside("no_visit") };
    let notice = told(scene, about);
    let lawful = notice.as_ref().map(|(at, ..)| at + hours * HOUR);
    let found = match (notice, lawful) {
        (Some((at, grade, id)), Some(lawful)) if lawful <= from => {
            Finding::pass("told").saw(seen(format!("conduct.{id}"), at)).graded(grade)
        }
        (notice, lawful) => match (scene.waived(from, to), notice, lawful) {
            (Some(grade), ..) => scene.so_far(Finding::pass("agreed").graded(grade)),
            (None, Some((at, grade, id)), Some(lawful)) => {
                let planned = scene.moment == Moment::Before;
                let next = if planned { Next::At(lawful) } else { Next::Indifferent };
                Finding::fail("told_late")
                    .saw(seen(format!("conduct.{id}"), at))
                    .graded(grade)
                    .until(next)
            }
            (None, ..) => Finding::unknown("notice_missing").saw(seen("conduct.notice", "")),
        },
    };
    found.with("about", about).with("hours", hours)
}
