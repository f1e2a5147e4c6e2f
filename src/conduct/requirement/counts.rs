//! Caps and cool-downs: counts over the contacts and visits of the case.
//!
//! Events of this record are counted directly; events of other records of the case come from the
//! office's summary, as counts per day. With a missing or outdated summary the answer is unknown,
//! unless the known events exceed the cap already.

use crate::conduct::context::{EvalContext, evidence, is_party, optional_evidence};
use crate::conduct::finding::{Finding, NextLawful};
use crate::conduct::policy::{Count, Within};
use crate::conduct::terms::Moment;
use crate::conduct::time::{DAY, Day, month, parse_day, show_day};
use crate::record::terms::{Channel, ContactOutcome, Grade, TargetRole};
use crate::record::view::ContactView;

/// How many days ahead to search for a day below the cap: more than any cap's period.
const AHEAD: Day = 70;

/// A counted event.
#[derive(Debug, Clone)]
pub(in crate::conduct) struct Counted<'v> {
    /// The borrower's day.
    pub(in crate::conduct) day: Day,
    /// Corrected time, if it is an event of this record.
    pub(in crate::conduct) at: Option<i64>,
    /// Number of events.
    pub(in crate::conduct) times: i64,
    /// The phone number, for counts per number.
    pub(in crate::conduct) number: &'v str,
}

/// A maximum count within a period.
pub(super) fn cap(context: &EvalContext<'_>, count: Count, within: Within, most: i64) -> Finding {
    let Some(mut counted) = events(context, count) else {
        return Finding::unknown("zone_unknown")
            .with_evidence(evidence("case.zone", &context.view.case.zone));
    };
    let planned = planned(context, count);
    counted.extend(planned.map(|day| Counted {
        day,
        at: Some(context.planned),
        times: 1,
        number: "",
    }));
    // Counts must be complete up to now, or up to the last event of the record.
    let last = counted.iter().filter_map(|counted| counted.at).max();
    let Some(last) = last else { return Finding::not_applicable("nothing_counted") };
    let possible = possible_contact(context, count);
    let by = match context.moment {
        Moment::Before => context.now,
        Moment::Arrival | Moment::After => {
            possible.as_ref().and_then(|visit| visit.at).map_or(last, |at| last.max(at))
        }
    };

    let (counts, number) = worst(&counted, within);
    let with_visit =
        || worst(&counted.iter().cloned().chain(possible).collect::<Vec<_>>(), within).0;
    let summary = context.view.case.contact_summary.as_ref();
    let as_of = summary.map(|summary| summary.as_of);
    let found = if counts > most {
        let next = planned.map_or(NextLawful::DoesNotStop, |day| {
            room(context, &counted, within, most, day).map_or(NextLawful::Never, NextLawful::At)
        });
        Finding::fail("too_many").with_next(next)
    } else if as_of.is_none() {
        Finding::unknown("counts_missing")
    } else if !context.office_knows(by, as_of) {
        Finding::unknown("counts_too_old")
    } else if with_visit() > most {
        Finding::unknown("person_unknown").with_evidence(evidence("visit.person_met", ""))
    } else {
        Finding::pass("within_cap")
    };
    let found = match within {
        Within::Days(days) => found.with_param("days", days),
        Within::Month => found.with_param("month", 1),
    };
    let found = found
        .with_param("count", counts)
        .with_param("most", most)
        .with_param("number", number)
        .with_grade(Grade::Attested)
        .with_evidence(optional_evidence("case.contact_summary.as_of", as_of))
        .with_evidence(evidence("contacts", context.view.contacts.len()));
    // A visit without an arrival is not counted, so its arrival is not missing evidence.
    match context.view.visit.arrived_at {
        Some(arrived) => found.with_evidence(evidence("visit.arrived_at", arrived)),
        None => found,
    }
}

