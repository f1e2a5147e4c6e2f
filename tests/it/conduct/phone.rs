//! Conduct on a phone and at the office: what stops a departure, and what is written down.

use crate::support::office::TestOffice;
use crate::support::phone::{NOW, TestPhone};
use doorstep::conduct::terms::{Answer, Moment, Verdict};
use doorstep::conduct::{Policy, builtin, parse, zones};
use doorstep::ids::RecordId;
use doorstep::office::store::ConductListing;
use doorstep::record::command::{
    AppointmentProposal, Arrival, AssignmentPatch, Command, NewConsent, TalkPatch, VisitPatch,
};
use doorstep::record::terms::{
    AppointmentStatus, ConductKind, Disposition, Flag, Grade, ProposedBy, Role,
};
use doorstep::workspace::WorkspaceError;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// 18 November 2026, 19:06 in Shanghai: the product's window has closed, the country's has not.
const EVENING: i64 = NOW;

fn ready(phone: &mut TestPhone, id: RecordId) {
    phone.workspace.add_zone(zones::around("Asia/Shanghai", NOW));
    phone.open(id);
}

/// Both collectors who go.
fn name_two(phone: &mut TestPhone, id: RecordId) {
    for name in ["chen.jie", "wu.min"] {
        let patch = VisitPatch { add_visitor: Some(name.into()), ..Default::default() };
        phone.apply(id, &Command::EditVisit(patch));
    }
}

fn try_to(phone: &mut TestPhone, id: RecordId, command: &Command) -> Result<(), WorkspaceError> {
    let done = phone.workspace.apply(id, command, phone.now, "Asia/Shanghai").map(drop);
    phone.run();
    done
}

fn propose(phone: &mut TestPhone, id: RecordId, from: i64) {
    let proposal = AppointmentProposal {
        starts_at: from,
        ends_at: from + HOUR,
        place: "12 Mill Road".into(),
        proposed_by: ProposedBy::Borrower,
        borrower_remark: String::new(),
    };
    phone.apply(id, &Command::ProposeAppointment(proposal));
}

#[tokio::test]
async fn a_block_stops_the_departure_until_the_earliest_lawful_time() {
    let (office, ids) = TestOffice::with_records(1).await;
    let id = ids[0];
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.open(id);
    let depart = Command::Depart { at: EVENING };
    let zone = "Asia/Shanghai".to_owned();
    assert_eq!(try_to(&mut phone, id, &depart), Err(WorkspaceError::ZoneNeeded { zone }));
    ready(&mut phone, id);
    name_two(&mut phone, id);
    let unsent = phone.status().unsent;

    let view = phone.workspace.conduct(id, Moment::Before, EVENING).expect("open");
    // 19:06:40 until 09:00.
    let lawful = EVENING + 13 * HOUR + 53 * MINUTE + 20_000;
    assert_eq!((view.verdict, view.next_lawful_at), (Verdict::WaitUntil, Some(lawful)));
    let stopped = WorkspaceError::Stopped { rules: vec!["P-01".into()], until: Some(lawful) };
    assert_eq!(try_to(&mut phone, id, &depart), Err(stopped));
    assert_eq!(phone.view(id).visit.departed_at, None, "nothing was written");
    assert_eq!(phone.status().unsent, unsent);

    // The borrower agrees to be visited now.
    propose(&mut phone, id, EVENING);
    assert!(try_to(&mut phone, id, &depart).is_err(), "proposed is not agreed");
    phone.apply(id, &Command::AnswerAppointment { status: AppointmentStatus::Agreed });
    let heads = phone.view(id).heads;
    try_to(&mut phone, id, &depart).expect("the borrower agreed");
    let view = phone.view(id);
    assert_eq!(view.visit.departed_at, Some(EVENING));
    let [kept] = view.conduct.as_slice() else { panic!("one evaluation: {:?}", view.conduct) };
    assert_eq!((kept.kind, kept.moment), (ConductKind::Evaluation, Some(Moment::Before)));
    assert_eq!(kept.heads, heads, "of the state before the departure");
    assert_eq!(kept.policy, "CN@2026-01-30+product@1");
    assert_eq!(kept.answers, "", "nothing failed, nothing was unknown");
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(office.visit(id).await.expect("there"), phone.view(id));
}

