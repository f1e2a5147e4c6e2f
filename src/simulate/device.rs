//! A simulated phone: the real workspace, a disk that may fail, and outputs carried out one by one.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::{DeviceId, RecordId};
use crate::office::EnrolmentProof;
use crate::record::Record;
use crate::record::terms::Role;
use crate::vault::Vault;
use crate::workspace::{
    Identity, Output, RecordProblem, Row, StoreError, Table, Workspace, WorkspaceError, Write,
};

/// What is on a device's disk.
pub(super) type Disk = BTreeMap<Table, BTreeMap<String, Vec<u8>>>;

pub(super) struct Device {
    pub(super) id: DeviceId,
    pub(super) user: String,
    pub(super) workspace: Workspace,
    pub(super) disk: Disk,
    /// Counts starts; also stored on the disk.
    pub(super) starts: u32,
    /// Counts starts in memory only, so that a restored disk doesn't reset it.
    pub(super) life: u32,
    /// Outputs of the workspace that the device has not handled yet.
    pub(super) queue: VecDeque<Output>,
    /// Writes that the disk has not confirmed.
    pub(super) handed: VecDeque<(u64, Vec<Write>)>,
    /// The round whose reply is waited for.
    pub(super) awaited: Option<u64>,
    pub(super) wake_at: Option<i64>,
    /// Device clock minus true time.
    pub(super) skew: i64,
    pub(super) disk_full: bool,
    pub(super) frozen: bool,
    /// The office's proof that the device was enrolled for its user.
    pub(super) proof: EnrolmentProof,
    /// The device has a session at the office.
    pub(super) signed_in: bool,
    /// The device whose session the browser uses: another one after another user signed in.
    pub(super) shown: usize,
    /// The office has revoked the device; `told`: the device knows.
    pub(super) revoked: bool,
    pub(super) told: bool,
    /// It has pushed its unsent work and erased everything.
    pub(super) erased: bool,
    /// The table that was damaged while the record held unsent work. No second table is damaged until
    /// that work has arrived: work stored in two tables survives damage to one.
    pub(super) damaged: BTreeMap<RecordId, Table>,
    /// Some of the store was damaged, lost or restored from a copy.
    pub(super) ever_damaged: bool,
    /// Repairs before the last start.
    repairs_before: i64,
    /// An older state of the disk, with its count of starts.
    pub(super) copy: Option<(Disk, u32)>,
}

impl Device {
    pub(super) fn new(name: usize, user: String, now: i64, random: u32) -> Self {
        let byte = u8::try_from(name).unwrap_or(u8::MAX).wrapping_add(1);
        let id = DeviceId([byte; 16]);
        let disk = Disk::new();
        let Ok(workspace) = open(id, session(1, random), &user, &disk, now) else {
            unreachable!("an empty store opens");
        };
        Self {
            id,
            user,
            workspace,
            disk,
            starts: 1,
            life: 1,
            queue: VecDeque::new(),
            handed: VecDeque::new(),
            awaited: None,
            wake_at: None,
            skew: 0,
            disk_full: false,
            frozen: false,
            proof: EnrolmentProof::default(),
            signed_in: false,
            shown: name,
            revoked: false,
            told: false,
            erased: false,
            damaged: BTreeMap::new(),
            ever_damaged: false,
            repairs_before: 0,
            copy: None,
        }
    }

    /// Everything in memory is gone; the device starts again from its disk.
    pub(super) fn start(&mut self, now: i64, random: u32) -> Result<(), StoreError> {
        self.repairs_before += self.workspace.status().repairs;
        self.queue.clear();
        self.handed.clear();
        self.awaited = None;
        self.wake_at = None;
        self.told = false;
        self.starts += 1;
        self.life += 1;
        let session = session(self.starts, random);
        self.workspace = open(self.id, session, &self.user, &self.disk, now + self.skew)?;
        Ok(())
    }

    /// A new session in the same life, as the store gives it.
    pub(super) fn next_session(&mut self, random: u32) -> u64 {
        self.starts += 1;
        session(self.starts, random)
    }

    /// Whether refused work on a record is unresolved.
    pub(super) fn is_refused(&self, record: RecordId) -> bool {
        let problem = self.workspace.row(record).and_then(|row| row.problem);
        problem.is_some_and(|problem| problem != RecordProblem::Damaged)
    }

