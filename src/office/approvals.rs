//! Four-eyes approval: what one person proposes, another one decides.
//!
//! The rules say which changes need it. They are enforced where such a change is judged and
//! committed, whatever request it came by: a change that needs approval is refused, unless it carries
//! out a pending proposal of another person. The commit decides the proposal in its own transaction,
//! so none is carried out twice, or approved without its change.

mod propose;
mod refusal;

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use super::intake::edit::Edit;
use super::quarantine::ExportScope;
use super::store::{
    ApprovalKind, Proposal, ProposalDecision, ProposalListing, ProposalState, StoreError, Writes,
};
use super::{Office, OfficeError};
use crate::ids::{Heads, RecordId};
use crate::office::money::Currency;
use crate::record::command::Command;
use crate::record::terms::{Disposition, OptionKind, ReviewStatus, Role};
use crate::record::view::{FlagView, OptionView, VisitView};
pub use refusal::ApprovalRefusal;

/// Maximum length of a reason, characters.
pub const MAX_REASON: usize = 1_000;

/// Which changes need two people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalRules {
    /// Accepting a record whose chosen repayment plan is above this amount, in whole units of its
    /// currency.
    pub plan_above: Option<u32>,
    /// Accepting a record whose chosen repayment plan is of one of these kinds.
    pub options: BTreeSet<OptionKind>,
    /// Accepting a record of a visit with one of these outcomes.
    pub outcomes: BTreeSet<Disposition>,
    /// Lifting or shortening a hold.
    pub holds: bool,
    /// Accepting refused work.
    pub quarantine: bool,
    /// Deleting the bytes of exported work.
    pub erasure: bool,
}

impl FromStr for ApprovalRules {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rules = Self::default();
        for word in text.split(',').map(str::trim) {
            match word.split_once('=') {
                None if word == "hold" => rules.holds = true,
                None if word == "quarantine" => rules.quarantine = true,
                None if word == "erasure" => rules.erasure = true,
                Some(("plan", amount)) => {
                    let amount = amount.parse().map_err(|_| "plan= takes a whole amount")?;
                    rules.plan_above = Some(amount);
                }
                Some(("option", kind)) => {
                    let kind = OptionKind::parse(kind);
                    rules.options.insert(kind.ok_or("option= takes a kind, such as settlement")?);
                }
                Some(("outcome", word)) => {
                    let outcome = Disposition::parse(word);
                    rules.outcomes.insert(outcome.ok_or("outcome= takes an outcome, such as ptp")?);
                }
                _ => {
                    return Err(
                        "a list of hold, quarantine, erasure, plan=AMOUNT, option=KIND and \
                                outcome=OUTCOME",
                    );
                }
            }
        }
        Ok(rules)
    }
}

impl ApprovalRules {
    /// Whether no change needs approval.
    pub(in crate::office) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Which approval a change of a record needs at a time, ms.
    pub(in crate::office) fn needed(
        &self,
        before: &VisitView,
        after: &VisitView,
        now: i64,
    ) -> Option<ApprovalKind> {
        if self.holds && before.case.flags.iter().any(|hold| is_weakened(hold, after, now)) {
            return Some(ApprovalKind::Hold);
        }
        let accepts = after.review.status == ReviewStatus::Accepted
            && before.review.status != ReviewStatus::Accepted;
        if !accepts {
            return None;
        }
        let plan = chosen_option(after).is_some_and(|option| {
            option.amount > self.limit(&after.case.currency) || self.options.contains(&option.kind)
        });
        let outcome = after.talk.disposition.is_some_and(|it| self.outcomes.contains(&it));
        match (plan, outcome) {
            (true, _) => Some(ApprovalKind::Plan),
            (false, true) => Some(ApprovalKind::Review),
            (false, false) => None,
        }
    }

    /// The highest amount of a plan that one person accepts, minor units.
    fn limit(&self, currency: &str) -> i64 {
        let exponent = Currency::parse(currency).map_or(2, Currency::exponent);
        self.plan_above.map_or(i64::MAX, |limit| i64::from(limit) * 10_i64.pow(exponent))
    }
}

/// Whether a hold that is in force ends earlier, or begins later, than before.
fn is_weakened(hold: &FlagView, after: &VisitView, now: i64) -> bool {
    let in_force = hold.until.is_none_or(|until| until > now);
    let ends = |hold: &FlagView| hold.until.unwrap_or(i64::MAX);
    let same = after.case.flags.iter().find(|now| now.flag == hold.flag && now.by == hold.by);
    in_force && same.is_none_or(|now| ends(now) < ends(hold) || now.since > hold.since)
}

