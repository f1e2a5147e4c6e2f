//! The complaint desk. A complaint said at the door arrives as a hold or an outcome of a record; one
//! by phone or letter is entered here. Each holds its case until it is decided, and the strictest rule
//! in force for the case sets its deadline.
//!
//! The desk follows the records in the background, by what the store says, not by events: an
//! interruption, a restored office or an upgrade loses no complaint.

mod extension;
mod said;

use super::store::{
    Complaint, ComplaintEvent, ComplaintListing, ComplaintOutcome, ComplaintSource, ComplaintStep,
    ComplaintTopic, StoreError, Writes,
};
use super::{OWN_NAME, Office, OfficeError};
use crate::ids::RecordId;
use crate::record::Record;
use crate::record::command::Command;
use crate::record::terms::{Flag, Role};
use said::{complaint_of, complaints_in};

/// Maximum length of a text of the desk, in characters.
pub const MAX_TEXT: usize = 4_000;
const DAY_MS: i64 = 24 * 3_600_000;
/// A complaint is entered at the latest so long after it was received; an earlier time is a mistake,
/// or the clock of a phone.
const OLDEST_MS: i64 = 90 * DAY_MS;
/// Records looked at, and holds placed, in one step.
const BATCH: u32 = 50;

/// A complaint that a user of the office enters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewComplaint {
    /// A UUID made by the client, so that a repeated request adds nothing.
    pub id: [u8; 16],
    /// The lender's case number.
    pub case_no: String,
    /// How it arrived.
    pub source: ComplaintSource,
    /// What it is about.
    pub topic: ComplaintTopic,
    /// What the borrower said.
    pub text: String,
    /// When the lender received it, ms.
    pub received_at: i64,
}

/// Something done about a complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComplaintAction {
    /// Corrects what is known of it.
    Describe {
        /// How it arrived.
        source: ComplaintSource,
        /// What it is about.
        topic: ComplaintTopic,
        /// What the borrower said.
        text: String,
    },
    /// The borrower got this reply.
    Reply {
        /// The reply.
        text: String,
    },
    /// Extends its deadline.
    Extend {
        /// The new deadline, ms.
        deadline_at: i64,
        /// Why.
        text: String,
    },
    /// Decides it.
    Close {
        /// How.
        outcome: ComplaintOutcome,
        /// Why.
        text: String,
    },
    /// Takes the decision back.
    Reopen {
        /// Why.
        text: String,
    },
}

/// A complaint with its history.
pub type ComplaintFile = (Complaint, Vec<ComplaintEvent>);

/// Why nothing was done about a complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComplaintRefusal {
    /// There is no such complaint, or no such case.
    #[error("there is no such complaint or case")]
    Unknown,
    /// It is decided, or it is not.
    #[error("another user has decided this complaint, or reopened it")]
    Decided,
    /// A text is missing or too long.
    #[error("a text of at most {MAX_TEXT} characters is needed")]
    Text,
    /// No rule allows the deadline, or the complaint is late already.
    #[error("the deadline cannot be extended to this time")]
    Extension,
    /// The time of receipt is in the future or too long ago.
    #[error("the time of receipt is in the future or more than 90 days ago")]
    Time,
}

impl Office {
    /// Takes in a complaint and holds its case. Durable once answered.
    pub async fn enter_complaint(
        &self,
        new: NewComplaint,
        by: &str,
    ) -> Result<Result<ComplaintFile, ComplaintRefusal>, OfficeError> {
        let now = self.now();
        if !is_text(&new.text) {
            return Ok(Err(ComplaintRefusal::Text));
        }
        if new.received_at > now || new.received_at < now - OLDEST_MS {
            return Ok(Err(ComplaintRefusal::Time));
        }
        let Some(record) = self.find_by_case_no(&new.case_no).await? else {
            return Ok(Err(ComplaintRefusal::Unknown));
        };
        let view = self.visit(record).await?;
        let complaint = Complaint {
            source: new.source,
            topic: new.topic,
            text: new.text.trim().to_owned(),
            id: new.id,
            since: now,
            ..complaint_of(&self.policy, record, &view, by, new.received_at)
        };
        let number = self.store.write(move |tx| add(tx, &complaint, now)).await?;
        let Some(number) = number else { return Ok(Err(ComplaintRefusal::Decided)) };
        // A failure here is made up for in the background.
        if let Err(error) = self.hold_complaints().await {
            tracing::warn!(%error, "the case of a complaint is not held yet");
        }
        Ok(self.complaint(number).await?.ok_or(ComplaintRefusal::Unknown))
    }

