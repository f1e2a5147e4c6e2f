//! The merged record on trial: only what loads again, is valid and can be written to is kept.

use automerge::transaction::Transactable;
use automerge::{ActorId, ROOT};

use super::{Accepted, Refusal, limits};
use crate::ids::ACTOR_LEN;
use crate::record::Record;

/// Step 7 of the checks.
pub(super) fn passes(accepted: &Accepted) -> Result<(), Refusal> {
    if accepted.record.save_uncompressed().len() > limits::DOCUMENT {
        return Err(Refusal::too_large("the record would be too large"));
    }
    let unsound = || Refusal::malformed("the record would not load again");
    let loaded = Record::load(&accepted.document).map_err(|_| unsound())?;
    if loaded.heads() != accepted.record.heads() {
        return Err(unsound());
    }
    loaded.validate().map_err(|invalid| Refusal::invalid(&invalid.path, &invalid.reason))?;
    // Some changes make the next edit panic, whoever makes it.
    let mut doc = loaded.document().clone();
    doc.set_actor(ActorId::from([0xff; ACTOR_LEN].as_slice()));
    doc.transact(|tx| tx.put(ROOT, "trial", true))
        .map(drop)
        .map_err(|_| Refusal::malformed("the record would not take another edit"))
}
