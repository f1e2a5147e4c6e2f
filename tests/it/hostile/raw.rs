//! A change chunk byte by byte, with whatever it is told to say and the checksum that goes with
//! that.

use automerge::Change;
use doorstep::ids::GENESIS_ACTOR;
use sha2::{Digest, Sha256};

use crate::hostile::scene::{DEVICE, Stage, first_id, plain};

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];

/// Columns by their numbers in the format.
pub(crate) const OBJECT_ACTOR: u64 = 0x01;
pub(crate) const OBJECT_COUNTER: u64 = 0x02;
pub(crate) const KEY: u64 = 0x15;
pub(crate) const INSERT: u64 = 0x34;
pub(crate) const ACTION: u64 = 0x42;
pub(crate) const VALUE_META: u64 = 0x56;
pub(crate) const VALUE: u64 = 0x57;
pub(crate) const PREDS: u64 = 0x70;
pub(crate) const PRED_ACTOR: u64 = 0x71;
pub(crate) const PRED_COUNTER: u64 = 0x73;

/// The type of a string in the column of value types.
const STRING: u64 = 6;

#[derive(Clone)]
pub(crate) struct Raw {
    pub(crate) magic: [u8; 4],
    pub(crate) chunk_type: u8,
    pub(crate) deps: Vec<Vec<u8>>,
    pub(crate) actor: Vec<u8>,
    pub(crate) seq: u64,
    pub(crate) start_op: u64,
    pub(crate) time: i64,
    pub(crate) message: Vec<u8>,
    pub(crate) others: Vec<Vec<u8>>,
    /// In the place of what says how many columns there are.
    pub(crate) column_count: Option<u64>,
    pub(crate) columns: Vec<(u64, Vec<u8>)>,
    pub(crate) behind: Vec<u8>,
}

impl Raw {
    /// A change that a phone could have written: where they meet is "here".
    pub(crate) fn honest(stage: &Stage<'_>) -> Self {
        let change: Change = stage.honest();
        Self {
            magic: MAGIC,
            chunk_type: 1,
            deps: change.deps().iter().map(|dep| dep.0.to_vec()).collect(),
            actor: change.actor_id().to_bytes().to_vec(),
            seq: change.seq(),
            start_op: change.start_op().get(),
            time: change.timestamp(),
            message: b"chen.jie".to_vec(),
            others: vec![GENESIS_ACTOR.to_vec()],
            column_count: None,
            columns: put("appointment", "place", STRING, b"here"),
            behind: Vec::new(),
        }
    }

    /// The next change of a record without unsent changes.
    pub(crate) fn next(stage: &Stage<'_>) -> Self {
        let doc = stage.scene.phone.document(stage.id);
        let metas = doc.get_changes_meta(&[]);
        let own = own_actor(1);
        let seqs = metas.iter().filter(|meta| meta.actor.to_bytes() == own).map(|meta| meta.seq);
        Self {
            magic: MAGIC,
            chunk_type: 1,
            deps: doc.get_heads().iter().map(|dep| dep.0.to_vec()).collect(),
            seq: seqs.max().unwrap_or(0) + 1,
            start_op: metas.iter().map(|meta| meta.max_op).max().unwrap_or(0) + 1,
            actor: own,
            time: 0,
            message: b"chen.jie".to_vec(),
            others: vec![GENESIS_ACTOR.to_vec()],
            column_count: None,
            columns: put("appointment", "place", STRING, b"here"),
            behind: Vec::new(),
        }
    }

    /// Puts a column in the place of the one with its number, or adds it in order.
    pub(crate) fn column(mut self, number: u64, data: Vec<u8>) -> Self {
        self.columns.retain(|(known, _)| *known != number);
        self.columns.push((number, data));
        self.columns.sort();
        self
    }

    /// The next change after `operations` more operations.
    pub(crate) fn after(mut self, operations: u64) -> Self {
        self.deps = vec![Sha256::digest(&self.bytes()[8..]).to_vec()];
        self.seq += 1;
        self.start_op += operations;
        self
    }

    /// The same with another single operation.
    pub(crate) fn put(self, object: &str, key: &str, kind: u64, value: &[u8]) -> Self {
        Self { columns: put(object, key, kind, value), ..self }
    }

    /// The chunk's content, without magic, checksum, type and length.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = leb(self.deps.len() as u64);
        self.deps.iter().for_each(|dep| body.extend(dep));
        counted(&mut body, &self.actor);
        body.extend(leb(self.seq));
        body.extend(leb(self.start_op));
        body.extend(sleb(self.time));
        counted(&mut body, &self.message);
        body.extend(leb(self.others.len() as u64));
        self.others.iter().for_each(|other| counted(&mut body, other));
        body.extend(leb(self.column_count.unwrap_or(self.columns.len() as u64)));
        for (number, data) in &self.columns {
            body.extend(leb(*number));
            body.extend(leb(data.len() as u64));
        }
        self.columns.iter().for_each(|(_, data)| body.extend(data));
        body.extend(&self.behind);
        body
    }

    /// The chunk.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        framed(self.magic, self.chunk_type, &self.body())
    }
}

/// Any content as a chunk with the right checksum and length.
pub(crate) fn framed(magic: [u8; 4], chunk_type: u8, body: &[u8]) -> Vec<u8> {
    let summed = [&[chunk_type][..], &leb(body.len() as u64), body].concat();
    [&magic[..], &Sha256::digest(&summed)[..4], &summed].concat()
}

/// The columns of one operation that puts a value at a key of a container of the first change.
fn put(object: &str, key: &str, kind: u64, value: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let path: Vec<&str> = object.split('.').collect();
    let object = plain(&first_id(&path)).0;
    let mut columns = vec![
        // Place 0 is the author; the first change's actor is the only other.
        (OBJECT_ACTOR, one(&leb(1))),
        (OBJECT_COUNTER, one(&leb(object))),
        (KEY, one(&[&leb(key.len() as u64), key.as_bytes()].concat())),
        (INSERT, leb(1)),
        (ACTION, one(&leb(1))),
        (VALUE_META, one(&leb((value.len() as u64) << 4 | kind))),
        (PREDS, one(&leb(0))),
    ];
    if !value.is_empty() {
        columns.push((VALUE, value.to_vec()));
        columns.sort();
    }
    columns
}

/// One value in a column.
pub(crate) fn one(value: &[u8]) -> Vec<u8> {
    [&sleb(-1), value].concat()
}

/// A run of one value.
pub(crate) fn run(times: i64, value: &[u8]) -> Vec<u8> {
    [&sleb(times), value].concat()
}

fn counted(into: &mut Vec<u8>, bytes: &[u8]) {
    into.extend(leb(bytes.len() as u64));
    into.extend(bytes);
}

/// Unsigned LEB128.
pub(crate) fn leb(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}

/// Signed LEB128.
pub(crate) fn sleb(mut value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !(-64..64).contains(&value) {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0] & 0x7f);
    bytes
}

/// An actor of the lying device.
pub(crate) fn own_actor(session: u64) -> Vec<u8> {
    [&DEVICE.0[..], &session.to_be_bytes()].concat()
}
