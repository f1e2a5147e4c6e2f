//! Amplification: small messages that expand, and large amounts at once.

use std::thread;

use doorstep::ids::RecordId;
use doorstep::sync::message::{MAX_BODY, Packed, Push, RefusalCode, Request, Want};

use crate::hostile::bodies::{Column, Handmade, deflated};
use crate::hostile::raw::{
    ACTION, INSERT, KEY, OBJECT_ACTOR, OBJECT_COUNTER, PRED_ACTOR, PRED_COUNTER, PREDS, Raw, VALUE,
    VALUE_META, leb, one, run, sleb,
};
use crate::hostile::scene::{Scene, Stage, first_id, plain};
use crate::hostile::server::Line;
use RefusalCode::{InvalidRecord, Malformed, TooLarge};

/// Senders at once.
const AT_ONCE: usize = 8;

/// As many operations as a push may hold.
const OPERATIONS: i64 = 200_000;

type Forge = fn(&Stage<'_>) -> Vec<Vec<u8>>;

/// Within every cap on what is counted beforehand.
const PUSHES: &[(&str, Forge, RefusalCode)] = &[
    ("one key 200,000 times", |s| vec![repeated(s, 1)], TooLarge),
    ("one long key 200,000 times", |s| vec![repeated(s, 128)], TooLarge),
    ("200,000 predecessors", |s| vec![predecessors(s)], Malformed),
    ("200,000 elements of nothing", |s| vec![elements(s)], TooLarge),
    ("20,000 contacts", |s| entries(s, 20_000), InvalidRecord),
    ("180,000 contacts", |s| entries(s, 180_000), TooLarge),
    (
        "2,000 times more than a push takes",
        |s| vec![Raw::honest(s).column(ACTION, run(OPERATIONS, &leb(1))).bytes(); 2_000],
        TooLarge,
    ),
];

pub(crate) fn attack(scene: &mut Scene) {
    for (name, forge, code) in PUSHES {
        let id = scene.take();
        let chunks = forge(&scene.stage(id));
        scene.assert_refused(name, &scene.push(id, &chunks), *code, None);
    }
    let id = scene.take();
    let change = scene.stage(id).honest();
    for body in amplified(scene, id) {
        let outcome = scene.line.answer(&body).results.remove(0);
        scene.assert_refused("a few bytes that expand to gigabytes", &outcome, Malformed, Some(""));
    }
    let handmade = Handmade::push(id, &change);
    let repeated = repeated(&scene.stage(id), 128);
    let push = |n: u8| {
        let record = RecordId([&[n; 8][..], &[0xee; 8]].concat().try_into().unwrap());
        Push { record, changes: vec![Packed::plain(&repeated); 8] }
    };
    let long = (0..64).map(push).collect();
    let want: Vec<Want> = scene
        .phone
        .ids()
        .into_iter()
        .map(|record| Want { record, have: Default::default() })
        .collect();
    let request = Request { want, push: long, max_bytes: u32::MAX, ..Request::default() };
    let change = scene.stage(id).honest();
    let push = Push { record: id, changes: vec![Packed::plain(change.raw_bytes())] };
    let twice = Request { push: vec![push; 2], ..Request::default() };
    at_once(
        &scene.line,
        &[
            (deflated(&vec![0x9f; MAX_BODY - 1]), 400),
            (deflated(&vec![0; 64 << 20]), 413),
            (Handmade::nothings(id, 400_000).bytes(), 400),
            (handmade.actors(vec![vec![]; 4_000_000]).bytes(), 400),
            (doorstep::sync::message::encode_request(&request), 200),
            (doorstep::sync::message::encode_request(&twice), 400),
        ],
    );
    let bodies: Vec<_> = amplified(scene, id).into_iter().map(|body| (body, 200)).collect();
    at_once(&scene.line, &bodies);
}

/// Each body from many senders at once.
fn at_once(line: &Line, bodies: &[(Vec<u8>, u16)]) {
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                for (body, status) in bodies {
                    let answer = line.patiently(body);
                    assert_eq!(answer.status, *status, "{}", answer.text());
                }
            });
        }
    });
}

