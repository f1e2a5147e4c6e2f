//! Times as people and protocols write them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;

use super::store::Period;

/// The longest period of a report, days.
const LONGEST_PERIOD: i64 = 366;

/// A time in ms from ms, from a date (its midnight, UTC) or from RFC 3339.
pub fn parse(text: &str) -> Option<i64> {
    if text.len() > 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date.and_time(NaiveTime::MIN).and_utc().timestamp_millis());
    }
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis())
}

/// A time as HTTP's `Date` has it.
pub fn http_date(ms: i64) -> Option<String> {
    let time = DateTime::from_timestamp_millis(ms)?;
    Some(time.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// The days from one date to another, both included, in a zone; `None` where a date is malformed or
/// they are more than 366 days.
pub fn period(from: &str, to: &str, zone: Tz) -> Option<Period> {
    let [first, last] = [from, to].map(|date| NaiveDate::parse_from_str(date, "%Y-%m-%d").ok());
    let (first, last) = (first?, last?);
    if !(0..LONGEST_PERIOD).contains(&(last - first).num_days()) {
        return None;
    }
    let end = last.checked_add_days(Days::new(1))?;
    Some(Period {
        start: midnight(first, zone)?,
        end: midnight(end, zone)?,
        from: first.to_string(),
        to: last.to_string(),
    })
}

/// Today in a zone, `YYYY-MM-DD`.
pub fn today(now: i64, zone: Tz) -> String {
    let now = DateTime::from_timestamp_millis(now).unwrap_or_default();
    now.with_timezone(&zone).date_naive().to_string()
}

/// The first instant of a day, ms. Some zones begin summer time at midnight.
fn midnight(day: NaiveDate, zone: Tz) -> Option<i64> {
    let hours = (0..4).filter_map(|hour| day.and_hms_opt(hour, 0, 0));
    let first = hours.filter_map(|time| zone.from_local_datetime(&time).earliest()).next();
    first.map(|time| time.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_three_forms() {
        assert_eq!(parse("1795429800000"), Some(1_795_429_800_000));
        assert_eq!(parse("2026-11-23"), Some(1_795_392_000_000));
        assert_eq!(parse("2026-11-23T18:30:00+08:00"), Some(1_795_429_800_000));
        assert_eq!(parse("23.11.2026"), None);
        assert_eq!(parse(""), None);
        assert_eq!(http_date(1_795_429_800_000).as_deref(), Some("Mon, 23 Nov 2026 10:30:00 GMT"));
    }

    #[test]
    fn a_period_has_whole_days_of_its_zone() {
        let shanghai = period("2026-11-23", "2026-11-24", Tz::Asia__Shanghai).unwrap();
        assert_eq!(shanghai.start, 1_795_363_200_000);
        assert_eq!(shanghai.end - shanghai.start, 48 * 3_600_000);
        // Clocks go from 00:00 to 01:00 on this day.
        let cairo = period("2026-04-24", "2026-04-24", Tz::Africa__Cairo).unwrap();
        assert_eq!(cairo.end - cairo.start, 23 * 3_600_000);
        for (from, to) in [("2026-11-24", "2026-11-23"), ("2026-01-01", "2027-01-02"), ("", "x")] {
            assert_eq!(period(from, to, Tz::UTC), None, "{from} {to}");
        }
        assert_eq!(today(1_795_363_200_000, Tz::Asia__Shanghai), "2026-11-23");
    }
}
