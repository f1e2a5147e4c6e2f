//! A device that is enrolled and signed in, and lies. Whatever it pushes, the record stays as it
//! was, loads, and takes honest work (rules M1 to M3).

#![cfg(not(target_arch = "wasm32"))]

#[path = "office/phone.rs"]
mod phone;

use std::num::NonZeroU64;

use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType, SortedVec};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Change, ExpandedChange, ObjId, ObjType, ROOT, ReadDoc, ScalarValue};
use doorstep::ids::{DeviceId, RecordId, actor};
use doorstep::record::command::{Command, TalkPatch};
use doorstep::record::genesis;
use doorstep::record::terms::{Disposition, Flag};
use doorstep::sync::message::{Outcome, RefusalCode};
use phone::{Desk, Phone, START, contact, notes};
use proptest::prelude::*;
use rstest::rstest;

use RefusalCode::{BrokenSequence, ForeignActor, InvalidRecord, Malformed, NotAllowed, TooLarge};

/// A phone in step, with one honest contact merged and one more written and not sent.
struct Scene {
    desk: Desk,
    chen: Phone,
    id: RecordId,
}

impl Scene {
    async fn new() -> Self {
        let desk = Desk::open();
        let id = desk.visit("C-1", &["chen.jie", "wu.min"]).await;
        let mut chen = Phone::new("chen.jie", 1);
        chen.sync(&desk).await;
        chen.write(id, contact(1));
        chen.write(id, notes(&chen, id, "门口有狗"));
        chen.sync(&desk).await;
        chen.write(id, contact(2));
        Self { desk, chen, id }
    }

    /// The unsent honest change, forged.
    fn forged(&self, forge: impl FnOnce(&mut ExpandedChange)) -> Vec<u8> {
        let mut expanded = self.chen.last_unsent(self.id).decode();
        forge(&mut expanded);
        Change::from(expanded).raw_bytes().to_vec()
    }

    /// A change with other operations in the place of the honest one.
    fn operations(&self, operations: Vec<Op>) -> Vec<u8> {
        self.forged(|change| change.operations = operations)
    }

    async fn push(&self, chunk: Vec<u8>) -> Outcome {
        self.chen.push(&self.desk, self.id, vec![chunk]).await
    }

    /// Nothing of it is in the record, and honest work goes on.
    async fn assert_unharmed(mut self) {
        let before = self.chen.confirmed(self.id).to_hex();
        assert_eq!(self.desk.office.visit(self.id).await.unwrap().heads, before);
        self.desk.assert_sound().await;
        let reply = self.chen.sync(&self.desk).await;
        assert!(matches!(reply.results[0], Outcome::Merged { .. }), "{reply:?}");
        self.chen.assert_in_step(&reply);
        self.desk.assert_sound().await;
    }
}

