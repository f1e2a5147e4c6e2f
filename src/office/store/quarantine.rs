//! Refused work, and what people decided on it (rule M4).

use minicbor::bytes::ByteVec;
use sha2::{Digest as _, Sha256};

use super::StoreError;
use crate::ids::{DeviceId, RecordId};

/// Work that was refused, with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedWork {
    /// For which record.
    pub record: RecordId,
    /// From which device.
    pub device: DeviceId,
    /// From whom.
    pub user: String,
    /// ms.
    pub at: i64,
    /// Stable word.
    pub code: String,
    /// The path that may not be written, or empty.
    pub path: String,
    /// One sentence.
    pub message: String,
    /// What of the record it is about, as far as that can be read: fields and entries.
    pub units: Vec<String>,
    /// The chunks as they came.
    pub changes: Vec<Vec<u8>>,
}

impl RefusedWork {
    /// The chunks as one value.
    pub(in crate::office) fn encoded(&self) -> Result<Vec<u8>, StoreError> {
        encode(&self.changes)
    }

    /// Names the work: the same from the same device is kept once.
    pub fn fingerprint(&self) -> Result<[u8; 32], StoreError> {
        let named = Sha256::new()
            .chain_update(self.record.0)
            .chain_update(self.device.0)
            .chain_update(self.encoded()?);
        Ok(named.finalize().into())
    }
}

/// Chunks as one value.
pub(super) fn encode(changes: &[Vec<u8>]) -> Result<Vec<u8>, StoreError> {
    let chunks: Vec<ByteVec> = changes.iter().cloned().map(Into::into).collect();
    minicbor::to_vec(&chunks).map_err(|_| StoreError::Damaged("refused work".to_owned()))
}

/// Where refused work stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineState {
    /// Nobody has decided on it.
    Open,
    /// Somebody accepted it.
    Accepted,
    /// Somebody dismissed it; it is still kept, and may be accepted.
    Dismissed,
}

impl QuarantineState {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Dismissed => "dismissed",
        }
    }

    /// The state of a word.
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
    /// Why, in that person's words.
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
    /// Where it stands.
    pub state: QuarantineState,
    /// What named it when it was kept.
    pub fingerprint: [u8; 32],
    /// The export that holds its bytes; `None` while they are stored here.
    pub exported: Option<u64>,
    /// What was refused.
    pub refused: RefusedWork,
    /// Decisions, oldest first; the last one stands.
    pub decisions: Vec<Decision>,
}

/// The refused work that is asked for. Absent filters let everything pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuarantineFilter {
    /// Where it stands.
    pub state: Option<QuarantineState>,
    /// From whom.
    pub user: Option<String>,
    /// From which device.
    pub device: Option<DeviceId>,
    /// For which record.
    pub record: Option<RecordId>,
    /// Why it was refused.
    pub code: Option<String>,
    /// Only what was kept before this number.
    pub before: Option<u64>,
    /// The most wanted.
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
    /// What the file holds.
    pub held: QuarantineSize,
    /// SHA-256 of the file without its last line.
    pub sha256: [u8; 32],
}

/// Reads of refused work.
pub trait QuarantineReads {
    /// Refused work, newest first, without its bytes and decisions, and how much there is before
    /// `before` and `limit` are looked at.
    fn quarantine(
        &mut self,
        asked: &QuarantineFilter,
    ) -> Result<(Vec<QuarantinedWork>, u64), StoreError>;
    /// One piece of refused work with its bytes and decisions.
    fn quarantined(&mut self, id: u64) -> Result<Option<QuarantinedWork>, StoreError>;
    /// The last decision on each of these numbers that is refused work of the device. Does not read
    /// the work itself.
    fn last_decisions(
        &mut self,
        device: DeviceId,
        numbers: &[u64],
    ) -> Result<Vec<(u64, Decision)>, StoreError>;
    /// The number under which the same work from the same device is kept.
    fn find_quarantined(&mut self, refused: &RefusedWork) -> Result<Option<u64>, StoreError>;
    /// How much of a user waits for a decision; costs one look-up, however much it is.
    fn undecided_of(&mut self, user: &str) -> Result<QuarantineSize, StoreError>;
    /// How much is stored of all users.
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
    /// Keeps refused work; the same work from the same device keeps its number.
    fn quarantine_work(&mut self, refused: &RefusedWork) -> Result<u64, StoreError>;
    /// Adds a decision on work that is kept.
    fn decide(&mut self, id: u64, decision: &Decision) -> Result<(), StoreError>;
    /// Records an export under a fresh number, which it gives; the number given does not count.
    fn add_quarantine_export(&mut self, export: &QuarantineExport) -> Result<u64, StoreError>;
    /// Deletes the bytes of a decided piece that an export holds; undecided work is left alone.
    fn drop_exported(&mut self, id: u64, export: u64) -> Result<(), StoreError>;
    /// Stores the bytes of an exported piece again; gives whether they were not stored.
    fn restore_exported(&mut self, id: u64, changes: &[Vec<u8>]) -> Result<bool, StoreError>;
}
