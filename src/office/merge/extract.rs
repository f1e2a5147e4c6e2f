//! Extracts the fields that refused changes write, without applying them to a document.
//!
//! Used to show quarantined work that fits no record. Limits and checksums are enforced as for any
//! push; nothing else in the bytes is trusted.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType};
use automerge::{ObjType, ScalarValue};

use super::header::ChangeHeader;
use super::object_path::{self, Id};
use super::{Refusal, decode, limits};
use crate::record::Record;
use crate::record::history::WrittenField;
use crate::record::view::FieldValue;

/// The fields that the changes write, with the last value of each; for texts and lists the inserted
/// parts. `record` is the office's copy, if any: it resolves paths of existing entries.
///
/// # Errors
/// The bytes are not changes, or exceed a limit.
pub(in crate::office) fn extract_fields(
    record: Option<&Record>,
    chunks: &[&[u8]],
) -> Result<Vec<WrittenField>, Refusal> {
    if chunks.len() > limits::CHANGES {
        return Err(Refusal::too_large("the push has too many changes"));
    }
    let headers =
        chunks.iter().map(|bytes| ChangeHeader::parse(bytes)).collect::<Result<Vec<_>, _>>()?;
    if headers.iter().map(|header| header.operations).sum::<u64>() > limits::OPERATIONS {
        return Err(Refusal::too_large("the push has too many operations"));
    }
    let extract = AssertUnwindSafe(|| {
        let mut extractor =
            FieldExtractor { record, objects: BTreeMap::new(), values: BTreeMap::new(), count: 0 };
        for header in &headers {
            let held = record.map(Record::document);
            if held.is_some_and(|doc| doc.get_change_meta_by_hash(&header.hash).is_some()) {
                continue;
            }
            let change = decode(header)?.decode();
            for (counter, op) in (change.start_op.get()..).zip(&change.operations) {
                extractor.operation(&OpId::new(counter, &change.actor_id), op);
            }
        }
        Ok(extractor.into_fields())
    });
    catch_unwind(extract).unwrap_or_else(|_| Err(Refusal::malformed("the bytes are not a change")))
}

struct FieldExtractor<'r> {
    record: Option<&'r Record>,
    /// Objects that the changes create.
    objects: BTreeMap<Id, Vec<String>>,
    /// The value of each path, and the number of writes up to it.
    values: BTreeMap<Vec<String>, (usize, FieldValue)>,
    count: usize,
}

impl FieldExtractor<'_> {
    /// Operations on unknown objects are ignored.
    fn operation(&mut self, id: &OpId, op: &Op) {
        let Some(mut path) = self.path_of(&op.obj) else { return };
        match (&op.key, &op.action) {
            (Key::Map(key), action) => {
                path.push(key.to_string());
                match action {
                    OpType::Put(value) => self.set(path, FieldValue::from(value)),
                    OpType::Delete => self.set(path, FieldValue::Absent),
                    OpType::Make(ObjType::Map | ObjType::Table) => {
                        self.objects.insert((id.0, id.1.to_bytes().to_vec()), path);
                    }
                    OpType::Make(ObjType::List | ObjType::Text)
                    | OpType::Increment(_)
                    | OpType::MarkBegin(_)
                    | OpType::MarkEnd(_) => {}
                }
            }
            (Key::Seq(_), OpType::Put(ScalarValue::Str(text))) => self.append_text(path, text),
            (Key::Seq(_), _) => {}
        }
    }

    fn set(&mut self, path: Vec<String>, value: FieldValue) {
        self.count += 1;
        self.values.insert(path, (self.count, value));
    }

    fn append_text(&mut self, path: Vec<String>, text: &str) {
        match self.values.get_mut(&path) {
            Some((_, FieldValue::Text(whole))) => whole.push_str(text),
            Some(_) | None => self.set(path, FieldValue::Text(text.to_owned())),
        }
    }

    /// In the order of their last writes.
    fn into_fields(self) -> Vec<WrittenField> {
        let mut fields: Vec<_> = self.values.into_iter().collect();
        fields.sort_by_key(|(_, (count, _))| *count);
        fields.into_iter().map(|(path, (_, value))| WrittenField { path, value }).collect()
    }

    fn path_of(&self, object: &ObjectId) -> Option<Vec<String>> {
        let ObjectId::Id(id) = object else { return Some(Vec::new()) };
        let internal = (id.0, id.1.to_bytes().to_vec());
        let made = self.objects.get(&internal).cloned();
        made.or_else(|| object_path::genesis_path(&internal))
            .or_else(|| object_path::path_of(self.record?.document(), &object_path::public_id(id)))
    }
}
