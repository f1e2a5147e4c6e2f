//! Work on one record, and starts of a phone that holds many, for counting instructions:
//! `benches/guard.mjs` runs it under callgrind and compares the counts with `benches/baseline.json`.
//!
//! `--prepare FOLDER` makes the records, without callgrind; `--measure FOLDER` does the work once and
//! prints the name of each piece, in the order of callgrind's dumps.

#[path = "instructions/start.rs"]
mod start;
#[allow(dead_code, reason = "the guard uses a part of it")]
#[path = "../tests/it/support/mod.rs"]
mod support;
#[allow(dead_code, reason = "the guard uses a part of it")]
#[path = "rounds/workload.rs"]
mod workload;

use std::hint::black_box;
use std::path::Path;

use automerge::Change;
use doorstep::ids::{DeviceId, Heads, RecordId, actor};
use doorstep::office::merge::{self, Judgement, Sender, StoredState};
use doorstep::office::store::ChangeMeta;
use doorstep::record::terms::Role;
use doorstep::record::{Author, Record};
use doorstep::sync::digest::{Digest, Item};
use doorstep::sync::packed::{self, Packer, prefix};
use workload::{Step, Workload};

const USER: &str = "chen.jie";
const DEVICE: DeviceId = DeviceId([1; 16]);
const OFFICE: DeviceId = DeviceId([2; 16]);
/// Changes of a record with some work, and with much.
const DEPTHS: [usize; 2] = [30, 300];

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let folder = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).map(Path::new)
    };
    if let Some(folder) = folder("--prepare") {
        DEPTHS.iter().for_each(|depth| prepare(folder, *depth));
        start::HELD.iter().for_each(|held| start::prepare(folder, *held));
    }
    if let Some(folder) = folder("--measure") {
        DEPTHS.iter().for_each(|depth| measure(folder, *depth));
        start::HELD.iter().for_each(|held| start::measure(folder, *held));
    }
}

/// A record as it is stored, and a push for it.
type Fixture = (Vec<u8>, Vec<Vec<u8>>);

fn prepare(folder: &Path, depth: usize) {
    let workload = Workload::new(1, depth);
    let plan = workload.records.first().expect("a record");
    let visit = plan.visit();
    let office =
        author("lin.yue", Role::Supervisor, OFFICE, plan.steps.first().map_or(0, |step| step.at));
    let id = RecordId::v7(office.now_ms, [7; 10]);
    let created = Record::create(id, &visit.case_no, &visit.case, &visit.assignment, &office);
    let mut record = created.expect("created");
    for step in &plan.steps {
        write(&mut record, step);
    }
    let saved = record.save();
    let edit = workload.runs.first().and_then(|run| run.device.first()).expect("an edit");
    let changes = write(&mut record, &edit.step);
    let push = changes.iter().map(|change| change.raw_bytes().to_vec()).collect();
    let fixture: Fixture = (saved, push);
    let json = serde_json::to_vec(&fixture).expect("JSON");
    std::fs::write(folder.join(format!("{depth}.json")), json).expect("written");
}

fn write(record: &mut Record, step: &Step) -> Vec<Change> {
    let author = author(USER, Role::Collector, DEVICE, step.at);
    let commands = step.commands(|| record.view());
    commands.iter().filter_map(|command| record.apply(command, &author).expect("allowed")).collect()
}

fn author(user: &str, role: Role, device: DeviceId, now_ms: i64) -> Author {
    Author {
        actor: actor(device, 1),
        user: user.into(),
        role,
        now_ms,
        zone: "Asia/Shanghai".into(),
    }
}

fn measure(folder: &Path, depth: usize) {
    let json = std::fs::read(folder.join(format!("{depth}.json"))).expect("prepared");
    let (saved, push): Fixture = serde_json::from_slice(&json).expect("JSON");
    let named = |name: &str| println!("{name}_{depth}");

    named("load");
    let mut record = measured(|| Record::load(&saved)).expect("loads");
    named("view");
    measured(|| record.view_and_summary());
    named("validate");
    measured(|| record.validate()).expect("valid");
    named("history");
    measured(|| record.history());

    let chunks: Vec<&[u8]> = push.iter().map(Vec::as_slice).collect();
    let changes = record.changes_after(&Heads::default());
    let metas: Vec<ChangeMeta> = changes.iter().map(meta).collect();
    let stored = StoredState { changes: &metas, document: &saved, loaded: None };
    let sender = Sender { user: USER, role: Role::Collector, device: DEVICE, keys: &[] };
    named("judge");
    let judged = measured(|| merge::judge(stored, &chunks, sender));
    assert!(matches!(judged, Judgement::Accepted(_)), "{judged:?}");
    // As most pushes are judged: one change to a record that was judged lately.
    let stored = StoredState { loaded: Some(&record), ..stored };
    named("judge_one");
    let judged = measured(|| merge::judge(stored, &chunks[..1], sender));
    assert!(matches!(judged, Judgement::Accepted(_)), "{judged:?}");

    let all: Vec<Vec<u8>> = changes.iter().map(|change| change.raw_bytes().to_vec()).collect();
    named("pack");
    let (packed, tables) = measured(|| {
        let mut packer = Packer::default();
        (packer.pack(all.iter().map(Vec::as_slice)), packer.into_tables())
    });
    let genesis = doorstep::record::genesis::hash();
    named("unpack");
    let unpacked = measured(|| {
        packed::unpack(&packed, &tables, |name| (*name == prefix(&genesis)).then_some(genesis))
    });
    assert_eq!(unpacked.expect("unpacks"), all);

    let heads = record.heads();
    named("digest");
    measured(|| {
        let mut digest = Digest::default();
        (0..1_000).for_each(|n| digest.add(Item::of(RecordId::v7(n, [7; 10]), &heads)));
        digest
    });

    let workload = Workload::new(1, 2);
    let step = workload.runs.first().and_then(|run| run.device.first()).expect("an edit");
    named("command");
    measured(|| write(&mut record, &step.step));
    named("save");
    measured(|| record.save());
}

fn meta(change: &Change) -> ChangeMeta {
    ChangeMeta {
        hash: change.hash(),
        actor: change.actor_id().clone(),
        seq: change.seq(),
        max_op: change.max_op(),
    }
}

/// Callgrind counts inside this function and writes a dump each time that it ends.
#[inline(never)]
fn measured<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}
