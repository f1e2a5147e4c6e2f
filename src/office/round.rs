//! The office's side of a round (rules R1 to R6): restored states and pushes first, then one page
//! of the feed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::feed::{Page, PageRequest, announce, is_light, page};
use super::intake::cancel::CancelToken;
use super::intake::push::Pushes;
use super::intake::revocation;
use super::quarantine::last_decisions;
use super::store::{Reads, StoreError};
use super::{Office, OfficeError, Session};
use crate::ids::RecordId;
use crate::sync::message::{QuarantineDecision, Reply, Request, Revocation};
use crate::sync::ranges;

/// The most records in each list of a request. Each gets a result of some bytes in the reply.
const MAX_RECORDS: usize = 4_096;

/// The most decisions that are looked up without another thread.
const MAX_LIGHT_DECISIONS: usize = 8;

impl Office {
    /// Answers a round. Everything that the reply calls merged is durable (rule D2), and the
    /// request may be repeated any number of times (rule D3).
    pub async fn handle_sync(
        &self,
        session: &Session,
        request: Request,
    ) -> Result<Reply, OfficeError> {
        self.handle_sync_until(session, request, &CancelToken::default()).await
    }

    /// The same with a cancel token. Once cancelled it fails with [`OfficeError::Busy`] between two
    /// records: those before are durable, and a retry of the same request finds them so.
    pub async fn handle_sync_until(
        &self,
        session: &Session,
        request: Request,
        cancel: &CancelToken,
    ) -> Result<Reply, OfficeError> {
        check_lists(&request)?;
        let Request {
            cursor,
            tables,
            restore,
            push,
            want,
            ranges,
            max_bytes,
            undecided,
            quarantine,
        } = request;
        if ranges.first().is_some_and(|range| range.from == RecordId([0; 16])) {
            // Repairs do not happen in normal operation (rule P4).
            self.repairs.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(device = %session.device, ranges = ranges.len(), "repair");
        }
        let tables = Arc::new(tables);
        let restored = self.accept_restored(session, restore, &tables, cancel).await?;
        let give_up = quarantine.unwrap_or_default().into_iter().collect();
        let source = Pushes { session: session.clone(), tables, give_up, revocation: None };
        let records: Vec<RecordId> = push.iter().map(|push| push.record).collect();
        let replies = self.accept_pushes(source, push, cancel).await?;
        let (mut results, mut merged) = (Vec::with_capacity(replies.len()), BTreeMap::new());
        for (record, reply) in records.into_iter().zip(replies) {
            merged.extend(reply.heads.map(|heads| (record, heads)));
            results.push(reply.outcome);
        }
        cancel.check()?;
        let asked = PageRequest {
            user: session.user.clone(),
            device: session.device,
            cursor,
            want,
            ranges,
            max_bytes,
            merged,
            restored: restored.changes,
            attestor: self.attestor.clone(),
        };
        let (page, decisions) = match self.read_page(asked, undecided.unwrap_or_default()).await? {
            Ok(read) => read,
            // Revoked during the round.
            Err(revocation) => {
                let restored = restored.outcomes.len();
                return Ok(self.revoked_reply(cursor, restored, results, revocation));
            }
        };
        self.seen_cursors.put(session.device, page.cursor);
        Ok(Reply {
            tables: page.tables,
            restored: restored.outcomes,
            results,
            entries: page.entries,
            differing: page.differing,
            cursor: page.cursor,
            remaining: page.remaining,
            digest: page.digest,
            office_time: self.now(),
            decisions: Some(decisions).filter(|decisions| !decisions.is_empty()),
            revocation: None,
        })
    }
}

/// The page, and the decisions that the device asks about; or why the device may not work any more.
type PageRead = Result<(Page, Vec<QuarantineDecision>), Revocation>;

impl Office {
    async fn read_page(
        &self,
        asked: PageRequest,
        undecided: Vec<u64>,
    ) -> Result<PageRead, OfficeError> {
        // Handing a few lookups to another thread would cost more than they do.
        if undecided.len() <= MAX_LIGHT_DECISIONS && !self.store.is_remote() {
            let read = self.store.read_with(|reads| match is_light(reads, &asked)? {
                true => page_read(reads, &asked, &undecided).map(Some),
                false => Ok(None),
            })?;
            if let Some(read) = read {
                return Ok(read);
            }
        }
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| page_read(reads, &asked, &undecided))?)
        })
        .await
    }
}

/// Reads one snapshot (rule F3).
fn page_read(
    reads: &mut dyn Reads,
    asked: &PageRequest,
    undecided: &[u64],
) -> Result<PageRead, StoreError> {
    reads.prefetch(&mut |reads| {
        drop(reads.device(asked.device));
        drop(reads.user(&asked.user));
        drop(last_decisions(reads, asked.device, undecided));
        announce(reads, asked);
    });
    if let Some(revocation) = revocation(reads, &asked.user, asked.device)? {
        return Ok(Err(revocation));
    }
    let decisions = last_decisions(reads, asked.device, undecided)?;
    Ok(Ok((page(reads, asked)?, decisions)))
}

/// Refuses lists that cost more than their bytes: too long, or with a record in them twice.
pub(super) fn check_lists(request: &Request) -> Result<(), OfficeError> {
    let Request { push, restore, want, quarantine, ranges, .. } = request;
    let quarantine = quarantine.as_deref().unwrap_or_default();
    let longest = push.len().max(restore.len()).max(want.len()).max(quarantine.len());
    if longest > MAX_RECORDS || !ranges::are_valid(ranges) {
        return Err(OfficeError::TooMany);
    }
    let unique = is_unique(push.iter().map(|push| push.record))
        && is_unique(restore.iter().map(|restore| restore.record))
        && is_unique(want.iter().map(|want| want.record))
        && is_unique(quarantine.iter().copied());
    if unique { Ok(()) } else { Err(OfficeError::Repeated) }
}

fn is_unique(mut records: impl Iterator<Item = RecordId>) -> bool {
    let mut seen = BTreeSet::new();
    records.all(|record| seen.insert(record))
}
