//! The round: when a request goes out, what it carries, and what a failure means (R1, R5, R7).

use std::collections::BTreeMap;

use super::link::{LAST_RETRY_MS, LEAST_REPLY_BYTES, Link, Phase, SentPush, SentRequest};
use crate::ids::RecordId;
use crate::sync::message::{Packed, Push, Request, Revocation, Want, decode_reply, encode_request};
use crate::sync::packed::Packer;
use crate::workspace::Workspace;
use crate::workspace::output::Output;
use crate::workspace::records::entry::{RecordEntry, Unsent};

/// A full disk is tried again this often, and with every edit.
pub(crate) const RETRY_SAVE_MS: i64 = 5_000;
/// Unsent changes in one request: far below what the office accepts, enough for weeks of work.
const PUSH_BYTES: usize = 1024 * 1024;
/// Records pushed in one request: the office has judged them long before it stops working on a round
/// (`round_work`), and takes 4,096.
const PUSH_RECORDS: usize = 256;
/// Of one record at once, well below what the office takes (`office::merge::limits`): the rest
/// goes with the next request.
const PUSH_CHANGES: usize = 1_000;
const PUSH_OPERATIONS: usize = 100_000;
/// Records wanted in one request; the office fills its page with what fits.
const WANT_AT_MOST: usize = 512;
/// So often the office may lack what work builds on before a person is told.
pub(crate) const MISSING_AT_MOST: u32 = 3;

impl Workspace {
    /// Something says that a round may be worth while: start, foreground, network back, a tap,
    /// the office's signal.
    pub fn sync_now(&mut self, now_ms: i64) {
        self.link.schedule_now();
        self.link.problem.take_if(|problem| problem == "signed_out");
        self.retry_unquarantined();
        self.journal.retry();
        self.advance(now_ms);
    }

    /// The time asked for by `WakeAt` has come.
    pub fn wake(&mut self, now_ms: i64) {
        self.link.announced = None;
        self.journal.retry();
        self.advance(now_ms);
    }

    /// The reply to a request; its body is not trusted to be whole.
    pub fn replied(&mut self, round: u64, body: &[u8], now_ms: i64) {
        let Phase::Sent { round: expected, sent } = &self.link.phase else {
            return;
        };
        if *expected != round {
            return;
        }
        let sound = decode_reply(body).ok().filter(|reply| {
            reply.results.len() == sent.pushed.len() && reply.restored.len() == sent.restored.len()
        });
        let Some(reply) = sound else {
            self.request_failed(round, "malformed_reply", now_ms, 0);
            return;
        };
        let sent = sent.clone();
        // Until the first proof everything is the first sync.
        let first = self.link.proven.is_none();
        self.link.answered(&reply, body.len(), first, now_ms);
        // At once, whatever must be loaded before the rest is taken in (rule F4).
        self.link.ended = reply.revocation.or(self.link.ended);
        self.link.phase = Phase::Applying { reply: Box::new(reply), sent };
        self.load_for_reply();
        self.advance(now_ms);
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
        self.advance(now_ms);
    }

    /// The office has no room now and said how long to stay away (rule R7): nothing asks it
    /// sooner, no signal and no tap. It passes by itself and needs nobody; the link is not at fault.
    pub fn defer(&mut self, round: u64, wait_ms: i64, now_ms: i64, random: u32) {
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
        self.advance(now_ms);
    }

    /// Moves the round on as far as it goes.
    pub(crate) fn drive(&mut self, now_ms: i64) {
        if matches!(self.link.phase, Phase::Applying { .. }) && self.loading.is_empty() {
            self.apply_reply();
        }
        self.finish_if_committed(now_ms);
        if self.link.disabled {
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
            return self.finish_drain(ended, now_ms);
        }
        let wanted = self.records.values().any(|entry| entry.wanted);
        let mut more = remaining > 0 || wanted || self.link.repair.is_open();
        if !more {
            let own = Link::digest_of(self.records.values());
            more = self.link.compare(own, digest, cursor.epoch, now_ms);
            if more {
                self.link.begin_repair();
            }
            self.store_proof();
            self.link.first_sync_done();
        }
        more |= self.records.values().any(RecordEntry::has_sendable_work);
        let edits = self.records.values().any(RecordEntry::has_unrefused_work);
        self.link.schedule_next(more, edits, now_ms);
        self.outputs.push_back(Output::StatusChanged);
        self.outputs.push_back(Output::ListChanged);
    }