/// The option that the borrower chose.
fn chosen_option(view: &VisitView) -> Option<&OptionView> {
    let chosen = |id: &String| view.talk.options.iter().find(|option| option.id == *id);
    view.talk.chosen_option.as_ref().and_then(chosen)
}

/// A change that is proposed.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ProposedAction {
    /// A command on a record.
    Command {
        /// The record's id.
        record: String,
        /// The command.
        command: Box<Command>,
    },
    /// Accepting refused work.
    Quarantine {
        /// Its number.
        number: u64,
        /// `heads` of the item that the person looked at.
        heads: Vec<String>,
    },
    /// Deleting the bytes that an export holds.
    Erasure {
        /// What was exported.
        scope: ExportScope,
        /// The last line's hash.
        sha256: String,
    },
}

/// A person's approval of a proposal, on the way to the commit.
#[derive(Debug, Clone)]
pub(in crate::office) struct Approval {
    pub(in crate::office) number: u64,
    by: String,
    answer: String,
}

impl Approval {
    /// Whether the proposal can be approved by this person at a time.
    pub(in crate::office) fn check(
        &self,
        proposal: Option<&Proposal>,
        now: i64,
    ) -> Result<(), ApprovalRefusal> {
        let proposal = proposal.ok_or(ApprovalRefusal::Unknown)?;
        check_pending(proposal, now)?;
        if proposal.proposed_by == self.by { Err(ApprovalRefusal::Own) } else { Ok(()) }
    }

    /// Marks the proposal as approved, in the transaction of its change.
    pub(in crate::office) fn write(&self, tx: &mut dyn Writes, at: i64) -> Result<(), StoreError> {
        let (by, answer) = (self.by.clone(), self.answer.clone());
        let decision = ProposalDecision { state: ProposalState::Approved, by, at, answer };
        tx.decide_proposal(self.number, &decision)
    }
}

fn check_pending(proposal: &Proposal, now: i64) -> Result<(), ApprovalRefusal> {
    match proposal.state {
        ProposalState::Pending if proposal.expires_at <= now => Err(ApprovalRefusal::Expired),
        ProposalState::Pending => Ok(()),
        ProposalState::Expired => Err(ApprovalRefusal::Expired),
        ProposalState::Approved | ProposalState::Refused | ProposalState::Withdrawn => {
            Err(ApprovalRefusal::Decided)
        }
    }
}

fn checked_reason(reason: &str, is_needed: bool) -> Result<String, ApprovalRefusal> {
    let reason = reason.trim();
    let fits = reason.chars().count() <= MAX_REASON && !(is_needed && reason.is_empty());
    if fits { Ok(reason.to_owned()) } else { Err(ApprovalRefusal::Reason) }
}

impl Office {
    /// The same with rules for approval.
    pub fn with_approvals(self, rules: ApprovalRules) -> Self {
        Self { approvals: Arc::new(rules), ..self }
    }

    /// Lets a change through that needs no approval, or has one.
    pub(in crate::office) fn check_approval(
        &self,
        needed: Option<ApprovalKind>,
        approval: Option<&Approval>,
        proposal: Option<&Proposal>,
    ) -> Result<(), ApprovalRefusal> {
        match (approval, needed) {
            (Some(approval), _) => approval.check(proposal, self.now()),
            (None, Some(kind)) => Err(ApprovalRefusal::Needed(kind)),
            (None, None) => Ok(()),
        }
    }

    /// A proposal.
    pub async fn proposal(&self, number: u64) -> Result<Proposal, OfficeError> {
        let read = move |office: &Self| Ok(office.store.read_with(|r| r.proposal(number))?);
        let found = self.blocking(read).await?.ok_or(ApprovalRefusal::Unknown)?;
        Ok(self.with_expiry(found))
    }

    /// One page of proposals.
    pub async fn proposals(&self, listing: ProposalListing) -> Result<Vec<Proposal>, OfficeError> {
        let read = move |office: &Self| Ok(office.store.read_with(|r| r.proposals(&listing))?);
        let found = self.blocking(read).await?;
        Ok(found.into_iter().map(|proposal| self.with_expiry(proposal)).collect())
    }

    fn with_expiry(&self, mut proposal: Proposal) -> Proposal {
        if proposal.state == ProposalState::Pending && proposal.expires_at <= self.now() {
            proposal.state = ProposalState::Expired;
        }
        proposal
    }

