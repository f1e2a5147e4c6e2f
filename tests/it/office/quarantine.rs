//! Refused work from the phone to the supervisor and back, and devices that are shut out, with
//! real workspaces and the real office (rules M4, F1, F4, R6).

use doorstep::ids::{Heads, RecordId};
use doorstep::office::store::{QuarantineFilter, QuarantineState};
use doorstep::office::{Acceptance, Office, OfficeError, QuarantineError};
use doorstep::record::command::{AssignmentPatch, CasePatch, Command, TextEdit};
use doorstep::record::terms::Role;
use doorstep::record::view::FieldValue;
use doorstep::sync::message::{Outcome, RefusalCode};
use doorstep::workspace::{RecordProblem, Table};

use crate::support::office::TestOffice;
use crate::support::phone::{NOW, TestPhone, contact};
use crate::support::program::BINARY;
use crate::support::sync_client::{self, SyncClient, payment};

pub(super) const BY: &str = "lin.yue";
const ZONE: &str = "Asia/Shanghai";

/// A phone that was tampered with writes what is the office's, and a call; the office refuses both.
pub(super) async fn refused(office: &Office, record: RecordId) -> TestPhone {
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(office).await;
    phone.claims = Role::Supervisor;
    phone.restart();
    let forgiven = CasePatch { overdue: Some(0), ..Default::default() };
    phone.apply(record, &Command::UpdateCase(Box::new(forgiven)));
    phone.claims = Role::Collector;
    phone.restart();
    phone.lose_reply();
    phone.apply(record, &contact("refused with it"));
    phone.sync(office).await;
    assert_eq!(phone.problem(record), Some(RecordProblem::RefusedNotAllowed));
    phone
}

pub(super) async fn accept(office: &Office, id: u64) -> Result<Acceptance, OfficeError> {
    let item = office.accept_quarantined(id, None, "", BY, Role::Supervisor).await?;
    Ok(item.acceptance)
}

pub(super) async fn assert_sound(office: &Office) {
    let verified = office.verify().await.expect("read");
    assert!(verified.ok, "{:?}", verified.problems);
}

async fn assign(office: &Office, record: RecordId, users: &[&str]) {
    let collectors = Some(users.iter().map(|user| (*user).to_owned()).collect());
    let command = Command::Assign(AssignmentPatch { collectors, ..Default::default() });
    office.command(record, command, BY, Role::Supervisor).await.expect("allowed");
}

#[tokio::test]
async fn m4_accepted_work_is_merged_once_and_the_phone_learns_it() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = refused(&office, ids[0]).await;
    let item = office.quarantine_item(1).await.expect("kept");
    assert_eq!(item.line.units, ["case.overdue", "contacts.refused with it"]);
    assert_eq!((item.acceptance, item.went_on), (Acceptance::Merge, false));
    let overdue = item.fields.iter().find(|field| field.path == "case.overdue").expect("there");
    assert_eq!(overdue.refused, FieldValue::Number(0));
    assert_eq!(overdue.office, FieldValue::Number(150_000));
    assert_eq!(overdue.after, Some(FieldValue::Number(0)));

    // The collector keeps working.
    phone.apply(ids[0], &contact("written since"));
    let seen = Heads::from_hex(&item.heads);
    let accepted =
        office.accept_quarantined(1, seen, "agreed by phone", BY, Role::Supervisor).await;
    let accepted = accepted.expect("possible");
    assert_eq!(
        (accepted.line.state, accepted.acceptance),
        (QuarantineState::Accepted, Acceptance::Duplicate)
    );
    let receipts = office.store().read_with(|reads| reads.receipts(ids[0])).expect("read");
    let last = receipts.last().expect("there");
    assert_eq!((last.quarantine, last.user.as_str(), last.hashes.len()), (Some(1), BY, 2));
    assert_eq!(accepted.decisions[0].receipt, Some(last.n));
    let view = office.visit(ids[0]).await.expect("there");
    assert_eq!((view.case.overdue, view.contacts[0].by.as_str()), (0, "chen.jie"));

    // Twice is once.
    accept(&office, 1).await.expect("again");
    let again = office.store().read_with(|reads| reads.receipts(ids[0])).expect("read");
    assert_eq!(again.len(), receipts.len());

    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(phone.problem(ids[0]), None);
    let view = office.visit(ids[0]).await.expect("there");
    assert_eq!(view.contacts.len(), 2, "nothing twice, and later contacts too");
    assert_eq!(phone.view(ids[0]), view);
    phone.restart();
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_sound(&office).await;
}

