//! A device for tests: the real workspace over tables in memory, speaking to the real office.

#![allow(unreachable_pub, dead_code, reason = "each test binary is a crate of its own")]

use std::collections::BTreeMap;

use doorstep::ids::{DeviceId, RecordId};
use doorstep::office::{Created, NewVisit, Office, OfficeError, Session};
use doorstep::record::command::{AssignmentPatch, CasePatch, Command, NewContact};
use doorstep::record::terms::{Channel, ContactOutcome, Role, TargetRole};
use doorstep::record::view::VisitView;
use doorstep::sync::message::{Revocation, decode_request, encode_reply};
use doorstep::workspace::vault::Vault;
use doorstep::workspace::{
    Identity, Output, Row, Status, StoreError, SyncState, Table, Workspace, Write,
};

pub const NOW: i64 = 1_795_000_000_000;
/// Data key of every phone.
pub const KEY: [u8; 32] = [7; 32];
/// Rounds that any of these tests may need: a stall is a failure, not a hang.
const ROUNDS_AT_MOST: usize = 64;

/// What is stored.
pub type Tables = BTreeMap<Table, BTreeMap<String, Vec<u8>>>;

/// A request on its way.
pub struct Sent {
    pub round: u64,
    pub body: Vec<u8>,
}

pub struct Device {
    pub workspace: Workspace,
    pub tables: Tables,
    pub sent: Option<Sent>,
    pub requests: usize,
    pub saved: u64,
    pub now: i64,
    /// Why everything was erased, if it was.
    pub erased: Option<String>,
    /// Why writes fail, if they do.
    pub disk: Option<&'static str>,
    /// What its rows are sealed with.
    pub key: [u8; 32],
    wake_at: Option<i64>,
    session: Session,
    sessions: u64,
    /// The role that the phone's program believes in; the office knows better.
    pub claims: Role,
    /// The office has shut it out.
    pub ended: Option<Revocation>,
}

impl Device {
    pub fn new(user: &str, id: u8) -> Self {
        let device = DeviceId([id; 16]);
        Self::of(Session { user: user.into(), role: Role::Collector, device })
    }

