//! What happened to each record of the demo: a little in every stage.

use chrono::{DateTime, Days, Duration, NaiveDate, TimeZone};
use chrono_tz::Asia::Shanghai;

use crate::ids::RecordId;
use crate::record::command::{
    AppointmentPatch, AppointmentProposal, Arrival, Command, NewContact, Position, PromiseToPay,
    RepaymentOption, TalkPatch, VisitPatch,
};
use crate::record::terms::{
    AppointmentStatus, Channel, CheckAnswer, CheckItem, ContactOutcome, Disposition, Flag, Grade,
    OptionKind, OverdueReason, PlaceType, ProposedBy, TargetRole, Willingness,
};

pub(super) const COLLECTORS: [&str; 5] = ["chen.jie", "wu.min", "zhao.lei", "sun.yan", "he.tao"];

/// What happens to one record.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What each collector does, apart from the others, and when.
    pub(super) acts: Vec<(&'static str, Vec<(i64, Act)>)>,
    /// A hold that the office raises.
    pub(super) hold: Option<Command>,
    /// What the office makes of it.
    pub(super) ending: Ending,
}

/// What a collector does.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// A command without follow-up.
    Do(Command),
    /// The notes as they are now.
    Notes(&'static str),
    /// The borrower's feedback as it is now.
    Feedback(&'static str),
}

/// What the office makes of a record.
#[derive(Debug, Default)]
pub(super) enum Ending {
    /// Nothing yet.
    #[default]
    Open,
    /// Accepted.
    Accepted,
    /// Returned, with a remark.
    Returned(&'static str),
}

/// Days and times around the demo's today.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    now: i64,
    today: NaiveDate,
}

impl Calendar {
    pub(super) fn at(now: i64) -> Self {
        let utc = DateTime::from_timestamp_millis(now).unwrap_or_default();
        Self { now, today: utc.with_timezone(&Shanghai).date_naive() }
    }

    /// A date some days from today.
    pub(super) fn date(self, days: i64) -> String {
        self.day(days).to_string()
    }

    fn day(self, days: i64) -> NaiveDate {
        let by = Days::new(days.unsigned_abs());
        let day = if days < 0 {
            self.today.checked_sub_days(by)
        } else {
            self.today.checked_add_days(by)
        };
        day.unwrap_or(self.today)
    }

    /// A time of a day, ms.
    fn time(self, days: i64, hour: u32, minute: u32) -> i64 {
        let time = self.day(days).and_hms_opt(hour, minute, 0);
        let there = time.and_then(|time| Shanghai.from_local_datetime(&time).earliest());
        there.map_or(self.now, |there| there.timestamp_millis())
    }

    /// A time of an earlier day, or some minutes ago where that is today and still to come.
    fn past(self, days: i64, hour: u32, minute: u32) -> i64 {
        self.time(days, hour, minute).min(self.now - Duration::minutes(2).num_milliseconds())
    }
}

/// Assigned collectors: none, one or two.
pub(super) fn collectors_of(n: usize) -> Vec<&'static str> {
    let first = COLLECTORS[n % COLLECTORS.len()];
    match n {
        50..56 => Vec::new(),
        20 | 21 | 41 => vec![first, COLLECTORS[(n + 1) % COLLECTORS.len()]],
        _ => vec![first],
    }
}

/// What happens to the record of a number.
pub(super) fn plan(n: usize, days: Calendar) -> Plan {
    let Some(first) = collectors_of(n).first().copied() else { return Plan::default() };
    let mut teller = Teller { n, days, acts: Vec::new() };
    let mut plan = Plan::default();
    match n {
        // Fourteen contacted, one of them on hold.
        0..14 => {
            teller.contacts();
            if n == 3 {
                teller.act(-1, 11, 5, raise(Flag::Dispute, days, "借款人称金额有误,要求核对"));
            }
        }
        // The first five have an appointment today, others on the next days.
        14..26 => {
            teller.contacts();
            let day = if n < 19 { 0 } else { i64::try_from(n % 4).unwrap_or(0) + 1 };
            let hour = 9 + u32::try_from(n % 5).unwrap_or(0) * 2;
            teller.appointment(day, hour);
        }
        26..28 => {
            teller.visit(0, 9);
        }
        28..32 => {
            teller.visit(-1, 10);
            teller.talk(-1, 10);
        }
        32..38 => teller.whole(-2),
        38..41 => {
            teller.whole(-3);
            plan.ending = Ending::Accepted;
        }
        41..43 => {
            teller.whole(-3);
            plan.ending = Ending::Returned("请补充到场人员,并说明分期方案的首期日期");
        }
        43 => {
            teller.contacts();
            plan.hold = Some(raise(Flag::Vulnerable, days, "借款人住院,暂停上门"));
        }
        44 => teller.nobody_home(),
        _ => {}
    }
    plan.acts.push((first, teller.acts));
    if matches!(n, 20 | 21) {
        plan.acts.extend(apart(n, days));
    }
    plan
}

