//! Queues of the console: records that wait for the office, by what they wait for.

use super::{Listing, StoreError};
use crate::record::queue::{OrderRule, QueueOrder};
use crate::record::terms::vocabulary;
use crate::types::ApiType;

vocabulary! {
/// Records that wait for the same thing. A queue is a filter over the rows of records.
Queue {
    /// No collector, and not submitted.
    Unassigned = "unassigned",
    /// To be visited today.
    DueToday = "due_today",
    /// Should have been visited before today.
    Overdue = "overdue",
    /// Returned to the collector, and not sealed again.
    Returned = "returned",
    /// Sealed, and neither accepted nor returned.
    ToReview = "to_review",
    /// Drawn for an audit, sealed, and not audited.
    ToAudit = "to_audit",
    /// Two versions of a field.
    InConflict = "in_conflict",
    /// A rule of conduct in force has failed.
    ConductFailed = "conduct_failed",
    /// Sealed, and a rule of conduct in force cannot be answered.
    ConductUnknown = "conduct_unknown",
    /// A hold in force on a record that is not accepted.
    Holds = "holds",
    /// A complaint is open.
    Complaints = "complaints",
    /// A promised payment is due today and not covered.
    PromisesDue = "promises_due",
    /// A promised payment was due before today and is not covered.
    PromisesBroken = "promises_broken",
}}

/// Reads for queues.
pub trait QueueReads {
    /// How many records pass the filters of a listing, counted up to `cap`.
    fn count_listed(&mut self, listing: &Listing, cap: u32) -> Result<u64, StoreError>;
    /// How many records there are.
    fn count_records(&mut self) -> Result<u64, StoreError>;
    /// How many pieces of refused work are undecided, counted up to `cap`.
    fn count_undecided(&mut self, cap: u32) -> Result<u64, StoreError>;
    /// How many devices with a sign-in that is valid `now` were last seen before `since`, ms,
    /// counted up to `cap`. Revoked devices do not count.
    fn count_devices_unseen(&mut self, since: i64, now: i64, cap: u32) -> Result<u64, StoreError>;
    /// The rules by which `Sort::Queue` orders records.
    fn queue_order(&mut self) -> Result<QueueOrder, StoreError>;
}

/// Writes for queues.
pub trait QueueWrites {
    /// Sets the rules of the order. Rows get their new place by [`rekey`](Self::rekey).
    fn set_queue_order(&mut self, rules: &[OrderRule]) -> Result<(), StoreError>;
    /// Puts at most `limit` rows into their place by the present rules. True while rows remain.
    fn rekey(&mut self, limit: u32) -> Result<bool, StoreError>;
}
