//! Holds, permission and complaints.

use crate::conduct::finding::{Finding, Next};
use crate::conduct::scene::{Scene, seen, seen_or_not};
use crate::conduct::terms::Moment;
use crate::conduct::time::DAY;
use crate::record::terms::{AppointmentStatus, Disposition, Flag, Grade};

/// None of these holds stands when the visit begins. What the borrower says at the door and the
/// collector then raises is no failure.
pub(super) fn hold(scene: &Scene<'_>, flags: &[Flag]) -> Finding {
    let Some(from) = scene.visit_from() else { return Finding::aside("no_visit") };
    match scene.hold(flags, from) {
        Some((flag, until)) => {
            let next = until.map_or(Next::Never, Next::At);
            let next = if scene.moment == Moment::Before { next } else { Next::Indifferent };
            Finding::fail("on_hold")
                .with("flag", flag)
                .saw(seen(format!("case.flags.{flag}"), until.unwrap_or_default()))
                .graded(Grade::Attested)
                .until(next)
        }
        None if scene.office_knows(from.min(scene.now), None) => {
            Finding::pass("no_hold").saw(seen("case.flags", "")).graded(Grade::Attested)
        }
        None => Finding::unknown("holds_too_old")
            .saw(seen_or_not("office_as_of", scene.known.office_as_of)),
    }
}

/// While one of these holds stands, only with the borrower's agreement.
pub(super) fn agreed_despite(scene: &Scene<'_>, flags: &[Flag]) -> Finding {
    let found = hold(scene, flags);
    let Some((from, to)) = scene.stretch() else { return found };
    if scene.hold(flags, from).is_none() {
        return found;
    }
    let grade = scene.consent(from, to).max(scene.agreed(from, to).then_some(Grade::Attested));
    match grade {
        Some(grade) => scene.so_far(
            Finding::pass("agreed")
                .saw(seen_or_not("appointment.status", scene.view.appointment.status))
                .graded(grade),
        ),
        None => found,
    }
}

/// The borrower agreed to the visit.
pub(super) fn permission(scene: &Scene<'_>) -> Finding {
    let Some((from, to)) = scene.stretch() else { return Finding::aside("no_visit") };
    let status = scene.view.appointment.status;
    let evidence = seen_or_not("appointment.status", status);
    let agreed = scene.agreed(from, to).then_some(Grade::Attested);
    match (scene.consent(from, to).max(agreed), status) {
        (Some(grade), _) => scene.so_far(Finding::pass("agreed").graded(grade)),
        (None, Some(AppointmentStatus::Declined | AppointmentStatus::Cancelled)) => {
            let next = if scene.moment == Moment::Before { Next::Never } else { Next::Indifferent };
            Finding::fail("declined").graded(Grade::Attested).until(next)
        }
        (None, Some(AppointmentStatus::Agreed | AppointmentStatus::Proposed) | None) => {
            Finding::unknown("not_agreed")
        }
    }
    .saw(evidence)
}

/// A complaint is decided in time.
pub(super) fn complaint_decided(scene: &Scene<'_>, days: i64) -> Finding {
    let complaints: Vec<_> =
        scene.view.case.flags.iter().filter(|raised| raised.flag == Flag::Complaint).collect();
    let Some(raised) = complaints.iter().min_by_key(|raised| raised.since) else {
        return if scene.view.talk.disposition == Some(Disposition::Complaint) {
            Finding::unknown("complaint_not_raised").saw(seen("talk.disposition", "complaint"))
        } else {
            Finding::aside("no_complaint")
        };
    };
    let due = raised.since + days * DAY;
    let evidence = seen("case.flags.complaint", raised.since);
    match raised.until {
        Some(until) if until <= due => Finding::pass("decided").graded(Grade::Attested),
        Some(_) => Finding::fail("decided_late").graded(Grade::Attested),
        None if scene.now > due => Finding::fail("not_decided").graded(Grade::Attested),
        None => Finding::unknown("not_due"),
    }
    .with("days", days)
    .saw(evidence)
}
