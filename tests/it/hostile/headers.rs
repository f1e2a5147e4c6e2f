//! What a change says of itself: its frame, its author, its place in the history.

use doorstep::sync::message::{Outcome, RefusalCode};

use crate::hostile::raw::{OBJECT_ACTOR, Raw, framed, leb, one, own_actor};
use crate::hostile::scene::{Scene, Stage};
use RefusalCode::{BrokenSequence, ForeignActor, InvalidRecord, Malformed, TooLarge};

type Forge = fn(Raw) -> Raw;

/// Each forged from a change that is accepted as it is.
const FORGED: &[(&str, Forge, RefusalCode)] = &[
    ("another magic", |raw| Raw { magic: *b"PK\x03\x04", ..raw }, Malformed),
    ("a document", |raw| Raw { chunk_type: 0, ..raw }, Malformed),
    ("a deflated change", |raw| Raw { chunk_type: 2, ..raw }, Malformed),
    ("a bundle", |raw| Raw { chunk_type: 3, ..raw }, Malformed),
    ("a type of nothing", |raw| Raw { chunk_type: 0xff, ..raw }, Malformed),
    ("bytes behind the columns", |raw| Raw { behind: vec![1, 2, 3], ..raw }, Malformed),
    ("another device", |raw| Raw { actor: [2; 24].to_vec(), ..raw }, ForeignActor),
    (
        "the first change's actor",
        |raw| Raw { actor: vec![0; 20], others: vec![], ..raw.column(OBJECT_ACTOR, one(&leb(0))) },
        ForeignActor,
    ),
    ("no actor", |raw| Raw { actor: vec![], ..raw }, ForeignActor),
    ("a short actor", |raw| Raw { actor: vec![1; 16], ..raw }, ForeignActor),
    ("a long actor", |raw| Raw { actor: vec![1; 25], ..raw }, ForeignActor),
    ("an actor of 200,000 bytes", |raw| Raw { actor: vec![1; 200_000], ..raw }, ForeignActor),
    ("a new session that claims a past", |raw| Raw { actor: own_actor(77), ..raw }, BrokenSequence),
    ("another's name", |raw| Raw { message: b"wu.min".to_vec(), ..raw }, ForeignActor),
    ("no name", |raw| Raw { message: vec![], ..raw }, ForeignActor),
    ("a name in capitals", |raw| Raw { message: b"Chen.Jie".to_vec(), ..raw }, ForeignActor),
    ("a name that is no text", |raw| Raw { message: vec![0xff, 0xfe], ..raw }, Malformed),
    ("a name of 129 bytes", |raw| Raw { message: vec![b'x'; 129], ..raw }, TooLarge),
    ("seq 0", |raw| Raw { seq: 0, ..raw }, Malformed),
    ("a seq again", |raw| Raw { seq: raw.seq - 1, ..raw }, BrokenSequence),
    ("a seq left out", |raw| Raw { seq: raw.seq + 1, ..raw }, BrokenSequence),
    ("the last seq of all", |raw| Raw { seq: u64::MAX, ..raw }, BrokenSequence),
    ("start_op 0", |raw| Raw { start_op: 0, ..raw }, Malformed),
    ("start_op below its deps", |raw| Raw { start_op: 1, ..raw }, Malformed),
    ("start_op of what is there", |raw| Raw { start_op: raw.start_op - 1, ..raw }, Malformed),
    ("start_op left out", |raw| Raw { start_op: raw.start_op + 1, ..raw }, Malformed),
    (
        "start_op at the end of 32 bits",
        |raw| Raw { start_op: u64::from(u32::MAX), ..raw },
        Malformed,
    ),
    ("start_op past 32 bits", |raw| Raw { start_op: 1 << 32, ..raw }, Malformed),
    ("start_op at the end of 64 bits", |raw| Raw { start_op: u64::MAX, ..raw }, Malformed),
    ("no deps", |raw| Raw { deps: vec![], ..raw }, BrokenSequence),
    (
        "a dep twice",
        |raw| Raw { deps: [raw.deps.clone(), raw.deps.clone()].concat(), ..raw },
        Malformed,
    ),
    ("65 deps", |raw| Raw { deps: many(65, 32), ..raw }, TooLarge),
    ("6,000 deps", |raw| Raw { deps: many(6_000, 32), ..raw }, TooLarge),
    ("deps that are cut short", |raw| Raw { deps: many(1, 31), ..raw }, Malformed),
    ("an unknown actor", |raw| Raw { others: vec![vec![0; 20], vec![9; 24]], ..raw }, Malformed),
    (
        "256 unknown actors",
        |raw| Raw { others: [vec![vec![0; 20]], many(255, 24)].concat(), ..raw },
        Malformed,
    ),
    ("257 actors", |raw| Raw { others: many(257, 24), ..raw }, TooLarge),
    ("an actor twice", |raw| Raw { others: vec![vec![0; 20]; 2], ..raw }, Malformed),
    ("actors out of order", |raw| Raw { others: vec![vec![1; 24], vec![0; 20]], ..raw }, Malformed),
    (
        "its own actor among others",
        |raw| Raw { others: vec![vec![0; 20], raw.actor.clone()], ..raw },
        Malformed,
    ),
    ("2^40 columns", |raw| Raw { column_count: Some(1 << 40), ..raw }, TooLarge),
    ("more columns than there are", |raw| Raw { column_count: Some(15), ..raw }, Malformed),
    ("fewer columns than there are", |raw| Raw { column_count: Some(2), ..raw }, Malformed),
];

