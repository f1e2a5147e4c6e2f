//! Keeps refused work, within bounds.

use std::collections::BTreeSet;

use super::plan::units;
use crate::ids::DeviceId;
use crate::ids::RecordId;
use crate::office::Session;
use crate::office::merge::Refusal;
use crate::office::store::{
    Amount, Decision, Known, Reads, Refused, Stand, StoreError, Stored, Writes,
};
use crate::sync::message::QuarantineDecision;

/// What of one user, from all devices, may wait for a decision. Pieces: one for each record of the
/// largest feed that a phone holds, twice. Bytes: a year of a collector's work. A user who floods
/// the office fills this and nothing else; what an honest one has beyond it stays on the phone and
/// is offered again.
pub(super) const OF_USER: Amount = Amount { pieces: 10_000, bytes: 64 * 1024 * 1024 };

/// What may be stored of all users, decided or not: sixteen full shares, which a disk that was
/// bought for an office has to spare. Decided pieces leave by an administrator's export.
pub(super) const OF_ALL: Amount = Amount { pieces: 160_000, bytes: 1024 * 1024 * 1024 };

/// Decisions that one request may ask for: twice what a phone asks about in a round
/// (`workspace::refused`).
const ASKED: usize = 1_024;

/// A push that was put together, and whose it is.
pub(in crate::office) struct Sending {
    pub(in crate::office) session: Session,
    pub(in crate::office) record: RecordId,
    pub(in crate::office) chunks: Vec<Vec<u8>>,
    pub(in crate::office) at: i64,
}

impl Sending {
    /// What is to be kept of work that is not merged (rule M4). Reads the changes, which takes its
    /// time: nothing for the writer.
    pub(in crate::office) fn refused(
        &self,
        stored: Option<&Stored>,
        known: &[Known],
        refusal: &Aside,
    ) -> Refused {
        let document = stored.map(|stored| stored.document.as_slice());
        Refused {
            record: self.record,
            device: self.session.device,
            user: self.session.user.clone(),
            at: self.at,
            code: refusal.code.to_owned(),
            path: refusal.path.clone(),
            message: refusal.message.clone(),
            units: units(document, known, &self.chunks),
            changes: self.chunks.clone(),
        }
    }
}

/// Keeps work that is not merged; gives its number, or `None` where the share of its user or the
/// whole quarantine is full. The same work again has its number always.
pub(in crate::office) fn set_aside(
    tx: &mut dyn Writes,
    refused: &Refused,
) -> Result<Option<u64>, StoreError> {
    if tx.find_quarantined(refused)?.is_none() {
        let size = refused.changes.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        let fits = |held: Amount, most: Amount| {
            held.pieces < most.pieces && held.bytes.saturating_add(size) <= most.bytes
        };
        let undecided = tx.undecided_of(&refused.user)?;
        if !fits(undecided, OF_USER) || !fits(tx.quarantine_stored()?, OF_ALL) {
            return Ok(None);
        }
    }
    tx.quarantine_work(refused).map(Some)
}

/// Why work is kept.
pub(in crate::office) struct Aside {
    code: &'static str,
    path: String,
    pub(in crate::office) message: String,
}

impl Aside {
    /// Work for a record that its author does not have any more.
    pub(in crate::office) fn withdrawn() -> Self {
        let message = "the record was withdrawn before this work came".to_owned();
        Self { code: "withdrawn", path: String::new(), message }
    }

    /// Work that came by hand, without what it builds on.
    pub(in crate::office) fn missing() -> Self {
        let message = "the office lacks what this work builds on".to_owned();
        Self { code: "missing", path: String::new(), message }
    }

    /// Work of a device that is not to work any more.
    pub(in crate::office) fn ended(code: &'static str) -> Self {
        let message = "what the device had not sent when it was shut out".to_owned();
        Self { code, path: String::new(), message }
    }
}

impl From<&Refusal> for Aside {
    fn from(refusal: &Refusal) -> Self {
        let (path, message) = (refusal.path.clone(), refusal.message.clone());
        Self { code: refusal.code.as_str(), path, message }
    }
}

/// Decisions on refused work of a device, of the numbers that it asks about: each once, and no
/// more than an honest device asks about at a time.
pub(in crate::office) fn decided(
    reads: &mut dyn Reads,
    device: DeviceId,
    numbers: &[u64],
) -> Result<Vec<QuarantineDecision>, StoreError> {
    let numbers: BTreeSet<u64> = numbers.iter().take(ASKED).copied().collect();
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let found = reads.last_decisions(device, &Vec::from_iter(numbers))?;
    let told = |(quarantine, last): (u64, Decision)| QuarantineDecision {
        quarantine,
        accepted: last.decision == Stand::Accepted,
        reason: last.reason,
    };
    Ok(found.into_iter().map(told).collect())
}
