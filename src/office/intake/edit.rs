//! The office's own edits of existing records: commands from the console, rows of an import,
//! evaluations of conduct (rule M6).

use automerge::Change;

use super::commit::{AcceptedState, AcceptedWork, Commit, Predecessor, Provenance, Verdict};
use super::{LoadedRecord, Scope, Source};
use crate::conduct::Moment;
use crate::ids::{Heads, RecordId};
use crate::office::approvals::{Approval, ApprovalRefusal};
use crate::office::merge::{self, Judgement, Sender};
use crate::office::store::{ApprovalKind, Proposal};
use crate::office::{Office, OfficeError, StoreError, conduct};
use crate::record::command::Command;
use crate::record::terms::Role;
use crate::record::view::VisitView;
use crate::record::{Author, CommandError, Record};

/// The zone of the office's own changes. Times are UTC; the borrower's zone is in the case.
pub(in crate::office) const OFFICE_ZONE: &str = "Etc/UTC";

/// Edits a record and gives its changes with a result for the caller. May run several times, each
/// time on the newest state.
type EditFn<T> =
    dyn Fn(&mut Record, &Author) -> Result<(Vec<Change>, T), CommandError> + Send + Sync;

/// An edit under a user's name.
pub(in crate::office) struct Edit<T> {
    user: String,
    role: Role,
    edit: Box<EditFn<T>>,
    /// The approval that it carries out.
    approval: Option<Approval>,
}

/// A record that was edited.
pub(in crate::office) struct Edited<T> {
    record: Record,
    changes: Vec<Change>,
    result: T,
    /// The record before the edit, where a rule may ask for approval.
    before: Option<VisitView>,
}

impl<T> Edit<T> {
    pub(in crate::office) fn new(
        user: &str,
        role: Role,
        edit: impl Fn(&mut Record, &Author) -> Result<(Vec<Change>, T), CommandError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { user: user.to_owned(), role, edit: Box::new(edit), approval: None }
    }

    /// The same as the change of an approved proposal.
    pub(in crate::office) fn approved(self, approval: Approval) -> Self {
        Self { approval: Some(approval), ..self }
    }
}

impl<T: Clone + Send + 'static> Source for Edit<T> {
    type Item = ();
    type Unpacked = Edited<T>;
    /// The record after the edit, and the edit's result.
    type Reply = (VisitView, T);

    fn scope(&self) -> Scope<'_> {
        Scope::Office(self.approval.as_ref().map(|approval| approval.number))
    }

    fn unpack(
        &self,
        office: &Office,
        loaded: &LoadedRecord,
        (): &(),
    ) -> Result<Edited<T>, OfficeError> {
        let mut record = loaded.state().ok_or(OfficeError::UnknownRecord)?.load()?;
        let before = (!office.approvals.is_empty()).then(|| record.view());
        let (changes, result) = (self.edit)(&mut record, &office.author(&self.user, self.role))?;
        Ok(Edited { record, changes, result, before })
    }

    fn judge(
        &self,
        office: &Office,
        loaded: LoadedRecord,
        (): &(),
        Edited { record, changes, result, before }: Edited<T>,
    ) -> Result<Verdict<Self::Reply>, OfficeError> {
        let stored = loaded.state().ok_or(OfficeError::UnknownRecord)?;
        if changes.is_empty() {
            return Ok(Verdict::Reply((record.view(), result)));
        }
        let chunks: Vec<&[u8]> = changes.iter().map(Change::raw_bytes).collect();
        // The office signs no seal, so it needs no keys.
        let sender = Sender { user: &self.user, role: self.role, device: office.device, keys: &[] };
        let merged = match merge::judge(stored, &chunks, sender) {
            Judgement::Accepted(merged) => merged,
            Judgement::Refused(refusal) => return Err(OfficeError::Refused(refusal)),
            // Impossible unless the document and the stored changes disagree.
            Judgement::Duplicate | Judgement::Missing => {
                let what = format!("record {} is not what its changes say", loaded.record);
                return Err(StoreError::Damaged(what).into());
            }
        };
        let (view, at) = (merged.view.clone(), office.now());
        let needed = before.and_then(|before| office.approvals.needed(&before, &view, at));
        let proposal = loaded.basis.proposal.as_ref();
        office.check_approval(needed, self.approval.as_ref(), proposal)?;
        if proposal.is_some_and(|proposal| is_outdated(proposal, &merged.record)) {
            return Err(ApprovalRefusal::Moved.into());
        }
        let approval = self.approval.clone();
        let state = AcceptedState::of(office, loaded.record, *merged, at);
        let (user, device) = (self.user.clone(), office.device);
        Ok(Verdict::Commit(Commit::Accept(AcceptedWork {
            before: loaded.stored.as_ref().map(Predecessor::of),
            states: vec![state],
            provenance: Provenance { user, device, at, quarantine: None },
            decision: None,
            reply: Box::new(move |tx| {
                if let Some(approval) = &approval {
                    approval.write(tx, at)?;
                }
                Ok((view.clone(), result.clone()))
            }),
        })))
    }
}

/// A record is accepted as it was proposed: not after the visit's content has changed.
fn is_outdated(proposal: &Proposal, record: &Record) -> bool {
    let heads: Vec<&str> = proposal.heads.split(',').collect();
    matches!(proposal.kind, ApprovalKind::Plan | ApprovalKind::Review)
        && Heads::from_hex(&heads).is_none_or(|heads| record.content_changed(&heads))
}

impl Office {
    /// The author of changes that the office writes for a user now.
    pub(in crate::office) fn author(&self, user: &str, role: Role) -> Author {
        Author {
            actor: self.actor.clone(),
            user: user.to_owned(),
            role,
            now_ms: self.now(),
            zone: OFFICE_ZONE.into(),
        }
    }

    /// Executes a command of a user of the office. Gives the record after it; durable once
    /// answered.
    ///
    /// # Errors
    /// The command is invalid or not allowed, or there is no such record.
    pub async fn command(
        &self,
        record: RecordId,
        command: Command,
        user: &str,
        role: Role,
    ) -> Result<VisitView, OfficeError> {
        let edit = Edit::new(user, role, move |record, author| {
            Ok((Vec::from_iter(record.apply(&command, author)?), ()))
        });
        Ok(self.intake_one(edit, record, ()).await?.0)
    }

    /// Stores the evaluation of conduct after the visit in a record, if it differs from the one
    /// stored last.
    pub(in crate::office) async fn record_evaluation(
        &self,
        record: RecordId,
        user: &str,
        role: Role,
    ) -> Result<VisitView, OfficeError> {
        let policy = self.policy.clone();
        let edit = Edit::new(user, role, move |record, author| {
            let view = record.view();
            let conduct = conduct::judge(&policy, &view, Moment::After, author.now_ms);
            let change = match conduct.new_evaluation(&view, None) {
                Some(evaluation) => record.record_evaluation(&evaluation, author)?,
                None => None,
            };
            Ok((Vec::from_iter(change), ()))
        });
        Ok(self.intake_one(edit, record, ()).await?.0)
    }
}
