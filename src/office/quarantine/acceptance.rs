//! Plans what accepting a piece of quarantined work would do, without doing it (rule M4).

use automerge::Change;

use super::{Acceptance, QuarantineError, QuarantineField};
use crate::ids::Heads;
use crate::office::Office;
use crate::office::intake::LoadedRecord;
use crate::office::intake::push::as_slices;
use crate::office::merge::{self, JudgeAs, Judgement, MergedRecord, Refusal, Sender, StoredState};
use crate::office::store::{QuarantinedWork, RefusedWork, StoreError};
use crate::record::command::Command;
use crate::record::history::WrittenField;
use crate::record::refused::reapply_unit;
use crate::record::terms::{ReviewStatus, Role};
use crate::record::view::FieldValue;
use crate::record::{Author, CommandError, Record};
use crate::sync::chunk;
use crate::sync::message::RefusalCode;

/// The record as it is, and the effect of accepting the work.
pub(super) struct AcceptancePlan {
    before: Option<Record>,
    effect: Effect,
}

enum Effect {
    /// The changes are merged as they are.
    Merge(PlannedMerge),
    /// The values are written again by a change of the office; with the fields of the refused work.
    Rewrite(PlannedMerge, Vec<WrittenField>),
    /// The record has all of it already.
    Duplicate,
    Impossible(Impossible),
}

struct PlannedMerge {
    merged: Box<MergedRecord>,
    /// The office's change that returns the record, if the work changes what a seal closes.
    reopened: Option<Box<MergedRecord>>,
}

/// The record with the values written again, and the fields of the refused work.
type Rewritten = (Box<MergedRecord>, Vec<WrittenField>);

#[derive(Clone)]
struct Impossible {
    code: &'static str,
    path: String,
    message: String,
}

impl AcceptancePlan {
    /// Plans the acceptance of `work` by a user; `loaded` is the state of the work's record.
    pub(super) fn of(
        office: &Office,
        loaded: &LoadedRecord,
        work: &QuarantinedWork,
        by: &str,
        role: Role,
    ) -> Result<Self, StoreError> {
        if let Some(export) = work.exported {
            let effect = Effect::Impossible(Impossible {
                code: "exported",
                path: String::new(),
                message: format!("its bytes are in export {export}: restore that file first"),
            });
            return Ok(Self { before: None, effect });
        }
        let Some(stored) = loaded.state() else {
            let effect = Effect::Impossible(Refusal::unknown_record().into());
            return Ok(Self { before: None, effect });
        };
        let before = stored
            .load()
            .map_err(|error| StoreError::Damaged(format!("record {}: {error}", loaded.record)))?;
        let author = office.author(by, role);
        let planner = Planner { office, author: &author, loaded, work, stored, before: &before };
        let effect = planner.effect();
        Ok(Self { before: Some(before), effect })
    }

    /// The record as it is.
    pub(super) fn record(&self) -> Option<&Record> {
        self.before.as_ref()
    }

    /// The heads of the record as it is.
    pub(super) fn heads(&self) -> Heads {
        self.before.as_ref().map(Record::heads).unwrap_or_default()
    }

    pub(super) fn acceptance(&self) -> Acceptance {
        match &self.effect {
            Effect::Merge(_) => Acceptance::Merge,
            Effect::Rewrite(..) => Acceptance::Rewrite,
            Effect::Duplicate => Acceptance::Duplicate,
            Effect::Impossible(Impossible { code, path, message }) => {
                let (path, message) = (path.clone(), message.clone());
                Acceptance::Impossible { code, path, message }
            }
        }
    }

    /// Whether accepting it voids the seal and its signatures and returns the record.
    pub(super) fn reopens(&self) -> bool {
        match &self.effect {
            Effect::Merge(merge) | Effect::Rewrite(merge, _) => merge.reopened.is_some(),
            Effect::Duplicate | Effect::Impossible(_) => false,
        }
    }

