//! The round: when a request goes out, what it carries, and what a failure means (R1, R5, R7).

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::Workspace;
use super::held::{Held, Unsent};
use super::output::{FirstSync, Output};
use super::repair::Repair;
use crate::ids::RecordId;
use crate::sync::digest::{Digest, Item};
use crate::sync::message::{
    Cursor, DEFAULT_REPLY_BYTES, Ended, Epoch, Packed, Push, Reply, Request, Want, decode_reply,
    encode_request,
};
use crate::sync::packed::Packer;

/// After an edit: long enough that a person's next tap rides along, short enough to feel at once.
const EDIT_DELAY_MS: i64 = 1_000;
/// With nothing to send, the office is asked this often; its signal comes sooner (rule R8).
const POLL_MS: i64 = 60_000;
/// Due before now, whatever the clock says. It goes to JavaScript, whose numbers end at 2^53.
const AT_ONCE: i64 = 0;
/// Backoff of rule R7.
const FIRST_RETRY_MS: i64 = 1_000;
const LAST_RETRY_MS: i64 = 300_000;
/// A full disk is tried again this often, and with every edit.
pub(super) const RETRY_SAVE_MS: i64 = 5_000;
/// Unsent changes in one request: far below what the office accepts, enough for weeks of work.
const PUSH_BYTES: usize = 1024 * 1024;
/// Of one record at once, well below what the office takes (`office::merge::limits`): the rest
/// goes with the next request.
const PUSH_CHANGES: usize = 1_000;
const PUSH_OPERATIONS: usize = 100_000;
/// Records wanted in one request; the office fills its page with what fits.
const WANT_AT_MOST: usize = 512;
/// Repairs in a row that a person need not know of: one finds what differs, and what it brings may
/// cross with what others bring.
const MISMATCHES_AT_MOST: u32 = 3;
/// The least that is asked for on a link that keeps breaking.
const LEAST_REPLY_BYTES: u32 = 16 * 1024;
/// What is asked for grows by this with each reply that comes through.
const GROWTH_BYTES: u32 = 16 * 1024;
/// So often the office may lack what work builds on before a person is told.
pub(super) const MISSING_AT_MOST: u32 = 3;

/// Digest and time of the last proof.
#[derive(Debug, Clone, Copy, Encode, Decode)]
pub(super) struct Proven {
    #[n(0)]
    pub(super) digest: Digest,
    #[n(1)]
    pub(super) at: i64,
    /// The life of the office's store in which it was.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) epoch: Epoch,
}

/// What was pushed of one record.
#[derive(Debug, Clone)]
pub(super) struct Pushed {
    pub(super) record: RecordId,
    pub(super) numbers: Vec<u64>,
}

/// What a request holds that its reply answers in the same order.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) pushed: Vec<Pushed>,
    pub(super) brought: Vec<RecordId>,
    /// First ids of the ranges that are compared.
    pub(super) ranges: Vec<RecordId>,
}

/// Where the round stands. Each phase owns what only it needs.
#[derive(Debug)]
pub(super) enum Phase {
    Idle,
    Sent {
        round: u64,
        asked: Asked,
    },
    /// A reply waits for documents to be loaded.
    Applying {
        reply: Box<Reply>,
        asked: Asked,
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
    /// The office asked not to be asked before.
    not_before: Option<i64>,
    problem: Option<String>,
    save_problem: String,
    pub(super) proven: Option<Proven>,
    /// The last finished round proved equal.
    proven_now: bool,
    /// Digests differed in a row.
    mismatches: u32,
    repairs: i64,
    /// Where a repair stands.
    pub(super) repair: Repair,
    /// The most bytes asked for: halved when a reply does not come through, so that a link that
    /// keeps breaking loses little each time, and raised step by step when one does.
    reply_bytes: u32,
    skew_ms: Option<i64>,
    /// The office's clock as the last reply said it, ms; before one, when both sides last agreed.
    pub(super) office_time: i64,
    first: Option<FirstSync>,
    /// There is no office: nothing is ever asked for.
    cut: bool,
    /// The office has shut this device out.
    pub(super) ended: Option<Ended>,
}

impl Link {
    pub(super) fn new(proven: Option<Proven>) -> Self {
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
            proven_now: false,
            mismatches: 0,
            repairs: 0,
            repair: Repair::default(),
            reply_bytes: DEFAULT_REPLY_BYTES,
            skew_ms: None,
            office_time: proven.map_or(0, |proven| proven.at),
            first: None,
            cut: false,
            ended: None,
        }
    }

