//! The borrower's clock: zones as a list of offsets, days as numbers, minutes of the day.
//!
//! A zone comes as data, worked out by whoever runs the engine (the browser's `Intl`, the office's
//! zone database), so that the phone's core carries no copy of it. All of it is exact: an instant
//! has one local time, a local time has no, one or two instants.

use serde::{Deserialize, Serialize};

use crate::types::ApiType;

/// A minute, ms.
pub const MINUTE: i64 = 60_000;
/// An hour, ms.
pub const HOUR: i64 = 60 * MINUTE;
/// A day of 24 hours, ms. A local day can be shorter or longer.
pub const DAY: i64 = 24 * HOUR;

/// A day of the Gregorian calendar: days since 1970-01-01.
pub type Day = i32;

ApiType! {
/// From an instant on, local time is UTC plus so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneSpan {
    /// ms since 1970 UTC.
    pub from: i64,
    /// Seconds east of UTC.
    pub offset_s: i32,
}
}

ApiType! {
/// A time zone for a range of years, as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneData {
    /// IANA name.
    pub name: String,
    /// Offsets in order of time; empty where whoever made this does not know the zone.
    pub spans: Vec<ZoneSpan>,
    /// Where the knowledge ends, ms.
    pub until: i64,
}
}

/// What a clock on the wall shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime {
    /// Which day.
    pub day: Day,
    /// ms since the wall clock showed midnight.
    pub of_day: i64,
}

impl ZoneData {
    /// The wall clock at an instant; `None` outside the years that the data covers.
    pub fn local(&self, at: i64) -> Option<LocalTime> {
        let wall = at.checked_add(self.offset(at)?)?;
        let day = Day::try_from(wall.div_euclid(DAY)).ok()?;
        Some(LocalTime { day, of_day: wall.rem_euclid(DAY) })
    }

    /// The day at an instant.
    pub fn day(&self, at: i64) -> Option<Day> {
        self.local(at).map(|local| local.day)
    }

    fn offset(&self, at: i64) -> Option<i64> {
        let index = self.span(at)?;
        self.spans.get(index).map(|span| i64::from(span.offset_s) * 1000)
    }

    fn span(&self, at: i64) -> Option<usize> {
        if at >= self.until {
            return None;
        }
        self.spans.partition_point(|span| span.from <= at).checked_sub(1)
    }

    /// The end of the interval of even time that an instant lies in.
    fn even_until(&self, at: i64) -> Option<i64> {
        let next = self.spans.get(self.span(at)? + 1);
        Some(next.map_or(self.until, |span| span.from.min(self.until)))
    }

    /// The first instant, not before `after`, at which the wall clock shows a time of a day or
    /// later on that day: where the time is skipped, the end of the gap.
    pub fn first_at_or_after(&self, day: Day, of_day: i64, after: i64) -> Option<i64> {
        let wanted = LocalTime { day, of_day };
        let mut at = after;
        loop {
            if self.local(at)? >= wanted {
                return Some(at);
            }
            let wall = i64::from(day).checked_mul(DAY)?.checked_add(of_day)?;
            let instant = wall - self.offset(at)?;
            let even_until = self.even_until(at)?;
            if instant < even_until {
                return Some(instant);
            }
            at = even_until;
        }
    }

    /// Cuts `[from, to)` into intervals that lie in one local day and in even time; in order.
    /// `None` where the data does not cover all of it.
    pub fn intervals(&self, from: i64, to: i64) -> Option<Vec<LocalInterval>> {
        let mut intervals = Vec::new();
        let mut at = from;
        loop {
            let local = self.local(at)?;
            let midnight = at + (DAY - local.of_day);
            let end = to.min(midnight).min(self.even_until(at)?);
            // An instant is a interval too.
            let length = (end - at).max(0);
            intervals.push(LocalInterval { at, local, length });
            if end >= to || length == 0 {
                return Some(intervals);
            }
            at = end;
        }
    }
}

/// A piece of time within one local day, through which the wall clock runs evenly.
#[derive(Debug, Clone, Copy)]
pub struct LocalInterval {
    /// Where it begins, ms.
    pub at: i64,
    /// What the wall clock shows then.
    pub local: LocalTime,
    /// How long it is, ms; 0 for an instant.
    pub length: i64,
}

/// The day of a date `YYYY-MM-DD`.
pub fn parse_day(text: &str) -> Option<Day> {
    let mut parts = text.splitn(3, '-');
    let mut next = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i32>().ok())?
    };
    let (year, month, date) = (next(4)?, next(2)?, next(2)?);
    let day = day_of(year, month, date);
    (date_of(day) == (year, month, date)).then_some(day)
}

/// A day as `YYYY-MM-DD`.
pub fn show_day(day: Day) -> String {
    let (year, month, date) = date_of(day);
    format!("{year:04}-{month:02}-{date:02}")
}

/// Minutes of a day as `HH:MM`.
pub fn show_minutes(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Monday is 0.
pub fn weekday(day: Day) -> i32 {
    (day + 3).rem_euclid(7)
}

/// Year and month of a day, as one number that grows with time.
pub fn month(day: Day) -> i32 {
    let (year, month, _) = date_of(day);
    year * 12 + month
}

/// Howard Hinnant's algorithm, for eras of 400 years that begin on a 1 March.
fn day_of(year: i32, month: i32, date: i32) -> Day {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + date - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date_of(day: Day) -> (i32, i32, i32) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted - era * 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i32::from(month <= 2), month, date)
}
