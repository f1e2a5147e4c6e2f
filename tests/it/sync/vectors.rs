//! The test vectors of docs/SYNC.md: inputs and outputs of every definition that a second
//! implementation has to agree with, in `tests/data/vectors/sync-3.json`.
//!
//! `DOORSTEP_WRITE_FORMATS=1` writes the file if it is missing.

use std::path::PathBuf;

use automerge::{Automerge, Change, ChangeHash};
use doorstep::ids::{DeviceId, Heads, RecordId, actor, hex, unhex};
use doorstep::record::genesis;
use doorstep::record::signature::Statement;
use doorstep::sync::digest::{Digest, Item};
use doorstep::sync::message::{Push, Request, decode_request};
use doorstep::sync::packed::columns;
use doorstep::sync::packed::{Packer, unpack};
use doorstep::sync::ranges;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

#[test]
fn the_vectors_are_what_this_implementation_computes() {
    let computed = json!({
        "first_change": hex(&genesis::hash().0),
        "actor": actor_vector(),
        "fingerprint": fingerprints(),
        "digest": digest(),
        "ranges": range_prints(),
        "stripped": stripped(),
        "signature": signature(),
    });
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors/sync-3.json");
    if std::env::var_os("DOORSTEP_WRITE_FORMATS").is_some() && !path.exists() {
        std::fs::write(&path, serde_json::to_string_pretty(&computed).unwrap() + "\n").unwrap();
    }
    let mut stored: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    // Checked where the office's key is: `src/office/attestation.rs`.
    let keyed = stored.as_object_mut().unwrap();
    keyed.remove("state_token");
    keyed.remove("enrolment_proof");
    assert_eq!(computed, stored);
}

/// A record id whose bytes are all `n`.
fn id(n: u8) -> RecordId {
    RecordId([n; 16])
}

fn heads(of: &[u8]) -> Heads {
    Heads::new(of.iter().map(|n| ChangeHash([*n; 32])).collect())
}

fn actor_vector() -> Value {
    let (device, session) = (DeviceId([0xd1; 16]), 7 << 31 | 5);
    json!({
        "device": device.to_string(),
        "session": session,
        "actor": hex(actor(device, session).to_bytes()),
    })
}

fn fingerprints() -> Vec<Value> {
    let one = |record: RecordId, heads: &Heads| {
        let mut digest = Digest::default();
        digest.add(Item::of(record, heads));
        json!({
            "record": hex(&record.0), "heads": heads.to_hex(), "fingerprint": hex(&digest.sum),
        })
    };
    vec![one(id(1), &heads(&[])), one(id(1), &heads(&[3])), one(id(1), &heads(&[3, 2]))]
}

/// 40 records, so that there is more than one range.
fn records() -> Vec<(RecordId, Heads)> {
    (1..=40).map(|n| (id(n), heads(&[n, 100 + n]))).collect()
}

fn records_json() -> Value {
    let record = |(record, heads): &(RecordId, Heads)| json!({ "record": hex(&record.0), "heads": heads.to_hex() });
    records().iter().map(record).collect()
}

fn digest() -> Value {
    let mut digest = Digest::default();
    records().iter().for_each(|(record, heads)| digest.add(Item::of(*record, heads)));
    json!({ "records": records_json(), "count": digest.count, "sum": hex(&digest.sum) })
}

fn range_prints() -> Value {
    let records = records();
    let cut = ranges::cut(id(0), records.iter().map(|(record, heads)| (*record, heads)));
    let range =
        |range: &ranges::Range| json!({ "from": hex(&range.from.0), "print": hex(&range.print) });
    json!({ "from": hex(&id(0).0), "ranges": cut.iter().map(range).collect::<Vec<_>>() })
}

/// The changes of the golden request, as they were and as they travel.
fn stripped() -> Value {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/formats/request-3.bin");
    let request = decode_request(&std::fs::read(golden).unwrap()).unwrap();
    let [restore] = request.restore.as_slice() else { panic!("one restored record") };
    let chunks = unpack(&restore.changes, &request.tables, |_| Some(genesis::hash())).unwrap();

    let mut packer = Packer::default();
    let changes = packer.pack(chunks.iter().map(Vec::as_slice));
    let push = vec![Push { record: restore.record, changes }];
    let alone = Request { tables: packer.into_tables(), push, ..Request::default() };
    let mut document = Automerge::load(genesis::BYTES).unwrap();
    let read = |chunk: &Vec<u8>| Change::from_bytes(chunk.clone()).unwrap();
    document.apply_changes(chunks.iter().map(read)).unwrap();
    json!({
        "chunks": chunks.iter().map(|chunk| hex(chunk)).collect::<Vec<_>>(),
        "heads": Heads::new(document.get_heads()).to_hex(),
        "payload": hex(&columns::to_vec(&alone)),
    })
}

fn signature() -> Value {
    let key = SigningKey::from_bytes(&[0x5e; 32]);
    let (record, device) = (id(1).to_string(), DeviceId([0xd1; 16]).to_string());
    let heads = heads(&[3, 2]);
    let statement = Statement {
        record: &record,
        heads: &heads,
        device: &device,
        at: 1_795_000_000_000,
        text: "Met the borrower. 已当面核实。",
        user: "chen.jie",
    };
    let bytes = statement.to_bytes();
    let signature = hex(&key.sign(&bytes).to_bytes());
    let public = hex(key.verifying_key().as_bytes());
    assert!(statement.is_signed(&public, &signature));
    assert!(!Statement { user: "wu.min", ..statement }.is_signed(&public, &signature));
    assert_eq!(unhex(&hex(&bytes)).unwrap(), bytes);
    json!({
        "secret_key": hex(key.as_bytes()), "public_key": public,
        "record": record, "heads": heads.to_hex(), "device": device, "at": statement.at,
        "text": statement.text, "user": statement.user,
        "statement": String::from_utf8(bytes).unwrap(), "signature": signature,
    })
}
