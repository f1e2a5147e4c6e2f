//! Executes commands. Every write is checked against the field table: author, time and value.

mod case;
mod conduct;
mod group;
mod reapply;
mod resolve;
mod seal;
mod text;
mod visit;

use automerge::transaction::{Transactable, Transaction};
use automerge::{Automerge, ObjId, ObjType, ReadDoc, ScalarValue, Value};

use super::author::Author;
use super::authority::{Principal, WriteOp, authorize};
use super::command::{AppointmentPatch, Command};
use super::error::CommandError;
use super::schema::FieldSpec;
use super::snapshot::Snapshot;
use super::terms::{AppointmentStatus, CheckAnswer};
use super::view::VisitView;
use super::{genesis, read, validate};
use crate::ids::Heads;

/// Writes one change of one author.
pub(super) struct RecordWriter<'t, 'd> {
    tx: &'t mut Transaction<'d>,
    /// The document before this change.
    before: &'t Automerge,
    principal: Principal<'t>,
    author: &'t Author,
}

impl<'t, 'd> RecordWriter<'t, 'd> {
    pub(super) fn new(
        tx: &'t mut Transaction<'d>,
        before: &'t Automerge,
        principal: Principal<'t>,
        author: &'t Author,
    ) -> Self {
        Self { tx, before, principal, author }
    }

    fn view_before(&self) -> VisitView {
        read::view(&Snapshot::new(self.before))
    }

    fn heads_before(&self) -> Heads {
        Heads::new(self.before.get_heads())
    }