#[tokio::test]
async fn fewer_collectors_than_are_needed_do_not_set_out() {
    let (office, ids) = TestOffice::with_records(1).await;
    let id = ids[0];
    let noon = EVENING - 7 * HOUR;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    ready(&mut phone, id);
    let depart = Command::Depart { at: noon };
    for name in ["chen.jie", "wu.min"] {
        let view = phone.workspace.conduct(id, Moment::Before, noon).expect("open");
        assert_eq!((view.verdict, view.next_lawful_at), (Verdict::Dont, Some(noon)));
        let answer = view.answers.iter().find(|it| it.rule == "CN-04").expect("asked");
        // No visit alone yet, so no rule is broken.
        assert_eq!((answer.answer, answer.stops), (Answer::Unknown, true));
        let rules = vec!["CN-04".into(), "P-06".into()];
        let stopped = WorkspaceError::Stopped { rules, until: Some(noon) };
        assert_eq!(try_to(&mut phone, id, &depart), Err(stopped));
        // No waiting ends it, also where there is something to wait for.
        let view = phone.workspace.conduct(id, Moment::Before, EVENING).expect("open");
        assert_eq!(view.verdict, Verdict::Dont);
        assert!(view.next_lawful_at.is_some_and(|at| at > EVENING));
        assert_eq!(view.stopping().count(), 3);
        let patch = VisitPatch { add_visitor: Some(name.into()), ..Default::default() };
        phone.apply(id, &Command::EditVisit(patch));
    }
    try_to(&mut phone, id, &depart).expect("two go");
}

#[tokio::test]
async fn consent_has_a_scope_an_end_and_can_be_withdrawn() {
    let (office, ids) = TestOffice::with_records(1).await;
    let id = ids[0];
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    ready(&mut phone, id);
    name_two(&mut phone, id);
    let consent = |id: &str, rule: &str, until: i64| {
        Command::GiveConsent(NewConsent {
            id: id.into(),
            rule: rule.into(),
            from: EVENING - HOUR,
            until,
            grade: Grade::CounterpartyConfirmed,
            note: "come tonight".into(),
            at: EVENING,
        })
    };
    let verdict = |phone: &TestPhone| {
        phone.workspace.conduct(id, Moment::Before, EVENING).expect("open").verdict
    };
    phone.apply(id, &consent("a", "CN-01", EVENING + HOUR));
    assert_eq!(verdict(&phone), Verdict::WaitUntil, "of another rule");
    phone.apply(id, &consent("b", "P-01", EVENING));
    assert_eq!(verdict(&phone), Verdict::WaitUntil, "it has ended");
    phone.apply(id, &consent("c", "P-01", EVENING + HOUR));
    assert_eq!(verdict(&phone), Verdict::Go);
    let withdrawal =
        |of: &str| Command::WithdrawConsent { id: "w".into(), of: of.into(), at: EVENING };
    assert!(try_to(&mut phone, id, &withdrawal("nothing")).is_err());
    phone.apply(id, &withdrawal("c"));
    assert_eq!(verdict(&phone), Verdict::WaitUntil, "undone");
}

