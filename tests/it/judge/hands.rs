//! What people do with a record that they have before them.

use std::collections::BTreeMap;

use doorstep::record::command::{
    AppointmentPatch, AppointmentProposal, Arrival, AssignmentPatch, CasePatch, Command,
    NewAttachment, NewConsent, NewPayment, NewWish, Position, PromiseToPay, RepaymentOption,
    TalkPatch, TextEdit, VisitPatch,
};
use doorstep::record::terms::{
    AppointmentStatus, AttachmentKind, CheckAnswer, CheckItem, ConductKind, Disposition, Flag,
    Grade, NoticeAbout, OptionKind, OverdueReason, PlaceType, ProposedBy, ReviewStatus, Stage,
    TargetRole, Willingness,
};
use doorstep::record::view::VisitView;

use super::dice::Dice;
use crate::support::phone::{NOW, contact};

const HOUR: i64 = 3_600_000;
const WORDS: [&str; 8] = ["门口有狗", "call first. ", "👨‍👩‍👧", "e\u{301}", "\n", "二楼左手", "x", " "];
const CLEARED: [&str; 4] =
    ["talk.disposition", "talk.overdue_reason_text", "visit.place_type", "appointment.starts_at"];

/// The page that an author edits.
pub(crate) struct Page<'p> {
    pub(crate) view: &'p VisitView,
    /// What they had before them at another time: a text field that was left open.
    pub(crate) earlier: &'p VisitView,
    /// Their clock, ms.
    pub(crate) at: i64,
    /// A UUID that nothing has.
    pub(crate) id: String,
}