/// The largest count of one phone number, with that number.
fn worst<'v>(counted: &[Counted<'v>], within: Within) -> (i64, &'v str) {
    let mut numbers: Vec<&str> =
        counted.iter().filter(|one| one.at.is_some()).map(|one| one.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let of_each = numbers.into_iter().map(|number| {
        let of_number: Vec<_> = counted.iter().filter(|one| one.number == number).collect();
        (most_within(&of_number, within), number)
    });
    of_each.max_by_key(|(most, _)| *most).unwrap_or((0, ""))
}

/// A visit that counts as a contact only if the borrower was met, while the person met is missing.
fn possible_contact<'v>(context: &EvalContext<'v>, count: Count) -> Option<Counted<'v>> {
    let open = match count {
        Count::Contacts => {
            context.moment != Moment::Before && context.view.visit.person_met.is_none()
        }
        Count::Visits
        | Count::Calls
        | Count::Conversations
        | Count::Attempts
        | Count::Unanswered => false,
    };
    let at = context.device(context.view.visit.arrived_at.filter(|_| open)?);
    Some(Counted { day: context.day(at)?, at: Some(at), times: 1, number: "" })
}

/// The day on which the planned visit counts.
fn planned(context: &EvalContext<'_>, count: Count) -> Option<Day> {
    let adds = match count {
        Count::Visits | Count::Contacts => context.moment == Moment::Before,
        Count::Calls | Count::Conversations | Count::Attempts | Count::Unanswered => false,
    };
    if adds { context.day(context.planned) } else { None }
}

/// The largest count in any period that contains an event of this record.
fn most_within(counted: &[&Counted<'_>], within: Within) -> i64 {
    let sum = |first: Day, last: Day| -> (bool, i64) {
        let inside = counted.iter().filter(|one| (first..=last).contains(&one.day));
        inside.fold((false, 0), |(own, sum), one| (own || one.at.is_some(), sum + one.times))
    };
    let sums = counted.iter().map(|one| match within {
        Within::Days(days) => sum(one.day - days + 1, one.day),
        Within::Month => {
            let of_month = counted.iter().filter(|other| month(other.day) == month(one.day));
            of_month.fold((false, 0), |(own, sum), it| (own || it.at.is_some(), sum + it.times))
        }
    });
    sums.filter(|(own, _)| *own).map(|(_, sum)| sum).max().unwrap_or(0)
}

/// The start of the first day on which one more event is within the cap.
fn room(
    context: &EvalContext<'_>,
    counted: &[Counted<'_>],
    within: Within,
    most: i64,
    planned: Day,
) -> Option<i64> {
    let zone = context.zone?;
    let others: Vec<&Counted<'_>> =
        counted.iter().filter(|one| one.at != Some(context.planned)).collect();
    let fits = |day: &Day| {
        let one = Counted { day: *day, at: Some(context.planned), times: 1, number: "" };
        let all: Vec<&Counted<'_>> = others.iter().copied().chain([&one]).collect();
        let own_only: i64 = match within {
            Within::Days(days) => all
                .iter()
                .filter(|it| (day - days + 1..=*day).contains(&it.day))
                .map(|it| it.times)
                .sum(),
            Within::Month => {
                all.iter().filter(|it| month(it.day) == month(*day)).map(|it| it.times).sum()
            }
        };
        own_only <= most
    };
    let day = (planned + 1..=planned + AHEAD).find(fits)?;
    zone.first_at_or_after(day, 0, context.planned)
}

/// No call within a number of days of a conversation, counting the day of the conversation.
pub(super) fn cooldown(context: &EvalContext<'_>, days: i32) -> Finding {
    let (Some(calls), Some(talks)) =
        (events(context, Count::Calls), events(context, Count::Conversations))
    else {
        return Finding::unknown("zone_unknown")
            .with_evidence(evidence("case.zone", &context.view.case.zone));
    };
    let own: Vec<(Day, i64)> = calls.iter().filter_map(|call| Some((call.day, call.at?))).collect();
    let Some(last) = own.iter().map(|(_, at)| *at).max() else {
        return Finding::not_applicable("nothing_counted");
    };
    let mut open = false;
    for (day, at) in own {
        for talk in &talks {
            if !(0..days).contains(&(day - talk.day)) {
                continue;
            }
            match talk.at {
                Some(talked) if talked < at => {}
                // The same call, or a later one.
                Some(_) => continue,
                // A conversation of another record on the same day: the order is unknown.
                None if talk.day == day => {
                    open = true;
                    continue;
                }
                None => {}
            }
            return Finding::fail("too_soon")
                .with_param("days", days)
                .with_param("day", show_day(talk.day))
                .with_grade(Grade::Attested)
                .with_evidence(evidence("contacts", context.view.contacts.len()));
        }
    }
    let summary = context.view.case.contact_summary.as_ref().map(|summary| summary.as_of);
    let found = if open {
        Finding::unknown("same_day")
    } else if summary.is_none() {
        Finding::unknown("counts_missing")
    } else if context.office_knows(last, summary) {
        Finding::pass("cooled_down").with_grade(Grade::Attested)
    } else {
        Finding::unknown("counts_too_old")
    };
    found
        .with_param("days", days)
        .with_evidence(optional_evidence("case.contact_summary.as_of", summary))
}

/// All events of a kind, of this record and of the others of its case; `None` if the borrower's
/// zone is unknown.
pub(in crate::conduct) fn events<'v>(
    context: &EvalContext<'v>,
    count: Count,
) -> Option<Vec<Counted<'v>>> {
    let mut counted = Vec::new();
    for (at, contact) in context.contacts().filter(|(_, contact)| counts(count, contact)) {
        let number = match count {
            Count::Attempts | Count::Unanswered => contact.number_ref.as_str(),
            Count::Visits | Count::Calls | Count::Conversations | Count::Contacts => "",
        };
        counted.push(Counted { day: context.day(at)?, at: Some(at), times: 1, number });
    }
    let facts = &context.view.visit;
    let visited = match count {
        Count::Visits => facts.arrived_at,
        Count::Contacts => facts.arrived_at.filter(|_| facts.person_met.is_some_and(is_party)),
        Count::Calls | Count::Conversations | Count::Attempts | Count::Unanswered => None,
    };
    if let Some(arrived) = visited.filter(|_| context.moment != Moment::Before) {
        let at = context.device(arrived);
        counted.push(Counted { day: context.day(at)?, at: Some(at), times: 1, number: "" });
    }
    let summary = context.view.case.contact_summary.as_ref();
    for kept in summary.map(|summary| summary.counts.as_slice()).unwrap_or_default() {
        let named = kept.name.strip_prefix(name(count)).and_then(|rest| rest.strip_prefix('.'));
        let Some((number, day)) = named.and_then(number_and_day) else { continue };
        counted.push(Counted { day, at: None, times: kept.count, number });
    }
    if context.zone.is_none_or(|zone| zone.spans.is_empty()) {
        return None;
    }
    Some(counted)
}