    /// Executes a command.
    pub(super) fn command(&mut self, command: &Command) -> Result<(), CommandError> {
        match command {
            Command::LogContact(contact) => self.entry(
                &["contacts", &contact.id],
                &[
                    ("at", time(contact.at)),
                    ("zone", self.author.zone.as_str().into()),
                    ("channel", contact.channel.as_str().into()),
                    ("number_ref", contact.number_ref.as_str().into()),
                    ("target_role", contact.target_role.as_str().into()),
                    ("outcome", contact.outcome.as_str().into()),
                    ("note", contact.note.as_str().into()),
                    ("by", self.author.user.as_str().into()),
                ],
            ),
            Command::ProposeAppointment(proposal) => {
                self.appointment(&AppointmentPatch {
                    starts_at: Some(proposal.starts_at),
                    ends_at: Some(proposal.ends_at),
                    place: Some(proposal.place.clone()),
                    proposed_by: Some(proposal.proposed_by),
                    borrower_remark: Some(proposal.borrower_remark.clone()),
                })?;
                let status = AppointmentStatus::Proposed.as_str();
                self.put(&["appointment", "status"], status)
            }
            Command::EditAppointment(patch) => self.appointment(patch),
            Command::AnswerAppointment { status } => {
                self.put(&["appointment", "status"], status.as_str())
            }
            Command::Depart { at } => {
                self.visit_zone()?;
                self.put(&["visit", "departed_at"], time(*at))
            }
            Command::Arrive(arrival) => {
                self.visit_zone()?;
                self.put(&["visit", "arrived_at"], time(arrival.at))?;
                let Some(position) = &arrival.position else {
                    return Ok(());
                };
                self.put(&["visit", "position", "lat"], position.lat)?;
                self.put(&["visit", "position", "lon"], position.lon)?;
                self.put(&["visit", "position", "accuracy_m"], position.accuracy_m)?;
                self.put(&["visit", "position", "at"], time(position.at))
            }
            Command::EditVisit(patch) => self.visit(patch),
            Command::Check { item, answer: None, .. } => {
                self.remove(&["checks", item.as_str(), &self.author.user])
            }
            Command::Check { item, answer: Some(answer), grade, at, reason } => {
                let reason = reason.as_deref().unwrap_or_default();
                let path = ["checks", item.as_str(), &self.author.user];
                if *answer == CheckAnswer::NotPossible && reason.trim().is_empty() {
                    return Err(wrong(&path, "say why it was not possible"));
                }
                let fields = [
                    ("answer", answer.as_str().into()),
                    ("at", time(*at)),
                    ("grade", grade.as_str().into()),
                    ("reason", reason.into()),
                ];
                self.upsert(&path, &fields)
            }
            Command::EditTalk(patch) => self.talk(patch),
            Command::Clear { paths } => paths.iter().try_for_each(|path| self.clear(path)),
            Command::OfferOption(option) => self.upsert(
                &["talk", "options", &option.id],
                &[
                    ("kind", option.kind.as_str().into()),
                    ("instalments", option.instalments.into()),
                    ("first_due", option.first_due.as_str().into()),
                    ("amount", option.amount.into()),
                    ("term_months", option.term_months.into()),
                    ("offered_by", self.author.user.as_str().into()),
                ],
            ),
            Command::WithdrawOption { id } => {
                if self.view_before().talk.chosen_option.as_ref() == Some(id) {
                    self.remove(&["talk", "chosen_option"])?;
                }
                self.remove(&["talk", "options", id])
            }
            Command::ChooseOption { id: None } => self.remove(&["talk", "chosen_option"]),
            Command::ChooseOption { id: Some(id) } => {
                if !self.view_before().talk.options.iter().any(|option| &option.id == id) {
                    return Err(CommandError::Missing { path: format!("talk.options.{id}") });
                }
                self.put(&["talk", "chosen_option"], id.as_str())
            }
            Command::Promise { promise } => self.promise(promise.as_ref()),
            Command::AddPayment(payment) => self.entry(
                &["payments", &payment.id],
                &[
                    ("amount", payment.amount.into()),
                    ("at", time(payment.at)),
                    ("channel", payment.channel.as_str().into()),
                    ("reference", payment.reference.as_str().into()),
                    ("receipt", payment.receipt.as_str().into()),
                    ("by", self.author.user.as_str().into()),
                ],
            ),
            Command::EditNotes(edit) => self.edit_text("notes", &edit.base, &edit.text),
            Command::EditFeedback(edit) => self.edit_text("feedback", &edit.base, &edit.text),
            Command::AddAttachment(attachment) => self.entry(
                &["attachments", &attachment.sha256],
                &[
                    ("media_type", attachment.media_type.as_str().into()),
                    ("size", attachment.size.into()),
                    ("taken_at", time(attachment.taken_at)),
                    ("kind", attachment.kind.as_str().into()),
                    ("caption", attachment.caption.as_str().into()),
                    ("by", self.author.user.as_str().into()),
                ],
            ),
            Command::Seal { at } => self.seal(*at),
            Command::Sign(signature) => self.sign(signature),
            Command::Amend { id, at, path, text } => self.entry(
                &["amendments", id],
                &[
                    ("at", time(*at)),
                    ("by", self.author.user.as_str().into()),
                    ("path", path.as_str().into()),
                    ("text", text.as_str().into()),
                ],
            ),
            Command::RaiseHold { flag, since, until, note } => {
                let mut fields = vec![("since", time(*since)), ("note", note.as_str().into())];
                fields.extend(until.map(|until| ("until", time(until))));
                self.entry(&["case", "flags", flag.as_str(), &self.author.user], &fields)
            }
            Command::GiveConsent(consent) => self.consent(consent),
            Command::WithdrawConsent { id, of, at } => self.withdrawal(id, of, *at),
            Command::OverrideWarning { id, rule, reason, at } => {
                self.override_warning(id, rule, reason, *at)
            }
            Command::RecordNotice { id, about, at, grade, note } => {
                self.notice(id, *about, *at, *grade, note)
            }
            Command::RecordWish(wish) => self.wish(wish),
            Command::SummarizeContacts { as_of, counts } => self.summarize(*as_of, counts),
            Command::Resolve { path, pick } => self.resolve(path, pick),
            Command::UpdateCase(patch) => self.case(patch),
            Command::Assign(patch) => self.assignment(patch),
            Command::LiftHold { flag } => {
                let raised = self.view_before().case.flags;
                raised.iter().filter(|raised| raised.flag == *flag).try_for_each(|raised| {
                    self.remove(&["case", "flags", flag.as_str(), &raised.by])
                })
            }
            Command::Review { status, remark, marks, at } => {
                self.review(*status, remark, marks, *at)
            }
        }
    }