#[tokio::test]
async fn m4_an_accepted_push_reaches_a_phone_that_lost_its_place_too() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = refused(&office, ids[0]).await;
    accept(&office, 1).await.expect("possible");
    // Without a cursor the phone's records are compared; differing ones are sent whole.
    phone.tables.get_mut(&Table::Meta).expect("there").remove("cursor");
    phone.restart();
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(phone.problem(ids[0]), None);
    assert_eq!(phone.view(ids[0]), office.visit(ids[0]).await.expect("there"));
}

#[tokio::test]
async fn m4_a_dismissal_needs_a_reason_reaches_the_phone_and_is_not_the_end() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = refused(&office, ids[0]).await;
    let without = office.dismiss_quarantined(1, " ", BY).await;
    assert_eq!(without, Err(OfficeError::Quarantine(QuarantineError::Reason)));
    let item = office.dismiss_quarantined(1, "the debt stands", BY).await.expect("kept");
    assert_eq!(item.line.state, QuarantineState::Dismissed);
    let twice = office.dismiss_quarantined(1, "another word", BY).await.expect("kept");
    assert_eq!(twice.decisions.len(), 1);

    phone.sync(&office).await;
    phone.open(ids[0]);
    let work = phone.workspace.refused_work(ids[0]).expect("refused");
    assert_eq!((work.accepted, work.reason.as_deref()), (Some(false), Some("the debt stands")));
    assert_eq!(office.visit(ids[0]).await.expect("there").case.overdue, 150_000);

    accept(&office, 1).await.expect("it is still kept");
    let after = office.dismiss_quarantined(1, "no", BY).await;
    assert_eq!(after, Err(OfficeError::Quarantine(QuarantineError::Accepted)));
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_sound(&office).await;
}

