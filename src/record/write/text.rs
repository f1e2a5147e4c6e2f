//! Text that is merged by character.
//!
//! A page hands over the whole text as the person left it and the heads of the view that it was
//! filled from. The difference is worked out against that state, then carried over to the present
//! one, so that what others wrote meanwhile stays.

use std::collections::BTreeMap;
use std::ops::Range;

use automerge::transaction::{Transactable, Transaction};
use automerge::{Automerge, ChangeHash, ObjId, ReadDoc};

use super::{RecordWriter, container, wrong};
use crate::ids::Heads;
use crate::record::CommandError;
use crate::record::authority::WriteOp;
use crate::record::schema::Kind;

/// The one stretch in which two texts differ, counted in characters.
struct Difference {
    at: usize,
    deleted: usize,
    inserted: String,
}

fn difference(before: &str, after: &str) -> Difference {
    let before: Vec<char> = before.chars().collect();
    let after: Vec<char> = after.chars().collect();
    let same = |(a, b): &(&char, &char)| a == b;
    let head = before.iter().zip(&after).take_while(same).count();
    let rest = before.len().min(after.len()) - head;
    let tail = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(same).count();
    Difference {
        at: head,
        deleted: before.len() - head - tail,
        inserted: after.iter().skip(head).take(after.len() - head - tail).collect(),
    }
}

impl RecordWriter<'_, '_> {
    pub(super) fn edit_text(
        &mut self,
        key: &'static str,
        base: &[String],
        after: &str,
    ) -> Result<(), CommandError> {
        let row = self.authorize(&[key], WriteOp::Update)?;
        let object = container(&[key])?;
        let length = self.tx.length(object);
        merge(self.tx, object, self.before, base, after, key)?;
        // A text that two people made too long together can be made shorter bit by bit.
        match (row.kind, self.tx.length(object)) {
            (Kind::MergedText(most), now) if now > most && now > length => {
                Err(wrong(&[key], "too long"))
            }
            _ => Ok(()),
        }
    }
}

/// Writes what changed between the text at `base` and `after` into the text as it is now.
fn merge(
    tx: &mut Transaction<'_>,
    object: &ObjId,
    doc: &Automerge,
    base: &[String],
    after: &str,
    path: &'static str,
) -> Result<(), CommandError> {
    let base = Heads::from_hex(base)
        .filter(|heads| heads.as_slice().iter().all(|h| doc.get_change_meta_by_hash(h).is_some()))
        .ok_or(CommandError::Missing { path: path.to_owned() })?;
    let seen_all = base == Heads::new(doc.get_heads());
    let base: &[ChangeHash] = base.as_slice();
    let change = difference(&doc.text_at(object, base)?, after);
    let deleted = change.at..change.at + change.deleted;
    // Nothing was written meanwhile: places are as they were.
    let (mut at, doomed) = if seen_all {
        (change.at, Vec::from_iter((!deleted.is_empty()).then_some(deleted)))
    } else {
        carried_over(doc, object, deleted, base)
    };
    if !change.inserted.is_empty() {
        // Behind what is deleted reads better than before it where both ends moved.
        at = doomed.first().map_or(at, |first| first.start);
    }
    for stretch in doomed.into_iter().rev() {
        let length = isize::try_from(stretch.len()).unwrap_or(isize::MAX);
        tx.splice_text(object, stretch.start, length, "")?;
    }
    tx.splice_text(object, at, 0, &change.inserted)?;
    Ok(())
}

/// Where a stretch of the text at `base` begins now, and the stretches of it that still stand, in
/// order: without what is gone, and without what others put in between. The nearest character
/// before it that still stands holds its place.
fn carried_over(
    doc: &Automerge,
    object: &ObjId,
    stretch: Range<usize>,
    base: &[ChangeHash],
) -> (usize, Vec<Range<usize>>) {
    let was: Vec<ObjId> =
        doc.list_range_at(object, ..stretch.end, base).map(|item| item.id()).collect();
    let now: BTreeMap<ObjId, usize> =
        doc.list_range(object, ..).enumerate().map(|(at, item)| (item.id(), at)).collect();
    let before = was.iter().take(stretch.start).rev().find_map(|id| now.get(id));
    let mut standing: Vec<Range<usize>> = Vec::new();
    for at in was.iter().skip(stretch.start).filter_map(|id| now.get(id)).copied() {
        match standing.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            Some(_) | None => standing.push(at..at + 1),
        }
    }
    (before.map_or(0, |at| at + 1), standing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_difference_rebuilds_the_text(before in "[ab你]{0,12}", after in "[ab你]{0,12}") {
            let change = difference(&before, &after);
            let mut chars: Vec<char> = before.chars().collect();
            chars.splice(change.at..change.at + change.deleted, change.inserted.chars());
            prop_assert_eq!(chars.into_iter().collect::<String>(), after);
        }
    }
}