impl Page<'_> {
    pub(crate) fn of_collector(&self, dice: &mut Dice) -> Command {
        if dice.one_in(3) {
            return self.next(dice);
        }
        let at = self.at;
        match dice.below(20) {
            0 => self.proposal(dice),
            1 => Command::AnswerAppointment { status: dice.pick(AppointmentStatus::ALL) },
            2 => self.about_an_option(dice),
            3 => Command::Arrive(Arrival { at, position: self.position(dice) }),
            4 | 5 => Command::EditVisit(self.visit(dice)),
            6 => self.check(dice),
            7 | 8 => Command::EditTalk(talk(dice)),
            9 | 16 => Command::Clear { paths: vec![dice.pick(&CLEARED).to_owned()] },
            10 => Command::OfferOption(self.option(dice)),
            11 => self.about_an_option(dice),
            12 => Command::Promise { promise: promise(dice) },
            13 | 14 => Command::EditFeedback(self.text(dice, |view| &view.feedback)),
            15 => self.at_any_stage(dice),
            _ => self.of_both(dice),
        }
    }

    /// What brings the visit on.
    fn next(&self, dice: &mut Dice) -> Command {
        match self.view.stage {
            Stage::Assigned | Stage::Contacted if self.view.appointment.starts_at.is_none() => {
                self.proposal(dice)
            }
            Stage::Assigned | Stage::Contacted => {
                Command::AnswerAppointment { status: AppointmentStatus::Agreed }
            }
            Stage::Scheduled => {
                let there = &self.view.visit.visitors;
                let lacking = ["chen.jie", "wu.min"]
                    .into_iter()
                    .find(|user| !there.iter().any(|visitor| visitor == user));
                match lacking.map(str::to_owned) {
                    None => Command::Depart { at: NOW - 7 * HOUR },
                    add_visitor => {
                        Command::EditVisit(VisitPatch { add_visitor, ..Default::default() })
                    }
                }
            }
            Stage::OnSite => Command::EditTalk(TalkPatch {
                disposition: Some(dice.pick(Disposition::ALL)),
                ..Default::default()
            }),
            Stage::Recorded => Command::Seal { at: self.at },
            Stage::Sealed | Stage::Reviewed => self.after_the_seal(dice),
        }
    }

    pub(crate) fn of_supervisor(&self, dice: &mut Dice) -> Command {
        let sealed = matches!(self.view.stage, Stage::Sealed | Stage::Reviewed);
        if sealed && dice.one_in(2) {
            let status = dice.pick(&[ReviewStatus::Returned, ReviewStatus::Accepted]);
            return Command::Review {
                status,
                remark: "读过".into(),
                marks: Vec::new(),
                at: self.at,
            };
        }
        match dice.below(10) {
            0 => {
                let phones = ["13800000000", "13900000000", "13700000000"];
                let phones = phones.iter().filter(|_| dice.one_in(2)).map(|it| (*it).into());
                let phones = Some(phones.collect());
                Command::UpdateCase(Box::new(CasePatch { phones, ..Default::default() }))
            }
            1 => {
                let overdue = Some(dice.whole(1_000_000));
                let note = Some(dice.pick(&WORDS).to_owned());
                Command::UpdateCase(Box::new(CasePatch { overdue, note, ..Default::default() }))
            }
            2 => Command::Assign(AssignmentPatch {
                instructions: Some(dice.pick(&WORDS).to_owned()),
                priority: Some(1 + dice.whole(3)),
                ..Default::default()
            }),
            3 => Command::LiftHold { flag: dice.pick(&Flag::ALL[..3]) },
            4 => {
                let names = ["calls_day", "visits_30d"];
                let counted = names.iter().filter(|_| dice.one_in(2)).map(|it| (*it).to_owned());
                let counts: BTreeMap<String, i64> = counted.map(|name| (name, 2)).collect();
                Command::SummarizeContacts { as_of: self.at, counts }
            }
            5 => self.proposal(dice),
            6 => self.amendment(),
            _ => self.of_both(dice),
        }
    }

    fn of_both(&self, dice: &mut Dice) -> Command {
        if let Some(conflict) = self.view.conflicts.first()
            && dice.one_in(2)
        {
            let pick = dice.pick(&conflict.values).id;
            return Command::Resolve { path: conflict.path.clone(), pick };
        }
        match dice.below(12) {
            0..4 => Command::EditNotes(self.text(dice, |view| &view.notes)),
            4 => Command::EditAppointment(AppointmentPatch {
                place: Some(dice.pick(&WORDS).to_owned()),
                starts_at: dice.one_in(2).then_some(self.at),
                ..Default::default()
            }),
            5 => contact(&self.id),
            _ => self.at_any_stage(dice),
        }
    }

    /// Entries that may be made before and after the seal.
    fn at_any_stage(&self, dice: &mut Dice) -> Command {
        let (id, at, note) = (self.id.clone(), self.at, dice.pick(&WORDS).to_owned());
        match dice.below(8) {
            0 => Command::AddPayment(NewPayment {
                id,
                amount: 1 + dice.whole(100_000),
                at,
                channel: "bank".into(),
                reference: note,
                receipt: String::new(),
            }),
            // Two phones may well name the same bytes.
            1 => Command::AddAttachment(NewAttachment {
                sha256: dice.pick(&["a", "b", "c"]).repeat(64),
                media_type: "image/jpeg".into(),
                size: 1_000,
                taken_at: at,
                kind: dice.pick(AttachmentKind::ALL),
                caption: note,
            }),
            2 => {
                let until = dice.one_in(2).then_some(at + HOUR);
                let flag = dice.pick(&Flag::ALL[..3]);
                Command::RaiseHold { flag, since: at, until, note }
            }
            3 | 4 => self.consent(dice, note),
            5 => {
                let reason = "on the borrower's wish".into();
                Command::OverrideWarning { id, rule: "P-02".into(), reason, at }
            }
            6 => {
                let (about, grade) = (dice.pick(NoticeAbout::ALL), Grade::CounterpartyConfirmed);
                Command::RecordNotice { id, about, at, grade, note }
            }
            _ => Command::RecordWish(NewWish {
                id,
                days: dice.whole(128),
                starts: 60,
                ends: 120,
                place: dice.one_in(2).then(|| dice.pick(PlaceType::ALL)),
                note,
                at,
            }),
        }
    }

    /// A given consent is withdrawn in half of the cases.
    fn consent(&self, dice: &mut Dice, note: String) -> Command {
        let (id, at) = (self.id.clone(), self.at);
        let given = self.view.conduct.iter().find(|entry| entry.kind == ConductKind::Consent);
        if let Some(given) = given
            && dice.one_in(2)
        {
            return Command::WithdrawConsent { id, of: given.id.clone(), at };
        }
        Command::GiveConsent(NewConsent {
            id,
            rule: "CN-01".into(),
            from: at,
            until: at + HOUR,
            grade: Grade::Attested,
            note,
            at,
        })
    }

    fn after_the_seal(&self, dice: &mut Dice) -> Command {
        if dice.one_in(3) { self.amendment() } else { self.at_any_stage(dice) }
    }

    fn amendment(&self) -> Command {
        let path = "talk.disposition".into();
        Command::Amend { id: self.id.clone(), at: self.at, path, text: "更正".into() }
    }

    fn proposal(&self, dice: &mut Dice) -> Command {
        let starts_at = self.at + dice.whole(48) * HOUR;
        Command::ProposeAppointment(AppointmentProposal {
            starts_at,
            ends_at: starts_at + HOUR,
            place: dice.pick(&WORDS).to_owned(),
            proposed_by: dice.pick(ProposedBy::ALL),
            borrower_remark: String::new(),
        })
    }

    fn position(&self, dice: &mut Dice) -> Option<Position> {
        let somewhere = Position { lat: 29.87, lon: 121.55, accuracy_m: 12.0, at: self.at };
        dice.one_in(2).then_some(somewhere)
    }

    fn visit(&self, dice: &mut Dice) -> VisitPatch {
        let user = Some(dice.pick(&["chen.jie", "wu.min"]).to_owned());
        let at = Some(self.at);
        match dice.below(5) {
            0 | 1 => VisitPatch { add_visitor: user, ..Default::default() },
            2 => VisitPatch { remove_visitor: user, ..Default::default() },
            3 => VisitPatch { talk_from: at, left_at: at, ..Default::default() },
            _ => VisitPatch {
                place_type: Some(dice.pick(PlaceType::ALL)),
                person_met: Some(dice.pick(TargetRole::ALL)),
                ..Default::default()
            },
        }
    }

    fn check(&self, dice: &mut Dice) -> Command {
        let answer = dice.pick(&[
            Some(CheckAnswer::Yes),
            Some(CheckAnswer::No),
            Some(CheckAnswer::NotPossible),
            None,
        ]);
        Command::Check {
            item: dice.pick(&CheckItem::ALL[..3]),
            answer,
            grade: dice.pick(Grade::ALL),
            at: self.at,
            reason: (answer == Some(CheckAnswer::NotPossible)).then(|| "暗".to_owned()),
        }
    }

    /// A new option, or other terms of one that was offered.
    fn option(&self, dice: &mut Dice) -> RepaymentOption {
        let offered = self.view.talk.options.first().filter(|_| dice.one_in(2));
        RepaymentOption {
            id: offered.map_or_else(|| self.id.clone(), |option| option.id.clone()),
            kind: dice.pick(OptionKind::ALL),
            instalments: 1 + dice.whole(12),
            first_due: "2026-12-15".into(),
            amount: dice.whole(1_000_000),
            term_months: dice.whole(60),
        }
    }

    fn about_an_option(&self, dice: &mut Dice) -> Command {
        let options = &self.view.talk.options;
        if options.is_empty() {
            return Command::OfferOption(self.option(dice));
        }
        let id = dice.pick(options).id;
        match dice.below(4) {
            0 => Command::ChooseOption { id: None },
            1 => Command::WithdrawOption { id },
            _ => Command::ChooseOption { id: Some(id) },
        }
    }

    /// A text after an insertion, a deletion or an undo.
    fn text(&self, dice: &mut Dice, of: fn(&VisitView) -> &String) -> TextEdit {
        let from = if dice.one_in(3) { self.earlier } else { self.view };
        let mut text: Vec<char> = of(from).chars().collect();
        let (one, other) = (dice.below(text.len() + 1), dice.below(text.len() + 1));
        match dice.below(6) {
            0 => text.clear(),
            1 => text = of(self.earlier).chars().collect(),
            2 => drop(text.drain(one.min(other)..one.max(other))),
            3 => {
                let put = dice.pick(&WORDS).chars();
                drop(text.splice(one.min(other)..one.max(other), put));
            }
            _ => drop(text.splice(one..one, dice.pick(&WORDS).chars())),
        }
        TextEdit { base: from.heads.clone(), text: text.into_iter().collect() }
    }
}

fn talk(dice: &mut Dice) -> TalkPatch {
    let disposition = Some(dice.pick(Disposition::ALL));
    match dice.below(3) {
        0 => TalkPatch { disposition, ..Default::default() },
        1 => TalkPatch {
            overdue_reason: Some(dice.pick(OverdueReason::ALL)),
            overdue_reason_text: Some(dice.pick(&WORDS).to_owned()),
            ..Default::default()
        },
        _ => TalkPatch {
            willingness: Some(dice.pick(Willingness::ALL)),
            disposition,
            ..Default::default()
        },
    }
}

fn promise(dice: &mut Dice) -> Option<PromiseToPay> {
    let promise = PromiseToPay {
        amount: 1 + dice.whole(100_000),
        due_date: "2026-12-15".into(),
        channel: "bank".into(),
    };
    (!dice.one_in(4)).then_some(promise)
}
