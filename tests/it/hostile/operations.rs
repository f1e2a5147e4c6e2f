//! Operations: what is written where, on what, in the place of what (rule M2).

use automerge::legacy::{ElementId, ObjectId, Op, OpType};
use automerge::{ObjType, ScalarValue};
use doorstep::sync::message::RefusalCode;

use crate::hostile::scene::{CONTACT, Scene, Stage, first, genesis_op, insert, op, text};
use RefusalCode::{InvalidRecord, Malformed, NotAllowed, TooLarge};

type Forge = fn(&Stage<'_>) -> Vec<Op>;

/// Each in the place of an honest change's operations; the path is the one that the refusal names.
const FORGED: &[(&str, Forge, RefusalCode, &str)] = &[
    (
        "delete without pred",
        |_| vec![op(first(&["appointment"]), "place", OpType::Delete, &[])],
        Malformed,
        "",
    ),
    (
        "pred of nothing",
        |s| vec![op(first(&["appointment"]), "place", text("x"), &[s.own(3)])],
        Malformed,
        "",
    ),
    ("pred left out", |_| vec![op(first(&[]), "schema", text("x"), &[])], Malformed, ""),
    ("key on a list", |_| vec![op(first(&["case", "phones"]), "0", text("x"), &[])], Malformed, ""),
    ("key on a text", |_| vec![op(first(&["notes"]), "0", text("x"), &[])], Malformed, ""),
    (
        "element of a map",
        |_| vec![insert(first(&["contacts"]), ElementId::Head, text("x"))],
        Malformed,
        "",
    ),
    (
        "object of an unknown actor",
        |s| vec![op(ObjectId::Id(s.own(9_999)), "x", text("x"), &[])],
        Malformed,
        "",
    ),
    (
        "object that is a scalar",
        |_| vec![op(ObjectId::Id(genesis_op(1)), "x", text("x"), &[])],
        Malformed,
        "",
    ),
    (
        "element of an unknown actor",
        |s| vec![insert(first(&["notes"]), ElementId::Id(s.own(9_999)), text("x"))],
        Malformed,
        "",
    ),
    (
        "element of another text",
        |s| vec![insert(first(&["feedback"]), s.element(), text("x"))],
        Malformed,
        "",
    ),
    ("element deleted twice", |s| vec![s.unwrite(), s.unwrite()], Malformed, ""),
    ("element written over", |s| vec![Op { action: text("x"), ..s.unwrite() }], Malformed, ""),
    (
        "a number in a text",
        |_| vec![insert(first(&["notes"]), ElementId::Head, OpType::Put(1i64.into()))],
        NotAllowed,
        "notes",
    ),
    (
        "a counter",
        |_| vec![op(first(&["appointment"]), "place", OpType::Put(ScalarValue::counter(1)), &[])],
        NotAllowed,
        "appointment.place",
    ),
    (
        "an increment",
        |_| vec![op(first(&["appointment"]), "place", OpType::Increment(1), &[])],
        Malformed,
        "",
    ),
    (
        "a table",
        |_| vec![op(first(&["contacts"]), "t", OpType::Make(ObjType::Table), &[])],
        Malformed,
        "",
    ),
    (
        "a text for a contact",
        |_| vec![op(first(&["contacts"]), "t", OpType::Make(ObjType::Text), &[])],
        InvalidRecord,
        "contacts.t",
    ),
    (
        "a scalar for a contact",
        |_| vec![op(first(&["contacts"]), "t", text("x"), &[])],
        InvalidRecord,
        "contacts.t",
    ),
    (
        "a word that is none",
        |_| vec![op(first(&["appointment"]), "status", text("maybe"), &[])],
        InvalidRecord,
        "appointment.status",
    ),
    (
        "bytes",
        |_| {
            vec![op(
                first(&["appointment"]),
                "place",
                OpType::Put(ScalarValue::Bytes(vec![1])),
                &[],
            )]
        },
        NotAllowed,
        "appointment.place",
    ),
    (
        "another container",
        |_| vec![op(first(&[]), "contacts", OpType::Make(ObjType::Map), &[])],
        Malformed,
        "",
    ),
    ("a field of no schema", |_| vec![op(first(&[]), "evil", text("x"), &[])], NotAllowed, "evil"),
    (
        "the offices money",
        |_| vec![op(first(&["case"]), "principal", OpType::Put(0i64.into()), &[])],
        NotAllowed,
        "case.principal",
    ),
    (
        "the offices review",
        |_| vec![op(first(&["review"]), "status", text("accepted"), &[])],
        NotAllowed,
        "review.status",
    ),
    (
        "the records name",
        |s| vec![op(first(&[]), "case_no", text("C-2"), &[s.standing_in_root("case_no")])],
        NotAllowed,
        "case_no",
    ),
    (
        "a contact altered",
        |s| vec![op(ObjectId::Id(s.entry()), "note", text("x"), &[s.standing_in_entry("note")])],
        NotAllowed,
        "contacts.018bcfe5-0000-7000-8000-000000000001.note",
    ),
    (
        "a contact added to",
        |s| vec![op(ObjectId::Id(s.entry()), "extra", text("x"), &[])],
        NotAllowed,
        "contacts.018bcfe5-0000-7000-8000-000000000001.extra",
    ),
    (
        "a contact deleted",
        |s| vec![op(first(&["contacts"]), CONTACT, OpType::Delete, &[s.entry()])],
        NotAllowed,
        "contacts.018bcfe5-0000-7000-8000-000000000001",
    ),
    (
        "a contact made anew",
        |s| vec![op(first(&["contacts"]), CONTACT, OpType::Make(ObjType::Map), &[s.entry()])],
        NotAllowed,
        "contacts.018bcfe5-0000-7000-8000-000000000001",
    ),
    (
        "a hold in anothers name",
        |_| {
            vec![op(
                first(&["case", "flags", "dispute"]),
                "wu.min",
                OpType::Make(ObjType::Map),
                &[],
            )]
        },
        NotAllowed,
        "case.flags.dispute.wu.min",
    ),
    (
        "a seal in anothers name",
        |_| vec![op(first(&["seal"]), "by", text("wu.min"), &[])],
        NotAllowed,
        "seal.by",
    ),
    (
        "a seal by another device",
        |_| vec![op(first(&["seal"]), "device", text("00"), &[])],
        NotAllowed,
        "seal.device",
    ),
    (
        "a long key",
        |_| vec![op(first(&["contacts"]), &"k".repeat(500), OpType::Make(ObjType::Map), &[])],
        TooLarge,
        "",
    ),
    ("maps within maps", |s| nested(s, 1_000), NotAllowed, "contacts.m.m"),
    ("an entry of an entry's own", |s| nested(s, 2), NotAllowed, "contacts.m.m"),
    (
        "a deleted key again",
        |_| {
            vec![
                op(first(&["appointment"]), "place", text("x"), &[]),
                op(first(&["appointment"]), "place", OpType::Delete, &[]),
            ]
        },
        Malformed,
        "",
    ),
    (
        "its own value unseen",
        |_| {
            vec![
                op(first(&["appointment"]), "place", text("x"), &[]),
                op(first(&["appointment"]), "place", text("y"), &[]),
            ]
        },
        Malformed,
        "",
    ),
    (
        "a fraction where a word stands",
        |_| vec![op(first(&["visit"]), "place_type", OpType::Put(1.5.into()), &[])],
        InvalidRecord,
        "visit.place_type",
    ),
    (
        "no number",
        |_| vec![op(first(&["visit", "position"]), "lat", OpType::Put(f64::NAN.into()), &[])],
        InvalidRecord,
        "visit.position.lat",
    ),
    (
        "an endless number",
        |_| vec![op(first(&["visit", "position"]), "lon", OpType::Put(f64::INFINITY.into()), &[])],
        InvalidRecord,
        "visit.position.lon",
    ),
    (
        "off the globe",
        |_| vec![op(first(&["visit", "position"]), "lat", OpType::Put(90.5.into()), &[])],
        InvalidRecord,
        "visit.position.lat",
    ),
    (
        "a whole number for a fraction",
        |_| vec![op(first(&["visit", "position"]), "lat", OpType::Put(9_i64.into()), &[])],
        InvalidRecord,
        "visit.position.lat",
    ),
    (
        "an unsigned number",
        |_| vec![op(first(&["visit", "position"]), "lat", OpType::Put(ScalarValue::Uint(9)), &[])],
        NotAllowed,
        "visit.position.lat",
    ),
    (
        "nothing",
        |_| vec![op(first(&["appointment"]), "place", OpType::Put(ScalarValue::Null), &[])],
        NotAllowed,
        "appointment.place",
    ),
    (
        "of a type to come",
        |_| {
            vec![op(
                first(&["appointment"]),
                "place",
                OpType::Put(ScalarValue::Unknown { type_code: 11, bytes: vec![1] }),
                &[],
            )]
        },
        NotAllowed,
        "appointment.place",
    ),
    (
        "a mark",
        |_| vec![insert(first(&["notes"]), ElementId::Head, OpType::MarkEnd(true))],
        Malformed,
        "",
    ),
    (
        "a text of 50,000",
        |_| vec![insert(first(&["notes"]), ElementId::Head, text(&"x".repeat(50_000)))],
        InvalidRecord,
        "notes",
    ),
    (
        "a line of 401",
        |_| vec![op(first(&["appointment"]), "place", text(&"x".repeat(401)), &[])],
        InvalidRecord,
        "appointment.place",
    ),
    (
        "a day that never was",
        |_| promise(1.into(), "2026-02-30"),
        InvalidRecord,
        "talk.promise.due_date",
    ),
    (
        "half a promise",
        |_| vec![op(first(&["talk", "promise"]), "due_date", text("2026-02-28"), &[])],
        NotAllowed,
        "talk.promise.amount",
    ),
    (
        "more money than there is",
        |_| promise(i64::MAX.into(), "2026-02-28"),
        InvalidRecord,
        "talk.promise.amount",
    ),
    (
        "an amendment without a seal",
        |_| vec![op(first(&["amendments"]), "a", OpType::Make(ObjType::Map), &[])],
        NotAllowed,
        "amendments.a",
    ),
    (
        "a check in another's name",
        |_| {
            vec![op(
                first(&["checks", "identity_verified"]),
                "wu.min",
                OpType::Make(ObjType::Map),
                &[],
            )]
        },
        NotAllowed,
        "checks.identity_verified.wu.min",
    ),
    (
        "a collector more",
        |_| {
            vec![op(
                first(&["assignment", "collectors"]),
                "zhao.lei",
                OpType::Put(true.into()),
                &[],
            )]
        },
        NotAllowed,
        "assignment.collectors.zhao.lei",
    ),
    (
        "itself as no collector",
        |s| {
            vec![op(
                first(&["assignment", "collectors"]),
                "chen.jie",
                OpType::Delete,
                &[s.collector()],
            )]
        },
        NotAllowed,
        "assignment.collectors.chen.jie",
    ),
];

/// A whole promise.
fn promise(amount: ScalarValue, due_date: &str) -> Vec<Op> {
    let promise = || first(&["talk", "promise"]);
    vec![
        op(promise(), "amount", OpType::Put(amount), &[]),
        op(promise(), "due_date", text(due_date), &[]),
        op(promise(), "channel", text("bank"), &[]),
    ]
}

/// Takes the debt away.
pub(crate) fn money() -> Vec<Op> {
    vec![op(first(&["case"]), "principal", OpType::Put(0i64.into()), &[])]
}

pub(crate) fn attack(scene: &mut Scene) {
    for (name, forge, code, path) in FORGED {
        let id = scene.take();
        let stage = scene.stage(id);
        let outcome = scene.push(id, &[stage.operations(forge(&stage))]);
        scene.assert_refused(name, &outcome, *code, Some(path));
    }
}

/// Maps in one another, the first an entry of the contacts.
fn nested(stage: &Stage<'_>, depth: u64) -> Vec<Op> {
    let start = stage.honest().start_op().get();
    let within = |n| match n {
        0 => first(&["contacts"]),
        n => ObjectId::Id(stage.own(start + n - 1)),
    };
    (0..depth).map(|n| op(within(n), "m", OpType::Make(ObjType::Map), &[])).collect()
}
