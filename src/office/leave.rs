//! The last contacts of a device that is shut out (rule F4): what it has unsent is kept in
//! quarantine, what the office has lost comes back, and nothing is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use automerge::ChangeHash;

use super::merge;
use super::quarantine::{Aside, Sending};
use super::round::{RECORDS, not_kept};
use super::store::{Known, StoreError, Stored, Writes};
use super::{Office, OfficeError, Session};
use crate::ids::Heads;
use crate::sync::chunk;
use crate::sync::digest::Digest;
use crate::sync::message::{Ended, Outcome, Push, Reply, Request, Tables};
use crate::sync::packed::{self, Unpackable, columns};
use crate::sync::ranges::Differing;

impl Office {
    /// Answers a device that is shut out. Everything that the reply calls withdrawn is kept and
    /// durable; the request may be repeated any number of times (rule D3).
    pub async fn hand_over(
        &self,
        session: &Session,
        request: Request,
        ended: Ended,
    ) -> Result<Reply, OfficeError> {
        let Request { cursor, tables, bring, push, .. } = request;
        if push.len().max(bring.len()) > RECORDS {
            return Err(OfficeError::TooMany);
        }
        let tables = Arc::new(tables);
        // It is taken on the office's own word; what becomes of it is not the device's to know.
        let brought = self.take_back(session, bring, &tables).await?.outcomes;
        let mut pending = Vec::with_capacity(push.len());
        for push in push {
            let (session, tables, at) = (session.clone(), Arc::clone(&tables), self.now());
            pending.push(self.store.write(move |tx| take(tx, &session, &push, &tables, ended, at)));
        }
        let mut results = Vec::with_capacity(pending.len());
        for pending in pending {
            results.push(pending.await?);
        }
        Ok(Reply {
            tables: Tables::default(),
            brought: brought.into_iter().map(|_| Outcome::Withdrawn).collect(),
            results,
            entries: Vec::new(),
            differing: Differing::default(),
            cursor,
            remaining: 0,
            digest: Digest::default(),
            office_time: self.now(),
            decided: None,
            ended: Some(ended),
        })
    }
}

/// Keeps one push, unless the office has all of it: merged, or kept under the same number.
fn take(
    tx: &mut dyn Writes,
    session: &Session,
    push: &Push,
    tables: &Tables,
    ended: Ended,
    at: i64,
) -> Result<Outcome, StoreError> {
    // What was never the user's is to the device as if there were none.
    let ever = tx.collectors(push.record)?.contains(&session.user)
        || tx.entry_at(&session.user, push.record, u64::MAX)?.is_some();
    let stored: Option<Stored> = if ever { tx.record(push.record)? } else { None };
    let known: Vec<Known> = if ever { tx.known(push.record)? } else { Vec::new() };
    let chunks = match packed::unpack(&push.changes, tables, |name| merge::find(&known, name)) {
        Ok(chunks) => chunks,
        // The device sends them as they are next time.
        Err(Unpackable::UnknownDependency) => {
            return Ok(Outcome::Missing { have: Heads::default() });
        }
        Err(Unpackable::Malformed) => vec![columns::to_vec(push)],
    };
    let held: BTreeSet<ChangeHash> = known.iter().map(|known| known.hash).collect();
    if chunks.iter().all(|bytes| held.contains(&chunk::hash(bytes))) {
        return Ok(Outcome::Withdrawn);
    }
    let sending = Sending { session: session.clone(), record: push.record, chunks, at };
    let kept = sending.set_aside(tx, stored.as_ref(), &known, &Aside::ended(ended.as_str()))?;
    Ok(kept.map_or_else(not_kept, |_| Outcome::Withdrawn))
}
