//! Making a proposal: the change is tried on a copy first, so that only what can be done is proposed.

use super::{ApprovalRefusal, ProposedAction, checked_reason, chosen_option};
use crate::ids::RecordId;
use crate::office::quarantine::QuarantineError;
use crate::office::store::{ApprovalKind, Proposal, ProposalState, QuarantineState, StoreError};
use crate::office::{Office, OfficeError};
use crate::record::Record;
use crate::record::command::Command;
use crate::record::terms::Role;

/// Time for a decision: longer than a weekend, shorter than the time in which a case changes.
const LASTS_MS: i64 = 7 * 24 * 3_600_000;

/// Bounds what proposals occupy; as many are never decided.
const MAX_PENDING: u32 = 1_000;

/// A change that is about to be proposed.
struct Draft {
    kind: ApprovalKind,
    subject: String,
    record: Option<RecordId>,
    case_no: String,
    heads: String,
    amount: Option<i64>,
    currency: String,
}

impl Office {
    /// Proposes a change that needs approval; durable once answered. A repeated `id` adds nothing.
    ///
    /// # Errors
    /// The change needs no approval or cannot be made, or the same one is pending.
    pub async fn propose(
        &self,
        id: [u8; 16],
        action: ProposedAction,
        reason: &str,
        by: &str,
        role: Role,
    ) -> Result<Proposal, OfficeError> {
        let reason = checked_reason(reason, true)?;
        let (user, change) = (by.to_owned(), action.clone());
        let known = move |office: &Self| {
            Ok(office.store.read_with(|reads| match reads.proposal_with_id(id)? {
                Some(number) => reads.proposal(number),
                None => Ok(None),
            })?)
        };
        // A reply was lost. The change may have been made since.
        if let Some(known) = self.blocking(known).await? {
            let own = known.proposed_by == by;
            return if own { Ok(known) } else { Err(ApprovalRefusal::Pending.into()) };
        }
        let draft = self.blocking(move |office| office.draft(&change, &user, role)).await?;
        let now = self.now();
        let action = serde_json::to_string(&action)
            .map_err(|_| StoreError::Failed("a proposal could not be stored".into()))?;
        let new = Proposal {
            number: 0,
            id,
            kind: draft.kind,
            subject: draft.subject,
            record: draft.record,
            case_no: draft.case_no,
            heads: draft.heads,
            action,
            amount: draft.amount,
            currency: draft.currency,
            reason,
            proposed_by: by.to_owned(),
            proposed_at: now,
            expires_at: now + LASTS_MS,
            state: ProposalState::Pending,
            decided_by: String::new(),
            decided_at: None,
            answer: String::new(),
        };
        let added = self.store.write(move |tx| {
            if let Some(number) = tx.proposal_with_id(new.id)? {
                return Ok(Ok(number));
            }
            tx.expire_proposals(now)?;
            if tx.pending_proposal(new.kind, &new.subject)?.is_some() {
                return Ok(Err(ApprovalRefusal::Pending));
            }
            if tx.count_pending(now, MAX_PENDING)? >= u64::from(MAX_PENDING) {
                return Ok(Err(ApprovalRefusal::TooMany));
            }
            Ok(Ok(tx.add_proposal(&new)?))
        });
        self.proposal(added.await??).await
    }

    /// Blocks.
    fn draft(&self, action: &ProposedAction, by: &str, role: Role) -> Result<Draft, OfficeError> {
        match action {
            ProposedAction::Command { record, command } => {
                let record = record.parse().map_err(|_| OfficeError::UnknownRecord)?;
                self.draft_command(record, command, by, role)
            }
            ProposedAction::Quarantine { number, .. } => {
                let number = *number;
                if self.approvals.is_empty() {
                    return Err(ApprovalRefusal::NotNeeded.into());
                }
                let (work, record) = self.store.read_with(|reads| {
                    let work = reads.quarantined(number)?;
                    let record = match &work {
                        Some(work) => reads.record(work.refused.record)?,
                        None => None,
                    };
                    Ok((work, record))
                })?;
                let work = work.ok_or(QuarantineError::Unknown)?;
                if work.state == QuarantineState::Accepted {
                    return Err(QuarantineError::Accepted.into());
                }
                Ok(Draft {
                    record: Some(work.refused.record),
                    case_no: record.map(|record| record.case_no).unwrap_or_default(),
                    ..Draft::of(ApprovalKind::Quarantine, number.to_string())
                })
            }
            ProposedAction::Erasure { .. } if !self.approvals.erasure => {
                Err(ApprovalRefusal::NotNeeded.into())
            }
            ProposedAction::Erasure { .. } if role != Role::Admin => {
                Err(ApprovalRefusal::Role.into())
            }
            ProposedAction::Erasure { .. } => {
                Ok(Draft::of(ApprovalKind::Erasure, "exported".to_owned()))
            }
        }
    }

    fn draft_command(
        &self,
        record: RecordId,
        command: &Command,
        by: &str,
        role: Role,
    ) -> Result<Draft, OfficeError> {
        let mut copy = Record::load(&self.bytes(record)?)?;
        let before = copy.view();
        copy.apply(command, &self.author(by, role))?;
        let after = copy.view();
        let needed = self.approvals.needed(&before, &after, self.now());
        let kind = needed.ok_or(ApprovalRefusal::NotNeeded)?;
        let mut subject = record.to_string();
        if let Command::LiftHold { flag } = command {
            subject = format!("{subject} {}", flag.as_str());
        }
        let is_plan = kind == ApprovalKind::Plan;
        Ok(Draft {
            record: Some(record),
            heads: before.heads.join(","),
            amount: chosen_option(&after).filter(|_| is_plan).map(|option| option.amount),
            currency: if is_plan { after.case.currency } else { String::new() },
            case_no: before.case_no,
            ..Draft::of(kind, subject)
        })
    }
}

impl Draft {
    fn of(kind: ApprovalKind, subject: String) -> Self {
        Self {
            kind,
            subject,
            record: None,
            case_no: String::new(),
            heads: String::new(),
            amount: None,
            currency: String::new(),
        }
    }
}
