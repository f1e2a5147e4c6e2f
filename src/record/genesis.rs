//! The deterministic first change of schema 1.
//!
//! Its bytes are part of the format and never change. All replicas of a record therefore share the
//! same containers, and the change is never transmitted.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, ChangeHash, ObjId, ObjType, ROOT, ReadDoc, TextEncoding};

use super::schema::{Kind, SCHEMA, first_containers};
use crate::ids::GENESIS_ACTOR;

/// The document with the first change only.
pub const BYTES: &[u8] = include_bytes!("genesis/schema-1.automerge");

static BLANK: LazyLock<Automerge> = LazyLock::new(|| {
    Automerge::load_with_options(
        BYTES,
        automerge::LoadOptions::new().text_encoding(TextEncoding::UnicodeCodePoint),
    )
    // The file is compiled in: every test fails if it is damaged.
    .unwrap_or_else(|error| unreachable!("the first change is damaged: {error}"))
});

/// Sorted by path.
static CONTAINERS: LazyLock<Vec<(Vec<&'static str>, ObjId)>> = LazyLock::new(|| {
    let mut ids = BTreeMap::from([(Vec::new(), ROOT)]);
    for (path, _) in first_containers() {
        let found = path.split_last().and_then(|(key, parent)| {
            BLANK.get(ids.get(parent)?, *key).ok().flatten().map(|(_, id)| id)
        });
        if let Some(id) = found {
            ids.insert(path, id);
        }
    }
    ids.into_iter().collect()
});

/// A document with the first change only.
pub(super) fn blank() -> Automerge {
    BLANK.clone()
}

static HASH: LazyLock<ChangeHash> =
    LazyLock::new(|| BLANK.get_heads().first().copied().unwrap_or(ChangeHash([0; 32])));

/// The hash of the first change.
pub fn hash() -> ChangeHash {
    *HASH
}

/// The object id of a container of the first change.
pub fn container(path: &[&str]) -> Option<&'static ObjId> {
    let at = CONTAINERS.binary_search_by(|(held, _)| held.as_slice().cmp(path)).ok()?;
    CONTAINERS.get(at).map(|(_, id)| id)
}

/// Builds the first change. Used by the test that checks the file, and to write the file of a new
/// schema.
pub fn build() -> Automerge {
    let mut doc = Automerge::new_with_encoding(TextEncoding::UnicodeCodePoint)
        .with_actor(ActorId::from(GENESIS_ACTOR.as_slice()));
    let mut ids: BTreeMap<Vec<&'static str>, ObjId> = BTreeMap::from([(Vec::new(), ROOT)]);
    let mut tx = doc.transaction();
    let mut make = || -> Result<(), automerge::AutomergeError> {
        tx.put(ROOT, "schema", SCHEMA)?;
        for (path, kind) in first_containers() {
            let Some((key, parent)) = path.split_last() else {
                continue;
            };
            let Some(parent) = ids.get(parent) else {
                continue;
            };
            let object = match kind {
                Kind::List => ObjType::List,
                Kind::MergedText(_) => ObjType::Text,
                _ => ObjType::Map,
            };
            let id = tx.put_object(parent, *key, object)?;
            ids.insert(path, id);
        }
        Ok(())
    };
    if let Err(error) = make() {
        unreachable!("writing into a new document cannot fail: {error}");
    }
    tx.commit_with(CommitOptions::default().with_time(0));
    doc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_what_this_code_builds() {
        let built = build();
        if std::env::var_os("DOORSTEP_WRITE_GENESIS").is_some() {
            std::fs::write("src/record/genesis/schema-1.automerge", built.save()).expect("written");
        }
        assert_eq!(built.get_heads(), vec![hash()]);
        assert_eq!(built.save(), BYTES);
    }

    #[test]
    fn every_container_is_found() {
        for (path, _) in first_containers() {
            assert!(container(&path).is_some(), "{path:?}");
        }
    }
}
