//! What the author of a change had seen: the past of its dependencies.

use std::collections::{BTreeMap, BTreeSet};

use automerge::legacy::OpId;
use automerge::{ActorId, Automerge, ChangeHash};

/// How far an actor was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reach {
    seq: u64,
    max_op: u64,
}

/// For each actor, the last of its changes that was seen.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<ActorId, Reach>);

impl Seen {
    /// The number of the actor's last change that was seen, 0 where none was.
    pub(super) fn last_seq(&self, actor: &ActorId) -> u64 {
        self.0.get(actor).map_or(0, |reach| reach.seq)
    }

    /// Whether anything of the actor was seen.
    pub(super) fn knows(&self, actor: &ActorId) -> bool {
        self.0.contains_key(actor)
    }

    /// Whether the operation was seen. An actor's changes form a chain, so its highest counter
    /// says it.
    pub(super) fn covers(&self, id: &OpId) -> bool {
        self.0.get(&id.1).is_some_and(|reach| id.0 <= reach.max_op)
    }

    fn add(&mut self, node: &Node) {
        let reach = self.0.entry(node.actor.clone()).or_insert(Reach { seq: 0, max_op: 0 });
        reach.seq = reach.seq.max(node.seq);
        reach.max_op = reach.max_op.max(node.max_op);
    }
}

#[derive(Debug)]
struct Node {
    actor: ActorId,
    seq: u64,
    max_op: u64,
    deps: Vec<ChangeHash>,
}

/// Every change of a document and what it follows.
#[derive(Debug)]
pub(super) struct Graph(BTreeMap<ChangeHash, Node>);

impl Graph {
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
    pub(super) fn add(
        &mut self,
        hash: ChangeHash,
        actor: ActorId,
        seq: u64,
        max_op: u64,
        deps: Vec<ChangeHash>,
    ) {
        self.0.insert(hash, Node { actor, seq, max_op, deps });
    }

    /// Who wrote a change, and its number among the author's.
    pub(super) fn number(&self, hash: &ChangeHash) -> Option<(&ActorId, u64)> {
        self.0.get(hash).map(|node| (&node.actor, node.seq))
    }

    /// The highest operation counter among some changes.
    pub(super) fn max_op(&self, hashes: &[ChangeHash]) -> u64 {
        hashes.iter().filter_map(|hash| self.0.get(hash)).map(|node| node.max_op).max().unwrap_or(0)
    }

    /// Everything that a change with these dependencies had seen.
    pub(super) fn past(&self, deps: &[ChangeHash]) -> Seen {
        let mut seen = Seen::default();
        let mut visited: BTreeSet<ChangeHash> = BTreeSet::new();
        let mut open = deps.to_vec();
        while let Some(hash) = open.pop() {
            if !visited.insert(hash) {
                continue;
            }
            if let Some(node) = self.0.get(&hash) {
                seen.add(node);
                open.extend(&node.deps);
            }
        }
        seen
    }
}