/// The last second that a browser's clock can say.
const CLOCK: i64 = 8_640_000_000_000;

pub(crate) fn attack(scene: &mut Scene) {
    let id = scene.take();
    let honest = Raw::honest(&scene.stage(id));
    for (name, forge, code) in FORGED {
        let outcome = scene.push(id, &[forge(honest.clone()).bytes()]);
        scene.assert_refused(name, &outcome, *code, None);
    }
    frames(scene, &honest);
    unknown_deps(scene, &honest);
    times(scene);
    // The forgeries were refused for what was forged: unforged it goes in.
    let id = scene.take_for_good();
    let honest = Raw::honest(&scene.stage(id)).bytes();
    assert!(matches!(scene.push(id, std::slice::from_ref(&honest)), Outcome::Merged { .. }));
    assert!(matches!(scene.push(id, &[honest]), Outcome::Duplicate { .. }), "a replay");
}

/// Chunks that are cut, doubled, or lie about their length or checksum.
fn frames(scene: &mut Scene, honest: &Raw) {
    let id = scene.take();
    let bytes = honest.bytes();
    let body = honest.body();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] ^= byte;
        bytes
    };
    // A length in more bytes than it needs, and lengths of anything.
    let length = |length: &[u8]| [&bytes[..9], length, &body].concat();
    let mut frames = vec![
        with(4, 1),
        with(7, 0x80),
        with(20, 1),
        bytes[..bytes.len() - 1].to_vec(),
        [&bytes[..], &[0]].concat(),
        [&bytes[..], &bytes].concat(),
        length(&[0xff, 0x80, 0]),
        length(&leb(0)),
        length(&leb(u64::MAX)),
        length(&[0xff; 11]),
        Vec::new(),
        framed(honest.magic, 1, &[]),
        framed(honest.magic, 1, &[0xff; 64]),
    ];
    // A content that ends anywhere, with a right frame around it.
    frames.extend((0..body.len()).map(|end| framed(honest.magic, 1, &body[..end])));
    for (n, frame) in frames.iter().enumerate() {
        let outcome = scene.push(id, std::slice::from_ref(frame));
        scene.assert_refused(&format!("frame {n}"), &outcome, Malformed, None);
    }
}

/// What follows changes that are not there waits for them, and is not kept anywhere.
fn unknown_deps(scene: &mut Scene, honest: &Raw) {
    let id = scene.take();
    for deps in [many(1, 32), many(64, 32)] {
        let forged = Raw { deps, ..honest.clone() }.bytes();
        assert!(matches!(scene.push(id, &[forged]), Outcome::Missing { .. }));
    }
    // Each follows the other, as far as hashes let them: the second comes first.
    let first = honest.bytes();
    let hash = sha256(&first[8..]);
    let next = Raw { deps: vec![hash], seq: honest.seq + 1, ..honest.clone() }.bytes();
    assert!(matches!(scene.push(id, &[next, first]), Outcome::Missing { .. }));
}

/// A change's own time is what the sender's clock says, which may be wrong by as much as a clock
/// can be, and no more: documents count from one time to the next.
fn times(scene: &mut Scene) {
    for time in [0, -1, CLOCK, -CLOCK] {
        let id = scene.take_for_good();
        let forged = Raw { time, ..Raw::honest(&scene.stage(id)) }.bytes();
        let outcome = scene.push(id, &[forged]);
        let merged = matches!(outcome, Outcome::Merged { .. });
        scene.assert(merged, || format!("written at {time}: {outcome:?}"));
    }
    let id = scene.take();
    let honest = Raw::honest(&scene.stage(id));
    // The last leaves no room for the time of any later change.
    for time in [CLOCK + 1, -CLOCK - 1, i64::MAX, i64::MIN, honest.time + i64::MIN + 1] {
        let outcome = scene.push(id, &[Raw { time, ..honest.clone() }.bytes()]);
        scene.assert_refused(&format!("written at {time}"), &outcome, Malformed, None);
    }
    for (name, time) in [("after all time", i64::MAX), ("before all time", i64::MIN)] {
        let id = scene.take();
        let value = crate::hostile::raw::sleb(time);
        let forged = Raw::honest(&scene.stage(id)).put("visit", "arrived_at", 9, &value).bytes();
        let outcome = scene.push(id, &[forged]);
        scene.assert_refused(name, &outcome, InvalidRecord, Some("visit.arrived_at"));
    }
    let id = scene.sealed;
    let stage = Stage { scene, id };
    let forged = Raw::next(&stage).put("talk", "overdue_reason_text", 6, b"x").bytes();
    let outcome = scene.push(id, &[forged]);
    scene.assert_refused(
        "after the seal",
        &outcome,
        RefusalCode::Sealed,
        Some("talk.overdue_reason_text"),
    );
}

/// `count` different values of `bytes` bytes each, ascending.
fn many(count: u16, bytes: usize) -> Vec<Vec<u8>> {
    (1..=count).map(|n| n.to_be_bytes().into_iter().cycle().take(bytes).collect()).collect()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).to_vec()
}