/// The second collector moves the appointment without having seen the first one's.
fn apart(n: usize, days: Calendar) -> Option<(&'static str, Vec<(i64, Act)>)> {
    let second = collectors_of(n).get(1).copied()?;
    let starts_at = days.time(2, 19, 0);
    let patch = AppointmentPatch {
        starts_at: Some(starts_at),
        ends_at: Some(starts_at + Duration::minutes(45).num_milliseconds()),
        ..AppointmentPatch::default()
    };
    let acts = vec![
        (days.past(-1, 17, 20), Act::Do(Command::EditAppointment(patch))),
        (days.past(-1, 17, 21), Act::Notes("借款人来电,希望改到晚上七点。")),
    ];
    Some((second, acts))
}

fn raise(flag: Flag, days: Calendar, note: &str) -> Command {
    Command::RaiseHold { flag, since: days.past(-1, 11, 0), until: None, note: note.to_owned() }
}

/// Writes down what one collector does.
struct Teller {
    n: usize,
    days: Calendar,
    acts: Vec<(i64, Act)>,
}

impl Teller {
    fn act(&mut self, day: i64, hour: u32, minute: u32, command: Command) {
        self.acts.push((self.days.past(day, hour, minute), Act::Do(command)));
    }

    /// An id that no other entry of the demo has.
    fn id(&self) -> String {
        let mut seed = [0; 10];
        let numbers = [self.n, self.acts.len()].map(|n| u8::try_from(n).unwrap_or(u8::MAX));
        seed[8..].copy_from_slice(&numbers);
        RecordId::v7(self.days.now, seed).to_string()
    }

    fn contacts(&mut self) {
        let earlier = -3 - i64::try_from(self.n % 3).unwrap_or(0);
        self.contact(earlier, 10, ContactOutcome::NoAnswer, TargetRole::Nobody, "");
        if self.n % 4 != 1 {
            let note = "说明来意,借款人表示近期周转困难,愿意面谈";
            self.contact(-2, 15, ContactOutcome::Reached, TargetRole::Borrower, note);
        }
    }

    fn contact(
        &mut self,
        day: i64,
        hour: u32,
        outcome: ContactOutcome,
        target_role: TargetRole,
        note: &str,
    ) {
        let contact = NewContact {
            id: self.id(),
            at: self.days.past(day, hour, 12),
            channel: Channel::Call,
            number_ref: "phones.0".to_owned(),
            target_role,
            outcome,
            note: note.to_owned(),
        };
        self.act(day, hour, 14, Command::LogContact(contact));
    }

    fn appointment(&mut self, day: i64, hour: u32) {
        let starts_at = self.days.time(day, hour, 30);
        let proposal = AppointmentProposal {
            starts_at,
            ends_at: starts_at + Duration::hours(1).num_milliseconds(),
            place: "借款人住处".to_owned(),
            proposed_by: ProposedBy::Collector,
            borrower_remark: "请勿告知邻居".to_owned(),
        };
        let agreed = Command::AnswerAppointment { status: AppointmentStatus::Agreed };
        let asked = day.min(-1) - 1;
        self.act(asked, 15, 30, Command::ProposeAppointment(proposal));
        self.act(asked, 15, 33, agreed);
    }

