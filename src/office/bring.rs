//! Takes back from a device what the office has lost in a restore (rule P3).

use std::collections::BTreeSet;
use std::sync::Arc;

use automerge::ChangeHash;

use super::keep::{HandedIn, State, keep};
use super::merge::{self, Held, Judgement, Refusal};
use super::store::{StoreError, Writes};
use super::vouch::Vouchers;
use super::{Office, OfficeError, Session};
use crate::ids::Heads;
use crate::sync::chunk;
use crate::sync::message::{Bring, Outcome, Tables};
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
    /// Takes back each record in a transaction of its own (rule R2). It happens once in the life
    /// of a store, so all of it is the writer's work.
    pub(super) async fn take_back(
        &self,
        session: &Session,
        bring: Vec<Bring>,
        tables: &Arc<Tables>,
    ) -> Result<Brought, OfficeError> {
        let mut pending = Vec::with_capacity(bring.len());
        for bring in bring {
            let (office, session, tables) = (self.clone(), session.clone(), Arc::clone(tables));
            pending.push(self.store.write(move |tx| {
                take(tx, &office.vouchers, &session, &bring, &tables, office.now())
            }));
        }
        let mut brought = Brought::default();
        for pending in pending {
            let (outcome, changes) = pending.await?;
            brought.outcomes.push(outcome);
            brought.changes.extend(changes);
        }
        Ok(brought)
    }
}

fn take(
    tx: &mut dyn Writes,
    vouchers: &Vouchers,
    session: &Session,
    bring: &Bring,
    tables: &Tables,
    at: i64,
) -> Result<(Outcome, Vec<ChangeHash>), StoreError> {
    let id = bring.record;
    if !vouchers.hold(&session.user, id, &bring.heads, &bring.tag) {
        return Ok((refused(Refusal::not_vouched()), Vec::new()));
    }
    let stored = tx.record(id)?;
    let known = tx.known(id)?;
    let have = stored.as_ref().map_or(Heads::default(), |stored| stored.heads.clone());
    let missing = |tx: &mut dyn Writes| {
        // A voucher shows what a device held once. What the record has come to since is hidden
        // from a former collector: such a device brings all that it has.
        let mine = tx.collectors(id)?.contains(&session.user);
        if stored.is_some() && !mine {
            tracing::warn!(device = %session.device, "unknown dependency in a withdrawn record");
        }
        let have = if mine { have.clone() } else { Heads::default() };
        Ok((Outcome::Missing { have }, Vec::new()))
    };
    let chunks = match packed::unpack(&bring.changes, tables, |name| merge::find(&known, name)) {
        Ok(chunks) => chunks,
        Err(Unpackable::UnknownDependency) => return missing(tx),
        Err(Unpackable::Malformed) => {
            return Ok((refused(Refusal::not_whole()), Vec::new()));
        }
    };
    let bytes: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    let held = stored.as_ref().map(|stored| Held { known: &known, document: &stored.document });
    let (heads, merged) = match merge::restore(id, held, &bytes, &bring.heads) {
        Judgement::Accepted(accepted) => {
            let state = State::of(*accepted, at);
            let by = HandedIn { user: &session.user, device: session.device, at, quarantine: None };
            keep(tx, id, stored.as_ref(), &state, by)?;
            (state.heads, true)
        }
        Judgement::Duplicate => (have, false),
        Judgement::Missing => return missing(tx),
        Judgement::Refused(refusal) => return Ok((refused(refusal), Vec::new())),
    };
    let voucher = vouchers.voucher(&session.user, id, &heads);
    let outcome = match (tx.collectors(id)?.contains(&session.user), merged) {
        (true, true) => Outcome::Merged { voucher },
        (true, false) => Outcome::Duplicate { voucher },
        (false, _) => Outcome::Withdrawn,
    };
    Ok((outcome, bytes.iter().map(|bytes| chunk::hash(bytes)).collect()))
}

fn refused(refusal: Refusal) -> Outcome {
    let Refusal { code, path, message } = refusal;
    Outcome::Refused { code, path, message, quarantine: 0 }
}
