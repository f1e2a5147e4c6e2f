//! Keeps refused work, within bounds.

use super::plan::units;
use crate::ids::DeviceId;
use crate::ids::RecordId;
use crate::office::Session;
use crate::office::merge::Refusal;
use crate::office::store::{Amount, Known, Reads, Refused, Stand, StoreError, Stored, Writes};
use crate::sync::message::Decided;

/// What of one user, from all devices, may wait for a decision. Pieces: one for each record of the
/// largest feed that a phone holds, twice. Bytes: a year of a collector's work. A user who floods
/// the office fills this and nothing else; what an honest one has beyond it stays on the phone and
/// is offered again.
pub(super) const OF_USER: Amount = Amount { pieces: 10_000, bytes: 64 * 1024 * 1024 };

/// What may be stored of all users, decided or not: sixteen full shares, which a disk that was
/// bought for an office has to spare. Decided pieces leave by an administrator's export.
pub(super) const OF_ALL: Amount = Amount { pieces: 160_000, bytes: 1024 * 1024 * 1024 };

/// Decisions that one request may ask for.
const ASKED: usize = 1_024;

/// A push that was put together, and whose it is.
pub(in crate::office) struct Sending {
    pub(in crate::office) session: Session,
    pub(in crate::office) record: RecordId,
    pub(in crate::office) chunks: Vec<Vec<u8>>,
    pub(in crate::office) at: i64,
}

impl Sending {
    /// Keeps work that is not merged (rule M4); gives its number, or `None` where the share of its
    /// user or the whole quarantine is full. The same work again has its number always.
    pub(in crate::office) fn set_aside(
        &self,
        tx: &mut dyn Writes,
        stored: Option<&Stored>,
        known: &[Known],
        refusal: &Aside,
    ) -> Result<Option<u64>, StoreError> {
        let document = stored.map(|stored| stored.document.as_slice());
        let mut refused = Refused {
            record: self.record,
            device: self.session.device,
            user: self.session.user.clone(),
            at: self.at,
            code: refusal.code.to_owned(),
            path: refusal.path.clone(),
            message: refusal.message.clone(),
            units: Vec::new(),
            changes: self.chunks.clone(),
        };
        if tx.find_quarantined(&refused)?.is_none() {
            let size = self.chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
            let fits = |held: Amount, most: Amount| {
                held.pieces < most.pieces && held.bytes.saturating_add(size) <= most.bytes
            };
            let undecided = tx.undecided_of(&self.session.user)?;
            if !fits(undecided, OF_USER) || !fits(tx.quarantine_stored()?, OF_ALL) {
                return Ok(None);
            }
            refused.units = units(document, known, &self.chunks);
        }
        tx.quarantine_work(&refused).map(Some)
    }
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

/// Decisions on refused work of a device, of the numbers that it asks about.
pub(in crate::office) fn decided(
    reads: &mut dyn Reads,
    device: DeviceId,
    numbers: &[u64],
) -> Result<Vec<Decided>, StoreError> {
    let mut decided = Vec::new();
    for number in numbers.iter().take(ASKED) {
        let found = reads.quarantined(*number)?.filter(|found| found.refused.device == device);
        if let Some(last) = found.and_then(|mut found| found.decisions.pop()) {
            let accepted = last.decision == Stand::Accepted;
            decided.push(Decided { quarantine: *number, accepted, reason: last.reason });
        }
    }
    Ok(decided)
}