    /// On the way and at the door.
    fn visit(&mut self, day: i64, hour: u32) {
        self.contacts();
        self.appointment(day, hour);
        self.act(day, hour, 2, Command::Depart { at: self.days.past(day, hour, 2) });
        let at = self.days.past(day, hour, 31);
        let position = Some(Position { lat: 29.874, lon: 121.551, accuracy_m: 18.0, at });
        self.act(day, hour, 31, Command::Arrive(Arrival { at, position }));
        let patch = VisitPatch {
            place_type: Some(PlaceType::Home),
            add_visitor: collectors_of(self.n).first().map(|name| (*name).to_owned()),
            ..VisitPatch::default()
        };
        self.act(day, hour, 32, Command::EditVisit(patch));
    }

    fn check(&mut self, day: i64, hour: u32, minute: u32, item: CheckItem) {
        let at = self.days.past(day, hour, minute);
        let (answer, grade) = (Some(CheckAnswer::Yes), Grade::Attested);
        self.act(day, hour, minute, Command::Check { item, answer, grade, at, reason: None });
    }

    /// The talk and its outcome.
    fn talk(&mut self, day: i64, hour: u32) {
        let at_the_door = [
            CheckItem::IdentityStated,
            CheckItem::IdShown,
            CheckItem::CredentialsShown,
            CheckItem::IdentityVerified,
            CheckItem::PurposeStated,
            CheckItem::ConvenientNow,
            CheckItem::RecordingAnnounced,
        ];
        for item in at_the_door {
            self.check(day, hour, 34, item);
        }
        let options = [(OptionKind::FullPayment, 1, 0), (OptionKind::Instalments, 6, 6)];
        let mut chosen = None;
        for (kind, instalments, term_months) in options {
            let id = self.id();
            let first_due = self.days.date(14);
            let amount = 600_000;
            chosen = Some(id.clone());
            let option = RepaymentOption { id, kind, instalments, first_due, amount, term_months };
            self.act(day, hour, 40, Command::OfferOption(option));
        }
        let promised = self.n.is_multiple_of(2);
        let disposition = if promised { Disposition::Ptp } else { Disposition::Considering };
        let talk = TalkPatch {
            overdue_reason: Some(OverdueReason::CashFlow),
            overdue_reason_text: Some("货款未到,预计下月回款".to_owned()),
            willingness: Some(Willingness::WillingUnable),
            disposition: Some(disposition),
        };
        self.act(day, hour, 44, Command::EditTalk(talk));
        if promised {
            self.act(day, hour, 46, Command::ChooseOption { id: chosen });
            let promise = PromiseToPay {
                amount: 100_000,
                due_date: self.days.date(14),
                channel: "银行转账".to_owned(),
            };
            self.act(day, hour, 47, Command::Promise { promise: Some(promise) });
        }
        let times = VisitPatch {
            talk_from: Some(self.days.past(day, hour, 35)),
            talk_to: Some(self.days.past(day, hour, 50)),
            left_at: Some(self.days.past(day, hour, 55)),
            person_met: Some(TargetRole::Borrower),
            ..VisitPatch::default()
        };
        self.act(day, hour, 55, Command::EditVisit(times));
        let noted = self.days.past(day, hour, 56);
        self.acts.push((noted, Act::Notes("面谈约一刻钟,借款人态度配合。")));
        self.acts.push((noted, Act::Feedback("希望工作日晚上联系,不要打单位电话。")));
    }

    /// From the first call to the seal.
    fn whole(&mut self, day: i64) {
        let hour = 10 + u32::try_from(self.n % 4).unwrap_or(0) * 2;
        self.visit(day, hour);
        self.talk(day, hour);
        self.check(day, hour, 57, CheckItem::ReadBack);
        self.act(day, hour, 58, Command::Seal { at: self.days.past(day, hour, 58) });
    }

    fn nobody_home(&mut self) {
        self.visit(-1, 14);
        let patch = VisitPatch {
            person_met: Some(TargetRole::Nobody),
            left_at: Some(self.days.past(-1, 14, 45)),
            ..VisitPatch::default()
        };
        self.act(-1, 14, 45, Command::EditVisit(patch));
        let talk = TalkPatch { disposition: Some(Disposition::NotHome), ..TalkPatch::default() };
        self.act(-1, 14, 46, Command::EditTalk(talk));
    }
}
