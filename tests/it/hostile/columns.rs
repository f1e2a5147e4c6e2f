//! Columns of operations: what they expand to, and what they say that is not so.

use doorstep::sync::message::RefusalCode;

use crate::hostile::raw::{
    ACTION, INSERT, KEY, OBJECT_ACTOR, OBJECT_COUNTER, PRED_ACTOR, PRED_COUNTER, PREDS, Raw, VALUE,
    VALUE_META, leb, one, run, sleb,
};
use crate::hostile::scene::Scene;
use RefusalCode::{InvalidRecord, Malformed, NotAllowed, TooLarge};

type Forge = fn(Raw) -> Raw;

/// A run of this many operations is far above every limit.
const BILLIONS: i64 = 1 << 32;

/// Each forged from a change that is accepted as it is.
const FORGED: &[(&str, Forge, RefusalCode)] = &[
    ("3 million operations in a hundred bytes", millions, TooLarge),
    ("billions of operations", |raw| raw.column(ACTION, run(BILLIONS, &leb(1))), TooLarge),
    ("operations past counting", |raw| raw.column(ACTION, run(i64::MAX, &leb(1))), TooLarge),
    (
        "runs that add up past counting",
        |raw| {
            raw.column(
                ACTION,
                [run(i64::MAX, &leb(1)), run(i64::MAX, &leb(0)), run(i64::MAX, &leb(1))].concat(),
            )
        },
        TooLarge,
    ),
    (
        "fewer than no operations",
        |raw| raw.column(ACTION, [sleb(i64::MIN), leb(1)].concat()),
        Malformed,
    ),
    ("billions of predecessors", |raw| raw.column(PREDS, one(&leb(1 << 35))), TooLarge),
    ("predecessors that are not told", |raw| raw.column(PREDS, one(&leb(2))), Malformed),
    (
        "predecessors of nothing",
        |raw| raw.column(PRED_ACTOR, one(&leb(0))).column(PRED_COUNTER, one(&sleb(1))),
        Malformed,
    ),
    (
        "a predecessor past 32 bits",
        |raw| {
            raw.column(PREDS, one(&leb(1)))
                .column(PRED_ACTOR, one(&leb(0)))
                .column(PRED_COUNTER, one(&sleb(1 << 33)))
        },
        Malformed,
    ),
    (
        "a predecessor below nothing",
        |raw| {
            raw.column(PREDS, one(&leb(1)))
                .column(PRED_ACTOR, one(&leb(0)))
                .column(PRED_COUNTER, one(&sleb(-1)))
        },
        Malformed,
    ),
    (
        "a predecessor of an unknown actor",
        |raw| {
            raw.column(PREDS, one(&leb(1)))
                .column(PRED_ACTOR, one(&leb(7)))
                .column(PRED_COUNTER, one(&sleb(1)))
        },
        Malformed,
    ),
    (
        "a counter that overflows in a run",
        |raw| {
            raw.column(PREDS, run(1, &leb(2)))
                .column(PRED_ACTOR, run(2, &leb(0)))
                .column(PRED_COUNTER, run(2, &sleb(i64::MAX)))
        },
        Malformed,
    ),
    ("billions of keys", |raw| raw.column(KEY, run(BILLIONS, b"\x01k")), Malformed),
    ("billions of values", |raw| raw.column(VALUE_META, run(BILLIONS, &leb(0))), Malformed),
    (
        "billions of nothings",
        |raw| raw.column(OBJECT_COUNTER, [sleb(0), leb(1 << 40)].concat()),
        Malformed,
    ),
    ("nothings without end", |raw| raw.column(ACTION, vec![0; 4_096]), Malformed),
    ("billions of insertions", |raw| raw.column(INSERT, leb(1 << 40)), Malformed),
    ("an action of nothing", |raw| raw.column(ACTION, [sleb(0), leb(1)].concat()), Malformed),
    ("an increment", |raw| raw.column(ACTION, one(&leb(5))), Malformed),
    ("a table", |raw| raw.column(ACTION, one(&leb(6))), Malformed),
    ("a mark", |raw| raw.column(ACTION, one(&leb(7))), Malformed),
    ("an action past all", |raw| raw.column(ACTION, one(&leb(u64::MAX))), Malformed),
    ("no action", |raw| raw.column(ACTION, vec![]), Malformed),
    ("an object of an unknown actor", |raw| raw.column(OBJECT_ACTOR, one(&leb(2))), Malformed),
    (
        "an object past 32 bits",
        |raw| raw.column(OBJECT_COUNTER, one(&leb(u64::from(u32::MAX)))),
        Malformed,
    ),
    ("an object past 64 bits", |raw| raw.column(OBJECT_COUNTER, one(&[0xff; 10])), Malformed),
    ("an object without an actor", |raw| raw.column(OBJECT_ACTOR, vec![]), NotAllowed),
    ("an object without a counter", |raw| raw.column(OBJECT_COUNTER, vec![]), NotAllowed),
    ("neither key nor element", |raw| raw.column(KEY, vec![]), Malformed),
    ("an empty key", |raw| raw.column(KEY, one(&leb(0))), NotAllowed),
    (
        "a key of 129 bytes",
        |raw| raw.column(KEY, one(&[&leb(129), &[b'k'; 129][..]].concat())),
        TooLarge,
    ),
    (
        "a key that is no text",
        |raw| raw.column(KEY, one(&[&leb(2), &[0xff, 0xfe][..]].concat())),
        Malformed,
    ),
    ("a key longer than its column", |raw| raw.column(KEY, one(&leb(100))), Malformed),
    (
        "a number in more bytes than it needs",
        |raw| raw.column(OBJECT_ACTOR, one(&[0x81, 0])),
        Malformed,
    ),
    ("an insertion at a key", |raw| raw.column(INSERT, [leb(0), leb(1)].concat()), Malformed),
    (
        "a value longer than its column",
        |raw| raw.column(VALUE_META, one(&leb(1_000 << 4 | 6))),
        Malformed,
    ),
    (
        "a value shorter than its column",
        |raw| raw.column(VALUE_META, one(&leb(1 << 4 | 6))),
        Malformed,
    ),
    ("a value past counting", |raw| raw.column(VALUE_META, one(&leb(u64::MAX))), Malformed),
    ("values without types", |raw| raw.column(VALUE_META, vec![]), Malformed),
    ("a text that is none", |raw| raw.put("appointment", "place", 6, &[0xff, 0xfe]), Malformed),
    (
        "half a character",
        |raw| raw.put("appointment", "place", 6, &"门".as_bytes()[..2]),
        Malformed,
    ),
    ("bytes for a text", |raw| raw.put("appointment", "place", 7, b"x"), NotAllowed),
    (
        "no number",
        |raw| raw.put("visit.position", "lat", 5, &f64::NAN.to_le_bytes()),
        InvalidRecord,
    ),
    (
        "an endless number",
        |raw| raw.put("visit.position", "lat", 5, &f64::NEG_INFINITY.to_le_bytes()),
        InvalidRecord,
    ),
    ("a fraction of 3 bytes", |raw| raw.put("visit.position", "lat", 5, &[1, 2, 3]), Malformed),
    ("a fraction of 9 bytes", |raw| raw.put("visit.position", "lat", 5, &[0; 9]), Malformed),
    ("a whole number of no bytes", |raw| raw.put("talk.promise", "amount", 4, &[]), Malformed),
    (
        "a whole number of 20 bytes",
        |raw| raw.put("talk.promise", "amount", 4, &[0xff; 20]),
        Malformed,
    ),
    ("a truth with bytes", |raw| raw.put("visit.visitors", "chen.jie", 2, &[1]), Malformed),
    ("a lie for a member", |raw| raw.put("visit.visitors", "chen.jie", 1, &[]), InvalidRecord),
    ("a type to come", |raw| raw.put("appointment", "place", 15, b"x"), NotAllowed),
    ("a column of no meaning", |raw| raw.column(0x90, vec![1]), Malformed),
    ("a deflated column", |raw| raw.column(VALUE | 8, vec![0x4b, 4, 0]), Malformed),
    (
        "a column twice",
        |raw| Raw { columns: [raw.columns.clone(), raw.columns.clone()].concat(), ..raw },
        Malformed,
    ),
    (
        "columns out of order",
        |raw| Raw { columns: raw.columns.iter().rev().cloned().collect(), ..raw },
        Malformed,
    ),
    // It would be written otherwise, so that its hash would be another once it is loaded.
    ("a column of nothing", |raw| raw.column(0x11, vec![]), Malformed),
    ("17 columns", |raw| Raw { columns: (0..17).map(|n| (n, vec![])).collect(), ..raw }, TooLarge),
];

pub(crate) fn attack(scene: &mut Scene) {
    for (name, forge, code) in FORGED {
        let id = scene.take();
        let forged = forge(Raw::honest(&scene.stage(id))).bytes();
        let outcome = scene.push(id, &[forged]);
        scene.assert_refused(name, &outcome, *code, None);
    }
}

/// The bomb that Automerge takes seconds and a gigabyte for: puts at one key, again and again.
fn millions(raw: Raw) -> Raw {
    const MANY: i64 = 3_000_000;
    let bomb = raw
        .column(OBJECT_ACTOR, run(MANY, &leb(1)))
        .column(OBJECT_COUNTER, run(MANY, &leb(1)))
        .column(KEY, run(MANY, b"\x01k"))
        .column(INSERT, leb(MANY.unsigned_abs()))
        .column(ACTION, run(MANY, &leb(1)))
        .column(VALUE_META, run(MANY, &leb(2)))
        .column(VALUE, vec![])
        .column(PREDS, run(MANY, &leb(0)));
    assert!(bomb.columns.iter().map(|(_, data)| data.len()).sum::<usize>() < 64);
    bomb
}
