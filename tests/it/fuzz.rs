//! The checks of the fuzzer, over its corpus, where everything that it ever found stays, and over
//! what chance makes of that: a short run without the fuzzer, the same each time.

mod checks;

use std::path::{Path, PathBuf};

use doorstep::ids::{DeviceId, Heads, RecordId};
use doorstep::office::sheets::import::reader::Sheet;
use doorstep::record::command::{Command, TextEdit};
use doorstep::record::{Record, genesis};
use doorstep::sync::message::{Packed, Push, Request, Restore, UpdateContent, Want};
use doorstep::sync::packed::{Packer, columns};
use doorstep::sync::ranges;
use doorstep::workspace::Table;
use rstest::rstest;

use checks::TARGETS;

/// Mutants of each target, unless `DOORSTEP_MUTANTS` says otherwise.
const MUTANTS: usize = 2_000;

#[test]
fn the_corpus_holds() {
    let mut files = 0;
    for (target, check) in TARGETS {
        for bytes in seeds(target) {
            check(&bytes);
            files += 1;
        }
    }
    assert!(files > 10);
}

#[rstest]
#[case("sync_request")]
#[case("sync_reply")]
#[case("change")]
#[case("packed")]
#[case("round")]
#[case("device_rows")]
#[case("case_list")]
#[case("worksheet")]
fn mutants_of_the_corpus_hold(#[case] target: &str) {
    let count = std::env::var("DOORSTEP_MUTANTS").map_or(MUTANTS, |count| count.parse().unwrap());
    let check = TARGETS.iter().find(|(name, _)| *name == target).unwrap().1;
    let seeds = seeds(target);
    let mut rng = fastrand::Rng::with_seed(1);
    for n in 0..count {
        let mut bytes = rng.choice(&seeds).unwrap().clone();
        for _ in 0..rng.usize(1..6) {
            mutate(&mut bytes, &seeds, &mut rng);
        }
        if std::panic::catch_unwind(|| check(&bytes)).is_err() {
            let kept = std::env::temp_dir().join(format!("{target}-mutant-{n}"));
            std::fs::write(&kept, &bytes).unwrap();
            panic!("mutant {n} of {target} does not hold: {}", kept.display());
        }
    }
}

/// One small change of the kinds that fuzzers make.
fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut fastrand::Rng) {
    const NUMBERS: [&[u8]; 6] =
        [&[0], &[0x7f], &[0xff; 2], &[0xff; 4], &[0xff, 0xff, 0xff, 0xff, 0x0f], &[0xff; 8]];
    let at = rng.usize(..=bytes.len());
    let end = (at + rng.usize(..16)).min(bytes.len());
    match rng.u8(..7) {
        0 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
        1 if at < bytes.len() => bytes[at] = rng.u8(..),
        2 => drop(bytes.drain(at..end)),
        3 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
        4 => bytes.truncate(at),
        5 => drop(bytes.splice(at..end, rng.choice(NUMBERS).unwrap().iter().copied())),
        _ => {
            let other = rng.choice(seeds).unwrap();
            let from = rng.usize(..=other.len());
            let piece = &other[from..(from + rng.usize(..64)).min(other.len())];
            drop(bytes.splice(at..end, piece.iter().copied()));
        }
    }
}

/// The corpus of a target, in the same order everywhere.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(corpus(target)).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
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

    for (n, body) in rounds().into_iter().enumerate() {
        write("round", &format!("round-{n}"), &columns::to_vec(&body));
    }
    let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for name in ["cases.csv", "cases_zh.csv"] {
        let list = std::fs::read(lists.join(name)).unwrap();
        let lines: Vec<&[u8]> = list.split_inclusive(|byte| *byte == b'\n').take(8).collect();
        write("case_list", name, &lines.concat());
    }
    let chinese = encoding_rs::GB18030
        .encode(
            "案件编号;借款人姓名;逾期金额;币种;到期日;纬度\r\n\
        NB1;王芳;１２，３４５．６７;人民币;2026年11月3日;29.8\r\n",
        )
        .0;
    write("case_list", "gb18030", &chinese);
    let parts = WORKSHEET.join(&0);
    assert_eq!(Sheet::read(&checks::workbook(&parts)).unwrap().rows.len(), 1);
    write("worksheet", "plain", &parts);

    let rows: Vec<(Table, String, String)> =
        serde_json::from_slice(&std::fs::read(formats.join("phone-2.json")).unwrap()).unwrap();
    for (n, (table, key, value)) in rows.iter().enumerate() {
        let which = match (table, key.as_str()) {
            (Table::Meta, "cursor") => 0,
            (Table::Records, _) => 1,
            (Table::Outbox, _) => 2,
            _ => 3,
        };
        let value = checks::vault().decrypt(*table, key, &doorstep::ids::unhex(value).unwrap());
        let name = format!("{table:?}-{n}").to_lowercase();
        write("device_rows", &name, &[vec![which], value.unwrap()].concat());
    }
}

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// Bodies of a phone whose office is that of the checks: a first round, then work for what it got.
fn rounds() -> Vec<Request> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let office = checks::office();
    let session = checks::session();
    let first = Request { max_bytes: 65_536, ..Request::default() };
    let reply = runtime.block_on(office.handle_sync(&session, first.clone())).unwrap();
    let mut bodies = vec![first];
    let mut request = Request { cursor: reply.cursor, ..Request::default() };
    let mut packer = Packer::default();
    for entry in &reply.entries {
        let UpdateContent::Document { document, state_token } = &entry.content else {
            panic!("{entry:?}")
        };
        let mut record = Record::load(&document.0).unwrap();
        let heads = record.heads();
        let changes: Vec<_> = (1..=3)
            .filter_map(|n| {
                record
                    .apply(&checks::contact(&format!("c{n}")), &checks::author(session.device, 1))
                    .unwrap()
            })
            .collect();
        let plain = changes.iter().map(|change| Packed::plain(change.raw_bytes())).collect();
        bodies.push(Request {
            push: vec![Push { record: entry.record, changes: plain }],
            ..request.clone()
        });
        let changes = packer.pack(changes.iter().map(automerge::Change::raw_bytes));
        request.push.push(Push { record: entry.record, changes });
        request.want.push(Want { record: entry.record, have: Heads::default() });
        request.restore.push(Restore {
            record: entry.record,
            mac: state_token.mac_for(entry.record, &heads).unwrap(),
            heads,
            changes: Vec::new(),
        });
    }
    let nothing = Heads::default();
    let held = reply.entries.iter().map(|entry| (entry.record, &nothing));
    request.ranges = ranges::split(RecordId([0; 16]), held);
    request.tables = packer.into_tables();
    bodies.push(request);
    bodies
}

/// A sheet of one case, the texts that it shares, and its styles.
const WORKSHEET: [&[u8]; 3] = [
    br#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:E3"/><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="inlineStr"><is><t>overdue_amount</t></is></c><c r="D1" t="str"><v>currency</v></c><c r="E1" t="s"><v>2</v></c></row><row r="3"><c r="A3" t="s"><v>3</v></c><c r="B3" t="s"><v>3</v></c><c r="C3"><f>1+1</f><v>123.45</v></c><c r="D3" t="str"><v>CNY</v></c><c r="E3" s="1"><v>46329</v></c></row></sheetData></worksheet>"#,
    br#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="5" uniqueCount="4"><si><t>case_no</t></si><si><t>borrower_name</t></si><si><t>due_date</t></si><si><r><t>NB</t></r><r><t xml:space="preserve"> 1</t></r></si></sst>"#,
    br#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/></numFmts><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>"#,
];
