//! Quarantine: refused work, the effect of accepting it, and people's decisions (rule M4).
//!
//! Work is never deleted without a trace: the bytes of decided work leave by an administrator's
//! recorded export ([`export`]); decisions and their authors stay. A supervisor who accepts work
//! takes responsibility for it: the judge that refused it judges it again without regard to role
//! and stage, with every other check. If the changes fit no record, their values are written again
//! as a change of the office. Either way one transaction holds the merge, the decision and the
//! receipt that names the accepting person.

mod accept;
mod acceptance;
mod entry;
mod export;
mod usage;

use serde::Serialize;

use acceptance::AcceptancePlan;
pub(super) use entry::{QuarantineEntry, QuarantineReason, add_to_quarantine, last_decisions};
pub(super) use export::ExportAudit;
pub use export::{ExportEnd, ExportScope, Restored};
pub use usage::{ExportLine, Fullness, QuarantineUsage, UserUsage};

use super::intake::{LoadedRecord, Scope};
use super::store::{
    Decision, QuarantineFilter, QuarantineState, QuarantinedWork, Reads, StoreError,
};
use super::{Office, OfficeError};
use crate::record::terms::Role;
use crate::record::view::FieldValue;

/// The longest reason of a decision, characters.
const MAX_REASON: usize = 1_000;

/// The most pieces in an answer that is not paged.
const UNPAGED: u32 = 1_000;

/// Why a decision cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuarantineError {
    /// There is no work with this number.
    #[error("there is nothing in quarantine under this number")]
    Unknown,
    /// It was accepted before.
    #[error("this was accepted before")]
    Accepted,
    /// The record has changed since the person looked at it.
    #[error("the record has changed since: review it again")]
    Moved,
    /// The reason of a dismissal is missing, or a reason is too long.
    #[error("say why, in at most 1,000 characters")]
    Reason,
    /// The export whose work is to be deleted differs from an export made now.
    #[error("decisions were made since the export, or the file is not whole: export again")]
    ExportChanged,
    /// There is no decided work with stored bytes.
    #[error("there is no decided work to export")]
    NothingToExport,
    /// The file is not an export of a quarantine.
    #[error("this is not a complete export of refused work")]
    NoExport,
    /// The work fails a check that acceptance does not waive.
    #[error("{message}")]
    Impossible {
        /// Stable code.
        code: &'static str,
        /// The path concerned, or empty.
        path: String,
        /// The reason in one sentence.
        message: String,
    },
}

/// One piece of refused work, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct QuarantineLine {
    /// Number of the work.
    pub id: u64,
    /// The record that it is for.
    pub record: String,
    /// The record's case number, if the office has the record.
    pub case_no: Option<String>,
    /// The author.
    pub user: String,
    /// The sending device, hex.
    pub device: String,
    /// When it was added to quarantine, ms.
    pub at: i64,
    /// Stable code of the reason.
    pub code: String,
    /// The path that may not be written, or empty.
    pub path: String,
    /// The reason in one sentence.
    pub message: String,
    /// Fields and entries that it writes.
    pub units: Vec<String>,
    /// Undecided, accepted or dismissed.
    pub state: QuarantineState,
    /// The export that has its bytes, once they are no longer stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub exported: Option<u64>,
}

/// One page of the list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct QuarantinePage {
    /// The pieces.
    pub rows: Vec<QuarantineLine>,
    /// Where the next page begins: pieces before this number.
    pub next: Option<u64>,
    /// Number of pieces that pass the filters, on all pages.
    pub total: u64,
}

/// One field of refused work.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct QuarantineField {
    /// The entry or field that is written again as a whole, such as `contacts.<id>`.
    pub unit: String,
    /// The field.
    pub path: String,
    /// The refused value.
    pub refused: FieldValue,
    /// The present value.
    pub office: FieldValue,
    /// The value after an acceptance, if one is possible.
    pub after: Option<FieldValue>,
}

/// The effect of accepting refused work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Acceptance {
    /// The changes are merged as they are, under their author's name.
    Merge,
    /// They fit no record; their values are written again as a change by the office.
    #[serde(rename = "anew")]
    Rewrite,
    /// The record already has all of it.
    #[serde(rename = "held")]
    Duplicate,
    /// It cannot be accepted.
    Impossible {
        /// Stable code.
        code: &'static str,
        /// The path concerned, or empty.
        path: String,
        /// The reason in one sentence.
        message: String,
    },
}

/// Refused work with the effect of accepting it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct QuarantineItem {
    /// As in the list.
    #[serde(flatten)]
    pub line: QuarantineLine,
    /// Decisions, oldest first; the last one is in force.
    pub decisions: Vec<Decision>,
    /// Its fields beside the office's.
    pub fields: Vec<QuarantineField>,
    /// The heads of the record that it is compared with.
    pub heads: Vec<String>,
    /// ISO 4217 code of the record's currency, if the office has the record.
    pub currency: Option<String>,
    /// The borrower's time zone, if the office has the record.
    pub zone: Option<String>,
    /// The effect of accepting it.
    pub acceptance: Acceptance,
    /// Accepting it voids the seal and its signatures and returns the record (rule M9).
    pub reopens: bool,
    /// The device has written to the record since: its user continued without this work, and may
    /// have entered parts of it again.
    pub went_on: bool,
}

