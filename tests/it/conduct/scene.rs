//! A record and a question, put together in a few words. Times are the borrower's, of 2026:
//! `11-03 10:00`, a Tuesday.

use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use doorstep::conduct::terms::Answer;
use doorstep::conduct::view::{ConductView, RuleAnswer};
use doorstep::conduct::{EvalInput, ExternalFacts, Moment, Policy, evaluate, zones};
use doorstep::ids::RecordId;
use doorstep::record::command::{AssignmentPatch, CasePatch, Position};
use doorstep::record::terms::{
    AppointmentStatus, AttachmentKind, Channel, CheckAnswer, CheckItem, ConductKind,
    ContactOutcome, Disposition, Flag, Grade, NoticeAbout, OptionKind, PlaceType, ProposedBy,
    ReviewStatus, Role, TargetRole,
};
use doorstep::record::view::{
    AttachmentView, CheckView, ConductEntry, ContactCount, ContactSummary, ContactView, FlagView,
    OptionView, PaymentView, VisitView,
};
use doorstep::record::{Author, Record};

#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) view: VisitView,
    pub(crate) moment: Moment,
    pub(crate) at: i64,
    pub(crate) known: ExternalFacts,
    pub(crate) zone: Tz,
}

fn author() -> Author {
    Author {
        actor: doorstep::ids::actor(doorstep::ids::DeviceId([1; 16]), 1),
        user: "office".into(),
        role: Role::Supervisor,
        now_ms: 0,
        zone: "Etc/UTC".into(),
    }
}

/// A record of a policy in a zone, asked on 3 November at ten in the morning, before departure.
/// The office has spoken just now.
pub(crate) fn scene(policy: &str, zone: Tz) -> Scene {
    let case = CasePatch { zone: Some(zone.name().into()), ..CasePatch::default() };
    let assignment = AssignmentPatch { policy: Some(policy.into()), ..Default::default() };
    let id = RecordId([7; 16]);
    let record = Record::create(id, "C1", &case, &assignment, &author()).expect("made");
    let mut scene = Scene {
        view: record.view(),
        moment: Moment::Before,
        at: 0,
        known: ExternalFacts::default(),
        zone,
    };
    scene.at = scene.ms("11-03 10:00");
    scene.known.office_as_of = Some(scene.at);
    scene.summary(&[])
}

pub(crate) fn cn() -> Scene {
    scene("CN", chrono_tz::Asia::Shanghai)
}
pub(crate) fn us() -> Scene {
    scene("US", chrono_tz::America::New_York)
}
pub(crate) fn product() -> Scene {
    scene("product", chrono_tz::Asia::Shanghai)
}