    /// Erases everything, once the office has all unsent work.
    pub(super) fn erase(&mut self) {
        self.disk.clear();
        self.handed.clear();
        self.queue.clear();
        self.damaged.clear();
        self.erased = true;
    }

    /// Number of repairs, over all starts.
    pub(super) fn repairs(&self) -> i64 {
        self.repairs_before + self.workspace.status().repairs
    }

    /// Moves the workspace's outputs into the queue.
    pub(super) fn poll_outputs(&mut self) {
        while let Some(output) = self.workspace.poll() {
            self.queue.push_back(output);
        }
    }

    /// One transaction; `room` is how many of the writes fit on the disk. All or nothing: gives
    /// whether it was committed.
    pub(super) fn commit(&mut self, writes: &[Write], room: Option<usize>) -> bool {
        if room.is_some_and(|room| room < writes.len()) {
            return false;
        }
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
        true
    }

    pub(super) fn chunks(&self, record: RecordId) -> Vec<Row> {
        rows(&self.disk, Table::Chunks, &format!("{record}/"))
    }

    /// The row of a record.
    pub(super) fn row(&self, record: RecordId) -> Option<Row> {
        rows(&self.disk, Table::Records, &record.to_string()).pop()
    }

    /// At most `count` rows of records after a key.
    pub(super) fn records_after(&self, after: &str, count: usize) -> Vec<Row> {
        let mut records = rows(&self.disk, Table::Records, "");
        records.retain(|row| row.key.as_str() > after);
        records.truncate(count);
        records
    }

    /// Records that the list shows.
    pub(super) fn records(&self) -> Vec<RecordId> {
        self.workspace.heads().map(|(id, _)| id).collect()
    }

    /// The workspace after a crash now, with some records loaded; the disk is unchanged.
    pub(super) fn after_crash(
        &self,
        records: impl Iterator<Item = RecordId>,
        now: i64,
    ) -> Result<Workspace, StoreError> {
        let mut workspace = open(self.id, u64::MAX, &self.user, &self.disk, now)?;
        for record in records {
            let _ = workspace.open(record);
        }
        while let Some(output) = workspace.poll() {
            match output {
                Output::Load { record } => {
                    if let Ok(id) = record.parse() {
                        workspace.loaded(id, self.row(id).as_ref(), &self.chunks(id), now);
                    }
                }
                Output::ReadRecords { after } => {
                    workspace.records_read(&self.records_after(&after, usize::MAX), now);
                }
                Output::Persist { .. }
                | Output::Send { .. }
                | Output::WakeAt { .. }
                | Output::Resume
                | Output::Saved { .. }
                | Output::SaveFailed { .. }
                | Output::RecordChanged { .. }
                | Output::Erase { .. }
                | Output::ListChanged
                | Output::StatusChanged => {}
            }
        }
        Ok(workspace)
    }

    /// A record; starts loading it where it is not in memory.
    pub(super) fn record(&mut self, id: RecordId) -> Result<&Record, WorkspaceError> {
        self.workspace.open(id)?;
        self.workspace.close(id);
        self.poll_outputs();
        self.workspace.record(id)
    }
}

/// A session number: what counts up, and a random part, as the driver makes them.
fn session(starts: u32, random: u32) -> u64 {
    u64::from(starts) << 32 | u64::from(random)
}

fn open(
    device: DeviceId,
    session: u64,
    user: &str,
    disk: &Disk,
    now: i64,
) -> Result<Workspace, StoreError> {
    let identity = Identity { device, session, user: user.to_owned(), role: Role::Collector };
    let all = |table| rows(disk, table, "");
    // The session is new at each start, and so is the prefix of nonces.
    let mut salt = [0; 16];
    salt[8..].copy_from_slice(&session.to_be_bytes());
    let vault = Vault::new(&[device.0, device.0].concat().try_into().unwrap_or_default(), salt);
    let (meta, outbox) = (all(Table::Meta), all(Table::Outbox));
    let mut records = all(Table::Records);
    records.retain(|record| outbox.iter().any(|row| row.key.starts_with(&record.key)));
    Workspace::new(identity, vault, &meta, &records, &outbox, now)
}

fn rows(disk: &Disk, table: Table, prefix: &str) -> Vec<Row> {
    let Some(table) = disk.get(&table) else { return Vec::new() };
    table
        .range(prefix.to_owned()..)
        .take_while(|(key, _)| key.starts_with(prefix))
        .map(|(key, value)| Row { key: key.clone(), value: value.clone().into() })
        .collect()
}
