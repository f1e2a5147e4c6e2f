//! An honest change with a single forgery. The attacker knows the record and counts correctly, so
//! nothing but the named part is wrong.

use std::num::NonZeroU64;

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType, SortedVec};
use automerge::{
    Automerge, Change, ChangeHash, ExpandedChange, ObjId, ObjType, ROOT, ReadDoc, ScalarValue,
};
use doorstep::ids::{DeviceId, RecordId, actor};
use doorstep::record::command::{Command, NewPayment};
use doorstep::record::{Record, genesis};
use doorstep::sync::message::{Outcome, Packed, Push, RefusalCode, Request, decode_request};

use super::dice::Dice;
use super::history::History;
use crate::support::phone::NOW;
use RefusalCode::{BrokenSequence, ForeignActor, InvalidRecord, Malformed, NotAllowed};

type Forge = fn(&Scene, &mut ExpandedChange);

/// What is forged, and what the office may say of it. A field that the honest change writes too,
/// or that is sealed, is refused by another word.
const FORGERIES: &[(&str, Forge, &[RefusalCode])] = &[
    ("the name of another", |s, it| it.message = Some(s.other.to_owned()), &[ForeignActor]),
    ("no name", |_, it| it.message = None, &[ForeignActor]),
    ("another device", |_, it| it.actor_id = actor(DeviceId([77; 16]), 1), &[ForeignActor]),
    ("a gap", |_, it| it.seq += 1, &[BrokenSequence]),
    ("a fork", |_, it| it.seq = if it.seq == 1 { 2 } else { it.seq - 1 }, &[BrokenSequence]),
    ("operation numbers out of sequence", |_, it| it.start_op = after(it.start_op), &[Malformed]),
    ("the debt forgiven", |s, it| s.put(it, &["case"], "overdue", 0_i64.into()), &[NotAllowed]),
    ("the case renamed", |s, it| s.put(it, &[], "case_no", "NB9".into()), &[NotAllowed]),
    (
        "the record taken over",
        |s, it| s.put(it, &["assignment", "collectors"], "he.tao", true.into()),
        &[NotAllowed],
    ),
    (
        "the own work accepted",
        |s, it| s.put(it, &["review"], "status", "accepted".into()),
        &[NotAllowed],
    ),
    ("a container written over", |s, it| s.put(it, &[], "case", "gone".into()), &[NotAllowed]),
    ("a field that is none", |s, it| s.put(it, &["talk"], "mood", "bad".into()), &[NotAllowed]),
    (
        "a word that is none",
        |s, it| s.put(it, &["appointment"], "status", "maybe".into()),
        &[InvalidRecord, NotAllowed, Malformed],
    ),
    (
        "a counter",
        |s, it| s.put(it, &["appointment"], "place", ScalarValue::counter(1)),
        &[NotAllowed, Malformed],
    ),
    ("a hold of another", |s, it| s.make(it, &["case", "flags", "dispute"]), &[NotAllowed]),
    ("an answer of another", |s, it| s.make(it, &["checks", "id_shown"]), &[NotAllowed]),
    ("a contact deleted", |s, it| it.operations.push(s.contact_gone()), &[NotAllowed]),
    ("a contact written over", |s, it| it.operations.push(s.contact_changed()), &[NotAllowed]),
    ("a payment of another", |s, it| s.of_another(it), &[NotAllowed]),
    (
        "an unknown value replaced",
        |_, it| {
            let unseen = OpId::new(9_999_999, &it.actor_id);
            it.operations.push(op(first(&["talk"]), "willingness", put("willing"), &[unseen]));
        },
        &[Malformed],
    ),
    (
        "a field of an unknown object",
        |_, it| {
            let nobodys = ObjectId::Id(OpId::new(9_999_999, &it.actor_id));
            it.operations.push(op(nobodys, "note", put("x"), &[]));
        },
        &[Malformed],
    ),
];

