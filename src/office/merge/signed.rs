//! Signatures that a change adds: each must be right, and by a key of the device that sends it.

use automerge::{ChangeHash, ObjId};

use super::chunk::Header;
use super::graph::{Graph, Seen};
use super::{Refusal, Sender};
use crate::ids::{Heads, hex};
use crate::record::Record;

/// Checks the signatures that a change made; `record` is the record with it.
pub(super) fn check(
    record: &Record,
    graph: &Graph,
    header: &Header<'_>,
    sender: Sender<'_>,
) -> Result<(), Refusal> {
    let here = |object: &ObjId| match object {
        ObjId::Id(counter, actor, _) => {
            let made = header.start_op..header.start_op + header.operations;
            *actor == header.actor && made.contains(counter)
        }
        ObjId::Root => false,
    };
    for (object, signature) in record.signatures() {
        if !here(&object) {
            continue;
        }
        let wrong = |why: &str| Refusal::wrong_signature(&signature.id, why);
        if !signature.sound {
            return Err(wrong("the signature is not one over what it stands under"));
        }
        if !sender.keys.iter().any(|key| hex(key) == signature.key) {
            return Err(wrong("the key is not one that this device has enrolled"));
        }
        let seen = graph.past(&header.deps);
        let heads = Heads::from_hex(&signature.heads).unwrap_or_default();
        if !heads.as_slice().iter().all(|head| saw(graph, &seen, head)) {
            return Err(wrong("a state is signed that its author had not seen"));
        }
    }
    Ok(())
}

fn saw(graph: &Graph, seen: &Seen, head: &ChangeHash) -> bool {
    graph.number(head).is_some_and(|(actor, seq)| seq <= seen.last_seq(actor))
}
