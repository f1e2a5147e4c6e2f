//! What one push or one record brought back holds: whose it is, what it repeats, what it slips
//! in, and changes that can't be put together.

use doorstep::ids::{Heads, RecordId};
use doorstep::sync::message::{
    Cursor, Outcome, Packed, RefusalCode, Request, Restore, StateMac, Tables, encode_request,
};
use doorstep::sync::packed::Packer;

use crate::hostile::bodies::{Column, Handmade};
use crate::hostile::operations::money;
use crate::hostile::raw::Raw;
use crate::hostile::scene::Scene;
use crate::hostile::server::NO_RECORD;
use RefusalCode::{Malformed, NotAllowed, NotAttested, TooLarge, UnknownRecord};

pub(crate) fn attack(scene: &mut Scene) {
    records_of_others(scene);
    repeats(scene);
    good_and_bad(scene);
    forged_state_tokens(scene);
    not_to_be_put_together(scene);
    too_many(scene);
}

/// Records of other users and missing records refuse writes and look the same.
fn records_of_others(scene: &mut Scene) {
    let id = scene.take();
    let honest = scene.stage(id).honest().raw_bytes().to_vec();
    for (name, record) in [
        ("another user's record", scene.others),
        ("no record", NO_RECORD),
        ("record 0", RecordId([0; 16])),
        ("the last record", RecordId([0xff; 16])),
    ] {
        let outcome = scene.push(record, std::slice::from_ref(&honest));
        scene.assert_refused(name, &outcome, UnknownRecord, Some(""));
        let outcome = scene.push(record, &[]);
        scene.assert_refused(name, &outcome, UnknownRecord, Some(""));
    }
    // Another record's change finds nothing to follow.
    let other = scene.take();
    assert!(matches!(scene.push(other, &[honest]), Outcome::Missing { .. }));
}

/// Changes that the office has are duplicates from any sender; a foreign author cannot be claimed.
fn repeats(scene: &mut Scene) {
    let id = scene.take();
    let all = scene.phone.document(id).get_changes(&[]);
    let held: Vec<Vec<u8>> =
        all[..all.len() - 1].iter().map(|change| change.raw_bytes().to_vec()).collect();
    for _ in 0..3 {
        assert!(matches!(scene.push(id, &held), Outcome::Duplicate { .. }));
    }
    assert!(matches!(scene.push(id, &[]), Outcome::Duplicate { .. }));
    let backwards: Vec<_> = held.iter().rev().chain(&held).cloned().collect();
    assert!(matches!(scene.push(id, &backwards), Outcome::Duplicate { .. }));
}

/// One bad change refuses the push whole.
fn good_and_bad(scene: &mut Scene) {
    let id = scene.take();
    let stage = scene.stage(id);
    let good = stage.honest();
    let bad = stage.forged(|change| {
        change.deps = vec![good.hash()];
        change.seq += 1;
        change.start_op = (good.max_op() + 1).try_into().unwrap();
        change.operations = money();
    });
    let good = good.raw_bytes().to_vec();
    let outcome = scene.push(id, &[good.clone(), bad.clone()]);
    scene.assert_refused("a good and a bad one", &outcome, NotAllowed, Some("case.principal"));
    assert!(matches!(scene.push(id, &[bad, good]), Outcome::Missing { .. }));
}

