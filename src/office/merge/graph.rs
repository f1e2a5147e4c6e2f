//! The change graph of a record, and the causal past of a change: what its author had seen.

use std::collections::{BTreeMap, BTreeSet};

use automerge::legacy::OpId;
use automerge::{ActorId, Automerge, ChangeHash};

use crate::office::change::ChangeMeta;

/// The last change of an actor that is part of a causal past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    seq: u64,
    max_op: u64,
}

/// The causal past of a change, as a version vector: for each actor its last change.
#[derive(Debug, Default)]
pub(super) struct CausalPast(BTreeMap<ActorId, Extent>);

impl CausalPast {
    /// Sequence number of the actor's last change, 0 where there is none.
    pub(super) fn last_seq(&self, actor: &ActorId) -> u64 {
        self.0.get(actor).map_or(0, |extent| extent.seq)
    }

    /// Whether any change of the actor is included.
    pub(super) fn includes_actor(&self, actor: &ActorId) -> bool {
        self.0.contains_key(actor)
    }

    /// Whether the operation is included. An actor's changes form a chain, so comparing with its
    /// highest counter is enough.
    pub(super) fn includes(&self, id: &OpId) -> bool {
        self.0.get(&id.1).is_some_and(|extent| id.0 <= extent.max_op)
    }

    fn add(&mut self, node: &Node) {
        let extent = self.0.entry(node.actor.clone()).or_insert(Extent { seq: 0, max_op: 0 });
        extent.seq = extent.seq.max(node.seq);
        extent.max_op = extent.max_op.max(node.max_op);
    }
}

#[derive(Debug)]
struct Node {
    actor: ActorId,
    seq: u64,
    max_op: u64,
    deps: Vec<ChangeHash>,
}

/// Every change of a document with its dependencies.
#[derive(Debug)]
pub(super) struct ChangeGraph(BTreeMap<ChangeHash, Node>);

impl ChangeGraph {
    /// The graph of a document.
    pub(super) fn of(doc: &Automerge) -> Self {
        let nodes = doc.get_changes_meta(&[]).into_iter().map(|change| {
            let node = Node {
                actor: change.actor.into_owned(),
                seq: change.seq,
                max_op: change.max_op,
                deps: change.deps,
            };
            (change.hash, node)
        });
        Self(nodes.collect())
    }

    /// Adds a change that was accepted.
    pub(super) fn add(&mut self, change: &ChangeMeta, deps: Vec<ChangeHash>) {
        let ChangeMeta { hash, actor, seq, max_op } = change.clone();
        self.0.insert(hash, Node { actor, seq, max_op, deps });
    }

    /// The actor of a change and its sequence number.
    pub(super) fn author_seq(&self, hash: &ChangeHash) -> Option<(&ActorId, u64)> {
        self.0.get(hash).map(|node| (&node.actor, node.seq))
    }

    /// The highest operation counter among some changes.
    pub(super) fn max_op(&self, hashes: &[ChangeHash]) -> u64 {
        hashes.iter().filter_map(|hash| self.0.get(hash)).map(|node| node.max_op).max().unwrap_or(0)
    }

    /// The causal past of a change with these dependencies.
    pub(super) fn past_of(&self, deps: &[ChangeHash]) -> CausalPast {
        let mut past = CausalPast::default();
        let mut visited: BTreeSet<ChangeHash> = BTreeSet::new();
        let mut open = deps.to_vec();
        while let Some(hash) = open.pop() {
            if !visited.insert(hash) {
                continue;
            }
            if let Some(node) = self.0.get(&hash) {
                past.add(node);
                open.extend(&node.deps);
            }
        }
        past
    }
}