fn refused(outcome: &Outcome) -> (RefusalCode, &str) {
    match outcome {
        Outcome::Refused { code, path, quarantine: 1.., .. } => (*code, path),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::a_gap(|c: &mut ExpandedChange| c.seq += 1, BrokenSequence)]
#[case::a_repeat(|c: &mut ExpandedChange| c.seq -= 1, BrokenSequence)]
#[case::another_device(|c: &mut ExpandedChange| c.actor_id = actor(DeviceId([2; 16]), 1), ForeignActor)]
#[case::a_short_actor(|c: &mut ExpandedChange| c.actor_id = ActorId::from(&[1; 16][..]), ForeignActor)]
#[case::another_name(|c: &mut ExpandedChange| c.message = Some("wu.min".into()), ForeignActor)]
#[case::no_name(|c: &mut ExpandedChange| c.message = None, ForeignActor)]
#[case::a_long_name(|c: &mut ExpandedChange| c.message = Some("x".repeat(999)), TooLarge)]
#[case::numbered_too_low(|c: &mut ExpandedChange| c.start_op = at(1), Malformed)]
#[case::numbered_too_high(|c: &mut ExpandedChange| c.start_op = at(c.start_op.get() + 1), Malformed)]
#[case::numbered_to_the_end(|c: &mut ExpandedChange| c.start_op = at(u64::from(u32::MAX)), Malformed)]
#[case::more_behind(|c: &mut ExpandedChange| c.extra_bytes = vec![1, 2, 3], Malformed)]
#[case::out_of_its_own_past(|c: &mut ExpandedChange| c.deps = vec![genesis::hash()], BrokenSequence)]
#[tokio::test]
async fn m1_a_forged_header(
    #[case] forge: impl FnOnce(&mut ExpandedChange),
    #[case] code: RefusalCode,
) {
    let scene = Scene::new().await;
    let chunk = scene.forged(forge);
    assert_eq!(refused(&scene.push(chunk).await).0, code);
    scene.assert_unharmed().await;
}

#[rstest]
#[case::delete_without_pred(|_: &Scene| vec![op(first(&["appointment"]), "place", OpType::Delete, &[])], Malformed, "")]
#[case::pred_of_nothing(|s: &Scene| vec![op(first(&["appointment"]), "place", text("x"), &[s.own(3)])], Malformed, "")]
#[case::pred_left_out(|_: &Scene| vec![op(first(&[]), "schema", text("x"), &[])], Malformed, "")]
#[case::key_on_a_list(|_: &Scene| vec![op(first(&["case", "phones"]), "0", text("x"), &[])], Malformed, "")]
#[case::key_on_a_text(|_: &Scene| vec![op(first(&["notes"]), "0", text("x"), &[])], Malformed, "")]
#[case::element_of_a_map(|_: &Scene| vec![insert(first(&["contacts"]), ElementId::Head, text("x"))], Malformed, "")]
#[case::object_of_nobody(|s: &Scene| vec![op(ObjectId::Id(s.own(9_999)), "x", text("x"), &[])], Malformed, "")]
#[case::object_that_is_a_scalar(|_: &Scene| vec![op(ObjectId::Id(genesis_op(1)), "x", text("x"), &[])], Malformed, "")]
#[case::element_of_nobody(|s: &Scene| vec![insert(first(&["notes"]), ElementId::Id(s.own(9_999)), text("x"))], Malformed, "")]
#[case::element_of_another_text(|s: &Scene| vec![insert(first(&["feedback"]), s.element(), text("x"))], Malformed, "")]
#[case::element_deleted_twice(|s: &Scene| vec![s.unwrite(), s.unwrite()], Malformed, "")]
#[case::element_written_over(|s: &Scene| vec![Op { action: text("x"), ..s.unwrite() }], Malformed, "")]
#[case::a_number_in_a_text(|_: &Scene| vec![insert(first(&["notes"]), ElementId::Head, OpType::Put(1i64.into()))], NotAllowed, "notes")]
#[case::a_counter(|_: &Scene| vec![op(first(&["appointment"]), "place", OpType::Put(ScalarValue::counter(1)), &[])], NotAllowed, "appointment.place")]
#[case::an_increment(|_: &Scene| vec![op(first(&["appointment"]), "place", OpType::Increment(1), &[])], Malformed, "")]
#[case::a_table(|_: &Scene| vec![op(first(&["contacts"]), "t", OpType::Make(ObjType::Table), &[])], Malformed, "")]
#[case::a_text_for_a_contact(|_: &Scene| vec![op(first(&["contacts"]), "t", OpType::Make(ObjType::Text), &[])], InvalidRecord, "contacts.t")]
#[case::a_scalar_for_a_contact(|_: &Scene| vec![op(first(&["contacts"]), "t", text("x"), &[])], InvalidRecord, "contacts.t")]
#[case::a_word_that_is_none(|_: &Scene| vec![op(first(&["appointment"]), "status", text("maybe"), &[])], InvalidRecord, "appointment.status")]
#[case::bytes(|_: &Scene| vec![op(first(&["appointment"]), "place", OpType::Put(ScalarValue::Bytes(vec![1])), &[])], NotAllowed, "appointment.place")]
#[case::another_container(|_: &Scene| vec![op(first(&[]), "contacts", OpType::Make(ObjType::Map), &[])], Malformed, "")]
#[case::a_field_of_no_schema(|_: &Scene| vec![op(first(&[]), "evil", text("x"), &[])], NotAllowed, "evil")]
#[case::the_offices_money(|_: &Scene| vec![op(first(&["case"]), "principal", OpType::Put(0i64.into()), &[])], NotAllowed, "case.principal")]
#[case::the_offices_review(|_: &Scene| vec![op(first(&["review"]), "status", text("accepted"), &[])], NotAllowed, "review.status")]
#[case::the_records_name(|s: &Scene| vec![op(first(&[]), "case_no", text("C-2"), &[s.standing(&ROOT, "case_no")])], NotAllowed, "case_no")]
#[case::a_contact_altered(|s: &Scene| vec![op(ObjectId::Id(s.entry()), "note", text("x"), &[s.standing_in_entry("note")])], NotAllowed, "contacts.018bcfe5-0000-7000-8000-000000000001.note")]
#[case::a_contact_added_to(|s: &Scene| vec![op(ObjectId::Id(s.entry()), "extra", text("x"), &[])], NotAllowed, "contacts.018bcfe5-0000-7000-8000-000000000001.extra")]
#[case::a_contact_deleted(|s: &Scene| vec![op(first(&["contacts"]), CONTACT, OpType::Delete, &[s.entry()])], NotAllowed, "contacts.018bcfe5-0000-7000-8000-000000000001")]
#[case::a_contact_made_anew(|s: &Scene| vec![op(first(&["contacts"]), CONTACT, OpType::Make(ObjType::Map), &[s.entry()])], NotAllowed, "contacts.018bcfe5-0000-7000-8000-000000000001")]
#[case::a_hold_in_anothers_name(|_: &Scene| vec![op(first(&["case", "flags", "dispute"]), "wu.min", OpType::Make(ObjType::Map), &[])], NotAllowed, "case.flags.dispute.wu.min")]
#[case::a_seal_in_anothers_name(|_: &Scene| vec![op(first(&["seal"]), "by", text("wu.min"), &[])], NotAllowed, "seal.by")]
#[case::a_seal_by_another_device(|_: &Scene| vec![op(first(&["seal"]), "device", text("00"), &[])], NotAllowed, "seal.device")]
#[case::a_long_key(|_: &Scene| vec![op(first(&["contacts"]), &"k".repeat(500), OpType::Make(ObjType::Map), &[])], TooLarge, "")]
#[tokio::test]
async fn m2_a_forged_operation(
    #[case] forge: impl FnOnce(&Scene) -> Vec<Op>,
    #[case] code: RefusalCode,
    #[case] path: &str,
) {
    let scene = Scene::new().await;
    let chunk = scene.operations(forge(&scene));
    let outcome = scene.push(chunk).await;
    assert_eq!(refused(&outcome), (code, path), "{outcome:?}");
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn m2_a_contact_is_signed_by_its_author() {
    let scene = Scene::new().await;
    let chunk = scene.forged(|change| {
        let by = change.operations.iter_mut().find(|op| op.key == Key::Map("by".into())).unwrap();
        by.action = text("wu.min");
    });
    let outcome = scene.push(chunk).await;
    assert_eq!(refused(&outcome).0, NotAllowed);
    assert!(refused(&outcome).1.ends_with(".by"));
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn m2_a_contact_is_not_hidden_behind_one_of_the_same_key() {
    let scene = Scene::new().await;
    let mut wu = Phone::new("wu.min", 2);
    wu.sync(&scene.desk).await;
    wu.write(scene.id, contact(9));
    let mut zhao = Phone::new("wu.min", 3);
    zhao.sync(&scene.desk).await;
    zhao.write(scene.id, contact(9));
    assert!(matches!(wu.sync(&scene.desk).await.results[0], Outcome::Merged { .. }));
    let reply = zhao.sync(&scene.desk).await;
    assert_eq!(refused(&reply.results[0]).0, NotAllowed);
    scene.desk.assert_sound().await;
}

#[tokio::test]
async fn m2_a_collector_who_sealed_cannot_write_as_if_not() {
    let Scene { desk, mut chen, id } = Scene::new().await;
    let open = chen.document(id).get_heads();
    let patch = TalkPatch { disposition: Some(Disposition::NotHome), ..TalkPatch::default() };
    chen.write(id, Command::EditTalk(patch));
    chen.write(id, Command::Seal { at: START });
    chen.sync(&desk).await;
    // Another session of the same device may not have seen the seal, but this one has.
    let mut doc = chen.document(id).fork_at(&open).unwrap();
    doc.set_actor(actor(DeviceId([1; 16]), 1));
    let by = CommitOptions::default().with_message("chen.jie").with_time(1);
    doc.transact_with(|_| by, |tx| tx.put(first_id(&["talk"]), "overdue_reason_text", "x"))
        .unwrap();
    let late = doc.get_last_local_change().unwrap().raw_bytes().to_vec();
    let outcome = chen.push(&desk, id, vec![late]).await;
    assert_eq!(refused(&outcome).0, BrokenSequence);
    desk.assert_sound().await;
}

#[tokio::test]
async fn m1_only_plain_change_chunks_are_taken() {
    let scene = Scene::new().await;
    let mut change = scene.chen.last_unsent(scene.id);
    let deflated = change.bytes().into_owned();
    assert_eq!(deflated[8], 2, "the honest change is long enough to be deflated");
    let document = scene.chen.document(scene.id).save();
    let plain = change.raw_bytes().to_vec();
    let mut longer = plain.clone();
    longer.push(0);
    let twice = [plain.clone(), plain.clone()].concat();
    let mut wrong_sum = plain.clone();
    wrong_sum[4] ^= 1;
    for chunk in [deflated, document, vec![], vec![0x85], longer, twice, wrong_sum] {
        assert_eq!(refused(&scene.push(chunk).await).0, Malformed);
    }
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn m1_too_much_is_refused_before_it_is_looked_at() {
    let scene = Scene::new().await;
    let plain = scene.chen.last_unsent(scene.id).raw_bytes().to_vec();
    let many = vec![plain; doorstep::office::merge::limits::CHANGES + 1];
    let outcome = scene.chen.push(&scene.desk, scene.id, many).await;
    assert_eq!(refused(&outcome).0, TooLarge);
    let long = text(&"x".repeat(300_000));
    let chunk = scene.operations(vec![op(first(&["appointment"]), "place", long, &[])]);
    assert_eq!(refused(&scene.push(chunk).await).0, TooLarge);
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn m3_a_text_beyond_its_bounds_is_refused() {
    let scene = Scene::new().await;
    let long = text(&"x".repeat(50_000));
    let chunk = scene.operations(vec![insert(first(&["notes"]), ElementId::Head, long)]);
    assert_eq!(refused(&scene.push(chunk).await), (InvalidRecord, "notes"));
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn m2_one_bad_change_refuses_the_push_whole() {
    let scene = Scene::new().await;
    let good = scene.chen.last_unsent(scene.id);
    let bad = scene.forged(|change| {
        change.deps = vec![good.hash()];
        change.seq += 1;
        change.start_op = at(good.max_op() + 1);
        change.operations = vec![op(first(&["case"]), "principal", OpType::Put(0i64.into()), &[])];
    });
    let push = vec![good.raw_bytes().to_vec(), bad];
    let outcome = scene.chen.push(&scene.desk, scene.id, push).await;
    assert_eq!(refused(&outcome), (NotAllowed, "case.principal"));
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn m2_an_honest_hold_is_raised_once_and_not_lifted() {
    let Scene { desk, mut chen, id } = Scene::new().await;
    let raise = |note: &str| Command::RaiseHold {
        flag: Flag::Dispute,
        since: START,
        until: None,
        note: note.into(),
    };
    chen.write(id, raise("one"));
    let reply = chen.sync(&desk).await;
    assert!(matches!(reply.results[0], Outcome::Merged { .. }), "{reply:?}");
    chen.force(id, Command::LiftHold { flag: Flag::Dispute });
    let reply = chen.sync(&desk).await;
    assert_eq!(refused(&reply.results[0]).1, "case.flags.dispute.chen.jie");
    desk.assert_sound().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    /// Bytes changed anywhere, with the checksum made right again: never a panic, never harm.
    #[test]
    fn m1_no_bytes_harm_a_record(
        changes in proptest::collection::vec((8usize.., any::<u8>()), 1..4),
        rounds in 0u8..40,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let scene = Scene::new().await;
            let honest = scene.chen.last_unsent(scene.id).raw_bytes().to_vec();
            for round in 0..=rounds {
                let mut bytes = honest.clone();
                for (at, value) in &changes {
                    let at = 8 + at.wrapping_add(usize::from(round) * 7) % (bytes.len() - 8);
                    bytes[at] = *value;
                }
                if bytes == honest {
                    continue;
                }
                let outcome = scene.push(summed(bytes)).await;
                if matches!(outcome, Outcome::Merged { .. }) {
                    // A harmless difference, such as another time. The record must be sound.
                    scene.desk.assert_sound().await;
                    return;
                }
            }
            scene.assert_unharmed().await;
        });
    }
}

const CONTACT: &str = "018bcfe5-0000-7000-8000-000000000001";

impl Scene {
    fn own(&self, counter: u64) -> OpId {
        OpId::new(counter, &actor(DeviceId([1; 16]), 1))
    }

    /// The operation that made the honest contact.
    fn entry(&self) -> OpId {
        self.standing(&first_id(&["contacts"]), CONTACT)
    }

    /// The operation that wrote what stands at a key.
    fn standing(&self, object: &ObjId, key: &str) -> OpId {
        plain(&self.chen.document(self.id).get(object, key).unwrap().unwrap().1)
    }

    fn standing_in_entry(&self, key: &str) -> OpId {
        let entry = self.entry();
        self.standing(&ObjId::Id(entry.0, entry.1, 0), key)
    }

    /// The first character of the notes.
    fn element(&self) -> ElementId {
        let doc = self.chen.document(self.id);
        let first = doc.list_range(first_id(&["notes"]), ..).next().unwrap().id();
        ElementId::Id(plain(&first))
    }

    /// Takes the first character of the notes out.
    fn unwrite(&self) -> Op {
        let element = self.element();
        let pred = SortedVec::from(vec![element.as_opid().unwrap().clone()]);
        Op {
            action: OpType::Delete,
            obj: first(&["notes"]),
            key: Key::Seq(element),
            pred,
            insert: false,
        }
    }
}

fn at(counter: u64) -> NonZeroU64 {
    NonZeroU64::new(counter).unwrap()
}

fn text(text: &str) -> OpType {
    OpType::Put(ScalarValue::Str(text.into()))
}

fn op(obj: ObjectId, key: &str, action: OpType, pred: &[OpId]) -> Op {
    let pred = SortedVec::from(pred.to_vec());
    Op { action, obj, key: Key::Map(key.into()), pred, insert: false }
}

fn insert(obj: ObjectId, behind: ElementId, action: OpType) -> Op {
    Op { action, obj, key: Key::Seq(behind), pred: SortedVec::new(), insert: true }
}

fn first_id(path: &[&str]) -> ObjId {
    genesis::container(path).unwrap().clone()
}

fn first(path: &[&str]) -> ObjectId {
    match first_id(path) {
        ObjId::Root => ObjectId::Root,
        id @ ObjId::Id(..) => ObjectId::Id(plain(&id)),
    }
}

fn genesis_op(counter: u64) -> OpId {
    OpId::new(counter, &ActorId::from(&[0; 20][..]))
}

fn plain(id: &ObjId) -> OpId {
    match id {
        ObjId::Id(counter, actor, _) => OpId::new(*counter, actor),
        ObjId::Root => panic!("the root has no operation"),
    }
}

/// Bytes of a chunk with the checksum that they should have.
fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(&bytes[8..]);
    bytes[4..8].copy_from_slice(&hash[..4]);
    bytes
}
