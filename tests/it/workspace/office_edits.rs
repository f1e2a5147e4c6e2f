//! What the office's edits and decisions do to the records on a phone: conflicts, withdrawals,
//! refusals.

use doorstep::ids::RecordId;
use doorstep::office::Office;
use doorstep::record::command::{
    AppointmentPatch, AppointmentProposal, AssignmentPatch, CasePatch, Command, TalkPatch, TextEdit,
};
use doorstep::record::terms::{Disposition, ProposedBy, Role};
use doorstep::workspace::{RecordProblem, RecordState, SyncState, Table};
use rstest::rstest;

use crate::support::office::TestOffice;
use crate::support::phone::{NOW, TestPhone, contact};

#[rstest]
#[case::the_one_that_shows(0)]
#[case::the_other(1)]
#[tokio::test]
async fn two_values_are_shown_on_both_sides_until_one_is_picked(#[case] keep: usize) {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.apply(ids[0], &proposal());
    phone.sync(&office).await;

    phone.apply(ids[0], &starts(NOW + 60_000));
    desk(&office, ids[0], &starts(NOW + 120_000)).await;
    phone.sync(&office).await;
    let here = phone.view(ids[0]).conflicts;
    assert_eq!(here.len(), 1);
    assert_eq!(here, office.visit(ids[0]).await.expect("there").conflicts);

    let pick = here[0].values[keep].clone();
    phone.apply(ids[0], &Command::Resolve { path: here[0].path.clone(), pick: pick.id });
    phone.sync(&office).await;
    let there = office.visit(ids[0]).await.expect("there");
    assert!(there.conflicts.is_empty());
    assert_eq!(there, phone.view(ids[0]));
    phone.assert_in_step();
}

#[tokio::test]
async fn notes_of_both_sides_merge_by_character() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let base = phone.view(ids[0]).heads;
    phone.apply(ids[0], &Command::EditNotes(TextEdit { base, text: "door".into() }));
    desk(&office, ids[0], &notes_of(&office, ids[0], "二楼 ").await).await;
    phone.sync(&office).await;
    let notes = phone.view(ids[0]).notes;
    assert!(notes == "door二楼 " || notes == "二楼 door", "{notes}");
    assert_eq!(office.visit(ids[0]).await.expect("there").notes, notes);
}

#[tokio::test]
async fn f1_a_withdrawn_record_is_erased_once_its_work_is_submitted() {
    let (office, ids) = TestOffice::with_records(2).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.apply(ids[0], &contact("unsent"));
    for id in &ids {
        let unassign = AssignmentPatch { collectors: Some(vec![]), ..Default::default() };
        desk(&office, *id, &Command::Assign(unassign)).await;
    }
    phone.sync(&office).await;
    phone.assert_in_step();
    assert!(phone.ids().is_empty());
    for table in [Table::Records, Table::Chunks, Table::Outbox] {
        assert!(phone.tables.get(&table).is_none_or(|rows| rows.is_empty()), "{table:?}");
    }
    let kept = office.quarantine().await.expect("read");
    assert_eq!((kept.len(), kept[0].user.as_str()), (1, "chen.jie"));
}

#[tokio::test]
async fn f1_a_reassigned_record_is_sent_as_a_document() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let assign = |users: &[&str]| {
        let collectors = Some(users.iter().map(|user| (*user).to_owned()).collect());
        Command::Assign(AssignmentPatch { collectors, ..Default::default() })
    };
    desk(&office, ids[0], &assign(&["wu.min"])).await;
    phone.sync(&office).await;
    assert!(phone.ids().is_empty());
    desk(&office, ids[0], &assign(&["wu.min", "chen.jie"])).await;
    phone.sync(&office).await;
    assert_eq!(phone.view(ids[0]).assignment.collectors, ["chen.jie", "wu.min"]);
    phone.assert_in_step();
}