    /// A device that is shut out goes on until nothing is left to hand over.
    fn finish_drain(&mut self, ended: Revocation, now_ms: i64) {
        match self.erase_if_drained(ended) {
            Some(more) => {
                self.link.schedule_next(more, false, now_ms);
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
        let restore = self.restore(&mut packer);
        let (push, pushed) = self.push(&mut packer);
        let open = self.link.ended.is_none();
        let want =
            self.records.values().filter(|entry| open && entry.wanted).map(RecordEntry::want);
        let want: Vec<Want> = want.take(WANT_AT_MOST).collect();
        let ranges = if open { self.ranges() } else { Vec::new() };
        let sent = SentRequest {
            pushed,
            restored: restore.iter().map(|restore| restore.record).collect(),
            ranges: ranges.iter().map(|range| range.from).collect(),
        };
        let give_up = |push: &Push| {
            self.records.get(&push.record).is_some_and(|entry| entry.missing + 1 >= MISSING_AT_MOST)
        };
        let keep: Vec<RecordId> =
            push.iter().filter(|push| give_up(push)).map(|p| p.record).collect();
        let request = Request {
            cursor: self.cursor,
            tables: packer.into_tables(),
            restore,
            push,
            want,
            ranges,
            max_bytes: self.link.reply_bytes,
            undecided: self.undecided(),
            quarantine: Some(keep).filter(|keep| !keep.is_empty()),
        };
        let round = self.link.next_round;
        self.link.next_round += 1;
        self.link.phase = Phase::Sent { round, sent };
        let body = serde_bytes::ByteBuf::from(encode_request(&request));
        self.outputs.push_back(Output::Send { round, body });
        self.outputs.push_back(Output::StatusChanged);
    }

    /// Durable unsent work, oldest first, so that a weak link works the backlog off in order
    /// (rule R5).
    fn push(&self, packer: &mut Packer) -> (Vec<Push>, Vec<SentPush>) {
        let ended = self.link.ended.is_some();
        let ready = |entry: &&RecordEntry| match ended {
            true => entry.can_drain(),
            false => entry.has_sendable_work() && !self.link.repair.holds_back(entry.id),
        };
        let mut dirty: Vec<&RecordEntry> = self.records.values().filter(ready).collect();
        dirty.sort_by_key(|entry| entry.outbox.values().map(|unsent| unsent.at).min());
        let mut push = Vec::new();
        let mut pushed = Vec::new();
        let mut room = PUSH_BYTES;
        for entry in dirty.into_iter().take(PUSH_RECORDS) {
            let (durable, size) = first_of(&entry.outbox);
            if size > room && !push.is_empty() {
                break;
            }
            room = room.saturating_sub(size);
            let bytes = durable.iter().map(|(_, unsent)| unsent.bytes.as_slice());
            let changes = match entry.missing {
                0 | 1 => packer.pack(bytes),
                // Where the office can't put them together it keeps them as they are.
                _ => bytes.map(Packed::plain).collect(),
            };
            push.push(Push { record: entry.id, changes });
            let numbers = durable.iter().map(|(number, _)| *number).collect();
            pushed.push(SentPush { record: entry.id, numbers });
        }
        (push, pushed)
    }
}

/// What of an outbox goes into one request, in order, and its bytes: what is durable, up to the
/// caps, and one change at least.
pub(crate) fn first_of(outbox: &BTreeMap<u64, Unsent>) -> (Vec<(u64, &Unsent)>, usize) {
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
