//! Adds refused work to quarantine, within quotas.

use std::collections::BTreeSet;

use automerge::ChangeHash;

use crate::ids::{DeviceId, RecordId};
use crate::office::Session;
use crate::office::merge::{self, Refusal, StoredState};
use crate::office::store::{
    Decision, QuarantineSize, QuarantineState, Reads, RefusedWork, StoreError, Writes,
};
use crate::record::refused::reapply_unit;
use crate::sync::chunk;
use crate::sync::message::{QuarantineDecision, Revocation};

/// Undecided work of one user, from all devices. Pieces: twice the records of the largest feed.
/// Bytes: a year of a collector's work. A user who floods the office fills this and nothing else;
/// beyond it an honest user's work stays on the phone, which offers it again.
pub(super) const USER_QUOTA: QuarantineSize =
    QuarantineSize { pieces: 10_000, bytes: 64 * 1024 * 1024 };

/// Stored work of all users, decided or not: sixteen full quotas, which fit on an office's disk.
/// Decided work leaves by an administrator's export.
pub(super) const TOTAL_QUOTA: QuarantineSize =
    QuarantineSize { pieces: 160_000, bytes: 1024 * 1024 * 1024 };

/// Decisions that one request may ask for: twice what a phone asks for in a round
/// (`workspace::refused`).
const MAX_DECISIONS: usize = 1_024;

/// Fields and entries that are named per piece in a list.
const MAX_UNITS: usize = 20;

/// Unpacked work that is not merged.
pub(in crate::office) struct QuarantineEntry<'e> {
    pub(in crate::office) session: &'e Session,
    pub(in crate::office) record: RecordId,
    pub(in crate::office) chunks: Vec<Vec<u8>>,
    /// When it was received, ms.
    pub(in crate::office) at: i64,
}

impl QuarantineEntry<'_> {
    /// The work as it is stored (rule M4). Parses the changes, so it does not belong in the writer.
    pub(in crate::office) fn into_work(
        self,
        stored: Option<StoredState<'_>>,
        reason: &QuarantineReason,
    ) -> RefusedWork {
        RefusedWork {
            record: self.record,
            device: self.session.device,
            user: self.session.user.clone(),
            at: self.at,
            code: reason.code.to_owned(),
            path: reason.path.clone(),
            message: reason.message.clone(),
            units: affected_units(stored, &self.chunks),
            changes: self.chunks,
        }
    }
}

/// Fields and entries that the new chunks write, for lists; none where they cannot be read.
fn affected_units(stored: Option<StoredState<'_>>, chunks: &[Vec<u8>]) -> Vec<String> {
    let known: BTreeSet<ChangeHash> =
        stored.iter().flat_map(|stored| stored.changes).map(|change| change.hash).collect();
    let is_new = |bytes: &&[u8]| !known.contains(&chunk::hash(bytes));
    let fresh: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).filter(is_new).collect();
    let record = stored.and_then(|stored| stored.load().ok());
    let mut units: Vec<String> = Vec::new();
    for field in merge::extract_fields(record.as_ref(), &fresh).unwrap_or_default() {
        let unit = reapply_unit(&field.path).join(".");
        // The store separates them by line breaks.
        let fits = units.len() < MAX_UNITS && unit.len() < 200 && !unit.contains('\n');
        if fits && !units.contains(&unit) {
            units.push(unit);
        }
    }
    units
}

/// Stores work that is not merged; gives its number, or `None` where a quota is exhausted. The same
/// work always has the same number.
pub(in crate::office) fn add_to_quarantine(
    tx: &mut dyn Writes,
    work: &RefusedWork,
) -> Result<Option<u64>, StoreError> {
    if tx.find_quarantined(work)?.is_none() {
        let size = work.changes.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        let fits = |used: QuarantineSize, quota: QuarantineSize| {
            used.pieces < quota.pieces && used.bytes.saturating_add(size) <= quota.bytes
        };
        let undecided = tx.undecided_of(&work.user)?;
        if !fits(undecided, USER_QUOTA) || !fits(tx.quarantine_stored()?, TOTAL_QUOTA) {
            return Ok(None);
        }
    }
    tx.quarantine_work(work).map(Some)
}

/// Why work is in quarantine.
pub(in crate::office) struct QuarantineReason {
    code: &'static str,
    path: String,
    pub(in crate::office) message: String,
}

impl QuarantineReason {
    /// Work on a record that has left its author's feed.
    pub(in crate::office) fn withdrawn() -> Self {
        Self::plain("withdrawn", "the record was withdrawn before this work arrived")
    }

    /// Unsent work of a revoked device.
    pub(in crate::office) fn revoked(revocation: Revocation) -> Self {
        Self::plain(revocation.as_str(), "unsent work of a revoked device")
    }

    fn plain(code: &'static str, message: &str) -> Self {
        Self { code, path: String::new(), message: message.to_owned() }
    }
}

impl From<&Refusal> for QuarantineReason {
    fn from(refusal: &Refusal) -> Self {
        let (path, message) = (refusal.path.clone(), refusal.message.clone());
        Self { code: refusal.code.as_str(), path, message }
    }
}

/// The last decisions on refused work of a device, for the numbers that it asks about: each once,
/// and no more than an honest device asks for.
pub(in crate::office) fn last_decisions(
    reads: &mut dyn Reads,
    device: DeviceId,
    numbers: &[u64],
) -> Result<Vec<QuarantineDecision>, StoreError> {
    let numbers: BTreeSet<u64> = numbers.iter().take(MAX_DECISIONS).copied().collect();
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let found = reads.last_decisions(device, &Vec::from_iter(numbers))?;
    let decision = |(quarantine, last): (u64, Decision)| QuarantineDecision {
        quarantine,
        accepted: last.decision == QuarantineState::Accepted,
        reason: last.reason,
    };
    Ok(found.into_iter().map(decision).collect())
}
