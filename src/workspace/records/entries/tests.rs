use automerge::{ActorId, Automerge, Change, ChangeHash, ROOT, transaction::Transactable};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_bytes::ByteBuf;

use super::*;
use crate::ids::{DeviceId, Heads};
use crate::record::command::{AssignmentPatch, CasePatch, Command, TalkPatch};
use crate::record::terms::Role;
use crate::sync::message::{
    Cursor, Outcome, Reply, StateToken, Tables, decode_request, encode_reply,
};
use crate::sync::ranges::Differing;
use crate::vault::Vault;
use crate::workspace::records::problem::Problem;
use crate::workspace::storage::journal::Journal;
use crate::workspace::{Identity, Output, Row, SyncState, Table, Workspace};

/// What may happen to a record.
#[derive(Debug, Clone)]
enum Event {
    Added,
    Removed,
    Confirmed(u8),
    Edited(i64),
    /// The oldest change leaves the outbox.
    Sent,
    Durable,
    Wanted(bool),
    Withdrawn(bool),
    Damaged(bool),
    Cleared,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Added),
        1 => Just(Event::Removed),
        4 => any::<u8>().prop_map(Event::Confirmed),
        4 => (0..5_i64).prop_map(Event::Edited),
        2 => Just(Event::Sent),
        2 => Just(Event::Durable),
        2 => any::<bool>().prop_map(Event::Wanted),
        2 => any::<bool>().prop_map(Event::Withdrawn),
        2 => any::<bool>().prop_map(Event::Damaged),
        1 => Just(Event::Cleared),
    ]
}

fn happen(entries: &mut Entries, id: RecordId, event: &Event, journal: &mut Journal) {
    match event {
        Event::Added => drop(entries.get_or_insert_with(id, || RecordEntry::new(id))),
        Event::Removed => entries.remove(&id),
        Event::Cleared if id.0[0] == 0 => entries.clear(),
        _ => {}
    }
    let Some(entry) = entries.get_mut(&id) else { return };
    match event {
        Event::Added | Event::Removed | Event::Cleared => {}
        Event::Confirmed(byte) => entry.confirmed = Heads::new(vec![ChangeHash([*byte; 32])]),
        Event::Edited(at) => entry.outbox.push(&change(), *at, journal),
        Event::Sent => {
            let first = entry.outbox.iter().next().map(|(number, _)| number);
            first.into_iter().for_each(|number| drop(entry.outbox.remove(number, journal)));
        }
        Event::Durable => entry.outbox.batch_persisted(journal.number()),
        Event::Wanted(wanted) => entry.wanted = *wanted,
        Event::Withdrawn(withdrawn) => entry.withdrawn = *withdrawn,
        Event::Damaged(damaged) => entry.problem = damaged.then_some(Problem::Damaged),
    }
}

fn change() -> Change {
    let mut document = Automerge::new().with_actor(ActorId::from([1]));
    document.transact::<_, _, automerge::AutomergeError>(|tx| tx.put(ROOT, "a", 1)).expect("puts");
    document.get_last_local_change().expect("a change")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever happens, the index is as if it were computed from all records.
    #[test]
    fn p1_the_index_is_as_if_computed_from_scratch(
        events in vec((0..6_u8, event(), any::<bool>()), 1..60),
    ) {
        let (mut entries, mut journal) = (Entries::default(), Journal::default());
        for (record, event, reindexed) in events {
            happen(&mut entries, RecordId([record; 16]), &event, &mut journal);
            if reindexed {
                entries.reindex();
            }
            prop_assert!(entries.is_index_true());
        }
        let mut digest = Digest::default();
        for entry in entries.values().filter(|entry| entry.is_in_digest()) {
            digest.add(Item::of(entry.id, &entry.confirmed));
        }
        prop_assert_eq!(entries.reindex().digest(), digest);
    }
}

/// A workspace that is up to date; counts the records that an operation reads.
struct Counted {
    workspace: Workspace,
    chunks: BTreeMap<String, Vec<u8>>,
}

const NOW: i64 = 1_795_000_000_000;

impl Counted {
    fn new(records: u8) -> Self {
        let identity = Identity {
            device: DeviceId([1; 16]),
            session: 1,
            user: "chen.jie".to_owned(),
            role: Role::Collector,
        };
        let vault = Vault::new(&[7; 32], [1; 16]);
        let mut workspace =
            Workspace::new(identity, vault, &[], &[], &[], NOW).expect("a new store opens");
        workspace.records_read(&[], NOW);
        for n in 0..records {
            let (case, assignment) = (CasePatch::default(), AssignmentPatch::default());
            let added = workspace.add_practice_record(id(n), "C-1", &case, &assignment, NOW);
            added.expect("a valid record");
        }
        let mut counted = Self { workspace, chunks: BTreeMap::new() };
        counted.round();
        counted
    }

