//! A collector's own figures by month: visits, promises, conduct. Each collector sees their own and
//! no other user's, and nothing ranks them (docs/REPORTS.md).

use chrono::{DateTime, Datelike as _, Months};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Serialize;

use super::store::OwnVisit;
use super::{Office, OfficeError, time};

/// Months that are counted, the current one included.
const MONTHS: u32 = 6;

/// Figures of one collector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OwnFigures {
    /// When they were counted, ms.
    pub counted_at: i64,
    /// The newest month first.
    pub months: Vec<OwnMonth>,
}

/// Figures of one month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OwnMonth {
    /// `YYYY-MM`.
    pub month: String,
    /// Visits with an arrival in the month.
    pub visits: u64,
    /// Of those, visits where a rule of conduct was not kept.
    pub visits_failed: u64,
    /// Of those that did not fail, visits where an answer to a rule is missing.
    pub visits_unknown: u64,
    /// Promised payments due in the month.
    pub promises: u64,
    /// Of those, promises that recorded payments reach.
    pub promises_kept: u64,
    /// Of those, promises whose day has passed without that.
    pub promises_broken: u64,
}

impl Office {
    /// The figures of a collector; months begin in `zone`.
    pub async fn own_figures(&self, collector: &str, zone: Tz) -> Result<OwnFigures, OfficeError> {
        let (now, collector) = (self.now(), collector.to_owned());
        let days = months(now, zone).last().and_then(|first| {
            // Promises of the current month may be due after today.
            let end = last_day(now, zone)?;
            time::period(&format!("{first}-01"), &end, zone)
        });
        let Some(days) = days else { return Ok(OwnFigures { counted_at: now, months: vec![] }) };
        self.blocking(move |office| {
            let visits = office.store.read_with(|reads| reads.own_visits(&collector, &days))?;
            Ok(OwnFigures { counted_at: now, months: count(&visits, now, zone) })
        })
        .await
    }
}

fn count(visits: &[OwnVisit], now: i64, zone: Tz) -> Vec<OwnMonth> {
    let today = time::today(now, zone);
    let mut counted: Vec<OwnMonth> = months(now, zone)
        .into_iter()
        .map(|month| OwnMonth { month, ..OwnMonth::default() })
        .collect();
    let mut add = |day: &str, add: &dyn Fn(&mut OwnMonth)| {
        if let Some(month) = counted.iter_mut().find(|month| day.starts_with(&month.month)) {
            add(month);
        }
    };
    for OwnVisit { arrived_at, promise, failed, unknown } in visits {
        if let Some(at) = arrived_at {
            add(&time::today(*at, zone), &|month| {
                month.visits += 1;
                month.visits_failed += u64::from(*failed > 0);
                month.visits_unknown += u64::from(*failed == 0 && *unknown > 0);
            });
        }
        if let Some((due, open)) = promise {
            add(due, &|month| {
                month.promises += 1;
                month.promises_kept += u64::from(!open);
                month.promises_broken += u64::from(*open && *due < today);
            });
        }
    }
    counted
}

/// The months that are counted, `YYYY-MM`, the newest first.
fn months(now: i64, zone: Tz) -> Vec<String> {
    let today = DateTime::from_timestamp_millis(now).unwrap_or_default().with_timezone(&zone);
    let first = today.date_naive().with_day(1).unwrap_or_default();
    let back = |n| first.checked_sub_months(Months::new(n)).unwrap_or_default();
    (0..MONTHS).map(|n| back(n).format("%Y-%m").to_string()).collect()
}

/// The last day of the current month.
fn last_day(now: i64, zone: Tz) -> Option<String> {
    let today = DateTime::from_timestamp_millis(now)?.with_timezone(&zone).date_naive();
    let next = today.with_day(1)?.checked_add_months(Months::new(1))?;
    Some(next.pred_opt()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_and_promises_are_counted_in_their_months() {
        // 2026-11-23 18:30 in Ningbo.
        let now = 1_795_429_800_000;
        let visit = |arrived_at, promise: Option<(&str, bool)>, failed, unknown| OwnVisit {
            arrived_at,
            promise: promise.map(|(due, open)| (due.to_owned(), open)),
            failed,
            unknown,
        };
        let day = 86_400_000;
        let months = count(
            &[
                visit(Some(now), Some(("2026-11-22", true)), 0, 0),
                visit(Some(now - day), Some(("2026-11-23", true)), 1, 1),
                visit(Some(now - 30 * day), Some(("2026-11-01", false)), 0, 2),
                visit(None, Some(("2026-06-30", false)), 3, 3),
                visit(Some(now - 300 * day), None, 1, 0),
            ],
            now,
            Tz::Asia__Shanghai,
        );
        assert_eq!(months.len(), 6);
        let month = |month: &str| OwnMonth { month: month.to_owned(), ..OwnMonth::default() };
        assert_eq!(
            months[0],
            OwnMonth {
                visits: 2,
                visits_failed: 1,
                promises: 3,
                promises_kept: 1,
                promises_broken: 1,
                ..month("2026-11")
            }
        );
        assert_eq!(months[1], OwnMonth { visits: 1, visits_unknown: 1, ..month("2026-10") });
        assert_eq!(months[5], OwnMonth { promises: 1, promises_kept: 1, ..month("2026-06") });
    }
}