    /// From here on there is no office.
    pub(super) fn cut(&mut self) {
        self.cut = true;
    }

    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.phase, Phase::Idle) || (self.first.is_some() && self.failures == 0)
    }
    pub(super) fn is_applying(&self) -> bool {
        matches!(self.phase, Phase::Applying { .. } | Phase::Committing { .. })
    }
    pub(super) fn is_sending(&self, record: RecordId) -> bool {
        match &self.phase {
            Phase::Sent { asked, .. } | Phase::Applying { asked, .. } => {
                asked.pushed.iter().any(|pushed| pushed.record == record)
            }
            Phase::Idle | Phase::Committing { .. } => false,
        }
    }
    pub(super) fn is_out_of_reach(&self) -> bool {
        self.cut || self.failures > 0
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
        self.due_at = Some(AT_ONCE);
    }

    /// When the next round is due: not before the office wants to be asked again.
    fn due(&self, now_ms: i64) -> Option<i64> {
        // Further away than any wait that is believed: the clock was put back meanwhile.
        let latest = now_ms.saturating_add(LAST_RETRY_MS);
        let not_before = self.not_before.filter(|at| *at <= latest);
        self.due_at.map(|due| due.max(not_before.unwrap_or(AT_ONCE)))
    }

    /// Whether this is the request that an answer is waited for.
    fn awaits(&self, round: u64) -> bool {
        match &self.phase {
            Phase::Sent { round: sent, .. } => *sent == round,
            Phase::Idle | Phase::Applying { .. } | Phase::Committing { .. } => false,
        }
    }

    /// No reply came: when to try again. Half of the delay is fixed, half is chance, so that a
    /// thousand phones spread out.
    fn failed(&mut self, reason: &str, random: u32) -> i64 {
        self.phase = Phase::Idle;
        self.failures = self.failures.saturating_add(1);
        self.problem = Some(reason.to_owned());
        let full = (FIRST_RETRY_MS << self.failures.min(10)).min(LAST_RETRY_MS);
        full / 2 + i64::from(random) % (full / 2 + 1)
    }

    pub(super) fn persisted(&mut self) {
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
        for held in held.filter(|held| held.counts()) {
            digest.add(Item::of(held.id, &held.confirmed));
        }
        digest
    }

    /// A round ended with nothing remaining: compare. Gives whether something differs.
    pub(super) fn compare(
        &mut self,
        own: Digest,
        office: Digest,
        epoch: Epoch,
        now_ms: i64,
    ) -> bool {
        if own == office {
            self.mismatches = 0;
            self.proven_now = true;
            self.proven = Some(Proven { digest: own, at: now_ms, epoch });
            self.problem = None;
            return false;
        }
        self.proven_now = false;
        self.mismatches += 1;
        if self.mismatches > MISMATCHES_AT_MOST {
            self.problem = Some("digest_mismatch".to_owned());
        }
        true
    }

    /// Everything that is held is to be compared (rules P3, P4).
    pub(super) fn begin_repair(&mut self) {
        self.repairs += 1;
        self.repair.begin();
    }

    /// The next round after a finished one: at once where more is known to wait, soon where an
    /// edit is on its way to the disk.
    fn rest(&mut self, more: bool, edits: bool, now_ms: i64) {
        self.phase = Phase::Idle;
        let wait = match (more, edits) {
            (true, _) if self.mismatches > MISMATCHES_AT_MOST => LAST_RETRY_MS,
            (true, _) => 0,
            (false, true) => EDIT_DELAY_MS,
            (false, false) => POLL_MS,
        };
        self.due_at = Some(now_ms.saturating_add(wait));
    }

    pub(super) fn answered(&mut self, reply: &Reply, size: usize, first: bool, now_ms: i64) {
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
        self.offer_again();
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
        let Phase::Sent { round: sent, asked } = &self.link.phase else {
            return;
        };
        if *sent != round {
            return;
        }
        let sound = decode_reply(body).ok().filter(|reply| {
            reply.results.len() == asked.pushed.len() && reply.brought.len() == asked.brought.len()
        });
        let Some(reply) = sound else {
            self.request_failed(round, "malformed_reply", now_ms, 0);
            return;
        };
        let asked = asked.clone();
        // Until the first proof everything is the first sync.
        let first = self.link.proven.is_none();
        self.link.answered(&reply, body.len(), first, now_ms);
        // At once, whatever must be loaded before the rest is taken in (rule F4).
        self.link.ended = reply.ended.or(self.link.ended);
        self.link.phase = Phase::Applying { reply: Box::new(reply), asked };
        self.load_for_reply();
        self.settle(now_ms);
    }

    /// No reply came, or it was no reply. `reason` is a stable word; `random` spreads retries.
    pub fn request_failed(&mut self, round: u64, reason: &str, now_ms: i64, random: u32) {
        if !self.link.awaits(round) {
            return;
        }
        let link = &mut self.link;
        let delay = link.failed(reason, random);
        link.reply_bytes = (link.reply_bytes / 2).max(LEAST_REPLY_BYTES);
        let waits_for_person = matches!(reason, "signed_out" | "device_revoked");
        link.due_at = (!waits_for_person).then(|| now_ms.saturating_add(delay));
        self.outputs.push_back(Output::StatusChanged);
        self.settle(now_ms);
    }

    /// The office has no room now and said how long to stay away (rule R7): nothing asks it
    /// sooner, no signal and no tap. It passes by itself and needs nobody; the link is not at fault.
    pub fn put_off(&mut self, round: u64, wait_ms: i64, now_ms: i64, random: u32) {
        if !self.link.awaits(round) {
            return;
        }
        let link = &mut self.link;
        let delay = link.failed("office_busy", random);
        let wait = wait_ms.clamp(0, LAST_RETRY_MS);
        // All were told the same: chance keeps them from coming back together.
        let spread = wait + i64::from(random) % (wait / 2 + 1);
        link.not_before = Some(now_ms.saturating_add(wait));
        link.due_at = Some(now_ms.saturating_add(delay.max(spread)));
        self.outputs.push_back(Output::StatusChanged);
        self.settle(now_ms);
    }

    /// Moves the round on as far as it goes.
    pub(super) fn drive(&mut self, now_ms: i64) {
        if matches!(self.link.phase, Phase::Applying { .. }) && self.loading.is_empty() {
            self.apply_reply();
        }
        self.finish_if_committed(now_ms);
        if self.link.cut {
            return;
        }
        let due = self.link.due(now_ms).is_some_and(|due| due <= now_ms);
        if due && matches!(self.link.phase, Phase::Idle) && self.loading.is_empty() {
            self.load_for_repair();
            if self.loading.is_empty() {
                self.send();
            }
        }
        self.announce(now_ms);
    }

    fn finish_if_committed(&mut self, now_ms: i64) {
        let Phase::Committing { batch, cursor, remaining, digest } = self.link.phase else {
            return;
        };
        if self.journal.number() <= batch || self.journal.is_committing(batch) {
            return;
        }
        self.cursor = cursor;
        if let Some(ended) = self.link.ended {
            return self.finish_handing_over(ended, now_ms);
        }
        let wanted = self.held.values().any(|held| held.wanted);
        let mut more = remaining > 0 || wanted || self.link.repair.is_open();
        if !more {
            let own = Link::digest_of(self.held.values());
            more = self.link.compare(own, digest, cursor.epoch, now_ms);
            if more {
                self.link.begin_repair();
            }
            self.keep_proof();
            self.link.first_sync_done();
        }
        more |= self.held.values().any(Held::is_dirty);
        let edits = self.held.values().any(Held::is_waiting);
        self.link.rest(more, edits, now_ms);
        self.outputs.push_back(Output::StatusChanged);
        self.outputs.push_back(Output::ListChanged);
    }

    /// A device that is shut out goes on until nothing is left to hand over.
    fn finish_handing_over(&mut self, ended: Ended, now_ms: i64) {
        match self.erase_or_go_on(ended) {
            Some(more) => {
                self.link.rest(more, false, now_ms);
                self.outputs.push_back(Output::StatusChanged);
            }
            None => {
                self.link.phase = Phase::Idle;
                self.link.due_at = None;
            }
        }
    }

    fn announce(&mut self, now_ms: i64) {
        let due = self.link.due(now_ms).filter(|_| matches!(self.link.phase, Phase::Idle));
        if due != self.link.announced {
            self.link.announced = due;
            self.outputs.extend(due.map(|at| Output::WakeAt { at }));
        }
    }

    fn send(&mut self) {
        let mut packer = Packer::default();
        let bring = self.bring(&mut packer);
        let (push, pushed) = self.push(&mut packer);
        let open = self.link.ended.is_none();
        let want = self.held.values().filter(|held| open && held.wanted).map(Held::want);
        let want: Vec<Want> = want.take(WANT_AT_MOST).collect();
        let ranges = if open { self.ranges() } else { Vec::new() };
        let asked = Asked {
            pushed,
            brought: bring.iter().map(|bring| bring.record).collect(),
            ranges: ranges.iter().map(|range| range.from).collect(),
        };
        let hopeless = |push: &Push| {
            self.held.get(&push.record).is_some_and(|held| held.missing + 1 >= MISSING_AT_MOST)
        };
        let keep: Vec<RecordId> =
            push.iter().filter(|push| hopeless(push)).map(|p| p.record).collect();
        let request = Request {
            cursor: self.cursor,
            tables: packer.into_tables(),
            bring,
            push,
            want,
            ranges,
            max_bytes: self.link.reply_bytes,
            asides: self.asides(),
            keep: Some(keep).filter(|keep| !keep.is_empty()),
        };
        let round = self.link.next_round;
        self.link.next_round += 1;
        self.link.phase = Phase::Sent { round, asked };
        let body = serde_bytes::ByteBuf::from(encode_request(&request));
        self.outputs.push_back(Output::Send { round, body });
        self.outputs.push_back(Output::StatusChanged);
    }

    /// Durable unsent work, oldest first, so that a weak link works the backlog off in order
    /// (rule R5).
    fn push(&self, packer: &mut Packer) -> (Vec<Push>, Vec<Pushed>) {
        let ended = self.link.ended.is_some();
        let ready = |held: &&Held| match ended {
            true => held.is_to_hand_over(),
            false => held.is_dirty() && !self.link.repair.holds_back(held.id),
        };
        let mut dirty: Vec<&Held> = self.held.values().filter(ready).collect();
        dirty.sort_by_key(|held| held.outbox.values().map(|unsent| unsent.at).min());
        let mut push = Vec::new();
        let mut pushed = Vec::new();
        let mut room = PUSH_BYTES;
        for held in dirty {
            let (durable, size) = first_of(&held.outbox);
            if size > room && !push.is_empty() {
                break;
            }
            room = room.saturating_sub(size);
            let bytes = durable.iter().map(|(_, unsent)| unsent.bytes.as_slice());
            let changes = match held.missing {
                0 | 1 => packer.pack(bytes),
                // Where the office can't put them together it keeps them as they are.
                _ => bytes.map(Packed::plain).collect(),
            };
            push.push(Push { record: held.id, changes });
            let numbers = durable.iter().map(|(number, _)| *number).collect();
            pushed.push(Pushed { record: held.id, numbers });
        }
        (push, pushed)
    }
}

/// What of an outbox goes into one request, in order, and its bytes: what is durable, up to the
/// caps, and one change at least.
fn first_of(outbox: &BTreeMap<u64, Unsent>) -> (Vec<(u64, &Unsent)>, usize) {
    let mut first: Vec<(u64, &Unsent)> = Vec::new();
    let (mut size, mut operations) = (0_usize, 0_usize);
    for (number, unsent) in outbox.iter().take(PUSH_CHANGES) {
        size = size.saturating_add(unsent.bytes.len());
        operations = operations.saturating_add(unsent.operations);
        let full = size > PUSH_BYTES || operations > PUSH_OPERATIONS;
        if unsent.batch.is_some() || (full && !first.is_empty()) {
            size = size.saturating_sub(unsent.bytes.len());
            break;
        }
        first.push((*number, unsent));
    }
    (first, size)
}
