//! The link to the office: the phase of the round, access, problems, and the last proof that both
//! sides hold the same.

mod next_page;
mod page_size;

use minicbor::{Decode, Encode};

use super::phase::{Application, Commit, NextPage, Phase, SentRequest};
use super::schedule::{Remaining, Schedule};
use super::status::{FirstSync, RecordsProblem, RequestFailure, SyncProblem};
use crate::ids::RecordId;
use crate::sync::digest::Digest;
use crate::sync::message::{Epoch, Reply, Revocation};
use page_size::PageSize;

/// Consecutive repairs before the user is alerted: the first finds what differs, and its changes
/// may cross with those of other devices.
const MAX_SILENT_REPAIRS: u32 = 3;

/// Equal digests on both sides.
#[derive(Debug, Clone, Copy, Encode, Decode)]
pub(crate) struct Proof {
    #[n(0)]
    digest: Digest,
    /// When, ms.
    #[n(1)]
    at: i64,
    /// The life of the office's store in which it was.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    epoch: Epoch,
}

/// Whether the device may talk to an office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Granted,
    /// The device only uploads what it has, then erases itself (rule F4).
    Revoked(Revocation),
    /// There is no office (practice).
    Disabled,
}

/// The link to the office.
#[derive(Debug)]
pub(crate) struct Link {
    phase: Phase,
    next_page: Option<NextPage>,
    /// The request for the next page failed, and its backoff or wait is scheduled.
    has_next_page_failed: bool,
    next_round: u64,
    schedule: Schedule,
    access: Access,
    /// Of the last request, or of repeated comparisons.
    problem: Option<SyncProblem>,
    proof: Option<Proof>,
    /// The last finished round ended in equal digests.
    is_up_to_date: bool,
    /// Unequal digests in a row.
    mismatches: u32,
    /// How far the feed has grown by the office's signals during this round; 0 without one.
    signalled: u64,
    page_size: PageSize,
    clock_skew_ms: Option<i64>,
    /// The office's clock in the last reply, ms; before the first, the time of the last proof.
    office_time: i64,
    first_sync: Option<FirstSync>,
}

impl Link {
    pub(crate) fn new(proof: Option<Proof>) -> Self {
        Self {
            phase: Phase::Idle,
            next_page: None,
            has_next_page_failed: false,
            next_round: 1,
            schedule: Schedule::new(),
            access: Access::Granted,
            problem: None,
            proof,
            is_up_to_date: false,
            mismatches: 0,
            signalled: 0,
            page_size: PageSize::new(),
            clock_skew_ms: None,
            office_time: proof.map_or(0, |proof| proof.at),
            first_sync: None,
        }
    }

    /// From here on there is no office.
    pub(crate) fn disable(&mut self) {
        self.access = Access::Disabled;
    }

    // -- getters

    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    /// Whether a round is under way, or the first sync between two of its rounds.
    pub(crate) fn is_syncing(&self) -> bool {
        !self.is_idle() || (self.first_sync.is_some() && !self.schedule.is_failing())
    }

    /// Records whose work is on its way.
    pub(crate) fn sending(&self) -> impl Iterator<Item = RecordId> {
        let pushed = match &self.phase {
            Phase::Sent { sent, .. } => sent.pushed.as_slice(),
            Phase::Applying(application) => application.sent.pushed.as_slice(),
            Phase::Idle | Phase::Committing(_) => &[],
        };
        pushed.iter().map(|pushed| pushed.record)
    }

    pub(crate) fn is_sending(&self, record: RecordId) -> bool {
        self.sending().any(|sent| sent == record)
    }

    pub(crate) fn is_disabled(&self) -> bool {
        self.access == Access::Disabled
    }

    pub(crate) fn is_out_of_reach(&self) -> bool {
        self.is_disabled() || self.schedule.is_failing()
    }

    pub(crate) fn revocation(&self) -> Option<Revocation> {
        match self.access {
            Access::Revoked(revocation) => Some(revocation),
            Access::Granted | Access::Disabled => None,
        }
    }

    pub(crate) fn is_up_to_date(&self) -> bool {
        self.is_up_to_date
    }

    pub(crate) fn proof(&self) -> Option<&Proof> {
        self.proof.as_ref()
    }

