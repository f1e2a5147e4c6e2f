//! Times of day, holidays, and what the borrower does not want.

use crate::conduct::finding::{Finding, Next};
use crate::conduct::policy::Days;
use crate::conduct::scene::{Scene, Visit, is_timed, seen, seen_or_not};
use crate::conduct::terms::{Answer, Moment, Scope};
use crate::conduct::time::{Day, MINUTE, ZoneData, show_day, show_minutes, weekday};
use crate::record::terms::{CheckAnswer, CheckItem, ConductKind, Grade, TargetRole};

/// How many days ahead an opening is looked for.
const AHEAD: Day = 8;

/// Nothing outside a window of the borrower's day, half open.
pub(super) fn window(scene: &Scene<'_>, on: Scope, days: Days, from: i64, to: i64) -> Finding {
    let window = Window { days, from, to };
    let visits = match on {
        Scope::Visit | Scope::Both => window.visit(scene),
        Scope::Call => Finding::aside("no_visit"),
    };
    let calls = match (on, scene.moment) {
        (Scope::Call | Scope::Both, Moment::Before | Moment::After) => window.calls(scene),
        (Scope::Visit, _) | (_, Moment::Arrival) => Finding::aside("no_calls"),
    };
    let found = if on == Scope::Call { calls.and(visits) } else { visits.and(calls) };
    found.with("from", show_minutes(from)).with("to", show_minutes(to))
}

struct Window {
    days: Days,
    from: i64,
    to: i64,
}

impl Window {
    fn visit(&self, scene: &Scene<'_>) -> Finding {
        let Some((from, to)) = scene.stretch() else { return Finding::aside("no_visit") };
        let facts = &scene.view.visit;
        let found = self.judge(scene, from, to, scene.waived(from, to));
        let found = match scene.visit() {
            Visit::Planned(at) => {
                let found = found.saw(seen("visit.planned_at", at)).graded(Grade::Attested);
                let opens = |zone: &ZoneData| self.opens(zone, at);
                let next = scene.zone.and_then(opens).map_or(Next::Never, Next::At);
                if found.answer == Answer::Fail { found.until(next) } else { found }
            }
            Visit::Begun(_) | Visit::Ended(..) | Visit::None => found
                .saw(seen_or_not("visit.arrived_at", facts.arrived_at))
                .saw(seen_or_not("visit.left_at", facts.left_at)),
        };
        if found.answer == Answer::Pass { scene.so_far(found) } else { found }
    }

    fn calls(&self, scene: &Scene<'_>) -> Finding {
        let timed = scene.contacts().filter(|(_, contact)| is_timed(contact.channel));
        timed
            .map(|(at, contact)| {
                let consent = scene.rule.consent.then(|| scene.consent(at, at)).flatten();
                let path = format!("contacts.{}.at", contact.id);
                self.judge(scene, at, at, consent).saw(seen(path, contact.at))
            })
            .reduce(Finding::and)
            .unwrap_or_else(|| Finding::aside("no_contacts"))
    }

    fn judge(&self, scene: &Scene<'_>, from: i64, to: i64, consent: Option<Grade>) -> Finding {
        let Some(zone) = scene.zone.filter(|zone| !zone.spans.is_empty()) else {
            return Finding::unknown("zone_unknown").saw(seen("case.zone", &scene.view.case.zone));
        };
        match self.outside(zone, from, to) {
            None => Finding::unknown("zone_unknown").saw(seen("case.zone", &zone.name)),
            Some(Held::OtherDay) => Finding::aside("other_day"),
            Some(Held::Inside) => Finding::pass("inside_window").graded(Grade::DeviceCaptured),
            Some(Held::Outside(at)) => match consent {
                Some(grade) => Finding::pass("agreed").graded(grade),
                None => Finding::fail("outside_window")
                    .with("at", wall(zone, at))
                    .graded(Grade::DeviceCaptured),
            },
        }
    }

    fn outside(&self, zone: &ZoneData, from: i64, to: i64) -> Option<Held> {
        let (opens, closes) = (self.from * MINUTE, self.to * MINUTE);
        let mut held = Held::OtherDay;
        for stretch in zone.stretches(from, to)? {
            if !self.holds_on(stretch.local.day) {
                continue;
            }
            let begins = stretch.local.of_day;
            if begins < opens || begins >= closes {
                return Some(Held::Outside(stretch.at));
            }
            if begins + stretch.length > closes {
                return Some(Held::Outside(stretch.at + closes - begins));
            }
            held = Held::Inside;
        }
        Some(held)
    }

    fn holds_on(&self, day: Day) -> bool {
        match self.days {
            Days::All => true,
            Days::Weekdays => weekday(day) < 5,
            Days::Weekends => weekday(day) >= 5,
        }
    }

    /// When the window opens next; a time at which it is open opens it at once.
    fn opens(&self, zone: &ZoneData, at: i64) -> Option<i64> {
        let local = zone.local(at)?;
        (0..AHEAD).find_map(|ahead| {
            let day = local.day + ahead;
            let of_day = if self.holds_on(day) { self.from * MINUTE } else { 0 };
            let opens = zone.first_at_or_after(day, of_day, at)?;
            matches!(self.outside(zone, opens, opens)?, Held::Inside | Held::OtherDay)
                .then_some(opens)
        })
    }
}

