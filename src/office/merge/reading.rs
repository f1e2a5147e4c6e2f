//! Reads what refused changes say, field by field, without putting them into any document.
//!
//! For people who look at quarantine, where the changes fit no record. The bytes go through the
//! caps and the checksum like any others; nothing else is believed.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType};
use automerge::{ObjType, ScalarValue};

use super::chunk::Header;
use super::place::{self, Id};
use super::{Refusal, decoded, limits};
use crate::record::Record;
use crate::record::conflict::field_value;
use crate::record::refused::WrittenField;
use crate::record::view::FieldValue;

/// What changes make of which fields, each as the last of them leaves it; of texts and lists what
/// they put in. `record` is the office's, where it has one: it knows entries that stood before.
///
/// # Errors
/// The bytes are no changes, or pass a cap: nobody reads them.
pub(in crate::office) fn read(
    record: Option<&Record>,
    chunks: &[&[u8]],
) -> Result<Vec<WrittenField>, Refusal> {
    if chunks.len() > limits::CHANGES {
        return Err(Refusal::too_large("the push has too many changes"));
    }
    let headers = chunks.iter().map(|bytes| Header::parse(bytes)).collect::<Result<Vec<_>, _>>()?;
    if headers.iter().map(|header| header.operations).sum::<u64>() > limits::OPERATIONS {
        return Err(Refusal::too_large("the push holds too much"));
    }
    let read = AssertUnwindSafe(|| {
        let mut reading =
            Reading { record, objects: BTreeMap::new(), said: BTreeMap::new(), count: 0 };
        for header in &headers {
            let held = record.map(Record::document);
            if held.is_some_and(|doc| doc.get_change_meta_by_hash(&header.hash).is_some()) {
                continue;
            }
            let change = decoded(header)?.decode();
            for (counter, op) in (change.start_op.get()..).zip(&change.operations) {
                reading.operation(&OpId::new(counter, &change.actor_id), op);
            }
        }
        Ok(reading.into_fields())
    });
    catch_unwind(read).unwrap_or_else(|_| Err(Refusal::malformed("the bytes are no change")))
}

struct Reading<'r> {
    record: Option<&'r Record>,
    /// Objects that the changes make.
    objects: BTreeMap<Id, Vec<String>>,
    /// What they say of each path, and how many were said before it.
    said: BTreeMap<Vec<String>, (usize, FieldValue)>,
    count: usize,
}

impl Reading<'_> {
    /// An operation on an object that nobody knows says nothing.
    fn operation(&mut self, id: &OpId, op: &Op) {
        let Some(mut path) = self.place(&op.obj) else { return };
        match (&op.key, &op.action) {
            (Key::Map(key), action) => {
                path.push(key.to_string());
                match action {
                    OpType::Put(value) => self.says(path, field_value(value)),
                    OpType::Delete => self.says(path, FieldValue::Absent),
                    OpType::Make(ObjType::Map | ObjType::Table) => {
                        self.objects.insert((id.0, id.1.to_bytes().to_vec()), path);
                    }
                    OpType::Make(ObjType::List | ObjType::Text)
                    | OpType::Increment(_)
                    | OpType::MarkBegin(_)
                    | OpType::MarkEnd(_) => {}
                }
            }
            (Key::Seq(_), OpType::Put(ScalarValue::Str(text))) => self.puts_in(path, text),
            (Key::Seq(_), _) => {}
        }
    }

    fn says(&mut self, path: Vec<String>, value: FieldValue) {
        self.count += 1;
        self.said.insert(path, (self.count, value));
    }

    fn puts_in(&mut self, path: Vec<String>, text: &str) {
        match self.said.get_mut(&path) {
            Some((_, FieldValue::Text(whole))) => whole.push_str(text),
            Some(_) | None => self.says(path, FieldValue::Text(text.to_owned())),
        }
    }

    /// In the order in which they were said last.
    fn into_fields(self) -> Vec<WrittenField> {
        let mut said: Vec<_> = self.said.into_iter().collect();
        said.sort_by_key(|(_, (count, _))| *count);
        said.into_iter().map(|(path, (_, value))| WrittenField { path, value }).collect()
    }

    fn place(&self, object: &ObjectId) -> Option<Vec<String>> {
        let ObjectId::Id(id) = object else { return Some(Vec::new()) };
        let internal = (id.0, id.1.to_bytes().to_vec());
        let made = self.objects.get(&internal).cloned();
        made.or_else(|| place::first(&internal))
            .or_else(|| place::path_of(self.record?.document(), &place::public_id(id)))
    }
}
