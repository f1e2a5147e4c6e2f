//! Properties of any bytes. The fuzzer calls these checks, and `tests/it/fuzz.rs` runs them over the
//! corpus and over everything that the fuzzer has found.
//!
//! Also the library of the fuzz crate (`fuzz/Cargo.toml`), hence the file name `mod.rs` and `pub`.

#![allow(missing_docs, unreachable_pub)]

mod case_list;
mod round;

use std::sync::LazyLock;

use automerge::ChangeHash;
use doorstep::ids::{DeviceId, RecordId, actor};
use doorstep::office::merge::{Judgement, Sender, StoredState, judge};
use doorstep::office::store::ChangeMeta;
use doorstep::record::command::{AssignmentPatch, CasePatch, Command, NewContact};
use doorstep::record::terms::{Channel, ContactOutcome, Role, TargetRole};
use doorstep::record::{Author, Record, genesis};
use doorstep::sync::message::{
    Push, Request, decode_reply, decode_request, encode_reply, encode_request,
};
use doorstep::sync::packed::{Packer, Prefix, columns, prefix, unpack};
use doorstep::vault::Vault;
use doorstep::workspace::{Identity, Output, Row, Table, Workspace};

pub use case_list::{case_list, workbook, worksheet};
pub use round::{office, round, session};

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 8] = [
    ("sync_request", sync_request),
    ("sync_reply", sync_reply),
    ("change", change),
    ("packed", packed),
    ("round", round),
    ("device_rows", device_rows),
    ("case_list", case_list),
    ("worksheet", worksheet),
];

const ID: RecordId = RecordId([1; 16]);
const DEVICE: DeviceId = DeviceId([1; 16]);
const USER: &str = "chen.jie";
const NOW: i64 = 1_795_000_000_000;

/// A request decodes to what encodes to the same request, or to an error.
pub fn sync_request(bytes: &[u8]) {
    if let Ok(request) = decode_request(bytes) {
        assert_eq!(decode_request(&encode_request(&request)), Ok(request));
    }
}

/// A reply likewise.
pub fn sync_reply(bytes: &[u8]) {
    if let Ok(reply) = decode_reply(bytes) {
        assert_eq!(decode_reply(&encode_reply(&reply)), Ok(reply));
    }
}

/// A change from a device is refused, or leaves a record that loads.
pub fn change(bytes: &[u8]) {
    let chunk = summed(bytes);
    travels(std::slice::from_ref(&chunk));
    judged(&[&chunk]);
}

/// The bytes with the magic and the checksum of a chunk, which a fuzzer would never find.
fn summed(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = bytes.to_vec();
    if let Some((head, rest)) = chunk.split_first_chunk_mut::<8>() {
        use sha2::Digest;
        let hash = sha2::Sha256::digest(rest);
        head[..4].copy_from_slice(&[0x85, 0x6f, 0x4a, 0x83]);
        head[4..].copy_from_slice(&hash[..4]);
    }
    chunk
}

