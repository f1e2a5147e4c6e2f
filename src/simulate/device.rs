//! A simulated phone: the real workspace, a disk that may fail, and outputs carried out one by one.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::{DeviceId, RecordId};
use crate::record::terms::Role;
use crate::workspace::{Identity, Output, Row, Table, Workspace, Write};

/// What is on a device's disk.
pub(super) type Disk = BTreeMap<Table, BTreeMap<String, Vec<u8>>>;

/// A request on its way.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) round: u64,
    pub(super) body: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Device {
    pub(super) id: DeviceId,
    pub(super) user: String,
    pub(super) workspace: Workspace,
    pub(super) disk: Disk,
    /// A number that is never given twice, whatever crashes.
    session: u64,
    /// What the workspace asked for and the device has not done yet.
    pub(super) queue: VecDeque<Output>,
    pub(super) sent: Option<Sent>,
    pub(super) wake_at: Option<i64>,
    /// Device clock minus true time.
    pub(super) skew: i64,
    pub(super) disk_full: bool,
    pub(super) frozen: bool,
    /// A flipped bit that may not have been healed: no second one until all is well again.
    pub(super) flipped: bool,
    /// Highest ticket that is durable.
    pub(super) saved: u64,
}

impl Device {
    pub(super) fn new(name: usize, user: String, now: i64) -> Self {
        let byte = u8::try_from(name).unwrap_or(u8::MAX).wrapping_add(1);
        let id = DeviceId([byte; 16]);
        let disk = Disk::new();
        let workspace = open(id, 1, &user, &disk, now);
        Self {
            id,
            user,
            workspace,
            disk,
            session: 1,
            queue: VecDeque::new(),
            sent: None,
            wake_at: None,
            skew: 0,
            disk_full: false,
            frozen: false,
            flipped: false,
            saved: 0,
        }
    }

    /// Everything in memory is gone.
    pub(super) fn crash(&mut self, now: i64) {
        self.queue.clear();
        self.sent = None;
        self.wake_at = None;
        self.saved = 0;
        self.session += 1;
        self.workspace = open(self.id, self.session, &self.user, &self.disk, now + self.skew);
    }

    /// Takes what the workspace asks for into the queue.
    pub(super) fn ask(&mut self) {
        while let Some(output) = self.workspace.poll() {
            self.queue.push_back(output);
        }
    }

    /// One transaction.
    pub(super) fn commit(&mut self, writes: &[Write]) {
        for write in writes {
            let table = self.disk.entry(write.table).or_default();
            match &write.value {
                Some(value) => {
                    table.insert(write.key.clone(), value.to_vec());
                }
                None if write.key.ends_with('/') => {
                    table.retain(|key, _| !key.starts_with(&write.key));
                }
                None => {
                    table.remove(&write.key);
                }
            }
        }
    }

    pub(super) fn chunks(&self, record: &str) -> Vec<Row> {
        rows(&self.disk, Table::Chunks, &format!("{record}/"))
    }

    /// Records that the list shows.
    pub(super) fn records(&self) -> Vec<RecordId> {
        self.workspace.list().iter().filter_map(|row| row.summary.id.parse().ok()).collect()
    }

    /// A workspace over a copy of what is on disk now: what would be there after a crash.
    pub(super) fn after_crash(&self, now: i64) -> (Workspace, Disk) {
        (open(self.id, u64::MAX, &self.user, &self.disk, now), self.disk.clone())
    }
}

fn open(device: DeviceId, session: u64, user: &str, disk: &Disk, now: i64) -> Workspace {
    let identity = Identity { device, session, user: user.to_owned(), role: Role::Collector };
    let all = |table| rows(disk, table, "");
    match Workspace::new(
        identity,
        &all(Table::Meta),
        &all(Table::Records),
        &all(Table::Outbox),
        now,
    ) {
        Ok(workspace) => workspace,
        Err(error) => unreachable!("a store that this program wrote opens: {error}"),
    }
}

pub(super) fn rows(disk: &Disk, table: Table, prefix: &str) -> Vec<Row> {
    let Some(table) = disk.get(&table) else { return Vec::new() };
    table
        .iter()
        .filter(|(key, _)| key.starts_with(prefix))
        .map(|(key, value)| Row { key: key.clone(), value: value.clone().into() })
        .collect()
}
