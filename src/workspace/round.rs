//! The round: when a request goes out, what it carries, and what a failure means (R1, R5, R7).

use minicbor::{Decode, Encode};

use super::Workspace;
use super::held::{Held, Unsent};
use super::output::{FirstSync, Output};
use crate::ids::RecordId;
use crate::sync::digest::{Digest, Item};
use crate::sync::message::{
    Chunk, Cursor, DEFAULT_REPLY_BYTES, Push, Reply, Request, UNSURE, decode_reply, encode_request,
};

/// After an edit: long enough that a person's next tap rides along, short enough to feel at once.
const EDIT_DELAY_MS: i64 = 1_000;
/// With nothing to send, the office is asked this often; its signal comes sooner (rule R8).
const POLL_MS: i64 = 60_000;
/// Backoff of rule R7.
const FIRST_RETRY_MS: i64 = 1_000;
const LAST_RETRY_MS: i64 = 300_000;
/// A full disk is tried again this often, and with every edit.
pub(super) const RETRY_SAVE_MS: i64 = 5_000;
/// Unsent changes in one request: far below what the office accepts, enough for weeks of work.
const PUSH_BYTES: usize = 1024 * 1024;
/// Whole documents asked for in one request.
const WANT_AT_MOST: usize = 64;

/// Digest and time of the last proof.
#[derive(Debug, Clone, Copy, Encode, Decode)]
pub(super) struct Proven {
    #[n(0)]
    pub(super) digest: Digest,
    #[n(1)]
    pub(super) at: i64,
}

/// What was pushed of one record.
#[derive(Debug, Clone)]
pub(super) struct Pushed {
    pub(super) record: RecordId,
    pub(super) numbers: Vec<u64>,
}

/// Where the round stands. Each phase owns what only it needs.
#[derive(Debug)]
pub(super) enum Phase {
    Idle,
    Sent {
        round: u64,
        pushed: Vec<Pushed>,
    },
    /// A reply waits for documents to be loaded.
    Applying {
        reply: Box<Reply>,
        pushed: Vec<Pushed>,
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
pub(super) struct Link {
    pub(super) phase: Phase,
    next_round: u64,
    due_at: Option<i64>,
    /// What the driver was last asked to wake at.
    announced: Option<i64>,
    failures: u32,
    problem: Option<String>,
    save_problem: String,
    pub(super) proven: Option<Proven>,
    /// The last finished round proved equal.
    proven_now: bool,
    /// Digests differed in a row.
    mismatches: u32,
    repairs: i64,
    skew_ms: Option<i64>,
    first: Option<FirstSync>,
}

impl Link {
    pub(super) fn new(proven: Option<Proven>) -> Self {
        Self {
            phase: Phase::Idle,
            next_round: 1,
            due_at: Some(i64::MIN),
            announced: None,
            failures: 0,
            problem: None,
            save_problem: "storage_failed".to_owned(),
            proven,
            proven_now: false,
            mismatches: 0,
            repairs: 0,
            skew_ms: None,
            first: None,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.phase, Phase::Idle) || (self.first.is_some() && self.failures == 0)
    }
    pub(super) fn is_applying(&self) -> bool {
        matches!(self.phase, Phase::Applying { .. } | Phase::Committing { .. })
    }
    pub(super) fn is_sending(&self, record: RecordId) -> bool {
        match &self.phase {
            Phase::Sent { pushed, .. } | Phase::Applying { pushed, .. } => {
                pushed.iter().any(|pushed| pushed.record == record)
            }
            Phase::Idle | Phase::Committing { .. } => false,
        }
    }
    pub(super) fn is_out_of_reach(&self) -> bool {
        self.failures > 0
    }
    pub(super) fn proven_now(&self) -> bool {
        self.proven_now
    }
    pub(super) fn proven_at(&self) -> Option<i64> {
        self.proven.map(|proven| proven.at)
    }
    pub(super) fn first_sync(&self) -> Option<FirstSync> {
        self.first
    }
    pub(super) fn clock_skew_ms(&self) -> Option<i64> {
        self.skew_ms
    }
    pub(super) fn repairs(&self) -> i64 {
        self.repairs
    }
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }
    pub(super) fn save_problem(&self) -> String {
        self.save_problem.clone()
    }

    /// A person edited: send soon, unless the office is out of reach and the backoff runs.
    pub(super) fn edited(&mut self, now_ms: i64) {
        if self.failures == 0 {
            let soon = now_ms.saturating_add(EDIT_DELAY_MS);
            self.due_at = Some(self.due_at.map_or(soon, |due| due.min(soon)));
        }
    }

    /// A round is due at once.
    pub(super) fn hurry(&mut self) {
        self.due_at = Some(i64::MIN);
    }

    pub(super) fn persisted(&mut self, _batch: u64) {
        self.save_problem.clear();
    }

    pub(super) fn persist_failed(&mut self, failed: u64, next: u64, reason: &str) {
        self.save_problem = reason.to_owned();
        if let Phase::Committing { batch, .. } = &mut self.phase
            && *batch == failed
        {
            *batch = next;
        }
    }

    /// The sums of what is held and confirmed, to be compared with the office's (rule P2).
    pub(super) fn digest_of<'h>(held: impl Iterator<Item = &'h Held>) -> Digest {
        let mut digest = Digest::default();
        for held in held.filter(|held| !held.withdrawn && !held.confirmed.as_slice().is_empty()) {
            digest.add(Item::of(held.id, &held.confirmed));
        }
        digest
    }

