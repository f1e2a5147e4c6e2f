//! The list of a phone as pages read it, and the workspace that people practise in.

use std::collections::BTreeMap;

use crate::support::office::TestOffice;
use crate::support::phone::{NOW, TestPhone, contact};
use doorstep::ids::{DeviceId, RecordId};
use doorstep::record::command::{
    AssignmentPatch, CasePatch, Command, NewPayment, PromiseToPay, TalkPatch,
};
use doorstep::record::queue::{OpenPromise, Work};
use doorstep::record::terms::{Disposition, Role};
use doorstep::vault::Vault;
use doorstep::workspace::{
    Identity, ListMark, ListPage, ListRow, Output, RecordState, RequestFailure, Row, SyncState,
    Table, Workspace,
};

/// A reader of the list that keeps its rows, like a browser tab.
#[derive(Default)]
struct Reader {
    rows: BTreeMap<String, ListRow>,
    mark: Option<ListMark>,
}

impl Reader {
    /// Reads until nothing is left; gives the number of rows of each page.
    fn read(&mut self, workspace: &mut Workspace, limit: usize) -> Vec<usize> {
        let mut counts = Vec::new();
        loop {
            let page = workspace.list_changes(self.mark.as_ref(), limit);
            let ListPage { mark, fresh, rows, removed, more } = page;
            assert_eq!(fresh, self.mark.is_none());
            counts.push(rows.len());
            self.rows.extend(rows.into_iter().map(|row| (row.summary.id.clone(), row)));
            self.rows.retain(|id, _| !removed.contains(id));
            self.mark = Some(mark);
            if !more {
                let rows: Vec<ListRow> = self.rows.values().cloned().collect();
                assert_eq!(rows, workspace.list());
                return counts;
            }
        }
    }
}

#[tokio::test]
async fn a_reader_of_the_list_gets_changes_only() {
    let (office, ids) = TestOffice::with_records(25).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    let mut reader = Reader::default();
    assert_eq!(reader.read(&mut phone.workspace, 10), [0]);
    phone.sync(&office).await;
    assert_eq!(reader.read(&mut phone.workspace, 10), [10, 10, 5]);
    assert_eq!(reader.read(&mut phone.workspace, 10), [0], "nothing changed");

    phone.apply(ids[3], &contact("c1"));
    assert_eq!(reader.read(&mut phone.workspace, 10), [1], "on this phone only");
    phone.workspace.sync_now(NOW);
    phone.run();
    assert_eq!(reader.read(&mut phone.workspace, 10), [1], "on its way");
    phone.sync(&office).await;
    assert_eq!(reader.read(&mut phone.workspace, 10), [1], "at the office");

    let unassign = AssignmentPatch { collectors: Some(Vec::new()), ..Default::default() };
    office
        .command(ids[7], Command::Assign(unassign), "lin.yue", Role::Supervisor)
        .await
        .expect("unassigned");
    phone.sync(&office).await;
    assert_eq!(reader.read(&mut phone.workspace, 10), [0]);
    assert_eq!(reader.rows.len(), 24, "one is gone");
    // A second reader with an older mark gets the same, whatever the first has read.
    let mut second = Reader::default();
    assert_eq!(second.read(&mut phone.workspace, 100), [24]);
    phone.apply(ids[4], &contact("c2"));
    assert_eq!(reader.read(&mut phone.workspace, 10), [1]);
    assert_eq!(second.read(&mut phone.workspace, 10), [1]);

    phone.restart();
    assert_eq!(
        Reader::default().read(&mut phone.workspace, 100),
        [24],
        "a new start, a whole list"
    );
}