impl Scene {
    pub(crate) fn ms(&self, when: &str) -> i64 {
        let text = if when.len() > 11 { when.to_owned() } else { format!("2026-{when}") };
        let text = if text.len() == 16 { format!("{text}:00") } else { text };
        let wall = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f").expect("a time");
        self.zone.from_local_datetime(&wall).earliest().expect("is there").timestamp_millis()
    }
    pub(crate) fn at(mut self, when: &str) -> Self {
        self.at = self.ms(when);
        self.known.office_as_of = Some(self.at);
        self.view.case.contact_summary.iter_mut().for_each(|summary| summary.as_of = self.at);
        self
    }
    pub(crate) fn on_arrival(mut self) -> Self {
        self.moment = Moment::Arrival;
        self
    }
    pub(crate) fn after(mut self) -> Self {
        self.moment = Moment::After;
        self
    }
    /// A visit, asked after it.
    pub(crate) fn visit(mut self, from: &str, to: &str) -> Self {
        self.view.visit.departed_at = Some(self.ms(from) - 60_000);
        self.view.visit.arrived_at = Some(self.ms(from));
        if !to.is_empty() {
            self.view.visit.left_at = Some(self.ms(to));
        }
        self.after()
    }
    /// A visit on the day, in the morning.
    pub(crate) fn visited(self) -> Self {
        self.visit("11-03 10:00", "11-03 10:30")
    }
    pub(crate) fn met(mut self, person: TargetRole) -> Self {
        self.view.visit.person_met = Some(person);
        self
    }
    pub(crate) fn met_borrower(self) -> Self {
        self.visited().met(TargetRole::Borrower)
    }
    pub(crate) fn talk(mut self, from: &str) -> Self {
        self.view.visit.talk_from = Some(self.ms(from));
        self
    }
    pub(crate) fn place(mut self, place: PlaceType) -> Self {
        self.view.visit.place_type = Some(place);
        self
    }
    /// Both collectors are named.
    pub(crate) fn two(self) -> Self {
        self.visitors(&["a", "b"])
    }
    pub(crate) fn visitors(mut self, names: &[&str]) -> Self {
        self.view.visit.visitors = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }
    pub(crate) fn asked_to_leave(mut self, when: &str) -> Self {
        self.view.visit.asked_to_leave_at = Some(self.ms(when));
        self
    }
    pub(crate) fn position(mut self, when: &str) -> Self {
        let at = self.ms(when);
        self.view.visit.position = Some(Position { lat: 1.0, lon: 1.0, accuracy_m: 9.0, at });
        self
    }
    pub(crate) fn check(self, item: CheckItem, answer: CheckAnswer) -> Self {
        self.check_at(item, answer, "11-03 10:01")
    }
    pub(crate) fn check_at(mut self, item: CheckItem, answer: CheckAnswer, when: &str) -> Self {
        let check = CheckView {
            item,
            by: format!("c{}", self.view.checks.len()),
            answer,
            at: self.ms(when),
            grade: Grade::Attested,
            reason: String::new(),
        };
        self.view.checks.push(check);
        self
    }
    pub(crate) fn yes(self, items: &[CheckItem]) -> Self {
        items.iter().fold(self, |scene, item| scene.check(*item, CheckAnswer::Yes))
    }
    pub(crate) fn contact(
        mut self,
        when: &str,
        channel: Channel,
        who: TargetRole,
        outcome: ContactOutcome,
    ) -> Self {
        let id = format!("k{}", self.view.contacts.len());
        self.view.contacts.push(ContactView {
            id,
            at: self.ms(when),
            zone: self.zone.name().into(),
            channel,
            number_ref: "phones.0".into(),
            target_role: who,
            outcome,
            note: String::new(),
            by: "chen".into(),
        });
        self.view.contacts.sort_by_key(|contact| contact.at);
        self
    }
    pub(crate) fn call(self, when: &str, outcome: ContactOutcome) -> Self {
        self.contact(when, Channel::Call, TargetRole::Borrower, outcome)
    }
    pub(crate) fn calls(self, whens: &[&str], outcome: ContactOutcome) -> Self {
        whens.iter().fold(self, |scene, when| scene.call(when, outcome))
    }
    pub(crate) fn other(self, when: &str, outcome: ContactOutcome) -> Self {
        self.contact(when, Channel::Call, TargetRole::ThirdParty, outcome)
    }
    pub(crate) fn summary(mut self, counts: &[(&str, i64)]) -> Self {
        let counts = counts
            .iter()
            .map(|(name, count)| ContactCount { name: (*name).into(), count: *count })
            .collect();
        self.view.case.contact_summary = Some(ContactSummary { as_of: self.at, counts });
        self
    }
    /// The last successful round is this many hours old.
    pub(crate) fn old(mut self, hours: i64) -> Self {
        let then = self.at - hours * 3_600_000;
        self.known.office_as_of = Some(then);
        self.view.case.contact_summary.iter_mut().for_each(|summary| summary.as_of = then);
        self
    }
    pub(crate) fn no_summary(mut self) -> Self {
        self.view.case.contact_summary = None;
        self
    }
    pub(crate) fn never_in_step(mut self) -> Self {
        self.known.office_as_of = None;
        self
    }
    pub(crate) fn hold(mut self, flag: Flag, since: &str, until: &str) -> Self {
        let until = (!until.is_empty()).then(|| self.ms(until));
        let since = self.ms(since);
        let raised = FlagView { flag, by: "office".into(), since, until, note: String::new() };
        self.view.case.flags.push(raised);
        self
    }
    pub(crate) fn appointment(mut self, from: &str, to: &str, status: AppointmentStatus) -> Self {
        self.view.appointment.starts_at = Some(self.ms(from));
        self.view.appointment.ends_at = Some(self.ms(to));
        self.view.appointment.status = Some(status);
        self
    }
    pub(crate) fn agreed(self, from: &str, to: &str) -> Self {
        self.appointment(from, to, AppointmentStatus::Agreed)
    }
    pub(crate) fn proposed_by(mut self, by: ProposedBy) -> Self {
        self.view.appointment.proposed_by = Some(by);
        self
    }
    pub(crate) fn entry(mut self, kind: ConductKind, when: &str) -> Self {
        let entry = ConductEntry {
            id: format!("e{}", self.view.conduct.len()),
            kind,
            at: self.ms(when),
            by: "chen".into(),
            policy: String::new(),
            moment: None,
            heads: Vec::new(),
            answers: String::new(),
            skew: None,
            rule: String::new(),
            note: String::new(),
            from: None,
            until: None,
            grade: Some(Grade::Attested),
            of: String::new(),
            about: None,
            days: 127,
            starts: 0,
            ends: 0,
            place: None,
        };
        self.view.conduct.push(entry);
        self
    }
    fn last(&mut self) -> &mut ConductEntry {
        self.view.conduct.last_mut().expect("an entry")
    }
    pub(crate) fn consent(self, rule: &str, from: &str, until: &str) -> Self {
        let bounds = (self.ms(from), self.ms(until));
        let mut scene = self.entry(ConductKind::Consent, from);
        let entry = scene.last();
        entry.rule = rule.into();
        (entry.from, entry.until) = (Some(bounds.0), Some(bounds.1));
        scene
    }
    pub(crate) fn withdrawn(self, of: &str, when: &str) -> Self {
        let mut scene = self.entry(ConductKind::Withdrawal, when);
        scene.last().of = of.into();
        scene
    }
    pub(crate) fn overridden(self, rule: &str) -> Self {
        let mut scene = self.entry(ConductKind::Override, "11-03 09:00");
        scene.last().rule = rule.into();
        scene.last().note = "the borrower called and asked us to come".into();
        scene
    }
    pub(crate) fn notice(self, about: NoticeAbout, when: &str) -> Self {
        let mut scene = self.entry(ConductKind::Notice, when);
        scene.last().about = Some(about);
        scene
    }
    /// Minutes of every day that the borrower does not want.
    pub(crate) fn wish(self, starts: i64, ends: i64) -> Self {
        let mut scene = self.entry(ConductKind::Wish, "11-01 10:00");
        (scene.last().starts, scene.last().ends) = (starts, ends);
        scene
    }
    pub(crate) fn option(mut self, kind: OptionKind, term_months: i64) -> Self {
        self.view.talk.options.push(OptionView {
            id: format!("o{}", self.view.talk.options.len()),
            kind,
            instalments: 3,
            first_due: "2026-12-01".into(),
            amount: 100,
            term_months,
            offered_by: "chen".into(),
        });
        self
    }
    pub(crate) fn payment(mut self, channel: &str) -> Self {
        self.view.payments.push(PaymentView {
            id: "p".into(),
            amount: 1,
            at: self.at,
            channel: channel.into(),
            reference: String::new(),
            receipt: String::new(),
            by: "chen".into(),
        });
        self
    }
    pub(crate) fn recording(mut self) -> Self {
        self.view.attachments.push(AttachmentView {
            sha256: "00".repeat(32),
            media_type: "audio/webm".into(),
            size: 1,
            taken_at: self.at,
            kind: AttachmentKind::Audio,
            caption: String::new(),
            by: "chen".into(),
        });
        self
    }
    pub(crate) fn accepted(mut self) -> Self {
        self.view.review.status = ReviewStatus::Accepted;
        self
    }
    pub(crate) fn kept(mut self, months: i64) -> Self {
        self.known.retention_months = Some(months);
        self
    }
    pub(crate) fn outcome(mut self, disposition: Disposition) -> Self {
        self.view.talk.disposition = Some(disposition);
        self
    }
    /// The phone's clock is this many minutes fast.
    pub(crate) fn skewed(mut self, minutes: i64) -> Self {
        self.known.skew_ms = Some(minutes * 60_000);
        self
    }
    pub(crate) fn no_zone(mut self) -> Self {
        self.view.case.zone = "Nowhere/Known".into();
        self
    }

    pub(crate) fn ask(&self) -> ConductView {
        self.ask_by(&Policy::default())
    }
    pub(crate) fn ask_by(&self, policy: &Policy) -> ConductView {
        let zone = zones::around(&self.view.case.zone, self.at);
        evaluate(
            &policy.select(&self.view),
            &EvalInput {
                view: &self.view,
                moment: self.moment,
                at: self.at,
                zone: Some(&zone),
                facts: self.known,
            },
        )
    }
    pub(crate) fn rule(&self, id: &str) -> RuleAnswer {
        let found = self.ask().answers.into_iter().find(|answer| answer.rule == id);
        found.unwrap_or_else(|| panic!("{id} is not asked"))
    }
    pub(crate) fn answer(&self, id: &str) -> Answer {
        self.rule(id).answer
    }
}