/// Bodies of which the changes, put together, would be gigabytes.
fn amplified(scene: &Scene, id: RecordId) -> Vec<Vec<u8>> {
    const MANY: usize = 60_000;
    let head = scene.phone.confirmed(id).as_slice()[0];
    let many = Handmade::nothings(id, MANY)
        .column(Column::Followed, &[1; MANY])
        .column(Column::Hashes, &head.0[..8].repeat(MANY))
        .names(vec![b"chen.jie".to_vec()]);
    let places = [&[0x1a][..], &1_000_000_u32.to_be_bytes(), &vec![1; 1_000_000]].concat();
    let one = Handmade::nothings(id, 1)
        .column(Column::Followed, &[1])
        .column(Column::Hashes, &head.0[..8])
        .column(Column::Others, &places)
        .names(vec![b"chen.jie".to_vec()]);
    vec![
        many.clone().actors(vec![vec![1; 1 << 20]]).bytes(),
        many.actors(vec![vec![1; 24]]).names(vec![vec![b'x'; 1 << 20]]).bytes(),
        one.clone().actors(vec![vec![1; 1 << 20]]).bytes(),
        one.actors(vec![vec![1; 24]]).bytes(),
    ]
}

/// Writes one key again and again, in a few bytes.
fn repeated(stage: &Stage<'_>, key: usize) -> Vec<u8> {
    let object = plain(&first_id(&["contacts"])).0;
    let key = [&leb(key as u64), &vec![b'k'; key][..]].concat();
    Raw::honest(stage)
        .column(OBJECT_ACTOR, run(OPERATIONS, &leb(1)))
        .column(OBJECT_COUNTER, run(OPERATIONS, &leb(object)))
        .column(KEY, run(OPERATIONS, &key))
        .column(INSERT, leb(OPERATIONS.unsigned_abs()))
        .column(ACTION, run(OPERATIONS, &leb(0)))
        .column(VALUE_META, run(OPERATIONS, &leb(0)))
        .column(VALUE, vec![])
        .column(PREDS, run(OPERATIONS, &leb(0)))
        .bytes()
}

/// Replaces all of the operations before.
fn predecessors(stage: &Stage<'_>) -> Vec<u8> {
    Raw::honest(stage)
        .column(PREDS, one(&leb(OPERATIONS.unsigned_abs())))
        .column(PRED_ACTOR, run(OPERATIONS, &leb(0)))
        .column(PRED_COUNTER, run(OPERATIONS, &sleb(1)))
        .bytes()
}

/// Inserts behind what is not there.
fn elements(stage: &Stage<'_>) -> Vec<u8> {
    const KEY_ACTOR: u64 = 0x11;
    const KEY_COUNTER: u64 = 0x13;
    let notes = plain(&first_id(&["notes"])).0;
    let mut raw = Raw::honest(stage);
    raw.columns.clear();
    raw.column(OBJECT_ACTOR, run(OPERATIONS, &leb(1)))
        .column(OBJECT_COUNTER, run(OPERATIONS, &leb(notes)))
        .column(KEY_ACTOR, run(OPERATIONS, &leb(0)))
        .column(KEY_COUNTER, run(OPERATIONS, &sleb(10_000)))
        .column(INSERT, [leb(0), leb(OPERATIONS.unsigned_abs())].concat())
        .column(ACTION, run(OPERATIONS, &leb(1)))
        .column(VALUE_META, run(OPERATIONS, &leb(6)))
        .column(PREDS, run(OPERATIONS, &leb(0)))
        .bytes()
}

/// Makes entries, each under a key of its own, in changes that follow one another.
fn entries(stage: &Stage<'_>, count: u64) -> Vec<Vec<u8>> {
    const IN_ONE: u64 = 30_000;
    let object = plain(&first_id(&["contacts"])).0;
    let mut chunks: Vec<Vec<u8>> = Vec::new();
    let mut raw = Raw::honest(stage);
    for first in (0..count).step_by(IN_ONE as usize) {
        let many = (count - first).min(IN_ONE).cast_signed();
        let keys: Vec<u8> = (first..first + many.unsigned_abs())
            .flat_map(|n| [&[7][..], format!("{n:07}").as_bytes()].concat())
            .collect();
        raw.columns = vec![
            (OBJECT_ACTOR, run(many, &leb(1))),
            (OBJECT_COUNTER, run(many, &leb(object))),
            (KEY, [sleb(-many), keys].concat()),
            (INSERT, leb(many.unsigned_abs())),
            (ACTION, run(many, &leb(0))),
            (VALUE_META, run(many, &leb(0))),
            (PREDS, run(many, &leb(0))),
        ];
        chunks.push(raw.bytes());
        raw = raw.after(many.unsigned_abs());
    }
    chunks
}