impl Office {
    /// The newest refused work, up to a fixed number.
    pub async fn quarantine(&self) -> Result<Vec<QuarantineLine>, OfficeError> {
        let asked = QuarantineFilter { limit: UNPAGED, ..QuarantineFilter::default() };
        Ok(self.quarantine_page(asked).await?.rows)
    }

    /// One page of refused work, newest first.
    pub async fn quarantine_page(
        &self,
        asked: QuarantineFilter,
    ) -> Result<QuarantinePage, OfficeError> {
        self.blocking(move |office| {
            let (found, total) = office.store.read_with(|reads| reads.quarantine(&asked))?;
            let full = found.len() as u64 >= u64::from(asked.limit);
            let next = found.last().map(|last| last.id).filter(|_| full);
            Ok(QuarantinePage { rows: found.into_iter().map(line).collect(), next, total })
        })
        .await
    }

    /// One piece of refused work beside the office's copy.
    pub async fn quarantine_item(&self, id: u64) -> Result<QuarantineItem, OfficeError> {
        self.blocking(move |office| {
            office.store.read_with(|reads| {
                let Some(work) = reads.quarantined(id)? else {
                    return Ok(Err(QuarantineError::Unknown.into()));
                };
                let scope = Scope::Quarantined(id, None);
                let loaded = LoadedRecord::read(reads, work.refused.record, scope)?;
                // Only supervisors may accept.
                let plan = AcceptancePlan::of(office, &loaded, &work, "", Role::Supervisor)?;
                let continued = continued(reads, &work)?;
                Ok(Ok(item(work, &plan, continued)))
            })?
        })
        .await
    }

    /// Dismisses refused work; it stays in quarantine and may be accepted later.
    pub async fn dismiss_quarantined(
        &self,
        id: u64,
        reason: &str,
        by: &str,
    ) -> Result<QuarantineItem, OfficeError> {
        let (by, reason, at) = (by.to_owned(), checked_reason(reason, true)?, self.now());
        let dismissed = self.store.write(move |tx| {
            let Some(found) = tx.quarantined(id)? else {
                return Ok(Err(QuarantineError::Unknown));
            };
            match found.state {
                QuarantineState::Accepted => return Ok(Err(QuarantineError::Accepted)),
                QuarantineState::Dismissed => return Ok(Ok(())),
                QuarantineState::Open => {}
            }
            let (by, reason) = (by.clone(), reason.clone());
            let decision =
                Decision { decision: QuarantineState::Dismissed, by, at, reason, receipt: None };
            tx.decide(id, &decision).map(Ok)
        });
        dismissed.await??;
        self.quarantine_item(id).await
    }
}

impl Office {
    /// Dismisses all undecided work of a user, newest first; gives the number of pieces.
    pub async fn dismiss_all(
        &self,
        user: &str,
        reason: &str,
        by: &str,
    ) -> Result<u64, OfficeError> {
        let (by, reason) = (by.to_owned(), checked_reason(reason, true)?);
        let asked = QuarantineFilter {
            state: Some(QuarantineState::Open),
            user: Some(user.to_owned()),
            limit: UNPAGED,
            ..QuarantineFilter::default()
        };
        let mut dismissed = 0;
        loop {
            let (asked, by, reason, at) = (asked.clone(), by.clone(), reason.clone(), self.now());
            let batch = self.store.write(move |tx| {
                let (found, _) = tx.quarantine(&asked)?;
                for piece in &found {
                    let (by, reason, decision) =
                        (by.clone(), reason.clone(), QuarantineState::Dismissed);
                    tx.decide(piece.id, &Decision { decision, by, at, reason, receipt: None })?;
                }
                Ok(found.len() as u64)
            });
            match batch.await? {
                0 => return Ok(dismissed),
                more => dismissed += more,
            }
        }
    }
}

/// Trims a reason and checks its length.
fn checked_reason(text: &str, required: bool) -> Result<String, QuarantineError> {
    let text = text.trim();
    if text.chars().count() > MAX_REASON || (required && text.is_empty()) {
        return Err(QuarantineError::Reason);
    }
    Ok(text.to_owned())
}

fn line(found: QuarantinedWork) -> QuarantineLine {
    let refused = found.refused;
    QuarantineLine {
        id: found.id,
        record: refused.record.to_string(),
        case_no: found.case_no,
        user: refused.user,
        device: refused.device.to_string(),
        at: refused.at,
        code: refused.code,
        path: refused.path,
        message: refused.message,
        units: refused.units,
        state: found.state,
        exported: found.exported,
    }
}

/// Whether the device has written to the record since. While work on a record is refused, later work
/// of its device depends on it and is refused too; what was merged later was written by a person who
/// took the office's copy.
fn continued(reads: &mut dyn Reads, work: &QuarantinedWork) -> Result<bool, StoreError> {
    let QuarantinedWork { refused, state, .. } = work;
    let later = reads.has_changes_from(refused.record, refused.device, refused.at)?;
    Ok(later && *state != QuarantineState::Accepted)
}

fn item(mut found: QuarantinedWork, plan: &AcceptancePlan, went_on: bool) -> QuarantineItem {
    let case = plan.record().map(|record| record.view().case);
    QuarantineItem {
        decisions: std::mem::take(&mut found.decisions),
        fields: plan.fields(&found.refused),
        line: line(found),
        heads: plan.heads().to_hex(),
        currency: case.as_ref().map(|case| case.currency.clone()),
        zone: case.map(|case| case.zone),
        acceptance: plan.acceptance(),
        reopens: plan.reopens(),
        went_on,
    }
}