/// Whether a stretch of time lies within a window.
enum Held {
    OtherDay,
    Inside,
    /// And the first instant at which it does not.
    Outside(i64),
}

/// Nothing on national holidays.
pub(super) fn holidays(scene: &Scene<'_>) -> Finding {
    let visits = scene.stretch().map(|(from, to)| {
        let found = holiday(scene, from, to);
        let next = || {
            let zone = scene.zone?;
            zone.first_at_or_after(zone.day(from)? + 1, 0, from)
        };
        match (scene.visit(), found.answer) {
            (Visit::Planned(_), Answer::Fail) => found.until(next().map_or(Next::Never, Next::At)),
            (_, Answer::Pass) => scene.so_far(found),
            (_, Answer::Fail | Answer::Unknown | Answer::NotApplicable) => found,
        }
    });
    let calls = scene
        .contacts()
        .filter(|(_, contact)| is_timed(contact.channel) && scene.moment != Moment::Arrival)
        .map(|(at, _)| holiday(scene, at, at));
    visits
        .into_iter()
        .chain(calls)
        .reduce(Finding::and)
        .unwrap_or_else(|| Finding::aside("no_contacts"))
}

fn holiday(scene: &Scene<'_>, from: i64, to: i64) -> Finding {
    let stretches = scene.zone.and_then(|zone| zone.stretches(from, to));
    let Some(stretches) = stretches else { return Finding::unknown("zone_unknown") };
    let mut days = stretches.iter().map(|stretch| stretch.local.day);
    if let Some(day) = days.clone().find(|day| scene.calendar.holidays.binary_search(day).is_ok()) {
        return Finding::fail("holiday").with("day", show_day(day)).graded(Grade::DeviceCaptured);
    }
    let known = scene.calendar.holidays_known;
    if days.all(|day| known.is_some_and(|(first, last)| (first..last).contains(&day))) {
        Finding::pass("no_holiday").graded(Grade::DeviceCaptured)
    } else {
        Finding::unknown("holidays_unknown")
    }
}

/// No time and no place that the borrower is known not to want.
pub(super) fn wishes(scene: &Scene<'_>) -> Finding {
    let Some((from, to)) = scene.stretch() else { return Finding::aside("no_visit") };
    let mut missing_zone = false;
    for wish in scene.entries(ConductKind::Wish) {
        if wish.place.is_some_and(|place| {
            scene.view.visit.place_type.is_some_and(|visited| visited != place)
        }) {
            continue;
        }
        let stretches = scene.zone.and_then(|zone| zone.stretches(from, to));
        let Some(stretches) = stretches else {
            missing_zone = true;
            continue;
        };
        let (starts, ends) = (wish.starts * MINUTE, wish.ends * MINUTE);
        let against = stretches.iter().find(|stretch| {
            let begins = stretch.local.of_day;
            let day = wish.days & (1 << weekday(stretch.local.day)) != 0;
            day && begins < ends && starts < begins + stretch.length.max(1)
        });
        if let Some(stretch) = against {
            let path = format!("conduct.{}", wish.id);
            let found = Finding::fail("not_wanted")
                .saw(seen(path, &wish.note))
                .graded(Grade::Attested)
                .with("from", show_minutes(wish.starts))
                .with("to", show_minutes(wish.ends));
            let next = scene
                .zone
                .and_then(|zone| zone.first_at_or_after(stretch.local.day, ends, from))
                .map_or(Next::Never, Next::At);
            return if scene.moment == Moment::Before { found.until(next) } else { found };
        }
    }
    if missing_zone {
        return Finding::unknown("zone_unknown");
    }
    let talked = scene.view.visit.talk_from.is_some();
    let asked = scene.check(CheckItem::ConvenientNow).filter(|_| scene.moment != Moment::Before);
    let path = "checks.convenient_now";
    match asked {
        Some((CheckAnswer::No, grade, _)) if talked => {
            return Finding::fail("not_convenient").saw(seen(path, "no")).graded(grade);
        }
        // Whether a talk followed is not known.
        Some((CheckAnswer::No, grade, _)) => {
            return Finding::unknown("not_convenient").saw(seen(path, "no")).graded(grade);
        }
        Some((CheckAnswer::Yes, grade, _)) => {
            let convenient = Finding::pass("convenient").saw(seen(path, "yes")).graded(grade);
            let wished = scene.entries(ConductKind::Wish).next().is_some();
            return if wished { scene.so_far(convenient) } else { convenient };
        }
        Some((CheckAnswer::NotPossible, ..)) | None => {}
    }
    if scene.agreed(from, to) {
        let agreed = Finding::pass("agreed").saw(seen("appointment.status", "agreed"));
        return scene.so_far(agreed.graded(Grade::Attested));
    }
    if scene.moment == Moment::After && scene.view.visit.person_met == Some(TargetRole::Nobody) {
        return Finding::aside("nobody_met");
    }
    Finding::unknown("wishes_unknown").saw(seen(path, ""))
}

/// Day and time of day on the borrower's clock.
fn wall(zone: &ZoneData, at: i64) -> String {
    zone.local(at).map_or_else(String::new, |local| {
        format!("{} {}", show_day(local.day), show_minutes(local.of_day / MINUTE))
    })
}
