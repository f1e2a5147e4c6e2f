//! The round: when a request goes out, what it carries, and what a failure means (R1, R5, R7).

use super::phase::{SentPush, SentRequest};
use super::schedule::Remaining;
use super::status::RequestFailure;
use crate::ids::RecordId;
use crate::sync::message::{
    Cursor, Packed, Push, Request, Revocation, Want, decode_reply, encode_request,
};
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
    /// A round may be worthwhile: at start, in the foreground, when the network is back or on a
    /// tap.
    pub fn sync_now(&mut self, now_ms: i64) {
        self.link.schedule().schedule_now();
        self.link.forget_sign_in_problem();
        self.retry_unquarantined();
        self.journal.retry();
        self.advance(now_ms);
    }

    /// The office signals that the feed has grown to `seq`, or 0 where it lost count (rule R8).
    /// What the device has already, such as its own work, causes no round.
    pub fn feed_moved(&mut self, seq: u64, now_ms: i64) {
        let seq = if seq == 0 { u64::MAX } else { seq };
        if seq > self.cursor.seq {
            self.link.feed_moved(seq);
            self.advance(now_ms);
        }
    }

    /// Whether the office's event stream is alive: without it the office is asked once a minute.
    pub fn set_streamed(&mut self, is_streamed: bool, now_ms: i64) {
        self.link.schedule().set_streamed(is_streamed, now_ms);
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
        let is_next_page = self.link.awaits_next_page(round);
        let (pushed, restored) = match self.link.awaited(round) {
            Some(sent) => (sent.pushed.len(), sent.restored.len()),
            None if is_next_page => (0, 0),
            None => return,
        };
        let sound = decode_reply(body).ok();
        let sound = sound.filter(|r| r.results.len() == pushed && r.restored.len() == restored);
        let Some(reply) = sound else {
            self.request_failed(round, RequestFailure::MalformedReply, now_ms, 0);
            return;
        };
        if is_next_page {
            self.link.next_page_arrived(reply, body.len(), now_ms);
        } else {
            self.link.replied(reply, body.len(), now_ms);
            self.begin_reply(now_ms);
        }
        self.advance(now_ms);
    }

    /// Before a reply is applied: the next page travels meanwhile.
    fn begin_reply(&mut self, now_ms: i64) {
        self.request_next_page(now_ms);
        self.load_for_reply();
    }

    /// In the midst of a pass over the feed, requests the next page while this one is applied,
    /// unless there is anything else to exchange.
    fn request_next_page(&mut self, now_ms: i64) {
        let Some(application) = self.link.application() else { return };
        let (cursor, remaining) = (application.reply.cursor, application.reply.remaining);
        let index = self.records.reindex();
        let has_other = !index.wanted().is_empty() || self.repair.is_open();
        if remaining == 0 || has_other || self.any_unsent(RecordEntry::has_sendable_work) {
            return;
        }
        let round = self.link.request_next_page(now_ms);
        let max_bytes = self.link.reply_bytes();
        let request = Request { cursor, max_bytes, ..Request::default() };
        let body = serde_bytes::ByteBuf::from(encode_request(&request));
        self.outputs.push_back(Output::Send { round, body });
    }

    /// Applies the next part of a reply, after `Resume`.
    pub fn resume(&mut self, now_ms: i64) {
        self.link.resume();
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
        if self.link.awaited(round).is_none() && !self.link.awaits_next_page(round) {
            return;
        }
        self.link.request_failed(round, failure, now_ms, random);
        self.outputs.push_back(Output::StatusChanged);
        self.advance(now_ms);
    }

    /// The office has no room now and asked to wait (rule R7): no request goes out sooner, not
    /// even on a tap or a signal.
    pub fn defer(&mut self, round: u64, wait_ms: i64, now_ms: i64, random: u32) {
        if self.link.awaited(round).is_none() && !self.link.awaits_next_page(round) {
            return;
        }
        self.link.deferred(round, wait_ms, now_ms, random);
        self.outputs.push_back(Output::StatusChanged);
        self.advance(now_ms);
    }

    /// Advances the round as far as it goes.
    pub(crate) fn advance_round(&mut self, now_ms: i64) {
        loop {
            if self.loading.is_empty() {
                self.apply_reply();
            }
            self.records.reindex();
            if !self.finish_if_committed(now_ms) {
                break;
            }
        }
        if self.link.is_disabled() {
            return;
        }
        // Only what is unsent is known before all records are read: enough to go on from a cursor,
        // and too little to compare records (rule D8).
        let can_begin = self.records.is_complete()
            || (self.cursor != Cursor::default() && !self.repair.is_open());
        let idle = |workspace: &Self| workspace.link.is_idle() && workspace.loading.is_empty();
        if can_begin && self.link.schedule().is_due(now_ms) && idle(self) {
            self.load_for_repair();
            if idle(self) {
                self.send(now_ms);
            }
        }
        let is_idle = self.link.is_idle() && can_begin;
        let wake_at = self.link.schedule().announce(is_idle, now_ms);
        self.outputs.extend(wake_at.map(|at| Output::WakeAt { at }));
    }

    /// Ends the round once its reply is on disk; gives whether another reply is there already.
    fn finish_if_committed(&mut self, now_ms: i64) -> bool {
        let Some(commit) = self.link.commit() else { return false };
        // Neither a comparison nor an erasure may miss a record that is not read or rebuilt yet.
        let is_complete = self.records.is_complete() && self.loading.is_empty();
        if !is_complete || !self.journal.is_durable(commit.batch) {
            return false;
        }
        self.cursor = commit.cursor;
        if let Some(revocation) = self.link.revocation() {
            self.finish_drain(revocation, now_ms);
            return false;
        }
        if self.link.turn_page() {
            self.begin_reply(now_ms);
            self.outputs.push_back(Output::StatusChanged);
            return self.link.application().is_some();
        }
        let index = self.records.reindex();
        let wanted = !index.wanted().is_empty();
        let mut more = commit.remaining > 0 || wanted || self.repair.is_open();
        if !more {
            more = self.link.compare(index.digest(), &commit, now_ms);
            if more {
                self.repair.begin();
            }
            self.store_proof();
        }
        more |= self.link.take_signal_after(commit.cursor.seq);
        let remaining = if more || self.any_unsent(RecordEntry::has_sendable_work) {
            Remaining::More
        } else if self.any_unsent(RecordEntry::has_unrefused_work) {
            Remaining::Edits
        } else if self.undecided().is_some() {
            Remaining::Decision
        } else {
            Remaining::Nothing
        };
        self.link.finish_round(remaining, now_ms);
        self.outputs.push_back(Output::StatusChanged);
        false
    }

    /// Whether something holds of a record with unsent work.
    pub(crate) fn any_unsent(&self, holds: impl Fn(&RecordEntry) -> bool) -> bool {
        let index = self.records.index();
        let mut unsent = index.with_unsent().filter_map(|id| self.records.get(&id));
        unsent.any(holds)
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

    fn send(&mut self, now_ms: i64) {
        let mut packer = Packer::default();
        let restore = self.pack_restores(&mut packer);
        self.records.reindex();
        let (push, pushed) = self.pack_pushes(&mut packer);
        let revoked = self.link.revocation().is_some();
        let want = if revoked { Vec::new() } else { self.wants() };
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
        let round = self.link.begin_round(sent, now_ms);
        let body = serde_bytes::ByteBuf::from(encode_request(&request));
        self.outputs.push_back(Output::Send { round, body });
        self.outputs.push_back(Output::StatusChanged);
    }

    fn wants(&self) -> Vec<Want> {
        let index = self.records.index();
        let wanted = index.wanted().iter().take(MAX_WANTS);
        wanted.filter_map(|id| self.records.get(id)).map(RecordEntry::want).collect()
    }

    /// Durable unsent work, oldest first, so that a weak link works off the backlog in order
    /// (rule R5).
    fn pack_pushes(&self, packer: &mut Packer) -> (Vec<Push>, Vec<SentPush>) {
        let revoked = self.link.revocation().is_some();
        let is_ready = |entry: &&RecordEntry| match revoked {
            true => entry.can_drain(),
            false => entry.has_sendable_work() && !self.repair.postpones(entry.id),
        };
        let index = self.records.index();
        let ready = index.with_unsent().filter_map(|id| self.records.get(&id)).filter(is_ready);
        let mut push = Vec::new();
        let mut pushed = Vec::new();
        let mut room = MAX_PUSH_BYTES;
        for entry in ready.take(MAX_PUSH_RECORDS) {
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
