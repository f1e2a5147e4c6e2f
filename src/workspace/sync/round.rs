//! The round: when a request goes out, what it carries, and what a failure means (R1, R5, R7).

use super::link::{SentPush, SentRequest};
use super::schedule::Remaining;
use super::status::RequestFailure;
use crate::ids::RecordId;
use crate::sync::message::{Packed, Push, Request, Revocation, Want, decode_reply, encode_request};
use crate::sync::packed::Packer;
use crate::workspace::Workspace;
use crate::workspace::output::Output;
use crate::workspace::records::entry::RecordEntry;
use crate::workspace::records::outbox::MAX_PUSH_BYTES;

/// A failed write is tried again this often, and with every edit.
pub(crate) const RETRY_SAVE_MS: i64 = 5_000;
/// Records pushed in one request: the office judges them well within its time limit
/// (`round_work`), and accepts 4,096.
const MAX_PUSH_RECORDS: usize = 256;
/// Records wanted in one request; the office fills its page with as many as fit.
const MAX_WANTS: usize = 512;
/// How often in a row the office may lack what work builds on before a person is told.
pub(crate) const MAX_MISSING_REPLIES: u32 = 3;

impl Workspace {
    /// A round may be worthwhile: at start, in the foreground, when the network is back, on a tap
    /// or the office's signal.
    pub fn sync_now(&mut self, now_ms: i64) {
        self.link.schedule().schedule_now();
        self.link.forget_sign_in_problem();
        self.retry_unquarantined();
        self.journal.retry();
        self.advance(now_ms);
    }

    /// The time of `WakeAt` has come.
    pub fn wake(&mut self, now_ms: i64) {
        self.link.schedule().woken();
        self.journal.retry();
        self.advance(now_ms);
    }

    /// The reply to a request. The body may be anything.
    pub fn replied(&mut self, round: u64, body: &[u8], now_ms: i64) {
        let Some(sent) = self.link.awaited(round) else { return };
        let sound = decode_reply(body).ok().filter(|reply| {
            reply.results.len() == sent.pushed.len() && reply.restored.len() == sent.restored.len()
        });
        let Some(reply) = sound else {
            self.request_failed(round, RequestFailure::MalformedReply, now_ms, 0);
            return;
        };
        self.link.replied(reply, body.len(), now_ms);
        self.load_for_reply();
        self.advance(now_ms);
    }

    /// No reply came. `random` spreads the retries of many devices.
    pub fn request_failed(
        &mut self,
        round: u64,
        failure: RequestFailure,
        now_ms: i64,
        random: u32,
    ) {
        if self.link.awaited(round).is_none() {
            return;
        }
        self.link.request_failed(failure, now_ms, random);
        self.outputs.push_back(Output::StatusChanged);
        self.advance(now_ms);
    }

    /// The office has no room now and asked to wait (rule R7): no request goes out sooner, not
    /// even on a tap or a signal.
    pub fn defer(&mut self, round: u64, wait_ms: i64, now_ms: i64, random: u32) {
        if self.link.awaited(round).is_none() {
            return;
        }
        self.link.deferred(wait_ms, now_ms, random);
        self.outputs.push_back(Output::StatusChanged);
        self.advance(now_ms);
    }

    /// Advances the round as far as it goes.
    pub(crate) fn advance_round(&mut self, now_ms: i64) {
        if self.loading.is_empty() {
            self.apply_reply();
        }
        self.finish_if_committed(now_ms);
        if self.link.is_disabled() {
            return;
        }
        let idle = |workspace: &Self| workspace.link.is_idle() && workspace.loading.is_empty();
        if self.link.schedule().is_due(now_ms) && idle(self) {
            self.load_for_repair();
            if idle(self) {
                self.send();
            }
        }
        let is_idle = self.link.is_idle();
        let wake_at = self.link.schedule().announce(is_idle, now_ms);
        self.outputs.extend(wake_at.map(|at| Output::WakeAt { at }));
    }

