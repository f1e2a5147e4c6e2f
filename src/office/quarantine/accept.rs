//! Accepts quarantined work on a supervisor's authority, through the intake pipeline.

use super::acceptance::AcceptancePlan;
use super::{QuarantineError, QuarantineItem, checked_reason};
use crate::ids::Heads;
use crate::office::approvals::Approval;
use crate::office::intake::{
    AcceptedState, AcceptedWork, Commit, LoadedRecord, Predecessor, Provenance, Scope, Source,
    Verdict,
};
use crate::office::store::{ApprovalKind, Decision, QuarantineState};
use crate::office::{Office, OfficeError};
use crate::record::Record;
use crate::record::terms::Role;

/// The acceptance of one piece of quarantined work.
struct AcceptQuarantined {
    number: u64,
    /// The state of the record that the supervisor decided on.
    seen: Option<Heads>,
    reason: String,
    by: String,
    role: Role,
    /// The approval that it carries out.
    approval: Option<Approval>,
}

impl Source for AcceptQuarantined {
    type Item = ();
    /// What the acceptance would do; `None` where the work was accepted before.
    type Unpacked = Option<AcceptancePlan>;
    type Reply = Result<(), QuarantineError>;

    fn scope(&self) -> Scope<'_> {
        Scope::Quarantined(self.number, self.approval.as_ref().map(|approval| approval.number))
    }

    fn unpack(
        &self,
        office: &Office,
        loaded: &LoadedRecord,
        (): &(),
    ) -> Result<Self::Unpacked, OfficeError> {
        let work = loaded.quarantined.as_ref().ok_or(QuarantineError::Unknown)?;
        if work.state == QuarantineState::Accepted {
            return Ok(None);
        }
        Ok(Some(AcceptancePlan::of(office, loaded, work, &self.by, self.role)?))
    }

    fn judge(
        &self,
        office: &Office,
        loaded: LoadedRecord,
        (): &(),
        plan: Option<AcceptancePlan>,
    ) -> Result<Verdict<Self::Reply>, OfficeError> {
        let Some(plan) = plan else { return Ok(Verdict::Reply(Ok(()))) };
        let heads = loaded.basis.heads.clone().unwrap_or_default();
        if self.seen.as_ref().is_some_and(|seen| *seen != heads) {
            return Ok(Verdict::Reply(Err(QuarantineError::Moved)));
        }
        let before = (!office.approvals.is_empty()).then(|| plan.record().map(Record::view));
        let merged = match plan.into_merged() {
            Ok(merged) => merged,
            Err(impossible) => return Ok(Verdict::Reply(Err(impossible))),
        };
        let (number, at, by) = (self.number, office.now(), self.by.clone());
        let after = merged.last().map(|merged| merged.view.clone());
        let effect = before.flatten().zip(after);
        let effect =
            effect.and_then(|(before, after)| office.approvals.needed(&before, &after, at));
        let needed = office.approvals.quarantine.then_some(ApprovalKind::Quarantine).or(effect);
        let proposal = loaded.basis.proposal.as_ref();
        office.check_approval(needed, self.approval.as_ref(), proposal)?;
        let approval = self.approval.clone();
        let (user, device, reason) = (by.clone(), office.device, self.reason.clone());
        let decision =
            Decision { decision: QuarantineState::Accepted, by, at, reason, receipt: None };
        Ok(Verdict::Commit(Commit::Accept(AcceptedWork {
            before: loaded.stored.as_ref().map(Predecessor::of),
            states: merged
                .into_iter()
                .map(|merged| AcceptedState::of(office, loaded.record, merged, at))
                .collect(),
            provenance: Provenance { user, device, at, quarantine: Some(number) },
            decision: Some((number, decision)),
            reply: Box::new(move |tx| {
                if let Some(approval) = &approval {
                    approval.write(tx, at)?;
                }
                Ok(Ok(()))
            }),
        })))
    }
}

impl Office {
    /// Accepts refused work on a supervisor's authority; durable once answered. Accepting twice has
    /// the effect of accepting once. `seen` is the state of the record that the person decided on.
    pub async fn accept_quarantined(
        &self,
        number: u64,
        seen: Option<Heads>,
        reason: &str,
        by: &str,
        role: Role,
    ) -> Result<QuarantineItem, OfficeError> {
        self.accept_approved(number, seen, reason, (by, role), None).await
    }

    /// The same as the change of an approved proposal.
    pub(in crate::office) async fn accept_approved(
        &self,
        number: u64,
        seen: Option<Heads>,
        reason: &str,
        (by, role): (&str, Role),
        approval: Option<Approval>,
    ) -> Result<QuarantineItem, OfficeError> {
        let reason = checked_reason(reason, false)?;
        let read = move |office: &Self| Ok(office.store.read_with(|r| r.quarantined(number))?);
        let work = self.blocking(read).await?.ok_or(QuarantineError::Unknown)?;
        let source = AcceptQuarantined { number, seen, reason, by: by.to_owned(), role, approval };
        self.intake_one(source, work.refused.record, ()).await??;
        self.quarantine_item(number).await
    }
}
