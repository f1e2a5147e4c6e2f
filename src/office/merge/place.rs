//! Where an object stands in a record: its path, and who made it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use automerge::legacy::{ObjectId, OpId};
use automerge::{Automerge, ObjId, ObjType, Prop, ReadDoc};

use super::graph::Seen;
use super::refusal::Refusal;
use crate::record::genesis;
use crate::record::schema::first_containers;
use crate::sync::message::RefusalCode;

/// An operation's counter and the bytes of its actor: ids in an order.
pub(super) type Id = (u64, Vec<u8>);

/// Who made an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// The first change of the schema: a container that everybody shares.
    First,
    /// A change that the author had seen.
    Before,
    /// The change that is judged.
    Here,
}

/// An object of the record.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: Vec<String>,
    pub(super) kind: ObjType,
    pub(super) made: Made,
    pub(super) id: ObjId,
}

/// The containers of the first change, by the counter of the operation that makes them.
static FIRST: LazyLock<BTreeMap<Id, Vec<String>>> = LazyLock::new(|| {
    first_containers()
        .into_iter()
        .filter_map(|(path, _)| match genesis::container(&path)? {
            ObjId::Id(counter, actor, _) => {
                let path = path.into_iter().map(str::to_owned).collect();
                Some(((*counter, actor.to_bytes().to_vec()), path))
            }
            ObjId::Root => None,
        })
        .collect()
});

/// The public id of an operation's object. The index is a hint only; Automerge looks the actor up
/// where it is wrong.
pub(super) fn public_id(id: &OpId) -> ObjId {
    ObjId::Id(id.0, id.1.clone(), 0)
}

/// Finds an object that stood before the change that is judged.
pub(super) fn find(doc: &Automerge, id: &ObjectId, seen: &Seen) -> Result<Place, Refusal> {
    let id = match id {
        ObjectId::Root => {
            return Ok(Place {
                path: Vec::new(),
                kind: ObjType::Map,
                made: Made::First,
                id: ObjId::Root,
            });
        }
        ObjectId::Id(id) => id,
    };
    let unseen = || Refusal::malformed("an operation is on an object that its author had not seen");
    let public = public_id(id);
    let kind = doc.object_type(&public).map_err(|_| unseen())?;
    if let Some(path) = FIRST.get(&(id.0, id.1.to_bytes().to_vec())) {
        return Ok(Place { path: path.clone(), kind, made: Made::First, id: public });
    }
    if !seen.covers(id) {
        return Err(unseen());
    }
    let path = path_of(doc, &public).ok_or_else(unseen)?;
    Ok(Place { path, kind, made: Made::Before, id: public })
}

/// The path of a container of the first change.
pub(super) fn first(id: &Id) -> Option<Vec<String>> {
    FIRST.get(id).cloned()
}

/// Where an object stands in a document.
pub(super) fn path_of(doc: &Automerge, id: &ObjId) -> Option<Vec<String>> {
    let mut path = Vec::new();
    for parent in doc.parents(id).ok()? {
        match parent.prop {
            Prop::Map(key) => path.push(key),
            // No container stands in a list.
            Prop::Seq(_) => return None,
        }
    }
    path.reverse();
    Some(path)
}

/// A refusal that says a path is not writable.
pub(super) fn not_allowed(path: &[String], why: impl Into<String>) -> Refusal {
    Refusal::at(RefusalCode::NotAllowed, path, why)
}
