//! The link to the office: where the round stands, when the next is due, and what was proven.

use minicbor::{Decode, Encode};

use super::repair::Repair;
use crate::ids::RecordId;
use crate::sync::digest::{Digest, Item};
use crate::sync::message::{Cursor, DEFAULT_REPLY_BYTES, Epoch, Reply, Revocation};
use crate::workspace::output::FirstSync;
use crate::workspace::records::entry::RecordEntry;

/// After an edit: long enough that a person's next tap rides along, short enough to feel at once.
const EDIT_DELAY_MS: i64 = 1_000;
/// With nothing to send, the office is asked this often; its signal comes sooner (rule R8).
const POLL_MS: i64 = 60_000;
/// Due before now, whatever the clock says. It goes to JavaScript, whose numbers end at 2^53.
const AT_ONCE: i64 = 0;
/// Backoff of rule R7.
const FIRST_RETRY_MS: i64 = 1_000;
pub(crate) const LAST_RETRY_MS: i64 = 300_000;
/// Repairs in a row that a person need not know of: one finds what differs, and what it brings may
/// cross with what others bring.
const MISMATCHES_AT_MOST: u32 = 3;
/// The least that is asked for on a link that keeps breaking.
pub(crate) const LEAST_REPLY_BYTES: u32 = 16 * 1024;
/// What is asked for grows by this with each reply that comes through.
const GROWTH_BYTES: u32 = 16 * 1024;

/// Digest and time of the last proof.
#[derive(Debug, Clone, Copy, Encode, Decode)]
pub(crate) struct Proven {
    #[n(0)]
    pub(crate) digest: Digest,
    #[n(1)]
    pub(crate) at: i64,
    /// The life of the office's store in which it was.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) epoch: Epoch,
}

/// What was pushed of one record.
#[derive(Debug, Clone)]
pub(crate) struct SentPush {
    pub(crate) record: RecordId,
    pub(crate) numbers: Vec<u64>,
}

/// What a request holds that its reply answers in the same order.
#[derive(Debug, Clone, Default)]
pub(crate) struct SentRequest {
    pub(crate) pushed: Vec<SentPush>,
    pub(crate) restored: Vec<RecordId>,
    /// First ids of the ranges that are compared.
    pub(crate) ranges: Vec<RecordId>,
}

/// Where the round stands. Each phase owns what only it needs.
#[derive(Debug)]
pub(crate) enum Phase {
    Idle,
    Sent {
        round: u64,
        sent: SentRequest,
    },
    /// A reply waits for documents to be loaded.
    Applying {
        reply: Box<Reply>,
        sent: SentRequest,
    },
    /// Applied in memory; the cursor goes to disk with all of it in one batch (rule R5).
    Committing {
        batch: u64,
        cursor: Cursor,
        remaining: u64,
        digest: Digest,
    },
}

/// The connection to the office.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) phase: Phase,
    pub(crate) next_round: u64,
    pub(crate) due_at: Option<i64>,
    /// What the driver was last asked to wake at.
    pub(crate) announced: Option<i64>,
    pub(crate) failures: u32,
    /// The office asked not to be asked before.
    pub(crate) not_before: Option<i64>,
    pub(crate) problem: Option<String>,
    save_problem: String,
    pub(crate) proven: Option<Proven>,
    /// The last finished round proved equal.
    is_proven: bool,
    /// Digests differed in a row.
    mismatches: u32,
    repairs: i64,
    /// Where a repair stands.
    pub(crate) repair: Repair,
    /// The most bytes asked for: halved when a reply does not come through, so that a link that
    /// keeps breaking loses little each time, and raised step by step when one does.
    pub(crate) reply_bytes: u32,
    skew_ms: Option<i64>,
    /// The office's clock as the last reply said it, ms; before one, when both sides last agreed.
    pub(crate) office_time: i64,
    first: Option<FirstSync>,
    /// There is no office: nothing is ever asked for.
    pub(crate) disabled: bool,
    /// The office has shut this device out.
    pub(crate) ended: Option<Revocation>,
}

impl Link {
    pub(crate) fn new(proven: Option<Proven>) -> Self {
        Self {
            phase: Phase::Idle,
            next_round: 1,
            due_at: Some(AT_ONCE),
            announced: None,
            failures: 0,
            not_before: None,
            problem: None,
            save_problem: "storage_failed".to_owned(),
            proven,
            is_proven: false,
            mismatches: 0,
            repairs: 0,
            repair: Repair::default(),
            reply_bytes: DEFAULT_REPLY_BYTES,
            skew_ms: None,
            office_time: proven.map_or(0, |proven| proven.at),
            first: None,
            disabled: false,
            ended: None,
        }
    }

    /// From here on there is no office.
    pub(crate) fn disable(&mut self) {
        self.disabled = true;
    }

