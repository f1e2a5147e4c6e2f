//! What people may do to a record: commands, each with what it leaves behind.

use automerge::ReadDoc;

use super::oracle::Effect;
use super::world::World;
use crate::ids::hex;
use crate::record::command::{
    AppointmentPatch, AppointmentProposal, Arrival, AssignmentPatch, CasePatch, Command,
    NewAttachment, NewContact, NewPayment, PromiseToPay, RepaymentOption, TalkPatch, TextEdit,
    VisitPatch,
};
use crate::record::terms::{
    AppointmentStatus, AttachmentKind, Channel, CheckAnswer, CheckItem, ContactOutcome,
    Disposition, Flag, Grade, OptionKind, ProposedBy, ReviewStatus, Stage, TargetRole,
};
use crate::record::{Record, genesis};

impl World<'_> {
    pub(super) fn collector_command(&mut self, mark: &str, page: &Page) -> (Command, Effect) {
        let at = self.moment();
        match self.rng.u32(0..100) {
            0..25 => (Command::EditNotes(self.insert(mark, &page.notes, page)), word_of(mark)),
            25..33 => {
                (Command::EditFeedback(self.insert(mark, &page.feedback, page)), word_of(mark))
            }
            33..40 => (
                Command::ProposeAppointment(AppointmentProposal {
                    starts_at: at,
                    ends_at: at + 3_600_000,
                    place: mark.to_owned(),
                    proposed_by: ProposedBy::Collector,
                    borrower_remark: String::new(),
                }),
                Effect::History,
            ),
            40..44 => {
                let answers = AppointmentStatus::ALL;
                let status = answers[self.rng.usize(0..answers.len())];
                (Command::AnswerAppointment { status }, Effect::History)
            }
            44..47 => (Command::Depart { at }, Effect::History),
            47..50 => (Command::Arrive(Arrival { at, position: None }), Effect::History),
            50..53 => {
                let patch = VisitPatch { talk_from: Some(at), ..Default::default() };
                (Command::EditVisit(patch), Effect::History)
            }
            53..59 => {
                let items = CheckItem::ALL;
                let check = Command::Check {
                    item: items[self.rng.usize(0..items.len())],
                    answer: Some(CheckAnswer::NotPossible),
                    grade: Grade::Attested,
                    at,
                    reason: Some(mark.to_owned()),
                };
                (check, Effect::History)
            }
            59..65 => {
                let patch = TalkPatch {
                    overdue_reason_text: Some(mark.to_owned()),
                    disposition: Some(Disposition::Ptp),
                    ..Default::default()
                };
                (Command::EditTalk(patch), Effect::History)
            }
            65..69 => {
                let option = RepaymentOption {
                    id: mark.to_owned(),
                    kind: OptionKind::Instalments,
                    instalments: 3,
                    first_due: "2026-12-01".into(),
                    amount: 1000,
                    term_months: 3,
                };
                (Command::OfferOption(option), Effect::Entry(mark.to_owned()))
            }
            69..72 => {
                let promise = PromiseToPay {
                    amount: 1000,
                    due_date: "2026-12-01".into(),
                    channel: mark.to_owned(),
                };
                (Command::Promise { promise: Some(promise) }, Effect::History)
            }
            72..74 => (Command::Seal { at }, Effect::History),
            74.. => self.shared_command(mark, at, page),
        }
    }

    pub(super) fn supervisor_command(&mut self, mark: &str, page: &Page) -> (Command, Effect) {
        let at = self.moment();
        if page.stage.is_sealed() && self.rng.bool() {
            let judged = [ReviewStatus::Returned, ReviewStatus::Accepted];
            let status = judged[self.rng.usize(0..judged.len())];
            return (
                Command::Review { status, remark: mark.to_owned(), marks: Vec::new(), at },
                Effect::History,
            );
        }
        match self.rng.u32(0..100) {
            0..25 => (Command::EditNotes(self.insert(mark, &page.notes, page)), word_of(mark)),
            25..45 => {
                let patch = CasePatch {
                    overdue: Some(self.rng.i64(0..1_000_000)),
                    note: Some(mark.to_owned()),
                    ..Default::default()
                };
                (Command::UpdateCase(Box::new(patch)), Effect::History)
            }
            45..60 => {
                let patch = AssignmentPatch {
                    instructions: Some(mark.to_owned()),
                    priority: Some(self.rng.i64(1..4)),
                    ..Default::default()
                };
                (Command::Assign(patch), Effect::History)
            }
            60..70 => {
                let patch = AppointmentPatch { place: Some(mark.to_owned()), ..Default::default() };
                (Command::EditAppointment(patch), Effect::History)
            }
            70..78 => {
                let flag = Flag::ALL[self.rng.usize(0..Flag::ALL.len())];
                (Command::LiftHold { flag }, Effect::History)
            }
            78.. => self.shared_command(mark, at, page),
        }
    }

    /// Entries that both sides may add.
    fn shared_command(&mut self, mark: &str, at: i64, page: &Page) -> (Command, Effect) {
        let entry = Effect::Entry(mark.to_owned());
        match self.rng.u32(0..5) {
            0 => {
                let payment = NewPayment {
                    id: mark.to_owned(),
                    amount: 100,
                    at,
                    channel: "bank".into(),
                    reference: String::new(),
                    receipt: String::new(),
                };
                (Command::AddPayment(payment), entry)
            }
            1 => {
                // 64 digits, as a hash has.
                let sha256 = format!("{:0<64}", hex(mark.as_bytes()));
                let attachment = NewAttachment {
                    sha256: sha256.clone(),
                    media_type: "image/jpeg".into(),
                    size: 1,
                    taken_at: at,
                    kind: AttachmentKind::Photo,
                    caption: mark.to_owned(),
                };
                (Command::AddAttachment(attachment), Effect::Entry(sha256))
            }
            2 => {
                let flag = Flag::ALL[self.rng.usize(0..Flag::ALL.len())];
                let hold =
                    Command::RaiseHold { flag, since: at, until: None, note: mark.to_owned() };
                (hold, Effect::History)
            }
            3 if page.stage == Stage::Sealed => {
                let (path, text) = ("talk.disposition".to_owned(), mark.to_owned());
                (Command::Amend { id: mark.to_owned(), at, path, text }, entry)
            }
            _ => contact(mark, at),
        }
    }

    /// A word put into a text somewhere, but never inside another one.
    fn insert(&mut self, mark: &str, text: &str, page: &Page) -> TextEdit {
        let at = self.rng.usize(0..=text.len());
        let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let before = text.get(..at).unwrap_or_default();
        let inside = before.rfind('<') > before.rfind('>');
        let at = if inside { text.len() } else { at };
        let (before, after) = text.split_at(at);
        TextEdit { base: page.heads.clone(), text: format!("{before}<{mark}>{after}") }
    }
}

/// What a page shows, as far as an edit needs it: a whole view takes longer than the edit.
pub(super) struct Page {
    heads: Vec<String>,
    stage: Stage,
    notes: String,
    feedback: String,
}

impl Page {
    pub(super) fn of(record: &Record) -> Self {
        let text = |key| {
            let object = genesis::container(&[key]);
            object.and_then(|object| record.document().text(object).ok()).unwrap_or_default()
        };
        Self {
            heads: record.heads().to_hex(),
            stage: record.stage(),
            notes: text("notes"),
            feedback: text("feedback"),
        }
    }
}

pub(super) fn contact(mark: &str, at: i64) -> (Command, Effect) {
    let contact = NewContact {
        id: mark.to_owned(),
        at,
        channel: Channel::Call,
        number_ref: String::new(),
        target_role: TargetRole::Borrower,
        outcome: ContactOutcome::NoAnswer,
        note: String::new(),
    };
    (Command::LogContact(contact), Effect::Entry(mark.to_owned()))
}

fn word_of(mark: &str) -> Effect {
    Effect::Word(format!("<{mark}>"))
}
