//! Records some thirty changes deep at an office, a device that holds them, and edits on both
//! sides.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command as Process, Stdio};

use doorstep::ids::{DeviceId, RecordId};
use doorstep::office::store::Device as Enrolled;
use doorstep::office::{Created, NewVisit, Office};
use doorstep::record::command::{
    AppointmentPatch, AppointmentProposal, AssignmentPatch, CasePatch, Command, NewContact,
    TalkPatch, TextEdit,
};
use doorstep::record::terms::{
    Channel, ContactOutcome, OverdueReason, ProposedBy, Role, TargetRole, Willingness,
};
use doorstep::sync::message::{Cursor, DEFAULT_REPLY_BYTES, Request, encode_request};
use doorstep::vault::Vault;
use doorstep::workspace::Table;

use crate::support::phone::{NOW, TestPhone};

pub(crate) const PASSWORD: &str = "correct horse battery";
/// Changes of each record beside the office's first.
const DEPTH: usize = 29;

pub(crate) struct World {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    ids: Vec<RecordId>,
    device: TestPhone,
    words: fastrand::Rng,
}

impl World {
    pub(crate) fn new(records: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        let words = fastrand::Rng::with_seed(7);
        let device = TestPhone::new("chen.jie", 1);
        let mut world = Self { folder, runtime, ids: Vec::new(), device, words };
        let mut add = Process::new(env!("CARGO_BIN_EXE_doorstep"))
            .args(["user", "add", "chen.jie", "--role", "collector"])
            .args(["--database", &world.address()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program runs");
        let mut stdin = add.stdin.take().expect("piped");
        writeln!(stdin, "{PASSWORD}").expect("written");
        drop(stdin);
        assert!(add.wait().expect("ends").success());
        world.fill(records);
        world
    }

    /// Makes the records, and their history by a device that then holds them.
    fn fill(&mut self, records: usize) {
        let office = self.open();
        // Those that fill the office, and those that are measured.
        for id in 1..64 {
            let enrolled = Enrolled::enrolled(DeviceId([id; 16]), "chen.jie", NOW);
            office.store().write_now(move |tx| tx.put_device(&enrolled)).expect("enrolled");
        }
        let visits = (0..records).map(visit).collect();
        let created = self.runtime.block_on(office.create_visits(visits, "lin.yue"));
        self.ids = created
            .expect("created")
            .into_iter()
            .filter_map(|created| match created {
                Created::New(id) => Some(id),
                Created::Exists(_) | Created::Invalid(_) => None,
            })
            .collect();
        self.ids.sort_unstable();
        let mut device = TestPhone::new("chen.jie", 1);
        self.runtime.block_on(device.sync(&office));
        for batch in self.ids.clone().chunks(200) {
            for id in batch {
                device.apply(*id, &propose());
                for n in 1..DEPTH {
                    let command = match n % 4 {
                        0 => self.notes(&mut device, *id, 30),
                        1 => contact(n),
                        2 => place(&self.sentence(20)),
                        _ => self.talk(),
                    };
                    device.apply(*id, &command);
                }
                device.workspace.close(*id);
            }
            self.runtime.block_on(device.sync(&office));
        }
        device.assert_in_step();
        self.device = device;
        office.close();
    }

    pub(crate) fn records(&self) -> usize {
        self.ids.len()
    }

    fn address(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("office.sqlite3").display())
    }

    fn open(&self) -> Office {
        Office::open(&self.address(), || NOW).expect("opens")
    }

    /// The device, as it is stored.
    pub(crate) fn device(&self) -> TestPhone {
        let mut device = TestPhone::new("chen.jie", 1);
        device.tables = self.device.tables.clone();
        device.sent = None;
        device.restart();
        device.sent = None;
        device
    }

    /// Continues from the current state of a device.
    pub(crate) fn keep(&mut self, device: TestPhone) {
        self.device = device;
    }

    /// Bytes of all documents as they are saved.
    pub(crate) fn saved_bytes(&self) -> usize {
        let office = self.open();
        let sum = office.store().read_with(|reads| {
            let mut sum = 0;
            for id in &self.ids {
                sum += reads.record(*id)?.map_or(0, |stored| stored.document.len());
            }
            Ok(sum)
        });
        office.close();
        sum.expect("read")
    }

    /// Edits the first records on a device: five fields and 100 characters of notes each.
    pub(crate) fn edit_here(&mut self, device: &mut TestPhone, count: usize) {
        for id in self.ids.clone().into_iter().take(count) {
            device.apply(id, &self.talk());
            device.apply(id, &place(&self.sentence(20)));
            let notes = self.notes(device, id, 100);
            device.apply(id, &notes);
        }
        device.sent = None;
    }

    /// Edits records at the office, in the same measure.
    pub(crate) fn edit_at_office(&mut self, from: usize, count: usize) {
        let office = self.open();
        for id in self.ids.clone().into_iter().skip(from).take(count) {
            let view = self.runtime.block_on(office.visit(id)).expect("there");
            let patch = CasePatch {
                overdue: Some(self.words.i64(10_000..900_000)),
                principal: Some(self.words.i64(10_000..900_000)),
                days_past_due: Some(self.words.i64(1..90)),
                last_payment_date: Some(format!("2026-{:02}-01", self.words.u8(1..12))),
                note: Some(self.sentence(20)),
                ..CasePatch::default()
            };
            let text = format!("{}{}", view.notes, self.sentence(100));
            let notes = Command::EditNotes(TextEdit { base: view.heads, text });
            for command in [Command::UpdateCase(Box::new(patch)), notes] {
                let done = office.command(id, command, "lin.yue", Role::Supervisor);
                self.runtime.block_on(done).expect("allowed");
            }
        }
        office.close();
    }

    fn notes(&mut self, device: &mut TestPhone, id: RecordId, length: usize) -> Command {
        let view = device.view(id);
        let text = format!("{}{}", view.notes, self.sentence(length));
        Command::EditNotes(TextEdit { base: view.heads, text })
    }

    fn talk(&mut self) -> Command {
        let reasons = [OverdueReason::IncomeLoss, OverdueReason::Illness, OverdueReason::Forgot];
        let willing = [Willingness::Willing, Willingness::Unwilling, Willingness::Undecided];
        Command::EditTalk(TalkPatch {
            overdue_reason: self.words.choice(reasons),
            overdue_reason_text: Some(self.sentence(20)),
            willingness: self.words.choice(willing),
            disposition: None,
        })
    }

    /// Words as people write them.
    fn sentence(&mut self, length: usize) -> String {
        const WORDS: [&str; 40] = [
            "the", "borrower", "said", "that", "salary", "comes", "late", "this", "month", "and",
            "asked", "for", "two", "weeks", "more", "we", "agreed", "on", "part", "payment", "by",
            "bank", "transfer", "sister", "was", "not", "at", "home", "door", "answered", "after",
            "second", "ring", "calm", "talk", "about", "plan", "new", "job", "starts",
        ];
        let mut text = String::new();
        while text.len() < length {
            text.push_str(WORDS[self.words.usize(..WORDS.len())]);
            text.push(' ');
        }
        text.truncate(length);
        text
    }

    /// The program, serving.
    pub(crate) fn serve(&self) -> Served {
        let mut child = Process::new(env!("CARGO_BIN_EXE_doorstep"))
            .args(["serve", "--listen", "127.0.0.1:0", "--database", &self.address()])
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = loop {
            let line = lines.next().expect("it says where it listens").expect("text");
            let found = line.split("http://").nth(1).and_then(|rest| {
                rest.split(['/', ' ']).next().and_then(|address| address.parse().ok())
            });
            if let Some(address) = found {
                break address;
            }
        };
        // The pipe that it writes to must stay open.
        std::thread::spawn(move || lines.for_each(drop));
        Served { child, address }
    }
}

/// A running endpoint; ends with this value.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Served {
    /// CPU time of its process so far, ms.
    pub(crate) fn cpu_ms(&self) -> f64 {
        let mut sum = 0.0;
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        for task in tasks.into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            sum += text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or_default();
        }
        sum / 1e6
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A round with nothing new, as this device would ask for it.
pub(crate) fn idle_request(device: &TestPhone) -> Vec<u8> {
    let sealed = device.tables.get(&Table::Meta).and_then(|meta| meta.get("cursor"));
    let vault = Vault::new(&device.key, [0; 16]);
    let cursor = vault.decrypt(Table::Meta, "cursor", sealed.expect("a cursor")).expect("sealed");
    let cursor: Cursor = minicbor::decode(&cursor).expect("sound");
    encode_request(&Request { cursor, max_bytes: DEFAULT_REPLY_BYTES, ..Request::default() })
}

fn visit(number: usize) -> NewVisit {
    NewVisit {
        case_no: format!("NB2026{number:06}"),
        case: CasePatch {
            borrower_name: Some(format!("Borrower {number}")),
            phones: Some(vec![format!("138{number:08}"), format!("139{number:08}")]),
            address: Some(format!("{} Mill Road, Unit {}, Ningbo", number % 97, number % 31)),
            product: Some("personal_loan".into()),
            principal: Some(5_000_000),
            overdue: Some(150_000 + number as i64),
            currency: Some("CNY".into()),
            days_past_due: Some(45),
            due_date: Some("2026-08-01".into()),
            zone: Some("Asia/Shanghai".into()),
            ..Default::default()
        },
        assignment: AssignmentPatch {
            collectors: Some(vec!["chen.jie".into()]),
            ..Default::default()
        },
    }
}

fn propose() -> Command {
    Command::ProposeAppointment(AppointmentProposal {
        starts_at: NOW,
        ends_at: NOW + 3_600_000,
        place: "home".into(),
        proposed_by: ProposedBy::Collector,
        borrower_remark: String::new(),
    })
}

fn place(text: &str) -> Command {
    Command::EditAppointment(AppointmentPatch { place: Some(text.into()), ..Default::default() })
}

fn contact(n: usize) -> Command {
    Command::LogContact(NewContact {
        id: format!("c{n}"),
        at: NOW,
        channel: Channel::Call,
        number_ref: "phones.0".into(),
        target_role: TargetRole::Borrower,
        outcome: ContactOutcome::NoAnswer,
        note: "no answer, will call again".into(),
    })
}