/// `phones.0.2026-11-03`, or the day alone.
fn number_and_day(rest: &str) -> Option<(&str, Day)> {
    let at = rest.len().checked_sub(10)?;
    let (number, day) = (rest.get(..at)?, parse_day(rest.get(at..)?)?);
    Some((number.strip_suffix('.').unwrap_or(number), day))
}

/// The name of a count in the office's summary.
pub(in crate::conduct) fn name(count: Count) -> &'static str {
    match count {
        Count::Visits => "visits",
        Count::Calls => "calls",
        Count::Conversations => "conversations",
        Count::Contacts => "contacts",
        Count::Attempts => "attempts",
        Count::Unanswered => "unanswered",
    }
}

/// Whether a contact is counted.
fn counts(count: Count, contact: &ContactView) -> bool {
    let call = contact.channel == Channel::Call && contact.target_role != TargetRole::ThirdParty;
    match count {
        Count::Visits => false,
        Count::Calls | Count::Attempts => call,
        Count::Conversations => {
            call && contact.outcome == ContactOutcome::Reached && is_party(contact.target_role)
        }
        Count::Contacts => {
            let came_through = match contact.outcome {
                ContactOutcome::Reached
                | ContactOutcome::LeftMessage
                | ContactOutcome::Refused
                | ContactOutcome::Sent => true,
                ContactOutcome::NoAnswer | ContactOutcome::Busy | ContactOutcome::InvalidNumber => {
                    false
                }
            };
            came_through && contact.target_role != TargetRole::ThirdParty
        }
        Count::Unanswered => {
            call && matches!(contact.outcome, ContactOutcome::NoAnswer | ContactOutcome::Busy)
        }
    }
}

/// How long counts are needed by any cap, ms.
pub(in crate::conduct) const KEPT: i64 = 62 * DAY;
