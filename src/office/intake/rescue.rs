//! Imports a phone's rescue file: its changes go through the pipeline as if the phone had pushed
//! them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::push::Pushes;
use super::revocation;
use crate::ids::{DeviceId, RecordId};
use crate::office::attestation::EnrolmentProof;
use crate::office::store::{Reads, StoreError};
use crate::office::{Office, OfficeError, Session};
use crate::sync::message::{Outcome, Packed, Push, Revocation, Tables};
use crate::vault::rescue::{MalformedRescue, RescueFile, Rescued};

/// Changes per push, as on a phone.
const CHANGES: usize = 1_000;

/// The result of importing a rescue file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RescueReport {
    /// The author of the work.
    pub user: String,
    /// The device that made the file.
    pub device: String,
    /// Changes in the file.
    pub changes: usize,
    /// Records of which the office accepted new changes.
    pub merged: usize,
    /// Records of which the office had all changes.
    pub duplicate: usize,
    /// Records whose work waits in quarantine for a decision.
    pub quarantined: usize,
    /// Records whose work could not be stored: keep the file and import it again.
    pub not_kept: usize,
    /// Rows that were damaged on the phone before the file was made.
    pub damaged: Vec<String>,
    /// One line a record.
    pub rows: Vec<RescuedRecord>,
}

/// The result for one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RescuedRecord {
    /// Record id.
    pub record: String,
    /// Case number, if the office has the record.
    pub case_no: Option<String>,
    /// Changes of the record in the file.
    pub changes: usize,
    /// `merged`, `duplicate`, `quarantined` or `not_kept`.
    pub outcome: &'static str,
    /// Why it was not merged.
    pub reason: Option<String>,
}

/// Why a rescue file was rejected; nothing of it has been stored.
#[derive(Debug, thiserror::Error)]
pub enum RescueError {
    /// It is not a complete rescue file.
    #[error("{0}; copy it from the phone once more")]
    Malformed(#[from] MalformedRescue),
    /// It was made for another office.
    #[error("this file belongs to another office; import it there, or restore this one's backup")]
    Foreign,
    /// The office does not know its user.
    #[error("the file is {0}'s, who is no user here; add the user first")]
    UnknownUser(String),
    /// The office does not know the device, and the file does not prove whose it is.
    #[error(
        "the office does not know device {device}, and the file has no proof that it is {user}'s: \
         ask them, run doorstep device enrol {device} --user {user}, then import the file again"
    )]
    UnknownDevice {
        /// The device that made the file.
        device: DeviceId,
        /// The user that the file names.
        user: String,
    },
    /// The office failed.
    #[error(transparent)]
    Office(#[from] OfficeError),
}

/// The sender of the file, as the office knows it.
struct Sender {
    session: Session,
    revocation: Option<Revocation>,
}

impl Office {
    /// Imports a rescue file. It may be imported any number of times (rule D3).
    pub async fn import_rescue(&self, bytes: &[u8]) -> Result<RescueReport, RescueError> {
        let file = RescueFile::from_bytes(bytes)?;
        let Rescued { user, work, damaged } =
            file.open(&self.escrow(file.device)).ok_or(RescueError::Foreign)?;
        let sender = self.rescue_sender(user, file.device, file.proof).await?;
        let mut report = RescueReport {
            user: sender.session.user.clone(),
            device: file.device.to_string(),
            changes: work.values().map(Vec::len).sum(),
            merged: 0,
            duplicate: 0,
            quarantined: 0,
            not_kept: 0,
            damaged,
            rows: Vec::new(),
        };
        for (record, chunks) in work {
            let row = self.import_rescued(&sender, record, &chunks).await?;
            match row.outcome {
                "merged" => report.merged += 1,
                "duplicate" => report.duplicate += 1,
                "quarantined" => report.quarantined += 1,
                _ => report.not_kept += 1,
            }
            report.rows.push(row);
        }
        Ok(report)
    }

    /// Identifies the sender: the office knows the device as the user's, or the file proves it.
    /// The name alone proves nothing, since anybody can write another user's name into a file.
    async fn rescue_sender(
        &self,
        user: String,
        device: DeviceId,
        proof: Option<EnrolmentProof>,
    ) -> Result<Sender, RescueError> {
        let name = user.clone();
        let read = move |reads: &mut dyn Reads| {
            Ok((reads.user(&name)?, reads.device(device)?, revocation(reads, &name, device)?))
        };
        let (known, enrolled, revocation) =
            self.blocking(move |office| Ok(office.store.read_with(read)?)).await?;
        let known = known.ok_or(RescueError::UnknownUser(user))?;
        let proven =
            proof.is_some_and(|proof| self.attestor.is_enrolment(device, &known.name, &proof));
        match &enrolled {
            Some(device) if device.user != known.name => return Err(RescueError::Foreign),
            // It was enrolled after the backup that the office was restored from.
            None if !proven => return Err(RescueError::UnknownDevice { device, user: known.name }),
            Some(_) | None => {}
        }
        let session = Session { user: known.name, role: known.role, device };
        Ok(Sender { session, revocation })
    }

    async fn import_rescued(
        &self,
        sender: &Sender,
        record: RecordId,
        chunks: &[Vec<u8>],
    ) -> Result<RescuedRecord, OfficeError> {
        let case_no = self
            .blocking(move |office| Ok(office.store.read_with(|reads| reads.record(record))?))
            .await?
            .map(|stored| stored.case_no);
        let (outcome, reason) = self.push_rescued(sender, record, chunks).await?;
        let changes = chunks.len();
        Ok(RescuedRecord { record: record.to_string(), case_no, changes, outcome, reason })
    }

    /// Pushes a record's changes in parts; gives the outcome of the record and its reason. All
    /// changes of a revoked device are one entry in quarantine.
    async fn push_rescued(
        &self,
        sender: &Sender,
        record: RecordId,
        chunks: &[Vec<u8>],
    ) -> Result<(&'static str, Option<String>), OfficeError> {
        let size = sender.revocation.map_or(CHANGES, |_| chunks.len().max(1));
        let mut merged = false;
        for part in chunks.chunks(size) {
            let changes = part.iter().map(|chunk| Packed::plain(chunk)).collect();
            let source = Pushes {
                session: sender.session.clone(),
                tables: Arc::new(Tables::default()),
                // The file holds all there is.
                give_up: BTreeSet::from([record]),
                revocation: sender.revocation,
            };
            let reply = self.intake_one(source, record, Push { record, changes }).await?;
            match (reply.outcome, reply.quarantined) {
                (Outcome::Merged { .. }, _) => merged = true,
                (Outcome::Duplicate { .. } | Outcome::Withdrawn, None) => {}
                (_, Some(reason)) => return Ok(("quarantined", Some(reason))),
                (Outcome::Refused { message, .. }, None) => {
                    return Ok(("not_kept", Some(message)));
                }
                (Outcome::Missing { .. }, None) => return Ok(("not_kept", None)),
            }
        }
        Ok((if merged { "merged" } else { "duplicate" }, None))
    }
}

impl From<StoreError> for RescueError {
    fn from(error: StoreError) -> Self {
        Self::Office(error.into())
    }
}
