//! The checks of the fuzzer over its corpus, where everything that it ever found stays.

#[path = "../fuzz/checks.rs"]
mod checks;

use std::path::{Path, PathBuf};

use doorstep::ids::{DeviceId, RecordId};
use doorstep::record::command::{Command, TextEdit};
use doorstep::record::genesis;
use doorstep::sync::message::{Push, Request};
use doorstep::sync::packed::{Packer, columns};

/// A target by its name.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 5] = [
    ("sync_request", checks::sync_request),
    ("sync_reply", checks::sync_reply),
    ("change", checks::change),
    ("packed", checks::packed),
    ("device_rows", checks::device_rows),
];

#[test]
fn the_corpus_holds() {
    let mut files = 0;
    for (target, check) in TARGETS {
        for file in std::fs::read_dir(corpus(target)).unwrap() {
            check(&std::fs::read(file.unwrap().path()).unwrap());
            files += 1;
        }
    }
    assert!(files > 10);
}

/// What the fuzzer starts from is made by `DOORSTEP_WRITE_FORMATS=1`, and holds like all else.
#[test]
fn the_corpus_can_be_made() {
    let keep = std::env::var_os("DOORSTEP_WRITE_FORMATS").is_some();
    let write = |target: &str, name: &str, bytes: &[u8]| {
        TARGETS.iter().find(|(name, _)| *name == target).unwrap().1(bytes);
        if keep {
            std::fs::create_dir_all(corpus(target)).unwrap();
            std::fs::write(corpus(target).join(name), bytes).unwrap();
        }
    };
    let formats = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/formats");
    write("sync_request", "golden", &std::fs::read(formats.join("request-3.bin")).unwrap());
    write("sync_reply", "golden", &std::fs::read(formats.join("reply-3.bin")).unwrap());

    let mut record = checks::record();
    let before = record.document().get_heads();
    let author = checks::author(DeviceId([1; 16]), 2);
    let text = "asked to call in the evening".into();
    let notes = TextEdit { base: record.heads().to_hex(), text };
    for command in [checks::contact("c2"), Command::EditNotes(notes)] {
        record.apply(&command, &author).unwrap();
    }
    let changes = record.document().get_changes(&before);
    let mut packer = Packer::default();
    let changes = packer.pack(changes.iter().map(automerge::Change::raw_bytes));
    let push = vec![Push { record: RecordId([1; 16]), changes }];
    let request = Request { tables: packer.into_tables(), push, ..Request::default() };
    write("packed", "two", &columns::to_vec(&request));
    let all = record.document().get_changes(&[genesis::hash()]);
    for (n, change) in all.iter().enumerate() {
        write("change", &format!("change-{n}"), change.raw_bytes());
    }

    let rows: Vec<(String, String, String)> =
        serde_json::from_slice(&std::fs::read(formats.join("phone-1.json")).unwrap()).unwrap();
    for (n, (table, key, value)) in rows.iter().enumerate() {
        let which = match (table.as_str(), key.as_str()) {
            ("meta", "cursor") => 0,
            ("records", _) => 1,
            ("outbox", _) => 2,
            _ => 3,
        };
        let value = doorstep::ids::unhex(value).unwrap();
        write("device_rows", &format!("{table}-{n}"), &[vec![which], value].concat());
    }
}

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}