    /// Executes all outputs, after which the device is up to date; gives the number of requests.
    fn round(&mut self) -> usize {
        let requests = self.carry_out();
        self.workspace.list_changes(None, 0);
        assert_eq!(self.workspace.status().state, SyncState::InStep);
        requests
    }

    /// Executes all outputs and answers requests like an office without news; gives the number of
    /// requests.
    fn carry_out(&mut self) -> usize {
        let mut requests = 0;
        while let Some(output) = self.workspace.poll() {
            match output {
                Output::Persist { batch, writes } => {
                    for write in writes.into_iter().filter(|write| write.table == Table::Chunks) {
                        let value = write.value.map(ByteBuf::into_vec).unwrap_or_default();
                        self.chunks.insert(write.key, value);
                    }
                    self.workspace.persisted(batch, NOW);
                }
                Output::Send { round, body } => {
                    requests += 1;
                    let reply = reply(&mut self.workspace, &body);
                    self.workspace.replied(round, &reply, NOW);
                }
                Output::Load { record } => {
                    let of_record = self.chunks.iter().filter(|(key, _)| key.starts_with(&record));
                    let row = |(key, value): (&String, &Vec<u8>)| Row {
                        key: key.clone(),
                        value: value.clone().into(),
                    };
                    let rows: Vec<Row> = of_record.map(row).collect();
                    self.workspace.loaded(record.parse().expect("an id"), None, &rows, NOW);
                }
                Output::Resume => self.workspace.resume(NOW),
                Output::WakeAt { .. }
                | Output::Saved { .. }
                | Output::SaveFailed { .. }
                | Output::RecordChanged { .. }
                | Output::ReadRecords { .. }
                | Output::Erase { .. }
                | Output::ListChanged
                | Output::StatusChanged => {}
            }
        }
        requests
    }

    /// How many entries something looks at.
    fn visits(&mut self, work: impl FnOnce(&mut Self)) -> usize {
        self.workspace.records.visits.set(0);
        work(self);
        self.workspace.records.visits.get()
    }
}

/// The reply of an office that holds what the device will hold.
fn reply(workspace: &mut Workspace, body: &[u8]) -> Vec<u8> {
    let request = decode_request(body).expect("our own request");
    let mut digest = workspace.records.reindex().digest();
    let mut results = Vec::new();
    for push in &request.push {
        let entry = workspace.records.entries.get(&push.record).expect("pushed");
        digest.remove(Item::of(push.record, &entry.confirmed));
        digest.add(Item::of(push.record, &entry.heads));
        let state_token = StateToken::new(push.record, &entry.heads, [0; 8]);
        results.push(Outcome::Merged { state_token });
    }
    encode_reply(&Reply {
        tables: Tables::default(),
        restored: Vec::new(),
        results,
        entries: Vec::new(),
        differing: Differing::default(),
        cursor: Cursor { epoch: [1; 16], seq: 1, base: 1 },
        remaining: 0,
        digest,
        office_time: NOW,
        decisions: None,
        revocation: None,
    })
}

fn id(n: u8) -> RecordId {
    RecordId([n; 16])
}

#[test]
fn a_save_and_an_idle_round_look_at_as_many_records_of_many_as_of_few() {
    let [few, many] = [5, 200].map(|records| {
        let mut counted = Counted::new(records);
        counted.workspace.open(id(3)).expect("here");
        counted.carry_out();
        let save = counted.visits(|counted| {
            let command = Command::EditTalk(TalkPatch {
                overdue_reason: None,
                overdue_reason_text: Some("salary comes late".to_owned()),
                willingness: None,
                disposition: None,
            });
            let edited = counted.workspace.apply(id(3), &command, NOW, "UTC");
            edited.expect("allowed").expect("a change");
            // On disk, and not sent before it is due.
            counted.carry_out();
        });
        let push = counted.visits(|counted| {
            counted.workspace.sync_now(NOW);
            assert_eq!(counted.round(), 1);
        });
        let idle = counted.visits(|counted| {
            counted.workspace.sync_now(NOW);
            assert_eq!(counted.round(), 1);
        });
        [save, push, idle]
    });
    assert_eq!(few, many, "save, push, idle round");
}
