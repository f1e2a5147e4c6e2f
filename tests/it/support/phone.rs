//! A device for tests: the real workspace over tables in memory, speaking to the real office.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Instant;

use doorstep::ids::{DeviceId, RecordId};
use doorstep::office::{Office, OfficeError, Session};
use doorstep::record::command::{Command, NewContact};
use doorstep::record::terms::{Channel, ContactOutcome, Role, TargetRole};
use doorstep::record::view::VisitView;
use doorstep::sync::message::{Revocation, decode_request, encode_reply};
use doorstep::vault::Vault;
use doorstep::workspace::{
    Identity, Output, RecordProblem, RequestFailure, Row, StorageFailure, StoreError, SyncState,
    SyncStatus, Table, Workspace, Write,
};

pub(crate) const NOW: i64 = 1_795_000_000_000;
/// Data key of every phone.
pub(crate) const KEY: [u8; 32] = [7; 32];
/// Rounds that any of these tests may need: a stall is a failure, not a hang.
const ROUNDS_AT_MOST: usize = 64;
/// Rows of records that are read at a time.
const READ_AT_ONCE: usize = 64;

/// What is stored.
pub(crate) type Tables = BTreeMap<Table, BTreeMap<String, Vec<u8>>>;

/// A request on its way.
pub(crate) struct Sent {
    pub(crate) round: u64,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct TestPhone {
    pub(crate) workspace: Workspace,
    pub(crate) tables: Tables,
    pub(crate) sent: Option<Sent>,
    pub(crate) requests: usize,
    pub(crate) saved: u64,
    /// Times that readers of the list were told of changes.
    pub(crate) list_changes: usize,
    pub(crate) now: i64,
    /// When the cursor was last stored: all that replies brought is on disk by then.
    pub(crate) cursor_at: Instant,
    /// Why everything was erased, if it was.
    pub(crate) erased: Option<Revocation>,
    /// Why writes fail, if they do.
    pub(crate) disk: Option<StorageFailure>,
    /// What its rows are sealed with.
    pub(crate) key: [u8; 32],
    wake_at: Option<i64>,
    session: Session,
    /// The number of the last session: a counter on the disk in the upper half, a random number in the lower.
    pub(crate) sessions: u64,
    /// The role that the phone's program believes in; the office knows better.
    pub(crate) claims: Role,
    /// The office has shut it out.
    pub(crate) ended: Option<Revocation>,
}

impl TestPhone {
    pub(crate) fn new(user: &str, id: u8) -> Self {
        let device = DeviceId([id; 16]);
        Self::of(Session { user: user.into(), role: Role::Collector, device })
    }

    /// The device of a session.
    pub(crate) fn of(session: Session) -> Self {
        let tables = BTreeMap::new();
        let claims = Role::Collector;
        let workspace = workspace(&session, claims, 1, &KEY, &tables).expect("a new store opens");
        let mut device = Self {
            workspace,
            tables,
            sent: None,
            requests: 0,
            saved: 0,
            list_changes: 0,
            now: NOW,
            cursor_at: Instant::now(),
            erased: None,
            disk: None,
            key: KEY,
            wake_at: None,
            session,
            sessions: 1,
            claims,
            ended: None,
        };
        device.run();
        device
    }

    /// A number for the next session, as the store gives it.
    pub(crate) fn take_session(&mut self) -> u64 {
        self.sessions += 1;
        self.sessions
    }

    /// What is in memory is gone; a new workspace starts from what is stored.
    pub(crate) fn restart(&mut self) {
        self.restart_holding(&[]);
    }

    /// The same with attachments of these records that no change names.
    pub(crate) fn restart_holding(&mut self, records: &[RecordId]) {
        self.sent = None;
        self.sessions += 1;
        let opened = workspace(&self.session, self.claims, self.sessions, &self.key, &self.tables);
        self.workspace = opened.expect("opens");
        self.retain_for_attachments(records);
    }

    /// These records and no others have attachments that no change names.
    pub(crate) fn retain_for_attachments(&mut self, records: &[RecordId]) {
        self.workspace.retain_for_attachments(records.iter().copied().collect(), self.now);
        self.run();
    }

    /// The same, up to the first request: what does not have to come before it waits.
    #[allow(dead_code, reason = "for the benchmarks")]
    pub(crate) fn restart_to_request(&mut self) {
        let tables = std::mem::take(&mut self.tables);
        self.reopen(tables).expect("opens");
        self.workspace.retain_for_attachments(BTreeSet::new(), self.now);
        while self.sent.is_none() && self.step() {}
    }

