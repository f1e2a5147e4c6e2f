//! Carries commands out. Every write passes the authority table and the kinds of the schema.

mod conduct;
mod group;
mod reapply;

use automerge::transaction::{Transactable, Transaction};
use automerge::{ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value};

use super::authority::{Principal, WriteOp, authorize};
use super::command::{
    AppointmentPatch, AssignmentPatch, CasePatch, Command, NewSignature, PromiseToPay, TalkPatch,
    VisitPatch,
};
use super::document::{Author, Record};
use super::error::CommandError;
use super::schema::{self, FieldSpec, Kind, PROMISE, REVIEW, SEAL, WINDOW};
use super::signature::{self, Statement};
use super::terms::{AppointmentStatus, CheckAnswer, ReviewStatus, Stage};
use super::{conflict, genesis, text, validate};
use crate::ids::{RecordId, device_of};

/// Writes into one transaction for one author.
pub(super) struct RecordWriter<'t, 'd> {
    tx: &'t mut Transaction<'d>,
    writer: Principal<'t>,
    author: &'t Author,
}

impl<'t, 'd> RecordWriter<'t, 'd> {
    pub(super) fn new(
        tx: &'t mut Transaction<'d>,
        writer: Principal<'t>,
        author: &'t Author,
    ) -> Self {
        Self { tx, writer, author }
    }

    /// Carries a command out; `before` is the record as it was.
    pub(super) fn command(
        &mut self,
        command: &Command,
        before: &Record,
    ) -> Result<(), CommandError> {
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
                if before.view().talk.chosen_option.as_ref() == Some(id) {
                    self.remove(&["talk", "chosen_option"])?;
                }
                self.remove(&["talk", "options", id])
            }
            Command::ChooseOption { id: None } => self.remove(&["talk", "chosen_option"]),
            Command::ChooseOption { id: Some(id) } => {
                if !before.view().talk.options.iter().any(|option| &option.id == id) {
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
            Command::EditNotes(edit) => self.prose("notes", before, &edit.base, &edit.text),
            Command::EditFeedback(edit) => self.prose("feedback", before, &edit.base, &edit.text),
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
            Command::Seal { at } => self.seal(*at, before),
            Command::Sign(signature) => self.sign(signature, before),
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
            Command::WithdrawConsent { id, of, at } => self.withdrawal(id, of, *at, before),
            Command::OverrideWarning { id, rule, reason, at } => {
                self.override_warning(id, rule, reason, *at)
            }
            Command::RecordNotice { id, about, at, grade, note } => {
                self.notice(id, *about, *at, *grade, note)
            }
            Command::RecordWish(wish) => self.wish(wish),
            Command::SummarizeContacts { as_of, counts } => self.summarize(*as_of, counts, before),
            Command::Resolve { path, pick } => self.resolve(path, pick, before),
            Command::UpdateCase(patch) => self.case(patch),
            Command::Assign(patch) => self.assignment(patch),
            Command::LiftHold { flag } => {
                let raised = before.view().case.flags;
                raised.iter().filter(|raised| raised.flag == *flag).try_for_each(|raised| {
                    self.remove(&["case", "flags", flag.as_str(), &raised.by])
                })
            }
            Command::Review { status, remark, at } => self.review(*status, remark, *at, before),
        }
    }

    /// The office's change that makes the record: written once, by whoever creates it.
    pub(super) fn init(&mut self, id: RecordId, case_no: &str) -> Result<(), CommandError> {
        if case_no.trim().is_empty() || case_no.len() > 400 {
            return Err(wrong(&["case_no"], "a case number has 1 to 400 bytes"));
        }
        self.tx.put(ROOT, "id", id.to_string())?;
        self.tx.put(ROOT, "case_no", case_no)?;
        Ok(())
    }

