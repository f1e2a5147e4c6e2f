//! States that devices bring back after the office was restored from a backup (rule P3).

use std::collections::BTreeSet;
use std::sync::Arc;

use automerge::ChangeHash;

use super::cancel::CancelToken;
use super::commit::{AcceptedState, AcceptedWork, Commit, Predecessor, Provenance, Verdict};
use super::push::{as_slices, refused};
use super::{LoadedRecord, Scope, Source};
use crate::ids::Heads;
use crate::office::merge::{self, Judgement, MergedRecord, Refusal};
use crate::office::{Office, OfficeError, Session};
use crate::sync::chunk;
use crate::sync::message::{Outcome, Restore, Tables};
use crate::sync::packed::Unpackable;

/// What became of the states that a device brought back.
#[derive(Debug, Default)]
pub(in crate::office) struct RestoreReply {
    /// One per state, in order.
    pub(in crate::office) outcomes: Vec<Outcome>,
    /// Changes that need not be sent to the device.
    pub(in crate::office) changes: BTreeSet<ChangeHash>,
}

/// The outcome for one state, and the changes that need not be sent to the device.
type Restored = (Outcome, Vec<ChangeHash>);

/// States that were attested to a device's user; their state tokens have been verified.
struct AttestedStates {
    session: Session,
    tables: Arc<Tables>,
}

impl Source for AttestedStates {
    type Item = Restore;
    type Unpacked = Result<Vec<Vec<u8>>, Unpackable>;
    type Reply = Restored;

    fn scope(&self) -> Scope<'_> {
        Scope::Attested(&self.session)
    }

    fn unpack(
        &self,
        _: &Office,
        loaded: &LoadedRecord,
        restore: &Restore,
    ) -> Result<Self::Unpacked, OfficeError> {
        Ok(loaded.unpack(&restore.changes, &self.tables))
    }

    fn judge(
        &self,
        office: &Office,
        loaded: LoadedRecord,
        restore: &Restore,
        unpacked: Self::Unpacked,
    ) -> Result<Verdict<Restored>, OfficeError> {
        let done = |outcome, changes| Ok(Verdict::Reply((outcome, changes)));
        let chunks = match unpacked {
            Ok(chunks) => chunks,
            Err(Unpackable::UnknownDependency) => return done(self.missing(&loaded), Vec::new()),
            Err(Unpackable::Malformed) => {
                return done(refused(Refusal::unpack_failed(), 0), Vec::new());
            }
        };
        let changes = chunks.iter().map(|bytes| chunk::hash(bytes)).collect();
        let chunks = as_slices(&chunks);
        match merge::judge_restore(loaded.record, loaded.state(), &chunks, &restore.heads) {
            Judgement::Accepted(merged) => Ok(self.accept(office, &loaded, *merged, changes)),
            Judgement::Duplicate => {
                let heads = loaded.basis.heads.clone().unwrap_or_default();
                let in_feed = loaded.basis.membership.in_feed;
                done(self.duplicate(office, &loaded, &heads, in_feed), changes)
            }
            Judgement::Missing => done(self.missing(&loaded), Vec::new()),
            Judgement::Refused(refusal) => done(refused(refusal, 0), Vec::new()),
        }
    }
}

impl AttestedStates {
    /// A state token proves what the device once had, so a former member brings back all of it. The
    /// record's present heads are hidden from such a device.
    fn missing(&self, loaded: &LoadedRecord) -> Outcome {
        loaded.log_if_former_member(&self.session);
        Outcome::Missing { have: loaded.visible_heads() }
    }

    fn duplicate(
        &self,
        office: &Office,
        loaded: &LoadedRecord,
        heads: &Heads,
        in_feed: bool,
    ) -> Outcome {
        if !in_feed {
            return Outcome::Withdrawn;
        }
        let user = &self.session.user;
        Outcome::Duplicate { state_token: office.attestor.state_token(user, loaded.record, heads) }
    }

    fn accept(
        &self,
        office: &Office,
        loaded: &LoadedRecord,
        merged: MergedRecord,
        changes: Vec<ChangeHash>,
    ) -> Verdict<Restored> {
        let (record, at) = (loaded.record, office.now());
        let Session { user, device, .. } = self.session.clone();
        let state = AcceptedState::of(office, record, merged, at);
        let state_token = office.attestor.state_token(&user, record, &state.heads);
        let name = user.clone();
        Verdict::Commit(Commit::Accept(AcceptedWork {
            before: loaded.stored.as_ref().map(Predecessor::of),
            states: vec![state],
            provenance: Provenance { user, device, at, quarantine: None },
            decision: None,
            reply: Box::new(move |tx| {
                let in_feed = tx.collectors(record)?.contains(&name);
                let outcome =
                    if in_feed { Outcome::Merged { state_token } } else { Outcome::Withdrawn };
                Ok((outcome, changes.clone()))
            }),
        }))
    }
}

impl Office {
    /// Accepts states that the office had attested and has lost.
    pub(in crate::office) async fn accept_restored(
        &self,
        session: &Session,
        restores: Vec<Restore>,
        tables: &Arc<Tables>,
        cancel: &CancelToken,
    ) -> Result<RestoreReply, OfficeError> {
        // Forged tokens are refused before anything is read: the time that it takes must not depend
        // on whether there is such a record.
        let attested: Vec<bool> = restores
            .iter()
            .map(|restore| {
                let Restore { record, heads, mac, .. } = restore;
                self.attestor.verify(&session.user, *record, heads, mac)
            })
            .collect();
        let items = restores
            .into_iter()
            .zip(&attested)
            .filter_map(|(restore, attested)| attested.then_some((restore.record, restore)))
            .collect();
        let source = AttestedStates { session: session.clone(), tables: Arc::clone(tables) };
        let mut accepted = self.intake(source, items, cancel).await?.into_iter();
        let mut reply = RestoreReply::default();
        for attested in attested {
            let forged = || (refused(Refusal::not_attested(), 0), Vec::new());
            let (outcome, changes) = match attested {
                true => accepted.next().ok_or(OfficeError::Closing)?,
                false => forged(),
            };
            reply.outcomes.push(outcome);
            reply.changes.extend(changes);
        }
        Ok(reply)
    }
}
