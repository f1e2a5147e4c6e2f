//! Quarantine: work that was refused, what it would do, and what people decide on it (rule M4).
//!
//! Nothing in it is deleted without a trace: the bytes of decided work leave by an administrator's
//! export, which is recorded ([`export`]); what was decided, and by whom, stays. A supervisor who accepts a piece vouches for it: the same judge
//! that refused it judges it again, with role and stage left out, and everything else is asked as
//! ever. Where the bytes themselves fit no record, their values are written anew as the office's
//! own change. Either way it is one transaction with the receipt that says who accepted what.

mod export;
mod keep;
mod plan;
mod usage;

use serde::Serialize;

pub(super) use export::Exported;
pub use export::{ExportEnd, ExportScope, Restored};
pub(super) use keep::{Aside, Sending, decided, set_aside};
use plan::Plan;
pub use usage::{ExportLine, Fullness, QuarantineUsage, UserUsage};

use super::keep::HandedIn;
use super::store::{
    Decision, QuarantineFilter, QuarantineState, QuarantinedWork, Reads, StoreError, Writes,
};
use super::{Office, OfficeError};
use crate::ids::Heads;
use crate::record::terms::Role;
use crate::record::view::FieldValue;

/// The longest reason of a decision, characters.
const REASON: usize = 1_000;

/// The most pieces in one answer that is not paged.
const ALL: u32 = 1_000;

/// Why a decision cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuarantineError {
    /// There is no such piece.
    #[error("there is nothing in quarantine under this number")]
    Unknown,
    /// It is part of the record already.
    #[error("this was accepted before")]
    Accepted,
    /// The record is not what the person decided on.
    #[error("the record has changed meanwhile: look again")]
    Moved,
    /// A dismissal says why, and not at any length.
    #[error("say why, in at most 1,000 characters")]
    Reason,
    /// An export that is to be deleted is not what an export would be now.
    #[error("decisions were made since the export, or the file is not whole: export again")]
    ExportChanged,
    /// No decided piece has its bytes here.
    #[error("nothing that is decided has its bytes here")]
    NothingToExport,
    /// A file is no export of a quarantine.
    #[error("this is no export of refused work, or a part of one")]
    NoExport,
    /// What is asked for everywhere holds for accepted work too.
    #[error("{message}")]
    Impossible {
        /// Stable word.
        code: &'static str,
        /// The path that it is about, or empty.
        path: String,
        /// One sentence.
        message: String,
    },
}

/// One piece of refused work, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineLine {
    /// Its number.
    pub id: u64,
    /// For which record.
    pub record: String,
    /// The record's case number, where the office has the record.
    pub case_no: Option<String>,
    /// From whom.
    pub user: String,
    /// From which device, hex.
    pub device: String,
    /// When it was kept, ms.
    pub at: i64,
    /// Stable word for why it was refused.
    pub code: String,
    /// The path that may not be written, or empty.
    pub path: String,
    /// One sentence.
    pub message: String,
    /// Fields and entries that it is about.
    pub units: Vec<String>,
    /// Where it stands.
    pub state: QuarantineState,
    /// The export that holds its bytes; they are not stored here any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exported: Option<u64>,
}

/// One page of the list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantinePage {
    /// The pieces.
    pub rows: Vec<QuarantineLine>,
    /// The number before which the next page begins, if there is one.
    pub next: Option<u64>,
    /// How many pass the filters, on all pages.
    pub total: u64,
}

/// One field of refused work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuarantineField {
    /// What goes together, such as `contacts.<id>`.
    pub unit: String,
    /// The field.
    pub path: String,
    /// What was refused.
    pub refused: FieldValue,
    /// What the record says now.
    pub office: FieldValue,
    /// What it would say after an acceptance, where one is possible.
    pub after: Option<FieldValue>,
}

/// What accepting a piece would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Acceptance {
    /// The changes are taken as they are, under their author's name.
    Merge,
    /// They fit no record; their values are written again as a change by the office.
    #[serde(rename = "anew")]
    Rewrite,
    /// The record already has all of it.
    #[serde(rename = "held")]
    Duplicate,
    /// It cannot be accepted.
    Impossible {
        /// Stable word.
        code: &'static str,
        /// The path that it is about, or empty.
        path: String,
        /// One sentence.
        message: String,
    },
}

/// One piece of refused work, with what it would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuarantineItem {
    /// As in the list.
    #[serde(flatten)]
    pub line: QuarantineLine,
    /// What was decided, oldest first; the last one stands.
    pub decisions: Vec<Decision>,
    /// Field by field, beside what the office has.
    pub fields: Vec<QuarantineField>,
    /// The state of the record that this compares with.
    pub heads: Vec<String>,
    /// ISO 4217 code of the record's money, where the office has the record.
    pub currency: Option<String>,
    /// The borrower's zone, where the office has the record.
    pub zone: Option<String>,
    /// What accepting it would do.
    pub acceptance: Acceptance,
    /// Accepting it voids the seal and its signatures and returns the record (rule M9).
    pub reopens: bool,
    /// The device has written to the record since: its person went on without this work, and may
    /// have written again what still held.
    pub went_on: bool,
}

