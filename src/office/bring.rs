//! Takes back from a device what the office has lost in a restore (rule P3).

use std::collections::BTreeSet;
use std::sync::Arc;

use automerge::ChangeHash;

use super::cancel::CancelToken;
use super::intake::{Step, names};
use super::keep::{HandedIn, State, keep};
use super::merge::{self, Held, Judgement, Refusal};
use super::{Office, OfficeError, Session};
use crate::ids::RecordId;
use crate::sync::chunk;
use crate::sync::message::{Outcome, Restore, Tables};
use crate::sync::packed::{self, Unpackable};

/// What became of what a device brought.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// One for each record, in order.
    pub(super) outcomes: Vec<Outcome>,
    /// Changes that need not be sent back.
    pub(super) changes: BTreeSet<ChangeHash>,
}

impl Office {
    /// Takes back each record in a transaction of its own (rule R2).
    pub(super) async fn take_back(
        &self,
        session: &Session,
        restore: Vec<Restore>,
        tables: &Arc<Tables>,
        cancel: &CancelToken,
    ) -> Result<Brought, OfficeError> {
        let (session, tables) = (session.clone(), Arc::clone(tables));
        let items = restore.into_iter().map(|restore| (restore.record, restore)).collect();
        let judge = move |office: &Self, _: RecordId, restore: &Restore| {
            office.judge_brought(&session, restore, &tables)
        };
        let mut restored = Brought::default();
        for (outcome, changes) in self.take_in(items, cancel, judge).await? {
            restored.outcomes.push(outcome);
            restored.changes.extend(changes);
        }
        Ok(restored)
    }

    /// Looks at what one record was brought with. Blocks.
    fn judge_brought(
        &self,
        session: &Session,
        restore: &Restore,
        tables: &Tables,
    ) -> Result<Step<Taken>, OfficeError> {
        let (id, at) = (restore.record, self.now());
        if !self.attestor.hold(&session.user, id, &restore.heads, &restore.mac) {
            return Ok(Step::Done((refused(Refusal::not_vouched()), Vec::new())));
        }
        let (stored, known, mine) = self.store.read_with(|reads| {
            let mine = reads.collectors(id)?.contains(&session.user);
            Ok((reads.record(id)?, reads.change_metas(id)?, mine))
        })?;
        let have = stored.as_ref().map(|stored| stored.heads.clone());
        let missing = || {
            // A state token shows what a device held once. What the record has come to since is hidden
            // from a former collector: such a device brings all that it has.
            if have.is_some() && !mine {
                tracing::warn!(device = %session.device, "unknown dependency in a withdrawn record");
            }
            let have = have.clone().filter(|_| mine).unwrap_or_default();
            (Outcome::Missing { have }, Vec::new())
        };
        let names = names(&known);
        let chunks = match packed::unpack(&restore.changes, tables, |name| names.get(name).copied())
        {
            Ok(chunks) => chunks,
            Err(Unpackable::UnknownDependency) => return Ok(Step::Done(missing())),
            Err(Unpackable::Malformed) => {
                return Ok(Step::Done((refused(Refusal::not_whole()), Vec::new())));
            }
        };
        let bytes: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let changes: Vec<ChangeHash> = bytes.iter().map(|bytes| chunk::hash(bytes)).collect();
        let held = stored.as_ref().map(|stored| Held { known: &known, document: &stored.document });
        let accepted = match merge::restore(id, held, &bytes, &restore.heads) {
            Judgement::Accepted(accepted) => accepted,
            Judgement::Duplicate => {
                let state_token =
                    self.attestor.state_token(&session.user, id, &have.unwrap_or_default());
                let outcome =
                    if mine { Outcome::Duplicate { state_token } } else { Outcome::Withdrawn };
                return Ok(Step::Done((outcome, changes)));
            }
            Judgement::Missing => return Ok(Step::Done(missing())),
            Judgement::Refused(refusal) => return Ok(Step::Done((refused(refusal), Vec::new()))),
        };
        let state = State::of(*accepted, at);
        let (session, attestor) = (session.clone(), self.attestor.clone());
        Ok(Step::write(state.size(), move |tx| {
            if tx.heads(id)? != have {
                return Ok(None);
            }
            let by = HandedIn { user: &session.user, device: session.device, at, quarantine: None };
            keep(tx, id, stored.as_ref(), &state, by)?;
            let state_token = attestor.state_token(&session.user, id, &state.heads);
            let mine = tx.collectors(id)?.contains(&session.user);
            let outcome = if mine { Outcome::Merged { state_token } } else { Outcome::Withdrawn };
            Ok(Some((outcome, changes.clone())))
        }))
    }
}

/// What became of one record, and the changes that need not be sent back.
type Taken = (Outcome, Vec<ChangeHash>);

fn refused(refusal: Refusal) -> Outcome {
    let Refusal { code, path, message } = refusal;
    Outcome::Refused { code, path, message, quarantine: 0 }
}
