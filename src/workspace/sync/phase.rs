//! The phases of a round, and what each owns.

use crate::ids::RecordId;
use crate::sync::digest::Digest;
use crate::sync::message::{Cursor, RecordUpdate, Reply};

/// Records applied at a time: a fraction of a second on a slow phone, in which no page is served.
const MAX_PART: usize = 8;

/// The changes of one record in a request, by outbox number.
#[derive(Debug, Clone)]
pub(crate) struct SentPush {
    pub(crate) record: RecordId,
    pub(crate) numbers: Vec<u64>,
}

/// The parts of a request that its reply answers in the same order.
#[derive(Debug, Clone, Default)]
pub(crate) struct SentRequest {
    pub(crate) pushed: Vec<SentPush>,
    pub(crate) restored: Vec<RecordId>,
    /// First ids of the ranges to compare.
    pub(crate) ranges: Vec<RecordId>,
}

/// The phase of the round; each owns what only it needs.
#[derive(Debug)]
pub(crate) enum Phase {
    Idle,
    Sent {
        round: u64,
        sent: SentRequest,
    },
    /// A reply is applied part by part; each waits until the documents that it changes are loaded.
    Applying(Box<Application>),
    /// Applied in memory; the cursor becomes durable with all of it in one batch (rule R5).
    Committing(Commit),
}

/// The next page of a pass over the feed, requested while the last one is applied. Its request has
/// a cursor that is not on disk yet; it is applied only after that is.
#[derive(Debug)]
pub(crate) enum NextPage {
    Sent { round: u64 },
    Arrived { reply: Box<Reply>, size: usize, at: i64 },
}

/// A reply that is being applied.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) reply: Reply,
    pub(crate) sent: SentRequest,
    /// Updates of the reply that are applied already.
    pub(crate) applied: usize,
    /// The next part may be applied: pages were served after the last one.
    pub(crate) is_due: bool,
}

impl Application {
    /// The updates of the next part.
    pub(crate) fn part(&self) -> &[RecordUpdate] {
        let rest = self.reply.entries.get(self.applied..).unwrap_or_default();
        rest.get(..MAX_PART).unwrap_or(rest)
    }
}

/// A reply on its way to the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commit {
    /// The batch that makes it durable.
    pub(crate) batch: u64,
    pub(crate) cursor: Cursor,
    /// Feed entries that remain at the office.
    pub(crate) remaining: u64,
    /// The office's digest.
    pub(crate) digest: Digest,
}