    /// Starts from other tables; nothing is carried out.
    pub(crate) fn reopen(&mut self, tables: Tables) -> Result<(), StoreError> {
        self.tables = tables;
        self.sent = None;
        self.sessions += 1;
        self.workspace =
            workspace(&self.session, self.claims, self.sessions, &self.key, &self.tables)?;
        Ok(())
    }

    /// Carries outputs out until there are none.
    pub(crate) fn run(&mut self) {
        while self.step() {}
    }

    /// Carries the next output out, if there is one.
    pub(crate) fn step(&mut self) -> bool {
        let Some(output) = self.workspace.poll() else { return false };
        match output {
            Output::Persist { batch, writes } => match self.disk {
                Some(reason) => self.workspace.persist_failed(batch, reason, self.now),
                None => {
                    writes.into_iter().for_each(|write| self.write(write));
                    self.workspace.persisted(batch, self.now);
                }
            },
            Output::Load { record } => self.load(record.parse().expect("an id")),
            Output::ReadRecords { after } => {
                let rows = records_after(&self.tables, &after);
                self.workspace.records_read(&rows, self.now);
            }
            Output::Send { round, body } => {
                assert!(self.sent.is_none(), "one request at a time");
                self.requests += 1;
                self.sent = Some(Sent { round, body: body.into_vec() });
            }
            Output::Resume => self.workspace.resume(self.now),
            Output::WakeAt { at } => {
                assert!((0..1 << 53).contains(&at), "JavaScript has no such number: {at}");
                self.wake_at = Some(at);
            }
            Output::Saved { ticket } => self.saved = self.saved.max(ticket),
            Output::Erase { reason } => {
                self.tables.clear();
                self.erased = Some(reason);
            }
            Output::ListChanged => self.list_changes += 1,
            Output::SaveFailed { .. } | Output::RecordChanged { .. } | Output::StatusChanged => {}
        }
        true
    }

    /// Answers a load of a record.
    pub(crate) fn load(&mut self, record: RecordId) {
        let row = rows(&self.tables, Table::Records, &record.to_string()).pop();
        let chunks = self.chunks(record);
        self.workspace.loaded(record, row.as_ref(), &chunks, self.now);
    }

    /// All rows of a table, as they are stored.
    pub(crate) fn rows(&self, table: Table) -> Vec<Row> {
        rows(&self.tables, table, "")
    }

    /// A record's chunks, as they are stored.
    pub(crate) fn chunks(&self, record: RecordId) -> Vec<Row> {
        rows(&self.tables, Table::Chunks, &format!("{record}/"))
    }

    pub(crate) fn write(&mut self, write: Write) {
        if write.key == "cursor" {
            self.cursor_at = Instant::now();
        }
        let table = self.tables.entry(write.table).or_default();
        match write.value {
            Some(value) => {
                table.insert(write.key, value.into_vec());
            }
            None if write.key.ends_with('/') => table.retain(|key, _| !key.starts_with(&write.key)),
            None => {
                table.remove(&write.key);
            }
        }
    }

    /// The office's answer to the request that is on its way.
    pub(crate) async fn answer(&self, office: &Office) -> Result<Vec<u8>, OfficeError> {
        let sent = self.sent.as_ref().expect("a request");
        let request = decode_request(&sent.body).expect("our own request");
        let reply = match self.ended {
            None => office.handle_sync(&self.session, request).await?,
            Some(ended) => office.drain(&self.session, request, ended).await?,
        };
        Ok(encode_reply(&reply))
    }

    /// One request, one reply.
    pub(crate) async fn round(&mut self, office: &Office) {
        let reply = self.answer(office).await.expect("an answer");
        let sent = self.sent.take().expect("a request");
        self.workspace.replied(sent.round, &reply, self.now);
        self.run();
    }

    /// Rounds until the phone has nothing more to ask now.
    pub(crate) async fn sync(&mut self, office: &Office) {
        if self.sent.is_none() {
            self.workspace.sync_now(self.now);
            self.run();
        }
        for _ in 0..ROUNDS_AT_MOST {
            while self.sent.is_some() {
                self.round(office).await;
            }
            if !self.wake_if_due() {
                return;
            }
        }
        panic!("the rounds do not end: {:?}", self.status());
    }

