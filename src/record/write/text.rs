//! Edits of text that is merged by character.
//!
//! A page gives the whole new text and the heads of the view that the form was filled from. The
//! diff is computed against that state and applied to the present one, which keeps what others
//! wrote in between.

use std::collections::BTreeMap;
use std::ops::Range;

use automerge::transaction::{Transactable, Transaction};
use automerge::{Automerge, ChangeHash, ObjId, ReadDoc};

use super::{RecordWriter, container, wrong};
use crate::ids::Heads;
use crate::record::CommandError;
use crate::record::authority::WriteOp;
use crate::record::schema::Kind;

/// The one range in which two texts differ, in characters.
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
        // Two concurrent edits can exceed the limit together; edits that shorten are allowed.
        match (row.kind, self.tx.length(object)) {
            (Kind::MergedText(most), now) if now > most && now > length => {
                Err(wrong(&[key], "too long"))
            }
            _ => Ok(()),
        }
    }
}

/// Applies the difference between the text at `base` and `after` to the present text.
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
    // Without concurrent edits, positions are unchanged.
    let (mut at, deleted_ranges) = if seen_all {
        (change.at, Vec::from_iter((!deleted.is_empty()).then_some(deleted)))
    } else {
        map_range(doc, object, deleted, base)
    };
    if !change.inserted.is_empty() {
        // Insert where the deleted text begins now.
        at = deleted_ranges.first().map_or(at, |first| first.start);
    }
    for range in deleted_ranges.into_iter().rev() {
        let length = isize::try_from(range.len()).unwrap_or(isize::MAX);
        tx.splice_text(object, range.start, length, "")?;
    }
    tx.splice_text(object, at, 0, &change.inserted)?;
    Ok(())
}

/// Maps a range of the text at `base` to the present text: the position where it begins now, and
/// the ranges of it that still exist, in order, without text that others inserted. The nearest
/// preceding character that still exists marks the position.
fn map_range(
    doc: &Automerge,
    object: &ObjId,
    range: Range<usize>,
    base: &[ChangeHash],
) -> (usize, Vec<Range<usize>>) {
    let was: Vec<ObjId> =
        doc.list_range_at(object, ..range.end, base).map(|item| item.id()).collect();
    let now: BTreeMap<ObjId, usize> =
        doc.list_range(object, ..).enumerate().map(|(at, item)| (item.id(), at)).collect();
    let before = was.iter().take(range.start).rev().find_map(|id| now.get(id));
    let mut remaining: Vec<Range<usize>> = Vec::new();
    for at in was.iter().skip(range.start).filter_map(|id| now.get(id)).copied() {
        match remaining.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            Some(_) | None => remaining.push(at..at + 1),
        }
    }
    (before.map_or(0, |at| at + 1), remaining)
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
