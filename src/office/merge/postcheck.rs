//! Checks the merged record before it is stored: it loads again, is valid and can be written to.

use automerge::transaction::Transactable;
use automerge::{ActorId, ROOT};

use super::{MergedRecord, Refusal, limits};
use crate::ids::ACTOR_LEN;
use crate::record::Record;

/// Step 7 of the checks.
pub(super) fn check(merged: &MergedRecord) -> Result<(), Refusal> {
    if merged.record.save_uncompressed().len() > limits::DOCUMENT {
        return Err(Refusal::too_large("the record would be too large"));
    }
    let unloadable = || Refusal::malformed("the record would not load again");
    let loaded = Record::load(&merged.document).map_err(|_| unloadable())?;
    if loaded.heads() != merged.record.heads() {
        return Err(unloadable());
    }
    loaded.validate().map_err(|invalid| Refusal::invalid(&invalid.path, &invalid.reason))?;
    // Some changes make any further edit panic.
    let mut doc = loaded.document().clone();
    doc.set_actor(ActorId::from([0xff; ACTOR_LEN].as_slice()));
    doc.transact(|tx| tx.put(ROOT, "trial", true))
        .map(drop)
        .map_err(|_| Refusal::malformed("the record would not take another edit"))
}
