//! The borrower's local time: zones as lists of offsets, days as numbers, minutes of the day.
//!
//! Zones are passed in as data, computed by the caller from the browser's `Intl` or the office's
//! zone database, so that the phone's core contains no copy of it. An instant has exactly one local
//! time; a local time has none, one or two instants.

use serde::{Deserialize, Serialize};

use crate::record::date::Date;
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
/// The UTC offset from an instant on.
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
    /// Offsets in order of time; empty if the zone is unknown.
    pub spans: Vec<ZoneSpan>,
    /// End of the data, ms, exclusive.
    pub until: i64,
}
}

/// Local date and time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime {
    /// The day.
    pub day: Day,
    /// ms of local time since midnight.
    pub of_day: i64,
}

impl ZoneData {
    /// The local time at an instant; `None` outside the data.
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

    /// The end of the period of constant offset around an instant.
    fn offset_until(&self, at: i64) -> Option<i64> {
        let next = self.spans.get(self.span(at)? + 1);
        Some(next.map_or(self.until, |span| span.from.min(self.until)))
    }

    /// The first instant, not before `after`, at which the local time is the given one or later. If
    /// the local time is skipped, this is the end of the gap.
    pub fn first_at_or_after(&self, day: Day, of_day: i64, after: i64) -> Option<i64> {
        let wanted = LocalTime { day, of_day };
        let mut at = after;
        loop {
            if self.local(at)? >= wanted {
                return Some(at);
            }
            let wall = i64::from(day).checked_mul(DAY)?.checked_add(of_day)?;
            let instant = wall - self.offset(at)?;
            let offset_until = self.offset_until(at)?;
            if instant < offset_until {
                return Some(instant);
            }
            at = offset_until;
        }
    }

    /// Splits `[from, to)` into intervals within one local day and with one offset, in order.
    /// `None` if the data does not cover all of it.
    pub fn intervals(&self, from: i64, to: i64) -> Option<Vec<LocalInterval>> {
        let mut intervals = Vec::new();
        let mut at = from;
        loop {
            let local = self.local(at)?;
            let midnight = at + (DAY - local.of_day);
            let end = to.min(midnight).min(self.offset_until(at)?);
            // An instant gives an interval of length 0.
            let length = (end - at).max(0);
            intervals.push(LocalInterval { at, local, length });
            if end >= to || length == 0 {
                return Some(intervals);
            }
            at = end;
        }
    }
}

/// An interval within one local day and with one UTC offset.
#[derive(Debug, Clone, Copy)]
pub struct LocalInterval {
    /// Its start, ms.
    pub at: i64,
    /// Its local start.
    pub local: LocalTime,
    /// Its length, ms; 0 for an instant.
    pub length: i64,
}

/// The day of a date `YYYY-MM-DD`.
pub fn parse_day(text: &str) -> Option<Day> {
    Date::parse(text).map(day_of)
}

/// A day as `YYYY-MM-DD`.
pub fn show_day(day: Day) -> String {
    date_of(day).to_string()
}

/// Minutes of a day as `HH:MM`.
pub fn show_minutes(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Monday is 0.
pub fn weekday(day: Day) -> i32 {
    (day + 3).rem_euclid(7)
}

/// Year and month of a day as one increasing number.
pub fn month(day: Day) -> i32 {
    let date = date_of(day);
    date.year * 12 + date.month
}

/// Howard Hinnant's algorithm, for eras of 400 years that begin on a 1 March.
fn day_of(Date { year, month, day }: Date) -> Day {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date_of(day: Day) -> Date {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted - era * 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    Date { year: year + era * 400 + i32::from(month <= 2), month, day }
}
