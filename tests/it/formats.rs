//! Formats on the wire and on disk: what is encoded decodes to the same, any bytes decode to a
//! value or an error, and today's bytes are those of the files in `tests/data/formats`.
//!
//! A file that no longer fits says that a format changed: then its version goes up and the old
//! file stays. `DOORSTEP_WRITE_FORMATS=1` writes files that are not there yet.

use std::path::PathBuf;

use crate::support::phone::{NOW, Tables, TestPhone, contact};
use automerge::ChangeHash;
use doorstep::ids::{DeviceId, Heads, RecordId, actor};
use doorstep::office::Office;
use doorstep::record::command::{AssignmentPatch, CasePatch};
use doorstep::record::terms::Role;
use doorstep::record::{Author, Record, genesis};
use doorstep::sync::digest::Digest;
use doorstep::sync::message::{
    Chunk, Cursor, Outcome, PROTOCOL, Packed, Push, RecordUpdate, RefusalCode, Reply, Request,
    Restore, StateToken, UpdateContent, Want, decode_reply, decode_request, encode_reply,
    encode_request,
};
use doorstep::sync::packed::Packer;
use doorstep::sync::packed::columns::{self, Columns};
use doorstep::sync::ranges::{Differing, Range, State};
use doorstep::workspace::Table;
use proptest::collection::vec;
use proptest::prelude::*;

// -- golden files

#[test]
fn the_wire_is_as_it_was() {
    let (request, reply) = (request(), reply());
    // Not deflated: how tightly that is done is no part of the format.
    golden("request-3.bin", &plain(&request));
    golden("reply-3.bin", &plain(&reply));
    assert_eq!(decode_request(&encode_request(&request)), Ok(request.clone()));
    assert_eq!(decode_reply(&encode_reply(&reply)), Ok(reply.clone()));
    assert_eq!(decode_request(&read("request-3.bin")), Ok(request));
    assert_eq!(decode_reply(&read("reply-3.bin")), Ok(reply));
}

fn plain<T: minicbor::Encode<Columns>>(body: &T) -> Vec<u8> {
    [vec![PROTOCOL, 0], columns::to_vec(body)].concat()
}

#[test]
fn the_first_change_is_as_it_was() {
    let built = genesis::build().save();
    assert_eq!(
        Record::load(&built).map(|record| record.heads()),
        Ok(Heads::new(vec![genesis::hash()]))
    );
    assert_eq!(genesis::hash().to_string(), text("genesis-1.txt", &genesis::hash().to_string()));
}

/// A phone's store of format 2, sealed and with unsent work, opens and hands its work in.
#[tokio::test]
async fn a_phones_store_of_format_2_opens() {
    if std::env::var_os("DOORSTEP_WRITE_FORMATS").is_some() && !place("phone-2.json").exists() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(place("office-1.sqlite3"), folder.path().join("office.sqlite3")).unwrap();
        let office = Office::open(&address(folder.path()), || NOW).unwrap();
        let mut phone = TestPhone::new("chen.jie", 1);
        phone.sync(&office).await;
        let ids = phone.ids();
        phone.apply(ids[0], &contact("c1"));
        std::fs::write(place("phone-2.json"), to_json(&phone.tables)).unwrap();
        office.close();
    }
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sent = None;
    phone.tables = of_json(&std::fs::read_to_string(place("phone-2.json")).unwrap());
    phone.restart();
    let ids = phone.ids();
    assert_eq!(ids.len(), 2);
    assert_eq!((phone.status().unsent, phone.view(ids[0]).contacts.len()), (1, 1));

    // And the office's file of the same day.
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(place("office-1.sqlite3"), folder.path().join("office.sqlite3")).unwrap();
    let office = Office::open(&address(folder.path()), || NOW).unwrap();
    assert!(office.verify().await.unwrap().ok);
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(office.visit(ids[0]).await.unwrap().contacts.len(), 1);
}

fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/formats").join(name)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(place(name)).unwrap()
}

fn golden(name: &str, bytes: &[u8]) {
    if std::env::var_os("DOORSTEP_WRITE_FORMATS").is_some() && !place(name).exists() {
        std::fs::write(place(name), bytes).unwrap();
    }
    assert_eq!(read(name), bytes, "{name} is another format now");
}

fn text(name: &str, now: &str) -> String {
    golden(name, now.as_bytes());
    String::from_utf8(read(name)).unwrap()
}

fn address(folder: &std::path::Path) -> String {
    format!("sqlite:{}", folder.join("office.sqlite3").display())
}

fn to_json(tables: &Tables) -> String {
    let rows = tables.iter().flat_map(|(table, rows)| {
        rows.iter().map(move |(key, value)| (table, key, doorstep::ids::hex(value)))
    });
    serde_json::to_string_pretty(&rows.collect::<Vec<_>>()).unwrap()
}

