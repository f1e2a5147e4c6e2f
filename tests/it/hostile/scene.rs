//! The attacker: a synchronized phone with honest unsent changes, from which forgeries are made.

use std::cell::RefCell;
use std::collections::BTreeMap;

use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType, SortedVec};
use automerge::{ActorId, Change, ExpandedChange, ObjId, ROOT, ReadDoc, ScalarValue};
use doorstep::ids::{DeviceId, RecordId, actor};
use doorstep::record::command::{Command, TalkPatch};
use doorstep::record::genesis;
use doorstep::record::terms::Disposition;
use doorstep::sync::message::{Outcome, Packed, Push, RefusalCode, Request, Tables};

use crate::hostile::server::{Line, Server};
use crate::support::sync_client::{START, SyncClient, contact, notes};

/// Its device.
pub(crate) const DEVICE: DeviceId = DeviceId([1; 16]);

/// The contact in each of its records.
pub(crate) const CONTACT: &str = "018bcfe5-0000-7000-8000-000000000001";

pub(crate) struct Scene {
    pub(crate) phone: SyncClient,
    pub(crate) line: Line,
    /// Records that no attack has used.
    fresh: Vec<RecordId>,
    /// What the office must still say of each record that was attacked.
    before: BTreeMap<RecordId, Vec<String>>,
    /// Records that hold what the phone did not write.
    for_good: Vec<RecordId>,
    /// What was not as it must be.
    wrong: RefCell<Vec<String>>,
    /// Whose record is not this one's.
    pub(crate) others: RecordId,
    /// The phone of that other user.
    pub(crate) others_phone: SyncClient,
    /// A record of both.
    pub(crate) shared: RecordId,
    /// A sealed record.
    pub(crate) sealed: RecordId,
}

/// One attack's stage: a record of its own.
pub(crate) struct Stage<'s> {
    pub(crate) scene: &'s Scene,
    pub(crate) id: RecordId,
}

impl Scene {
    pub(crate) fn new(server: &Server) -> Self {
        let other = Line::new(server, "wu.min", DeviceId([3; 16]));
        let mut wu = SyncClient::on("wu.min", vec![3; 16]);
        wu.rounds(|request| other.round(request));
        let line = Line::new(server, "chen.jie", DEVICE);
        let mut phone = SyncClient::on("chen.jie", DEVICE.0.to_vec());
        phone.rounds(|request| line.round(request));
        let mut fresh = phone.ids();
        let others = wu.ids().into_iter().find(|id| !fresh.contains(id)).unwrap();
        let shared = wu.ids().into_iter().find(|id| fresh.contains(id)).unwrap();
        fresh.retain(|id| *id != shared);
        for id in &fresh {
            phone.write(*id, contact(1));
            phone.write(*id, notes(&phone, *id, "门口有狗"));
        }
        let sealed = fresh.pop().unwrap();
        let patch = TalkPatch { disposition: Some(Disposition::NotHome), ..TalkPatch::default() };
        phone.write(sealed, Command::EditTalk(patch));
        phone.write(sealed, Command::Seal { at: START });
        phone.rounds(|request| line.round(request));
        for id in &fresh {
            phone.write(*id, contact(2));
        }
        Self {
            phone,
            line,
            fresh,
            before: BTreeMap::new(),
            for_good: Vec::new(),
            wrong: RefCell::default(),
            others,
            others_phone: wu,
            shared,
            sealed,
        }
    }

    /// A record that no attack has used.
    pub(crate) fn take(&mut self) -> RecordId {
        let id = self.fresh.pop().expect("enough records");
        self.before.insert(id, self.phone.confirmed(id).to_hex());
        id
    }

    /// A record for a change that is accepted, though the phone did not write it.
    pub(crate) fn take_for_good(&mut self) -> RecordId {
        let id = self.fresh.pop().expect("enough records");
        self.for_good.push(id);
        id
    }

