//! The history, compared with what Automerge's own diffs say of each change.

use automerge::transaction::Transactable;
use automerge::{
    Automerge, ChangeHash, ObjId, ObjType, Patch, PatchAction, Prop, ROOT, ReadDoc, Value,
};
use doorstep::ids::{DeviceId, actor};
use doorstep::record::view::FieldValue;
use doorstep::record::{Record, genesis};
use proptest::prelude::*;

use super::fixtures::created;

/// One transaction on one of three devices; afterwards another device may receive all it has.
#[derive(Debug, Clone)]
struct Step {
    device: usize,
    edits: Vec<Edit>,
    send_to: Option<usize>,
}

/// An edit of one of the objects made so far, whether it is deleted or not.
#[derive(Debug, Clone)]
enum Edit {
    Put { object: usize, key: u8, value: i64 },
    Make { object: usize, key: u8, kind: ObjType },
    Delete { object: usize, key: u8 },
    Splice { object: usize, at: usize, delete: isize, text: String },
    Insert { object: usize, at: usize, text: String },
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_history_agrees_with_the_diff_of_every_change(steps in proptest::collection::vec(step(), 1..30)) {
        let doc = merged(&steps);
        let record = Record::load(&doc.save()).expect("loads");
        let history: Vec<_> = record
            .history()
            .into_iter()
            .map(|entry| (entry.path, entry.from, entry.to, entry.change))
            .collect();
        prop_assert_eq!(history, by_diffs(record.document()));
    }
}

