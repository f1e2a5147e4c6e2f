//! What accepting a piece of refused work would do, worked out without doing it.

use std::collections::BTreeSet;

use automerge::{Change, ChangeHash};

use super::{Acceptance, QuarantineError, QuarantineField};
use crate::ids::{Heads, RecordId};
use crate::office::Office;
use crate::office::edit::OFFICE_ZONE;
use crate::office::keep::{HandedIn, State, keep};
use crate::office::merge::{self, Accepted, Held, Judgement, Refusal, Sender, Standing};
use crate::office::store::{
    Asides, Known, Quarantined, Reads, Refused, Stand, StoreError, Stored, Writes,
};
use crate::record::command::Command;
use crate::record::refused::{WrittenField, reapply_unit};
use crate::record::terms::{ReviewStatus, Role};
use crate::record::view::FieldValue;
use crate::record::{Author, CommandError, Record};
use crate::sync::chunk;
use crate::sync::message::RefusalCode;

/// What the record is now, and what would become of it.
pub(super) struct Plan {
    before: Option<(Stored, Record)>,
    outcome: Outcome,
}

/// An acceptance, worked out.
struct Work {
    accepted: Box<Accepted>,
    /// The office's change that returns the record, where the work touches what a seal closes.
    reopening: Option<Box<Accepted>>,
}

enum Outcome {
    Merge(Work),
    Anew(Work, Vec<WrittenField>),
    Held,
    Impossible(Impossible),
}

#[derive(Clone)]
struct Impossible {
    code: &'static str,
    path: String,
    message: String,
}

impl Plan {
    /// Works out what `by` would do by accepting.
    pub(super) fn of(
        office: &Office,
        reads: &mut dyn Reads,
        found: &Quarantined,
        by: &str,
        role: Role,
    ) -> Result<Self, StoreError> {
        let Refused { record: id, user, device, changes, .. } = &found.refused;
        if let Some(export) = found.exported {
            let outcome = Outcome::Impossible(Impossible {
                code: "exported",
                path: String::new(),
                message: format!("its bytes are in export {export}: restore that file first"),
            });
            return Ok(Self { before: None, outcome });
        }
        let Some(stored) = reads.record(*id)? else {
            let outcome = Outcome::Impossible(Refusal::unknown_record().into());
            return Ok(Self { before: None, outcome });
        };
        let record = Record::load(&stored.document)
            .map_err(|error| StoreError::Damaged(format!("record {id}: {error}")))?;
        let known = reads.known(*id)?;
        let held = Held { known: &known, document: &stored.document };
        let chunks: Vec<&[u8]> = changes.iter().map(Vec::as_slice).collect();
        let keys = reads.device_keys(*device)?;
        let sender = Sender { user, role: Role::Collector, device: *device, keys: &keys };
        let author = Author {
            actor: office.actor.clone(),
            user: by.to_owned(),
            role,
            now_ms: office.now(),
            zone: OFFICE_ZONE.into(),
        };
        let reopened = Reopening { office, author: &author, number: found.id, before: &record };
        let refusal = match merge::judge_as(held, &chunks, sender, Standing::Accepted) {
            Judgement::Accepted(accepted) => {
                let outcome = reopened
                    .of(&known, accepted)
                    .map_or_else(|refusal| Outcome::Impossible(refusal.into()), Outcome::Merge);
                return Ok(Self::with(stored, record, outcome));
            }
            Judgement::Duplicate => return Ok(Self::with(stored, record, Outcome::Held)),
            Judgement::Missing => {
                if let Some(first) = earlier(reads, found)? {
                    let outcome = Outcome::Impossible(Impossible {
                        code: "earlier_first",
                        path: String::new(),
                        message: format!("this builds on number {first}: accept that first"),
                    });
                    return Ok(Self::with(stored, record, outcome));
                }
                Refusal::without_past()
            }
            Judgement::Refused(refusal) => refusal,
        };
        let outcome = match anew(&record, held, &chunks, &author, office, user, refusal) {
            Ok(None) => Outcome::Held,
            Ok(Some((accepted, said))) => reopened.of(&known, accepted).map_or_else(
                |refusal| Outcome::Impossible(refusal.into()),
                |work| Outcome::Anew(work, said),
            ),
            Err(impossible) => Outcome::Impossible(impossible),
        };
        Ok(Self::with(stored, record, outcome))
    }

    fn with(stored: Stored, record: Record, outcome: Outcome) -> Self {
        Self { before: Some((stored, record)), outcome }
    }

    /// The record as it is.
    pub(super) fn record(&self) -> Option<&Record> {
        self.before.as_ref().map(|(_, record)| record)
    }

    /// The state of the record as it is.
    pub(super) fn heads(&self) -> Heads {
        self.before.as_ref().map(|(stored, _)| stored.heads.clone()).unwrap_or_default()
    }

