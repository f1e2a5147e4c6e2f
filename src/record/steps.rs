//! The five steps of a visit and the missing fields of each.

use super::terms::{AppointmentStatus, CheckItem, Disposition, TargetRole};
use super::view::{Step, StepView, VisitView};

/// Checklist items that must be answered if the borrower was met.
const AT_THE_DOOR: [CheckItem; 7] = [
    CheckItem::IdentityStated,
    CheckItem::IdShown,
    CheckItem::CredentialsShown,
    CheckItem::IdentityVerified,
    CheckItem::PurposeStated,
    CheckItem::ConvenientNow,
    CheckItem::RecordingAnnounced,
];

/// The five steps, in order.
pub(super) fn steps(view: &VisitView) -> Vec<StepView> {
    [
        (Step::Contact, contact(view)),
        (Step::Appointment, appointment(view)),
        (Step::OnSite, on_site(view)),
        (Step::Talk, talk(view)),
        (Step::Record, record(view)),
    ]
    .into_iter()
    .map(|(step, missing)| StepView { step, done: missing.is_empty(), missing })
    .collect()
}

/// The paths of missing fields.
fn missing_paths<const N: usize>(facts: [(bool, &str); N]) -> Vec<String> {
    facts.into_iter().filter(|(there, _)| !there).map(|(_, path)| path.to_owned()).collect()
}

fn contact(view: &VisitView) -> Vec<String> {
    missing_paths([(!view.contacts.is_empty(), "contacts")])
}

fn appointment(view: &VisitView) -> Vec<String> {
    let appointment = &view.appointment;
    missing_paths([
        (appointment.starts_at.is_some(), "appointment.starts_at"),
        (appointment.ends_at.is_some(), "appointment.ends_at"),
        (!appointment.place.is_empty(), "appointment.place"),
        (appointment.status == Some(AppointmentStatus::Agreed), "appointment.status"),
    ])
}

fn on_site(view: &VisitView) -> Vec<String> {
    let visit = &view.visit;
    let mut missing = missing_paths([
        (visit.departed_at.is_some(), "visit.departed_at"),
        (visit.arrived_at.is_some(), "visit.arrived_at"),
        (visit.place_type.is_some(), "visit.place_type"),
        (visit.person_met.is_some(), "visit.person_met"),
    ]);
    if met_borrower(view) {
        let unanswered = |item: &&CheckItem| !view.checks.iter().any(|check| check.item == **item);
        missing.extend(AT_THE_DOOR.iter().filter(unanswered).map(|item| format!("checks.{item}")));
    }
    if visit.left_at.is_none() {
        missing.push("visit.left_at".into());
    }
    missing
}

fn talk(view: &VisitView) -> Vec<String> {
    if !met_borrower(view) && view.talk.disposition.is_some_and(|outcome| !outcome.met()) {
        return Vec::new();
    }
    let talk = &view.talk;
    let promised = talk.disposition != Some(Disposition::Ptp) || talk.promise.is_some();
    missing_paths([
        (talk.overdue_reason.is_some(), "talk.overdue_reason"),
        (talk.willingness.is_some(), "talk.willingness"),
        (!talk.options.is_empty(), "talk.options"),
        (promised, "talk.promise"),
    ])
}

fn record(view: &VisitView) -> Vec<String> {
    let read_back =
        !met_borrower(view) || view.checks.iter().any(|check| check.item == CheckItem::ReadBack);
    let sealed = view.stage.is_sealed();
    missing_paths([
        (view.talk.disposition.is_some(), "talk.disposition"),
        (!met_borrower(view) || !view.feedback.trim().is_empty(), "feedback"),
        (read_back, "checks.read_back"),
        (sealed, "seal"),
    ])
}

fn met_borrower(view: &VisitView) -> bool {
    view.visit.person_met == Some(TargetRole::Borrower)
}
