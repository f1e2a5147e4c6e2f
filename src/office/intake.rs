//! How work of others gets into the store: judged beside the writer, committed by it.
//!
//! Judging costs what the sender likes it to cost, and the store has one writer for everybody. So
//! a judge runs on threads where blocking is allowed, against a snapshot; the job that it hands to
//! the writer compares what the judgement rests on, and writes what was worked out. Where that has
//! moved, the job writes nothing and the work is judged again.
//!
//! Within this process nobody else judges a record meanwhile, first come, first served, so that
//! only another process can be faster; after some tries the sender is told to come again. No
//! round waits for a record while it holds another, so no two wait for each other.

use std::collections::{BTreeMap, VecDeque};

use automerge::ChangeHash;

use super::cancel::CancelToken;
use super::keyed::Slot;
use super::store::{ChangeMeta, Pending, Reads, StoreError, Writes};
use super::{Office, OfficeError, Session};
use crate::ids::{Heads, RecordId};
use crate::record::genesis;
use crate::sync::packed::{self, Prefix};

/// Records of one request that are judged and queued together: they share commits. Bounds the
/// writer's jobs of one request, and how many records it keeps to itself.
const BATCH: usize = 64;

/// Bytes of judged work of one request that wait for the writer.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// How often one record is judged. Another process has to commit to it between each two.
const TRIES: u32 = 5;

/// What is to be done about one record.
pub(super) enum Step<T> {
    /// Nothing is to be written.
    Done(T),
    /// Something is to be written.
    Write(Write<T>),
}

/// Work that was judged, for the writer.
pub(super) struct Write<T> {
    /// About how many it holds until then.
    pub(super) bytes: usize,
    /// Writes it; `None`, and nothing is written, where what it rests on has moved.
    pub(super) job: Box<Job<T>>,
}

type Job<T> = dyn FnMut(&mut dyn Writes) -> Result<Option<T>, StoreError> + Send;

impl<T> Step<T> {
    /// Writes `bytes` by `job`.
    pub(super) fn write(
        bytes: usize,
        job: impl FnMut(&mut dyn Writes) -> Result<Option<T>, StoreError> + Send + 'static,
    ) -> Self {
        Self::Write(Write { bytes, job: Box::new(job) })
    }
}

/// What a judgement rests on beside the bytes that were judged: while it stays the same, so does
/// the judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Basis {
    /// The office's copy; `None` where there is none, or it never was the sender's.
    pub(super) heads: Option<Heads>,
    /// The record is in the sender's feed.
    pub(super) mine: bool,
    /// The sender is one of its collectors; it may have left the feed by age (rule F5).
    pub(super) assigned: bool,
    /// It is in the feed, or was.
    pub(super) ever_mine: bool,
    /// The keys that the sender's device has enrolled.
    pub(super) keys: Vec<[u8; 32]>,
}

impl Basis {
    pub(super) fn read(
        reads: &mut dyn Reads,
        session: &Session,
        record: RecordId,
    ) -> Result<Self, StoreError> {
        let mine = reads.collectors(record)?.contains(&session.user);
        let assigned = mine || reads.assigned(record)?.contains(&session.user);
        let ever_mine = mine || reads.entry_at(&session.user, record, u64::MAX)?.is_some();
        // To others it is as if there were none.
        let heads = if ever_mine { reads.heads(record)? } else { None };
        let keys = reads.device_keys(session.device)?;
        Ok(Self { heads, mine, assigned, ever_mine, keys })
    }
}

/// What a job may read.
pub(super) fn as_reads(tx: &mut dyn Writes) -> &mut dyn Reads {
    tx
}

/// A record's changes by the beginnings of their hashes, as changes on the wire name what they
/// follow: found at once, however many names there are.
pub(super) fn names(known: &[ChangeMeta]) -> BTreeMap<Prefix, ChangeHash> {
    let hashes = known.iter().map(|known| known.hash).chain([genesis::hash()]);
    // Of two that begin alike the first is meant.
    hashes.rev().map(|hash| (packed::prefix(&hash), hash)).collect()
}

