//! The causal past of a change: what its author had seen.

use std::collections::BTreeMap;

use automerge::legacy::OpId;
use automerge::{ActorId, Automerge, ChangeHash};

use crate::office::change::ChangeMeta;
use crate::record::genesis;

/// The last change of an actor that is part of a causal past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    seq: u64,
    max_op: u64,
}

/// The causal past of a change, as a version vector: for each actor its last change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CausalPast(BTreeMap<ActorId, Extent>);

impl CausalPast {
    /// Everything that a document has: the genesis change and these.
    pub(super) fn of_all(doc: &Automerge, changes: &[ChangeMeta]) -> Self {
        let mut all = Self::default();
        if let Some(first) = doc.get_change_meta_by_hash(&genesis::hash()) {
            all.include(&first.actor, first.seq, first.max_op);
        }
        changes.iter().for_each(|change| all.add(change));
        all
    }

    /// Adds a change that was accepted.
    pub(super) fn add(&mut self, change: &ChangeMeta) {
        self.include(&change.actor, change.seq, change.max_op);
    }

    /// The past of a change with these dependencies; `self` is everything that the document has.
    /// Takes time in proportion to what the author had not seen.
    pub(super) fn at(&self, doc: &Automerge, deps: &[ChangeHash]) -> Self {
        let mut past = self.clone();
        // An actor's changes form a chain, so what is not included is its end.
        for unseen in doc.get_changes_meta(deps) {
            past.exclude(&unseen.actor, unseen.seq, unseen.start_op);
        }
        past
    }

    /// Sequence number of the actor's last change, 0 where there is none.
    pub(super) fn last_seq(&self, actor: &ActorId) -> u64 {
        self.0.get(actor).map_or(0, |extent| extent.seq)
    }

    /// Whether any change of the actor is included.
    pub(super) fn includes_actor(&self, actor: &ActorId) -> bool {
        self.0.contains_key(actor)
    }

    /// Whether an operation that the document has is included.
    pub(super) fn includes(&self, id: &OpId) -> bool {
        self.0.get(&id.1).is_some_and(|extent| id.0 <= extent.max_op)
    }

    /// Whether a change that the document has is included.
    pub(super) fn includes_change(&self, doc: &Automerge, hash: &ChangeHash) -> bool {
        doc.get_change_meta_by_hash(hash)
            .is_some_and(|change| change.seq <= self.last_seq(&change.actor))
    }

    fn include(&mut self, actor: &ActorId, seq: u64, max_op: u64) {
        match self.0.get_mut(actor) {
            Some(extent) => {
                extent.seq = extent.seq.max(seq);
                extent.max_op = extent.max_op.max(max_op);
            }
            None => drop(self.0.insert(actor.clone(), Extent { seq, max_op })),
        }
    }

    fn exclude(&mut self, actor: &ActorId, seq: u64, start_op: u64) {
        let Some(extent) = self.0.get_mut(actor) else { return };
        extent.seq = extent.seq.min(seq.saturating_sub(1));
        extent.max_op = extent.max_op.min(start_op.saturating_sub(1));
        if extent.seq == 0 {
            self.0.remove(actor);
        }
    }
}

/// The highest operation counter among some changes of a document.
pub(super) fn max_op(doc: &Automerge, hashes: &[ChangeHash]) -> u64 {
    let changes = hashes.iter().filter_map(|hash| doc.get_change_meta_by_hash(hash));
    changes.map(|change| change.max_op).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use automerge::ROOT;
    use automerge::transaction::{CommitOptions, Transactable};

    use super::*;
    use crate::record::Record;

    fn meta(change: &automerge::ChangeMetadata<'_>) -> ChangeMeta {
        let (hash, actor) = (change.hash, change.actor.clone().into_owned());
        ChangeMeta { hash, actor, seq: change.seq, max_op: change.max_op }
    }

    /// Replicas that write, write nothing, and merge with one another at random.
    fn document(rng: &mut fastrand::Rng) -> Automerge {
        let mut replicas: Vec<Automerge> = (0..4_u8)
            .map(|n| Record::blank().document().clone().with_actor(ActorId::from([n; 24])))
            .collect();
        for n in 0..rng.usize(1..40) {
            let one = rng.usize(0..replicas.len());
            match rng.u8(0..4) {
                0 => {
                    let mut other = replicas[rng.usize(0..replicas.len())].clone();
                    replicas[one].merge(&mut other).unwrap();
                }
                1 => drop(replicas[one].empty_commit(CommitOptions::default())),
                _ => {
                    let put = |tx: &mut automerge::transaction::Transaction<'_>| {
                        (0..n % 3).try_for_each(|key| tx.put(ROOT, format!("k{key}"), n as i64))
                    };
                    drop(replicas[one].transact(put));
                }
            }
        }
        let mut all = replicas.remove(0);
        replicas.iter_mut().for_each(|replica| drop(all.merge(replica).unwrap()));
        all
    }

    /// By walking the dependencies.
    fn walked(doc: &Automerge, deps: &[ChangeHash]) -> CausalPast {
        let (mut past, mut seen, mut open) =
            (CausalPast::default(), BTreeSet::new(), deps.to_vec());
        while let Some(hash) = open.pop() {
            if seen.insert(hash) {
                let change = doc.get_change_meta_by_hash(&hash).unwrap();
                past.add(&meta(&change));
                open.extend(&change.deps);
            }
        }
        past
    }

    #[test]
    fn the_past_is_what_a_walk_over_the_dependencies_finds() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..50 {
            let doc = document(&mut rng);
            let changes = doc.get_changes_meta(&[genesis::hash()]);
            let changes: Vec<ChangeMeta> = changes.iter().map(meta).collect();
            let all = CausalPast::of_all(&doc, &changes);
            assert_eq!(all, walked(&doc, &doc.get_heads()));
            assert_eq!(all.at(&doc, &[]), CausalPast::default());
            for change in doc.get_changes(&[]) {
                let (past, walked) = (all.at(&doc, change.deps()), walked(&doc, change.deps()));
                for actor in all.0.keys() {
                    assert_eq!(past.last_seq(actor), walked.last_seq(actor));
                }
                for other in doc.get_changes(&[]) {
                    let made = other.start_op().get()..=other.max_op();
                    for counter in made {
                        let id = OpId::new(counter, other.actor_id());
                        assert_eq!(past.includes(&id), walked.includes(&id));
                    }
                    let hash = other.hash();
                    let included = past.includes_change(&doc, &hash);
                    assert_eq!(included, walked.includes_change(&doc, &hash));
                }
            }
        }
    }
}