fn of_json(text: &str) -> Tables {
    let rows: Vec<(Table, String, String)> = serde_json::from_str(text).unwrap();
    let mut tables = Tables::new();
    for (table, key, value) in rows {
        tables.entry(table).or_default().insert(key, doorstep::ids::unhex(&value).unwrap());
    }
    tables
}

// -- samples

const ID: RecordId = RecordId([1; 16]);

/// Chunks of a record, the same at each run.
fn chunks() -> Vec<Vec<u8>> {
    let author = |device, role| Author {
        actor: actor(DeviceId([device; 16]), 1),
        user: "chen.jie".into(),
        role,
        now_ms: NOW,
        zone: "Asia/Shanghai".into(),
    };
    let case = CasePatch {
        borrower_name: Some("王芳".into()),
        currency: Some("CNY".into()),
        ..CasePatch::default()
    };
    let assignment =
        AssignmentPatch { collectors: Some(vec!["chen.jie".into()]), ..AssignmentPatch::default() };
    let office = author(9, Role::Supervisor);
    let mut record = Record::create(ID, "C-1", &case, &assignment, &office).unwrap();
    for id in ["c1", "c2"] {
        record.apply(&contact(id), &author(1, Role::Collector)).unwrap();
    }
    let changes = record.document().get_changes(&[genesis::hash()]);
    changes.iter().map(|change| change.raw_bytes().to_vec()).collect()
}

fn heads() -> Heads {
    Heads::new(vec![ChangeHash([3; 32]), ChangeHash([2; 32])])
}

fn request() -> Request {
    let chunks = chunks();
    let mut packer = Packer::default();
    let changes = packer.pack(chunks.iter().map(Vec::as_slice));
    let push = Push { record: ID, changes: packer.pack([chunks[2].as_slice()]) };
    Request {
        cursor: Cursor { epoch: [4; 16], seq: 300, base: 299 },
        tables: packer.into_tables(),
        restore: vec![Restore { record: ID, heads: heads(), mac: [5; 8], changes }],
        push: vec![push, Push { record: ID, changes: vec![Packed::plain(b"plain")] }],
        want: vec![Want { record: ID, have: heads() }],
        ranges: vec![Range { from: ID, fingerprint: [6; 16] }],
        max_bytes: 262_144,
        undecided: None,
        quarantine: None,
    }
}

fn reply() -> Reply {
    let state_token = StateToken::new(ID, &heads(), [7; 8]);
    let chunks = chunks();
    let mut packer = Packer::default();
    let changes = packer.pack(chunks.iter().map(Vec::as_slice));
    let entry = |content| RecordUpdate { record: ID, content };
    Reply {
        tables: packer.into_tables(),
        restored: vec![Outcome::Duplicate { state_token }],
        results: vec![
            Outcome::Merged { state_token },
            Outcome::Missing { have: heads() },
            Outcome::Refused {
                code: RefusalCode::NotAllowed,
                path: "case.overdue".into(),
                message: "not writable".into(),
                quarantine: 7,
            },
            Outcome::Withdrawn,
        ],
        entries: vec![
            entry(UpdateContent::Changes { changes, state_token }),
            entry(UpdateContent::Document { document: Chunk(vec![1, 2, 3]), state_token }),
            entry(UpdateContent::Withdrawn),
            entry(UpdateContent::Unknown),
        ],
        differing: Differing {
            compared: 1,
            ranges: vec![0],
            states: vec![State { record: ID, heads: heads() }],
        },
        cursor: Cursor { epoch: [4; 16], seq: 301, base: 301 },
        remaining: 2,
        digest: Digest { count: 3, sum: [8; 32] },
        office_time: NOW,
        decisions: None,
        revocation: None,
    }
}

// -- properties

proptest! {
    #[test]
    fn any_bytes_are_a_body_or_an_error(bytes in vec(any::<u8>(), 0..600)) {
        let _ = decode_request(&bytes);
        let _ = decode_reply(&bytes);
        // Behind a sound frame, so that what follows it is read at all.
        let framed: Vec<u8> = [PROTOCOL, 0].into_iter().chain(bytes).collect();
        if let Ok(request) = decode_request(&framed) {
            prop_assert_eq!(decode_request(&encode_request(&request)), Ok(request));
        }
        if let Ok(reply) = decode_reply(&framed) {
            prop_assert_eq!(decode_reply(&encode_reply(&reply)), Ok(reply));
        }
    }

    #[test]
    fn a_body_with_any_byte_changed_or_cut_is_a_body_or_an_error(
        at: prop::sample::Index,
        byte: u8,
        cut: bool,
    ) {
        for mut bytes in [encode_request(&request()), encode_reply(&reply())] {
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] ^= byte }
            let _ = decode_request(&bytes);
            let _ = decode_reply(&bytes);
        }
    }
}