#[tokio::test]
async fn readers_of_the_list_are_told_of_every_change() {
    let (office, ids) = TestOffice::with_records(2).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let mut reader = Reader::default();
    reader.read(&mut phone.workspace, 10);
    let told = phone.list_changes;
    phone.run();
    assert_eq!(phone.list_changes, told, "nothing changed");
    // Reads only when told, and then has the list as it is.
    let mut follow = |phone: &mut TestPhone, told: usize, state: RecordState, when: &str| {
        assert_eq!(phone.list_changes, told + 1, "{when}");
        assert_eq!(reader.read(&mut phone.workspace, 10), [1], "{when}");
        assert_eq!(reader.rows[&ids[0].to_string()].state, state, "{when}");
    };
    let told = phone.list_changes;
    phone.apply(ids[0], &contact("c1"));
    follow(&mut phone, told, RecordState::OnPhone, "edited");
    for busy in [false, true] {
        let told = phone.list_changes;
        phone.now += 600_000;
        phone.workspace.sync_now(phone.now);
        phone.run();
        follow(&mut phone, told, RecordState::Sending, "the request is on its way");
        let told = phone.list_changes;
        let sent = phone.sent.take().expect("a request");
        if busy {
            phone.workspace.defer(sent.round, 1_000, phone.now, 0);
        } else {
            let offline = RequestFailure::Offline;
            phone.workspace.request_failed(sent.round, offline, phone.now, 0);
        }
        phone.run();
        follow(&mut phone, told, RecordState::OnPhone, "the request failed");
    }
}

#[tokio::test]
async fn the_list_follows_the_offices_order_and_keeps_open_promises() {
    let (office, ids) = TestOffice::with_records(3).await;
    let assign = async |id, due_by: &str, priority| {
        let due_by = Some(due_by.to_owned());
        let patch = AssignmentPatch { due_by, priority: Some(priority), ..Default::default() };
        office.supervise(id, Command::Assign(patch)).await;
    };
    assign(ids[0], "2026-11-20", 3).await;
    assign(ids[1], "2026-11-25", 1).await;
    assign(ids[2], "2026-11-22", 2).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let order = |phone: &TestPhone| -> Vec<RecordId> {
        let mut rows = phone.workspace.list();
        rows.sort_by(|a, b| a.order.cmp(&b.order));
        rows.iter().map(|row| row.summary.id.parse().expect("an id")).collect()
    };
    assert_eq!(
        order(&phone),
        [ids[0], ids[2], ids[1]],
        "by date where the office asks for nothing"
    );

    let mut reader = Reader::default();
    assert_eq!(reader.read(&mut phone.workspace, 10), [3]);
    phone.workspace.set_queue_order(&["priority".to_owned()]);
    assert_eq!(order(&phone), [ids[1], ids[2], ids[0]]);
    let page = phone.workspace.list_changes(reader.mark.as_ref(), 10);
    assert_eq!((page.fresh, page.rows.len()), (true, 3), "every reader sorts again");
    phone.workspace.set_queue_order(&["priority".to_owned()]);
    let page = phone.workspace.list_changes(Some(&page.mark), 10);
    assert_eq!((page.fresh, page.rows.len()), (false, 0), "the same order changes nothing");

    assert_eq!(phone.workspace.list()[0].work, Work::Contact);
    phone.apply(ids[0], &contact("c1"));
    let promise =
        PromiseToPay { amount: 500, due_date: "2026-11-30".into(), channel: "bank".into() };
    phone.apply(ids[0], &Command::Promise { promise: Some(promise) });
    let row = |phone: &TestPhone| phone.workspace.list().swap_remove(0);
    let expected = OpenPromise { due_date: "2026-11-30".into(), amount: 500 };
    assert_eq!((row(&phone).work, row(&phone).promise), (Work::Arrange, Some(expected.clone())));
    assert_eq!(row(&phone).unsent_since, Some(NOW));
    phone.restart();
    assert_eq!(row(&phone).promise, Some(expected), "kept with the row");

    let payment = NewPayment {
        id: "p1".into(),
        amount: 500,
        at: NOW,
        channel: "bank".into(),
        reference: String::new(),
        receipt: String::new(),
    };
    phone.apply(ids[0], &Command::AddPayment(payment));
    assert_eq!(row(&phone).promise, None, "paid");
}