#[tokio::test]
async fn a_record_that_tells_of_a_bad_visit_is_taken_and_flagged() {
    let (office, ids) = TestOffice::with_records(1).await;
    let id = ids[0];
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    ready(&mut phone, id);
    // "Depart" was never pressed. They were there until half past eleven at night.
    let arrived = EVENING + 3 * HOUR;
    phone.apply(id, &Command::Arrive(Arrival { at: arrived, position: None }));
    phone.apply(
        id,
        &Command::EditVisit(VisitPatch {
            left_at: Some(arrived + HOUR),
            add_visitor: Some("chen.jie".into()),
            ..Default::default()
        }),
    );
    let talk = TalkPatch { disposition: Some(Disposition::NotHome), ..Default::default() };
    phone.apply(id, &Command::EditTalk(talk));
    phone.apply(id, &Command::Seal { at: arrived + 2 * HOUR });
    phone.sync(&office).await;
    phone.assert_in_step();

    let of = |rule: &'static str| ConductListing {
        answer: Some(Answer::Fail),
        rule: Some(rule.into()),
        after: None,
        limit: 10,
    };
    let sent = office.visit(id).await.expect("there").heads;
    assert_eq!(office.conduct_queue(of("CN-01")).await.expect("a page"), [], "not evaluated yet");
    assert_eq!(office.visit(id).await.expect("there").heads, sent, "reading writes nothing");
    office.keep_conduct(|_| ()).await.expect("evaluated");
    for rule in ["CN-01", "CN-04", "P-01"] {
        let rows = office.conduct_queue(of(rule)).await.expect("a page");
        assert_eq!(rows.iter().map(|row| row.record).collect::<Vec<_>>(), [id], "{rule}");
    }
    assert_eq!(office.conduct_queue(of("CN-10")).await.expect("a page"), []);
    let kept = office.visit(id).await.expect("there").conduct;
    let after: Vec<_> = kept.iter().filter(|it| it.moment == Some(Moment::After)).collect();
    assert!(after.iter().any(|it| it.by == "chen.jie"), "the phone's stays");
    let heads = office.visit(id).await.expect("there").heads;
    office.keep_conduct(|_| ()).await.expect("asked");
    let again = office.visit(id).await.expect("there");
    assert_eq!(again.heads, heads, "nothing new, nothing written");
    phone.sync(&office).await;
    phone.assert_in_step();
    assert!(office.verify().await.expect("verified").ok);
}

#[tokio::test]
async fn a_hold_of_the_office_stops_it_for_good() {
    let (office, ids) = TestOffice::with_records(1).await;
    let id = ids[0];
    let hold = Command::RaiseHold {
        flag: Flag::Vulnerable,
        since: NOW - HOUR,
        until: None,
        note: "hospital".into(),
    };
    office.command(id, hold, "lin.yue", Role::Supervisor).await.expect("raised");
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    ready(&mut phone, id);
    name_two(&mut phone, id);
    propose(&mut phone, id, EVENING);
    phone.apply(id, &Command::AnswerAppointment { status: AppointmentStatus::Agreed });
    let stopped = WorkspaceError::Stopped { rules: vec!["P-12".into()], until: None };
    assert_eq!(try_to(&mut phone, id, &Command::Depart { at: EVENING }), Err(stopped));
}

#[tokio::test]
async fn a_lenders_layer_is_learnt_and_kept() {
    let (office, ids) = TestOffice::with_records(1).await;
    let id = ids[0];
    let text = "id = \"acme\"\nversion = \"1\"\ntitle = \"Acme\"\n[[rule]]\nid = \"ACME-1\"\ntitle = \"No visits on Wednesdays\"\nscope = \"visit\"\nstatus = \"lender\"\nconfidence = \"S1\"\ncitation = \"handbook\"\nseverity = \"block\"\n[[rule.duty]]\nkind = \"permission\"\n";
    let mut policy = Policy::default();
    policy.add(parse::parse(text).expect("a layer")).expect("no clash");
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    ready(&mut phone, id);
    assert!(!phone.workspace.set_layers(b"not layers"));
    assert!(phone.workspace.set_layers(&builtin::pack(&policy.own())));
    phone.run();
    phone.restart();
    ready(&mut phone, id);
    let view = phone.workspace.conduct(id, Moment::Before, EVENING).expect("open");
    assert!(view.policy.ends_with("+acme@1"), "{}", view.policy);
    // The office names the policy of a record.
    let named = AssignmentPatch { policy: Some("US+product".into()), ..Default::default() };
    office.command(id, Command::Assign(named), "lin.yue", Role::Supervisor).await.expect("named");
    let view = office.conduct(id, None).await.expect("asked");
    assert_eq!((view.moment, view.policy.as_str()), (Moment::Before, "US@2021-11-30+product@1"));
}
