//! Visits that the office watches over, and alarms.

use super::StoreError;
use crate::ids::RecordId;

/// One visit, from the departure to the check-out. Times are ms by the office's clock.
#[derive(Debug, Clone, PartialEq)]
pub struct SafetyWatch {
    /// UUID made by the phone.
    pub id: [u8; 16],
    /// The collector.
    pub user: String,
    /// The record of the visit; the office may not hold it any more.
    pub record: RecordId,
    /// Number of the phone's report: a later one replaces an earlier one.
    pub revision: i64,
    /// When the collector should have checked out.
    pub due_at: i64,
    /// When the collector raised an alarm.
    pub alarm_at: Option<i64>,
    /// Latitude and longitude of the alarm, degrees.
    pub position: Option<(f64, f64)>,
    /// When the collector checked out.
    pub ended_at: Option<i64>,
    /// When the last report came.
    pub received_at: i64,
    /// Who takes care of it, and since when.
    pub seen: Option<(String, i64)>,
}

/// Reads about watches.
pub trait SafetyReads {
    /// One watch.
    fn safety_watch(&mut self, id: [u8; 16]) -> Result<Option<SafetyWatch>, StoreError>;
    /// Watches that have not ended, and unseen alarms: alarms first, then the earliest due.
    fn open_safety_watches(&mut self, limit: u32) -> Result<Vec<SafetyWatch>, StoreError>;
}

/// Writes about watches.
pub trait SafetyWrites {
    /// Adds or replaces a watch.
    fn put_safety_watch(&mut self, watch: &SafetyWatch) -> Result<(), StoreError>;
    /// Deletes all but some watches of a user; unseen alarms go last, then visits under way. Of those
    /// that supervisors are shown (visits under way and unseen alarms) `keep_open` remain at most.
    fn prune_safety_watches(
        &mut self,
        user: &str,
        keep_open: u32,
        keep: u32,
    ) -> Result<(), StoreError>;
    /// Deletes positions, and whole watches, whose last report came before a time, ms; gives the
    /// number of positions.
    fn expire_safety_watches(&mut self, positions: i64, watches: i64) -> Result<u64, StoreError>;
}