/// One record's work, and its place in the request.
struct Due<I> {
    place: usize,
    record: RecordId,
    tries: u32,
    item: I,
}

/// What came of a judgement.
enum Judged<T> {
    Done(T),
    Queued(Pending<Option<T>>),
}

impl Office {
    /// Judges work on records and writes it; one result for each, in order. Stops between two of
    /// them where it is cancelled: what was queued is written, and nobody hears of it.
    pub(super) async fn take_in<I, T, J>(
        &self,
        items: Vec<(RecordId, I)>,
        cancel: &CancelToken,
        judge: J,
    ) -> Result<Vec<T>, OfficeError>
    where
        I: Send + 'static,
        T: Send + 'static,
        J: Fn(&Self, RecordId, &I) -> Result<Step<T>, OfficeError> + Clone + Send + 'static,
    {
        let mut taken: Vec<Option<T>> = Vec::new();
        taken.resize_with(items.len(), || None);
        let due = items.into_iter().enumerate();
        let mut due: VecDeque<Due<I>> =
            due.map(|(place, (record, item))| Due { place, record, tries: 0, item }).collect();
        while let Some(first) = due.pop_front() {
            // Waits for one record only while it holds none.
            let slot = self.judging.acquire(first.record).await.map_err(|_| OfficeError::Busy)?;
            let mut batch = vec![(first, slot)];
            while batch.len() < BATCH
                && let Some(slot) =
                    due.front().and_then(|next| self.judging.try_acquire(next.record))
                && let Some(next) = due.pop_front()
            {
                batch.push((next, slot));
            }
            let (judge, cancel) = (judge.clone(), cancel.clone());
            let (judged, rest) =
                self.blocking(move |office| office.judge_batch(batch, &cancel, judge)).await?;
            for (one, _slot, judged) in judged {
                let settled = match judged {
                    Judged::Done(settled) => Some(settled),
                    Judged::Queued(pending) => pending.await?,
                };
                match (settled, taken.get_mut(one.place)) {
                    (Some(settled), Some(place)) => *place = Some(settled),
                    (Some(_), None) => {}
                    (None, _) if one.tries + 1 >= TRIES => return Err(OfficeError::Busy),
                    (None, _) => due.push_front(Due { tries: one.tries + 1, ..one }),
                }
            }
            rest.into_iter().rev().for_each(|one| due.push_front(one));
        }
        // Each is taken, or the loop would go on.
        taken.into_iter().collect::<Option<_>>().ok_or(OfficeError::Closing)
    }

    /// Judges one after the other and queues each as soon as it is judged, until what waits is
    /// large; gives also what was not begun. Blocks.
    fn judge_batch<I, T: Send + 'static>(
        &self,
        batch: Vec<(Due<I>, Slot<RecordId>)>,
        cancel: &CancelToken,
        judge: impl Fn(&Self, RecordId, &I) -> Result<Step<T>, OfficeError>,
    ) -> Result<JudgedBatch<I, T>, OfficeError> {
        let (mut judged, mut rest, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
        for (one, slot) in batch {
            if bytes >= BATCH_BYTES {
                rest.push(one);
                continue;
            }
            cancel.check()?;
            let step = match judge(self, one.record, &one.item)? {
                Step::Done(settled) => Judged::Done(settled),
                Step::Write(Write { bytes: more, mut job }) => {
                    bytes = bytes.saturating_add(more);
                    Judged::Queued(self.store.write(move |tx| job(tx)))
                }
            };
            judged.push((one, slot, step));
        }
        Ok((judged, rest))
    }
}

/// What was judged, while nobody else may judge it, and what was not.
type JudgedBatch<I, T> = (Vec<(Due<I>, Slot<RecordId>, Judged<T>)>, Vec<Due<I>>);
