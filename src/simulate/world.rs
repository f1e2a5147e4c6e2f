//! The scheduler: one step after another, each chosen by the seed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::Plan;
use super::device::Device;
use super::faults::Fault;
use super::oracle::{Broken, Oracle, Trace, Truth};
use crate::ids::RecordId;
use crate::office::store::StoreError;
use crate::office::store::sqlite::{Fresh, Sqlite};
use crate::office::{Created, NewVisit, Office, OfficeError, Random, Session};
use crate::record::command::{AssignmentPatch, CasePatch, Command, NewContact, TextEdit};
use crate::record::terms::{Channel, ContactOutcome, Role, TargetRole};
use crate::sync::message::{Request, decode_request, encode_reply};
use crate::workspace::{Output, Status, SyncState, Table};

/// Where virtual time begins.
const BEGIN: i64 = 1_795_000_000_000;
/// Rounds per device within which all must converge once the faults have ended.
const ROUNDS_TO_HEAL: usize = 40;
/// Lines of a story.
const STORY: usize = 40;
/// Office processes over the one store.
const ENDPOINTS: usize = 2;

type Step = Result<(), Broken>;

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) faults: BTreeMap<Fault, u64>,
    pub(super) rounds: u64,
    pub(super) edits: u64,
}

/// A reply on its way back.
struct Reply {
    round: u64,
    body: Vec<u8>,
    truth: Truth,
}

pub(super) struct World {
    plan: Plan,
    rng: fastrand::Rng,
    clock: Arc<AtomicI64>,
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
    endpoints: Vec<Office>,
    devices: Vec<Device>,
    replies: BTreeMap<usize, Reply>,
    /// What the office held when it gave the last reply that a device has taken in.
    truths: BTreeMap<usize, Truth>,
    /// Requests that may arrive once more.
    late: Vec<(usize, Request)>,
    records: Vec<RecordId>,
    oracle: Oracle,
    words: u64,
    healing: bool,
    pub(super) counts: Counts,
    story: Vec<String>,
}

