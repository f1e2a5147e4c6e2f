//! Metadata of a change, shared by the judge and the store.

use automerge::{ActorId, ChangeHash};

/// What is known of a change without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeMeta {
    /// SHA-256 of the chunk.
    pub hash: ChangeHash,
    /// The actor that wrote it.
    pub actor: ActorId,
    /// Sequence number within the actor's changes, from 1.
    pub seq: u64,
    /// Highest operation counter of the change.
    pub max_op: u64,
}
