//! The office's side of a round (rules R1 to R6): pushes first, each in a transaction of its own,
//! then one page of the feed.
//!
//! A push is judged before it is queued, on the state that stands then, so that the one writer
//! never waits for a judge. Where the record has moved meanwhile, the writer judges again on what
//! stands now. What changes nothing, such as a repeated push, is never queued.

use std::collections::BTreeMap;

use super::feed;
use super::keep::{HandedIn, State, keep};
use super::merge::{self, Held, Judgement, Refusal, Sender};
use super::store::{Known, Pending, Reads, Refused, StoreError, Stored, Writes};
use super::{Office, OfficeError, Session};
use crate::ids::{Heads, RecordId};
use crate::sync::message::{Outcome, Push, PushResult, Reply, Request};

/// The word under which work for a withdrawn record is kept.
const WITHDRAWN: &str = "withdrawn";

/// Records in one request. Results are a few hundred bytes each, and all of them travel.
const PUSHES: usize = 4_096;

impl Office {
    /// Answers a round. Everything that the reply calls merged is durable (rule D2), and the
    /// request may be repeated any number of times (rule D3).
    pub async fn handle_sync(
        &self,
        session: &Session,
        request: Request,
    ) -> Result<Reply, OfficeError> {
        let Request { cursor, push, want, max_bytes, proven: _ } = request;
        if push.len() > PUSHES {
            return Err(OfficeError::TooMany);
        }
        let results = self.take_all(session, push).await?;
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

    /// One result for each push, in order. All are queued before the first is waited for, so that
    /// they share commits.
    async fn take_all(
        &self,
        session: &Session,
        pushes: Vec<Push>,
    ) -> Result<Vec<PushResult>, OfficeError> {
        let session = session.clone();
        let taken = self
            .blocking(move |office| {
                let take = |push: Push| Ok((push.record, office.take(&session, push)?));
                pushes.into_iter().map(take).collect::<Result<Vec<_>, OfficeError>>()
            })
            .await?;
        let mut results = Vec::with_capacity(taken.len());
        for (record, taken) in taken {
            let outcome = match taken {
                Taken::Settled(outcome) => outcome,
                Taken::Queued(pending) => pending.await?,
            };
            results.push(PushResult { record, outcome });
        }
        Ok(results)
    }

    /// Judges one push and queues what is to be written. Blocks.
    fn take(&self, session: &Session, push: Push) -> Result<Taken, OfficeError> {
        let at = self.now();
        let found = self.store.look(|reads| Found::read(reads, session, push.record))?;
        let verdict = found.judge(session, &push, at);
        match verdict {
            Verdict::Duplicate(heads) => Ok(Taken::Settled(Outcome::Duplicate { heads })),
            Verdict::Missing(have) => Ok(Taken::Settled(Outcome::Missing { have })),
            Verdict::Gone { held: true } => Ok(Taken::Settled(Outcome::Withdrawn)),
            Verdict::Keep(_) | Verdict::Gone { held: false } | Verdict::Refuse(_) => {
                let basis = found.basis();
                let session = session.clone();
                Ok(Taken::Queued(self.store.write(move |tx| {
                    let now = Found::read(tx, &session, push.record)?;
                    if now.basis() == basis {
                        return settle(tx, &now, &verdict, &session, &push, at);
                    }
                    let verdict = now.judge(&session, &push, at);
                    settle(tx, &now, &verdict, &session, &push, at)
                })))
            }
        }
    }
}

/// A push on its way.
enum Taken {
    /// Nothing is to be written.
    Settled(Outcome),
    /// The outcome comes with the commit.
    Queued(Pending<Outcome>),
}

/// What the office holds of a record, and what of it is the sender's.
struct Found {
    stored: Option<Stored>,
    known: Vec<Known>,
    /// The record is in the sender's feed.
    mine: bool,
    /// It is, or was.
    ever_mine: bool,
}

/// What is to become of a push.
enum Verdict {
    Keep(Box<State>),
    Duplicate(Heads),
    Missing(Heads),
    Refuse(Refusal),
    /// The record was withdrawn; `held` where the office has all of the work already.
    Gone {
        held: bool,
    },
}

impl Found {
    fn read(
        reads: &mut dyn Reads,
        session: &Session,
        record: RecordId,
    ) -> Result<Self, StoreError> {
        let mine = reads.collectors(record)?.contains(&session.user);
        Ok(Self {
            stored: reads.record(record)?,
            known: reads.known(record)?,
            mine,
            ever_mine: mine || reads.entry_at(&session.user, record, u64::MAX)?.is_some(),
        })
    }

    /// What a judgement rests on: while it stays the same, so does the judgement.
    fn basis(&self) -> (Option<Heads>, bool, bool) {
        (self.stored.as_ref().map(|stored| stored.heads.clone()), self.mine, self.ever_mine)
    }

    fn judge(&self, session: &Session, push: &Push, at: i64) -> Verdict {
        let Some(stored) = self.stored.as_ref().filter(|_| self.ever_mine) else {
            return Verdict::Refuse(Refusal::unknown_record());
        };
        let chunks: Vec<&[u8]> = push.changes.iter().map(|chunk| chunk.0.as_slice()).collect();
        let held = Held { known: &self.known, document: &stored.document };
        let sender = Sender { user: &session.user, role: session.role, device: session.device };
        let judgement = merge::judge(held, &chunks, sender);
        if !self.mine {
            return Verdict::Gone { held: matches!(judgement, Judgement::Duplicate) };
        }
        match judgement {
            Judgement::Accepted(accepted) => Verdict::Keep(Box::new(State::of(*accepted, at))),
            Judgement::Duplicate => Verdict::Duplicate(stored.heads.clone()),
            Judgement::Missing => Verdict::Missing(stored.heads.clone()),
            Judgement::Refused(refusal) => Verdict::Refuse(refusal),
        }
    }
}

/// Writes what a verdict says.
fn settle(
    tx: &mut dyn Writes,
    found: &Found,
    verdict: &Verdict,
    session: &Session,
    push: &Push,
    at: i64,
) -> Result<Outcome, StoreError> {
    match verdict {
        Verdict::Keep(state) => {
            let by = HandedIn { user: &session.user, device: session.device, at };
            keep(tx, push.record, found.stored.as_ref(), state, by)?;
            Ok(Outcome::Merged { heads: state.heads.clone() })
        }
        Verdict::Duplicate(heads) => Ok(Outcome::Duplicate { heads: heads.clone() }),
        Verdict::Missing(have) => Ok(Outcome::Missing { have: have.clone() }),
        Verdict::Gone { held: true } => Ok(Outcome::Withdrawn),
        Verdict::Gone { held: false } => {
            let message = "the record was withdrawn before this work came";
            set_aside(tx, session, push, at, WITHDRAWN, "", message)?;
            Ok(Outcome::Withdrawn)
        }
        Verdict::Refuse(refusal) => {
            let Refusal { code, path, message } = refusal.clone();
            let quarantine = set_aside(tx, session, push, at, code.as_str(), &path, &message)?;
            Ok(Outcome::Refused { code, path, message, quarantine })
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
