//! Bodies that are no request, or one that says more than it can.

use std::io::Write;

use automerge::Change;
use doorstep::ids::RecordId;
use doorstep::sync::message::{MAX_BODY, PROTOCOL};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use minicbor::Encoder;

use crate::hostile::scene::Scene;

/// A column of a body's changes, by its place.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    Kinds = 0,
    Actors = 1,
    Names = 5,
    Followed = 6,
    Others = 7,
    Hashes = 8,
    /// Which columns of operations each content has.
    Shapes = 9,
    /// Bytes of each of those.
    Lengths = 10,
    Contents = 11,
}

const COLUMNS: usize = 12;

/// The last three of them form a list of their own.
const PLAIN: usize = 9;

/// A handwritten request: the columns of its changes and its other parts.
#[derive(Clone, Default)]
pub(crate) struct Handmade {
    columns: [Vec<u8>; COLUMNS],
    actors: Vec<Vec<u8>>,
    names: Vec<Vec<u8>>,
    time: i64,
    /// A record, and how many changes it says to push to it.
    pushes: Vec<(RecordId, u64)>,
    /// In the place of the list of what is wanted.
    wants: Option<Vec<u8>>,
    ranges: Option<Vec<u8>>,
}

impl Handmade {
    /// A push of one change, stripped as a phone strips it, with a checksum.
    pub(crate) fn push(record: RecordId, change: &Change) -> Self {
        use doorstep::sync::message::{Push, Request};
        use doorstep::sync::packed::{Packer, columns};
        let mut packer = Packer::default();
        let changes = packer.pack([change.raw_bytes()]);
        let push = vec![Push { record, changes }];
        let bytes =
            columns::to_vec(&Request { tables: packer.into_tables(), push, ..Request::default() });
        let mut decoder = minicbor::Decoder::new(&bytes);
        let mut body = Self { pushes: vec![(record, 1)], ..Self::default() };
        assert_eq!(decoder.array().unwrap(), Some(PLAIN as u64 + 1));
        for (place, column) in body.columns.iter_mut().enumerate() {
            if place == PLAIN {
                assert_eq!(decoder.array().unwrap(), Some(3));
            }
            match decoder.datatype().unwrap() {
                minicbor::data::Type::Null => decoder.null().unwrap(),
                _ => *column = decoder.bytes().unwrap().to_vec(),
            }
        }
        // The request's tables follow its cursor.
        decoder.array().unwrap();
        decoder.skip().unwrap();
        assert_eq!(decoder.array().unwrap(), Some(3));
        let mut table = || {
            let count = decoder.array().unwrap().unwrap();
            (0..count).map(|_| decoder.bytes().unwrap().to_vec()).collect()
        };
        (body.actors, body.names) = (table(), table());
        body.time = decoder.i64().unwrap();
        body
    }

    pub(crate) fn column(mut self, column: Column, values: &[u8]) -> Self {
        self.columns[column as usize] = values.to_vec();
        self
    }

    pub(crate) fn hashes_before(mut self, bytes: &[u8]) -> Self {
        let hashes = &mut self.columns[Column::Hashes as usize];
        let checksum = hashes.split_off(hashes.len() - 4);
        *hashes = [bytes, &checksum].concat();
        self
    }

    pub(crate) fn without_checksum(mut self) -> Self {
        let hashes = &mut self.columns[Column::Hashes as usize];
        hashes.truncate(hashes.len() - 4);
        self
    }

    pub(crate) fn spoil_checksum(mut self) -> Self {
        *self.columns[Column::Hashes as usize].last_mut().unwrap() ^= 1;
        self
    }

    pub(crate) fn actors(self, actors: Vec<Vec<u8>>) -> Self {
        Self { actors, ..self }
    }

    pub(crate) fn names(self, names: Vec<Vec<u8>>) -> Self {
        Self { names, ..self }
    }

