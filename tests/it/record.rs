//! The visit record through its life: made by the office, worked on at the door, sealed, reviewed.

mod fixtures;
mod history;
mod merging;
mod position;
mod receipts;

use automerge::ReadDoc;
use doorstep::record::command::{
    AppointmentPatch, Arrival, AssignmentPatch, CasePatch, Command, Position, PromiseToPay,
    ReviewMark,
};
use doorstep::record::terms::{
    CheckAnswer, CheckItem, Disposition, Flag, Grade, ReviewStatus, Role, Stage,
};
use doorstep::record::view::{FieldValue, Step};
use doorstep::record::{Record, genesis};
use rstest::rstest;

use fixtures::{NOW, author, created, office, payment, scheduled, sealed, talk, whole_visit};

#[test]
fn a_record_begins_with_the_first_change_of_its_schema() {
    let record = created();
    let first = record.document().get_change_by_hash(&genesis::hash()).expect("the first change");
    assert!(first.deps().is_empty());
    let view = record.view();
    assert_eq!((view.schema, view.case_no.as_str()), (1, "NB1"));
    assert_eq!(view.case.phones, ["19000000001"]);
    assert_eq!(view.assignment.collectors, ["chen.jie"]);
    assert_eq!(view.stage, Stage::Assigned);
    record.validate().expect("a valid record");
}

#[test]
fn a_visit_goes_through_every_stage() {
    let mut record = created();
    let collector = author("chen.jie", Role::Collector, 1);
    let office = author("lin.yue", Role::Supervisor, 9);
    let mut stages = vec![record.stage()];
    for command in whole_visit() {
        record.apply(&command, &collector).expect("allowed").expect("a change");
        if stages.last() != Some(&record.stage()) {
            stages.push(record.stage());
        }
    }
    let accept = Command::Review {
        status: ReviewStatus::Accepted,
        remark: String::new(),
        marks: Vec::new(),
        at: NOW,
    };
    record.apply(&accept, &office).expect("allowed");
    stages.push(record.stage());
    assert_eq!(
        stages,
        [
            Stage::Assigned,
            Stage::Contacted,
            Stage::Scheduled,
            Stage::OnSite,
            Stage::Recorded,
            Stage::Sealed,
            Stage::Reviewed
        ]
    );
    let view = record.view();
    assert!(view.steps.iter().all(|step| step.done), "{:?}", view.steps);
    assert_eq!(view.talk.promise.expect("a promise").amount, 50_000);
    record.validate().expect("a valid record");
    let again = Record::load(&record.save()).expect("loads");
    assert_eq!((again.heads(), again.view()), (record.heads(), record.view()));
}

#[test]
fn a_first_choice_can_be_undone_until_the_seal() {
    let mut record = created();
    let collector = author("chen.jie", Role::Collector, 1);
    let before = record.view();
    let position = Position { lat: 29.87, lon: 121.54, accuracy_m: 12.0, at: NOW };
    for command in [
        talk(Disposition::SafetyWithdrawn),
        Command::Arrive(Arrival { at: NOW, position: Some(position) }),
    ] {
        record.apply(&command, &collector).expect("allowed");
    }
    let paths = ["talk.disposition", "visit.arrived_at", "visit.zone"]
        .into_iter()
        .map(str::to_owned)
        .chain(["lat", "lon", "accuracy_m", "at"].map(|key| format!("visit.position.{key}")));
    let back = Command::Clear { paths: paths.collect() };
    record.apply(&back, &collector).expect("undone");
    let after = record.view();
    assert_eq!((after.talk, after.visit), (before.talk, before.visit));
    record.validate().expect("a valid record");
    assert_eq!(record.apply(&back, &collector).expect("nothing to undo"), None);

    let sealed = &mut sealed();
    let refusal = sealed.apply(&back, &collector).expect_err("sealed");
    assert_eq!(refusal.code(), "sealed");
}