impl Office {
    /// All refused work, newest first, as far as one answer takes it.
    pub async fn quarantine(&self) -> Result<Vec<QuarantineLine>, OfficeError> {
        let asked = QuarantineFilter { limit: ALL, ..QuarantineFilter::default() };
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

    /// One piece of refused work beside what the office has now.
    pub async fn quarantine_item(&self, id: u64) -> Result<QuarantineItem, OfficeError> {
        self.blocking(move |office| {
            office.store.read_with(|reads| {
                let Some(found) = reads.quarantined(id)? else {
                    return Ok(Err(QuarantineError::Unknown.into()));
                };
                // Whoever accepts it is a supervisor.
                let plan = Plan::of(office, reads, &found, "", Role::Supervisor)?;
                let went_on = went_on(reads, &found)?;
                Ok(Ok(item(found, &plan, went_on)))
            })?
        })
        .await
    }

    /// Accepts refused work on a supervisor's word; durable once answered. Accepting twice is
    /// once. `seen` is the state of the record that the person decided on.
    pub async fn accept_quarantined(
        &self,
        id: u64,
        seen: Option<Heads>,
        reason: &str,
        by: &str,
        role: Role,
    ) -> Result<QuarantineItem, OfficeError> {
        let (office, by, reason) = (self.clone(), by.to_owned(), self::reason(reason, false)?);
        let accepted =
            self.store.write(move |tx| office.accept(tx, id, seen.as_ref(), &reason, (&by, role)));
        accepted.await??;
        self.quarantine_item(id).await
    }

    fn accept(
        &self,
        tx: &mut dyn Writes,
        id: u64,
        seen: Option<&Heads>,
        reason: &str,
        (by, role): (&str, Role),
    ) -> Result<Result<(), QuarantineError>, StoreError> {
        let Some(found) = tx.quarantined(id)? else { return Ok(Err(QuarantineError::Unknown)) };
        if found.state == QuarantineState::Accepted {
            return Ok(Ok(()));
        }
        let plan = Plan::of(self, as_reads(tx), &found, by, role)?;
        if seen.is_some_and(|seen| *seen != plan.heads()) {
            return Ok(Err(QuarantineError::Moved));
        }
        let at = self.now();
        let handed = HandedIn { user: by, device: self.device, at, quarantine: Some(id) };
        let receipt = match plan.keep(tx, found.refused.record, handed)? {
            Ok(receipt) => receipt,
            Err(impossible) => return Ok(Err(impossible)),
        };
        let (by, reason) = (by.to_owned(), reason.to_owned());
        tx.decide(id, &Decision { decision: QuarantineState::Accepted, by, at, reason, receipt })?;
        Ok(Ok(()))
    }

    /// Dismisses refused work; it stays where it is and may be accepted later.
    pub async fn dismiss_quarantined(
        &self,
        id: u64,
        reason: &str,
        by: &str,
    ) -> Result<QuarantineItem, OfficeError> {
        let (by, reason, at) = (by.to_owned(), self::reason(reason, true)?, self.now());
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
    /// Dismisses all undecided work of a user, oldest last; gives how much it was.
    pub async fn dismiss_all(
        &self,
        user: &str,
        reason: &str,
        by: &str,
    ) -> Result<u64, OfficeError> {
        let (by, reason) = (by.to_owned(), self::reason(reason, true)?);
        let asked = QuarantineFilter {
            state: Some(QuarantineState::Open),
            user: Some(user.to_owned()),
            limit: ALL,
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

fn as_reads(tx: &mut dyn Writes) -> &mut dyn Reads {
    tx
}

fn reason(text: &str, needed: bool) -> Result<String, QuarantineError> {
    let text = text.trim();
    if text.chars().count() > REASON || (needed && text.is_empty()) {
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

/// While work on a record is refused, later work of its device builds on it and is refused too. What
/// was merged later was written by a person who took the office's copy.
fn went_on(reads: &mut dyn Reads, found: &QuarantinedWork) -> Result<bool, StoreError> {
    let QuarantinedWork { refused, state: stand, .. } = found;
    let later = reads.has_changes_from(refused.record, refused.device, refused.at)?;
    Ok(later && *stand != QuarantineState::Accepted)
}

fn item(mut found: QuarantinedWork, plan: &Plan, went_on: bool) -> QuarantineItem {
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
