//! Finds the path of an object in a record, and which change created it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use automerge::legacy::{ObjectId, OpId};
use automerge::{Automerge, ObjId, ObjType, Prop, ReadDoc};

use super::graph::CausalPast;
use super::refusal::Refusal;
use crate::record::genesis;
use crate::record::schema::first_containers;
use crate::sync::message::RefusalCode;

/// An operation id with an order: counter, then the bytes of the actor.
pub(super) type Id = (u64, Vec<u8>);

/// The change that created an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CreatedBy {
    /// The genesis change: a container that all records have.
    Genesis,
    /// An earlier change that the author had seen.
    Earlier,
    /// The change that is being judged.
    ThisChange,
}

/// An object of the record, with its path.
#[derive(Debug, Clone)]
pub(super) struct ObjectPath {
    pub(super) path: Vec<String>,
    pub(super) kind: ObjType,
    pub(super) created_by: CreatedBy,
    pub(super) id: ObjId,
}

/// The containers of the genesis change, by the operation that creates them.
static GENESIS: LazyLock<BTreeMap<Id, Vec<String>>> = LazyLock::new(|| {
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

/// The public id of the object that an operation created. The index is only a hint: Automerge looks
/// the actor up where it is wrong.
pub(super) fn public_id(id: &OpId) -> ObjId {
    ObjId::Id(id.0, id.1.clone(), 0)
}

/// Finds an object that existed before the change that is being judged.
pub(super) fn find(
    doc: &Automerge,
    id: &ObjectId,
    past: &CausalPast,
) -> Result<ObjectPath, Refusal> {
    let id = match id {
        ObjectId::Root => {
            return Ok(ObjectPath {
                path: Vec::new(),
                kind: ObjType::Map,
                created_by: CreatedBy::Genesis,
                id: ObjId::Root,
            });
        }
        ObjectId::Id(id) => id,
    };
    let unseen = || Refusal::malformed("an operation is on an object that its author had not seen");
    let public = public_id(id);
    let kind = doc.object_type(&public).map_err(|_| unseen())?;
    if let Some(path) = GENESIS.get(&(id.0, id.1.to_bytes().to_vec())) {
        return Ok(ObjectPath {
            path: path.clone(),
            kind,
            created_by: CreatedBy::Genesis,
            id: public,
        });
    }
    if !past.includes(id) {
        return Err(unseen());
    }
    let path = path_of(doc, &public).ok_or_else(unseen)?;
    Ok(ObjectPath { path, kind, created_by: CreatedBy::Earlier, id: public })
}

/// The path of a container of the genesis change.
pub(super) fn genesis_path(id: &Id) -> Option<Vec<String>> {
    GENESIS.get(id).cloned()
}

/// The path of an object in a document.
pub(super) fn path_of(doc: &Automerge, id: &ObjId) -> Option<Vec<String>> {
    let mut path = Vec::new();
    for parent in doc.parents(id).ok()? {
        match parent.prop {
            Prop::Map(key) => path.push(key),
            // The schema has no containers in lists.
            Prop::Seq(_) => return None,
        }
    }
    path.reverse();
    Some(path)
}

/// A refusal: the path is not writable.
pub(super) fn not_allowed(path: &[String], why: impl Into<String>) -> Refusal {
    Refusal::at(RefusalCode::NotAllowed, path, why)
}