    /// A round ended with nothing remaining: compare. Gives whether to start over from nothing.
    pub(super) fn compare(&mut self, own: Digest, office: Digest, now_ms: i64) -> bool {
        if own == office {
            self.mismatches = 0;
            self.proven_now = true;
            self.proven = Some(Proven { digest: own, at: now_ms });
            self.problem = None;
            return false;
        }
        self.proven_now = false;
        self.mismatches += 1;
        self.repairs += 1;
        if self.mismatches > 1 {
            self.problem = Some("digest_mismatch".to_owned());
        }
        true
    }

    /// The next round after a finished one: at once where more is known to wait, soon where an
    /// edit is on its way to the disk.
    fn rest(&mut self, more: bool, edits: bool, now_ms: i64) {
        self.phase = Phase::Idle;
        let wait = match (more, edits) {
            (true, _) if self.mismatches > 1 => LAST_RETRY_MS,
            (true, _) => 0,
            (false, true) => EDIT_DELAY_MS,
            (false, false) => POLL_MS,
        };
        self.due_at = Some(now_ms.saturating_add(wait));
    }

    pub(super) fn answered(&mut self, reply: &Reply, size: usize, first: bool, now_ms: i64) {
        self.failures = 0;
        self.problem = None;
        self.skew_ms = Some(now_ms.saturating_sub(reply.office_time));
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

    pub(super) fn first_sync_done(&mut self) {
        self.first = None;
    }
}

impl Workspace {
    /// Something says that a round may be worth while: start, foreground, network back, a tap,
    /// the office's signal.
    pub fn sync_now(&mut self, now_ms: i64) {
        self.link.hurry();
        self.link.problem.take_if(|problem| problem == "signed_out");
        self.journal.retry();
        self.settle(now_ms);
    }

    /// The time asked for by `WakeAt` has come.
    pub fn wake(&mut self, now_ms: i64) {
        self.link.announced = None;
        self.journal.retry();
        self.settle(now_ms);
    }

    /// The reply to a request; its body is not trusted to be whole.
    pub fn replied(&mut self, round: u64, body: &[u8], now_ms: i64) {
        let Phase::Sent { round: sent, pushed } = &self.link.phase else {
            return;
        };
        if *sent != round {
            return;
        }
        let sound = decode_reply(body).ok().filter(|reply| {
            reply.results.len() == pushed.len()
                && reply
                    .results
                    .iter()
                    .zip(pushed)
                    .all(|(result, pushed)| result.record == pushed.record)
        });
        let Some(reply) = sound else {
            self.request_failed(round, "malformed_reply", now_ms, 0);
            return;
        };
        let pushed = pushed.clone();
        // Until the first proof everything is the first sync.
        let first = self.link.proven.is_none();
        self.link.answered(&reply, body.len(), first, now_ms);
        self.link.phase = Phase::Applying { reply: Box::new(reply), pushed };
        self.load_for_reply();
        self.settle(now_ms);
    }

