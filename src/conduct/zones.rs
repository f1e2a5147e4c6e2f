//! Zone data from the office's zone database. A phone takes it from the browser.

use chrono::{Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::time::{DAY, ZoneData, ZoneSpan};

/// Range of zone data before and after an instant: longer than any rule needs.
const REACH: i64 = 800 * DAY;

/// Zone data around an instant; without spans if the zone is unknown.
pub fn around(name: &str, at: i64) -> ZoneData {
    // Aligned, so that nearby instants share the same data.
    let middle = at.div_euclid(100 * DAY) * 100 * DAY;
    let (from, until) = (middle - REACH, middle + REACH);
    let spans = name.parse::<Tz>().map_or_else(|_| Vec::new(), |zone| spans(zone, from, until));
    ZoneData { name: name.to_owned(), spans, until }
}

fn spans(zone: Tz, from: i64, until: i64) -> Vec<ZoneSpan> {
    let offset = |at: i64| {
        let utc = Utc.timestamp_millis_opt(at).single().unwrap_or_default();
        zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc()
    };
    let mut spans = vec![ZoneSpan { from, offset_s: offset(from) }];
    let mut at = from;
    while at < until {
        let next = at + DAY;
        let (before, after) = (offset(at), offset(next));
        if before != after {
            // The first instant of the new offset, found by halving.
            let (mut low, mut high) = (at, next);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if offset(middle) == before { low = middle } else { high = middle }
            }
            spans.push(ZoneSpan { from: high, offset_s: after });
        }
        at = next;
    }
    spans
}
