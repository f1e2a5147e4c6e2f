//! Extending the deadline of a complaint, as far as the rules in force allow.

use super::said::time_to_decide;
use super::{ComplaintRefusal, DAY_MS};
use crate::office::store::Complaint;
use crate::office::{Office, OfficeError};

impl Office {
    /// The latest deadline that a complaint can get, ms; `None` where none later is allowed: it is
    /// decided or late, or a rule knows no extension.
    pub async fn latest_deadline(&self, complaint: &Complaint) -> Result<Option<i64>, OfficeError> {
        let view = self.visit(complaint.record).await?;
        let limit = time_to_decide(&self.policy, &view, complaint.received_at).longest;
        let latest = complaint.received_at + limit * DAY_MS;
        Ok(check(complaint, latest, latest, self.now()).is_ok().then_some(latest))
    }
}

/// Whether the deadline can be set to a time. One that has passed cannot: the complaint is late.
pub(super) fn check(
    complaint: &Complaint,
    deadline_at: i64,
    latest: i64,
    now: i64,
) -> Result<(), ComplaintRefusal> {
    let is_open = complaint.closed.is_none() && now <= complaint.deadline_at;
    let is_later = complaint.deadline_at < deadline_at && deadline_at <= latest;
    if is_open && is_later { Ok(()) } else { Err(ComplaintRefusal::Extension) }
}
