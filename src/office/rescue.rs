//! Takes a phone's rescue file in: its changes go through the one judge, as if the phone had
//! pushed them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::cancel::CancelToken;
use super::merge::Refusal;
use super::quarantine::{Aside, Sending, set_aside};
use super::store::{Reads, StoreError};
use super::{EnrolmentProof, Office, OfficeError, Session};
use crate::ids::{DeviceId, RecordId};
use crate::sync::chunk;
use crate::sync::message::{Outcome, Packed, Push, Revocation, Tables};
use crate::workspace::rescue::{MalformedRescue, RescueFile, Rescued};

/// Changes of a record in one push, as a phone does it.
const CHANGES: usize = 1_000;

/// What became of a rescue file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RescueReport {
    /// Whose work it is.
    pub user: String,
    /// The device that it comes from.
    pub device: String,
    /// Changes in the file.
    pub changes: usize,
    /// Records of which something is new at the office.
    pub merged: usize,
    /// Records of which the office had everything.
    pub duplicate: usize,
    /// Records whose work waits in quarantine for a person.
    pub quarantined: usize,
    /// Records whose work could not be kept: the file is to be kept and given again.
    pub not_kept: usize,
    /// Rows that were damaged on the phone before the file was made.
    pub damaged: Vec<String>,
    /// One line a record.
    pub rows: Vec<RescuedRecord>,
}

/// What became of the work on one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RescuedRecord {
    /// Record id.
    pub record: String,
    /// Case number, where the office has the record.
    pub case_no: Option<String>,
    /// Changes of it in the file.
    pub changes: usize,
    /// `merged`, `duplicate`, `quarantined` or `not_kept`.
    pub outcome: &'static str,
    /// Why it was not merged.
    pub reason: Option<String>,
}

/// Why a rescue file is not taken; nothing of it is kept then.
#[derive(Debug, thiserror::Error)]
pub enum RescueError {
    /// It is no rescue file, or not whole.
    #[error("{0}; copy it from the phone once more")]
    Malformed(#[from] MalformedRescue),
    /// It was made for another office.
    #[error("this file belongs to another office; import it there, or restore this one's backup")]
    Foreign,
    /// Its user is not known here.
    #[error("the file is {0}'s, who is no user here; add the user first")]
    UnknownUser(String),
    /// The office does not know the device, and nothing in the file proves whose it is.
    #[error(
        "the office does not know device {device}, and the file has no proof that it is {user}'s: \
         ask them, run doorstep device enrol {device} --user {user}, then import the file again"
    )]
    UnknownDevice {
        /// The device that the file comes from.
        device: DeviceId,
        /// Whose it says it is.
        user: String,
    },
    /// The office failed.
    #[error(transparent)]
    Office(#[from] OfficeError),
}

/// The sender of the file as the office knows it, and why its work has to wait for a person.
struct Sender {
    session: Session,
    ended: Option<Revocation>,
}

