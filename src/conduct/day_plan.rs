//! The plan of a day: today's visits in an order that keeps agreed times and lawful windows, with
//! short ways.
//!
//! A proposal, not a rule: the rules are checked again before each departure. Distances are straight
//! lines between the coordinates of the cases, times are rough assumptions that pages name.

use serde::{Deserialize, Serialize};

use super::policy::{Days, Requirement};
use super::select::SelectedLayers;
use super::terms::{LegalStatus, Scope, Severity};
use super::time::{DAY, Day, MINUTE, ZoneData, weekday};
use super::view::ConductView;
use crate::record::position::distance_m;
use crate::record::queue::area;
use crate::record::terms::AppointmentStatus;
use crate::record::view::VisitView;
use crate::types::TsType;

/// Assumed length of a visit, ms.
pub const VISIT_MS: i64 = 30 * MINUTE;
/// Assumed speed through a town along the straight line, metres a minute: 15 km/h.
const METRES_A_MINUTE: f64 = 250.0;
/// Assumed time for parking and stairs, ms.
const PARKING_MS: i64 = 5 * MINUTE;
/// Assumed way inside one area, where coordinates are missing, ms.
const SAME_AREA_MS: i64 = 15 * MINUTE;
/// Assumed way to another area, or where nothing is known, ms.
const OTHER_AREA_MS: i64 = 40 * MINUTE;
/// Stops in a plan: more than a day has room for.
pub const MAX_STOPS: usize = 40;

TsType! {
/// A visit to be planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DayStop {
    /// The record.
    pub id: String,
    /// Degrees north of the address, if known.
    pub lat: Option<f64>,
    /// Degrees east of the address, if known.
    pub lon: Option<f64>,
    /// The district or town of the address; empty if unknown.
    pub area: String,
    /// Start of the agreed window, ms.
    pub agreed_from: Option<i64>,
    /// End of the agreed window, ms.
    pub agreed_until: Option<i64>,
    /// When visits are lawful from on this day, ms; `None` if no time of it is lawful or known.
    pub lawful_from: Option<i64>,
    /// Until when, ms, exclusive.
    pub lawful_until: Option<i64>,
}
}

TsType! {
/// A visit in the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStop {
    /// The visit.
    pub stop: DayStop,
    /// When the visit is expected to begin, ms; `None` if it cannot today.
    pub begins_at: Option<i64>,
    /// The straight line from the stop before, m; `None` if coordinates are missing.
    pub metres: Option<f64>,
    /// What is wrong.
    pub warning: Option<PlanWarning>,
    /// With `too_late`: the stop before, which leaves no time; `None` if it is too late already.
    pub after: Option<String>,
}
}

TsType! {
/// Why a visit does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanWarning {
    /// The agreed time cannot be kept.
    TooLate,
    /// Its lawful time today ends too early.
    Closed,
    /// The rules of conduct allow no visit today.
    Blocked,
}
}

impl DayStop {
    /// The visit of a record on the day of `now`, ms; `conduct` is its evaluation before departure.
    pub fn new(
        view: &VisitView,
        conduct: &ConductView,
        selected: &SelectedLayers<'_>,
        zone: Option<&ZoneData>,
        now: i64,
    ) -> Self {
        let appointment = &view.appointment;
        let agreed = appointment.status == Some(AppointmentStatus::Agreed);
        let lawful = zone.and_then(|zone| {
            let (opens, closes) = visit_window(selected, zone, now)?;
            // Lawful at once: the whole window is shown, of which a part may be over.
            let next = conduct.next_lawful_at?;
            let from = if next <= now { opens } else { opens.max(next) };
            (from < closes).then_some((from, closes))
        });
        let (lawful_from, lawful_until) = lawful.unzip();
        Self {
            id: view.id.clone(),
            lat: view.case.lat,
            lon: view.case.lon,
            area: area(&view.case.address).to_owned(),
            agreed_from: appointment.starts_at.filter(|_| agreed),
            agreed_until: appointment.ends_at.filter(|_| agreed),
            lawful_from,
            lawful_until,
        }
    }

    fn agreed(&self) -> Option<(i64, i64)> {
        self.agreed_from.zip(self.agreed_until)
    }

    fn lawful(&self) -> Option<(i64, i64)> {
        self.lawful_from.zip(self.lawful_until)
    }
}

