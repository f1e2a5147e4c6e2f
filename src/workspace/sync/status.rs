//! The sync status as pages show it, never better than what is known.

use serde::{Deserialize, Serialize};

use crate::sync::message::{Reply, Revocation};
use crate::types::TsType;
use crate::workspace::Workspace;
use crate::workspace::storage::journal::StorageFailure;

TsType! {
/// The status of the whole workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncStatus {
    /// One word for the chip.
    pub state: SyncState,
    /// Changes that the office has not confirmed.
    pub unsent: i64,
    /// When the oldest of them was made, ms.
    pub oldest_unsent_at: Option<i64>,
    /// When both sides last proved to hold the same, ms.
    pub in_step_at: Option<i64>,
    /// When the next request is due, ms; `None` while one runs or only the user can help.
    pub next_attempt_at: Option<i64>,
    /// While the first sync runs.
    pub first_sync: Option<FirstSync>,
    /// What is wrong.
    pub problem: Option<SyncProblem>,
    /// Device clock minus office clock, ms, as of the last reply.
    pub clock_skew_ms: Option<i64>,
    /// How often digests differed and all records were compared (rule P4).
    pub repairs: i64,
}
}

TsType! {
/// One word for the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncState {
    /// Both sides proved to hold the same (rule P2).
    InStep,
    /// Work waits to be sent.
    Unsent,
    /// A round is under way.
    Syncing,
    /// The office is out of reach.
    Offline,
    /// A person has to act.
    Attention,
}
}

TsType! {
/// Progress of the first sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSync {
    /// Records received.
    pub received: i64,
    /// Records in all, as far as known.
    pub total: i64,
    /// Bytes received.
    pub bytes: i64,
}
}

impl FirstSync {
    /// The progress after another reply of `size` bytes.
    pub(crate) fn after(before: Option<Self>, reply: &Reply, size: usize) -> Self {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let before = before.unwrap_or(Self { received: 0, total: 0, bytes: 0 });
        let received = before.received + count(reply.entries.len());
        let remaining = i64::try_from(reply.remaining).unwrap_or(i64::MAX);
        let total = received.saturating_add(remaining);
        Self { received, total, bytes: before.bytes + count(size) }
    }
}

TsType! {
/// What is wrong with the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SyncProblem {
    /// Nothing can be saved.
    Storage(StorageFailure),
    /// The office has revoked this device.
    Revoked(Revocation),
    /// The last request failed.
    Request(RequestFailure),
    /// Records need attention.
    Records(RecordsProblem),
}
}

TsType! {
/// Why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestFailure {
    /// The office is out of reach.
    Offline,
    /// The office has no room now.
    OfficeBusy,
    /// Any other failure of the office.
    OfficeError,
    /// The answer was not the office's.
    MalformedReply,
    /// The office could not read the request.
    Malformed,
    /// The office found the request too large.
    TooLarge,
    /// The office's protocol is newer.
    UnsupportedVersion,
    /// The user has to sign in again.
    SignedOut,
    /// Another user has signed in in this browser (rule R9).
    OtherWorkspace,
    /// The office has revoked the device and its sign-in has ended.
    DeviceRevoked,
}
}

impl RequestFailure {
    /// From the code of a problem document or of the driver; unknown codes are `OfficeError`.
    pub fn from_code(code: &str) -> Self {
        match code {
            "offline" => Self::Offline,
            "office_busy" => Self::OfficeBusy,
            "malformed_reply" => Self::MalformedReply,
            "malformed" => Self::Malformed,
            "too_large" => Self::TooLarge,
            "unsupported_version" => Self::UnsupportedVersion,
            "signed_out" => Self::SignedOut,
            "other_workspace" => Self::OtherWorkspace,
            "device_revoked" => Self::DeviceRevoked,
            _ => Self::OfficeError,
        }
    }

    /// Whether retries are useless until the user signs in.
    pub(crate) fn stops_retries(self) -> bool {
        matches!(self, Self::SignedOut | Self::DeviceRevoked)
    }
}

TsType! {
/// What is wrong with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordsProblem {
    /// A record is damaged.
    Damaged,
    /// The office refused work.
    Refused,
    /// Repairs in a row have not made both sides equal.
    DigestMismatch,
}
}

impl SyncProblem {
    /// Whether it ends without a person's action.
    fn is_transient(self) -> bool {
        matches!(self, Self::Request(RequestFailure::Offline | RequestFailure::OfficeBusy))
    }
}

impl Workspace {
    /// The status of the whole workspace.
    pub fn status(&self) -> SyncStatus {
        let index = self.records.index();
        let unsent = index.unsent();
        let problem = self.problem();
        let state = if problem.is_some_and(|problem| !problem.is_transient()) {
            SyncState::Attention
        } else if self.link.is_syncing() {
            SyncState::Syncing
        } else if self.link.is_out_of_reach() {
            SyncState::Offline
        } else if unsent > 0 || !self.journal.is_idle() {
            SyncState::Unsent
        } else if self.link.is_up_to_date() {
            SyncState::InStep
        } else {
            // Nothing is known to be wrong and nothing is proven: a round is due.
            SyncState::Syncing
        };
        SyncStatus {
            state,
            unsent: i64::try_from(unsent).unwrap_or(i64::MAX),
            oldest_unsent_at: index.oldest_unsent_at(),
            in_step_at: self.link.proven_at(),
            next_attempt_at: self.link.next_attempt_at(),
            first_sync: self.link.first_sync(),
            problem,
            clock_skew_ms: self.link.clock_skew_ms(),
            repairs: self.repair.count(),
        }
    }

    /// The most serious problem.
    fn problem(&self) -> Option<SyncProblem> {
        if let Some(failure) = self.journal.failure() {
            return Some(SyncProblem::Storage(failure));
        }
        if let Some(revocation) = self.link.revocation() {
            return Some(SyncProblem::Revoked(revocation));
        }
        let of_link = self.link.problem();
        let index = self.records.index();
        let with_problem = index.with_problem().iter().filter_map(|id| self.records.get(id));
        let of_records = with_problem.filter_map(|entry| entry.problem.as_ref());
        let of_records = of_records.map(|problem| match problem.is_refused() {
            true => RecordsProblem::Refused,
            false => RecordsProblem::Damaged,
        });
        of_link
            .filter(|problem| !problem.is_transient())
            .or_else(|| of_records.max().map(SyncProblem::Records))
            .or(of_link)
    }
}