    pub(crate) fn is_busy(&self) -> bool {
        !matches!(self.phase, Phase::Idle) || (self.first.is_some() && self.failures == 0)
    }
    pub(crate) fn is_applying(&self) -> bool {
        matches!(self.phase, Phase::Applying { .. } | Phase::Committing { .. })
    }
    pub(crate) fn is_sending(&self, record: RecordId) -> bool {
        match &self.phase {
            Phase::Sent { sent, .. } | Phase::Applying { sent, .. } => {
                sent.pushed.iter().any(|pushed| pushed.record == record)
            }
            Phase::Idle | Phase::Committing { .. } => false,
        }
    }
    pub(crate) fn is_out_of_reach(&self) -> bool {
        self.disabled || self.failures > 0
    }
    pub(crate) fn is_proven(&self) -> bool {
        self.is_proven
    }
    pub(crate) fn proven_at(&self) -> Option<i64> {
        self.proven.map(|proven| proven.at)
    }
    pub(crate) fn first_sync(&self) -> Option<FirstSync> {
        self.first
    }
    pub(crate) fn clock_skew_ms(&self) -> Option<i64> {
        self.skew_ms
    }
    pub(crate) fn repairs(&self) -> i64 {
        self.repairs
    }
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }
    pub(crate) fn save_problem(&self) -> String {
        self.save_problem.clone()
    }

    /// A person edited: send soon, unless the office is out of reach and the backoff runs.
    pub(crate) fn edited(&mut self, now_ms: i64) {
        if self.failures == 0 {
            let soon = now_ms.saturating_add(EDIT_DELAY_MS);
            self.due_at = Some(self.due_at.map_or(soon, |due| due.min(soon)));
        }
    }

    /// A round is due at once.
    pub(crate) fn schedule_now(&mut self) {
        self.due_at = Some(AT_ONCE);
    }

    /// When the next round is due: not before the office wants to be asked again.
    pub(crate) fn due(&self, now_ms: i64) -> Option<i64> {
        // Further away than any wait that is believed: the clock was put back meanwhile.
        let latest = now_ms.saturating_add(LAST_RETRY_MS);
        let not_before = self.not_before.filter(|at| *at <= latest);
        self.due_at.map(|due| due.max(not_before.unwrap_or(AT_ONCE)))
    }

    /// Whether this is the request that an answer is waited for.
    pub(crate) fn awaits(&self, round: u64) -> bool {
        match &self.phase {
            Phase::Sent { round: sent, .. } => *sent == round,
            Phase::Idle | Phase::Applying { .. } | Phase::Committing { .. } => false,
        }
    }

    /// No reply came: when to try again. Half of the delay is fixed, half is chance, so that a
    /// thousand phones spread out.
    pub(crate) fn failed(&mut self, reason: &str, random: u32) -> i64 {
        self.phase = Phase::Idle;
        self.failures = self.failures.saturating_add(1);
        self.problem = Some(reason.to_owned());
        let full = (FIRST_RETRY_MS << self.failures.min(10)).min(LAST_RETRY_MS);
        full / 2 + i64::from(random) % (full / 2 + 1)
    }

    pub(crate) fn persisted(&mut self) {
        self.save_problem.clear();
    }

    pub(crate) fn persist_failed(&mut self, failed: u64, next: u64, reason: &str) {
        self.save_problem = reason.to_owned();
        if let Phase::Committing { batch, .. } = &mut self.phase
            && *batch == failed
        {
            *batch = next;
        }
    }

    /// The sums of what is held and confirmed, to be compared with the office's (rule P2).
    pub(crate) fn digest_of<'h>(entry: impl Iterator<Item = &'h RecordEntry>) -> Digest {
        let mut digest = Digest::default();
        for entry in entry.filter(|entry| entry.is_in_digest()) {
            digest.add(Item::of(entry.id, &entry.confirmed));
        }
        digest
    }

    /// A round ended with nothing remaining: compare. Gives whether something differs.
    pub(crate) fn compare(
        &mut self,
        own: Digest,
        office: Digest,
        epoch: Epoch,
        now_ms: i64,
    ) -> bool {
        if own == office {
            self.mismatches = 0;
            self.is_proven = true;
            self.proven = Some(Proven { digest: own, at: now_ms, epoch });
            self.problem = None;
            return false;
        }
        self.is_proven = false;
        self.mismatches += 1;
        if self.mismatches > MISMATCHES_AT_MOST {
            self.problem = Some("digest_mismatch".to_owned());
        }
        true
    }

    /// Everything that is held is to be compared (rules P3, P4).
    pub(crate) fn begin_repair(&mut self) {
        self.repairs += 1;
        self.repair.begin();
    }

    /// The next round after a finished one: at once where more is known to wait, soon where an
    /// edit is on its way to the disk.
    pub(crate) fn schedule_next(&mut self, more: bool, edits: bool, now_ms: i64) {
        self.phase = Phase::Idle;
        let wait = match (more, edits) {
            (true, _) if self.mismatches > MISMATCHES_AT_MOST => LAST_RETRY_MS,
            (true, _) => 0,
            (false, true) => EDIT_DELAY_MS,
            (false, false) => POLL_MS,
        };
        self.due_at = Some(now_ms.saturating_add(wait));
    }

    pub(crate) fn answered(&mut self, reply: &Reply, size: usize, first: bool, now_ms: i64) {
        self.failures = 0;
        self.not_before = None;
        self.problem = None;
        self.reply_bytes = (self.reply_bytes + GROWTH_BYTES).min(DEFAULT_REPLY_BYTES);
        self.skew_ms = Some(now_ms.saturating_sub(reply.office_time));
        self.office_time = reply.office_time;
        self.first = if first {
            let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
            let before = self.first.unwrap_or(FirstSync { received: 0, total: 0, bytes: 0 });
            let received = before.received + count(reply.entries.len());
            let remaining = i64::try_from(reply.remaining).unwrap_or(i64::MAX);
            let total = received.saturating_add(remaining);
            Some(FirstSync { received, total, bytes: before.bytes + count(size) })
        } else {
            None
        };
    }

    pub(crate) fn first_sync_done(&mut self) {
        self.first = None;
    }
}