/// Changes as they travel are put together and judged, or are an error.
pub fn packed(bytes: &[u8]) {
    let Ok(Request { tables, push, .. }) = columns::from_slice(bytes) else { return };
    for push in push {
        if let Ok(chunks) = unpack(&push.changes, &tables, known) {
            travels(&chunks);
            judged(&chunks.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
    }
}

/// Whatever bytes are sent as changes come out as they were.
fn travels(chunks: &[Vec<u8>]) {
    let mut packer = Packer::default();
    let changes = packer.pack(chunks.iter().map(Vec::as_slice));
    let sent = Request {
        tables: packer.into_tables(),
        push: vec![Push { record: ID, changes }],
        ..Request::default()
    };
    let came = columns::from_slice(&columns::to_vec(&sent)).ok();
    assert_eq!(came.as_ref(), Some(&sent));
    match unpack(&sent.push[0].changes, &sent.tables, known) {
        Ok(again) => assert_eq!(again, chunks),
        // What follows a change that is not held, and may look like one that is.
        Err(_) => assert!(!chunks.iter().all(|chunk| follows_what_is_held(chunk))),
    }
}

fn follows_what_is_held(chunk: &[u8]) -> bool {
    let change = automerge::Change::from_bytes(chunk.to_vec());
    change.is_ok_and(|change| change.deps().iter().all(|dep| known(&prefix(dep)) == Some(*dep)))
}

fn known(name: &Prefix) -> Option<ChangeHash> {
    let hashes = OFFICE.known.iter().map(|known| known.hash).chain([genesis::hash()]);
    hashes.into_iter().find(|hash| prefix(hash) == *name)
}

/// A device's store of any bytes opens, and asks for what it lacks. The bytes are sealed as a row
/// of the store: what does not open is not read.
pub fn device_rows(bytes: &[u8]) {
    let Some((which, value)) = bytes.split_first() else { return };
    let mut encrypting = vault();
    let mut row = |table, key: String| {
        let value = encrypting.encrypt(table, &key, value).into();
        vec![Row { key, value }]
    };
    let (mut meta, mut records, mut outbox) = (Vec::new(), Vec::new(), Vec::new());
    match which % 4 {
        0 => meta = row(Table::Meta, "cursor".into()),
        1 => records = row(Table::Records, ID.to_string()),
        2 => outbox = row(Table::Outbox, format!("{ID}/000000000001")),
        _ => meta = row(Table::Meta, "proven".into()),
    }
    let identity =
        Identity { device: DEVICE, session: 1, user: USER.into(), role: Role::Collector };
    let Ok(mut workspace) = Workspace::new(identity, vault(), &meta, &[], &outbox, 0) else {
        return;
    };
    let _ = workspace.open(ID);
    for _ in 0..64 {
        match workspace.poll() {
            Some(Output::Load { record }) => {
                let chunk = row(Table::Chunks, format!("{record}/{}", "0".repeat(32)));
                workspace.loaded(record.parse().unwrap_or(ID), records.first(), &chunk, 0);
            }
            Some(Output::ReadRecords { .. }) => workspace.records_read(&records, 0),
            Some(Output::Persist { batch, .. }) => workspace.persisted(batch, 0),
            Some(Output::Send { round, .. }) => workspace.replied(round, value, 0),
            Some(_) => {}
            None => break,
        }
    }
    let _ = (workspace.list(), workspace.status());
}

/// The vault of the phone whose store is a file of the format.
pub fn vault() -> Vault {
    Vault::new(&[7; 32], [0; 16])
}

fn judged(chunks: &[&[u8]]) {
    let stored = StoredState { changes: &OFFICE.known, document: &OFFICE.document, loaded: None };
    let sender = Sender { user: USER, role: Role::Collector, device: DEVICE, keys: &[] };
    if let Judgement::Accepted(accepted) = judge(stored, chunks, sender) {
        let loaded = Record::load(&accepted.document).expect("what is accepted loads");
        assert_eq!(loaded.heads(), accepted.record.heads());
        assert!(loaded.validate().is_ok());
        // A later edit continues from there.
        let mut next = loaded;
        next.apply(&contact("after"), &author(DEVICE, 9)).expect("the next edit is taken");
    }
}

/// A record as the office holds it.
struct OfficeRecord {
    document: Vec<u8>,
    known: Vec<ChangeMeta>,
}

static OFFICE: LazyLock<OfficeRecord> = LazyLock::new(|| {
    let record = record();
    let known = record
        .document()
        .get_changes_meta(&[genesis::hash()])
        .into_iter()
        .map(|change| ChangeMeta {
            hash: change.hash,
            actor: change.actor.into_owned(),
            seq: change.seq,
            max_op: change.max_op,
        })
        .collect();
    OfficeRecord { document: record.save(), known }
});

/// The record of the corpus: made by the office, with one contact by the device.
pub fn record() -> Record {
    let case = CasePatch {
        borrower_name: Some("Wang Fang".into()),
        currency: Some("CNY".into()),
        ..CasePatch::default()
    };
    let assignment =
        AssignmentPatch { collectors: Some(vec![USER.into()]), ..AssignmentPatch::default() };
    let office = Author { role: Role::Supervisor, ..author(DeviceId([9; 16]), 1) };
    let mut record =
        Record::create(ID, "C-1", &case, &assignment, &office).expect("a sound record");
    record.apply(&contact("c1"), &author(DEVICE, 1)).expect("allowed");
    record
}

/// Who writes in the corpus.
pub fn author(device: DeviceId, session: u64) -> Author {
    Author {
        actor: actor(device, session),
        user: USER.into(),
        role: Role::Collector,
        now_ms: NOW,
        zone: "Asia/Shanghai".into(),
    }
}

/// A command of a collector.
pub fn contact(id: &str) -> Command {
    Command::LogContact(NewContact {
        id: id.into(),
        at: 1_795_000_000_000,
        channel: Channel::Call,
        number_ref: "phones.0".into(),
        target_role: TargetRole::Borrower,
        outcome: ContactOutcome::NoAnswer,
        note: "no answer".into(),
    })
}