    /// When both sides last proved to hold the same, ms.
    pub(crate) fn proven_at(&self) -> Option<i64> {
        self.proof.map(|proof| proof.at)
    }

    /// Whether digests have agreed in this life of the office's store.
    pub(crate) fn is_proven_in(&self, epoch: Epoch) -> bool {
        self.proof.is_some_and(|proof| proof.epoch == epoch)
    }

    pub(crate) fn problem(&self) -> Option<SyncProblem> {
        self.problem
    }

    /// When the next request is due, ms; `None` while one runs or only the user can help.
    pub(crate) fn next_attempt_at(&self) -> Option<i64> {
        self.schedule.next_at().filter(|_| !self.is_syncing())
    }

    pub(crate) fn first_sync(&self) -> Option<FirstSync> {
        self.first_sync
    }

    pub(crate) fn clock_skew_ms(&self) -> Option<i64> {
        self.clock_skew_ms
    }

    pub(crate) fn office_time(&self) -> i64 {
        self.office_time
    }

    pub(crate) fn reply_bytes(&self) -> u32 {
        self.page_size.bytes()
    }

    /// Number of the next round.
    pub(crate) fn next_round(&self) -> u64 {
        self.next_round
    }

    /// The request of this round, while its reply is awaited.
    pub(crate) fn awaited(&self, round: u64) -> Option<&SentRequest> {
        match &self.phase {
            Phase::Sent { round: expected, sent } if *expected == round => Some(sent),
            Phase::Sent { .. } | Phase::Idle | Phase::Applying(_) | Phase::Committing(_) => None,
        }
    }

    /// The reply that is being applied.
    pub(crate) fn application(&self) -> Option<&Application> {
        match &self.phase {
            Phase::Applying(application) => Some(application),
            Phase::Idle | Phase::Sent { .. } | Phase::Committing(_) => None,
        }
    }

    /// Whether the next part of a reply changes a record.
    pub(crate) fn is_applying_to(&self, record: RecordId) -> bool {
        let mut part = self.application().into_iter().flat_map(Application::part);
        part.any(|update| update.record == record)
    }

    pub(crate) fn commit(&self) -> Option<Commit> {
        match self.phase {
            Phase::Committing(commit) => Some(commit),
            Phase::Idle | Phase::Sent { .. } | Phase::Applying { .. } => None,
        }
    }

    pub(crate) fn schedule(&mut self) -> &mut Schedule {
        &mut self.schedule
    }

    // -- the round

    /// A request goes out; gives the number of its round.
    pub(crate) fn begin_round(&mut self, sent: SentRequest, now_ms: i64) -> u64 {
        self.page_size.sent(now_ms);
        let round = self.next_round;
        self.next_round += 1;
        self.phase = Phase::Sent { round, sent };
        round
    }

