//! The last contacts of a device that is shut out (rule F4): what it has unsent is kept in
//! quarantine, what the office has lost comes back, and nothing is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use automerge::ChangeHash;

use super::cancel::CancelToken;
use super::intake::{Basis, Step, as_reads, names};
use super::quarantine::{Aside, Sending, set_aside};
use super::round::{check_lists, not_kept};
use super::{Office, OfficeError, Session};
use crate::ids::{Heads, RecordId};
use crate::sync::chunk;
use crate::sync::digest::Digest;
use crate::sync::message::{Outcome, Push, Reply, Request, Revocation, Tables};
use crate::sync::packed::{self, Unpackable, columns};
use crate::sync::ranges::Differing;

impl Office {
    /// Answers a device that is shut out. Everything that the reply calls withdrawn is kept and
    /// durable; the request may be repeated any number of times (rule D3).
    pub async fn drain(
        &self,
        session: &Session,
        request: Request,
        ended: Revocation,
    ) -> Result<Reply, OfficeError> {
        self.drain_until(session, request, ended, &CancelToken::default()).await
    }

    /// The same with a cancel token, as in [`Office::handle_sync_until`].
    pub async fn drain_until(
        &self,
        session: &Session,
        request: Request,
        ended: Revocation,
        cancel: &CancelToken,
    ) -> Result<Reply, OfficeError> {
        check_lists(&request)?;
        let Request { cursor, tables, restore, push, .. } = request;
        let tables = Arc::new(tables);
        // It is taken on the office's own word; what becomes of it is not the device's to know.
        let restored = self.take_back(session, restore, &tables, cancel).await?.outcomes;
        let session = session.clone();
        let items = push.into_iter().map(|push| (push.record, push)).collect();
        let judge = move |office: &Self, _: RecordId, push: &Push| {
            office.judge_handed_over(&session, push, &tables, ended)
        };
        let results = self.take_in(items, cancel, judge).await?;
        Ok(Reply {
            tables: Tables::default(),
            restored: restored.into_iter().map(|_| Outcome::Withdrawn).collect(),
            results,
            entries: Vec::new(),
            differing: Differing::default(),
            cursor,
            remaining: 0,
            digest: Digest::default(),
            office_time: self.now(),
            decisions: None,
            revocation: Some(ended),
        })
    }

    /// Looks at one push: it is kept, unless the office has all of it, merged or under the same
    /// number. Blocks.
    fn judge_handed_over(
        &self,
        session: &Session,
        push: &Push,
        tables: &Tables,
        ended: Revocation,
    ) -> Result<Step<Outcome>, OfficeError> {
        let (record, at) = (push.record, self.now());
        let (basis, stored, known) = self.store.look(|reads| {
            let basis = Basis::read(reads, session, record)?;
            // What was never the user's is to the device as if there were none.
            let stored = if basis.ever_mine { reads.record(record)? } else { None };
            let known = if basis.ever_mine { reads.known(record)? } else { Vec::new() };
            Ok((basis, stored, known))
        })?;
        let names = names(&known);
        let chunks = match packed::unpack(&push.changes, tables, |name| names.get(name).copied()) {
            Ok(chunks) => chunks,
            // The device sends them as they are next time.
            Err(Unpackable::UnknownDependency) => {
                return Ok(Step::Done(Outcome::Missing { have: Heads::default() }));
            }
            Err(Unpackable::Malformed) => vec![columns::to_vec(push)],
        };
        let held: BTreeSet<ChangeHash> = known.iter().map(|known| known.hash).collect();
        if chunks.iter().all(|bytes| held.contains(&chunk::hash(bytes))) {
            return Ok(Step::Done(Outcome::Withdrawn));
        }
        let bytes = chunks.iter().map(Vec::len).sum();
        let sending = Sending { session: session.clone(), record, chunks, at };
        let refused = sending.refused(stored.as_ref(), &known, &Aside::ended(ended.as_str()));
        let session = sending.session;
        Ok(Step::write(bytes, move |tx| {
            if Basis::read(as_reads(tx), &session, record)? != basis {
                return Ok(None);
            }
            let kept = set_aside(tx, &refused)?;
            Ok(Some(kept.map_or_else(not_kept, |_| Outcome::Withdrawn)))
        }))
    }
}