    /// The device that somebody is signed in on.
    pub fn of(session: Session) -> Self {
        let tables = BTreeMap::new();
        let claims = Role::Collector;
        let workspace = workspace(&session, claims, 1, &KEY, &tables).expect("a new store opens");
        let mut device = Self {
            workspace,
            tables,
            sent: None,
            requests: 0,
            saved: 0,
            now: NOW,
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
    pub fn take_session(&mut self) -> u64 {
        self.sessions += 1;
        self.sessions
    }

    /// What is in memory is gone; a new workspace starts from what is stored.
    pub fn restart(&mut self) {
        self.restart_holding(&[]);
    }

    /// The same with attachments of these records that no change names.
    pub fn restart_holding(&mut self, records: &[RecordId]) {
        self.sent = None;
        self.sessions += 1;
        let opened = workspace(&self.session, self.claims, self.sessions, &self.key, &self.tables);
        self.workspace = opened.expect("opens");
        self.retain_for_attachments(records);
    }

    /// These records and no others have attachments that no change names.
    pub fn retain_for_attachments(&mut self, records: &[RecordId]) {
        self.workspace.retain_for_attachments(records.iter().copied().collect(), self.now);
        self.run();
    }

    /// Starts from other tables; nothing is carried out.
    pub fn reopen(&mut self, tables: Tables) -> Result<(), StoreError> {
        self.tables = tables;
        self.sent = None;
        self.sessions += 1;
        self.workspace =
            workspace(&self.session, self.claims, self.sessions, &self.key, &self.tables)?;
        Ok(())
    }

    /// Carries outputs out until there are none.
    pub fn run(&mut self) {
        while let Some(output) = self.workspace.poll() {
            match output {
                Output::Persist { batch, writes } => match self.disk {
                    Some(reason) => self.workspace.persist_failed(batch, reason, self.now),
                    None => {
                        writes.into_iter().for_each(|write| self.write(write));
                        self.workspace.persisted(batch, self.now);
                    }
                },
                Output::Load { record } => {
                    let record = record.parse().expect("an id");
                    let rows = self.chunks(record);
                    self.workspace.loaded(record, &rows, self.now);
                }
                Output::Send { round, body } => {
                    assert!(self.sent.is_none(), "one request at a time");
                    self.requests += 1;
                    self.sent = Some(Sent { round, body: body.into_vec() });
                }
                Output::WakeAt { at } => {
                    assert!((0..1 << 53).contains(&at), "JavaScript has no such number: {at}");
                    self.wake_at = Some(at);
                }
                Output::Saved { ticket } => self.saved = self.saved.max(ticket),
                Output::Erase { reason } => {
                    self.tables.clear();
                    self.erased = Some(reason);
                }
                Output::SaveFailed { .. }
                | Output::RecordChanged { .. }
                | Output::ListChanged
                | Output::StatusChanged => {}
            }
        }
    }

    /// A record's chunks, as they are stored.
    pub fn chunks(&self, record: RecordId) -> Vec<Row> {
        rows(&self.tables, Table::Chunks, &format!("{record}/"))
    }

    fn write(&mut self, write: Write) {
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
    pub async fn answer(&self, office: &Office) -> Result<Vec<u8>, OfficeError> {
        let sent = self.sent.as_ref().expect("a request");
        let request = decode_request(&sent.body).expect("our own request");
        let reply = match self.ended {
            None => office.handle_sync(&self.session, request).await?,
            Some(ended) => office.drain(&self.session, request, ended).await?,
        };
        Ok(encode_reply(&reply))
    }

    /// One request, one reply.
    pub async fn round(&mut self, office: &Office) {
        let reply = self.answer(office).await.expect("an answer");
        let sent = self.sent.take().expect("a request");
        self.workspace.replied(sent.round, &reply, self.now);
        self.run();
    }

    /// Rounds until the phone has nothing more to ask now.
    pub async fn sync(&mut self, office: &Office) {
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
    pub async fn sync_once(&mut self, office: &Office) {
        self.workspace.sync_now(self.now);
        self.run();
        self.round(office).await;
    }

    /// Wakes the workspace if it asked for that by now.
    pub fn wake_if_due(&mut self) -> bool {
        let due = self.wake_at.take_if(|at| *at <= self.now).is_some();
        if due {
            self.workspace.wake(self.now);
            self.run();
        }
        due
    }

    pub fn user(&self) -> String {
        self.session.user.clone()
    }

    /// The device's id in hex.
    pub fn id(&self) -> String {
        self.session.device.to_string()
    }

    /// The reply never comes.
    pub fn lose_reply(&mut self) {
        let sent = self.sent.take().expect("a request");
        self.workspace.request_failed(sent.round, "offline", self.now, 0);
        self.run();
    }

    /// The office has no room for the request.
    pub fn defer(&mut self, wait_ms: i64) {
        let sent = self.sent.take().expect("a request");
        self.workspace.defer(sent.round, wait_ms, self.now, 0);
        self.run();
    }

    pub fn apply(&mut self, record: RecordId, command: &Command) -> Option<u64> {
        self.open(record);
        let ticket = self.workspace.apply(record, command, self.now, "Asia/Shanghai");
        self.run();
        ticket.expect("allowed")
    }

    pub fn open(&mut self, record: RecordId) {
        self.workspace.open(record).expect("held");
        self.run();
    }

    pub fn view(&mut self, record: RecordId) -> VisitView {
        self.open(record);
        self.workspace.view(record).expect("open")
    }

    pub fn status(&self) -> Status {
        self.workspace.status()
    }

    pub fn ids(&self) -> Vec<RecordId> {
        self.workspace.list().iter().map(|row| row.summary.id.parse().expect("an id")).collect()
    }

    pub fn problem(&self, record: RecordId) -> Option<String> {
        let id = record.to_string();
        self.workspace.list().into_iter().find(|row| row.summary.id == id)?.problem
    }

    pub fn assert_in_step(&self) {
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
    let (meta, records) = (all(Table::Meta), all(Table::Records));
    Workspace::new(identity, vault, &meta, &records, &all(Table::Outbox), NOW)
}

fn rows(tables: &Tables, table: Table, prefix: &str) -> Vec<Row> {
    let Some(table) = tables.get(&table) else { return Vec::new() };
    table
        .iter()
        .filter(|(key, _)| key.starts_with(prefix))
        .map(|(key, value)| Row { key: key.clone(), value: value.clone().into() })
        .collect()
}

/// An office with `count` records of chen.jie, and the folder that it lives in.
pub async fn office(count: usize) -> (tempfile::TempDir, Office, Vec<RecordId>) {
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("sqlite:{}", folder.path().join("office.sqlite3").display());
    let office = Office::open(&address, || NOW).expect("opens");
    let visits = (0..count).map(new_visit).collect();
    let created = office.create_visits(visits, "lin.yue").await.expect("created");
    let ids = created.into_iter().map(|created| match created {
        Created::New(id) => id,
        Created::Exists(_) | Created::Invalid(_) => panic!("not made: {created:?}"),
    });
    let mut ids: Vec<_> = ids.collect();
    ids.sort();
    (folder, office, ids)
}

fn new_visit(number: usize) -> NewVisit {
    let visit = visit_for(&format!("NB{number:04}"), &["chen.jie"]);
    let borrower_name = Some(format!("Borrower {number}"));
    NewVisit { case: CasePatch { borrower_name, phones: None, ..visit.case }, ..visit }
}

/// A record of an invented case, for some collectors.
pub fn visit_for(case_no: &str, collectors: &[&str]) -> NewVisit {
    NewVisit {
        case_no: case_no.into(),
        case: CasePatch {
            borrower_name: Some("Wang Fang".into()),
            address: Some("12 Mill Road".into()),
            phones: Some(vec!["13800000000".into()]),
            overdue: Some(150_000),
            currency: Some("CNY".into()),
            zone: Some("Asia/Shanghai".into()),
            ..Default::default()
        },
        assignment: to(collectors),
    }
}

/// Makes a record at the office.
pub async fn create(office: &Office, visit: NewVisit) -> RecordId {
    match office.create_visits(vec![visit], "lin.yue").await.expect("created")[..] {
        [Created::New(id)] => id,
        ref other => panic!("not made: {other:?}"),
    }
}

/// Nobody but these collectors.
pub fn to(collectors: &[&str]) -> AssignmentPatch {
    let collectors = collectors.iter().map(|name| (*name).to_owned()).collect();
    AssignmentPatch { collectors: Some(collectors), ..Default::default() }
}

/// A call that nobody answered.
pub fn contact(id: &str) -> Command {
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
