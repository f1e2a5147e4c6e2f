//! Time windows, holidays and the borrower's wishes.

use crate::conduct::context::{EvalContext, Visit, evidence, is_timed, optional_evidence};
use crate::conduct::finding::{Finding, NextLawful};
use crate::conduct::policy::Days;
use crate::conduct::terms::{Answer, Moment, Scope};
use crate::conduct::time::{Day, MINUTE, ZoneData, show_day, show_minutes, weekday};
use crate::record::terms::{CheckAnswer, CheckItem, ConductKind, Grade, TargetRole};

/// How many days ahead to search for the next opening of a window.
const AHEAD: Day = 8;

/// Contact only within `[from, to)`, minutes of the borrower's day.
pub(super) fn window(
    context: &EvalContext<'_>,
    on: Scope,
    days: Days,
    from: i64,
    to: i64,
) -> Finding {
    let window = Window { days, from, to };
    let visits = match on {
        Scope::Visit | Scope::Both => window.visit(context),
        Scope::Call => Finding::not_applicable("no_visit"),
    };
    let calls = match (on, context.moment) {
        (Scope::Call | Scope::Both, Moment::Before | Moment::After) => window.calls(context),
        (Scope::Visit, _) | (_, Moment::Arrival) => Finding::not_applicable("no_calls"),
    };
    let found = if on == Scope::Call { calls.and(visits) } else { visits.and(calls) };
    found.with_param("from", show_minutes(from)).with_param("to", show_minutes(to))
}

struct Window {
    days: Days,
    from: i64,
    to: i64,
}

impl Window {
    fn visit(&self, context: &EvalContext<'_>) -> Finding {
        let Some((from, to)) = context.interval() else {
            return Finding::not_applicable("no_visit");
        };
        let facts = &context.view.visit;
        let found = self.judge(context, from, to, context.waived(from, to));
        let found = match context.visit() {
            Visit::Planned(at) => {
                let found = found
                    .with_evidence(evidence("visit.planned_at", at))
                    .with_grade(Grade::Attested);
                let opens = |zone: &ZoneData| self.opens(zone, at);
                let next = context.zone.and_then(opens).map_or(NextLawful::Never, NextLawful::At);
                if found.answer == Answer::Fail { found.with_next(next) } else { found }
            }
            Visit::Begun(_) | Visit::Ended(..) | Visit::None => found
                .with_evidence(optional_evidence("visit.arrived_at", facts.arrived_at))
                .with_evidence(optional_evidence("visit.left_at", facts.left_at)),
        };
        if found.answer == Answer::Pass { context.so_far(found) } else { found }
    }

    fn calls(&self, context: &EvalContext<'_>) -> Finding {
        let timed = context.contacts().filter(|(_, contact)| is_timed(contact.channel));
        timed
            .map(|(at, contact)| {
                let consent = context.rule.consent.then(|| context.consent(at, at)).flatten();
                let path = format!("contacts.{}.at", contact.id);
                self.judge(context, at, at, consent).with_evidence(evidence(path, contact.at))
            })
            .reduce(Finding::and)
            .unwrap_or_else(|| Finding::not_applicable("no_contacts"))
    }

    fn judge(
        &self,
        context: &EvalContext<'_>,
        from: i64,
        to: i64,
        consent: Option<Grade>,
    ) -> Finding {
        let Some(zone) = context.zone.filter(|zone| !zone.spans.is_empty()) else {
            return Finding::unknown("zone_unknown")
                .with_evidence(evidence("case.zone", &context.view.case.zone));
        };
        match self.outside(zone, from, to) {
            None => {
                Finding::unknown("zone_unknown").with_evidence(evidence("case.zone", &zone.name))
            }
            Some(WindowFit::OtherDay) => Finding::not_applicable("other_day"),
            Some(WindowFit::Inside) => {
                Finding::pass("inside_window").with_grade(Grade::DeviceCaptured)
            }
            Some(WindowFit::Outside(at)) => match consent {
                Some(grade) => Finding::pass("agreed").with_grade(grade),
                None => Finding::fail("outside_window")
                    .with_param("at", wall(zone, at))
                    .with_grade(Grade::DeviceCaptured),
            },
        }
    }

    fn outside(&self, zone: &ZoneData, from: i64, to: i64) -> Option<WindowFit> {
        let (opens, closes) = (self.from * MINUTE, self.to * MINUTE);
        let mut fit = WindowFit::OtherDay;
        for interval in zone.intervals(from, to)? {
            if !self.holds_on(interval.local.day) {
                continue;
            }
            let begins = interval.local.of_day;
            if begins < opens || begins >= closes {
                return Some(WindowFit::Outside(interval.at));
            }
            if begins + interval.length > closes {
                return Some(WindowFit::Outside(interval.at + closes - begins));
            }
            fit = WindowFit::Inside;
        }
        Some(fit)
    }

    fn holds_on(&self, day: Day) -> bool {
        match self.days {
            Days::All => true,
            Days::Weekdays => weekday(day) < 5,
            Days::Weekends => weekday(day) >= 5,
        }
    }

    /// When the window is open next, at or after a time.
    fn opens(&self, zone: &ZoneData, at: i64) -> Option<i64> {
        let local = zone.local(at)?;
        (0..AHEAD).find_map(|ahead| {
            let day = local.day + ahead;
            let of_day = if self.holds_on(day) { self.from * MINUTE } else { 0 };
            let opens = zone.first_at_or_after(day, of_day, at)?;
            matches!(self.outside(zone, opens, opens)?, WindowFit::Inside | WindowFit::OtherDay)
                .then_some(opens)
        })
    }
}