impl World {
    pub(super) fn new(plan: Plan, seed: u64) -> Result<Self, String> {
        let rng = fastrand::Rng::with_seed(seed);
        let folder = folder().map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| error.to_string())?;
        // Two phones of one user, then one phone a user.
        let devices =
            (0..plan.devices).map(|n| Device::new(n, format!("user{}", n / 2), BEGIN)).collect();
        let mut world = Self {
            plan,
            rng,
            clock: Arc::new(AtomicI64::new(BEGIN)),
            runtime,
            folder,
            endpoints: Vec::new(),
            devices,
            replies: BTreeMap::new(),
            truths: BTreeMap::new(),
            late: Vec::new(),
            records: Vec::new(),
            oracle: Oracle::default(),
            words: 0,
            healing: false,
            counts: Counts::default(),
            story: Vec::new(),
        };
        for _ in 0..ENDPOINTS {
            let office = world.open_office().map_err(|error| error.to_string())?;
            world.endpoints.push(office);
        }
        world.found_records().map_err(|error| error.to_string())?;
        Ok(world)
    }

    pub(super) fn repairs(&self) -> u64 {
        let of = |device: &Device| u64::try_from(device.workspace.status().repairs).unwrap_or(0);
        self.devices.iter().map(of).sum()
    }

    /// The last steps, and what broke.
    pub(super) fn story(&self, what: &str) -> String {
        let from = self.story.len().saturating_sub(STORY);
        let told = self.story.get(from..).unwrap_or_default().join("\n");
        format!("{told}\nbroken: {what}")
    }

    /// Faults for a while, then healing; every check on the way.
    pub(super) fn run(&mut self) -> Step {
        for _ in 0..self.plan.steps {
            self.step()?;
        }
        self.heal()?;
        self.check_end()
    }

    fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    fn tell(&mut self, line: String) {
        self.story.push(line);
    }

    fn strikes(&mut self, fault: Fault) -> bool {
        let struck = !self.healing && self.rng.u32(0..1000) < fault.per_mille();
        if struck {
            *self.counts.faults.entry(fault).or_default() += 1;
            self.tell(format!("fault: {}", fault.as_str()));
        }
        struck
    }

    fn step(&mut self) -> Step {
        let device = self.rng.usize(0..self.devices.len());
        match self.rng.u32(0..100) {
            0..30 => self.edit(device),
            30..60 => self.carry_out(device),
            60..72 => self.deliver_request(device),
            72..84 => self.deliver_reply(device),
            84..92 => self.pass_time(),
            92..96 => self.office_edit(),
            _ => self.misfortune(device),
        }
    }

    fn edit(&mut self, n: usize) -> Step {
        let now = self.now();
        let held = match self.devices.get(n) {
            Some(device) if !device.frozen => device.records(),
            _ => return Ok(()),
        };
        if held.is_empty() {
            return Ok(());
        }
        let record = held[self.rng.usize(0..held.len())];
        self.words += 1;
        let mark = format!("d{n}w{}", self.words);
        let contact = self.rng.bool();
        let device = &mut self.devices[n];
        // A record that must be loaded first is edited when a later step comes back to it.
        if device.workspace.open(record).is_err() {
            return Ok(());
        }
        let Ok(view) = device.workspace.view(record) else {
            device.ask();
            return Ok(());
        };
        let (command, trace) = if contact {
            (log(&mark, now), Trace::Contact(mark.clone()))
        } else {
            let text = insert(&view.notes, &mark, self.rng.usize(0..=view.notes.len()));
            let edit = TextEdit { base: view.heads, text };
            (Command::EditNotes(edit), Trace::Word(format!("<{mark}>")))
        };
        let ticket = device.workspace.apply(record, &command, now + device.skew, "Etc/UTC");
        device.workspace.close(record);
        device.ask();
        match ticket {
            Ok(Some(ticket)) => self.oracle.edited(n, ticket, record, trace),
            Ok(None) => {}
            Err(error) => return broken("D1", format!("device {n} may not edit: {error}")),
        }
        self.tell(format!("device {n} writes {mark} into {record}"));
        Ok(())
    }

    /// Does the next thing that a device's workspace asked for.
    fn carry_out(&mut self, n: usize) -> Step {
        let now = self.now();
        self.devices[n].ask();
        if self.devices[n].frozen {
            return Ok(());
        }
        let Some(output) = self.devices[n].queue.pop_front() else { return Ok(()) };
        match output {
            Output::Persist { batch, writes } => {
                if self.strikes(Fault::CrashBeforeCommit) {
                    return self.crash(n);
                }
                let dies = self.strikes(Fault::CrashAfterCommit);
                let device = &mut self.devices[n];
                let at = now + device.skew;
                if device.disk_full && !dies {
                    device.workspace.persist_failed(batch, "storage_full", at);
                } else {
                    device.commit(&writes);
                    if dies {
                        return self.crash(n);
                    }
                    device.workspace.persisted(batch, at);
                }
            }
            Output::Load { record } => {
                let device = &mut self.devices[n];
                let rows = device.chunks(&record);
                if let Ok(id) = record.parse() {
                    device.workspace.loaded(id, &rows, now + device.skew);
                }
            }
            Output::Send { round, body } => {
                self.devices[n].sent = Some(super::device::Sent { round, body: body.into_vec() });
            }
            Output::WakeAt { at } => self.devices[n].wake_at = Some(at),
            Output::Saved { ticket } => {
                self.devices[n].saved = ticket;
                self.counts.edits += self.oracle.saved(n, ticket);
            }
            Output::SaveFailed { .. }
            | Output::RecordChanged { .. }
            | Output::ListChanged
            | Output::StatusChanged => {}
        }
        self.devices[n].ask();
        self.check_status(n)
    }

    fn deliver_request(&mut self, n: usize) -> Step {
        if self.devices[n].frozen || self.replies.contains_key(&n) {
            return Ok(());
        }
        let Some(sent) = self.devices[n].sent.take() else { return Ok(()) };
        if self.strikes(Fault::RequestLost) {
            self.fail(n, sent.round);
            return Ok(());
        }
        let mut body = sent.body;
        if self.strikes(Fault::CutShort) {
            body.truncate(self.rng.usize(0..body.len()));
        }
        let Ok(request) = decode_request(&body) else {
            self.fail(n, sent.round);
            return Ok(());
        };
        if self.strikes(Fault::RequestTwice) {
            self.answer(n, request.clone())?;
        }
        if self.strikes(Fault::RequestLate) {
            self.late.push((n, request.clone()));
        }
        let (body, truth) = self.answer(n, request)?;
        self.tell(format!("device {n}: round {} answered", sent.round));
        self.replies.insert(n, Reply { round: sent.round, body, truth });
        Ok(())
    }

    fn deliver_reply(&mut self, n: usize) -> Step {
        if self.devices[n].frozen {
            return Ok(());
        }
        let Some(mut reply) = self.replies.remove(&n) else { return Ok(()) };
        if self.strikes(Fault::ReplyLost) {
            self.fail(n, reply.round);
            return Ok(());
        }
        if self.strikes(Fault::CutShort) {
            reply.body.truncate(self.rng.usize(0..reply.body.len()));
        }
        self.counts.rounds += 1;
        self.truths.insert(n, reply.truth);
        let now = self.now();
        let device = &mut self.devices[n];
        device.workspace.replied(reply.round, &reply.body, now + device.skew);
        device.ask();
        self.check_status(n)
    }

    /// The device learns that its request came to nothing.
    fn fail(&mut self, n: usize, round: u64) {
        let (now, random) = (self.now(), self.rng.u32(..));
        let device = &mut self.devices[n];
        device.workspace.request_failed(round, "offline", now + device.skew, random);
        device.ask();
    }

    /// One of the office's processes answers; with what the office holds right after.
    fn answer(&mut self, n: usize, request: Request) -> Result<(Vec<u8>, Truth), Broken> {
        let endpoint = self.rng.usize(0..self.endpoints.len());
        let device = &self.devices[n];
        let session =
            Session { user: device.user.clone(), role: Role::Collector, device: device.id };
        let office = self.endpoints[endpoint].clone();
        let reply = self.runtime.block_on(office.handle_sync(&session, request));
        let reply = reply.map_err(|error| failed("R2", &error))?;
        let truth = self.truth(&session.user)?;
        Ok((encode_reply(&reply), truth))
    }

    fn truth(&self, user: &str) -> Result<Truth, Broken> {
        let mut truth = Truth::default();
        for record in &self.records {
            let view = self.office_view(*record)?;
            if view.assignment.collectors.iter().any(|collector| collector == user) {
                let heads = crate::ids::Heads::from_hex(&view.heads).unwrap_or_default();
                truth.0.insert(*record, heads);
            }
        }
        Ok(truth)
    }

    fn office_view(&self, record: RecordId) -> Result<crate::record::view::VisitView, Broken> {
        let office = &self.endpoints[0];
        self.runtime.block_on(office.visit(record)).map_err(|error| failed("D2", &error))
    }

    fn pass_time(&mut self) -> Step {
        let ms = self.rng.i64(50..20_000);
        self.clock.fetch_add(ms, Ordering::Relaxed);
        for n in 0..self.devices.len() {
            let at = self.now() + self.devices[n].skew;
            let device = &mut self.devices[n];
            if !device.frozen && device.wake_at.take_if(|due| *due <= at).is_some() {
                device.workspace.wake(at);
                device.ask();
            }
        }
        Ok(())
    }

    fn office_edit(&mut self) -> Step {
        let record = self.records[self.rng.usize(0..self.records.len())];
        if self.strikes(Fault::Reassigned) || self.rng.u32(0..20) == 0 {
            return self.reassign(record);
        }
        self.words += 1;
        let mark = format!("office{}", self.words);
        let view = self.office_view(record)?;
        let text = insert(&view.notes, &mark, self.rng.usize(0..=view.notes.len()));
        let edit = Command::EditNotes(TextEdit { base: view.heads, text });
        self.office_command(record, edit)?;
        self.oracle.office_edited(record, Trace::Word(format!("<{mark}>")));
        self.tell(format!("the office writes {mark} into {record}"));
        Ok(())
    }

    fn reassign(&mut self, record: RecordId) -> Step {
        let collectors = self.some_users();
        self.tell(format!("the office gives {record} to {collectors:?}"));
        let patch = AssignmentPatch { collectors: Some(collectors), ..Default::default() };
        self.office_command(record, Command::Assign(patch))
    }

    fn office_command(&mut self, record: RecordId, command: Command) -> Step {
        let office = self.endpoints[self.rng.usize(0..self.endpoints.len())].clone();
        let done = office.command(record, command, "supervisor", Role::Supervisor);
        self.runtime.block_on(done).map(|_| ()).map_err(|error| failed("M6", &error))
    }

    /// Something that strikes by itself.
    fn misfortune(&mut self, n: usize) -> Step {
        if self.strikes(Fault::Crash) {
            self.crash(n)?;
        }
        if self.strikes(Fault::Freeze) {
            self.devices[n].frozen = true;
        } else if self.devices[n].frozen {
            self.devices[n].frozen = false;
            self.tell(format!("device {n} wakes up"));
        }
        let full = self.strikes(Fault::DiskFull);
        self.devices[n].disk_full = full;
        if self.strikes(Fault::ClockJump) {
            self.devices[n].skew = self.rng.i64(-86_400_000..86_400_000);
        }
        if self.strikes(Fault::OfficeRestart) {
            let endpoint = self.rng.usize(0..self.endpoints.len());
            self.endpoints[endpoint].close();
            self.endpoints[endpoint] = self.open_office().map_err(|error| failed("D2", &error))?;
        }
        if !self.late.is_empty() && self.rng.bool() {
            let (n, request) = self.late.remove(self.rng.usize(0..self.late.len()));
            self.tell(format!("an old request of device {n} arrives"));
            self.answer(n, request)?;
        }
        Ok(())
    }

    /// The device dies; what it had acknowledged must be there when it starts again.
    fn crash(&mut self, n: usize) -> Step {
        let now = self.now();
        self.tell(format!("device {n} dies"));
        self.replies.remove(&n);
        self.truths.remove(&n);
        self.oracle.crashed(n);
        if !self.devices[n].flipped && self.strikes(Fault::BitFlip) {
            self.flip(n);
        }
        if self.strikes(Fault::RowsLost) {
            self.forget(n);
        }
        self.check_device(n)?;
        self.devices[n].crash(now);
        self.devices[n].ask();
        Ok(())
    }

    /// Flips one bit of one row.
    fn flip(&mut self, n: usize) {
        let tables = [Table::Chunks, Table::Records, Table::Outbox];
        let table = tables[self.rng.usize(0..tables.len())];
        let random = self.rng.u64(..);
        let device = &mut self.devices[n];
        let Some(rows) = device.disk.get_mut(&table).filter(|rows| !rows.is_empty()) else {
            return;
        };
        let at = usize::try_from(random >> 32).unwrap_or(0) % rows.len();
        let Some((key, value)) = rows.iter_mut().nth(at) else { return };
        let bit = usize::try_from(random & 0xffff_ffff).unwrap_or(0) % (value.len() * 8).max(1);
        if let Some(byte) = value.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
            device.flipped = true;
            let line = format!("a bit flips in {table:?} {key}");
            self.tell(line);
        }
    }

    /// Takes every row of one record, but of none that holds unsent work.
    fn forget(&mut self, n: usize) {
        let disk = &self.devices[n].disk;
        let unsent = |id: &String| {
            disk.get(&Table::Outbox).is_some_and(|rows| rows.keys().any(|key| key.starts_with(id)))
        };
        let held = disk.get(&Table::Records).map(|rows| rows.keys().cloned().collect::<Vec<_>>());
        let mut held = held.unwrap_or_default();
        held.retain(|id| !unsent(id));
        if held.is_empty() {
            return;
        }
        let id = held.swap_remove(self.rng.usize(0..held.len()));
        for table in [Table::Records, Table::Chunks] {
            if let Some(rows) = self.devices[n].disk.get_mut(&table) {
                rows.retain(|key, _| !key.starts_with(&id));
            }
        }
        self.tell(format!("the store of device {n} forgets {id}"));
    }

    /// Faults end, everybody is on line: all must converge within a bounded number of rounds.
    fn heal(&mut self) -> Step {
        self.healing = true;
        self.tell("faults end".into());
        for _ in 0..ROUNDS_TO_HEAL {
            for n in 0..self.devices.len() {
                self.devices[n].frozen = false;
                self.devices[n].disk_full = false;
                // A person looks at every record: damage that sleeps is found.
                for record in self.devices[n].records() {
                    let _ = self.devices[n].workspace.open(record);
                    self.devices[n].workspace.close(record);
                }
                self.drain(n)?;
                let at = self.now() + self.devices[n].skew;
                self.devices[n].workspace.sync_now(at);
                self.drain(n)?;
            }
            self.clock.fetch_add(600_000, Ordering::Relaxed);
            let done = |device: &Device| {
                let status = device.workspace.status();
                status.state == SyncState::InStep && status.unsent == 0
            };
            if self.devices.iter().all(done) {
                return self.settle();
            }
        }
        let states: Vec<Status> = self.devices.iter().map(|d| d.workspace.status()).collect();
        broken("P3", format!("not all converge: {states:?}"))
    }

    /// One more round each: the last to speak may have changed what the first holds.
    fn settle(&mut self) -> Step {
        for n in 0..self.devices.len() {
            let at = self.now() + self.devices[n].skew;
            self.devices[n].workspace.sync_now(at);
            self.drain(n)?;
        }
        Ok(())
    }

    fn drain(&mut self, n: usize) -> Step {
        for _ in 0..2_000 {
            self.devices[n].ask();
            if !self.devices[n].queue.is_empty() {
                self.carry_out(n)?;
            } else if self.replies.contains_key(&n) {
                self.deliver_reply(n)?;
            } else if self.devices[n].sent.is_some() {
                self.deliver_request(n)?;
            } else {
                return Ok(());
            }
        }
        broken("R7", format!("device {n} never rests"))
    }

    /// "In step" is a claim: what is held must be what the office held when it answered.
    fn check_status(&mut self, n: usize) -> Step {
        let device = &self.devices[n];
        if device.flipped || device.workspace.status().state != SyncState::InStep {
            return Ok(());
        }
        let Some(truth) = self.truths.get(&n) else { return Ok(()) };
        let held: Vec<RecordId> = device.records();
        if !held.iter().eq(truth.0.keys()) {
            return broken("P2", format!("device {n} says in step and holds other records"));
        }
        for (record, heads) in &truth.0 {
            if let Ok(view) = device.workspace.view(*record)
                && view.heads != heads.to_hex()
            {
                return broken("P2", format!("device {n} says in step and differs in {record}"));
            }
        }
        Ok(())
    }

    /// What a device acknowledged must be on its disk, or with the office.
    fn check_device(&self, n: usize) -> Step {
        let device = &self.devices[n];
        let (mut workspace, disk) = device.after_crash(self.now());
        for (record, traces) in self.oracle.of_device(n) {
            let _ = workspace.open(record);
            while let Some(output) = workspace.poll() {
                if let Output::Load { record } = output
                    && let Ok(id) = record.parse()
                {
                    let rows = super::device::rows(&disk, Table::Chunks, &format!("{record}/"));
                    workspace.loaded(id, &rows, self.now());
                }
            }
            // Withdrawn and handed over, or damaged: the end of the run tells.
            let Ok(view) = workspace.view(record) else { continue };
            if let Some(lost) = traces.iter().find(|trace| !trace.is_in(&view)) {
                return broken("D1", format!("device {n} lost {lost:?} of {record}"));
            }
        }
        Ok(())
    }

    fn check_end(&mut self) -> Step {
        let quarantine = self
            .runtime
            .block_on(self.endpoints[0].quarantine())
            .map_err(|error| failed("M4", &error))?;
        for (record, traces) in self.oracle.all() {
            let view = self.office_view(record)?;
            let kept = quarantine.iter().any(|line| line.record == record.to_string());
            if let Some(lost) = traces.iter().find(|trace| !trace.is_in(&view) && !kept) {
                return broken("D1", format!("the office lacks {lost:?} of {record}"));
            }
        }
        for n in 0..self.devices.len() {
            let truth = self.truth(&self.devices[n].user)?;
            for record in self.devices[n].records() {
                let _ = self.devices[n].workspace.open(record);
            }
            self.drain(n)?;
            if !self.devices[n].records().iter().eq(truth.0.keys()) {
                return broken("F1", format!("device {n} holds other records than its feed"));
            }
            for record in truth.0.keys() {
                let here = self.devices[n].workspace.view(*record).map_err(|error| Broken {
                    rule: "D5",
                    what: format!("device {n} cannot read {record}: {error}"),
                })?;
                if here != self.office_view(*record)? {
                    return broken("P2", format!("device {n} and office differ in {record}"));
                }
            }
        }
        let damaged = |fault: &Fault| matches!(fault, Fault::BitFlip | Fault::RowsLost);
        if self.repairs() > 0 && !self.counts.faults.keys().any(damaged) {
            return broken("P4", "a repair, though no store was damaged".into());
        }
        let verified = self.runtime.block_on(self.endpoints[0].verify());
        let verified = verified.map_err(|error| failed("M7", &error))?;
        if verified.ok { Ok(()) } else { broken("M7", format!("{:?}", verified.problems)) }
    }

    fn open_office(&mut self) -> Result<Office, OfficeError> {
        let mut bytes = [0; 16];
        self.rng.fill(&mut bytes);
        let fresh = Fresh { epoch: bytes, office_device: bytes, voucher_key: [bytes[0]; 32] };
        let store = Sqlite::open(&self.folder.path().join("office.sqlite3"), fresh)?;
        let clock = Arc::clone(&self.clock);
        let seed = self.rng.u64(..);
        let seeded = std::sync::Mutex::new(fastrand::Rng::with_seed(seed));
        let random: Random = Arc::new(move |bytes: &mut [u8]| {
            let mut rng =
                seeded.lock().map_err(|_| StoreError::Failed("randomness is gone".into()))?;
            rng.fill(bytes);
            Ok(())
        });
        Office::over(Arc::new(store), Arc::new(move || clock.load(Ordering::Relaxed)), random)
    }

    fn found_records(&mut self) -> Result<(), OfficeError> {
        let visits = (0..self.plan.records)
            .map(|n| NewVisit {
                case_no: format!("C{n}"),
                case: CasePatch {
                    borrower_name: Some(format!("Borrower {n}")),
                    currency: Some("CNY".into()),
                    ..Default::default()
                },
                assignment: AssignmentPatch {
                    collectors: Some(self.some_users()),
                    ..Default::default()
                },
            })
            .collect();
        let office = self.endpoints[0].clone();
        let created = self.runtime.block_on(office.create_visits(visits, "supervisor"))?;
        self.records = created
            .into_iter()
            .filter_map(|created| match created {
                Created::New(id) | Created::Exists(id) => Some(id),
                Created::Invalid(_) => None,
            })
            .collect();
        self.records.sort_unstable();
        Ok(())
    }

    /// One user or more.
    fn some_users(&mut self) -> Vec<String> {
        let count = self.devices.len().div_ceil(2);
        let one = self.rng.usize(0..count);
        (0..count).filter(|n| *n == one || self.rng.bool()).map(|n| format!("user{n}")).collect()
    }
}

fn broken(rule: &'static str, what: String) -> Step {
    Err(Broken { rule, what })
}

fn failed(rule: &'static str, error: &OfficeError) -> Broken {
    Broken { rule, what: format!("the office fails: {error}") }
}

fn insert(text: &str, mark: &str, at: usize) -> String {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    // Never inside another mark.
    let before = text.get(..at).unwrap_or_default();
    let inside = before.rfind('<') > before.rfind('>');
    let at = if inside { text.len() } else { at };
    format!("{}<{mark}>{}", text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default())
}

fn log(id: &str, at: i64) -> Command {
    Command::LogContact(NewContact {
        id: id.to_owned(),
        at,
        channel: Channel::Call,
        number_ref: String::new(),
        target_role: TargetRole::Borrower,
        outcome: ContactOutcome::NoAnswer,
        note: String::new(),
    })
}

/// A folder in memory where the machine has one: the simulation makes its own crashes.
fn folder() -> std::io::Result<tempfile::TempDir> {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}