    /// No reply came, or it was no reply. `reason` is a stable word; `random` spreads retries.
    pub fn request_failed(&mut self, round: u64, reason: &str, now_ms: i64, random: u32) {
        match &self.link.phase {
            Phase::Sent { round: sent, .. } if *sent == round => {}
            Phase::Sent { .. }
            | Phase::Idle
            | Phase::Applying { .. }
            | Phase::Committing { .. } => {
                return;
            }
        }
        let link = &mut self.link;
        link.phase = Phase::Idle;
        link.failures = link.failures.saturating_add(1);
        link.problem = Some(reason.to_owned());
        // Half of the delay is fixed, half is chance, so that a thousand phones spread out.
        let full = (FIRST_RETRY_MS << link.failures.min(10)).min(LAST_RETRY_MS);
        let delay = full / 2 + i64::from(random) % (full / 2 + 1);
        let waits_for_person = matches!(reason, "signed_out" | "device_revoked");
        link.due_at = (!waits_for_person).then(|| now_ms.saturating_add(delay));
        self.outputs.push_back(Output::StatusChanged);
        self.settle(now_ms);
    }

    /// Moves the round on as far as it goes.
    pub(super) fn drive(&mut self, now_ms: i64) {
        if matches!(self.link.phase, Phase::Applying { .. }) && self.loading.is_empty() {
            self.apply_reply();
        }
        self.finish_if_committed(now_ms);
        let due = self.link.due_at.is_some_and(|due| due <= now_ms);
        if due && matches!(self.link.phase, Phase::Idle) && self.loading.is_empty() {
            self.send();
        }
        self.announce();
    }

    fn finish_if_committed(&mut self, now_ms: i64) {
        let Phase::Committing { batch, cursor, remaining, digest } = self.link.phase else {
            return;
        };
        if self.journal.number() <= batch || self.journal.is_committing(batch) {
            return;
        }
        self.cursor = cursor;
        let mut more = remaining > 0;
        if remaining == 0 {
            let own = Link::digest_of(self.held.values());
            more = self.link.compare(own, digest, now_ms);
            if more {
                // Everything again from the start of the feed; nothing held is touched by that.
                self.cursor = Cursor { epoch: cursor.epoch, seq: 0, base: UNSURE };
            }
            self.keep_proof();
            self.link.first_sync_done();
        }
        more |= self.held.values().any(|held| held.is_dirty() || held.wanted);
        let edits = self.held.values().any(Held::is_waiting);
        self.link.rest(more, edits, now_ms);
        self.outputs.push_back(Output::StatusChanged);
        self.outputs.push_back(Output::ListChanged);
    }

    fn announce(&mut self) {
        let due = self.link.due_at.filter(|_| matches!(self.link.phase, Phase::Idle));
        if due != self.link.announced {
            self.link.announced = due;
            self.outputs.extend(due.map(|at| Output::WakeAt { at }));
        }
    }

    fn send(&mut self) {
        let mut dirty: Vec<&Held> = self.held.values().filter(|held| held.is_dirty()).collect();
        // Oldest first, so that a weak link works the backlog off in order (rule R5).
        dirty.sort_by_key(|held| held.outbox.values().map(|unsent| unsent.at).min());
        let mut push = Vec::new();
        let mut pushed = Vec::new();
        let mut room = PUSH_BYTES;
        for held in dirty {
            let durable: Vec<(u64, &Unsent)> = held
                .outbox
                .iter()
                .map(|(number, unsent)| (*number, unsent))
                .take_while(|(_, unsent)| unsent.batch.is_none())
                .collect();
            let size: usize = durable.iter().map(|(_, unsent)| unsent.bytes.len()).sum();
            if size > room && !push.is_empty() {
                break;
            }
            room = room.saturating_sub(size);
            pushed.push(Pushed {
                record: held.id,
                numbers: durable.iter().map(|(number, _)| *number).collect(),
            });
            let changes = durable.iter().map(|(_, unsent)| Chunk(unsent.bytes.clone())).collect();
            push.push(Push { record: held.id, changes });
        }
        let want = self.held.values().filter(|held| held.wanted).map(|held| held.id);
        let request = Request {
            cursor: self.cursor,
            push,
            want: want.take(WANT_AT_MOST).collect(),
            max_bytes: DEFAULT_REPLY_BYTES,
            proven: self.link.proven.map(|proven| proven.digest),
        };
        let round = self.link.next_round;
        self.link.next_round += 1;
        self.link.phase = Phase::Sent { round, pushed };
        let body = serde_bytes::ByteBuf::from(encode_request(&request));
        self.outputs.push_back(Output::Send { round, body });
        self.outputs.push_back(Output::StatusChanged);
    }
}
