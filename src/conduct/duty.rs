//! Every kind of duty, asked of a scene.

mod counts;
mod door;
mod holds;
mod law;
mod notices;
mod others;
mod windows;

use super::finding::Finding;
use super::policy::Duty;
use super::scene::Scene;
use super::terms::Moment;

pub(super) use counts::{KEPT, events, name};

/// What a duty finds at the scene's moment.
pub(super) fn ask(duty: &Duty, scene: &Scene<'_>) -> Finding {
    if !is_asked(duty, scene.moment) {
        return Finding::aside("other_moment");
    }
    match duty {
        Duty::Window { on, days, from, to } => windows::window(scene, *on, *days, *from, *to),
        Duty::Holidays => windows::holidays(scene),
        Duty::Wishes => windows::wishes(scene),
        Duty::Cap { count, within, most } => counts::cap(scene, *count, *within, *most),
        Duty::Cooldown { days } => counts::cooldown(scene, *days),
        Duty::Visitors { least } => door::visitors(scene, *least),
        Duty::Check { item, met, optional } => door::check(scene, *item, *met, *optional),
        Duty::VerifiedFirst => door::verified_first(scene),
        Duty::EntryConsent => door::entry_consent(scene),
        Duty::OnRequest => door::on_request(scene),
        Duty::Leave { minutes } => door::leave(scene, *minutes),
        Duty::OnePosition => door::one_position(scene),
        Duty::Hold { flags } => holds::hold(scene, flags),
        Duty::AgreedDespite { flags } => holds::agreed_despite(scene, flags),
        Duty::Permission => holds::permission(scene),
        Duty::ComplaintDecided { days } => holds::complaint_decided(scene, *days),
        Duty::ThirdParty { failures } => others::third_party(scene, *failures),
        Duty::Unreachable { failures } => others::unreachable(scene, *failures),
        Duty::ThirdPartyRefusal => others::refusal(scene),
        Duty::Decent => law::decent(scene),
        Duty::Retention { months } => law::retention(scene, *months),
        Duty::PlanLength { months } => law::plan_length(scene, *months),
        Duty::Channels { forbidden } => law::channels(scene, forbidden),
        Duty::NoticeBeforeContact { about } => notices::before_contact(scene, *about),
        Duty::NoticeAfterContact { about, days } => notices::after_contact(scene, *about, *days),
        Duty::NoticeBeforeVisit { about, hours } => notices::before_visit(scene, *about, *hours),
    }
}

/// Whether a duty has something to say at a moment. After the visit all have.
fn is_asked(duty: &Duty, moment: Moment) -> bool {
    match (duty, moment) {
        (_, Moment::After) => true,
        (
            Duty::Window { .. }
            | Duty::Holidays
            | Duty::Wishes
            | Duty::Visitors { .. }
            | Duty::Hold { .. }
            | Duty::AgreedDespite { .. }
            | Duty::Permission,
            Moment::Before | Moment::Arrival,
        ) => true,
        (
            Duty::Cap { .. }
            | Duty::Cooldown { .. }
            | Duty::NoticeBeforeContact { .. }
            | Duty::NoticeAfterContact { .. }
            | Duty::NoticeBeforeVisit { .. },
            Moment::Before,
        ) => true,
        (
            Duty::Check { .. }
            | Duty::VerifiedFirst
            | Duty::EntryConsent
            | Duty::OnRequest
            | Duty::Leave { .. },
            Moment::Arrival,
        ) => true,
        (
            Duty::Cap { .. }
            | Duty::Cooldown { .. }
            | Duty::NoticeBeforeContact { .. }
            | Duty::NoticeAfterContact { .. }
            | Duty::NoticeBeforeVisit { .. },
            Moment::Arrival,
        )
        | (
            Duty::Check { .. }
            | Duty::VerifiedFirst
            | Duty::EntryConsent
            | Duty::OnRequest
            | Duty::Leave { .. },
            Moment::Before,
        )
        | (
            Duty::OnePosition
            | Duty::ComplaintDecided { .. }
            | Duty::ThirdParty { .. }
            | Duty::Unreachable { .. }
            | Duty::ThirdPartyRefusal
            | Duty::Decent
            | Duty::Retention { .. }
            | Duty::PlanLength { .. }
            | Duty::Channels { .. },
            Moment::Before | Moment::Arrival,
        ) => false,
    }
}