/// The strictest window for visits on the borrower's day of `now`, ms: `[from, until)`.
fn visit_window(selected: &SelectedLayers<'_>, zone: &ZoneData, now: i64) -> Option<(i64, i64)> {
    let local = zone.local(now)?;
    let midnight = now - local.of_day;
    let (mut from, mut to) = (0, DAY / MINUTE);
    for rule in selected.layers.iter().flat_map(|layer| &layer.rules) {
        let early = rule.from.is_some_and(|from| local.day < from);
        let late = rule.until.is_some_and(|until| local.day >= until);
        let enforced = rule.status != LegalStatus::Draft && rule.severity != Severity::EvidenceGap;
        if !enforced || early || late {
            continue;
        }
        for requirement in &rule.requirements {
            if let Requirement::Window {
                on: Scope::Visit | Scope::Both,
                days,
                from: opens,
                to: closes,
            } = requirement
                && holds_on(*days, local.day)
            {
                from = from.max(*opens);
                to = to.min(*closes);
            }
        }
    }
    let opens = zone.first_at_or_after(local.day, from * MINUTE, midnight)?;
    let closes = zone.first_at_or_after(local.day, to * MINUTE, midnight)?;
    (opens < closes).then_some((opens, closes))
}

fn holds_on(days: Days, day: Day) -> bool {
    match days {
        Days::All => true,
        Days::Weekdays => weekday(day) < 5,
        Days::Weekends => weekday(day) >= 5,
    }
}

/// Orders the stops. `start` is where the collector is, if that is known. Agreed times come first;
/// each other visit goes where it makes nothing late and the day shortest. Visits that are not
/// possible today come last.
pub fn plan(stops: &[DayStop], now: i64, start: Option<(f64, f64)>) -> Vec<PlannedStop> {
    let stops = stops.get(..MAX_STOPS).unwrap_or(stops);
    let mut order: Vec<&DayStop> = stops.iter().filter(|stop| stop.agreed().is_some()).collect();
    order.sort_by_key(|stop| (stop.agreed(), stop.id.as_str()));
    let mut free: Vec<&DayStop> = stops.iter().filter(|stop| stop.agreed().is_none()).collect();
    free.sort_by_key(|stop| (stop.lawful_until, stop.id.as_str()));
    let mut impossible = Vec::new();
    for stop in free {
        let Some((_, until)) = stop.lawful() else {
            impossible.push(left_out(stop, PlanWarning::Blocked));
            continue;
        };
        let warned = warnings(&order, now, start);
        let tried = (0..=order.len()).filter_map(|at| {
            let mut with = order.clone();
            with.insert(at, stop);
            let walked = walk(&with, now, start);
            let fits = walked.get(at)?.begins_at.is_some_and(|begins| begins < until)
                && walked.iter().filter(|it| it.warning.is_some()).count() <= warned;
            let ends = walked.last()?.begins_at?;
            let metres: f64 = walked.iter().filter_map(|it| it.metres).sum();
            fits.then_some((ends, metres, at))
        });
        match tried.min_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))) {
            Some((_, _, at)) => order.insert(at, stop),
            None => impossible.push(left_out(stop, PlanWarning::Closed)),
        }
    }
    let mut planned = walk(&order, now, start);
    planned.append(&mut impossible);
    planned
}

fn left_out(stop: &DayStop, warning: PlanWarning) -> PlannedStop {
    PlannedStop {
        stop: stop.clone(),
        begins_at: None,
        metres: None,
        warning: Some(warning),
        after: None,
    }
}

fn warnings(order: &[&DayStop], now: i64, start: Option<(f64, f64)>) -> usize {
    walk(order, now, start).iter().filter(|it| it.warning.is_some()).count()
}

/// The times of an order: each visit begins on arrival, or when its window opens.
fn walk(order: &[&DayStop], now: i64, start: Option<(f64, f64)>) -> Vec<PlannedStop> {
    let mut walked: Vec<PlannedStop> = Vec::new();
    let mut free_at = now;
    let mut before: Option<&DayStop> = None;
    for stop in order {
        let (metres, way) = way(before, start, stop);
        let arrives = free_at.saturating_add(way);
        let (opens, closes, warning) = match (stop.agreed(), stop.lawful()) {
            (Some((from, until)), _) => (from, until, PlanWarning::TooLate),
            (None, Some((from, until))) => (from, until, PlanWarning::Closed),
            (None, None) => (arrives, arrives, PlanWarning::Blocked),
        };
        let begins = arrives.max(opens);
        let is_late = begins >= closes;
        let after = before.filter(|_| is_late && free_at > now).map(|before| before.id.clone());
        walked.push(PlannedStop {
            stop: (*stop).clone(),
            begins_at: Some(begins),
            metres,
            warning: is_late.then_some(warning),
            after,
        });
        free_at = begins.saturating_add(VISIT_MS);
        before = Some(stop);
    }
    walked
}

