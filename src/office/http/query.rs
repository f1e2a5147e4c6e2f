//! Values of query parameters. An unknown value is refused: a filter must not be ignored.

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;

use super::Problem;
use crate::office::store::Period;
use crate::office::time;

/// Rows of a page unless the client asks for another number.
const PAGE: u32 = 50;

/// The most rows of a page.
const MAX_PAGE: u32 = 200;

/// The text without white space around it, if any is left.
pub(super) fn filled(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// The words of a list, comma-separated.
pub(super) fn names(text: &str) -> Vec<String> {
    text.split(',').filter_map(filled).map(str::to_owned).collect()
}

/// The parameter `zone`.
pub(super) fn zone(text: &str) -> Result<Tz, Problem> {
    Ok(parsed(text, "zone", |name| name.parse().ok())?.unwrap_or(Tz::UTC))
}

/// The parameters `from` and `to`.
pub(super) fn period(from: &str, to: &str, zone: Tz) -> Result<Period, Problem> {
    time::period(from.trim(), to.trim(), zone).ok_or(Problem::parameter("from"))
}

/// The value of a parameter that may be absent or empty.
pub(super) fn parsed<T>(
    text: &str,
    name: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    filled(text).map(|text| parse(text).ok_or(Problem::parameter(name))).transpose()
}

/// A parameter that is set or not.
pub(super) fn flag(text: &str, name: &'static str) -> Result<bool, Problem> {
    match text {
        "1" | "true" => Ok(true),
        "" | "0" | "false" => Ok(false),
        _ => Err(Problem::parameter(name)),
    }
}

/// The parameter `today`: a day, or else that of a time, ms, in UTC.
pub(super) fn day(text: &str, now: i64) -> Result<String, Problem> {
    let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let today = || DateTime::from_timestamp_millis(now).unwrap_or_default().date_naive();
    // Written anew: dates are compared as text.
    Ok(parsed(text, "today", day)?.unwrap_or_else(today).format("%Y-%m-%d").to_string())
}

/// The parameter `limit`: rows of a page.
pub(super) fn page_size(text: &str) -> Result<u32, Problem> {
    let parse = |text: &str| text.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
    Ok(parsed(text, "limit", parse)?.unwrap_or(PAGE))
}
