//! Audit samples: a share of the sealed records, audited by a person who did not review them.
//!
//! A keyed hash of the record's id decides whether the record is in the sample. The key is secret and
//! the content of the record is not hashed, so users can neither predict nor influence a draw: sealing
//! again or returning a record does not repeat it. A drawn record is audited with each of its seals.

use super::store::{
    ApprovalKind, AuditFinding, AuditOutcome, AuditSample, Proposal, ProposalState,
};
use super::{Office, OfficeError};
use crate::ids::RecordId;
use crate::record::terms::{ReviewStatus, Stage};
use crate::record::view::VisitView;

/// Maximum length of a note, characters.
pub const MAX_NOTE: usize = 4_000;

/// Why the outcome of an audit is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditRefusal {
    /// The record was not drawn.
    #[error("this record was not drawn for an audit")]
    Unknown,
    /// The record was sealed again, or is not sealed any more.
    #[error("the record has changed since: look at it again")]
    Moved,
    /// Another person audited it.
    #[error("another person has audited this record")]
    Decided,
    /// The person reviewed the record or took part in the visit.
    #[error("a record is audited by a person who neither visited nor reviewed it")]
    Own,
    /// A note is missing or too long.
    #[error("a note of at most {MAX_NOTE} characters is needed where something is wrong")]
    Note,
}

/// The second person's acceptance and the audit that a record needs.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewState {
    /// The acceptance that waits for a second person.
    pub proposal: Option<Proposal>,
    /// The record's audit.
    pub sample: Option<AuditSample>,
}

impl Office {
    /// The same with a share of sealed records that are audited, percent. It counts for records that
    /// are stored from now on.
    pub fn with_audit_share(self, percent: u8) -> Self {
        Self { audit_share: percent, ..self }
    }

    /// The time of the seal that is to be audited, if the record is drawn.
    pub(super) fn audited_seal(&self, record: RecordId, view: &VisitView) -> Option<i64> {
        let seal = view.seal.as_ref().filter(|_| is_sealed(view))?;
        // Draws are below 2^32; the share of them that is below the limit is the share of records.
        let limit = (u64::from(self.audit_share) << 32) / 100;
        (u64::from(self.attestor.audit_draw(record)) < limit).then_some(seal.at)
    }

    /// The second person's acceptance and the audit that a record needs.
    pub async fn review_state(&self, record: RecordId) -> Result<ReviewState, OfficeError> {
        self.blocking(move |office| {
            let now = office.now();
            Ok(office.store.read_with(|reads| {
                let mut proposal = None;
                for kind in [ApprovalKind::Plan, ApprovalKind::Review] {
                    if let Some(number) = reads.pending_proposal(kind, &record.to_string())? {
                        proposal = reads.proposal(number)?;
                    }
                }
                let proposal = proposal.filter(|proposal: &Proposal| {
                    proposal.state == ProposalState::Pending && proposal.expires_at > now
                });
                Ok(ReviewState { proposal, sample: reads.audit_sample(record)? })
            })?)
        })
        .await
    }

    /// Stores the outcome of an audit of one seal; durable once answered. The same person may correct
    /// it; the audit log has every outcome.
    ///
    /// # Errors
    /// The record is unknown, or the store fails.
    pub async fn put_audit(
        &self,
        record: RecordId,
        sealed_at: i64,
        outcome: AuditOutcome,
        note: &str,
        by: &str,
    ) -> Result<Result<AuditSample, AuditRefusal>, OfficeError> {
        let note = note.trim().to_owned();
        let is_missing = outcome == AuditOutcome::Failed && note.is_empty();
        if is_missing || note.chars().count() > MAX_NOTE {
            return Ok(Err(AuditRefusal::Note));
        }
        let view = self.visit(record).await?;
        if took_part(&view, by) {
            return Ok(Err(AuditRefusal::Own));
        }
        if !is_sealed(&view) || view.seal.as_ref().is_none_or(|seal| seal.at != sealed_at) {
            return Ok(Err(AuditRefusal::Moved));
        }
        // What is refused before the transaction leaves no entry in the audit log.
        let read = move |office: &Self| Ok(office.store.read_with(|r| r.audit_sample(record))?);
        if let Err(refusal) = open_for(self.blocking(read).await?, sealed_at, by) {
            return Ok(Err(refusal));
        }
        let finding = AuditFinding { outcome, by: by.to_owned(), at: self.now(), note };
        let done = self.store.write(move |tx| {
            let mut sample = match open_for(tx.audit_sample(record)?, sealed_at, &finding.by) {
                Ok(sample) => sample,
                Err(refusal) => return Ok(Err(refusal)),
            };
            tx.put_audit_finding(record, &finding)?;
            sample.finding = Some(finding.clone());
            Ok(Ok(sample))
        });
        Ok(done.await?)
    }
}

/// The sample, if this person may store the outcome of the audit of this seal.
fn open_for(
    sample: Option<AuditSample>,
    sealed_at: i64,
    by: &str,
) -> Result<AuditSample, AuditRefusal> {
    let sample = sample.ok_or(AuditRefusal::Unknown)?;
    if sample.sealed_at != sealed_at {
        return Err(AuditRefusal::Moved);
    }
    let is_open = sample.finding.as_ref().is_none_or(|finding| finding.by == by);
    if is_open { Ok(sample) } else { Err(AuditRefusal::Decided) }
}

fn is_sealed(view: &VisitView) -> bool {
    matches!(view.stage, Stage::Sealed | Stage::Reviewed)
}

fn took_part(view: &VisitView, user: &str) -> bool {
    let visited = view.assignment.collectors.iter().chain(&view.visit.visitors);
    let reviewed = view.review.status != ReviewStatus::Pending && view.review.by == user;
    reviewed || visited.into_iter().any(|name| name == user)
}