    /// One push with `count` empty changes.
    pub(crate) fn nothings(record: RecordId, count: usize) -> Self {
        let mut body = Self { pushes: vec![(record, count as u64)], ..Self::default() };
        // Stripped, without checksum, and zeros for the rest.
        body.columns[Column::Kinds as usize] = vec![1; count];
        for column in &mut body.columns[Column::Actors as usize..=Column::Others as usize] {
            *column = vec![0; count];
        }
        // Each content has no column at all.
        body.columns[Column::Shapes as usize] = vec![1; count];
        body
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        deflated(&self.plain())
    }

    fn plain(&self) -> Vec<u8> {
        let mut e = Encoder::new(Vec::new());
        e.array(PLAIN as u64 + 1).unwrap();
        for (place, column) in self.columns.iter().enumerate() {
            if place == PLAIN {
                e.array(3).unwrap();
            }
            e.bytes(column).unwrap();
        }
        e.array(7).unwrap();
        e.array(3).unwrap().bytes(&[0; 16]).unwrap().u64(0).unwrap().u64(0).unwrap();
        e.array(3).unwrap();
        for table in [&self.actors, &self.names] {
            e.array(table.len() as u64).unwrap();
            table.iter().for_each(|entry| drop(e.bytes(entry).map(drop)));
        }
        e.i64(self.time).unwrap();
        e.array(0).unwrap().array(self.pushes.len() as u64).unwrap();
        for (record, count) in &self.pushes {
            e.array(2).unwrap().bytes(&record.0).unwrap().u64(*count).unwrap();
        }
        let mut bytes = e.into_writer();
        for part in [&self.wants, &self.ranges] {
            bytes.extend(part.as_deref().unwrap_or(&[0x80]));
        }
        bytes.push(0);
        bytes
    }
}

