//! An office with records some changes deep, a device that holds them, and edits on both sides.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};

use doorstep::ids::{DeviceId, RecordId};
use doorstep::office::store::Device as Enrolled;
use doorstep::office::{Created, Office};
use doorstep::record::terms::Role;
use doorstep::sync::message::{Cursor, DEFAULT_REPLY_BYTES, Request, encode_request};
use doorstep::vault::Vault;
use doorstep::workspace::Table;

use crate::support::phone::{NOW, TestPhone};
use crate::workload::{Edits, Workload};

pub(crate) const PASSWORD: &str = "correct horse battery";
const COLLECTOR: &str = "chen.jie";
const SUPERVISOR: &str = "lin.yue";

/// The office's clock while it is used without its program, ms.
static CLOCK: AtomicI64 = AtomicI64::new(NOW);

pub(crate) struct World {
    folder: PathBuf,
    /// Deletes the folder in the end, unless it was given.
    _temporary: Option<tempfile::TempDir>,
    runtime: tokio::runtime::Runtime,
    /// By index in the workload.
    ids: Vec<RecordId>,
    device: TestPhone,
    depth: usize,
    workload: Workload,
    run: usize,
}

impl World {
    pub(crate) fn new(records: usize, depth: usize) -> Self {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path().to_owned();
        Self::build(folder, Some(temporary), records, depth)
    }

    /// Leaves the office's database and `workload.json` in a folder.
    pub(crate) fn prepare(folder: &Path, records: usize, depth: usize) {
        std::fs::create_dir_all(folder).expect("a folder");
        let world = Self::build(folder.to_owned(), None, records, depth);
        let mut workload = serde_json::to_value(&world.workload).expect("JSON");
        for (plan, id) in workload["records"].as_array_mut().into_iter().flatten().zip(&world.ids) {
            plan["id"] = id.to_string().into();
        }
        workload["saved_bytes"] = world.saved_bytes().into();
        workload["depth"] = depth.into();
        std::fs::write(folder.join("workload.json"), workload.to_string()).expect("written");
    }

    fn build(
        folder: PathBuf,
        temporary: Option<tempfile::TempDir>,
        records: usize,
        depth: usize,
    ) -> Self {
        let mut world = Self {
            folder,
            _temporary: temporary,
            runtime: tokio::runtime::Runtime::new().expect("threads"),
            ids: Vec::new(),
            device: TestPhone::new(COLLECTOR, 1),
            depth,
            workload: Workload::new(records, depth),
            run: 0,
        };
        world.add_user(COLLECTOR, "collector");
        world.add_user(SUPERVISOR, "supervisor");
        world.fill();
        world
    }

    fn add_user(&self, name: &str, role: &str) {
        let mut add = Process::new(env!("CARGO_BIN_EXE_doorstep"))
            .args(["user", "add", name, "--role", role, "--database", &self.address()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program runs");
        let mut stdin = add.stdin.take().expect("piped");
        writeln!(stdin, "{PASSWORD}").expect("written");
        drop(stdin);
        assert!(add.wait().expect("ends").success());
    }

    /// Makes the records, and their history by a device that then holds them.
    fn fill(&mut self) {
        let office = self.open();
        // Those that fill the office, and those that are measured.
        for id in 1..64 {
            let enrolled = Enrolled::enrolled(DeviceId([id; 16]), COLLECTOR, NOW);
            office.store().write_now(move |tx| tx.put_device(&enrolled)).expect("enrolled");
        }
        let visits = self.workload.records.iter().map(|plan| plan.visit()).collect();
        let created = self.runtime.block_on(office.create_visits(visits, SUPERVISOR));
        self.ids = created
            .expect("created")
            .into_iter()
            .map(|created| match created {
                Created::New(id) => id,
                Created::Exists(_) | Created::Invalid(_) => panic!("not created"),
            })
            .collect();
        let mut device = TestPhone::new(COLLECTOR, 1);
        self.runtime.block_on(device.sync(&office));
        let mut done = 0;
        for (id, plan) in self.ids.iter().zip(&self.workload.records) {
            for step in &plan.steps {
                device.now = step.at;
                for command in step.commands(|| device.view(*id)) {
                    device.apply(*id, &command);
                }
            }
            device.workspace.close(*id);
            done += plan.steps.len();
            // Sync before the limit of changes per push.
            if done >= 5_000 {
                done = 0;
                self.runtime.block_on(device.sync(&office));
            }
        }
        device.now = self.workload.end();
        CLOCK.store(device.now, Ordering::Relaxed);
        self.runtime.block_on(device.sync(&office));
        device.assert_in_step();
        self.device = device;
        office.close();
    }

    pub(crate) fn records(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    fn address(&self) -> String {
        format!("sqlite:{}", self.folder.join("office.sqlite3").display())
    }

    fn open(&self) -> Office {
        let clock = || CLOCK.fetch_add(1_700, Ordering::Relaxed);
        Office::open(&self.address(), clock).expect("opens")
    }

    /// The device, as it is stored.
    pub(crate) fn device(&self) -> TestPhone {
        let mut device = TestPhone::new(COLLECTOR, 1);
        device.tables = self.device.tables.clone();
        device.now = self.device.now;
        device.sent = None;
        device.restart();
        device.sent = None;
        device
    }

    /// Continues with a device's tables.
    pub(crate) fn replace_device(&mut self, device: TestPhone) {
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

    /// Edits records on both sides: those of the next run.
    pub(crate) fn edit(&mut self, device: &mut TestPhone) {
        let run = self.run % self.workload.runs.len();
        self.run += 1;
        let Edits { device: here, office: there } = &self.workload.runs[run];
        for edit in here {
            let id = self.ids[edit.record];
            for command in edit.step.commands(|| device.view(id)) {
                device.apply(id, &command);
            }
        }
        device.sent = None;
        let office = self.open();
        for edit in there {
            let id = self.ids[edit.record];
            let view = || self.runtime.block_on(office.visit(id)).expect("there");
            for command in edit.step.commands(view) {
                let done = office.command(id, command, SUPERVISOR, Role::Supervisor);
                self.runtime.block_on(done).expect("allowed");
            }
        }
        office.close();
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