/// What became of a record's work, and why it was not merged.
type Taken = (&'static str, Option<String>);

impl Office {
    /// Takes a rescue file in. It may be given any number of times (rule D3).
    pub async fn import_rescue(&self, bytes: &[u8]) -> Result<RescueReport, RescueError> {
        let file = RescueFile::from_bytes(bytes)?;
        let Rescued { user, work, damaged } =
            file.open(&self.escrow(file.device)).ok_or(RescueError::Foreign)?;
        let sender = self.sender(user, file.device, file.proof).await?;
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
            let row = self.take_record(&sender, record, chunks).await?;
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

    /// The user whom the file names is whom its phone was given to: the office knows the device as
    /// that user's, or the file proves it. Anybody can seal another's name into a file of their own.
    async fn sender(
        &self,
        user: String,
        device: DeviceId,
        proof: Option<EnrolmentProof>,
    ) -> Result<Sender, RescueError> {
        let asked = user.clone();
        let look = self.blocking(move |office| {
            Ok(office.store.read_with(|reads| Ok((reads.user(&asked)?, reads.device(device)?)))?)
        });
        let (known, enrolled) = look.await?;
        let known = known.ok_or(RescueError::UnknownUser(user))?;
        let proven =
            proof.is_some_and(|proof| self.attestor.is_enrolment(device, &known.name, &proof));
        match &enrolled {
            Some(device) if device.user != known.name => return Err(RescueError::Foreign),
            // It was enrolled after the backup that the office was restored from.
            None if !proven => return Err(RescueError::UnknownDevice { device, user: known.name }),
            Some(_) | None => {}
        }
        let ended = match (enrolled, known.disabled_at) {
            (Some(device), _) if device.revoked_at.is_some() => Some(Revocation::DeviceRevoked),
            (_, Some(_)) => Some(Revocation::UserDisabled),
            (_, None) => None,
        };
        let session = Session { user: known.name, role: known.role, device };
        Ok(Sender { session, ended })
    }

    async fn take_record(
        &self,
        sender: &Sender,
        record: RecordId,
        chunks: Vec<Vec<u8>>,
    ) -> Result<RescuedRecord, OfficeError> {
        let case_no = self
            .blocking(move |office| Ok(office.store.read_with(|reads| reads.record(record))?))
            .await?
            .map(|stored| stored.case_no);
        let changes = chunks.len();
        let (outcome, reason) = match sender.ended {
            Some(ended) => {
                self.hold_back(sender, record, chunks, Aside::ended(ended.as_str())).await?
            }
            None => self.push_rescued(sender, record, chunks).await?,
        };
        Ok(RescuedRecord { record: record.to_string(), case_no, changes, outcome, reason })
    }

    /// Pushes a record's changes, a part after the other.
    async fn push_rescued(
        &self,
        sender: &Sender,
        record: RecordId,
        chunks: Vec<Vec<u8>>,
    ) -> Result<Taken, OfficeError> {
        let tables = Arc::new(Tables::default());
        // A file has nothing more that would help.
        let hopeless = BTreeSet::from([record]);
        let cancel = CancelToken::default();
        let mut outcome = ("duplicate", None);
        for part in chunks.chunks(CHANGES) {
            let changes = part.iter().map(|chunk| Packed::plain(chunk)).collect();
            let push = vec![Push { record, changes }];
            let taken =
                self.take_all(&sender.session, push, &tables, hopeless.clone(), &cancel).await?;
            let (results, _) = taken;
            match results.into_iter().next() {
                Some(Outcome::Merged { .. }) => outcome.0 = "merged",
                Some(Outcome::Duplicate { .. }) => {}
                Some(Outcome::Refused { message, quarantine, .. }) => {
                    let outcome = if quarantine == 0 { "not_kept" } else { "quarantined" };
                    return Ok((outcome, Some(message)));
                }
                Some(Outcome::Withdrawn) => {
                    let held = self.holds(record, part).await?;
                    return Ok(match held {
                        true => ("duplicate", None),
                        false => ("quarantined", Some(Aside::withdrawn().message)),
                    });
                }
                Some(Outcome::Missing { .. }) | None => {
                    return self.hold_back(sender, record, chunks, Aside::missing()).await;
                }
            }
        }
        Ok(outcome)
    }

    /// Keeps work in quarantine, unless the office has all of it.
    async fn hold_back(
        &self,
        sender: &Sender,
        record: RecordId,
        chunks: Vec<Vec<u8>>,
        aside: Aside,
    ) -> Result<Taken, OfficeError> {
        if self.holds(record, &chunks).await? {
            return Ok(("duplicate", None));
        }
        let reason = aside.message.clone();
        let sending = Sending { session: sender.session.clone(), record, chunks, at: self.now() };
        let refused = self
            .blocking(move |office| {
                let read = |reads: &mut dyn Reads| {
                    Ok((reads.record(record)?, reads.change_metas(record)?))
                };
                let (stored, known) = office.store.read_with(read)?;
                Ok(sending.refused(stored.as_ref(), &known, &aside))
            })
            .await?;
        let kept = self.store.write(move |tx| set_aside(tx, &refused));
        Ok(match kept.await? {
            Some(_) => ("quarantined", Some(reason)),
            None => ("not_kept", Some(Refusal::quarantine_full().message)),
        })
    }

    /// Whether the office has every one of these changes in the record.
    async fn holds(&self, record: RecordId, chunks: &[Vec<u8>]) -> Result<bool, OfficeError> {
        let hashes: Vec<_> = chunks.iter().map(|bytes| chunk::hash(bytes)).collect();
        self.blocking(move |office| {
            let known = office.store.read_with(|reads| reads.change_metas(record))?;
            Ok(hashes.iter().all(|hash| known.iter().any(|known| known.hash == *hash)))
        })
        .await
    }
}

impl From<StoreError> for RescueError {
    fn from(error: StoreError) -> Self {
        Self::Office(error.into())
    }
}
