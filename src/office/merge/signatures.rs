//! Checks signatures that a change adds: valid, and made with a key of the sending device.

use automerge::ObjId;

use super::graph::CausalPast;
use super::header::ChangeHeader;
use super::{Refusal, Sender};
use crate::ids::{Heads, hex};
use crate::record::Record;

/// Checks the signatures that a change added; `record` includes the change, `past` is what its
/// author had seen.
pub(super) fn check(
    record: &Record,
    past: &CausalPast,
    header: &ChangeHeader<'_>,
    sender: Sender<'_>,
) -> Result<(), Refusal> {
    let added_by_change = |object: &ObjId| match object {
        ObjId::Id(counter, actor, _) => {
            let made = header.start_op..header.start_op + header.operations;
            *actor == header.actor && made.contains(counter)
        }
        ObjId::Root => false,
    };
    for signature in record.signatures(added_by_change) {
        let refused = |why: &str| Refusal::wrong_signature(&signature.id, why);
        if !signature.sound {
            return Err(refused("the signature does not verify"));
        }
        if !sender.keys.iter().any(|key| hex(key) == signature.key) {
            return Err(refused("the key is not enrolled for this device"));
        }
        let heads = Heads::from_hex(&signature.heads).unwrap_or_default();
        if !heads.as_slice().iter().all(|head| past.includes_change(record.document(), head)) {
            return Err(refused("the signature covers a state that its author had not seen"));
        }
    }
    Ok(())
}