#[test]
fn a_returned_record_is_open_until_it_is_sealed_again() {
    let mut record = sealed();
    let (collector, office) = (author("chen.jie", Role::Collector, 1), office());
    let back = Command::Review {
        status: ReviewStatus::Returned,
        remark: "the amount is missing".into(),
        marks: Vec::new(),
        at: NOW + 1,
    };
    record.apply(&back, &office).expect("allowed");
    assert_eq!(record.stage(), Stage::Recorded);
    record.apply(&talk(Disposition::Considering), &collector).expect("open again");
    record.apply(&Command::Seal { at: NOW + 2 }, &collector).expect("sealed anew");
    assert_eq!(record.stage(), Stage::Sealed);
}

#[test]
fn a_return_marks_fields_until_the_next_review() {
    let mut record = sealed();
    let office = office();
    let mark = |path: &str, note: &str| ReviewMark { path: path.into(), note: note.into() };
    let review = |status, marks| Command::Review {
        status,
        remark: "see the fields".into(),
        marks,
        at: NOW + 1,
    };
    for wrong in [mark("talk.mood", "why?"), mark("talk", " "), mark("visit left_at", "when?")] {
        let refusal = record.apply(&review(ReviewStatus::Returned, vec![wrong]), &office);
        assert_eq!(refusal.expect_err("invalid").code(), "invalid_value");
    }
    let marks = vec![mark("visit.left_at", "which\ntime?"), mark("checks.id_shown", "why not?")];
    let accept = review(ReviewStatus::Accepted, marks.clone());
    assert_eq!(record.apply(&accept, &office).expect_err("accepted").code(), "invalid_value");
    record.apply(&review(ReviewStatus::Returned, marks), &office).expect("allowed");
    record.validate().expect("a valid record");
    let expected = vec![mark("visit.left_at", "which time?"), mark("checks.id_shown", "why not?")];
    assert_eq!(record.view().review.marks, expected);
    record.apply(&review(ReviewStatus::Pending, Vec::new()), &office).expect("reverted");
    assert_eq!(record.view().review.marks, []);
    assert_eq!(record.stage(), Stage::Sealed);
}

#[rstest]
#[case::auditor_writes_nothing(Role::Auditor, talk(Disposition::Ptp), "not_allowed")]
#[case::office_writes_no_talk(Role::Supervisor, talk(Disposition::Ptp), "not_allowed")]
#[case::collector_assigns_nobody(
    Role::Collector,
    Command::Assign(AssignmentPatch { collectors: Some(vec![]), ..Default::default() }),
    "not_allowed"
)]
#[case::collector_changes_no_case(
    Role::Collector,
    Command::UpdateCase(Box::new(CasePatch { overdue: Some(0), ..Default::default() })),
    "not_allowed"
)]
#[case::no_amendment_before_the_seal(
    Role::Collector,
    Command::Amend { id: "a".into(), at: NOW, path: String::new(), text: "x".into() },
    "not_sealed"
)]
#[case::no_seal_without_an_outcome(Role::Collector, Command::Seal { at: NOW }, "invalid_value")]
#[case::no_impossible_date(
    Role::Collector,
    Command::Promise { promise: Some(PromiseToPay { amount: 1, due_date: "2026-02-30".into(), channel: String::new() }) },
    "invalid_value"
)]
#[case::nobody_takes_a_case_number_back(
    Role::Collector,
    Command::Clear { paths: vec!["case_no".into()] },
    "invalid_value"
)]
#[case::entries_are_not_taken_back(
    Role::Collector,
    Command::Clear { paths: vec!["talk.options.a".into()] },
    "invalid_value"
)]
#[case::office_takes_no_talk_back(
    Role::Supervisor,
    Command::Clear { paths: vec!["talk.disposition".into()] },
    "not_allowed"
)]
#[case::no_window_that_ends_first(
    Role::Collector,
    Command::EditAppointment(AppointmentPatch { starts_at: Some(2), ends_at: Some(1), ..Default::default() }),
    "invalid_value"
)]
#[case::not_possible_needs_a_reason(
    Role::Collector,
    Command::Check { item: CheckItem::IdShown, answer: Some(CheckAnswer::NotPossible), grade: Grade::Attested, at: NOW, reason: None },
    "invalid_value"
)]
#[case::no_review_before_the_seal(
    Role::Supervisor,
    Command::Review { status: ReviewStatus::Accepted, remark: String::new(), marks: Vec::new(), at: NOW },
    "invalid_value"
)]
fn invalid_commands_are_refused_and_change_nothing(
    #[case] role: Role,
    #[case] command: Command,
    #[case] code: &str,
) {
    let mut record = created();
    let heads = record.heads();
    let refusal = record.apply(&command, &author("chen.jie", role, 1)).expect_err("refused");
    assert_eq!(refusal.code(), code, "{refusal}");
    assert_eq!(record.heads(), heads);
}

