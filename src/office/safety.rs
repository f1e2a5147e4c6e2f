//! Watching over visits: a collector who does not check out in time, or raises an alarm, is shown to
//! supervisors. The office decides by its own clock, so a phone without a signal is overdue too.

use super::store::SafetyWatch;
use super::{Office, OfficeError};
use crate::ids::RecordId;

/// After the time for the check-out: the phone reminds its user first.
pub const GRACE_MS: i64 = 5 * 60_000;
/// Longest time until a check-out, and greatest age of an alarm, that a phone can report.
const LONGEST_MS: i64 = DAY_MS;
/// Watches kept per user, against a phone that makes up visits.
const KEPT_PER_USER: u32 = 100;
/// Of these, visits under way and unseen alarms: a phone reports one visit at a time, and a user has
/// few phones. A lying one must not hide the alarms of others from supervisors.
const OPEN_PER_USER: u32 = 8;
/// How long the position of an alarm is kept after the last report.
const POSITION_DAYS: i64 = 30;
/// How long a watch is kept after the last report.
const WATCH_DAYS: i64 = 180;
const DAY_MS: i64 = 24 * 3_600_000;
/// Watches in one list.
const LISTED: u32 = 500;

/// What a phone reports about its visit. Durations instead of times: its clock may be wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct SafetyReport {
    /// UUID of the watch, made by the phone.
    pub id: [u8; 16],
    /// The record of the visit.
    pub record: RecordId,
    /// Counts up with each report.
    pub revision: i64,
    /// Time left until the check-out is due, ms; negative if it is overdue.
    pub due_in_ms: i64,
    /// How long ago an alarm was raised, ms.
    pub alarm_age_ms: Option<i64>,
    /// Latitude and longitude of the alarm, degrees.
    pub position: Option<(f64, f64)>,
    /// The collector has checked out.
    pub ended: bool,
}

/// The state of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WatchState {
    /// The visit is under way.
    Running,
    /// The check-out is overdue.
    Overdue,
    /// The collector raised an alarm.
    Alarm,
    /// The collector checked out.
    Ended,
}

/// The state of a watch at a time, ms. An alarm lasts until a supervisor has seen it, even after the
/// check-out.
pub fn state(watch: &SafetyWatch, now: i64) -> WatchState {
    match (watch.alarm_at, watch.ended_at, &watch.seen) {
        (Some(_), None, _) | (Some(_), Some(_), None) => WatchState::Alarm,
        (_, Some(_), _) => WatchState::Ended,
        (None, None, _) if now > watch.due_at.saturating_add(GRACE_MS) => WatchState::Overdue,
        (None, None, _) => WatchState::Running,
    }
}

impl Office {
    /// The office's time, ms.
    pub fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    /// Stores a phone's report; gives the watch after it, or `None` where it is another user's. A
    /// repeated or late report changes nothing.
    pub async fn report_safety(
        &self,
        user: &str,
        report: SafetyReport,
    ) -> Result<Option<SafetyWatch>, OfficeError> {
        let (user, now) = (user.to_owned(), self.now_ms());
        let stored = self.store.write(move |tx| {
            let known = tx.safety_watch(report.id)?;
            if known.as_ref().is_some_and(|known| known.user != user) {
                return Ok(None);
            }
            if let Some(known) = &known
                && known.revision >= report.revision
            {
                return Ok(Some(known.clone()));
            }
            let watch = updated(known, &user, &report, now);
            tx.put_safety_watch(&watch)?;
            tx.prune_safety_watches(&user, OPEN_PER_USER, KEPT_PER_USER)?;
            Ok(Some(watch))
        });
        Ok(stored.await?)
    }

    /// Visits under way, and alarms that no supervisor has seen.
    pub async fn safety_watches(&self) -> Result<Vec<SafetyWatch>, OfficeError> {
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| reads.open_safety_watches(LISTED))?)
        })
        .await
    }

    /// Deletes positions and watches whose time is over; gives the number of positions.
    pub async fn expire_safety_watches(&self) -> Result<u64, OfficeError> {
        let now = self.now_ms();
        let before = |days: i64| now.saturating_sub(days * DAY_MS);
        let (positions, watches) = (before(POSITION_DAYS), before(WATCH_DAYS));
        let expired =
            self.store.write(move |tx| tx.expire_safety_watches(positions, watches)).await?;
        Ok(expired)
    }

    /// Records who takes care of a watch; the first one stays. `None` where it is unknown.
    pub async fn acknowledge_safety(
        &self,
        id: [u8; 16],
        by: &str,
    ) -> Result<Option<SafetyWatch>, OfficeError> {
        let (by, now) = (by.to_owned(), self.now_ms());
        let stored = self.store.write(move |tx| {
            let Some(mut watch) = tx.safety_watch(id)? else { return Ok(None) };
            if watch.seen.is_none() {
                watch.seen = Some((by.clone(), now));
                tx.put_safety_watch(&watch)?;
            }
            Ok(Some(watch))
        });
        Ok(stored.await?)
    }
}

/// The watch after a report. Nothing takes an alarm back: the check-out ends it.
fn updated(known: Option<SafetyWatch>, user: &str, report: &SafetyReport, now: i64) -> SafetyWatch {
    let reported_alarm = report.alarm_age_ms.map(|age| now - age.clamp(0, LONGEST_MS));
    let (alarm_at, position, seen) = match known {
        Some(known) => {
            // A new alarm has to be seen again.
            let seen = known.seen.filter(|_| known.alarm_at.is_some() || reported_alarm.is_none());
            (known.alarm_at.or(reported_alarm), report.position.or(known.position), seen)
        }
        None => (reported_alarm, report.position, None),
    };
    SafetyWatch {
        id: report.id,
        user: user.to_owned(),
        record: report.record,
        revision: report.revision,
        due_at: now.saturating_add(report.due_in_ms.clamp(-LONGEST_MS, LONGEST_MS)),
        alarm_at,
        position,
        ended_at: report.ended.then_some(now),
        received_at: now,
        seen,
    }
}
