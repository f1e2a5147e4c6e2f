//! Refused work and decisions on it (rule M4).

use minicbor::bytes::ByteVec;
use sha2::{Digest as _, Sha256};

use super::StoreError;
use crate::ids::{DeviceId, RecordId};

/// Work that was refused, with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedWork {
    /// Its record.
    pub record: RecordId,
    /// The device that sent it.
    pub device: DeviceId,
    /// The user who sent it.
    pub user: String,
    /// ms.
    pub at: i64,
    /// Stable refusal code.
    pub code: String,
    /// The path that may not be written, or empty.
    pub path: String,
    /// One sentence.
    pub message: String,
    /// The fields and entries that it touches, as far as they can be decoded.
    pub units: Vec<String>,
    /// The raw chunks.
    pub changes: Vec<Vec<u8>>,
}

impl RefusedWork {
    /// The chunks encoded as one value.
    pub(in crate::office) fn encoded(&self) -> Result<Vec<u8>, StoreError> {
        encode(&self.changes)
    }

    /// Identifies the work: the same work from the same device is stored once.
    pub fn fingerprint(&self) -> Result<[u8; 32], StoreError> {
        let named = Sha256::new()
            .chain_update(self.record.0)
            .chain_update(self.device.0)
            .chain_update(self.encoded()?);
        Ok(named.finalize().into())
    }
}

/// Encodes chunks as one value.
pub(super) fn encode(changes: &[Vec<u8>]) -> Result<Vec<u8>, StoreError> {
    let chunks: Vec<ByteVec> = changes.iter().cloned().map(Into::into).collect();
    minicbor::to_vec(&chunks).map_err(|_| StoreError::Damaged("refused work".to_owned()))
}

/// Decision state of refused work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineState {
    /// Undecided.
    Open,
    /// Accepted.
    Accepted,
    /// Dismissed; it is still stored and may be accepted later.
    Dismissed,
}

impl QuarantineState {
    /// The state's stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Dismissed => "dismissed",
        }
    }

    /// Parses a stable name.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Accepted, Self::Dismissed].into_iter().find(|one| one.as_str() == word)
    }
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Decision {
    /// Accepted or dismissed.
    pub decision: QuarantineState,
    /// Who.
    pub by: String,
    /// ms.
    pub at: i64,
    /// Reason, as entered.
    pub reason: String,
    /// The receipt for what was accepted; `None` where nothing was new.
    pub receipt: Option<u64>,
}

/// Refused work as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedWork {
    /// Its number.
    pub id: u64,
    /// The case number of the record, where the office has it.
    pub case_no: Option<String>,
    /// Its current state.
    pub state: QuarantineState,
    /// [`RefusedWork::fingerprint`] when it was stored.
    pub fingerprint: [u8; 32],
    /// The export that its bytes were moved to; `None` while they are stored here.
    pub exported: Option<u64>,
    /// What was refused.
    pub refused: RefusedWork,
    /// Decisions, oldest first; the last one is in force.
    pub decisions: Vec<Decision>,
}

/// A query for refused work. Absent filters match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuarantineFilter {
    /// Decision state.
    pub state: Option<QuarantineState>,
    /// From whom.
    pub user: Option<String>,
    /// From which device.
    pub device: Option<DeviceId>,
    /// For which record.
    pub record: Option<RecordId>,
    /// Refusal code.
    pub code: Option<String>,
    /// Only work with lower numbers.
    pub before: Option<u64>,
    /// Page size.
    pub limit: u32,
}

/// An amount of refused work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct QuarantineSize {
    /// Pieces.
    pub pieces: u64,
    /// Bytes of their changes.
    pub bytes: u64,
}

/// How much refused work of one user the office holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuarantineShare {
    /// Sign-in name.
    pub user: String,
    /// Pieces without a decision.
    pub open: QuarantineSize,
    /// Pieces whose bytes are stored here, decided or not.
    pub stored: QuarantineSize,
}

/// A recorded export, after which the bytes of its pieces were deleted here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineExport {
    /// Its number.
    pub id: u64,
    /// ms.
    pub at: i64,
    /// Who.
    pub by: String,
    /// Contents of the file.
    pub held: QuarantineSize,
    /// SHA-256 of the file without its last line.
    pub sha256: [u8; 32],
}

/// Reads of refused work.
pub trait QuarantineReads {
    /// Refused work, newest first, without its bytes and decisions, and the total without `before`
    /// and `limit`.
    fn quarantine(
        &mut self,
        asked: &QuarantineFilter,
    ) -> Result<(Vec<QuarantinedWork>, u64), StoreError>;
    /// One piece of refused work with its bytes and decisions.
    fn quarantined(&mut self, id: u64) -> Result<Option<QuarantinedWork>, StoreError>;
    /// The last decisions on those of these numbers that are the device's refused work. Does not
    /// read the work itself.
    fn last_decisions(
        &mut self,
        device: DeviceId,
        numbers: &[u64],
    ) -> Result<Vec<(u64, Decision)>, StoreError>;
    /// The number under which the same work from the same device is kept.
    fn find_quarantined(&mut self, refused: &RefusedWork) -> Result<Option<u64>, StoreError>;
    /// A user's undecided work; one look-up, however much it is.
    fn undecided_of(&mut self, user: &str) -> Result<QuarantineSize, StoreError>;
    /// Stored work of all users.
    fn quarantine_stored(&mut self) -> Result<QuarantineSize, StoreError>;
    /// The shares of all users who ever had refused work, by name.
    fn quarantine_shares(&mut self) -> Result<Vec<QuarantineShare>, StoreError>;
    /// The next decided piece after a number whose bytes are stored and that was decided on by a
    /// time.
    fn next_exportable(
        &mut self,
        after: u64,
        until: i64,
    ) -> Result<Option<QuarantinedWork>, StoreError>;
    /// Recorded exports, newest first.
    fn quarantine_exports(&mut self) -> Result<Vec<QuarantineExport>, StoreError>;
    /// The next piece after a number, with its chunks as one value.
    fn refused_after(&mut self, id: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError>;
}

/// Writes of refused work.
pub trait QuarantineWrites {
    /// Stores refused work; the same work from the same device keeps its number.
    fn quarantine_work(&mut self, refused: &RefusedWork) -> Result<u64, StoreError>;
    /// Adds a decision on stored work.
    fn decide(&mut self, id: u64, decision: &Decision) -> Result<(), StoreError>;
    /// Records an export under a fresh number and gives that number; `export.id` is ignored.
    fn add_quarantine_export(&mut self, export: &QuarantineExport) -> Result<u64, StoreError>;
    /// Deletes the bytes of a decided piece that an export holds; undecided work is left alone.
    fn drop_exported(&mut self, id: u64, export: u64) -> Result<(), StoreError>;
    /// Stores the bytes of an exported piece again; gives `false` where they are stored already.
    fn restore_exported(&mut self, id: u64, changes: &[Vec<u8>]) -> Result<bool, StoreError>;
}