    pub(super) fn acceptance(&self) -> Acceptance {
        match &self.outcome {
            Outcome::Merge(_) => Acceptance::Merge,
            Outcome::Anew(..) => Acceptance::Rewrite,
            Outcome::Held => Acceptance::Duplicate,
            Outcome::Impossible(Impossible { code, path, message }) => {
                let (path, message) = (path.clone(), message.clone());
                Acceptance::Impossible { code, path, message }
            }
        }
    }

    /// Whether accepting it voids the seal and its signatures and returns the record.
    pub(super) fn reopens(&self) -> bool {
        match &self.outcome {
            Outcome::Merge(work) | Outcome::Anew(work, _) => work.reopening.is_some(),
            Outcome::Held | Outcome::Impossible(_) => false,
        }
    }

    /// WrittenField by field what was refused, what stands, and what would.
    pub(super) fn fields(&self, refused: &Refused) -> Vec<QuarantineField> {
        let chunks: Vec<&[u8]> = refused.changes.iter().map(Vec::as_slice).collect();
        let hashes = || refused.changes.iter().map(|bytes| chunk::hash(bytes)).collect::<Vec<_>>();
        let (said, after) = match (&self.outcome, self.record()) {
            (Outcome::Merge(Work { accepted, .. }), _) => {
                (accepted.record.fields_written_by(&hashes()), Some(&accepted.record))
            }
            (Outcome::Anew(Work { accepted, .. }, said), _) => {
                (said.clone(), Some(&accepted.record))
            }
            (Outcome::Held, Some(record)) => (record.fields_written_by(&hashes()), None),
            (Outcome::Held | Outcome::Impossible(_), record) => {
                (merge::read(record, &chunks).unwrap_or_default(), None)
            }
        };
        said.into_iter()
            .map(|WrittenField { path, value }| QuarantineField {
                unit: reapply_unit(&path).join("."),
                refused: value,
                office: self.record().map_or(FieldValue::Absent, |now| now.value_at(&path)),
                after: after.map(|after| after.value_at(&path)),
                path: path.join("."),
            })
            .collect()
    }

    /// Does it; gives the number of the receipt, if there is one.
    pub(super) fn keep(
        self,
        tx: &mut dyn Writes,
        id: RecordId,
        by: HandedIn<'_>,
    ) -> Result<Result<Option<u64>, QuarantineError>, StoreError> {
        let Work { accepted, reopening } = match self.outcome {
            Outcome::Merge(work) | Outcome::Anew(work, _) => work,
            Outcome::Held => return Ok(Ok(None)),
            Outcome::Impossible(Impossible { code, path, message }) => {
                return Ok(Err(QuarantineError::Impossible { code, path, message }));
            }
        };
        let before = self.before.as_ref().map(|(stored, _)| stored);
        let receipt = keep(tx, id, before, &State::of(*accepted, by.at), by)?;
        if let Some(reopening) = reopening {
            let stored = tx.record(id)?;
            let by = HandedIn { quarantine: None, ..by };
            keep(tx, id, stored.as_ref(), &State::of(*reopening, by.at), by)?;
        }
        Ok(Ok(Some(receipt)))
    }
}

/// The undecided piece of the same device and record that a piece builds on, if there is one.
fn earlier(reads: &mut dyn Reads, found: &Quarantined) -> Result<Option<u64>, StoreError> {
    let asked = Asides {
        stand: Some(Stand::Open),
        device: Some(found.refused.device),
        record: Some(found.refused.record),
        before: Some(found.id),
        limit: 1,
        ..Asides::default()
    };
    Ok(reads.quarantine(&asked)?.0.first().map(|first| first.id))
}

/// Makes the office's change that returns a sealed record into which late work is accepted.
struct Reopening<'r> {
    office: &'r Office,
    author: &'r Author,
    /// Number of the work in quarantine.
    number: u64,
    before: &'r Record,
}

impl Reopening<'_> {
    /// What a seal closes never moves under it: the acceptance is followed by a return, so that
    /// the seal and its signatures are void and the review is open again (rule M9).
    fn of(&self, known: &[Known], accepted: Box<Accepted>) -> Result<Work, Refusal> {
        let sealed = accepted.record.stage().is_sealed();
        if !sealed || !accepted.record.content_changed(&self.before.heads()) {
            return Ok(Work { accepted, reopening: None });
        }
        let Self { office, author, number, .. } = self;
        let review = Command::Review {
            status: ReviewStatus::Returned,
            remark: late_work(*number),
            at: author.now_ms,
        };
        let mut next = accepted.record.clone();
        let refused = |error: CommandError| Refusal::invalid(error.path(), &error.to_string());
        let change = next.apply(&review, author).map_err(refused)?;
        let known: Vec<Known> =
            known.iter().chain(accepted.added.iter().map(|(known, _)| known)).cloned().collect();
        let held = Held { known: &known, document: &accepted.document };
        let sender =
            Sender { user: &author.user, role: author.role, device: office.device, keys: &[] };
        let chunks: Vec<&[u8]> = change.iter().map(Change::raw_bytes).collect();
        match merge::judge(held, &chunks, sender) {
            Judgement::Accepted(reopening) => Ok(Work { accepted, reopening: Some(reopening) }),
            Judgement::Refused(refusal) => Err(refusal),
            Judgement::Duplicate | Judgement::Missing => {
                Err(Refusal::invalid("review.status", "the record could not be returned"))
            }
        }
    }
}

