//! Property tests: honest histories before the office's judge, and changes that are almost honest
//! (rules M1 to M4).
//!
//! Collectors and a supervisor act at random within the app's rules, on phones that are offline for
//! a while, through the real record API, workspace and office. Honest changes are merged, with two
//! exceptions that go to quarantine: changes to a record that was withdrawn before they arrived
//! (F1), and changes that together with those of others make a record too large (M3). A seal, a
//! review or a return that the author had not seen refuses nothing, since a change is judged by the
//! state its author saw (M2).
//!
//! The cases are the same in each run; `PROPTEST_CASES` runs that many random ones instead.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use super::history::{History, Step};
use crate::support::office::TestOffice;
use crate::support::phone::{TestPhone, contact};
use doorstep::office::Acceptance;
use doorstep::record::command::{Command, TextEdit};
use doorstep::record::terms::Role;
use doorstep::workspace::RecordProblem;
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRng, TestRunner};

/// Histories that are tried with every test run: some seconds in a debug build.
const QUICK: u32 = 16;

/// What people do in a history that is long enough to say something.
const COMMANDS: [&str; 34] = [
    "AddAttachment",
    "AddPayment",
    "Amend",
    "AnswerAppointment",
    "Arrive",
    "Assign",
    "Check",
    "ChooseOption",
    "Clear",
    "Depart",
    "EditAppointment",
    "EditFeedback",
    "EditNotes",
    "EditTalk",
    "EditVisit",
    "GiveConsent",
    "LiftHold",
    "LogContact",
    "OfferOption",
    "OverrideWarning",
    "Promise",
    "ProposeAppointment",
    "RaiseHold",
    "RecordNotice",
    "RecordWish",
    "Resolve",
    "Review",
    "Seal",
    "Sign",
    "SummarizeContacts",
    "UpdateCase",
    "WithdrawConsent",
    "WithdrawOption",
    "accept",
];

#[test]
fn m2_no_honest_history_is_refused() {
    let carried_out: RefCell<BTreeMap<String, usize>> = RefCell::default();
    run(steps(10..120), |steps| async {
        let mut history = History::new().await;
        history.live(steps).await;
        let done = history.end().await;
        let mut all = carried_out.borrow_mut();
        done.into_iter().for_each(|(word, times)| *all.entry(word).or_default() += times);
    });
    let carried_out = carried_out.into_inner();
    let never: Vec<_> = COMMANDS.iter().filter(|word| !carried_out.contains_key(**word)).collect();
    assert!(never.is_empty(), "never carried out: {never:?} of {carried_out:?}");
}

#[test]
fn m2_no_forgery_of_an_honest_change_is_merged() {
    let forgeries = proptest::collection::vec(any::<u64>(), 1..24);
    let tried: RefCell<BTreeSet<&str>> = RefCell::default();
    run((steps(1..40), forgeries), |(steps, forgeries)| async {
        let mut history = History::new().await;
        history.live(steps).await;
        for salt in forgeries {
            let what = history.forge(salt).await;
            tried.borrow_mut().extend(what);
        }
        // The honest changes that they were made of are merged after all.
        history.end().await;
    });
    assert_eq!(tried.into_inner().len(), super::forge::KINDS);
}

/// A reply is lost, other users build on the confirmed work, and one of them seals the record. The
/// phone must not treat its accepted changes as refused (R4).
#[tokio::test]
async fn p4_work_that_others_built_on_is_confirmed_by_theirs() {
    let mut history = History::new().await;
    history
        .live(vec![
            Step::Write { phone: 2, record: 1, salt: 14829028743963887963 },
            Step::Write { phone: 0, record: 1, salt: 184734361700005546 },
            Step::Write { phone: 0, record: 1, salt: 6862257680050571104 },
            Step::Round { phone: 2, reply_comes: false },
            Step::Desk { record: 1, salt: 6039568326794801829 },
            Step::CatchUp { phone: 0 },
            Step::Write { phone: 2, record: 1, salt: 13135383378318624864 },
            Step::CatchUp { phone: 1 },
            Step::Write { phone: 0, record: 0, salt: 16564893373314702058 },
            Step::Write { phone: 2, record: 0, salt: 14784461393920880614 },
            Step::CatchUp { phone: 2 },
        ])
        .await;
    history.end().await;
}

/// An actor is never used again, also where the record went and came back in between (rule I1).
#[tokio::test]
async fn i1_work_continues_after_a_record_was_withdrawn_and_reassigned() {
    let mut history = History::new().await;
    let salts = [1, 2];
    let write = |salt| Step::Write { phone: 0, record: 0, salt };
    let give = |to| Step::Assign { record: 0, to };
    let catch_up = || Step::CatchUp { phone: 0 };
    history
        .live(vec![
            write(salts[0]),
            give(1),
            catch_up(),
            give(3),
            catch_up(),
            write(salts[1]),
            Step::Accept,
            catch_up(),
        ])
        .await;
    history.end().await;
}

/// Each text fits its field; together they do not.
#[tokio::test]
async fn m3_a_text_that_two_made_too_long_together_waits_until_there_is_room() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let notes = |heads: Vec<String>, text: &str| {
        Command::EditNotes(TextEdit { base: heads, text: text.repeat(25_000) })
    };
    let command = notes(phone.view(ids[0]).heads, "甲");
    phone.apply(ids[0], &command);
    phone.apply(ids[0], &contact("in the same spell"));
    let command = notes(office.visit(ids[0]).await.expect("there").heads, "乙");
    office.command(ids[0], command, "lin.yue", Role::Supervisor).await.expect("allowed");
    phone.sync(&office).await;
    assert_eq!(phone.problem(ids[0]), Some(RecordProblem::RefusedInvalidRecord));
    let kept = office.quarantine_item(1).await.expect("kept");
    assert_eq!((kept.line.path.as_str(), kept.line.message.as_str()), ("notes", "too long"));
    assert_eq!(kept.line.units, ["notes", "contacts.in the same spell"]);
    assert!(matches!(kept.acceptance, Acceptance::Impossible { path, .. } if path == "notes"));

    let base = office.visit(ids[0]).await.expect("there").heads;
    let shorter = Command::EditNotes(TextEdit { base, text: "two floors up".into() });
    office.command(ids[0], shorter, "lin.yue", Role::Supervisor).await.expect("allowed");
    office
        .accept_quarantined(1, None, "", "lin.yue", Role::Supervisor)
        .await
        .expect("there is room");
    phone.sync(&office).await;
    phone.assert_in_step();
    assert_eq!(phone.problem(ids[0]), None);
    let view = office.visit(ids[0]).await.expect("there");
    assert_eq!((view.notes.chars().count(), view.contacts.len()), (25_013, 1));
    assert_eq!(phone.view(ids[0]), view);
}

fn steps(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(Step::any(), count)
}

fn run<S: Strategy, F: Future<Output = ()>>(what: S, test: impl Fn(S::Value) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let given = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => TestRunner::new(given),
        // The same ones each time.
        None => {
            let rng = TestRng::deterministic_rng(given.rng_algorithm);
            TestRunner::new_with_rng(ProptestConfig { cases: QUICK, ..given }, rng)
        }
    };
    let ran = runner.run(&what, |value| {
        runtime.block_on(test(value));
        Ok(())
    });
    match ran {
        Ok(()) => {}
        Err(TestError::Abort(reason)) => panic!("{reason}"),
        Err(TestError::Fail(reason, value)) => panic!("{reason}\nthe shortest: {value:#?}"),
    }
}