/// Whether an interval lies within a window.
enum WindowFit {
    OtherDay,
    Inside,
    /// With the first instant outside.
    Outside(i64),
}

/// No contact on national holidays.
pub(super) fn holidays(context: &EvalContext<'_>) -> Finding {
    let visits = context.interval().map(|(from, to)| {
        let found = holiday(context, from, to);
        let next = || {
            let zone = context.zone?;
            zone.first_at_or_after(zone.day(from)? + 1, 0, from)
        };
        match (context.visit(), found.answer) {
            (Visit::Planned(_), Answer::Fail) => {
                found.with_next(next().map_or(NextLawful::Never, NextLawful::At))
            }
            (_, Answer::Pass) => context.so_far(found),
            (_, Answer::Fail | Answer::Unknown | Answer::NotApplicable) => found,
        }
    });
    let calls = context
        .contacts()
        .filter(|(_, contact)| is_timed(contact.channel) && context.moment != Moment::Arrival)
        .map(|(at, _)| holiday(context, at, at));
    visits
        .into_iter()
        .chain(calls)
        .reduce(Finding::and)
        .unwrap_or_else(|| Finding::not_applicable("no_contacts"))
}

fn holiday(context: &EvalContext<'_>, from: i64, to: i64) -> Finding {
    let intervals = context.zone.and_then(|zone| zone.intervals(from, to));
    let Some(intervals) = intervals else { return Finding::unknown("zone_unknown") };
    let mut days = intervals.iter().map(|interval| interval.local.day);
    if let Some(day) = days.clone().find(|day| context.calendar.holidays.binary_search(day).is_ok())
    {
        return Finding::fail("holiday")
            .with_param("day", show_day(day))
            .with_grade(Grade::DeviceCaptured);
    }
    let known = context.calendar.holidays_known;
    if days.all(|day| known.is_some_and(|(first, last)| (first..last).contains(&day))) {
        Finding::pass("no_holiday").with_grade(Grade::DeviceCaptured)
    } else {
        Finding::unknown("holidays_unknown")
    }
}

/// No visit at a time or place that the borrower objects to.
pub(super) fn wishes(context: &EvalContext<'_>) -> Finding {
    let Some((from, to)) = context.interval() else { return Finding::not_applicable("no_visit") };
    let mut missing_zone = false;
    for wish in context.entries(ConductKind::Wish) {
        if wish.place.is_some_and(|place| {
            context.view.visit.place_type.is_some_and(|visited| visited != place)
        }) {
            continue;
        }
        let intervals = context.zone.and_then(|zone| zone.intervals(from, to));
        let Some(intervals) = intervals else {
            missing_zone = true;
            continue;
        };
        let (starts, ends) = (wish.starts * MINUTE, wish.ends * MINUTE);
        let against = intervals.iter().find(|interval| {
            let begins = interval.local.of_day;
            let day = wish.days & (1 << weekday(interval.local.day)) != 0;
            day && begins < ends && starts < begins + interval.length.max(1)
        });
        if let Some(interval) = against {
            let path = format!("conduct.{}", wish.id);
            let found = Finding::fail("not_wanted")
                .with_evidence(evidence(path, &wish.note))
                .with_grade(Grade::Attested)
                .with_param("from", show_minutes(wish.starts))
                .with_param("to", show_minutes(wish.ends));
            let next = context
                .zone
                .and_then(|zone| zone.first_at_or_after(interval.local.day, ends, from))
                .map_or(NextLawful::Never, NextLawful::At);
            return if context.moment == Moment::Before { found.with_next(next) } else { found };
        }
    }
    if missing_zone {
        return Finding::unknown("zone_unknown");
    }
    let talked = context.view.visit.talk_from.is_some();
    let asked =
        context.check(CheckItem::ConvenientNow).filter(|_| context.moment != Moment::Before);
    let path = "checks.convenient_now";
    match asked {
        Some((CheckAnswer::No, grade, _)) if talked => {
            return Finding::fail("not_convenient")
                .with_evidence(evidence(path, "no"))
                .with_grade(grade);
        }
        // It is unknown whether a talk followed.
        Some((CheckAnswer::No, grade, _)) => {
            return Finding::unknown("not_convenient")
                .with_evidence(evidence(path, "no"))
                .with_grade(grade);
        }
        Some((CheckAnswer::Yes, grade, _)) => {
            let convenient =
                Finding::pass("convenient").with_evidence(evidence(path, "yes")).with_grade(grade);
            let wished = context.entries(ConductKind::Wish).next().is_some();
            return if wished { context.so_far(convenient) } else { convenient };
        }
        Some((CheckAnswer::NotPossible, ..)) | None => {}
    }
    if context.agreed(from, to) {
        let agreed =
            Finding::pass("agreed").with_evidence(evidence("appointment.status", "agreed"));
        return context.so_far(agreed.with_grade(Grade::Attested));
    }
    if context.moment == Moment::After && context.view.visit.person_met == Some(TargetRole::Nobody)
    {
        return Finding::not_applicable("nobody_met");
    }
    Finding::unknown("wishes_unknown").with_evidence(evidence(path, ""))
}

/// Local date and time of the borrower.
fn wall(zone: &ZoneData, at: i64) -> String {
    zone.local(at).map_or_else(String::new, |local| {
        format!("{} {}", show_day(local.day), show_minutes(local.of_day / MINUTE))
    })
}