    fn finish_if_committed(&mut self, now_ms: i64) {
        let Some(commit) = self.link.commit() else { return };
        if !self.journal.is_durable(commit.batch) {
            return;
        }
        self.cursor = commit.cursor;
        if let Some(revocation) = self.link.revocation() {
            return self.finish_drain(revocation, now_ms);
        }
        let wanted = self.records.values().any(|entry| entry.wanted);
        let mut more = commit.remaining > 0 || wanted || self.repair.is_open();
        if !more {
            let own = self.digest();
            more = self.link.compare(own, &commit, now_ms);
            if more {
                self.repair.begin();
            }
            self.store_proof();
        }
        let remaining = if more || self.records.values().any(RecordEntry::has_sendable_work) {
            Remaining::More
        } else if self.records.values().any(RecordEntry::has_unrefused_work) {
            Remaining::Edits
        } else {
            Remaining::Nothing
        };
        self.link.finish_round(remaining, now_ms);
        self.outputs.push_back(Output::StatusChanged);
        self.outputs.push_back(Output::ListChanged);
    }

    /// A revoked device makes rounds until it has nothing left to upload.
    fn finish_drain(&mut self, revocation: Revocation, now_ms: i64) {
        match self.erase_if_drained(revocation) {
            Some(more) => {
                let remaining = if more { Remaining::More } else { Remaining::Nothing };
                self.link.finish_round(remaining, now_ms);
                self.outputs.push_back(Output::StatusChanged);
            }
            None => self.link.close(),
        }
    }

    fn send(&mut self) {
        let mut packer = Packer::default();
        let restore = self.pack_restores(&mut packer);
        let (push, pushed) = self.pack_pushes(&mut packer);
        let revoked = self.link.revocation().is_some();
        let wanted = self.records.values().filter(|entry| !revoked && entry.wanted);
        let want: Vec<Want> = wanted.map(RecordEntry::want).take(MAX_WANTS).collect();
        let ranges = if revoked { Vec::new() } else { self.ranges() };
        let give_up = |id: &RecordId| {
            let entry = self.records.get(id);
            entry.is_some_and(|entry| entry.missing_replies + 1 >= MAX_MISSING_REPLIES)
        };
        let quarantine: Vec<RecordId> =
            push.iter().map(|push| push.record).filter(give_up).collect();
        let sent = SentRequest {
            pushed,
            restored: restore.iter().map(|restore| restore.record).collect(),
            ranges: ranges.iter().map(|range| range.from).collect(),
        };
        let request = Request {
            cursor: self.cursor,
            tables: packer.into_tables(),
            restore,
            push,
            want,
            ranges,
            max_bytes: self.link.reply_bytes(),
            undecided: self.undecided(),
            quarantine: Some(quarantine).filter(|quarantine| !quarantine.is_empty()),
        };
        let round = self.link.begin_round(sent);
        let body = serde_bytes::ByteBuf::from(encode_request(&request));
        self.outputs.push_back(Output::Send { round, body });
        self.outputs.push_back(Output::StatusChanged);
    }

    /// Durable unsent work, oldest first, so that a weak link works off the backlog in order
    /// (rule R5).
    fn pack_pushes(&self, packer: &mut Packer) -> (Vec<Push>, Vec<SentPush>) {
        let revoked = self.link.revocation().is_some();
        let is_ready = |entry: &&RecordEntry| match revoked {
            true => entry.can_drain(),
            false => entry.has_sendable_work() && !self.repair.postpones(entry.id),
        };
        let mut ready: Vec<&RecordEntry> = self.records.values().filter(is_ready).collect();
        ready.sort_by_key(|entry| entry.outbox.oldest_at());
        let mut push = Vec::new();
        let mut pushed = Vec::new();
        let mut room = MAX_PUSH_BYTES;
        for entry in ready.into_iter().take(MAX_PUSH_RECORDS) {
            let page = entry.outbox.next_page();
            if page.size > room && !push.is_empty() {
                break;
            }
            room = room.saturating_sub(page.size);
            let bytes = page.changes.iter().map(|(_, unsent)| unsent.bytes.as_slice());
            let changes = match entry.missing_replies {
                0 | 1 => packer.pack(bytes),
                // Where the office can't unpack the changes it can quarantine them as they are.
                _ => bytes.map(Packed::plain).collect(),
            };
            push.push(Push { record: entry.id, changes });
            let numbers = page.changes.iter().map(|(number, _)| *number).collect();
            pushed.push(SentPush { record: entry.id, numbers });
        }
        (push, pushed)
    }
}
