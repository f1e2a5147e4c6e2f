//! Checks the merged record before it is stored: it loads again, is valid and can be written to.

use automerge::transaction::Transactable;
use automerge::{ActorId, ROOT, ReadDoc};

use super::{MergedRecord, Refusal, Unchecked, graph, limits};
use crate::ids::ACTOR_LEN;
use crate::record::Record;

/// Changes of a record per added change up to which the saved record is loaded as a check.
const LOADED_PER_ADDED: usize = 16;

/// Bytes up to which a document is stored with plain columns; a visit of 300 changes has as many.
/// Deflating takes many times as long as encoding the columns, and saves little: the store holds the
/// changes besides. A larger document is deflated, since each change writes it again.
const PLAIN: usize = 32 * 1024;

/// Step 7 of the checks.
pub(super) fn check(merged: Unchecked) -> Result<MergedRecord, Refusal> {
    let Unchecked { record, added } = &merged;
    let plain = record.save_uncompressed();
    let uncompressed = plain.len();
    if uncompressed > limits::DOCUMENT {
        return Err(Refusal::too_large("the record would be too large"));
    }
    let document = if uncompressed <= PLAIN { plain } else { record.save() };
    let depth = usize::try_from(record.document().stats().num_changes).unwrap_or(usize::MAX);
    let loads = if depth <= added.len().saturating_mul(LOADED_PER_ADDED) {
        Record::load(&document).is_ok_and(|loaded| loaded.heads() == record.heads())
    } else {
        added_changes_load(&merged)
    };
    if !loads {
        return Err(Refusal::malformed("the record would not load again"));
    }
    let view = record.valid_view();
    let view = view.map_err(|invalid| Refusal::invalid(&invalid.path, &invalid.reason))?;
    // Some changes make any further edit panic.
    let mut doc = record.document().clone();
    doc.set_actor(ActorId::from([0xff; ACTOR_LEN].as_slice()));
    doc.transact(|tx| tx.put(ROOT, "trial", true))
        .map_err(|_| Refusal::malformed("the record would not take another edit"))?;
    let max_op = graph::max_op(record.document(), &record.document().get_heads());
    let Unchecked { record, added } = merged;
    Ok(MergedRecord { record, view, document, uncompressed, added, max_op })
}

/// A document is saved without its changes: loading rebuilds each from its operations and compares
/// the hashes, which takes time in proportion to the record. Only the added changes need it: their
/// operations have ids of their own (`graph`), and on the operations of others they leave nothing
/// but those ids, as successors (`op_check`). So what was rebuilt before still is.
fn added_changes_load(Unchecked { record, added }: &Unchecked) -> bool {
    let rebuilt = |hash| record.document().get_change_by_hash(hash).map(|change| change.hash());
    added.iter().all(|(meta, _)| rebuilt(&meta.hash) == Some(meta.hash))
}