    /// Approves a proposal and makes its change, in one transaction. Approving twice has the effect
    /// of approving once.
    ///
    /// # Errors
    /// As for the change itself; then the proposal stays pending.
    pub async fn approve(
        &self,
        number: u64,
        answer: &str,
        by: &str,
        role: Role,
    ) -> Result<Proposal, OfficeError> {
        let answer = checked_reason(answer, false)?;
        let proposal = self.proposal(number).await?;
        if proposal.was_decided(ProposalState::Approved, by) {
            return Ok(proposal);
        }
        let approval = Approval { number, by: by.to_owned(), answer };
        approval.check(Some(&proposal), self.now())?;
        self.check_proposer(&proposal).await?;
        let action: ProposedAction = serde_json::from_str(&proposal.action)
            .map_err(|_| StoreError::Damaged(format!("proposal {number}")))?;
        match action {
            ProposedAction::Command { record, command } => {
                let record: RecordId = record.parse().map_err(|_| OfficeError::UnknownRecord)?;
                let edit = Edit::new(by, role, move |record, author| {
                    Ok((Vec::from_iter(record.apply(&command, author)?), ()))
                });
                self.intake_one(edit.approved(approval), record, ()).await?;
            }
            ProposedAction::Quarantine { number, heads } => {
                let seen = Heads::from_hex(&heads).ok_or(ApprovalRefusal::Moved)?;
                let reason = proposal.reason.clone();
                self.accept_approved(number, Some(seen), &reason, (by, role), Some(approval))
                    .await?;
            }
            ProposedAction::Erasure { scope, sha256 } => {
                if role != Role::Admin {
                    return Err(ApprovalRefusal::Role.into());
                }
                self.delete_approved(scope, &sha256, by, Some(approval)).await?;
            }
        }
        let decided = self.proposal(number).await?;
        if decided.was_decided(ProposalState::Approved, by) {
            return Ok(decided);
        }
        // The change was empty: a concurrent decision has made it, or it never had an effect.
        check_pending(&decided, self.now())?;
        Err(ApprovalRefusal::NoEffect.into())
    }

    /// Refuses a proposal, with a reason. Durable once answered.
    pub async fn refuse(
        &self,
        number: u64,
        answer: &str,
        by: &str,
        role: Role,
    ) -> Result<Proposal, OfficeError> {
        let answer = checked_reason(answer, true)?;
        if self.proposal(number).await?.kind == ApprovalKind::Erasure && role != Role::Admin {
            return Err(ApprovalRefusal::Role.into());
        }
        self.close_proposal(number, ProposalState::Refused, answer, by).await
    }

    /// Withdraws the proposer's own proposal. Durable once answered.
    pub async fn withdraw(&self, number: u64, by: &str) -> Result<Proposal, OfficeError> {
        self.close_proposal(number, ProposalState::Withdrawn, String::new(), by).await
    }

    async fn close_proposal(
        &self,
        number: u64,
        state: ProposalState,
        answer: String,
        by: &str,
    ) -> Result<Proposal, OfficeError> {
        let (at, by) = (self.now(), by.to_owned());
        let done = self.store.write(move |tx| {
            let Some(proposal) = tx.proposal(number)? else {
                return Ok(Err(ApprovalRefusal::Unknown));
            };
            if proposal.was_decided(state, &by) {
                return Ok(Ok(()));
            }
            let refusal = match (state == ProposalState::Withdrawn, proposal.proposed_by == by) {
                (true, false) => Some(ApprovalRefusal::NotOwn),
                (false, true) => Some(ApprovalRefusal::Own),
                (true, true) | (false, false) => None,
            };
            if let Some(refusal) = refusal.or(check_pending(&proposal, at).err()) {
                return Ok(Err(refusal));
            }
            let (by, answer) = (by.clone(), answer.clone());
            tx.decide_proposal(number, &ProposalDecision { state, by, at, answer })?;
            Ok(Ok(()))
        });
        done.await??;
        self.proposal(number).await
    }

    /// A proposal is not carried out once its author has lost the right to the change.
    async fn check_proposer(&self, proposal: &Proposal) -> Result<(), OfficeError> {
        let (name, kind) = (proposal.proposed_by.clone(), proposal.kind);
        let user = self
            .blocking(move |office| Ok(office.store.read_with(|reads| reads.user(&name))?))
            .await?;
        let may = user.is_some_and(|user| {
            user.disabled_at.is_none()
                && match user.role {
                    Role::Admin => true,
                    Role::Supervisor => kind != ApprovalKind::Erasure,
                    Role::Collector | Role::Auditor => false,
                }
        });
        if may { Ok(()) } else { Err(ApprovalRefusal::ProposerLeft.into()) }
    }
}