    /// One request and its reply.
    pub(crate) async fn sync_once(&mut self, office: &Office) {
        self.workspace.sync_now(self.now);
        self.run();
        self.round(office).await;
    }

    /// Wakes the workspace if it asked for that by now.
    pub(crate) fn wake_if_due(&mut self) -> bool {
        let due = self.wake_at.take_if(|at| *at <= self.now).is_some();
        if due {
            self.workspace.wake(self.now);
            self.run();
        }
        due
    }

    pub(crate) fn user(&self) -> String {
        self.session.user.clone()
    }

    /// The device's id in hex.
    #[allow(dead_code, reason = "for the telemetry test and the benchmarks")]
    pub(crate) fn id(&self) -> String {
        self.session.device.to_string()
    }

    /// The reply never comes.
    pub(crate) fn lose_reply(&mut self) {
        let sent = self.sent.take().expect("a request");
        self.workspace.request_failed(sent.round, RequestFailure::Offline, self.now, 0);
        self.run();
    }

    /// The office has no room for the request.
    pub(crate) fn defer(&mut self, wait_ms: i64) {
        let sent = self.sent.take().expect("a request");
        self.workspace.defer(sent.round, wait_ms, self.now, 0);
        self.run();
    }

    pub(crate) fn apply(&mut self, record: RecordId, command: &Command) -> Option<u64> {
        self.open(record);
        let ticket = self.workspace.apply(record, command, self.now, "Asia/Shanghai");
        self.run();
        ticket.expect("allowed")
    }

    pub(crate) fn open(&mut self, record: RecordId) {
        self.workspace.open(record).expect("held");
        self.run();
    }

    pub(crate) fn view(&mut self, record: RecordId) -> VisitView {
        self.open(record);
        self.workspace.view(record).expect("open")
    }

    pub(crate) fn status(&self) -> SyncStatus {
        self.workspace.status()
    }

    pub(crate) fn ids(&self) -> Vec<RecordId> {
        self.workspace.list().iter().map(|row| row.summary.id.parse().expect("an id")).collect()
    }

    pub(crate) fn problem(&self, record: RecordId) -> Option<RecordProblem> {
        let id = record.to_string();
        self.workspace.list().into_iter().find(|row| row.summary.id == id)?.problem
    }

    pub(crate) fn assert_in_step(&self) {
        let status = self.status();
        assert_eq!((status.state, status.unsent), (SyncState::InStep, 0), "{status:?}");
    }
}

fn workspace(
    session: &Session,
    role: Role,
    number: u64,
    key: &[u8; 32],
    tables: &Tables,
) -> Result<Workspace, StoreError> {
    let identity =
        Identity { device: session.device, session: number, user: session.user.clone(), role };
    let all = |table| rows(tables, table, "");
    let mut salt = [0; 16];
    salt[8..].copy_from_slice(&number.to_be_bytes());
    let vault = Vault::new(key, salt);
    let (meta, outbox) = (all(Table::Meta), all(Table::Outbox));
    let unsent: BTreeSet<&str> =
        outbox.iter().filter_map(|row| row.key.split('/').next()).collect();
    let records: Vec<Row> =
        unsent.into_iter().flat_map(|key| rows(tables, Table::Records, key)).collect();
    Workspace::new(identity, vault, &meta, &records, &outbox, NOW)
}

fn rows(tables: &Tables, table: Table, prefix: &str) -> Vec<Row> {
    let from = tables.get(&table).into_iter().flat_map(|rows| rows.range(prefix.to_owned()..));
    from.take_while(|(key, _)| key.starts_with(prefix)).map(row).collect()
}

/// The next rows of records after a key, as many as are read at a time.
fn records_after(tables: &Tables, after: &str) -> Vec<Row> {
    let after = (Bound::Excluded(after), Bound::Unbounded);
    let records = tables.get(&Table::Records).into_iter();
    let rest = records.flat_map(|rows| rows.range::<str, _>(after));
    rest.take(READ_AT_ONCE).map(row).collect()
}

fn row((key, value): (&String, &Vec<u8>)) -> Row {
    Row { key: key.clone(), value: value.clone().into() }
}

/// A call without an answer.
pub(crate) fn contact(id: &str) -> Command {
    Command::LogContact(NewContact {
        id: id.into(),
        at: NOW,
        channel: Channel::Call,
        number_ref: "phones.0".into(),
        target_role: TargetRole::Borrower,
        outcome: ContactOutcome::NoAnswer,
        note: String::new(),
    })
}