    /// A sound reply of `size` bytes has come.
    pub(crate) fn replied(&mut self, reply: Reply, size: usize, now_ms: i64) {
        let Phase::Sent { sent, .. } = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return;
        };
        self.page_size.arrived(size, now_ms);
        self.begin_applying(reply, sent, size, now_ms);
    }

    fn begin_applying(&mut self, reply: Reply, sent: SentRequest, size: usize, now_ms: i64) {
        self.schedule.answered();
        self.problem = None;
        self.clock_skew_ms = Some(now_ms.saturating_sub(reply.office_time));
        self.office_time = reply.office_time;
        // Until the first proof every round is part of the first sync.
        self.first_sync = match self.proof {
            None => Some(FirstSync::after(self.first_sync, &reply, size)),
            Some(_) => None,
        };
        if let Some(revocation) = reply.revocation {
            self.access = Access::Revoked(revocation);
        }
        let application = Application { reply, sent, applied: 0, is_due: true };
        self.phase = Phase::Applying(Box::new(application));
    }

    // -- the reply

    /// Takes the reply to apply a part of it, if one is due.
    pub(crate) fn take_application(&mut self) -> Option<Box<Application>> {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Applying(application) if application.is_due => Some(application),
            other @ (Phase::Idle
            | Phase::Sent { .. }
            | Phase::Applying(_)
            | Phase::Committing(_)) => {
                self.phase = other;
                None
            }
        }
    }

    /// The rest of the reply is applied later.
    pub(crate) fn continue_later(&mut self, mut application: Box<Application>) {
        application.is_due = false;
        self.phase = Phase::Applying(application);
    }

    /// The pages have been served.
    pub(crate) fn resume(&mut self) {
        if let Phase::Applying(application) = &mut self.phase {
            application.is_due = true;
        }
    }

    pub(crate) fn await_commit(&mut self, commit: Commit) {
        self.phase = Phase::Committing(commit);
    }

    /// A batch failed and is written again as another.
    pub(crate) fn batch_failed(&mut self, failed: u64, next: u64) {
        if let Phase::Committing(commit) = &mut self.phase
            && commit.batch == failed
        {
            commit.batch = next;
        }
    }

    /// The round is over.
    pub(crate) fn finish_round(&mut self, remaining: Remaining, now_ms: i64) {
        self.phase = Phase::Idle;
        if std::mem::take(&mut self.has_next_page_failed) {
            return;
        }
        let repeated = remaining == Remaining::More && self.mismatches > MAX_SILENT_REPAIRS;
        let remaining = if repeated { Remaining::RepeatedRepair } else { remaining };
        self.schedule.schedule_next(remaining, now_ms);
    }

    /// The feed has grown beyond the cursor. A round that is under way may bring it.
    pub(crate) fn feed_moved(&mut self, seq: u64) {
        match self.phase {
            Phase::Idle => self.schedule.schedule_now(),
            Phase::Sent { .. } | Phase::Applying(_) | Phase::Committing(_) => {
                self.signalled = self.signalled.max(seq);
            }
        }
    }

    /// Whether a signal during this round was of something after `seq`, where the round ended.
    pub(crate) fn take_signal_after(&mut self, seq: u64) -> bool {
        std::mem::take(&mut self.signalled) > seq
    }

    /// The device has erased itself.
    pub(crate) fn close(&mut self) {
        self.phase = Phase::Idle;
        self.next_page = None;
        self.schedule.stop();
    }

    /// No reply came.
    pub(crate) fn request_failed(
        &mut self,
        round: u64,
        failure: RequestFailure,
        now_ms: i64,
        random: u32,
    ) {
        self.abandon(round);
        self.problem = Some(SyncProblem::Request(failure));
        self.page_size.lost();
        self.schedule.retry(now_ms, random);
        if failure.stops_retries() {
            self.schedule.stop();
        }
    }

    /// The office has no room now and asked to wait `wait_ms` (rule R7).
    pub(crate) fn deferred(&mut self, round: u64, wait_ms: i64, now_ms: i64, random: u32) {
        self.abandon(round);
        self.problem = Some(SyncProblem::Request(RequestFailure::OfficeBusy));
        self.schedule.defer(wait_ms, now_ms, random);
    }

    /// The request of a round, or for the next page, has failed.
    fn abandon(&mut self, round: u64) {
        if self.awaits_next_page(round) {
            self.next_page = None;
            self.has_next_page_failed = true;
        } else {
            self.phase = Phase::Idle;
        }
    }

    /// A person asks for a sync: a sign-in may have happened.
    pub(crate) fn forget_sign_in_problem(&mut self) {
        let signed_out = SyncProblem::Request(RequestFailure::SignedOut);
        self.problem.take_if(|problem| *problem == signed_out);
    }

    /// Compares digests when a round has left nothing to exchange (rule P2). Returns whether they
    /// differ.
    pub(crate) fn compare(&mut self, own: Digest, commit: &Commit, now_ms: i64) -> bool {
        self.first_sync = None;
        self.is_up_to_date = own == commit.digest;
        if self.is_up_to_date {
            self.mismatches = 0;
            self.proof = Some(Proof { digest: own, at: now_ms, epoch: commit.cursor.epoch });
            self.problem = None;
            return false;
        }
        self.mismatches += 1;
        if self.mismatches > MAX_SILENT_REPAIRS {
            self.problem = Some(SyncProblem::Records(RecordsProblem::DigestMismatch));
        }
        true
    }

    pub(crate) fn end_first_sync(&mut self) {
        self.first_sync = None;
    }
}
