//! The office's side of a round (rules R1 to R6): pushes first, each in a transaction of its own,
//! then one page of the feed.
//!
//! Pushes are judged beside the writer (`intake`). What changes nothing, such as a repeated push,
//! is never queued.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::cancel::CancelToken;
use super::feed;
use super::intake::{Basis, Step, as_reads, names};
use super::keep::{HandedIn, State, keep};
use super::merge::{self, Held, Judgement, Refusal, Sender};
use super::quarantine::{Aside, Sending, decided, set_aside};
use super::store::{Known, Reads, StoreError, Stored};
use super::{Office, OfficeError, Session};
use crate::ids::{Heads, RecordId};
use crate::sync::message::{Outcome, Push, Reply, Request, Tables};
use crate::sync::packed::{self, Unpackable, columns};
use crate::sync::ranges;

/// Records of a kind in one request. Results are some bytes each, and all of them travel.
const RECORDS: usize = 4_096;

/// Operations of a push and its record beyond which it waits for others that are as heavy: judging
/// takes about a kilobyte for each. A record of an ordinary visit has some hundreds.
const HEAVY: u64 = 5_000;

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
            quarantine: keep,
        } = request;
        if ranges.first().is_some_and(|range| range.from == RecordId([0; 16])) {
            // In healthy running it never happens (rule P4).
            self.repairs.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(device = %session.device, ranges = ranges.len(), "repair");
        }
        let tables = Arc::new(tables);
        let restored = self.take_back(session, restore, &tables, cancel).await?;
        let hopeless = keep.unwrap_or_default().into_iter().collect();
        let (results, merged) = self.take_all(session, push, &tables, hopeless, cancel).await?;
        cancel.check()?;
        let ask = feed::Ask {
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
        let undecided = undecided.unwrap_or_default();
        let (page, decided) = self
            .blocking(move |office| {
                Ok(office.store.look(|reads| {
                    Ok((feed::page(reads, &ask)?, decided(reads, ask.device, &undecided)?))
                })?)
            })
            .await?;
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
            decisions: Some(decided).filter(|decided| !decided.is_empty()),
            revocation: None,
        })
    }

    /// One result for each push, in order, and the heads that the device knows by them. What
    /// builds on nothing that is held is kept where the device has nothing that would help
    /// (`hopeless`, rule R6).
    pub(super) async fn take_all(
        &self,
        session: &Session,
        pushes: Vec<Push>,
        tables: &Arc<Tables>,
        hopeless: BTreeSet<RecordId>,
        cancel: &CancelToken,
    ) -> Result<(Vec<Outcome>, BTreeMap<RecordId, Heads>), OfficeError> {
        let (session, tables) = (session.clone(), Arc::clone(tables));
        let hopeless = Arc::new(hopeless);
        let records: Vec<RecordId> = pushes.iter().map(|push| push.record).collect();
        let items = pushes.into_iter().map(|push| (push.record, push)).collect();
        let judge = move |office: &Self, record: RecordId, push: &Push| {
            office.judge_push(&session, push, &tables, hopeless.contains(&record))
        };
        let taken = self.take_in(items, cancel, judge).await?;
        let mut results = Vec::with_capacity(taken.len());
        let mut merged = BTreeMap::new();
        for (record, (outcome, heads)) in records.into_iter().zip(taken) {
            merged.extend(heads.map(|heads| (record, heads)));
            results.push(outcome);
        }
        Ok((results, merged))
    }

    /// Judges one push. Blocks.
    fn judge_push(
        &self,
        session: &Session,
        push: &Push,
        tables: &Tables,
        hopeless: bool,
    ) -> Result<Step<Settled>, OfficeError> {
        let (at, record) = (self.now(), push.record);
        let found = self.store.look(|reads| Found::read(reads, session, record))?;
        // Also while it is read for what is kept of it.
        let _alone;
        let (verdict, chunks) = match found.unpack(push, tables) {
            Ok(chunks) => {
                _alone = self.alone_if_heavy(&found, &chunks);
                (found.judge(session, &chunks, at).or_kept(hopeless), chunks)
            }
            Err(Unpackable::UnknownDependency) => {
                found.log_if_former(session);
                return Ok(Step::Done((Outcome::Missing { have: found.have() }, None)));
            }
            // The bytes are kept as they came.
            Err(Unpackable::Malformed) => {
                (Verdict::Refuse(Refusal::not_whole()), vec![columns::to_vec(push)])
            }
        };
        let session = session.clone();
        let (aside, refusal) = match verdict {
            Verdict::Keep(state) => return Ok(self.keep_push(session, record, found, state, at)),
            Verdict::Duplicate => {
                let have = found.have();
                let state_token = self.attestor.state_token(&session.user, record, &have);
                return Ok(Step::Done((Outcome::Duplicate { state_token }, Some(have))));
            }
            Verdict::Missing => {
                return Ok(Step::Done((Outcome::Missing { have: found.have() }, None)));
            }
            Verdict::Gone { held: true } => return Ok(Step::Done((Outcome::Withdrawn, None))),
            Verdict::Gone { held: false } => (Aside::withdrawn(), None),
            Verdict::Refuse(refusal) => (Aside::from(&refusal), Some(refusal)),
        };
        let by = Sending { session, record, chunks, at };
        let refused = by.refused(found.stored.as_ref(), &found.known, &aside);
        let Sending { session, chunks, .. } = by;
        let bytes = chunks.iter().map(Vec::len).sum();
        let basis = found.basis;
        Ok(Step::write(bytes, move |tx| {
            if Basis::read(as_reads(tx), &session, record)? != basis {
                return Ok(None);
            }
            let outcome = match (set_aside(tx, &refused)?, &refusal) {
                (None, _) => not_kept(),
                (Some(_), None) => Outcome::Withdrawn,
                (Some(quarantine), Some(Refusal { code, path, message })) => {
                    let (path, message) = (path.clone(), message.clone());
                    Outcome::Refused { code: *code, path, message, quarantine }
                }
            };
            Ok(Some((outcome, None)))
        }))
    }

    /// Keeps a push that holds.
    fn keep_push(
        &self,
        session: Session,
        record: RecordId,
        found: Found,
        state: Box<State>,
        at: i64,
    ) -> Step<Settled> {
        let attestor = self.attestor.clone();
        let Found { basis, stored, .. } = found;
        Step::write(state.size(), move |tx| {
            if Basis::read(as_reads(tx), &session, record)? != basis {
                return Ok(None);
            }
            let Session { user, device, .. } = &session;
            let by = HandedIn { user, device: *device, at, quarantine: None };
            keep(tx, record, stored.as_ref(), &state, by)?;
            let state_token = attestor.state_token(user, record, &state.heads);
            Ok(Some((Outcome::Merged { state_token }, Some(state.heads.clone()))))
        })
    }
}