    /// Creates an entry with all of its fields.
    fn entry(&mut self, path: &[&str], fields: &[(&str, ScalarValue)]) -> Result<(), CommandError> {
        let (parent, key) = split(path)?;
        let act =
            if self.tx.get(parent, key)?.is_some() { WriteOp::Update } else { WriteOp::Create };
        self.authorize(path, act)?;
        if key.is_empty() || key.len() > 64 {
            return Err(wrong(path, "an entry's key has 1 to 64 bytes"));
        }
        if act == WriteOp::Create && self.tx.length(parent) >= validate::ENTRIES {
            return Err(wrong(path, "too many entries"));
        }
        let entry = self.tx.put_object(parent, key, ObjType::Map)?;
        self.fields(path, &entry, fields)
    }

    /// Writes the fields of an entry that may change, and creates the entry if it is missing.
    fn upsert(
        &mut self,
        path: &[&str],
        fields: &[(&str, ScalarValue)],
    ) -> Result<(), CommandError> {
        let (parent, key) = split(path)?;
        match self.tx.get(parent, key)? {
            Some((Value::Object(_), entry)) => self.fields(path, &entry, fields),
            _ => self.entry(path, fields),
        }
    }

    fn fields(
        &mut self,
        path: &[&str],
        entry: &ObjId,
        fields: &[(&str, ScalarValue)],
    ) -> Result<(), CommandError> {
        for (key, value) in fields {
            let field: Vec<&str> = path.iter().copied().chain([*key]).collect();
            let row = self.authorize(&field, WriteOp::Create)?;
            check(row, &field, value)?;
            self.set(entry, key, value.clone())?;
        }
        Ok(())
    }

    /// Writes a value that replaces every concurrent value at a key. Without the delete, Automerge
    /// turns a write of the winning value into a delete of the others, which the office refuses.
    fn set(&mut self, object: &ObjId, key: &str, value: ScalarValue) -> Result<(), CommandError> {
        if self.tx.get_all(object, key)?.len() > 1 {
            self.tx.delete(object, key)?;
        }
        self.tx.put(object, key, value)?;
        Ok(())
    }

    fn put_some<V: Into<ScalarValue>>(
        &mut self,
        path: &[&str],
        value: Option<V>,
    ) -> Result<(), CommandError> {
        value.map_or(Ok(()), |value| self.put(path, value))
    }

    /// Sets a field of a container of the first change.
    fn put(&mut self, path: &[&str], value: impl Into<ScalarValue>) -> Result<(), CommandError> {
        let value = value.into();
        let (parent, key) = split(path)?;
        let row = self.authorize(path, WriteOp::Update)?;
        check(row, path, &value)?;
        self.set(parent, key, value)
    }

    /// Deletes a key if it has a value.
    fn remove(&mut self, path: &[&str]) -> Result<(), CommandError> {
        let (parent, key) = split(path)?;
        self.authorize(path, WriteOp::Delete)?;
        if self.tx.get(parent, key)?.is_some() {
            self.tx.delete(parent, key)?;
        }
        Ok(())
    }

    fn authorize(&self, path: &[&str], act: WriteOp) -> Result<&'static FieldSpec, CommandError> {
        authorize(path, act, self.principal)
            .map_err(|denied| CommandError::Denied { path: path.join("."), denied })
    }
}

fn time(ms: i64) -> ScalarValue {
    ScalarValue::Timestamp(ms)
}

fn check(row: &FieldSpec, path: &[&str], value: &ScalarValue) -> Result<(), CommandError> {
    validate::accepts(row.kind, &value.clone().into()).map_err(|reason| wrong(path, reason))
}

fn wrong(path: &[&str], reason: &'static str) -> CommandError {
    CommandError::Invalid { path: path.join("."), reason }
}

fn container(path: &[&str]) -> Result<&'static ObjId, CommandError> {
    genesis::container(path).ok_or_else(|| CommandError::Missing { path: path.join(".") })
}

fn split<'p>(path: &'p [&'p str]) -> Result<(&'static ObjId, &'p str), CommandError> {
    let (key, parent) = path.split_last().ok_or(CommandError::Missing { path: String::new() })?;
    Ok((container(parent)?, key))
}
