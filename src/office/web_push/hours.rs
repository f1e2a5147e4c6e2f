//! When a collector wants to be notified.

use chrono::{DateTime, Timelike};
use chrono_tz::Tz;

use crate::office::store::PushSubscription;

const MINUTES_PER_DAY: u16 = 24 * 60;
const MINUTE_MS: i64 = 60_000;

/// The part of each day in which notices are sent; those of other times wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeHours {
    /// Zone of the two times.
    pub zone: Tz,
    /// Minutes after midnight.
    pub from_minute: u16,
    /// Minutes after midnight; may be before the beginning, and equal to it: all day.
    pub until_minute: u16,
}

impl NoticeHours {
    /// Checks hours that a phone sends.
    pub fn new(zone: &str, from_minute: u16, until_minute: u16) -> Option<Self> {
        let valid = from_minute < MINUTES_PER_DAY && until_minute < MINUTES_PER_DAY;
        let zone = zone.parse().ok().filter(|_| valid)?;
        Some(Self { zone, from_minute, until_minute })
    }

    /// The hours of a subscription. A zone that this program does not know counts as UTC.
    pub(super) fn of(subscription: &PushSubscription) -> Self {
        let PushSubscription { zone, from_minute, until_minute, .. } = subscription;
        let (from_minute, until_minute) = (*from_minute, *until_minute);
        Self { zone: zone.parse().unwrap_or(Tz::UTC), from_minute, until_minute }
    }

    /// When the hours begin next, ms; `None` while they last.
    pub(super) fn next_begin(&self, now: i64) -> Option<i64> {
        let local = DateTime::from_timestamp_millis(now)?.with_timezone(&self.zone);
        let minute = u16::try_from(local.hour() * 60 + local.minute()).ok()?;
        let since = |from: u16| (minute + MINUTES_PER_DAY - from) % MINUTES_PER_DAY;
        let length = (self.until_minute + MINUTES_PER_DAY - self.from_minute) % MINUTES_PER_DAY;
        if length == 0 || since(self.from_minute) < length {
            return None;
        }
        let wait = i64::from(MINUTES_PER_DAY - since(self.from_minute)) * MINUTE_MS;
        Some(now - now.rem_euclid(MINUTE_MS) + wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 18:30:20 in Ningbo, ms.
    const EVENING: i64 = 1_795_429_820_000;

    fn next_begin(from: u16, until: u16) -> Option<i64> {
        NoticeHours::new("Asia/Shanghai", from * 60, until * 60).unwrap().next_begin(EVENING)
    }

    #[test]
    fn notices_wait_for_the_working_day() {
        assert_eq!(next_begin(8, 20), None);
        assert_eq!(next_begin(0, 0), None, "all day");
        assert_eq!(next_begin(22, 6), Some(EVENING - 20_000 + 210 * MINUTE_MS));
        assert_eq!(next_begin(12, 6), None, "over midnight");
        let next_day = Some(EVENING - 20_000 + (13 * 60 + 30) * MINUTE_MS);
        assert_eq!(next_begin(8, 18), next_day);
        assert_eq!(next_begin(8, 8 + 10), next_day);
    }

    #[test]
    fn hours_from_phones_are_checked() {
        assert!(NoticeHours::new("Asia/Nowhere", 0, 0).is_none());
        assert!(NoticeHours::new("Asia/Shanghai", 1440, 0).is_none());
        assert!(NoticeHours::new("Asia/Shanghai", 0, 1440).is_none());
    }
}