/// A body with its content deflated.
pub(crate) fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(vec![PROTOCOL, 1], Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn plain(content: &[u8]) -> Vec<u8> {
    [&[PROTOCOL, 0], content].concat()
}

/// A list with `count` equal items.
fn list(count: u32, item: &[u8]) -> Vec<u8> {
    [&[0x9a][..], &count.to_be_bytes(), &item.repeat(count as usize)].concat()
}

pub(crate) fn attack(scene: &mut Scene) {
    let id = scene.take();
    let honest = Handmade::push(id, &scene.stage(id).honest());
    let content = honest.plain();
    for (name, body, status, code) in table(&honest, &content, id) {
        let answer = scene.line.post(&body);
        let got = (answer.status, answer.json()["code"].as_str().unwrap().to_owned());
        scene.assert(got == (status, code.to_owned()), || format!("{name}: {}", answer.text()));
    }
    // Cut anywhere: never a request, never more than an error.
    for end in 0..content.len() {
        let answer = scene.line.post(&plain(&content[..end]));
        assert_eq!(answer.status, 400, "cut at {end}: {}", answer.text());
    }
}

type Row = (&'static str, Vec<u8>, u16, &'static str);

fn table(honest: &Handmade, content: &[u8], id: RecordId) -> Vec<Row> {
    let part = |wants: Vec<u8>| Handmade { wants: Some(wants), ..Handmade::default() }.bytes();
    let nested = |byte: u8| deflated(&vec![byte; MAX_BODY - 1]);
    let malformed = |name, body| (name, body, 400, "malformed");
    let too_large = |name, body| (name, body, 413, "too_large");
    let want = [&[0x82, 0x50][..], &id.0, &[0x40]].concat();
    let range = [&[0x82, 0x50][..], &id.0, &[0x50], &[0; 16]].concat();
    let push = (0..5_000).map(|_| (id, 0)).collect();
    vec![
        malformed("nothing", vec![]),
        malformed("a version and no more", vec![PROTOCOL]),
        malformed("an encoding to come", vec![PROTOCOL, 9, 0]),
        ("a version to come", vec![99, 0, 0x80], 426, "unsupported_version"),
        ("a version of the past", vec![1, 0, 0x80], 426, "unsupported_version"),
        malformed("plain where it says deflated", [&[PROTOCOL, 1], content].concat()),
        malformed("deflated where it says plain", plain(&deflated(content))),
        malformed("a stream that is cut", deflated(content)[..content.len() / 4].to_vec()),
        too_large("a gigabyte of zeros", deflated(&vec![0; 1 << 30])),
        too_large("one byte too many", deflated(&vec![0; MAX_BODY + 1])),
        too_large("a plain body too long", plain(&vec![0; MAX_BODY + 1])),
        malformed("zeros to the end", deflated(&vec![0; MAX_BODY])),
        malformed("bytes behind the end", plain(&[content, &[0]].concat())),
        malformed("twice", plain(&[content, content].concat())),
        malformed("lists within lists", nested(0x81)),
        malformed("endless lists within endless lists", nested(0x9f)),
        malformed("endless maps within endless maps", nested(0xbf)),
        malformed("tags on tags", nested(0xc1)),
        malformed("endless texts within texts", nested(0x7f)),
        malformed("ends of nothing", nested(0xff)),
        malformed(
            "a list past counting",
            plain(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ),
        malformed(
            "bytes past counting",
            plain(&[0x8b, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ),
        malformed(
            "a text past counting",
            plain(&[0x8b, 0x7b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ),
        malformed("a fraction", plain(&[0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0])),
        malformed("columns in the place of a request", plain(&[0x80, 0x80])),
        malformed(
            "unknown parts that nest",
            deflated(&[&[0x8c][..], &[0xf6; 11], &vec![0x81; 4_000_000]].concat()),
        ),
        malformed(
            "wants past counting",
            part(vec![0x9b, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ),
        malformed(
            "a want of 15 bytes",
            part([&[0x81, 0x82, 0x4f][..], &[0; 15], &[0x40]].concat()),
        ),
        malformed(
            "heads that are no hashes",
            part([&[0x81, 0x82, 0x50][..], &id.0, &[0x43, 1, 2, 3]].concat()),
        ),
        too_large("5,000 wants", part(list(5_000, &want))),
        too_large("200,000 wants", part(list(200_000, &want))),
        too_large("5,000 pushes", Handmade { pushes: push, ..Handmade::default() }.bytes()),
        too_large(
            "100,000 ranges",
            Handmade { ranges: Some(list(100_000, &range)), ..Handmade::default() }.bytes(),
        ),
        too_large(
            "ranges out of order",
            Handmade { ranges: Some(list(2, &range)), ..Handmade::default() }.bytes(),
        ),
        malformed(
            "changes that are not there",
            Handmade { pushes: vec![(id, 3)], ..honest.clone() }.bytes(),
        ),
        malformed(
            "billions of changes",
            Handmade { pushes: vec![(id, u64::from(u32::MAX))], ..honest.clone() }.bytes(),
        ),
        malformed(
            "changes of an unknown record",
            Handmade { pushes: vec![], ..honest.clone() }.bytes(),
        ),
        malformed("a kind to come", honest.clone().column(Column::Kinds, &[7]).bytes()),
        malformed(
            "billions of hashes",
            honest.clone().column(Column::Followed, &[0x1a, 0xff, 0xff, 0xff, 0xff]).bytes(),
        ),
        malformed(
            "billions of other actors",
            honest.clone().column(Column::Others, &[0x1a, 0xff, 0xff, 0xff, 0xff]).bytes(),
        ),
        malformed(
            "a content past its column",
            honest
                .clone()
                .column(Column::Lengths, &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
                .bytes(),
        ),
        malformed(
            "a content that ends early",
            honest.clone().column(Column::Contents, &[0; 10]).bytes(),
        ),
        malformed("a column to spare", honest.clone().column(Column::Names, &[0, 0]).bytes()),
        malformed("400,000 changes of nothing", Handmade::nothings(id, 400_000).bytes()),
        malformed(
            "4 million actors of nothing",
            honest.clone().actors(vec![vec![]; 4_000_000]).bytes(),
        ),
        malformed(
            "4 million names of nothing",
            honest.clone().names(vec![vec![]; 4_000_000]).bytes(),
        ),
    ]
}
