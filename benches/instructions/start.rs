//! A phone starts from its store: until its first request, and until it has read all records.

use std::collections::BTreeMap;
use std::path::Path;

use doorstep::ids::RecordId;
use doorstep::record::command::{AssignmentPatch, CasePatch};
use doorstep::record::terms::Role;
use doorstep::sync::message::Cursor;
use doorstep::vault::Vault;
use doorstep::workspace::{Identity, Output, Row, Table, Workspace};

use crate::support::phone::{KEY, NOW, contact};
use crate::{DEVICE, USER, measured};

/// Records that the phone holds.
pub(crate) const HELD: [usize; 3] = [100, 1_000, 5_000];
/// How many of them have unsent work: as many as the workspace keeps open.
const UNSENT: usize = 8;
/// Rows of records that are read at a time, as by the app's driver.
const READ_AT_ONCE: usize = 256;

type Rows = BTreeMap<(Table, String), Vec<u8>>;

fn identity(session: u64) -> Identity {
    Identity { device: DEVICE, session, user: USER.into(), role: Role::Collector }
}

/// Writes the rows of a store to a file.
pub(crate) fn prepare(folder: &Path, held: usize) {
    let mut rows = Rows::new();
    let vault = Vault::new(&KEY, [1; 16]);
    let opened = Workspace::for_practice(identity(1), vault, &[], &[], &[], NOW);
    let mut workspace = opened.expect("a new store opens");
    carry_out(&mut workspace, &mut rows);
    for n in 0..held {
        let id = RecordId::v7(NOW + i64::try_from(n).expect("few"), [7; 10]);
        let (case, assignment) = (case(n), AssignmentPatch::default());
        let case_no = format!("NB00{n:06}");
        workspace.add_practice_record(id, &case_no, &case, &assignment, NOW).expect("valid");
        if n < UNSENT {
            let edited = workspace.apply(id, &contact("c1"), NOW, "Asia/Shanghai");
            edited.expect("allowed").expect("a change");
        }
        carry_out(&mut workspace, &mut rows);
    }
    let cursor = Cursor { epoch: [1; 16], seq: 7, base: 7 };
    let cursor = minicbor::to_vec(cursor).expect("encodes");
    let cursor = Vault::new(&KEY, [2; 16]).encrypt(Table::Meta, "cursor", &cursor);
    rows.insert((Table::Meta, "cursor".into()), cursor);
    let stored: Vec<String> = [Table::Meta, Table::Records, Table::Outbox]
        .into_iter()
        .flat_map(|table| rows_of(&rows, table).into_iter().map(move |row| (table, row)))
        .map(|(table, row)| format!("{table:?} {} {}\n", row.key, hex(&row.value)))
        .collect();
    std::fs::write(folder.join(format!("start-{held}")), stored.concat()).expect("written");
}

fn case(n: usize) -> CasePatch {
    CasePatch {
        borrower_name: Some(format!("Borrower {n}")),
        address: Some(format!("{n} Mill Road")),
        ..CasePatch::default()
    }
}

fn carry_out(workspace: &mut Workspace, rows: &mut Rows) {
    while let Some(output) = workspace.poll() {
        match output {
            Output::Persist { batch, writes } => {
                for write in writes {
                    let value = write.value.expect("nothing is deleted").into_vec();
                    rows.insert((write.table, write.key), value);
                }
                workspace.persisted(batch, NOW);
            }
            Output::ReadRecords { .. } => workspace.records_read(&[], NOW),
            _ => {}
        }
    }
}

fn rows_of(rows: &Rows, table: Table) -> Vec<Row> {
    let of_table = rows.iter().filter(|((of, _), _)| *of == table);
    of_table
        .map(|((_, key), value)| Row { key: key.clone(), value: value.clone().into() })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| (text.as_bytes()[at] as char).to_digit(16).expect("hex") as u8;
    (0..text.len() / 2).map(|at| digit(2 * at) << 4 | digit(2 * at + 1)).collect()
}

/// Counts a start in two parts.
pub(crate) fn measure(folder: &Path, held: usize) {
    let stored = std::fs::read_to_string(folder.join(format!("start-{held}"))).expect("prepared");
    let of = |table: &str| -> Vec<Row> {
        let lines = stored.lines().filter_map(|line| line.strip_prefix(table)?.split_once(' '));
        lines.map(|(key, value)| Row { key: key.into(), value: unhex(value).into() }).collect()
    };
    let (meta, records, outbox) = (of("Meta "), of("Records "), of("Outbox "));
    let is_unsent = |row: &&Row| outbox.iter().any(|unsent| unsent.key.starts_with(&row.key));
    let unsent: Vec<Row> = records.iter().filter(is_unsent).cloned().collect();
    assert_eq!((records.len(), unsent.len()), (held, UNSENT));

    println!("start_{held}");
    let mut workspace = measured(|| {
        let vault = Vault::new(&KEY, [3; 16]);
        let opened = Workspace::new(identity(2), vault, &meta, &unsent, &outbox, NOW);
        let mut workspace = opened.expect("opens");
        while !matches!(workspace.poll().expect("a request"), Output::Send { .. }) {}
        workspace
    });
    println!("read_records_{held}");
    measured(|| {
        let pages = records.chunks(READ_AT_ONCE).chain([[].as_slice()]);
        pages.for_each(|page| workspace.records_read(page, NOW));
    });
    assert_eq!(workspace.list().len(), held);
}
