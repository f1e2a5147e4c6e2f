//! Pushes: a device's own changes to records.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::cancel::CancelToken;
use super::commit::{AcceptedState, AcceptedWork, Commit, Predecessor, Provenance, Verdict};
use super::{LoadedRecord, Scope, Source};
use crate::ids::{Heads, RecordId};
use crate::office::merge::{self, Judgement, MergedRecord, Refusal, Sender};
use crate::office::quarantine::{QuarantineEntry, QuarantineReason};
use crate::office::{Office, OfficeError, Session};
use crate::sync::message::{Outcome, Push, Revocation, Tables};
use crate::sync::packed::{Unpackable, columns};

/// Operations of a push and its record beyond which it is judged alone: judging takes about a
/// kilobyte of memory per operation. The record of an ordinary visit has some hundreds.
const HEAVY: u64 = 5_000;

/// What became of one push.
pub(in crate::office) struct PushReply {
    pub(in crate::office) outcome: Outcome,
    /// Heads that the outcome implies for the device.
    pub(in crate::office) heads: Option<Heads>,
    /// Why the work is in quarantine, if it is.
    pub(in crate::office) quarantined: Option<String>,
}

impl From<Outcome> for PushReply {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, heads: None, quarantined: None }
    }
}

/// The pushes of one device.
pub(in crate::office) struct Pushes {
    pub(in crate::office) session: Session,
    pub(in crate::office) tables: Arc<Tables>,
    /// Records whose missing dependencies are lost for good: their changes go to quarantine (rule
    /// R6).
    pub(in crate::office) give_up: BTreeSet<RecordId>,
    /// Why the caller was already found to be revoked.
    pub(in crate::office) revocation: Option<Revocation>,
}

impl Source for Pushes {
    type Item = Push;
    type Unpacked = Result<Vec<Vec<u8>>, Unpackable>;
    type Reply = PushReply;

    fn scope(&self) -> Scope<'_> {
        Scope::Device(&self.session)
    }

    fn unpack(
        &self,
        _: &Office,
        loaded: &LoadedRecord,
        push: &Push,
    ) -> Result<Self::Unpacked, OfficeError> {
        Ok(loaded.unpack(&push.changes, &self.tables))
    }

    fn judge(
        &self,
        office: &Office,
        loaded: LoadedRecord,
        push: &Push,
        unpacked: Self::Unpacked,
    ) -> Result<Verdict<PushReply>, OfficeError> {
        Ok(match self.revocation.or(loaded.basis.revocation) {
            Some(revocation) => self.judge_revoked(office, &loaded, push, unpacked, revocation),
            None => self.judge_active(office, &loaded, push, unpacked),
        })
    }
}

impl Pushes {
    /// Work of a device that may work.
    fn judge_active(
        &self,
        office: &Office,
        loaded: &LoadedRecord,
        push: &Push,
        unpacked: Result<Vec<Vec<u8>>, Unpackable>,
    ) -> Verdict<PushReply> {
        let chunks = match unpacked {
            Ok(chunks) => chunks,
            Err(Unpackable::UnknownDependency) => {
                loaded.log_if_former_member(&self.session);
                return missing(loaded);
            }
            Err(Unpackable::Malformed) => {
                let refusal = Refusal::unpack_failed();
                return self.refuse(office, loaded, as_arrived(push), refusal);
            }
        };
        // Held until the changes have been read for quarantine, which takes as much memory.
        let _alone = office.judge_alone_if_heavy(loaded, &chunks);
        let Some(stored) = loaded.state() else {
            return self.refuse(office, loaded, chunks, Refusal::unknown_record());
        };
        let Session { user, role, device } = &self.session;
        let keys = &loaded.basis.keys;
        let sender = Sender { user, role: *role, device: *device, keys };
        let judgement = merge::judge(stored, &as_slices(&chunks), sender);
        let membership = loaded.basis.membership;
        // Accepted work of a collector brings an expired record back to their feed (rule F5).
        let returns = membership.assigned && matches!(judgement, Judgement::Accepted(_));
        if !membership.in_feed && !returns {
            return match judgement {
                Judgement::Duplicate => Verdict::Reply(Outcome::Withdrawn.into()),
                Judgement::Accepted(_) | Judgement::Missing | Judgement::Refused(_) => {
                    self.quarantine(office, loaded, chunks, QuarantineReason::withdrawn(), None)
                }
            };
        }
        match judgement {
            Judgement::Accepted(merged) => self.accept(office, loaded, *merged),
            Judgement::Duplicate => {
                let heads = loaded.visible_heads();
                let state_token = office.attestor.state_token(user, loaded.record, &heads);
                Verdict::Reply(PushReply {
                    outcome: Outcome::Duplicate { state_token },
                    heads: Some(heads),
                    quarantined: None,
                })
            }
            Judgement::Missing if self.give_up.contains(&loaded.record) => {
                self.refuse(office, loaded, chunks, Refusal::missing_dependencies())
            }
            Judgement::Missing => missing(loaded),
            Judgement::Refused(refusal) => self.refuse(office, loaded, chunks, refusal),
        }
    }

