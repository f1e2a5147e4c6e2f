//! Why a change is not made, or a proposal not decided.

use super::MAX_REASON;
use crate::office::store::ApprovalKind;

/// Why a proposal is not made or decided, or a change not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalRefusal {
    /// The change needs the approval of a second person.
    #[error("this needs the approval of a second person: propose it")]
    Needed(ApprovalKind),
    /// One person may make the change.
    #[error("this needs no approval")]
    NotNeeded,
    /// There is no such proposal.
    #[error("there is no such proposal")]
    Unknown,
    /// It was decided or withdrawn.
    #[error("this proposal was decided or withdrawn")]
    Decided,
    /// It expired undecided.
    #[error("this proposal has expired: propose it again")]
    Expired,
    /// Another person has to decide it.
    #[error("another person has to decide your proposal")]
    Own,
    /// Only its proposer withdraws a proposal.
    #[error("only the person who proposed it can withdraw it")]
    NotOwn,
    /// The person who proposed it may not change records any more.
    #[error("the person who proposed it no longer has the right to")]
    ProposerLeft,
    /// The record was changed since the proposal.
    #[error("the record has changed since this was proposed: propose it again")]
    Moved,
    /// The same is proposed already.
    #[error("the same change is proposed already")]
    Pending,
    /// The office has the change already.
    #[error("nothing is left to change")]
    NoEffect,
    /// Too many proposals are pending.
    #[error("too many proposals are pending")]
    TooMany,
    /// A reason is missing or too long.
    #[error("a reason of at most {MAX_REASON} characters is needed")]
    Reason,
    /// Only administrators propose and decide this.
    #[error("only administrators propose and decide this")]
    Role,
}

impl ApprovalRefusal {
    /// Stable code for programs and translations.
    pub fn code(self) -> &'static str {
        match self {
            Self::Needed(_) => "approval_needed",
            Self::NotNeeded => "approval_not_needed",
            Self::Unknown => "unknown_proposal",
            Self::Decided => "proposal_decided",
            Self::Expired => "proposal_expired",
            Self::Own => "own_proposal",
            Self::NotOwn => "not_own_proposal",
            Self::ProposerLeft => "proposer_left",
            Self::Moved => "record_moved",
            Self::Pending => "already_proposed",
            Self::NoEffect => "nothing_to_change",
            Self::TooMany => "too_many_proposals",
            Self::Role => "only_admins",
            Self::Reason => "reason_needed",
        }
    }
}