/// What a command of the real program prints and leaves with.
fn program(office: &TestOffice, args: &[&str]) -> (i32, String) {
    let database = office.address();
    let mut program = std::process::Command::new(BINARY);
    let done = program.arg("quarantine").args(args).env("DOORSTEP_DATABASE", database).output();
    let done = done.unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.code().unwrap_or(-1), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn m4_the_command_line_lists_shows_dismisses_and_accepts() {
    let (office, ids) = TestOffice::with_records(1).await;
    let ask = |args: &[&str]| program(&office, args);
    assert_eq!(ask(&["list"]), (0, "nothing is in quarantine\n".into()));
    let mut phone = refused(&office, ids[0]).await;
    let (code, listed) = ask(&["list", "--state", "open"]);
    assert!(code == 0 && listed.contains("chen.jie"), "{listed}");
    assert!(listed.contains("NB0000  not_allowed  case.overdue"), "{listed}");
    assert_eq!(ask(&["list", "--state", "soon"]).0, 2);
    let (code, shown) = ask(&["show", "1"]);
    assert!(code == 0 && shown.contains("case.overdue: 0 (office: 150000)"), "{shown}");
    assert_eq!(ask(&["show", "2"]).0, 1);

    assert_ne!(ask(&["dismiss", "1", "--reason", " "]).0, 0);
    let (code, shown) = ask(&["dismiss", "1", "--reason", "the debt stands"]);
    assert!(code == 0 && shown.contains("the debt stands"), "{shown}");
    assert_eq!(ask(&["list", "--state", "open"]), (0, "nothing is in quarantine\n".into()));
    assert_eq!(office.visit(ids[0]).await.expect("there").case.overdue, 150_000);

    let (code, shown) = ask(&["accept", "1", "--reason", "paid in cash at the branch"]);
    assert!(code == 0 && shown.contains("the record has all of it"), "{shown}");
    assert_eq!(office.visit(ids[0]).await.expect("there").case.overdue, 0);
    assert_eq!(ask(&["accept", "1"]).0, 0, "twice is once");
    let (code, said) = ask(&["dismiss", "1", "--reason", "no"]);
    assert!(code == 1 && said.contains("accepted before"), "{said}");
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_sound(&office).await;
}

#[tokio::test]
async fn m4_accepting_needs_the_current_heads_of_the_record() {
    let (office, ids) = TestOffice::with_records(1).await;
    refused(&office, ids[0]).await;
    let seen = office.quarantine_item(1).await.expect("kept").heads;
    assign(&office, ids[0], &["chen.jie", "wu.min"]).await;
    let moved =
        office.accept_quarantined(1, Heads::from_hex(&seen), "", BY, Role::Supervisor).await;
    assert_eq!(moved, Err(OfficeError::Quarantine(QuarantineError::Moved)));
    assert_eq!(office.visit(ids[0]).await.expect("there").case.overdue, 150_000);
    let item = office.quarantine_item(1).await.expect("kept");
    assert_eq!(item.line.state, QuarantineState::Open);
    assert_ne!(item.heads, seen);
}

#[tokio::test]
async fn f1_work_on_a_withdrawn_record_can_be_accepted_and_refused_work_is_submitted_too() {
    let (office, ids) = TestOffice::with_records(2).await;
    let mut phone = refused(&office, ids[0]).await;
    phone.apply(ids[1], &contact("unsent"));
    for id in &ids {
        assign(&office, *id, &["wu.min"]).await;
    }
    phone.sync(&office).await;
    phone.assert_in_step();
    assert!(phone.ids().is_empty(), "refused work does not keep a withdrawn record");
    let page = office
        .quarantine_page(QuarantineFilter { limit: 9, ..QuarantineFilter::default() })
        .await
        .expect("read");
    assert_eq!(page.total, 2, "the same work is kept once");
    assert_eq!(page.rows[0].code, "withdrawn");
    assert_eq!(accept(&office, page.rows[0].id).await, Ok(Acceptance::Duplicate));
    assert_eq!(office.visit(ids[1]).await.expect("there").contacts.len(), 1);
    assert_sound(&office).await;
}

#[tokio::test]
async fn r6_work_with_missing_dependencies_is_quarantined_and_its_values_can_be_reapplied() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    chen.write(id, sync_client::contact(1));
    let base = chen.view(id).heads;
    chen.write(id, payment(2, 700));
    chen.write(id, Command::EditNotes(TextEdit { base, text: "付了".into() }));
    let mut request = chen.request();
    // The first change is gone from the phone, however that came.
    request.push[0].changes.remove(0);
    request.quarantine = Some(vec![id]);
    let reply = chen.exchange(&office, request).await;
    let Outcome::Refused { code, quarantine, .. } = reply.results[0] else { panic!("{reply:?}") };
    assert_eq!(code, RefusalCode::MissingDependencies);

    let item = office.quarantine_item(quarantine).await.unwrap();
    assert_eq!(item.acceptance, Acceptance::Rewrite);
    accept(&office, quarantine).await.unwrap();
    let view = office.visit(id).await.unwrap();
    assert_eq!((view.payments.len(), view.payments[0].by.as_str()), (1, "chen.jie"));
    assert_eq!(view.notes, "付了");
    // The office wrote it, and says so.
    let history = office.history(id).await.unwrap();
    assert!(history.iter().any(|line| line.entry.path == "notes" && line.entry.by == BY));
    accept(&office, quarantine).await.unwrap();
    assert_eq!(office.visit(id).await.unwrap().notes, "付了");
    office.assert_sound().await;
}

#[tokio::test]
async fn m4_acceptance_waives_nothing_but_role_and_stage() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    // No change at all.
    let Outcome::Refused { quarantine, code, .. } = chen.push(&office, id, vec![vec![7; 40]]).await
    else {
        panic!()
    };
    assert_eq!(code, RefusalCode::Malformed);
    let item = office.quarantine_item(quarantine).await.unwrap();
    assert!(item.fields.is_empty());
    let impossible = accept(&office, quarantine).await;
    assert!(matches!(
        impossible,
        Err(OfficeError::Quarantine(QuarantineError::Impossible { code: "malformed", .. }))
    ));
    office.dismiss_quarantined(quarantine, "noise", BY).await.unwrap();

    // A payment that another phone of the same user makes into another one.
    chen.write(id, payment(1, 500));
    chen.sync(&office).await;
    let mut other = SyncClient::new("chen.jie", 2);
    other.sync(&office).await;
    let before = office.visit(id).await.unwrap();
    let forged = forged_payment(&other, id);
    let Outcome::Refused { quarantine, .. } = other.push(&office, id, vec![forged]).await else {
        panic!()
    };
    let refused = accept(&office, quarantine).await;
    assert!(
        matches!(refused, Err(OfficeError::Quarantine(QuarantineError::Impossible { .. }))),
        "{refused:?}"
    );
    assert_eq!(office.visit(id).await.unwrap(), before, "nothing half done");
    let open = QuarantineFilter {
        state: Some(QuarantineState::Open),
        limit: 9,
        ..QuarantineFilter::default()
    };
    assert_eq!(office.quarantine_page(open).await.unwrap().total, 1);
    office.assert_sound().await;
}