/// The remark for the collector, in both languages: theirs is not known here.
fn late_work(number: u64) -> String {
    format!(
        "Work that arrived after the seal was accepted (quarantine {number}). Check the record and \
         seal it again.\n封存后送达的内容已被采纳（隔离区编号 {number}）。请核对记录后重新封存。"
    )
}

/// The record with values written anew, and the values.
type Rewritten = (Box<Accepted>, Vec<WrittenField>);

/// Values written anew as the office's change, which the judge has to take like any other; `None`
/// where the record says all of it already.
fn anew(
    record: &Record,
    held: Held<'_>,
    chunks: &[&[u8]],
    author: &Author,
    office: &Office,
    user: &str,
    refusal: Refusal,
) -> Result<Option<Rewritten>, Impossible> {
    let impossible = |refusal: Refusal| Err(refusal.into());
    if refusal.code == RefusalCode::TooLarge {
        return impossible(refusal);
    }
    let said = match merge::read(Some(record), chunks) {
        Ok(said) if !said.is_empty() => said,
        Ok(_) => return impossible(refusal),
        Err(unreadable) => return impossible(unreadable),
    };
    // A seal is its collector's word for a state that is not this one.
    let written: Vec<WrittenField> = said
        .iter()
        .filter(|field| field.path.first().is_none_or(|first| first != "seal"))
        .map(|field| put_onto(record, field))
        .collect();
    let mut next = record.clone();
    let change = match next.reapply(&written, author, Some(user)) {
        Ok(Some(change)) => change,
        Ok(None) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let sender = Sender { user: &author.user, role: author.role, device: office.device, keys: &[] };
    match merge::judge_as(held, &[change.raw_bytes()], sender, Standing::Anew(user)) {
        Judgement::Accepted(accepted) => Ok(Some((accepted, said))),
        Judgement::Refused(refusal) => impossible(refusal),
        // It was made on the state that it is merged into.
        Judgement::Duplicate | Judgement::Missing => impossible(refusal),
    }
}

/// What was put into a text or a list goes behind what stands there.
fn put_onto(record: &Record, field: &WrittenField) -> WrittenField {
    let path: Vec<&str> = field.path.iter().map(String::as_str).collect();
    let between = match path.as_slice() {
        ["notes" | "feedback"] => "\n",
        ["case", "phones"] => ", ",
        _ => return field.clone(),
    };
    let value = match (record.value_at(&field.path), &field.value) {
        (FieldValue::Text(now), FieldValue::Text(said)) if !now.is_empty() => {
            FieldValue::Text(format!("{now}{between}{said}"))
        }
        _ => field.value.clone(),
    };
    WrittenField { path: field.path.clone(), value }
}

impl From<Refusal> for Impossible {
    fn from(Refusal { code, path, message }: Refusal) -> Self {
        Self { code: code.as_str(), path, message }
    }
}

impl From<CommandError> for Impossible {
    fn from(error: CommandError) -> Self {
        Self { code: error.code(), path: error.path().to_owned(), message: error.to_string() }
    }
}

/// Fields and entries that some chunks are about, for lists; none where they can't be read.
pub(super) fn units(document: Option<&[u8]>, known: &[Known], chunks: &[Vec<u8>]) -> Vec<String> {
    let held: BTreeSet<ChangeHash> = known.iter().map(|known| known.hash).collect();
    let is_new = |bytes: &&[u8]| !held.contains(&chunk::hash(bytes));
    let fresh: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).filter(is_new).collect();
    let record = document.and_then(|bytes| Record::load(bytes).ok());
    let mut units: Vec<String> = Vec::new();
    for field in merge::read(record.as_ref(), &fresh).unwrap_or_default() {
        let unit = reapply_unit(&field.path).join(".");
        // Line breaks separate them in the store.
        if units.len() < UNITS && unit.len() < 200 && !unit.contains('\n') && !units.contains(&unit)
        {
            units.push(unit);
        }
    }
    units
}

/// So many are named in a list.
const UNITS: usize = 20;