#[test]
fn after_the_seal_a_collector_only_appends() {
    let mut record = sealed();
    let collector = author("chen.jie", Role::Collector, 1);
    let refusal = record.apply(&talk(Disposition::Rtp), &collector).expect_err("sealed");
    assert_eq!(refusal.code(), "sealed");
    let amend = Command::Amend {
        id: "01".into(),
        at: NOW,
        path: "talk.disposition".into(),
        text: "called back".into(),
    };
    record.apply(&amend, &collector).expect("appends");
    record.apply(&payment("p1"), &collector).expect("appends");
    let refusal = record.apply(&payment("p1"), &collector).expect_err("written once");
    assert_eq!(refusal.code(), "written_once");
}

#[test]
fn a_collector_raises_a_hold_and_cannot_lift_or_change_it() {
    let mut record = created();
    let collector = author("chen.jie", Role::Collector, 1);
    let raise = Command::RaiseHold {
        flag: Flag::Vulnerable,
        since: NOW,
        until: None,
        note: "in hospital".into(),
    };
    record.apply(&raise, &collector).expect("raised");
    assert_eq!(record.apply(&raise, &collector).expect_err("once").code(), "written_once");
    let lift = Command::LiftHold { flag: Flag::Vulnerable };
    assert_eq!(record.apply(&lift, &collector).expect_err("not lifted").code(), "written_once");
    record.apply(&lift, &office()).expect("the office lifts it");
    assert!(record.view().case.flags.is_empty());
}

#[test]
fn the_history_names_author_and_values_of_every_field() {
    let mut record = scheduled();
    let patch = AppointmentPatch { place: Some("the library".into()), ..Default::default() };
    record.apply(&Command::EditAppointment(patch), &office()).expect("allowed");
    let history = record.history();
    let last = history.last().expect("an entry");
    assert_eq!((last.path.as_str(), last.by.as_str()), ("appointment.place", "lin.yue"));
    assert_eq!(last.from, FieldValue::Text("12 Mill Road".into()));
    assert_eq!(last.to, FieldValue::Text("the library".into()));
    assert!(history.iter().any(|entry| entry.path == "case.borrower_name"));
    assert!(history.iter().all(|entry| !entry.by.is_empty() && entry.device.len() == 32));
}

#[test]
fn missing_fields_are_listed_by_step() {
    let missing = |record: &Record, step: Step| {
        let steps = record.view().steps;
        steps.into_iter().find(|view| view.step == step).expect("the step").missing
    };
    let record = created();
    assert_eq!(missing(&record, Step::Contact), ["contacts"]);
    assert!(missing(&record, Step::Record).contains(&"talk.disposition".to_owned()));
    assert!(missing(&scheduled(), Step::Appointment).is_empty());
}

#[rstest]
#[case::empty(b"".as_slice())]
#[case::garbage(b"no document".as_slice())]
#[case::cut(&genesis::BYTES[..100])]
fn bytes_of_no_record_do_not_load(#[case] bytes: &[u8]) {
    Record::load(bytes).expect_err("no record");
}
