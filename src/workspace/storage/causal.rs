//! Applies changes from chunks, outbox and replies to a record, in causal order.

use std::collections::BTreeSet;

use automerge::{Change, ChangeHash};

use crate::record::Record;

/// Applies every change whose dependencies are there, whatever the order of the list; gives the
/// number of changes that do not fit.
pub(crate) fn apply_in_order(record: &mut Record, changes: Vec<Change>) -> usize {
    let (ordered, stranded) = causal_order(record, changes);
    if ordered.is_empty() || record.apply_changes(ordered.clone()).is_ok() {
        return stranded;
    }
    // One bad change fails the batch: apply the others without it and what builds on it.
    let mut refused = stranded;
    for change in ordered {
        let fits = change.deps().iter().all(|dep| record.contains(dep));
        if !fits || record.apply_changes(vec![change]).is_err() {
            refused += 1;
        }
    }
    refused
}

/// The changes that the record lacks, each after its dependencies, and the number of those whose
/// dependencies are missing.
fn causal_order(record: &Record, changes: Vec<Change>) -> (Vec<Change>, usize) {
    let mut hashes: BTreeSet<ChangeHash> = BTreeSet::new();
    let mut ordered: Vec<Change> = Vec::new();
    let mut waiting: Vec<Change> = changes;
    loop {
        let before = waiting.len();
        let mut left = Vec::new();
        for change in waiting {
            if record.contains(&change.hash()) || hashes.contains(&change.hash()) {
                continue;
            }
            if change.deps().iter().all(|dep| hashes.contains(dep) || record.contains(dep)) {
                hashes.insert(change.hash());
                ordered.push(change);
            } else {
                left.push(change);
            }
        }
        if left.is_empty() || left.len() == before {
            return (ordered, left.len());
        }
        waiting = left;
    }
}

#[cfg(test)]
mod tests {
    use automerge::transaction::{CommitOptions, Transactable};
    use automerge::{ActorId, ROOT};

    use super::*;

    /// A change of one actor on top of a record.
    fn change(record: &Record, actor: u8, key: &str) -> Change {
        let mut doc = record.document().clone();
        doc.set_actor(ActorId::from([actor; 24].as_slice()));
        let put = doc.transact_with::<_, _, automerge::AutomergeError, _>(
            |()| CommitOptions::default().with_time(0),
            |tx| tx.put(ROOT, key, 1),
        );
        let hash = put.unwrap().hash.unwrap();
        doc.get_changes(&[]).into_iter().find(|change| change.hash() == hash).unwrap()
    }

    fn with(record: &Record, change: &Change) -> Record {
        let mut record = record.clone();
        record.apply_changes(vec![change.clone()]).unwrap();
        record
    }

    #[test]
    fn changes_are_applied_whatever_their_order() {
        let blank = Record::blank();
        let first = change(&blank, 1, "a");
        let second = change(&with(&blank, &first), 2, "b");
        let third = change(&with(&with(&blank, &first), &second), 1, "c");
        let lone = change(&blank, 3, "d");
        let whole = with(&with(&with(&with(&blank, &first), &second), &third), &lone);
        let mut record = with(&blank, &first);
        let changes = vec![third.clone(), lone, second.clone(), third, first, second];
        assert_eq!(apply_in_order(&mut record, changes), 0);
        assert_eq!(record.heads(), whole.heads());
    }

    #[test]
    fn a_change_without_its_dependencies_stays_out() {
        let blank = Record::blank();
        let first = change(&blank, 1, "a");
        let second = change(&with(&blank, &first), 2, "b");
        let lone = change(&blank, 3, "d");
        let mut record = blank.clone();
        assert_eq!(apply_in_order(&mut record, vec![second, lone.clone()]), 1);
        assert_eq!(record.heads(), with(&blank, &lone).heads());
        // Nothing is queued inside the document.
        assert_eq!(apply_in_order(&mut record, vec![first]), 0);
        assert_eq!(record.document().get_changes(&[]).len(), 3);
    }

    #[test]
    fn a_change_that_cannot_be_applied_leaves_out_only_what_builds_on_it() {
        let blank = Record::blank();
        let first = change(&blank, 1, "a");
        // The same actor and number with other content, as after a restored backup.
        let fork = change(&blank, 1, "x");
        let on_fork = change(&with(&blank, &fork), 2, "y");
        let lone = change(&blank, 3, "d");
        let mut record = blank.clone();
        let changes = vec![first.clone(), fork, on_fork, lone.clone()];
        assert_eq!(apply_in_order(&mut record, changes), 2);
        assert_eq!(record.heads(), with(&with(&blank, &first), &lone).heads());
    }
}