#[tokio::test]
async fn m4_refused_work_waits_for_a_user_and_delays_nothing_else() {
    let (office, ids) = TestOffice::with_records(2).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    // A program that was tampered with lets its person write what is the office's.
    phone.claims = Role::Supervisor;
    phone.restart();
    let forgiven = CasePatch { overdue: Some(0), ..Default::default() };
    phone.apply(ids[0], &Command::UpdateCase(Box::new(forgiven)));
    phone.claims = Role::Collector;
    phone.restart();
    phone.apply(ids[0], &contact("after it"));
    phone.apply(ids[1], &contact("elsewhere"));
    phone.sync(&office).await;

    assert_eq!(phone.problem(ids[0]), Some(RecordProblem::RefusedNotAllowed));
    assert_eq!(phone.status().state, SyncState::Attention);
    assert_eq!(office.visit(ids[0]).await.expect("there").case.overdue, 150_000);
    assert_eq!(office.visit(ids[1]).await.expect("there").contacts.len(), 1, "nothing waits");
    let kept = office.quarantine().await.expect("read");
    assert_eq!((kept[0].path.as_str(), kept[0].user.as_str()), ("case.overdue", "chen.jie"));
    let requests = phone.requests;
    phone.sync(&office).await;
    assert_eq!(phone.requests, requests + 1, "not sent again and again");

    phone.open(ids[0]);
    phone.workspace.resolve_refused(ids[0], &[], &[], 77, NOW, "Asia/Shanghai").expect("open");
    phone.run();
    assert_eq!(phone.view(ids[0]), office.visit(ids[0]).await.expect("there"));
    phone.apply(ids[0], &contact("what still holds"));
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(office.visit(ids[0]).await.expect("there").contacts.len(), 1);
}

#[tokio::test]
async fn rows_of_the_list_have_the_state_of_their_record() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let state = |phone: &TestPhone| phone.workspace.list()[0].state;
    assert_eq!(state(&phone), RecordState::AtOffice);
    phone.apply(ids[0], &outcome(Disposition::Hardship));
    assert_eq!(state(&phone), RecordState::OnPhone);
    phone.workspace.sync_now(phone.now);
    phone.run();
    assert_eq!(state(&phone), RecordState::Sending);
    phone.round(&office).await;
    assert_eq!(state(&phone), RecordState::AtOffice);
}

/// An edit by the office.
pub(super) async fn desk(office: &Office, record: RecordId, command: &Command) {
    office.command(record, command.clone(), "lin.yue", Role::Supervisor).await.expect("allowed");
}

pub(super) async fn notes_of(office: &Office, record: RecordId, text: &str) -> Command {
    let base = office.visit(record).await.expect("there").heads;
    Command::EditNotes(TextEdit { base, text: text.into() })
}

fn outcome(disposition: Disposition) -> Command {
    Command::EditTalk(TalkPatch { disposition: Some(disposition), ..Default::default() })
}

fn proposal() -> Command {
    Command::ProposeAppointment(AppointmentProposal {
        starts_at: NOW,
        ends_at: NOW + 3_600_000,
        place: "12 Mill Road".into(),
        proposed_by: ProposedBy::Collector,
        borrower_remark: String::new(),
    })
}

fn starts(at: i64) -> Command {
    Command::EditAppointment(AppointmentPatch { starts_at: Some(at), ..Default::default() })
}

/// An own change comes back only as something that others' work builds on, in the reply that refuses
/// what followed it: what is confirmed must be what the document says, or the phone would compare
/// all its records for nothing.
#[tokio::test]
async fn p4_own_work_that_others_build_on_is_confirmed_beside_a_refusal() {
    let office = TestOffice::open();
    let id = office.add_visit("C-1", &["chen.jie", "wu.min"]).await;
    let (mut chen, mut wu) = (TestPhone::new("chen.jie", 1), TestPhone::new("wu.min", 2));
    chen.sync(&office).await;
    chen.apply(id, &contact("c1"));
    chen.workspace.sync_now(chen.now);
    chen.run();
    chen.answer(&office).await.expect("merged");
    chen.lose_reply();

    wu.sync(&office).await;
    let patch = TalkPatch { disposition: Some(Disposition::NotHome), ..TalkPatch::default() };
    wu.apply(id, &Command::EditTalk(patch));
    wu.apply(id, &Command::Seal { at: NOW });
    wu.sync(&office).await;
    wu.assert_in_step();

    chen.apply(id, &contact("c2"));
    chen.sync(&office).await;
    let status = chen.status();
    assert_eq!((status.unsent, status.repairs), (1, 0), "{status:?}");
    assert!(chen.problem(id).is_some(), "the other change is refused");
}
