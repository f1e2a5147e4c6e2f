//! The office's side of a round (rules R1 to R6): pushes first, each in a transaction of its own,
//! then one page of the feed.

use std::collections::BTreeMap;

use super::feed;
use super::keep::{HandedIn, State, keep};
use super::merge::{self, Held, Judgement, Refusal, Sender};
use super::store::{Refused, StoreError, Writes};
use super::{Office, OfficeError, Session};
use crate::ids::{Heads, RecordId};
use crate::sync::message::{Outcome, Push, PushResult, Reply, Request};

/// The word under which work for a withdrawn record is kept.
const WITHDRAWN: &str = "withdrawn";

impl Office {
    /// Answers a round. Everything that the reply calls merged is durable (rule D2), and the
    /// request may be repeated any number of times (rule D3).
    pub async fn handle_sync(
        &self,
        session: &Session,
        request: Request,
    ) -> Result<Reply, OfficeError> {
        let Request { cursor, push, want, max_bytes, proven: _ } = request;
        // All are queued before the first is waited for, so that they share commits.
        let pending: Vec<_> = push
            .into_iter()
            .map(|push| {
                let (office, session) = (self.clone(), session.clone());
                let record = push.record;
                (record, self.store.write(move |tx| office.take_in(tx, &session, &push)))
            })
            .collect();
        let mut results = Vec::with_capacity(pending.len());
        for (record, outcome) in pending {
            results.push(PushResult { record, outcome: outcome.await? });
        }
        let ask = feed::Ask {
            user: session.user.clone(),
            device: session.device,
            cursor,
            want,
            max_bytes,
            merged: merged(&results),
        };
        let page = self
            .blocking(move |office| Ok(office.store.look(|reads| feed::page(reads, &ask))?))
            .await?;
        Ok(Reply {
            results,
            entries: page.entries,
            cursor: page.cursor,
            remaining: page.remaining,
            digest: page.digest,
            office_time: self.now(),
        })
    }

    /// Judges one push and keeps what holds, or what is refused.
    fn take_in(
        &self,
        tx: &mut dyn Writes,
        session: &Session,
        push: &Push,
    ) -> Result<Outcome, StoreError> {
        let at = self.now();
        let chunks: Vec<&[u8]> = push.changes.iter().map(|chunk| chunk.0.as_slice()).collect();
        let Some(stored) = tx.record(push.record)? else {
            return refuse(tx, session, push, at, Refusal::unknown_record());
        };
        let mine = tx.collectors(push.record)?.contains(&session.user);
        if !mine && tx.entry_at(&session.user, push.record, u64::MAX)?.is_none() {
            return refuse(tx, session, push, at, Refusal::unknown_record());
        }
        let known = tx.known(push.record)?;
        let held = Held { known: &known, document: &stored.document };
        let sender = Sender { user: &session.user, role: session.role, device: session.device };
        let judgement = merge::judge(held, &chunks, sender);
        if !mine {
            // What the office holds already needs no second keeping.
            if !matches!(judgement, Judgement::Duplicate) {
                let message = "the record was withdrawn before this work came";
                set_aside(tx, session, push, at, WITHDRAWN, "", message)?;
            }
            return Ok(Outcome::Withdrawn);
        }
        match judgement {
            Judgement::Accepted(accepted) => {
                let by = HandedIn { user: &session.user, device: session.device, at };
                let state = State::of(*accepted, at);
                keep(tx, push.record, Some(&stored), &state, by)?;
                Ok(Outcome::Merged { heads: state.heads })
            }
            Judgement::Duplicate => Ok(Outcome::Duplicate { heads: stored.heads }),
            Judgement::Missing => Ok(Outcome::Missing { have: stored.heads }),
            Judgement::Refused(refusal) => refuse(tx, session, push, at, refusal),
        }
    }
}

/// What the device now knows the office to hold, by this request's own results.
fn merged(results: &[PushResult]) -> BTreeMap<RecordId, Heads> {
    results
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Merged { heads } | Outcome::Duplicate { heads } => {
                Some((result.record, heads.clone()))
            }
            Outcome::Missing { .. } | Outcome::Refused { .. } | Outcome::Withdrawn => None,
        })
        .collect()
}

fn refuse(
    tx: &mut dyn Writes,
    session: &Session,
    push: &Push,
    at: i64,
    refusal: Refusal,
) -> Result<Outcome, StoreError> {
    let Refusal { code, path, message } = refusal;
    let quarantine = set_aside(tx, session, push, at, code.as_str(), &path, &message)?;
    Ok(Outcome::Refused { code, path, message, quarantine })
}

/// Keeps work that is not merged (rule M4).
fn set_aside(
    tx: &mut dyn Writes,
    session: &Session,
    push: &Push,
    at: i64,
    code: &str,
    path: &str,
    message: &str,
) -> Result<u64, StoreError> {
    tx.quarantine_work(&Refused {
        record: push.record,
        device: session.device,
        user: session.user.clone(),
        at,
        code: code.to_owned(),
        path: path.to_owned(),
        message: message.to_owned(),
        changes: push.changes.iter().map(|chunk| chunk.0.clone()).collect(),
    })
}
