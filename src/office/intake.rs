//! The intake pipeline: the only way in which work changes a record that the office has.
//!
//! Each kind of work is a [`Source`]. [`Office::intake`] takes its work through four stages, record
//! by record:
//!
//! 1. **load** the record and the [`Basis`] of the judgement from one snapshot;
//! 2. **unpack** the changes: from their form on the wire, or by executing a command;
//! 3. **judge** them, outside the store's writer;
//! 4. **commit**, in the writer: if the basis is unchanged, write the verdict in one transaction;
//!    otherwise write nothing and begin again with 1.
//!
//! | work | source |
//! |---|---|
//! | pushes of devices, revoked devices and rescue files | [`push`] ([`rescue`] reads the file) |
//! | states that devices bring back after a restore of the office | [`restore`] |
//! | edits in the console, rows of an import, evaluations of conduct | [`edit`] |
//! | quarantined work that a supervisor accepts | `quarantine/accept.rs` |
//!
//! New records ([`create`]) have no state to judge against; they share the commit stage.
//!
//! Judging costs as much as the sender makes it cost, and the store has one writer for everybody,
//! so nothing is judged in the writer. Within this process only one request at a time judges a
//! record, in order of arrival: mostly another process has to be faster to move the basis, and
//! after some attempts the caller is told to retry. A request never waits for a record while it
//! holds another, so there is no deadlock.

mod basis;
pub mod cancel;
mod commit;
pub(super) mod create;
pub(super) mod edit;
pub(super) mod keyed_queue;
pub(super) mod push;
pub mod rescue;
pub(super) mod restore;

use std::collections::VecDeque;
use std::sync::Arc;

use super::store::{Pending, Reads, Writes};
use super::{Office, OfficeError, StoreError};
use crate::ids::RecordId;
pub(super) use basis::{Basis, LoadedRecord, Scope, revocation};
use cancel::CancelToken;
pub(super) use commit::{
    AcceptedState, AcceptedWork, Commit, Predecessor, Provenance, Verdict, receipt_hash, rows,
};
use keyed_queue::Slot;

/// Records of one request that are judged and queued together, so that they share commits. Bounds
/// the writer's jobs of one request, and the records that it locks at a time.
const BATCH: usize = 64;

/// Bytes of judged work of one request that wait for the writer.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Attempts per record before the caller is told to retry later.
const MAX_ATTEMPTS: u32 = 5;

/// One kind of work on records.
pub(super) trait Source: Send + Sync + 'static {
    /// The work on one record, as it arrived.
    type Item: Send + 'static;
    /// The same, unpacked.
    type Unpacked;
    /// The result for the caller.
    type Reply: Send + 'static;

    /// The facts that judgements of this work depend on, besides the work itself.
    fn scope(&self) -> Scope<'_>;

    /// Obtains the changes. Blocks.
    fn unpack(
        &self,
        office: &Office,
        loaded: &LoadedRecord,
        item: &Self::Item,
    ) -> Result<Self::Unpacked, OfficeError>;

    /// Judges the changes against the loaded state. Blocks.
    fn judge(
        &self,
        office: &Office,
        loaded: LoadedRecord,
        item: &Self::Item,
        unpacked: Self::Unpacked,
    ) -> Result<Verdict<Self::Reply>, OfficeError>;
}

/// One record's work, and its position in the request.
struct QueuedItem<I> {
    position: usize,
    record: RecordId,
    attempts: u32,
    item: I,
}

/// Work that has been judged.
enum Judged<R> {
    Done(R),
    /// The writer's answer is `None` where the basis had changed.
    Queued(Pending<Option<R>>),
}

/// Judged items, which hold their records until the commit, and items that were not begun.
type JudgedBatch<I, R> = (Vec<(QueuedItem<I>, Slot<RecordId>, Judged<R>)>, Vec<QueuedItem<I>>);