    /// Does something about a complaint, once for each `id`.
    pub async fn act_on_complaint(
        &self,
        number: u64,
        id: [u8; 16],
        action: ComplaintAction,
        by: &str,
    ) -> Result<Result<ComplaintFile, ComplaintRefusal>, OfficeError> {
        let (by, at) = (by.to_owned(), self.now());
        let latest = match &action {
            ComplaintAction::Extend { .. } => match self.complaint(number).await? {
                Some((complaint, _)) => self.latest_deadline(&complaint).await?,
                None => None,
            },
            ComplaintAction::Describe { .. }
            | ComplaintAction::Reply { .. }
            | ComplaintAction::Close { .. }
            | ComplaintAction::Reopen { .. } => None,
        };
        let done = self.store.write(move |tx| {
            let Some(complaint) = tx.complaint(number)? else {
                return Ok(Err(ComplaintRefusal::Unknown));
            };
            if tx.complaint_events(number)?.iter().any(|event| event.id == id) {
                return Ok(Ok(()));
            }
            let (complaint, step, outcome, text) = match acted(complaint, &action, latest, at) {
                Ok(done) => done,
                Err(refusal) => return Ok(Err(refusal)),
            };
            tx.update_complaint(&complaint)?;
            let event = ComplaintEvent { id, at, by: by.clone(), step, outcome, text };
            tx.add_complaint_event(number, &event)?;
            Ok(Ok(()))
        });
        if let Err(refusal) = done.await? {
            return Ok(Err(refusal));
        }
        if let Err(error) = self.hold_complaints().await {
            tracing::warn!(%error, "the case of a complaint is not held yet");
        }
        Ok(self.complaint(number).await?.ok_or(ComplaintRefusal::Unknown))
    }

    /// A complaint with its history.
    pub async fn complaint(&self, number: u64) -> Result<Option<ComplaintFile>, OfficeError> {
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| {
                let Some(complaint) = reads.complaint(number)? else { return Ok(None) };
                Ok(Some((complaint, reads.complaint_events(number)?)))
            })?)
        })
        .await
    }

    /// One page of the desk.
    pub async fn complaints(
        &self,
        listing: ComplaintListing,
    ) -> Result<Vec<Complaint>, OfficeError> {
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| reads.complaints(&listing))?)
        })
        .await
    }

    /// Undecided complaints, and those of them that are late.
    pub async fn complaint_counts(&self) -> Result<(u64, u64), OfficeError> {
        let now = self.now();
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| reads.complaint_counts(now))?)
        })
        .await
    }

    /// Whether a record has an undecided complaint: its hold must stay.
    pub async fn has_open_complaint(&self, record: RecordId) -> Result<bool, OfficeError> {
        self.blocking(move |office| {
            let all = office.store.read_with(|reads| reads.complaints_of(record))?;
            Ok(all.iter().any(|complaint| complaint.closed.is_none()))
        })
        .await
    }

    /// Takes in complaints and holds cases until nothing is left to do.
    pub(super) async fn follow_complaints(&self) {
        loop {
            match self.keep_complaints().await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "complaints could not be recorded");
                    return;
                }
            }
        }
    }

    /// Takes in the complaints that records say, and holds the cases of undecided ones; gives how
    /// many records were looked at or held.
    pub async fn keep_complaints(&self) -> Result<u64, OfficeError> {
        let taken = self.blocking(|office| office.take_in_complaints()).await?;
        Ok(taken + self.hold_complaints().await?)
    }

    /// Blocks.
    fn take_in_complaints(&self) -> Result<u64, OfficeError> {
        let candidates = self.store.read_with(|reads| reads.complaint_candidates(BATCH))?;
        let mut done = 0;
        for record in candidates {
            // One record that fails does not keep the others from the desk.
            match self.take_in_complaints_of(record) {
                Ok(()) => done += 1,
                Err(error) => tracing::warn!(%error, %record, "a complaint was not recorded"),
            }
        }
        Ok(done)
    }

    /// Blocks.
    fn take_in_complaints_of(&self, record: RecordId) -> Result<(), OfficeError> {
        let now = self.now();
        let view = Record::load(&self.bytes(record)?)?.view();
        let said = complaints_in(&self.policy, record, &view, now);
        self.store.write_now(move |tx| {
            for (complaint, certain) in &said {
                // An outcome repeats what a hold has said.
                if *certain || tx.complaints_of(record)?.is_empty() {
                    add(tx, complaint, now)?;
                }
            }
            tx.complaints_seen(record)
        })?;
        Ok(())
    }

    /// Places the missing holds.
    async fn hold_complaints(&self) -> Result<u64, OfficeError> {
        let missing = self
            .blocking(|office| {
                Ok(office.store.read_with(|reads| reads.complaints_without_hold(BATCH))?)
            })
            .await?;
        let mut done = 0;
        for Complaint { record, since, .. } in missing {
            let (flag, until, note) = (Flag::Complaint, None, String::new());
            let hold = Command::RaiseHold { flag, since, until, note };
            match self.command(record, hold, OWN_NAME, Role::Supervisor).await {
                Ok(_) => done += 1,
                Err(error) => tracing::warn!(%error, %record, "a complaint's case is not held"),
            }
        }
        Ok(done)
    }
}