#[tokio::test]
async fn an_undone_choice_is_undone_at_the_office() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let slip = TalkPatch { disposition: Some(Disposition::SafetyWithdrawn), ..Default::default() };
    phone.apply(ids[0], &Command::EditTalk(slip));
    phone.sync(&office).await;
    phone.apply(ids[0], &Command::Clear { paths: vec!["talk.disposition".into()] });
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(office.visit(ids[0]).await.expect("there").talk.disposition, None);
    assert!(office.verify().await.expect("verified").ok);
}

#[test]
fn practice_stores_edits_and_never_sends() {
    let id: RecordId = "01990000-0000-7000-8000-000000000001".parse().expect("an id");
    let case = CasePatch { borrower_name: Some("Made Up".into()), ..Default::default() };
    let mut rows = BTreeMap::new();
    let mut workspace = practice(1, &rows);
    workspace
        .add_practice_record(id, "P-1", &case, &AssignmentPatch::default(), NOW)
        .expect("fits");
    run(&mut workspace, &mut rows);
    workspace.open(id).expect("held");
    workspace.apply(id, &contact("c1"), NOW, "Asia/Shanghai").expect("allowed");
    workspace.sync_now(NOW);
    workspace.wake(NOW + 3_600_000);
    run(&mut workspace, &mut rows);
    assert_eq!(workspace.list()[0].state, RecordState::OnPhone);

    let mut again = practice(2, &rows);
    run(&mut again, &mut rows);
    again.open(id).expect("held");
    run(&mut again, &mut rows);
    assert_eq!(again.view(id).expect("open").contacts.len(), 1);
    assert_eq!((again.status().state, again.status().unsent), (SyncState::Offline, 1));
}

type Rows = BTreeMap<(Table, String), Vec<u8>>;

fn practice(session: u64, rows: &Rows) -> Workspace {
    let identity = Identity {
        device: DeviceId([255; 16]),
        session,
        user: "practice".into(),
        role: Role::Collector,
    };
    let (meta, records, outbox) =
        (of(rows, Table::Meta), of(rows, Table::Records), of(rows, Table::Outbox));
    let mut salt = [0; 16];
    salt[8..].copy_from_slice(&session.to_be_bytes());
    let vault = Vault::new(&[7; 32], salt);
    Workspace::for_practice(identity, vault, &meta, &records, &outbox, NOW).expect("opens")
}

fn of(rows: &Rows, table: Table) -> Vec<Row> {
    rows.iter()
        .filter(|((of, _), _)| *of == table)
        .map(|((_, key), value)| Row { key: key.clone(), value: value.clone().into() })
        .collect()
}

/// Carries outputs out; a request fails the test.
fn run(workspace: &mut Workspace, rows: &mut Rows) {
    while let Some(output) = workspace.poll() {
        match output {
            Output::Persist { batch, writes } => {
                for write in writes {
                    let key = (write.table, write.key);
                    match write.value {
                        Some(value) => rows.insert(key, value.into_vec()),
                        None => rows.remove(&key),
                    };
                }
                workspace.persisted(batch, NOW);
            }
            Output::Load { record } => {
                let chunks = of(rows, Table::Chunks);
                workspace.loaded(record.parse().expect("an id"), None, &chunks, NOW);
            }
            Output::ReadRecords { after } => {
                let mut records = of(rows, Table::Records);
                records.retain(|row| row.key > after);
                workspace.records_read(&records, NOW);
            }
            Output::Send { .. } | Output::WakeAt { .. } | Output::Erase { .. } => {
                panic!("there is no office")
            }
            Output::Resume
            | Output::Saved { .. }
            | Output::SaveFailed { .. }
            | Output::RecordChanged { .. }
            | Output::ListChanged
            | Output::StatusChanged => {}
        }
    }
}
