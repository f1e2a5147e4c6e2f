//! Changes that one person proposes and another one decides.

use super::StoreError;
use crate::ids::RecordId;

words! {
/// What a proposal is about.
ApprovalKind {
    /// A repayment plan above the limit or of a named kind, accepted with its record.
    Plan = "plan",
    /// A record of a visit with a named outcome that is accepted.
    Review = "review",
    /// A hold that is lifted or shortened.
    Hold = "hold",
    /// Refused work that is accepted.
    Quarantine = "quarantine",
    /// Bytes that are deleted.
    Erasure = "erasure",
}
}

words! {
/// What became of a proposal.
ProposalState {
    /// Not decided yet.
    Pending = "pending",
    /// Another person approved it, and the change was made.
    Approved = "approved",
    /// Another person refused it.
    Refused = "refused",
    /// Its proposer withdrew it.
    Withdrawn = "withdrawn",
    /// It expired undecided.
    Expired = "expired",
}
}

/// A proposal. Times are ms by the office's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its number, from 1.
    pub number: u64,
    /// Made by the client, so that a repeated request adds nothing.
    pub id: [u8; 16],
    /// What it is about.
    pub kind: ApprovalKind,
    /// On what: one proposal of a kind is pending for each.
    pub subject: String,
    /// The record that it changes.
    pub record: Option<RecordId>,
    /// The case number of that record.
    pub case_no: String,
    /// The heads that its proposer decided on, hex, separated by commas.
    pub heads: String,
    /// The change, JSON.
    pub action: String,
    /// The amount of a plan, minor units.
    pub amount: Option<i64>,
    /// ISO 4217 code of that amount.
    pub currency: String,
    /// Why it is proposed.
    pub reason: String,
    /// By whom.
    pub proposed_by: String,
    /// When.
    pub proposed_at: i64,
    /// From then on it cannot be approved.
    pub expires_at: i64,
    /// What became of it.
    pub state: ProposalState,
    /// Who decided; empty while pending.
    pub decided_by: String,
    /// When.
    pub decided_at: Option<i64>,
    /// Why.
    pub answer: String,
}

impl Proposal {
    /// Whether this person has made this decision already, as where a request is repeated.
    pub(in crate::office) fn was_decided(&self, state: ProposalState, by: &str) -> bool {
        self.state == state && self.decided_by == by
    }
}

/// A decision on a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalDecision {
    /// The new state of the proposal.
    pub state: ProposalState,
    /// Who decided.
    pub by: String,
    /// When, ms.
    pub at: i64,
    /// Why.
    pub answer: String,
}

/// One page of proposals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposalListing {
    /// Pending ones, the oldest first; else the others, the newest first.
    pub pending: bool,
    /// The time at which pending ones have not expired, ms.
    pub now: i64,
    /// Number of the last row of the page before.
    pub after: Option<u64>,
    /// Page size.
    pub limit: u32,
}

/// Reads of proposals.
pub trait ProposalReads {
    /// The proposal with this number.
    fn proposal(&mut self, number: u64) -> Result<Option<Proposal>, StoreError>;
    /// The number of the proposal with this id.
    fn proposal_with_id(&mut self, id: [u8; 16]) -> Result<Option<u64>, StoreError>;
    /// The number of the pending proposal on a subject.
    fn pending_proposal(
        &mut self,
        kind: ApprovalKind,
        subject: &str,
    ) -> Result<Option<u64>, StoreError>;
    /// One page.
    fn proposals(&mut self, listing: &ProposalListing) -> Result<Vec<Proposal>, StoreError>;
    /// How many are pending at a time, counted up to `cap`.
    fn count_pending(&mut self, now: i64, cap: u32) -> Result<u64, StoreError>;
}

/// Writes of proposals.
pub trait ProposalWrites {
    /// Adds a proposal and gives its number; that of `proposal` is ignored.
    fn add_proposal(&mut self, proposal: &Proposal) -> Result<u64, StoreError>;
    /// Decides a proposal.
    fn decide_proposal(
        &mut self,
        number: u64,
        decision: &ProposalDecision,
    ) -> Result<(), StoreError>;
    /// Marks pending proposals whose time is over.
    fn expire_proposals(&mut self, now: i64) -> Result<(), StoreError>;
}
