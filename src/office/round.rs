//! The office's side of a round (rules R1 to R6): pushes first, each in a transaction of its own,
//! then one page of the feed.
//!
//! A push is judged before it is queued, on the state that stands then, so that the one writer
//! never waits for a judge. Where the record has moved meanwhile, the writer judges again on what
//! stands now. What changes nothing, such as a repeated push, is never queued.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::feed;
use super::keep::{HandedIn, State, keep};
use super::merge::{self, Held, Judgement, Refusal, Sender};
use super::quarantine::{Aside, Sending, decided};
use super::store::{Known, Pending, Reads, StoreError, Stored, Writes};
use super::vouch::Vouchers;
use super::{Office, OfficeError, Session};
use crate::ids::{Heads, RecordId};
use crate::sync::message::{Outcome, Push, Reply, Request, Tables};
use crate::sync::packed::{self, Unpackable, columns};
use crate::sync::ranges;

/// Records of a kind in one request. Results are some bytes each, and all of them travel.
pub(super) const RECORDS: usize = 4_096;

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
        let Request { cursor, tables, bring, push, want, ranges, max_bytes, asides, keep } =
            request;
        let most = push.len().max(bring.len()).max(want.len());
        if most > RECORDS || !ranges::are_sound(&ranges) {
            return Err(OfficeError::TooMany);
        }
        if ranges.first().is_some_and(|range| range.from == RecordId([0; 16])) {
            // In healthy running it never happens (rule P4).
            self.repairs.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(device = %session.device, ranges = ranges.len(), "repair");
        }
        let tables = Arc::new(tables);
        let brought = self.take_back(session, bring, &tables).await?;
        let hopeless = Arc::new(keep.unwrap_or_default());
        let (results, merged) = self.take_all(session, push, &tables, &hopeless).await?;
        let ask = feed::Ask {
            user: session.user.clone(),
            device: session.device,
            cursor,
            want,
            ranges,
            max_bytes,
            merged,
            brought: brought.changes,
            vouchers: self.vouchers.clone(),
        };
        let asides = asides.unwrap_or_default();
        let (page, decided) = self
            .blocking(move |office| {
                Ok(office.store.look(|reads| {
                    Ok((feed::page(reads, &ask)?, decided(reads, ask.device, &asides)?))
                })?)
            })
            .await?;
        Ok(Reply {
            tables: page.tables,
            brought: brought.outcomes,
            results,
            entries: page.entries,
            differing: page.differing,
            cursor: page.cursor,
            remaining: page.remaining,
            digest: page.digest,
            office_time: self.now(),
            decided: Some(decided).filter(|decided| !decided.is_empty()),
            ended: None,
        })
    }

    /// One result for each push, in order, and the heads that the device knows by them. All are
    /// queued before the first is waited for, so that they share commits.
    pub(super) async fn take_all(
        &self,
        session: &Session,
        pushes: Vec<Push>,
        tables: &Arc<Tables>,
        hopeless: &Arc<Vec<RecordId>>,
    ) -> Result<(Vec<Outcome>, BTreeMap<RecordId, Heads>), OfficeError> {
        let (session, tables) = (session.clone(), Arc::clone(tables));
        let hopeless = Arc::clone(hopeless);
        let taken = self
            .blocking(move |office| {
                let take = |push: Push| {
                    let hopeless = hopeless.contains(&push.record);
                    Ok((push.record, office.take(&session, push, &tables, hopeless)?))
                };
                pushes.into_iter().map(take).collect::<Result<Vec<_>, OfficeError>>()
            })
            .await?;
        let mut results = Vec::with_capacity(taken.len());
        let mut merged = BTreeMap::new();
        for (record, taken) in taken {
            let (outcome, heads) = match taken {
                Taken::Settled(settled) => settled,
                Taken::Queued(pending) => pending.await?,
            };
            merged.extend(heads.map(|heads| (record, heads)));
            results.push(outcome);
        }
        Ok((results, merged))
    }

    /// Judges one push and queues what is to be written; what builds on nothing that is held is
    /// kept where the device has nothing that would help (`hopeless`, rule R6). Blocks.
    fn take(
        &self,
        session: &Session,
        push: Push,
        tables: &Tables,
        hopeless: bool,
    ) -> Result<Taken, OfficeError> {
        let at = self.now();
        let found = self.store.look(|reads| Found::read(reads, session, push.record))?;
        let (verdict, chunks) = match found.unpack(&push, tables) {
            Ok(chunks) => {
                let _alone = self.alone_if_heavy(&found, &chunks);
                (found.judge(session, &chunks, at).or_kept(hopeless), chunks)
            }
            Err(Unpackable::UnknownDependency) => {
                found.log_if_former(session);
                return Ok(Taken::Settled((Outcome::Missing { have: found.have() }, None)));
            }
            // The bytes are kept as they came.
            Err(Unpackable::Malformed) => {
                let bytes = columns::to_vec(&push);
                (Verdict::Refuse(Refusal::not_whole()), vec![bytes])
            }
        };
        let by = Sending { session: session.clone(), record: push.record, chunks, at };
        match &verdict {
            Verdict::Duplicate | Verdict::Missing | Verdict::Gone { held: true } => {
                let settled = by.answer(&found, &verdict, &self.vouchers);
                Ok(Taken::Settled(settled))
            }
            Verdict::Keep(_) | Verdict::Gone { held: false } | Verdict::Refuse(_) => {
                let basis = found.basis();
                let vouchers = self.vouchers.clone();
                Ok(Taken::Queued(self.store.write(move |tx| {
                    let now = Found::read(tx, &by.session, by.record)?;
                    if now.basis() == basis {
                        return by.settle(tx, &now, &verdict, &vouchers);
                    }
                    let verdict = now.judge(&by.session, &by.chunks, at).or_kept(hopeless);
                    by.settle(tx, &now, &verdict, &vouchers)
                })))
            }
        }
    }
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