/// What is forged, bytes that are no change included.
pub(crate) const KINDS: usize = FORGERIES.len() + 3;

impl History {
    /// Forges a phone's unsent change; none of it may be merged. Returns the name of the forgery.
    pub(crate) async fn forge(&mut self, salt: u64) -> Option<&'static str> {
        let dice = &mut Dice::of(salt);
        let n = dice.below(self.phones.len());
        let (record, chunks) = self.unsent(n, dice).await?;
        let scene = self.scene(n, record, &chunks, dice).await;
        let (what, forged, expected) = scene.forged(dice);
        let pushed: Vec<Vec<u8>> = chunks[..scene.before].iter().cloned().chain([forged]).collect();

        let before = self.heads(record).await;
        let sealed = self.office.visit(record).await.expect("there").stage.is_sealed();
        let changes = pushed.iter().map(|chunk| Packed::plain(chunk)).collect();
        let request = Request {
            push: vec![Push { record, changes }],
            max_bytes: 16_384,
            ..Request::default()
        };
        let reply = self.office.handle_sync(&self.session(n), request).await.expect("an answer");
        match &reply.results[..] {
            [Outcome::Refused { code, quarantine: 1.., .. }]
                if expected.contains(code) || (sealed && *code == RefusalCode::Sealed) =>
            {
                self.kept.insert((record, pushed));
            }
            [Outcome::Missing { .. }] if expected.is_empty() => {}
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(self.heads(record).await, before, "{what}");
        Some(what)
    }

    /// A phone's unsent changes to one of its records.
    async fn unsent(&mut self, n: usize, dice: &mut Dice) -> Option<(RecordId, Vec<Vec<u8>>)> {
        self.catch_up(n).await;
        let held = self.phones[n].ids();
        if held.is_empty() {
            return None;
        }
        let record = dice.pick(&held);
        for _ in 0..=dice.below(3) {
            let payment = self.payment();
            self.phones[n].apply(record, &payment);
        }
        // The first change is sent alone and its reply lost, so that all changes are sent together.
        if self.phones[n].sent.is_some() {
            self.phones[n].lose_reply();
        }
        self.phones[n].workspace.sync_now(NOW);
        self.phones[n].run();
        let request = decode_request(&self.phones[n].sent.as_ref()?.body).expect("our own request");
        let push = request.push.iter().find(|push| push.record == record)?;
        Some((record, self.chunks(push, &request.tables)?))
    }

    fn payment(&mut self) -> Command {
        Command::AddPayment(NewPayment {
            id: self.id(),
            amount: 100,
            at: NOW,
            channel: "bank".into(),
            reference: String::new(),
            receipt: String::new(),
        })
    }

    async fn scene(
        &self,
        n: usize,
        record: RecordId,
        chunks: &[Vec<u8>],
        dice: &mut Dice,
    ) -> Scene {
        let before = dice.below(chunks.len());
        let change = |chunk: &Vec<u8>| Change::from_bytes(chunk.clone()).expect("honest");
        let document = self.office.document(record).await.expect("there");
        let mut held = Record::load(&document).expect("sound");
        held.apply_changes(chunks[..before].iter().map(change).collect()).expect("honest");
        let honest = change(&chunks[before]);
        let me = self.phones[n].user();
        let other = if me == "chen.jie" { "wu.min" } else { "chen.jie" };
        Scene { doc: held.document().clone(), honest, before, other }
    }
}

/// An honest change and what its author had before them.
struct Scene {
    doc: Automerge,
    honest: Change,
    /// How many changes of the push come before it.
    before: usize,
    /// The other collector.
    other: &'static str,
}

