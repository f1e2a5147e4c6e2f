//! Checks of every kind of requirement.

mod counts;
mod door;
mod holds;
mod law;
mod notices;
mod others;
mod windows;

use super::context::EvalContext;
use super::finding::Finding;
use super::policy::Requirement;
use super::terms::Moment;

pub(super) use counts::{KEPT, events, name};

/// Checks one requirement.
pub(super) fn check(requirement: &Requirement, context: &EvalContext<'_>) -> Finding {
    if !moments(requirement).contains(&context.moment) {
        return Finding::not_applicable("other_moment");
    }
    match requirement {
        Requirement::Window { on, days, from, to } => {
            windows::window(context, *on, *days, *from, *to)
        }
        Requirement::Holidays => windows::holidays(context),
        Requirement::Wishes => windows::wishes(context),
        Requirement::Cap { count, within, most } => counts::cap(context, *count, *within, *most),
        Requirement::Cooldown { days } => counts::cooldown(context, *days),
        Requirement::Visitors { least } => door::visitors(context, *least),
        Requirement::Check { item, met, optional } => door::check(context, *item, *met, *optional),
        Requirement::VerifiedFirst => door::verified_first(context),
        Requirement::EntryConsent => door::entry_consent(context),
        Requirement::OnRequest => door::on_request(context),
        Requirement::Leave { minutes } => door::leave(context, *minutes),
        Requirement::OnePosition => door::one_position(context),
        Requirement::Hold { flags } => holds::hold(context, flags),
        Requirement::AgreedDespite { flags } => holds::agreed_despite(context, flags),
        Requirement::Permission => holds::permission(context),
        Requirement::ComplaintDecided { days, longest: _ } => {
            holds::complaint_decided(context, *days)
        }
        Requirement::ThirdParty { failures } => others::third_party(context, *failures),
        Requirement::Unreachable { failures } => others::unreachable(context, *failures),
        Requirement::ThirdPartyRefusal => others::refusal(context),
        Requirement::Decent => law::decent(context),
        Requirement::Retention { months } => law::retention(context, *months),
        Requirement::PlanLength { months } => law::plan_length(context, *months),
        Requirement::Channels { forbidden } => law::channels(context, forbidden),
        Requirement::NoticeBeforeContact { about } => notices::before_contact(context, *about),
        Requirement::NoticeAfterContact { about, days } => {
            notices::after_contact(context, *about, *days)
        }
        Requirement::NoticeBeforeVisit { about, hours } => {
            notices::before_visit(context, *about, *hours)
        }
    }
}

/// When a requirement is checked. After the visit all are.
fn moments(requirement: &Requirement) -> &'static [Moment] {
    match requirement {
        Requirement::Window { .. }
        | Requirement::Holidays
        | Requirement::Wishes
        | Requirement::Visitors { .. }
        | Requirement::Hold { .. }
        | Requirement::AgreedDespite { .. }
        | Requirement::Permission => &[Moment::Before, Moment::Arrival, Moment::After],
        Requirement::Cap { .. }
        | Requirement::Cooldown { .. }
        | Requirement::NoticeBeforeContact { .. }
        | Requirement::NoticeAfterContact { .. }
        | Requirement::NoticeBeforeVisit { .. } => &[Moment::Before, Moment::After],
        Requirement::Check { .. }
        | Requirement::VerifiedFirst
        | Requirement::EntryConsent
        | Requirement::OnRequest
        | Requirement::Leave { .. } => &[Moment::Arrival, Moment::After],
        Requirement::OnePosition
        | Requirement::ComplaintDecided { .. }
        | Requirement::ThirdParty { .. }
        | Requirement::Unreachable { .. }
        | Requirement::ThirdPartyRefusal
        | Requirement::Decent
        | Requirement::Retention { .. }
        | Requirement::PlanLength { .. }
        | Requirement::Channels { .. } => &[Moment::After],
    }
}