impl Office {
    /// Takes work through the pipeline; one reply per item, in order. Each item is committed in a
    /// transaction of its own (rule R2). Cancelling stops between two items: what is queued by then
    /// is still written.
    ///
    /// # Errors
    /// [`OfficeError::Busy`] when cancelled, or when the basis of one record kept changing. Items
    /// before that may have been committed.
    pub(super) async fn intake<S: Source>(
        &self,
        source: S,
        items: Vec<(RecordId, S::Item)>,
        cancel: &CancelToken,
    ) -> Result<Vec<S::Reply>, OfficeError> {
        let source = Arc::new(source);
        let mut replies: Vec<Option<S::Reply>> = Vec::new();
        replies.resize_with(items.len(), || None);
        let queued =
            |(position, (record, item))| QueuedItem { position, record, attempts: 0, item };
        let mut queue: VecDeque<QueuedItem<S::Item>> =
            items.into_iter().enumerate().map(queued).collect();
        while let Some(first) = queue.pop_front() {
            // Wait for a record only while holding none.
            let slot = self.judging.acquire(first.record).await.map_err(|_| OfficeError::Busy)?;
            let mut batch = vec![(first, slot)];
            while batch.len() < BATCH
                && let Some(slot) =
                    queue.front().and_then(|next| self.judging.try_acquire(next.record))
                && let Some(next) = queue.pop_front()
            {
                batch.push((next, slot));
            }
            let (source, cancel) = (Arc::clone(&source), cancel.clone());
            let (judged, rest) =
                self.blocking(move |office| office.judge_batch(&source, batch, &cancel)).await?;
            for (item, _slot, judged) in judged {
                let reply = match judged {
                    Judged::Done(reply) => Some(reply),
                    Judged::Queued(pending) => pending.await?,
                };
                match (reply, replies.get_mut(item.position)) {
                    (Some(reply), Some(entry)) => *entry = Some(reply),
                    (Some(_), None) => {}
                    (None, _) if item.attempts + 1 >= MAX_ATTEMPTS => {
                        return Err(OfficeError::Busy);
                    }
                    (None, _) => {
                        queue.push_front(QueuedItem { attempts: item.attempts + 1, ..item });
                    }
                }
            }
            rest.into_iter().rev().for_each(|item| queue.push_front(item));
        }
        // Every item has a reply, or the loop would continue.
        replies.into_iter().collect::<Option<_>>().ok_or(OfficeError::Closing)
    }

    /// Takes work on one record through the pipeline.
    pub(super) async fn intake_one<S: Source>(
        &self,
        source: S,
        record: RecordId,
        item: S::Item,
    ) -> Result<S::Reply, OfficeError> {
        let replies = self.intake(source, vec![(record, item)], &CancelToken::default()).await?;
        replies.into_iter().next().ok_or(OfficeError::Closing)
    }

    /// Judges items in order and queues each for the writer at once, until much is waiting. Blocks.
    fn judge_batch<S: Source>(
        &self,
        source: &Arc<S>,
        batch: Vec<(QueuedItem<S::Item>, Slot<RecordId>)>,
        cancel: &CancelToken,
    ) -> Result<JudgedBatch<S::Item, S::Reply>, OfficeError> {
        let (mut judged, mut rest, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
        for (item, slot) in batch {
            if bytes >= BATCH_BYTES {
                rest.push(item);
                continue;
            }
            cancel.check()?;
            let (basis, verdict) = self.judge_one(source.as_ref(), &item)?;
            let verdict = match verdict {
                Verdict::Reply(reply) => Judged::Done(reply),
                Verdict::Commit(commit) => {
                    bytes = bytes.saturating_add(commit.size());
                    Judged::Queued(self.queue_commit(source, item.record, basis, commit))
                }
            };
            judged.push((item, slot, verdict));
        }
        Ok((judged, rest))
    }

    /// Stages 1 to 3 for one record. Blocks.
    fn judge_one<S: Source>(
        &self,
        source: &S,
        item: &QueuedItem<S::Item>,
    ) -> Result<(Basis, Verdict<S::Reply>), OfficeError> {
        let read = |reads: &mut dyn Reads| LoadedRecord::read(reads, item.record, source.scope());
        let mut loaded = self.store.read_with(read)?;
        let basis = loaded.basis.clone();
        let heads = basis.heads.as_ref();
        loaded.document = heads.and_then(|heads| self.documents.get(item.record, heads));
        let unpacked = source.unpack(self, &loaded, &item.item)?;
        Ok((basis, source.judge(self, loaded, &item.item, unpacked)?))
    }

    /// Stage 4, queued. The writer may run the job again, so it leaves `commit` as it is.
    fn queue_commit<S: Source>(
        &self,
        source: &Arc<S>,
        record: RecordId,
        basis: Basis,
        commit: Commit<S::Reply>,
    ) -> Pending<Option<S::Reply>> {
        let source = Arc::clone(source);
        self.store.write(move |tx: &mut dyn Writes| -> Result<_, StoreError> {
            tx.prefetch(&mut |reads| {
                Basis::announce(reads, record, source.scope());
                commit.announce(reads, record);
            });
            if Basis::read(tx, record, source.scope())? != basis {
                return Ok(None);
            }
            commit.write(tx, record).map(Some)
        })
    }
}