    /// The fields of the refused work, beside their present values and those after an acceptance.
    pub(super) fn fields(&self, work: &RefusedWork) -> Vec<QuarantineField> {
        let hashes = || work.changes.iter().map(|bytes| chunk::hash(bytes)).collect::<Vec<_>>();
        let (fields, after) = match (&self.effect, self.record()) {
            (Effect::Merge(PlannedMerge { merged, .. }), _) => {
                (merged.record.fields_written_by(&hashes()), Some(&merged.record))
            }
            (Effect::Rewrite(PlannedMerge { merged, .. }, fields), _) => {
                (fields.clone(), Some(&merged.record))
            }
            (Effect::Duplicate, Some(record)) => (record.fields_written_by(&hashes()), None),
            (Effect::Duplicate | Effect::Impossible(_), record) => {
                let fields = merge::extract_fields(record, &as_slices(&work.changes));
                (fields.unwrap_or_default(), None)
            }
        };
        fields
            .into_iter()
            .map(|WrittenField { path, value }| QuarantineField {
                unit: reapply_unit(&path).join("."),
                refused: value,
                office: self.record().map_or(FieldValue::Absent, |now| now.value_at(&path)),
                after: after.map(|after| after.value_at(&path)),
                path: path.join("."),
            })
            .collect()
    }

    /// The states to be stored, in order; none where the record has all of the work.
    pub(super) fn into_merged(self) -> Result<Vec<MergedRecord>, QuarantineError> {
        match self.effect {
            Effect::Merge(merge) | Effect::Rewrite(merge, _) => {
                Ok([merge.merged].into_iter().chain(merge.reopened).map(|merged| *merged).collect())
            }
            Effect::Duplicate => Ok(Vec::new()),
            Effect::Impossible(Impossible { code, path, message }) => {
                Err(QuarantineError::Impossible { code, path, message })
            }
        }
    }
}

struct Planner<'p> {
    office: &'p Office,
    /// The supervisor.
    author: &'p Author,
    loaded: &'p LoadedRecord,
    work: &'p QuarantinedWork,
    stored: StoredState<'p>,
    before: &'p Record,
}

