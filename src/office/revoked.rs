//! The last rounds of a revoked device (rule F4): its unsent work goes to quarantine, states that
//! the office has lost are restored, and the device is told nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::intake::cancel::CancelToken;
use super::intake::push::Pushes;
use super::round::check_lists;
use super::{Office, OfficeError, Session};
use crate::ids::Heads;
use crate::sync::digest::Digest;
use crate::sync::message::{Cursor, Outcome, Reply, Request, Revocation, Tables};
use crate::sync::ranges::Differing;

impl Office {
    /// Answers a round of a revoked device. Everything that the reply calls withdrawn is durable,
    /// and the request may be repeated any number of times (rule D3).
    pub async fn drain(
        &self,
        session: &Session,
        request: Request,
        revocation: Revocation,
    ) -> Result<Reply, OfficeError> {
        self.drain_until(session, request, revocation, &CancelToken::default()).await
    }

    /// The same with a cancel token, as in [`Office::handle_sync_until`].
    pub async fn drain_until(
        &self,
        session: &Session,
        request: Request,
        revocation: Revocation,
        cancel: &CancelToken,
    ) -> Result<Reply, OfficeError> {
        check_lists(&request)?;
        let Request { cursor, tables, restore, push, .. } = request;
        let tables = Arc::new(tables);
        let restored = self.accept_restored(session, restore, &tables, cancel).await?.outcomes;
        let source = Pushes {
            session: session.clone(),
            tables,
            give_up: BTreeSet::new(),
            revocation: Some(revocation),
        };
        let replies = self.accept_pushes(source, push, cancel).await?;
        let results = replies.into_iter().map(|reply| reply.outcome).collect();
        Ok(self.revoked_reply(cursor, restored.len(), results, revocation))
    }

    /// A reply that confirms which work the office has, and reveals neither records nor heads nor a
    /// digest, nor whether work was merged.
    pub(super) fn revoked_reply(
        &self,
        cursor: Cursor,
        restored: usize,
        results: Vec<Outcome>,
        revocation: Revocation,
    ) -> Reply {
        Reply {
            tables: Tables::default(),
            restored: vec![Outcome::Withdrawn; restored],
            results: results.into_iter().map(concealed).collect(),
            entries: Vec::new(),
            differing: Differing::default(),
            cursor,
            remaining: 0,
            digest: Digest::default(),
            office_time: self.now(),
            decisions: None,
            revocation: Some(revocation),
        }
    }
}

/// The same outcome without what a revoked device may not learn.
fn concealed(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Merged { .. } | Outcome::Duplicate { .. } | Outcome::Withdrawn => {
            Outcome::Withdrawn
        }
        Outcome::Missing { .. } => Outcome::Missing { have: Heads::default() },
        // Not stored anywhere: the device keeps it.
        Outcome::Refused { quarantine: 0, .. } => outcome,
        Outcome::Refused { .. } => Outcome::Withdrawn,
    }
}