/// A push on its way.
enum Taken {
    /// Nothing is to be written.
    Settled(Settled),
    /// The outcome comes with the commit.
    Queued(Pending<Settled>),
}

/// What the office holds of a record, and what of it is the sender's.
struct Found {
    stored: Option<Stored>,
    known: Vec<Known>,
    /// The record is in the sender's feed.
    mine: bool,
    /// The sender is one of its collectors; it may have left the feed by age (rule F5).
    assigned: bool,
    /// It is, or was.
    ever_mine: bool,
    /// The keys that the sender's device has enrolled.
    keys: Vec<[u8; 32]>,
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
        let mine = reads.collectors(record)?.contains(&session.user);
        let assigned = mine || reads.assigned(record)?.contains(&session.user);
        let ever_mine = mine || reads.entry_at(&session.user, record, u64::MAX)?.is_some();
        // To others it is as if there were none.
        let stored = if ever_mine { reads.record(record)? } else { None };
        let known = if ever_mine { reads.known(record)? } else { Vec::new() };
        let keys = reads.device_keys(session.device)?;
        Ok(Self { stored, known, mine, assigned, ever_mine, keys })
    }

    /// What a judgement rests on: while it stays the same, so does the judgement.
    fn basis(&self) -> (Option<Heads>, [bool; 3]) {
        let heads = self.stored.as_ref().map(|stored| stored.heads.clone());
        (heads, [self.mine, self.assigned, self.ever_mine])
    }

    /// What the sender may be told of the office's state: nothing once the record has left the
    /// sender's feed, since heads would show that the record changed.
    fn have(&self) -> Heads {
        let mine = self.stored.as_ref().filter(|_| self.mine);
        mine.map_or(Heads::default(), |stored| stored.heads.clone())
    }

    /// An honest device builds on what it holds; one that asks this way may be trying.
    fn log_if_former(&self, session: &Session) {
        if self.ever_mine && !self.mine {
            tracing::warn!(device = %session.device, "unknown dependency in a withdrawn record");
        }
    }

    fn unpack(&self, push: &Push, tables: &Tables) -> Result<Vec<Vec<u8>>, Unpackable> {
        packed::unpack(&push.changes, tables, |name| merge::find(&self.known, name))
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
            keys: &self.keys,
        };
        let judgement = merge::judge(held, &chunks, sender);
        // What a collector adds to a record that left by age brings it back, where it holds.
        let brings_back = self.assigned && matches!(judgement, Judgement::Accepted(_));
        if !self.mine && !brings_back {
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

impl Sending {
    /// Writes what a verdict says.
    fn settle(
        &self,
        tx: &mut dyn Writes,
        found: &Found,
        verdict: &Verdict,
        vouchers: &Vouchers,
    ) -> Result<Settled, StoreError> {
        match verdict {
            Verdict::Keep(state) => {
                let Session { user, device, .. } = &self.session;
                let by = HandedIn { user, device: *device, at: self.at, quarantine: None };
                keep(tx, self.record, found.stored.as_ref(), state, by)?;
                let voucher = vouchers.voucher(user, self.record, &state.heads);
                Ok((Outcome::Merged { voucher }, Some(state.heads.clone())))
            }
            Verdict::Gone { held: false } => {
                let kept =
                    self.set_aside(tx, found.stored.as_ref(), &found.known, &Aside::withdrawn())?;
                Ok((kept.map_or_else(not_kept, |_| Outcome::Withdrawn), None))
            }
            Verdict::Refuse(refusal) => {
                let kept =
                    self.set_aside(tx, found.stored.as_ref(), &found.known, &refusal.into())?;
                let Refusal { code, path, message } = refusal.clone();
                let refused = |quarantine| Outcome::Refused { code, path, message, quarantine };
                Ok((kept.map_or_else(not_kept, refused), None))
            }
            Verdict::Duplicate | Verdict::Missing | Verdict::Gone { held: true } => {
                Ok(self.answer(found, verdict, vouchers))
            }
        }
    }

    /// The answer to a verdict that writes nothing.
    fn answer(&self, found: &Found, verdict: &Verdict, vouchers: &Vouchers) -> Settled {
        let have = found.have();
        match verdict {
            Verdict::Duplicate => {
                let voucher = vouchers.voucher(&self.session.user, self.record, &have);
                (Outcome::Duplicate { voucher }, Some(have))
            }
            Verdict::Gone { .. } => (Outcome::Withdrawn, None),
            Verdict::Missing | Verdict::Keep(_) | Verdict::Refuse(_) => {
                (Outcome::Missing { have }, None)
            }
        }
    }
}

/// The answer where nothing more of the device's is kept: it keeps it itself.
pub(super) fn not_kept() -> Outcome {
    let Refusal { code, path, message } = Refusal::quarantine_full();
    Outcome::Refused { code, path, message, quarantine: 0 }
}
