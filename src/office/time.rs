//! Times as people and protocols write them.

use chrono::{DateTime, NaiveDate, NaiveTime};

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
}
