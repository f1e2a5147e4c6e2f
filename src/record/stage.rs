//! The derived stage: assigned → contacted → scheduled → on site → recorded → sealed → reviewed.

#[cfg(not(target_arch = "wasm32"))]
use automerge::Automerge;
#[cfg(not(target_arch = "wasm32"))]
use automerge::ReadDoc;

use super::reader::ReadFields;
#[cfg(not(target_arch = "wasm32"))]
use super::reader::{Reader, author_and_time};
use super::terms::{AppointmentStatus, Disposition, ReviewStatus, Stage};

impl Stage {
    /// Whether the record is sealed: collectors can then only add entries.
    pub fn is_sealed(self) -> bool {
        matches!(self, Self::Sealed | Self::Reviewed)
    }
}

/// The stage of a record.
pub(super) fn of(read: &impl ReadFields) -> Stage {
    if let Some(sealed_at) = read.time(&["seal"], "at") {
        let judged = read.time(&["review"], "of") == Some(sealed_at);
        let status = read.enumerated(&["review"], "status", ReviewStatus::parse);
        match status {
            Some(ReviewStatus::Accepted) if judged => return Stage::Reviewed,
            // Returned: open until it is sealed again.
            Some(ReviewStatus::Returned) if judged => return Stage::Recorded,
            Some(ReviewStatus::Accepted | ReviewStatus::Returned | ReviewStatus::Pending)
            | None => return Stage::Sealed,
        }
    }
    if read.enumerated(&["talk"], "disposition", Disposition::parse).is_some() {
        Stage::Recorded
    } else if read.time(&["visit"], "departed_at").or(read.time(&["visit"], "arrived_at")).is_some()
    {
        Stage::OnSite
    } else if read.enumerated(&["appointment"], "status", AppointmentStatus::parse)
        == Some(AppointmentStatus::Agreed)
    {
        Stage::Scheduled
    } else if read.has_entries(&["contacts"]) {
        Stage::Contacted
    } else {
        Stage::Assigned
    }
}

/// When the office accepted the record, ms; `None` if it is not accepted. The change's time is by
/// the office's clock, `review.at` by the reviewer's browser.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn accepted_at(doc: &Automerge) -> Option<i64> {
    if of(&Reader::new(doc, None)) != Stage::Reviewed {
        return None;
    }
    let review = super::genesis::container(&["review"])?;
    let (_, id) = doc.get(review, "status").ok()??;
    let (_, at) = author_and_time(doc, &doc.hash_for_opid(&id)?)?;
    Some(at)
}