    pub(super) fn case(&mut self, patch: &CasePatch) -> Result<(), CommandError> {
        let texts = [
            ("borrower_name", &patch.borrower_name),
            ("address", &patch.address),
            ("product", &patch.product),
            ("currency", &patch.currency),
            ("due_date", &patch.due_date),
            ("last_payment_date", &patch.last_payment_date),
            ("preferred_language", &patch.preferred_language),
            ("zone", &patch.zone),
            ("note", &patch.note),
        ];
        for (key, value) in texts {
            self.put_some(&["case", key], value.as_deref())?;
        }
        let numbers = [
            ("principal", patch.principal),
            ("overdue", patch.overdue),
            ("days_past_due", patch.days_past_due),
        ];
        for (key, value) in numbers {
            self.put_some(&["case", key], value)?;
        }
        self.put_some(&["case", "position", "lat"], patch.lat)?;
        self.put_some(&["case", "position", "lon"], patch.lon)?;
        patch.phones.as_ref().map_or(Ok(()), |phones| self.phones(phones))
    }

    fn phones(&mut self, phones: &[String]) -> Result<(), CommandError> {
        let list = container(&["case", "phones"])?;
        let row = self.authorize(&["case", "phones", "#"], WriteOp::Update)?;
        let held: Vec<String> = self
            .tx
            .values(list)
            .filter_map(|(value, _)| value.as_str().map(str::to_owned))
            .collect();
        if held == phones {
            return Ok(());
        }
        for _ in &held {
            self.tx.delete(list, 0)?;
        }
        for (index, phone) in phones.iter().enumerate() {
            let value = ScalarValue::from(phone.as_str());
            check(row, &["case", "phones"], &value)?;
            self.tx.insert(list, index, value)?;
        }
        Ok(())
    }

    pub(super) fn assignment(&mut self, patch: &AssignmentPatch) -> Result<(), CommandError> {
        if let Some(collectors) = &patch.collectors {
            let held: Vec<String> =
                self.tx.keys(container(&["assignment", "collectors"])?).collect();
            for gone in held.iter().filter(|user| !collectors.contains(user)) {
                self.remove(&["assignment", "collectors", gone])?;
            }
            for user in collectors {
                self.put(&["assignment", "collectors", user], true)?;
            }
        }
        self.put_some(&["assignment", "due_by"], patch.due_by.as_deref())?;
        self.put_some(&["assignment", "priority"], patch.priority)?;
        self.put_some(&["assignment", "instructions"], patch.instructions.as_deref())?;
        self.put_some(&["assignment", "policy"], patch.policy.as_deref())
    }

    fn appointment(&mut self, patch: &AppointmentPatch) -> Result<(), CommandError> {
        if let (Some(starts), Some(ends)) = (patch.starts_at, patch.ends_at)
            && ends <= starts
        {
            return Err(wrong(&["appointment", "ends_at"], "ends before it starts"));
        }
        let given = |ms: Option<i64>| ms.map(ScalarValue::Timestamp);
        if patch.starts_at.is_some() || patch.ends_at.is_some() {
            let zone = Some(self.author.zone.as_str().into());
            self.group(&WINDOW, &[given(patch.starts_at), given(patch.ends_at), zone])?;
        }
        self.put_some(&["appointment", "place"], patch.place.as_deref())?;
        let proposed_by = patch.proposed_by.map(|side| side.as_str());
        self.put_some(&["appointment", "proposed_by"], proposed_by)?;
        self.put_some(&["appointment", "borrower_remark"], patch.borrower_remark.as_deref())
    }

    fn visit(&mut self, patch: &VisitPatch) -> Result<(), CommandError> {
        let times = [
            ("talk_from", patch.talk_from),
            ("talk_to", patch.talk_to),
            ("left_at", patch.left_at),
            ("asked_to_leave_at", patch.asked_to_leave_at),
        ];
        for (key, value) in times {
            self.put_some(&["visit", key], value.map(ScalarValue::Timestamp))?;
        }
        self.put_some(&["visit", "place_type"], patch.place_type.map(|place| place.as_str()))?;
        self.put_some(&["visit", "person_met"], patch.person_met.map(|person| person.as_str()))?;
        if let Some(user) = &patch.add_visitor {
            self.put(&["visit", "visitors", user], true)?;
        }
        patch
            .remove_visitor
            .as_ref()
            .map_or(Ok(()), |user| self.remove(&["visit", "visitors", user]))
    }