/// The complaint after an action, and the entry of its history.
type Acted = (Complaint, ComplaintStep, Option<ComplaintOutcome>, String);

fn acted(
    mut complaint: Complaint,
    action: &ComplaintAction,
    latest: Option<i64>,
    at: i64,
) -> Result<Acted, ComplaintRefusal> {
    let is_open = complaint.closed.is_none();
    let (wants_open, step, text) = match action {
        ComplaintAction::Describe { text, .. } => (true, ComplaintStep::Described, text),
        ComplaintAction::Reply { text } => (true, ComplaintStep::Replied, text),
        ComplaintAction::Extend { text, .. } => (true, ComplaintStep::Extended, text),
        ComplaintAction::Close { text, .. } => (true, ComplaintStep::Closed, text),
        ComplaintAction::Reopen { text } => (false, ComplaintStep::Reopened, text),
    };
    if is_open != wants_open {
        return Err(ComplaintRefusal::Decided);
    }
    if !is_text(text) {
        return Err(ComplaintRefusal::Text);
    }
    let text = text.trim().to_owned();
    let mut decided = None;
    match action {
        ComplaintAction::Describe { source, topic, .. } => {
            (complaint.source, complaint.topic) = (*source, *topic);
            complaint.text = text.clone();
        }
        ComplaintAction::Reply { .. } => complaint.replied_at = Some(at),
        ComplaintAction::Extend { deadline_at, .. } => {
            extension::check(&complaint, *deadline_at, latest.unwrap_or_default(), at)?;
            complaint.extended_from.get_or_insert(complaint.deadline_at);
            complaint.deadline_at = *deadline_at;
        }
        ComplaintAction::Close { outcome, .. } => {
            decided = Some(*outcome);
            complaint.closed = Some((at, *outcome));
        }
        ComplaintAction::Reopen { .. } => complaint.closed = None,
    }
    Ok((complaint, step, decided, text))
}

fn is_text(text: &str) -> bool {
    let length = text.trim().chars().count();
    (1..=MAX_TEXT).contains(&length)
}

/// Stores a complaint and the beginning of its history; gives its number, the earlier one where its
/// id is known, and `None` where the record has another of the same time.
fn add(tx: &mut dyn Writes, complaint: &Complaint, at: i64) -> Result<Option<u64>, StoreError> {
    if let Some(known) = tx.complaint_with_id(complaint.id)? {
        return Ok(Some(known));
    }
    let Some(number) = tx.add_complaint(complaint)? else { return Ok(None) };
    let Complaint { id, raised_by, text, .. } = complaint.clone();
    let step = ComplaintStep::Received;
    let event = ComplaintEvent { id, at, by: raised_by, step, outcome: None, text };
    tx.add_complaint_event(number, &event)?;
    Ok(Some(number))
}