    /// Work of a revoked device goes to quarantine, unless the office has all of it. The outcome
    /// reveals nothing of the record (rule F4).
    fn judge_revoked(
        &self,
        office: &Office,
        loaded: &LoadedRecord,
        push: &Push,
        unpacked: Result<Vec<Vec<u8>>, Unpackable>,
        revocation: Revocation,
    ) -> Verdict<PushReply> {
        let chunks = match unpacked {
            Ok(chunks) => chunks,
            // The device sends plain changes next time.
            Err(Unpackable::UnknownDependency) => {
                return Verdict::Reply(Outcome::Missing { have: Heads::default() }.into());
            }
            Err(Unpackable::Malformed) => as_arrived(push),
        };
        if loaded.has_all(&chunks) {
            return Verdict::Reply(Outcome::Withdrawn.into());
        }
        let _alone = office.judge_alone_if_heavy(loaded, &chunks);
        self.quarantine(office, loaded, chunks, QuarantineReason::revoked(revocation), None)
    }

    fn accept(
        &self,
        office: &Office,
        loaded: &LoadedRecord,
        merged: MergedRecord,
    ) -> Verdict<PushReply> {
        let (record, at) = (loaded.record, office.now());
        let Session { user, device, .. } = self.session.clone();
        let state = AcceptedState::of(office, record, merged, at);
        let heads = state.heads.clone();
        let state_token = office.attestor.state_token(&user, record, &heads);
        Verdict::Commit(Commit::Accept(AcceptedWork {
            before: loaded.stored.as_ref().map(Predecessor::of),
            states: vec![state],
            provenance: Provenance { user, device, at, quarantine: None },
            decision: None,
            reply: Box::new(move |_| {
                Ok(PushReply {
                    outcome: Outcome::Merged { state_token },
                    heads: Some(heads.clone()),
                    quarantined: None,
                })
            }),
        }))
    }

    fn refuse(
        &self,
        office: &Office,
        loaded: &LoadedRecord,
        chunks: Vec<Vec<u8>>,
        refusal: Refusal,
    ) -> Verdict<PushReply> {
        let reason = QuarantineReason::from(&refusal);
        self.quarantine(office, loaded, chunks, reason, Some(refusal))
    }

    /// The outcome is the refusal, or `Withdrawn` without one.
    fn quarantine(
        &self,
        office: &Office,
        loaded: &LoadedRecord,
        chunks: Vec<Vec<u8>>,
        reason: QuarantineReason,
        refusal: Option<Refusal>,
    ) -> Verdict<PushReply> {
        let entry = QuarantineEntry {
            session: &self.session,
            record: loaded.record,
            chunks,
            at: office.now(),
        };
        let work = entry.into_work(loaded.state(), &reason);
        let message = reason.message;
        let reply = move |number: Option<u64>| {
            let outcome = match (number, &refusal) {
                (None, _) => quarantine_full(),
                (Some(_), None) => Outcome::Withdrawn,
                (Some(number), Some(refusal)) => refused(refusal.clone(), number),
            };
            let quarantined = number.map(|_| message.clone());
            PushReply { outcome, heads: None, quarantined }
        };
        Verdict::Commit(Commit::Quarantine { work, reply: Box::new(reply) })
    }
}

fn missing(loaded: &LoadedRecord) -> Verdict<PushReply> {
    Verdict::Reply(Outcome::Missing { have: loaded.visible_heads() }.into())
}

/// The refused outcome, with the number under which the work is in quarantine, or 0.
pub(in crate::office) fn refused(refusal: Refusal, quarantine: u64) -> Outcome {
    let Refusal { code, path, message } = refusal;
    Outcome::Refused { code, path, message, quarantine }
}

/// The outcome where the office has no room for the work: the device keeps it.
fn quarantine_full() -> Outcome {
    refused(Refusal::quarantine_full(), 0)
}

/// The bytes of a push that cannot be unpacked.
fn as_arrived(push: &Push) -> Vec<Vec<u8>> {
    vec![columns::to_vec(push)]
}

pub(in crate::office) fn as_slices(chunks: &[Vec<u8>]) -> Vec<&[u8]> {
    chunks.iter().map(Vec::as_slice).collect()
}

impl Office {
    /// Takes pushes in; one reply per push, in order.
    pub(in crate::office) async fn accept_pushes(
        &self,
        source: Pushes,
        pushes: Vec<Push>,
        cancel: &CancelToken,
    ) -> Result<Vec<PushReply>, OfficeError> {
        let items = pushes.into_iter().map(|push| (push.record, push)).collect();
        self.intake(source, items, cancel).await
    }

    /// Waits until no other heavy push is being judged, if this one is. Blocks.
    fn judge_alone_if_heavy(
        &self,
        loaded: &LoadedRecord,
        chunks: &[Vec<u8>],
    ) -> Option<MutexGuard<'_, ()>> {
        let max_op = loaded.stored.as_ref().map_or(0, |stored| stored.max_op);
        let heavy = merge::judging_cost(max_op, &as_slices(chunks)) > HEAVY;
        // The mutex guards no data that a panic could leave inconsistent.
        heavy.then(|| self.heavy.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