impl Planner<'_> {
    fn effect(&self) -> Effect {
        let RefusedWork { user, device, changes, .. } = &self.work.refused;
        let chunks = as_slices(changes);
        let keys = &self.loaded.basis.keys;
        let sender = Sender { user, role: Role::Collector, device: *device, keys };
        let refusal = match merge::judge_as(self.stored, &chunks, sender, JudgeAs::Accepted) {
            Judgement::Accepted(merged) => {
                let planned = self.reopen_if_sealed(merged);
                return planned
                    .map_or_else(|refusal| Effect::Impossible(refusal.into()), Effect::Merge);
            }
            Judgement::Duplicate => return Effect::Duplicate,
            Judgement::Missing => match self.loaded.basis.earlier_undecided() {
                Some(first) => {
                    return Effect::Impossible(Impossible {
                        code: "earlier_first",
                        path: String::new(),
                        message: format!("this builds on number {first}: accept that first"),
                    });
                }
                None => Refusal::missing_dependencies(),
            },
            Judgement::Refused(refusal) => refusal,
        };
        match self.rewrite(&chunks, refusal) {
            Ok(None) => Effect::Duplicate,
            Ok(Some((merged, fields))) => self.reopen_if_sealed(merged).map_or_else(
                |refusal| Effect::Impossible(refusal.into()),
                |planned| Effect::Rewrite(planned, fields),
            ),
            Err(impossible) => Effect::Impossible(impossible),
        }
    }

    fn office_sender(&self) -> Sender<'_> {
        let Author { user, role, .. } = self.author;
        Sender { user, role: *role, device: self.office.device, keys: &[] }
    }

    /// Content under a seal never changes silently: the acceptance is followed by a return, which
    /// voids the seal and its signatures and opens the review again (rule M9).
    fn reopen_if_sealed(&self, merged: Box<MergedRecord>) -> Result<PlannedMerge, Refusal> {
        let sealed = merged.record.stage().is_sealed();
        if !sealed || !merged.record.content_changed(&self.before.heads()) {
            return Ok(PlannedMerge { merged, reopened: None });
        }
        let review = Command::Review {
            status: ReviewStatus::Returned,
            remark: late_work_remark(self.work.id),
            marks: Vec::new(),
            at: self.author.now_ms,
        };
        let mut next = merged.record.clone();
        let invalid = |error: CommandError| Refusal::invalid(error.path(), &error.to_string());
        let change = next.apply(&review, self.author).map_err(invalid)?;
        let mut changes = self.loaded.changes.clone();
        changes.extend(merged.added.iter().map(|(meta, _)| meta.clone()));
        let stored = StoredState {
            changes: &changes,
            document: &merged.document,
            loaded: Some(&merged.record),
        };
        let chunks: Vec<&[u8]> = change.iter().map(Change::raw_bytes).collect();
        match merge::judge(stored, &chunks, self.office_sender()) {
            Judgement::Accepted(reopened) => Ok(PlannedMerge { merged, reopened: Some(reopened) }),
            Judgement::Refused(refusal) => Err(refusal),
            Judgement::Duplicate | Judgement::Missing => {
                Err(Refusal::invalid("review.status", "the record could not be returned"))
            }
        }
    }

    /// Writes the values of changes that cannot be merged again, as a change of the office that
    /// must pass the judge. Gives the record and the fields of the refused work; `None` where the
    /// record has these values already.
    fn rewrite(&self, chunks: &[&[u8]], refusal: Refusal) -> Result<Option<Rewritten>, Impossible> {
        if refusal.code == RefusalCode::TooLarge {
            return Err(refusal.into());
        }
        let fields = merge::extract_fields(Some(self.before), chunks)?;
        if fields.is_empty() {
            return Err(refusal.into());
        }
        // A seal certifies a state that this one is not.
        let written: Vec<WrittenField> = fields
            .iter()
            .filter(|field| field.path.first().is_none_or(|first| first != "seal"))
            .map(|field| append_to_existing(self.before, field))
            .collect();
        let user = self.work.refused.user.as_str();
        let mut next = self.before.clone();
        let Some(change) = next.reapply(&written, self.author, Some(user))? else {
            return Ok(None);
        };
        let (chunks, judge_as) = ([change.raw_bytes()], JudgeAs::Rewrite(user));
        match merge::judge_as(self.stored, &chunks, self.office_sender(), judge_as) {
            Judgement::Accepted(merged) => Ok(Some((merged, fields))),
            Judgement::Refused(refusal) => Err(refusal.into()),
            // The change was made on the state that it is merged into.
            Judgement::Duplicate | Judgement::Missing => Err(refusal.into()),
        }
    }
}

/// The remark for the collector, in both languages: the office does not know which one they use.
fn late_work_remark(number: u64) -> String {
    format!(
        "Work that arrived after the seal was accepted (quarantine {number}). Check the record and \
         seal it again.\n封存后送达的内容已被采纳（隔离区编号 {number}）。请核对记录后重新封存。"
    )
}

/// Appends refused parts of texts and lists to the present value.
fn append_to_existing(record: &Record, field: &WrittenField) -> WrittenField {
    let path: Vec<&str> = field.path.iter().map(String::as_str).collect();
    let between = match path.as_slice() {
        ["notes" | "feedback"] => "\n",
        ["case", "phones"] => ", ",
        _ => return field.clone(),
    };
    let value = match (record.value_at(&field.path), &field.value) {
        (FieldValue::Text(now), FieldValue::Text(refused)) if !now.is_empty() => {
            FieldValue::Text(format!("{now}{between}{refused}"))
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