    fn visit_zone(&mut self) -> Result<(), CommandError> {
        self.put(&["visit", "zone"], self.author.zone.as_str())
    }

    fn talk(&mut self, patch: &TalkPatch) -> Result<(), CommandError> {
        let reason = patch.overdue_reason.map(|reason| reason.as_str());
        self.put_some(&["talk", "overdue_reason"], reason)?;
        self.put_some(&["talk", "overdue_reason_text"], patch.overdue_reason_text.as_deref())?;
        self.put_some(&["talk", "willingness"], patch.willingness.map(|word| word.as_str()))?;
        self.put_some(&["talk", "disposition"], patch.disposition.map(|word| word.as_str()))
    }

    /// Takes one fact back. Entries have commands of their own, and the rest is nobody's slip.
    fn clear(&mut self, path: &str) -> Result<(), CommandError> {
        let segments: Vec<&str> = path.split('.').collect();
        match segments.as_slice() {
            ["appointment" | "visit" | "talk", _] | ["visit", "position", _] => {
                self.remove(&segments)
            }
            _ => Err(wrong(&segments, "this is not taken back by itself")),
        }
    }

    fn promise(&mut self, promise: Option<&PromiseToPay>) -> Result<(), CommandError> {
        let Some(promise) = promise else {
            return ["amount", "due_date", "channel"]
                .iter()
                .try_for_each(|key| self.remove(&["talk", "promise", key]));
        };
        if promise.due_date.is_empty() {
            return Err(wrong(&["talk", "promise", "due_date"], "a promise has a date"));
        }
        let PromiseToPay { amount, due_date, channel } = promise;
        let values = [(*amount).into(), due_date.as_str().into(), channel.as_str().into()];
        self.group(&PROMISE, &values.map(Some))
    }

    fn seal(&mut self, at: i64, before: &Record) -> Result<(), CommandError> {
        if before.view().talk.disposition.is_none() {
            return Err(wrong(
                &["talk", "disposition"],
                "a sealed record says what came of the visit",
            ));
        }
        let device = device_of(&self.author.actor).map(|id| id.to_string()).unwrap_or_default();
        let values = [
            time(at),
            self.author.user.as_str().into(),
            device.into(),
            before.heads().to_hex().join(" ").into(),
        ];
        self.group(&SEAL, &values.map(Some))
    }

    /// A wrong signature would be refused by the office, and all that comes after it.
    fn sign(&mut self, new: &NewSignature, before: &Record) -> Result<(), CommandError> {
        let path = ["seal", new.id.as_str()];
        let device = device_of(&self.author.actor).map(|id| id.to_string()).unwrap_or_default();
        let wrong_signature = || wrong(&path, "the signature is not one over what it stands under");
        let heads = signature::named(before.document(), &new.heads).ok_or_else(wrong_signature)?;
        let record = before.view().id;
        let statement = Statement {
            record: &record,
            heads: &heads,
            device: &device,
            at: new.at,
            text: &new.text,
            user: &self.author.user,
        };
        if !statement.is_signed(&new.key, &new.signature) {
            return Err(wrong_signature());
        }
        self.entry(
            &path,
            &[
                ("at", time(new.at)),
                ("by", self.author.user.as_str().into()),
                ("device", device.as_str().into()),
                ("key", new.key.as_str().into()),
                ("heads", heads.to_hex().join(" ").into()),
                ("text", new.text.as_str().into()),
                ("signature", new.signature.as_str().into()),
            ],
        )
    }

    fn review(
        &mut self,
        status: ReviewStatus,
        remark: &str,
        at: i64,
        before: &Record,
    ) -> Result<(), CommandError> {
        let Some(seal) = before.view().seal else {
            return Err(wrong(&["review", "status"], "only a sealed record is reviewed"));
        };
        if status == ReviewStatus::Returned && remark.trim().is_empty() {
            return Err(wrong(&["review", "remark"], "say what the collector should do"));
        }
        // A return opens the record; until another seal stands there is nothing to accept.
        if before.stage() == Stage::Recorded && status == ReviewStatus::Accepted {
            return Err(wrong(&["review", "status"], "the record was returned and is open"));
        }
        let values = [
            status.as_str().into(),
            remark.into(),
            self.author.user.as_str().into(),
            time(at),
            time(seal.at),
        ];
        self.group(&REVIEW, &values.map(Some))
    }