impl Scene {
    /// What was forged, its bytes, and what may be said of it; nothing where it waits for its past.
    fn forged(&self, dice: &mut Dice) -> (&'static str, Vec<u8>, &'static [RefusalCode]) {
        let bytes = self.honest.raw_bytes().to_vec();
        match dice.below(KINDS) {
            0 => ("bytes cut off", bytes[..dice.below(bytes.len())].to_vec(), &[Malformed]),
            1 => {
                let mut flipped = bytes;
                let at = dice.below(flipped.len());
                flipped[at] ^= 1 << dice.below(8);
                ("a bit", flipped, &[Malformed])
            }
            2 => {
                let unknown = |it: &mut ExpandedChange| it.deps = vec![ChangeHash([7; 32])];
                ("unknown dependencies", self.with(unknown), &[])
            }
            _ => {
                let (what, forge, expected) = dice.pick(FORGERIES);
                (what, self.with(|change| forge(self, change)), expected)
            }
        }
    }

    fn with(&self, forge: impl FnOnce(&mut ExpandedChange)) -> Vec<u8> {
        let mut expanded = self.honest.decode();
        forge(&mut expanded);
        Change::from(expanded).raw_bytes().to_vec()
    }

    /// Overwrites a key of a container from the genesis change.
    fn put(&self, change: &mut ExpandedChange, path: &[&str], key: &str, value: ScalarValue) {
        let standing = self.standing(&first_id(path), key);
        change.operations.push(op(first(path), key, OpType::Put(value), &standing));
    }

    /// Makes an entry under the other collector's name.
    fn make(&self, change: &mut ExpandedChange, path: &[&str]) {
        let standing = self.standing(&first_id(path), self.other);
        change.operations.push(op(first(path), self.other, OpType::Make(ObjType::Map), &standing));
    }

    /// The operations behind a key's values, as the author saw them.
    fn standing(&self, object: &ObjId, key: &str) -> Vec<OpId> {
        let values = self.doc.get_all_at(object, key, self.honest.deps()).expect("read");
        values.iter().map(|(_, id)| plain(id)).collect()
    }

    /// The first contact: there are some from the beginning.
    fn contact(&self) -> (String, OpId) {
        let contacts = first_id(&["contacts"]);
        let key = self.doc.keys_at(&contacts, self.honest.deps()).next().expect("a contact");
        let entry = self.standing(&contacts, &key).remove(0);
        (key, entry)
    }

    fn contact_gone(&self) -> Op {
        let (key, entry) = self.contact();
        op(first(&["contacts"]), &key, OpType::Delete, &[entry])
    }

    fn contact_changed(&self) -> Op {
        let (_, entry) = self.contact();
        let standing = self.standing(&ObjId::Id(entry.0, entry.1.clone(), 0), "outcome");
        op(ObjectId::Id(entry), "outcome", put("reached"), &standing)
    }

    /// The honest change is a payment.
    fn of_another(&self, change: &mut ExpandedChange) {
        let by = change.operations.iter_mut().find(|op| op.key == Key::Map("by".into()));
        by.expect("who").action = put(self.other);
    }
}

fn op(obj: ObjectId, key: &str, action: OpType, pred: &[OpId]) -> Op {
    let pred = SortedVec::from(pred.to_vec());
    Op { action, obj, key: Key::Map(key.into()), pred, insert: false }
}

fn put(text: &str) -> OpType {
    OpType::Put(ScalarValue::Str(text.into()))
}

fn after(start: NonZeroU64) -> NonZeroU64 {
    start.checked_add(1_000).expect("far from the end")
}

fn first_id(path: &[&str]) -> ObjId {
    if path.is_empty() { ROOT } else { genesis::container(path).expect("there").clone() }
}

fn first(path: &[&str]) -> ObjectId {
    match first_id(path) {
        ObjId::Root => ObjectId::Root,
        id @ ObjId::Id(..) => ObjectId::Id(plain(&id)),
    }
}

fn plain(id: &ObjId) -> OpId {
    match id {
        ObjId::Id(counter, actor, _) => OpId::new(*counter, actor),
        ObjId::Root => panic!("the root has no operation"),
    }
}