/// What the office has lost comes back by its own word only.
fn forged_state_tokens(scene: &mut Scene) {
    let (id, other) = (scene.take(), scene.take());
    let change = scene.stage(id).honest();
    let (before, after) = (scene.phone.confirmed(id), Heads::new(vec![change.hash()]));
    let [mac, others_mac] = [id, other].map(|id| scene.phone.mac(id));
    let changes = vec![Packed::plain(change.raw_bytes())];
    let restore = |record, heads: &Heads, mac, changes: &[Packed]| Restore {
        record,
        heads: heads.clone(),
        mac,
        changes: changes.to_vec(),
    };
    let forged: [(&str, Restore); 8] = [
        ("no state token", restore(id, &after, StateMac::default(), &changes)),
        ("a guess", restore(id, &after, [0xff; 8], &changes)),
        ("the state token of the state before", restore(id, &after, mac, &changes)),
        ("another record's", restore(id, &scene.phone.confirmed(other), others_mac, &changes)),
        ("for a record of another user", restore(scene.others, &before, mac, &changes)),
        ("for an unknown record", restore(NO_RECORD, &before, mac, &changes)),
        ("for no state at all", restore(id, &Heads::default(), mac, &changes)),
        ("with a change slipped in", restore(id, &before, mac, &changes)),
    ];
    for (name, restore) in forged {
        let request = Request { restore: vec![restore], ..Request::default() };
        let reply = scene.line.round(&request);
        scene.assert_refused(name, &reply.restored[0], NotAttested, Some(""));
    }
    // The office's own word for what it holds changes nothing.
    let request = Request { restore: vec![restore(id, &before, mac, &[])], ..Request::default() };
    assert!(matches!(scene.line.round(&request).restored[0], Outcome::Duplicate { .. }));
    // A state token is for one user.
    let shared = scene.shared;
    let heads = scene.others_phone.confirmed(shared);
    let restore = restore(shared, &heads, scene.others_phone.mac(shared), &[]);
    let reply = scene.line.round(&Request { restore: vec![restore], ..Request::default() });
    scene.assert_refused("another user's", &reply.restored[0], NotAttested, Some(""));
}

/// Stripped changes that say more than there is.
fn not_to_be_put_together(scene: &mut Scene) {
    let id = scene.take();
    let change = scene.stage(id).honest();
    let packed = Packer::default().pack([change.raw_bytes()]);
    let outcome = scene.push_packed(id, packed, Tables::default());
    scene.assert_refused("places that no table has", &outcome, Malformed, Some(""));

    type Forge = fn(Handmade) -> Handmade;
    let forged: [(&str, Forge); 7] = [
        ("an actor past the table", |body| body.column(Column::Actors, &[9])),
        ("a name past the table", |body| body.column(Column::Names, &[9])),
        ("another actor past the table", |body| body.column(Column::Others, &[1, 9])),
        ("another checksum", |body| body.spoil_checksum()),
        ("no checksum", |body| body.column(Column::Kinds, &[1]).without_checksum()),
        ("an actor of 2 MiB", |body| body.actors(vec![vec![1; 2 << 20]])),
        ("2 MiB for a name", |body| body.names(vec![vec![b'x'; 2 << 20]])),
    ];
    for (name, forge) in forged {
        let body = forge(Handmade::push(id, &change)).bytes();
        let outcome = scene.line.answer(&body).results.remove(0);
        scene.assert_refused(name, &outcome, Malformed, Some(""));
    }
    // What names nothing that is held waits, whatever it says.
    let body = Handmade::push(id, &change).column(Column::Followed, &[1]).hashes_before(&[9; 8]);
    assert!(matches!(scene.line.answer(&body.bytes()).results[0], Outcome::Missing { .. }));
}

/// Caps on a push, before it is looked at.
fn too_many(scene: &mut Scene) {
    let id = scene.take();
    let honest = Raw::honest(&scene.stage(id)).bytes();
    let many = vec![honest.clone(); doorstep::office::merge::limits::CHANGES + 1];
    let outcome = scene.push(id, &many);
    scene.assert_refused("2,001 times the same", &outcome, TooLarge, Some(""));
    let long = Raw { behind: vec![0; 300_000], ..Raw::honest(&scene.stage(id)) }.bytes();
    let outcome = scene.push(id, &[long]);
    scene.assert_refused("a change of 300,000 bytes", &outcome, TooLarge, Some(""));
    // Invented cursors change which updates are sent and nothing else.
    for (epoch, seq, base) in [
        ([0; 16], u64::MAX, u64::MAX),
        ([9; 16], u64::MAX, 0),
        (scene.phone.cursor.epoch, u64::MAX, 0),
        (scene.phone.cursor.epoch, 0, u64::MAX),
        (scene.phone.cursor.epoch, i64::MAX.cast_unsigned() + 1, 1),
        (scene.phone.cursor.epoch, 5, 9),
    ] {
        let cursor = Cursor { epoch, seq, base };
        for max_bytes in [0, 1, u32::MAX] {
            let request = Request { cursor, max_bytes, ..Request::default() };
            let answer = scene.line.post(&encode_request(&request));
            assert_eq!(answer.status, 200, "{cursor:?}: {}", answer.text());
            assert!(answer.body.len() < 4 << 20);
        }
    }
}