/// A change that writes over the amount of the record's payment.
fn forged_payment(phone: &SyncClient, id: RecordId) -> Vec<u8> {
    use automerge::ReadDoc;
    use automerge::transaction::{CommitOptions, Transactable};
    let mut doc = phone.document(id);
    doc.set_actor(doorstep::ids::actor(phone.session().device, 9));
    let payments = doc.get(automerge::ROOT, "payments").unwrap().unwrap().1;
    let key = doc.keys(&payments).next().unwrap();
    let payment = doc.get(&payments, key).unwrap().unwrap().1;
    let options = CommitOptions::default().with_message("chen.jie");
    doc.transact_with::<_, _, automerge::AutomergeError, _>(
        |()| options,
        |tx| tx.put(&payment, "amount", 1),
    )
    .unwrap();
    doc.get_last_local_change().unwrap().raw_bytes().to_vec()
}

#[tokio::test]
async fn m4_selected_values_are_reapplied_once() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = refused(&office, ids[0]).await;
    let base = phone.view(ids[0]).heads;
    phone.apply(ids[0], &Command::EditNotes(TextEdit { base, text: "saw the shop".into() }));
    // The office writes on meanwhile.
    let base = office.visit(ids[0]).await.expect("there").heads;
    let notes = Command::EditNotes(TextEdit { base, text: "call first. ".into() });
    office.command(ids[0], notes, BY, Role::Supervisor).await.expect("allowed");
    phone.sync(&office).await;

    phone.open(ids[0]);
    let work = phone.workspace.refused_work(ids[0]).expect("refused");
    let shown: Vec<(&str, bool)> =
        work.fields.iter().map(|field| (field.unit.as_str(), field.again)).collect();
    assert!(shown.contains(&("case.overdue", false)), "the office's to write: {shown:?}");
    assert!(shown.contains(&("contacts.refused with it", true)), "{shown:?}");
    let picked = ["contacts.refused with it".to_owned(), "notes".to_owned()];

    // What is not the person's to write is not written by picking it.
    let all = ["case.overdue".to_owned()];
    assert!(phone.workspace.resolve_refused(ids[0], &all, &[], 70, NOW, ZONE).is_err());
    assert_eq!(phone.problem(ids[0]), Some(RecordProblem::RefusedNotAllowed));

    // Power goes before anything is on the disk: it is as before.
    let before = phone.tables.clone();
    phone.workspace.resolve_refused(ids[0], &picked, &[], 71, NOW, ZONE).expect("refused");
    phone.restart();
    assert_eq!(phone.tables, before);
    assert_eq!(phone.problem(ids[0]), Some(RecordProblem::RefusedNotAllowed));

    // It is on the disk, and power goes before it is sent: once.
    phone.open(ids[0]);
    let ticket =
        phone.workspace.resolve_refused(ids[0], &picked, &[], 72, NOW, ZONE).expect("refused");
    phone.saved = 0;
    run_without_network(&mut phone);
    assert_eq!(Some(phone.saved), ticket);
    phone.restart();
    phone.open(ids[0]);
    let twice = phone.workspace.resolve_refused(ids[0], &picked, &[], 73, NOW, ZONE);
    assert!(twice.is_err(), "nothing is refused any more");
    phone.sync(&office).await;
    phone.assert_in_step();
    let view = office.visit(ids[0]).await.expect("there");
    assert_eq!((view.contacts.len(), view.case.overdue), (1, 150_000));
    assert!(
        view.notes.contains("call first.") && view.notes.contains("saw the shop"),
        "{}",
        view.notes
    );
    assert_eq!(phone.view(ids[0]), view);
    // The supervisor sees that the author has continued.
    assert!(office.quarantine_item(1).await.expect("kept").went_on);
    // The refused changes are still there.
    let damaged = phone.tables.get(&Table::Damaged).expect("kept");
    assert_eq!(damaged.keys().filter(|key| key.starts_with("refused/")).count(), 3);
    assert_sound(&office).await;
}

fn run_without_network(phone: &mut TestPhone) {
    phone.run();
    if phone.sent.is_some() {
        phone.lose_reply();
    }
}