fn step() -> impl Strategy<Value = Step> {
    let edits = proptest::collection::vec(edit(), 1..5);
    (0usize..3, edits, proptest::option::of(0usize..3)).prop_map(|(device, edits, send_to)| Step {
        device,
        edits,
        send_to,
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    let kind = prop_oneof![Just(ObjType::Map), Just(ObjType::Text), Just(ObjType::List)];
    prop_oneof![
        3 => (0usize..40, 0u8..3, 0i64..3)
            .prop_map(|(object, key, value)| Edit::Put { object, key, value }),
        2 => (0usize..40, 0u8..3, kind).prop_map(|(object, key, kind)| Edit::Make { object, key, kind }),
        1 => (0usize..40, 0u8..3).prop_map(|(object, key)| Edit::Delete { object, key }),
        3 => (0usize..40, 0usize..12, 0isize..4, "[a-z]{0,4}")
            .prop_map(|(object, at, delete, text)| Edit::Splice { object, at, delete, text }),
        1 => (0usize..40, 0usize..4, "[a-z]{1,3}")
            .prop_map(|(object, at, text)| Edit::Insert { object, at, text }),
    ]
}

/// A document of all steps. What an edit cannot do it leaves.
fn merged(steps: &[Step]) -> Automerge {
    let record = created();
    let mut devices: Vec<Automerge> = (1..=3)
        .map(|device| record.document().clone().with_actor(actor(DeviceId([device; 16]), 1)))
        .collect();
    let containers: [&[&str]; 5] =
        [&["contacts"], &["talk", "options"], &["case", "phones"], &["notes"], &["feedback"]];
    let mut objects: Vec<ObjId> =
        containers.iter().filter_map(|path| genesis::container(path).cloned()).collect();
    for Step { device, edits, send_to } in steps {
        let doc = &mut devices[*device];
        let made = doc.transact(|tx| {
            let mut made = Vec::new();
            for edit in edits {
                made.extend(apply(tx, &objects, edit).ok().flatten());
            }
            Ok::<_, automerge::AutomergeError>(made)
        });
        objects.extend(made.expect("committed").result);
        if let Some(to) = send_to.filter(|to| to != device) {
            let mut sent = devices[*device].clone();
            devices[to].merge(&mut sent).expect("merged");
        }
    }
    let [first, rest @ ..] = devices.as_mut_slice() else { unreachable!("three devices") };
    for other in rest {
        first.merge(other).expect("merged");
    }
    first.clone()
}

fn apply<T: Transactable>(
    tx: &mut T,
    objects: &[ObjId],
    edit: &Edit,
) -> Result<Option<ObjId>, automerge::AutomergeError> {
    let pick = |object: usize| objects.get(object % objects.len()).unwrap_or(&ROOT);
    let name = |key: u8| format!("k{key}");
    match edit {
        Edit::Put { object, key, value } => match tx.object_type(pick(*object))? {
            ObjType::List => tx.put(pick(*object), usize::from(*key), value.to_string())?,
            ObjType::Map | ObjType::Table | ObjType::Text => {
                tx.put(pick(*object), name(*key), *value)?;
            }
        },
        Edit::Make { object, key, kind } => {
            return tx.put_object(pick(*object), name(*key), *kind).map(Some);
        }
        Edit::Delete { object, key } => match tx.object_type(pick(*object))? {
            ObjType::List => tx.delete(pick(*object), usize::from(*key))?,
            ObjType::Map | ObjType::Table | ObjType::Text => {
                tx.delete(pick(*object), name(*key))?;
            }
        },
        Edit::Splice { object, at, delete, text } => {
            let length = tx.length(pick(*object));
            let at = (*at).min(length);
            let most = isize::try_from(length - at).unwrap_or(0);
            tx.splice_text(pick(*object), at, (*delete).min(most), text)?;
        }
        Edit::Insert { object, at, text } => {
            tx.insert(pick(*object), (*at).min(tx.length(pick(*object))), text.as_str())?;
        }
    }
    Ok(None)
}

type Line = (String, FieldValue, FieldValue, String);

/// The history as the diffs of the changes against their dependencies give it.
fn by_diffs(doc: &Automerge) -> Vec<Line> {
    let mut lines = Vec::new();
    for change in doc.get_changes_meta(&[]) {
        if change.hash == genesis::hash() {
            continue;
        }
        let mut fields: Vec<Line> = Vec::new();
        for patch in doc.diff(&change.deps, &[change.hash]) {
            let field = field_of(doc, &patch, &change.deps, change.hash);
            // A text or a list changes in several patches.
            fields.extend(field.filter(|field| fields.last().is_none_or(|last| last.0 != field.0)));
        }
        lines.extend(fields);
    }
    lines
}

fn field_of(
    doc: &Automerge,
    patch: &Patch,
    before: &[ChangeHash],
    hash: ChangeHash,
) -> Option<Line> {
    let place: Vec<String> = patch
        .path
        .iter()
        .map(|(_, prop)| match prop {
            Prop::Map(key) => key.clone(),
            Prop::Seq(index) => index.to_string(),
        })
        .collect();
    let joined = |key: &String| place.iter().chain([key]).cloned().collect::<Vec<_>>().join(".");
    let value_before = |key: &String| match doc.get_at(&patch.obj, key.as_str(), before) {
        Ok(Some((Value::Scalar(scalar), _))) => FieldValue::from(scalar.as_ref()),
        Ok(Some((Value::Object(_), _)) | None) | Err(_) => FieldValue::Absent,
    };
    let whole = |heads: &[ChangeHash]| match doc.object_type(&patch.obj) {
        Ok(ObjType::Text) => FieldValue::Text(doc.text_at(&patch.obj, heads).unwrap_or_default()),
        _ => FieldValue::Text(
            doc.values_at(&patch.obj, heads)
                .filter_map(|(value, _)| value.as_str().map(str::to_owned))
                .collect::<Vec<_>>()
                .join(", "),
        ),
    };
    let change = hash.to_string();
    match &patch.action {
        PatchAction::PutMap { key, value: (Value::Scalar(scalar), _), .. } => {
            Some((joined(key), value_before(key), FieldValue::from(scalar.as_ref()), change))
        }
        PatchAction::DeleteMap { key } => {
            Some((joined(key), value_before(key), FieldValue::Absent, change))
        }
        PatchAction::PutSeq { .. }
        | PatchAction::Insert { .. }
        | PatchAction::SpliceText { .. }
        | PatchAction::DeleteSeq { .. } => {
            Some((place.join("."), whole(before), whole(&[hash]), change))
        }
        PatchAction::PutMap { .. }
        | PatchAction::Increment { .. }
        | PatchAction::Conflict { .. }
        | PatchAction::Mark { .. } => None,
    }
}