    pub(crate) fn stage(&self, id: RecordId) -> Stage<'_> {
        Stage { scene: self, id }
    }

    /// Pushes chunks as they are, in a request of their own.
    pub(crate) fn push(&self, id: RecordId, chunks: &[Vec<u8>]) -> Outcome {
        let changes = chunks.iter().map(|chunk| Packed::plain(chunk)).collect();
        self.push_packed(id, changes, Tables::default())
    }

    pub(crate) fn push_packed(
        &self,
        id: RecordId,
        changes: Vec<Packed>,
        tables: Tables,
    ) -> Outcome {
        let push = vec![Push { record: id, changes }];
        let request = Request { push, tables, cursor: self.phone.cursor, ..Request::default() };
        let mut results = self.line.round(&request).results;
        assert_eq!(results.len(), 1);
        results.remove(0)
    }

    /// Notes it where an attack did not get what it was to get.
    pub(crate) fn assert_refused(
        &self,
        name: &str,
        outcome: &Outcome,
        code: RefusalCode,
        path: Option<&str>,
    ) {
        let as_told = matches!(outcome, Outcome::Refused { code: got, path: at, .. }
            if *got == code && path.is_none_or(|path| path == at));
        self.assert(as_told, || format!("{name}: not {code:?} {path:?} but {outcome:?}"));
    }

    /// Notes what is not as it must be. All of it is told at the end.
    pub(crate) fn assert(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.borrow_mut().push(what());
        }
    }

    /// Nothing of any attack is in its record, and the honest work that it was made of goes in.
    pub(crate) fn assert_unharmed(mut self) {
        let wrong = self.wrong.take();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let line = self.line.clone();
        for id in self.for_good {
            self.phone.lose(id);
            self.phone.want.push(id);
        }
        let replies = self.phone.rounds(|request| line.round(request));
        let results: Vec<&Outcome> = replies.iter().flat_map(|reply| &reply.results).collect();
        assert!(results.len() >= self.before.len());
        for result in results {
            assert!(matches!(result, Outcome::Merged { .. }), "{result:?}");
        }
        self.phone.assert_in_step(replies.last().unwrap());
        for (id, before) in self.before {
            // The honest change follows what stood before and nothing else.
            let after = self.phone.document(id).get_changes(&[]).pop().unwrap();
            let follows: Vec<String> = after.deps().iter().map(ToString::to_string).collect();
            assert_eq!(follows, before, "{id}");
        }
    }
}

impl Stage<'_> {
    /// The unsent honest change.
    pub(crate) fn honest(&self) -> Change {
        self.scene.phone.last_unsent(self.id)
    }

    /// The same, forged.
    pub(crate) fn forged(&self, forge: impl FnOnce(&mut ExpandedChange)) -> Vec<u8> {
        let mut expanded = self.honest().decode();
        forge(&mut expanded);
        Change::from(expanded).raw_bytes().to_vec()
    }

    /// A change with other operations in the place of the honest ones.
    pub(crate) fn operations(&self, operations: Vec<Op>) -> Vec<u8> {
        self.forged(|change| change.operations = operations)
    }

    pub(crate) fn own(&self, counter: u64) -> OpId {
        OpId::new(counter, &actor(DEVICE, 1))
    }

    /// The operation that made the honest contact.
    pub(crate) fn entry(&self) -> OpId {
        self.standing(&first_id(&["contacts"]), CONTACT)
    }

    /// The operation that wrote the current value of a key.
    pub(crate) fn standing(&self, object: &ObjId, key: &str) -> OpId {
        plain(&self.scene.phone.document(self.id).get(object, key).unwrap().unwrap().1)
    }

    pub(crate) fn standing_in_root(&self, key: &str) -> OpId {
        self.standing(&ROOT, key)
    }

    pub(crate) fn standing_in_entry(&self, key: &str) -> OpId {
        let entry = self.entry();
        self.standing(&ObjId::Id(entry.0, entry.1, 0), key)
    }

    /// The operation that made the phone's user a collector.
    pub(crate) fn collector(&self) -> OpId {
        self.standing(&first_id(&["assignment", "collectors"]), "chen.jie")
    }

    /// The first character of the notes.
    pub(crate) fn element(&self) -> ElementId {
        let doc = self.scene.phone.document(self.id);
        let first = doc.list_range(first_id(&["notes"]), ..).next().unwrap().id();
        ElementId::Id(plain(&first))
    }

    /// Takes the first character of the notes out.
    pub(crate) fn unwrite(&self) -> Op {
        let element = self.element();
        let pred = SortedVec::from(vec![element.as_opid().unwrap().clone()]);
        let (obj, key) = (first(&["notes"]), Key::Seq(element));
        Op { action: OpType::Delete, obj, key, pred, insert: false }
    }
}

pub(crate) fn text(text: &str) -> OpType {
    OpType::Put(ScalarValue::Str(text.into()))
}

pub(crate) fn op(obj: ObjectId, key: &str, action: OpType, pred: &[OpId]) -> Op {
    let pred = SortedVec::from(pred.to_vec());
    Op { action, obj, key: Key::Map(key.into()), pred, insert: false }
}

pub(crate) fn insert(obj: ObjectId, behind: ElementId, action: OpType) -> Op {
    Op { action, obj, key: Key::Seq(behind), pred: SortedVec::new(), insert: true }
}

pub(crate) fn first_id(path: &[&str]) -> ObjId {
    genesis::container(path).unwrap().clone()
}

pub(crate) fn first(path: &[&str]) -> ObjectId {
    match first_id(path) {
        ObjId::Root => ObjectId::Root,
        id @ ObjId::Id(..) => ObjectId::Id(plain(&id)),
    }
}

pub(crate) fn genesis_op(counter: u64) -> OpId {
    OpId::new(counter, &ActorId::from(doorstep::ids::GENESIS_ACTOR.as_slice()))
}

pub(crate) fn plain(id: &ObjId) -> OpId {
    match id {
        ObjId::Id(counter, actor, _) => OpId::new(*counter, actor),
        ObjId::Root => panic!("the root has no operation"),
    }
}
