//! A record, and the commands of a whole visit.

use doorstep::ids::{DeviceId, RecordId, actor};
use doorstep::record::command::{
    AppointmentProposal, Arrival, AssignmentPatch, CasePatch, Command, NewContact, NewPayment,
    PromiseToPay, RepaymentOption, TalkPatch, TextEdit, VisitPatch,
};
use doorstep::record::terms::{
    AppointmentStatus, Channel, CheckAnswer, CheckItem, ContactOutcome, Disposition, Grade,
    OptionKind, OverdueReason, PlaceType, ProposedBy, Role, TargetRole, Willingness,
};
use doorstep::record::{Author, Record};

pub(super) const NOW: i64 = 1_795_000_000_000;

pub(super) fn author(user: &str, role: Role, device: u8) -> Author {
    Author {
        actor: actor(DeviceId([device; 16]), 1),
        user: user.into(),
        role,
        now_ms: NOW,
        zone: "Asia/Shanghai".into(),
    }
}

pub(super) fn office() -> Author {
    author("lin.yue", Role::Supervisor, 9)
}

/// The same record each time: equal heads on both sides.
pub(super) fn created() -> Record {
    let case = CasePatch {
        borrower_name: Some("Lin Example".into()),
        phones: Some(vec!["19000000001".into()]),
        address: Some("12 Mill Road".into()),
        overdue: Some(150_000),
        currency: Some("CNY".into()),
        zone: Some("Asia/Shanghai".into()),
        ..Default::default()
    };
    let assignment =
        AssignmentPatch { collectors: Some(vec!["chen.jie".into()]), ..Default::default() };
    let maker = author("lin.yue", Role::Supervisor, 8);
    Record::create(RecordId::v7(NOW, [7; 10]), "NB1", &case, &assignment, &maker).expect("made")
}

pub(super) fn scheduled() -> Record {
    let mut record = created();
    let collector = author("chen.jie", Role::Collector, 7);
    for command in &whole_visit()[..3] {
        record.apply(command, &collector).expect("allowed");
    }
    record
}

pub(super) fn sealed() -> Record {
    let mut record = created();
    for command in whole_visit() {
        record.apply(&command, &author("chen.jie", Role::Collector, 1)).expect("allowed");
    }
    record
}

pub(super) fn talk(disposition: Disposition) -> Command {
    Command::EditTalk(TalkPatch { disposition: Some(disposition), ..Default::default() })
}

pub(super) fn payment(id: &str) -> Command {
    Command::AddPayment(NewPayment {
        id: id.into(),
        amount: 100,
        at: NOW,
        channel: "bank transfer".into(),
        reference: "r".into(),
        receipt: String::new(),
    })
}

pub(super) fn check(item: CheckItem) -> Command {
    let answer = Some(CheckAnswer::Yes);
    Command::Check { item, answer, grade: Grade::Attested, at: NOW, reason: None }
}

pub(super) fn whole_visit() -> Vec<Command> {
    let mut commands = vec![
        Command::LogContact(NewContact {
            id: "c1".into(),
            at: NOW,
            channel: Channel::Call,
            number_ref: "phones.0".into(),
            target_role: TargetRole::Borrower,
            outcome: ContactOutcome::Reached,
            note: "agreed to talk".into(),
        }),
        Command::ProposeAppointment(AppointmentProposal {
            starts_at: NOW + 3_600_000,
            ends_at: NOW + 7_200_000,
            place: "12 Mill Road".into(),
            proposed_by: ProposedBy::Borrower,
            borrower_remark: "after six".into(),
        }),
        Command::AnswerAppointment { status: AppointmentStatus::Agreed },
        Command::Depart { at: NOW },
        Command::Arrive(Arrival { at: NOW, position: None }),
        Command::EditVisit(VisitPatch {
            place_type: Some(PlaceType::Home),
            person_met: Some(TargetRole::Borrower),
            add_visitor: Some("chen.jie".into()),
            ..Default::default()
        }),
    ];
    commands.extend(CheckItem::ALL.iter().map(|item| check(*item)));
    commands.extend([
        Command::EditTalk(TalkPatch {
            overdue_reason: Some(OverdueReason::IncomeLoss),
            willingness: Some(Willingness::Willing),
            ..Default::default()
        }),
        Command::OfferOption(RepaymentOption {
            id: "o1".into(),
            kind: OptionKind::Instalments,
            instalments: 3,
            first_due: "2026-12-01".into(),
            amount: 150_000,
            term_months: 3,
        }),
        Command::ChooseOption { id: Some("o1".into()) },
        Command::Promise {
            promise: Some(PromiseToPay {
                amount: 50_000,
                due_date: "2026-12-01".into(),
                channel: "bank transfer".into(),
            }),
        },
        Command::EditVisit(VisitPatch { left_at: Some(NOW), ..Default::default() }),
        talk(Disposition::Ptp),
        Command::EditFeedback(TextEdit { base: Vec::new(), text: "was treated fairly".into() }),
        Command::Seal { at: NOW },
    ]);
    commands
}