    fn prose(
        &mut self,
        key: &'static str,
        before: &Record,
        base: &[String],
        after: &str,
    ) -> Result<(), CommandError> {
        let row = self.authorize(&[key], WriteOp::Update)?;
        let object = container(&[key])?;
        let length = self.tx.length(object);
        text::merge(self.tx, object, before, base, after, key)?;
        // A text that two people made too long together can be made shorter bit by bit.
        match (row.kind, self.tx.length(object)) {
            (Kind::MergedText(most), now) if now > most && now > length => {
                Err(wrong(&[key], "too long"))
            }
            _ => Ok(()),
        }
    }

    /// Writes the picked value again, so that it stands alone.
    fn resolve(&mut self, path: &str, pick: &str, before: &Record) -> Result<(), CommandError> {
        let missing = || CommandError::Missing { path: path.to_owned() };
        let doc = before.document();
        let standing = conflict::standing(doc)
            .into_iter()
            .find(|standing| standing.path.join(".") == path)
            .ok_or_else(missing)?;
        let segments: Vec<&str> = standing.path.iter().map(String::as_str).collect();
        self.authorize(&segments, WriteOp::Update)?;
        let (value, id) =
            standing.values.iter().find(|(_, id)| id.to_string() == pick).ok_or_else(missing)?;
        if let Some(group) = schema::group(&segments) {
            return self.resolve_group(group, id, before);
        }
        // Taken away first: putting the value that shows already would only drop the others, and
        // a pick is a write that replaces all that its author saw.
        self.tx.delete(&standing.object, standing.key.as_str())?;
        match value {
            Value::Scalar(scalar) => {
                self.tx.put(&standing.object, standing.key.as_str(), scalar.as_ref().clone())?;
            }
            Value::Object(_) => {
                let entry =
                    self.tx.put_object(&standing.object, standing.key.as_str(), ObjType::Map)?;
                for item in doc.map_range(id, ..) {
                    if let Ok(Some((Value::Scalar(scalar), _))) = doc.get(id, item.key.as_ref()) {
                        self.tx.put(&entry, item.key.as_ref(), scalar.into_owned())?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes an entry of an append-only container whole, in this change.
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

    /// Writes into an entry that may be changed, making it where it is not there.
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

    /// Writes over all that stands at a key. Where several values stand and the one that shows is
    /// written again, Automerge would only drop the others, and the office takes no half a write.
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

    /// Sets a field of a container that the first change made.
    fn put(&mut self, path: &[&str], value: impl Into<ScalarValue>) -> Result<(), CommandError> {
        let value = value.into();
        let (parent, key) = split(path)?;
        let row = self.authorize(path, WriteOp::Update)?;
        check(row, path, &value)?;
        self.set(parent, key, value)
    }

    /// Takes a key away, if it is there.
    fn remove(&mut self, path: &[&str]) -> Result<(), CommandError> {
        let (parent, key) = split(path)?;
        self.authorize(path, WriteOp::Delete)?;
        if self.tx.get(parent, key)?.is_some() {
            self.tx.delete(parent, key)?;
        }
        Ok(())
    }

    fn authorize(&self, path: &[&str], act: WriteOp) -> Result<&'static FieldSpec, CommandError> {
        authorize(path, act, self.writer)
            .map_err(|denied| CommandError::Denied { path: path.join("."), denied })
    }
}

fn time(ms: i64) -> ScalarValue {
    ScalarValue::Timestamp(ms)
}

fn check(row: &FieldSpec, path: &[&str], value: &ScalarValue) -> Result<(), CommandError> {
    validate::accepts(row.kind, value).map_err(|reason| wrong(path, reason))
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