/// Refuses lists that cost more than their bytes: too long, or with a record in them twice.
pub(super) fn check_lists(request: &Request) -> Result<(), OfficeError> {
    let Request { push, restore, want, quarantine: keep, ranges, .. } = request;
    let keep = keep.as_deref().unwrap_or_default();
    let longest = push.len().max(restore.len()).max(want.len()).max(keep.len());
    if longest > RECORDS || !ranges::are_valid(ranges) {
        return Err(OfficeError::TooMany);
    }
    let once = is_once(push.iter().map(|push| push.record))
        && is_once(restore.iter().map(|restore| restore.record))
        && is_once(want.iter().map(|want| want.record))
        && is_once(keep.iter().copied());
    if once { Ok(()) } else { Err(OfficeError::Repeated) }
}

fn is_once(records: impl Iterator<Item = RecordId>) -> bool {
    let mut seen = BTreeSet::new();
    let mut records = records;
    records.all(|record| seen.insert(record))
}

impl Office {
    /// Waits for the place in which heavy pushes are judged, one at a time. Blocks.
    fn alone_if_heavy(&self, found: &Found, chunks: &[Vec<u8>]) -> Option<MutexGuard<'_, ()>> {
        let held = found.stored.as_ref().map_or(0, |stored| stored.max_op);
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let heavy = merge::weight(held, &chunks) > HEAVY;
        // Nothing is kept in there that a panic could have spoilt.
        heavy.then(|| self.heavy.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An outcome, and the heads that it tells the device of.
type Settled = (Outcome, Option<Heads>);

/// What the office holds of a record, as far as it is the sender's.
struct Found {
    basis: Basis,
    stored: Option<Stored>,
    known: Vec<Known>,
}

/// What is to become of a push.
enum Verdict {
    Keep(Box<State>),
    Duplicate,
    Missing,
    Refuse(Refusal),
    /// The record was withdrawn; `held` where the office has all of the work already.
    Gone {
        held: bool,
    },
}

impl Verdict {
    /// What is missing for good is refused, which keeps it.
    fn or_kept(self, hopeless: bool) -> Self {
        match self {
            Self::Missing if hopeless => Self::Refuse(Refusal::without_past()),
            Self::Keep(_)
            | Self::Duplicate
            | Self::Missing
            | Self::Refuse(_)
            | Self::Gone { .. } => self,
        }
    }
}

impl Found {
    fn read(
        reads: &mut dyn Reads,
        session: &Session,
        record: RecordId,
    ) -> Result<Self, StoreError> {
        let basis = Basis::read(reads, session, record)?;
        let stored = if basis.ever_mine { reads.record(record)? } else { None };
        let known = if basis.ever_mine { reads.known(record)? } else { Vec::new() };
        Ok(Self { basis, stored, known })
    }

    /// What the sender may be told of the office's state: nothing once the record has left the
    /// sender's feed, since heads would show that the record changed.
    fn have(&self) -> Heads {
        let mine = self.stored.as_ref().filter(|_| self.basis.mine);
        mine.map_or(Heads::default(), |stored| stored.heads.clone())
    }

    /// An honest device builds on what it holds; one that asks this way may be trying.
    fn log_if_former(&self, session: &Session) {
        if self.basis.ever_mine && !self.basis.mine {
            tracing::warn!(device = %session.device, "unknown dependency in a withdrawn record");
        }
    }

    fn unpack(&self, push: &Push, tables: &Tables) -> Result<Vec<Vec<u8>>, Unpackable> {
        let names = names(&self.known);
        packed::unpack(&push.changes, tables, |name| names.get(name).copied())
    }

    fn judge(&self, session: &Session, chunks: &[Vec<u8>], at: i64) -> Verdict {
        let Some(stored) = &self.stored else {
            return Verdict::Refuse(Refusal::unknown_record());
        };
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let held = Held { known: &self.known, document: &stored.document };
        let sender = Sender {
            user: &session.user,
            role: session.role,
            device: session.device,
            keys: &self.basis.keys,
        };
        let judgement = merge::judge(held, &chunks, sender);
        // What a collector adds to a record that left by age brings it back, where it holds.
        let brings_back = self.basis.assigned && matches!(judgement, Judgement::Accepted(_));
        if !self.basis.mine && !brings_back {
            return Verdict::Gone { held: matches!(judgement, Judgement::Duplicate) };
        }
        match judgement {
            Judgement::Accepted(accepted) => Verdict::Keep(Box::new(State::of(*accepted, at))),
            Judgement::Duplicate => Verdict::Duplicate,
            Judgement::Missing => Verdict::Missing,
            Judgement::Refused(refusal) => Verdict::Refuse(refusal),
        }
    }
}

/// The answer where nothing more of the device's is kept: it keeps it itself.
pub(super) fn not_kept() -> Outcome {
    let Refusal { code, path, message } = Refusal::quarantine_full();
    Outcome::Refused { code, path, message, quarantine: 0 }
}