/// Metres, if known, and the assumed time of the way to a stop, ms.
fn way(before: Option<&DayStop>, start: Option<(f64, f64)>, stop: &DayStop) -> (Option<f64>, i64) {
    let from = match before {
        Some(before) => before.lat.zip(before.lon),
        None => start,
    };
    let metres = from.zip(stop.lat.zip(stop.lon)).map(|(from, to)| distance_m(from, to));
    let assumed = match (metres, before) {
        (Some(metres), _) => minutes(metres / METRES_A_MINUTE).saturating_add(PARKING_MS),
        // The collector's position is unknown: no reason to warn.
        (None, None) => 0,
        (None, Some(before)) if !before.area.is_empty() && before.area == stop.area => SAME_AREA_MS,
        (None, Some(_)) => OTHER_AREA_MS,
    };
    (metres, assumed)
}

/// Half the Earth's circumference at walking speed is far below 2^53 ms.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn minutes(number: f64) -> i64 {
    (number * MINUTE as f64) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: i64 = 60 * MINUTE;

    fn stop(id: &str, lon: f64, agreed: Option<(i64, i64)>) -> DayStop {
        let (agreed_from, agreed_until) = agreed.unzip();
        DayStop {
            id: id.to_owned(),
            lat: Some(30.0),
            lon: Some(lon),
            area: String::new(),
            agreed_from,
            agreed_until,
            lawful_from: Some(9 * H),
            lawful_until: Some(19 * H),
        }
    }

    fn ids(planned: &[PlannedStop]) -> Vec<&str> {
        planned.iter().map(|it| it.stop.id.as_str()).collect()
    }

    #[test]
    fn agreed_times_come_in_their_order_and_others_where_they_are_near() {
        let stops = [
            stop("free-east", 120.20, None),
            stop("free-west", 120.01, None),
            stop("late", 120.19, Some((15 * H, 16 * H))),
            stop("early", 120.00, Some((10 * H, 11 * H))),
        ];
        let planned = plan(&stops, 8 * H, None);
        assert_eq!(ids(&planned), ["early", "free-west", "free-east", "late"]);
        assert!(planned.iter().all(|it| it.warning.is_none()));
        assert_eq!(planned.first().and_then(|it| it.begins_at), Some(10 * H));
    }

    #[test]
    fn two_agreed_times_that_cannot_both_be_kept_are_named() {
        let stops = [
            stop("one", 120.0, Some((10 * H, 10 * H + 30 * MINUTE))),
            stop("far", 120.3, Some((10 * H, 11 * H))),
        ];
        let planned = plan(&stops, 8 * H, None);
        let late = planned.last().unwrap();
        assert_eq!(late.warning, Some(PlanWarning::TooLate));
        assert_eq!(late.after.as_deref(), Some("one"));
    }

    #[test]
    fn no_visit_is_planned_outside_its_lawful_window() {
        let closed = DayStop { lawful_until: Some(9 * H + MINUTE), ..stop("closed", 120.0, None) };
        let blocked =
            DayStop { lawful_from: None, lawful_until: None, ..stop("blocked", 120.0, None) };
        let planned = plan(&[closed, blocked, stop("open", 120.0, None)], 18 * H, None);
        assert_eq!(ids(&planned), ["open", "blocked", "closed"]);
        let warnings: Vec<_> = planned.iter().map(|it| it.warning).collect();
        assert_eq!(warnings, [None, Some(PlanWarning::Blocked), Some(PlanWarning::Closed)]);
        let begins: Vec<_> = planned.iter().map(|it| it.begins_at).collect();
        assert_eq!(begins, [Some(18 * H), None, None]);
    }

    #[test]
    fn without_coordinates_the_area_stands_for_the_distance() {
        let near = |id: &str, area: &str, agreed| DayStop {
            lat: None,
            area: area.to_owned(),
            ..stop(id, 0.0, agreed)
        };
        let stops = [
            near("first", "江北区", Some((10 * H, 10 * H + MINUTE))),
            near("same", "江北区", Some((10 * H + 20 * MINUTE, 11 * H))),
            near("other", "鄞州区", Some((11 * H, 11 * H + 45 * MINUTE))),
        ];
        let planned = plan(&stops, 8 * H, None);
        assert_eq!(planned.get(1).and_then(|it| it.begins_at), Some(10 * H + 45 * MINUTE));
        assert_eq!(planned.get(2).and_then(|it| it.begins_at), Some(11 * H + 55 * MINUTE));
        assert!(planned.iter().all(|it| it.metres.is_none()));
        assert_eq!(planned.get(2).and_then(|it| it.warning), Some(PlanWarning::TooLate));
    }
}
