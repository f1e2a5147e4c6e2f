//! Fields that belong together stay together (rule M10).

use automerge::ScalarValue;
use automerge::transaction::Transactable;
use doorstep::record::command::{AppointmentPatch, Command};
use doorstep::record::terms::{Role, Stage};
use doorstep::record::view::VisitView;
use doorstep::sync::message::RefusalCode;
use rstest::rstest;

use super::authority::{Sealed, left, merged, object, promise, refused, returned};
use crate::support::office::TestOffice;
use crate::support::sync_client::{START, SyncClient, propose};

/// What wu.min writes by hand after a return of the record that chen.jie had sealed.
#[rstest]
#[case::the_time_alone(&["at"])]
#[case::all_but_the_name(&["at", "device", "heads"])]
#[case::all_but_the_device(&["at", "by", "heads"])]
#[case::all_but_the_state(&["at", "by", "device"])]
#[case::all_but_the_time(&["by", "device", "heads"])]
#[tokio::test]
async fn m10_no_user_seals_under_a_colleagues_name(#[case] keys: &[&str]) {
    let Sealed { office, id, mut wu, .. } = Sealed::new(false).await;
    office.command(id, returned(), "lin.yue", Role::Supervisor).await.unwrap();
    wu.sync(&office).await;
    let device = wu.session().device.to_string();
    let change = wu.raw(id, |tx| {
        let seal = object(tx, &["seal"]);
        for key in keys {
            let value: ScalarValue = match *key {
                "at" => ScalarValue::Timestamp(START + 9),
                "by" => "wu.min".into(),
                "device" => device.as_str().into(),
                _ => "0".repeat(64).into(),
            };
            tx.put(&seal, *key, value)?;
        }
        Ok(())
    });
    assert_eq!(refused(&wu.push(&office, id, vec![change]).await).0, RefusalCode::NotAllowed);
    assert_eq!(office.visit(id).await.unwrap().stage, Stage::Recorded);
    wu.write(id, Command::Seal { at: START + 9 });
    assert!(merged(&wu.sync(&office).await.results[0]));
    let seal = office.visit(id).await.unwrap().seal.unwrap();
    assert_eq!((seal.by.as_str(), seal.device), ("wu.min", device));
    office.assert_sound().await;
}

#[tokio::test]
async fn m10_a_seal_cannot_be_taken_apart() {
    let Sealed { office, id, mut wu, .. } = Sealed::new(false).await;
    office.command(id, returned(), "lin.yue", Role::Supervisor).await.unwrap();
    wu.sync(&office).await;
    let change = wu.raw(id, |tx| {
        let seal = object(tx, &["seal"]);
        tx.delete(&seal, "at")
    });
    assert_eq!(refused(&wu.push(&office, id, vec![change]).await).0, RefusalCode::NotAllowed);
}

#[rstest]
#[case::a_date_without_an_amount(&["amount"])]
#[case::an_amount_without_a_date(&["due_date", "channel"])]
#[tokio::test]
async fn m10_half_a_promise_is_none(#[case] gone: &[&str]) {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    chen.write(id, promise(100, "2026-05-01", "bank"));
    chen.sync(&office).await;
    let change = chen.raw(id, |tx| {
        let promise = object(tx, &["talk", "promise"]);
        gone.iter().try_for_each(|key| tx.delete(&promise, *key))
    });
    assert_eq!(refused(&chen.push(&office, id, vec![change]).await).0, RefusalCode::NotAllowed);
    chen.write(id, Command::Promise { promise: None });
    assert!(merged(&chen.sync(&office).await.results[0]));
    office.assert_sound().await;
}

/// However the operations are numbered, one of two promises wins in every field, and so does one
/// of two windows; picking one picks all of it.
#[tokio::test]
async fn m10_two_concurrent_promises_and_windows_never_mix() {
    for (ahead, behind) in [(0, 0), (1, 0), (2, 0), (3, 0), (0, 2), (5, 4), (4, 5)] {
        let office = TestOffice::ticking();
        let id = office.add_visit("C-1", &["chen.jie", "wu.min"]).await;
        let (mut chen, mut wu) = (SyncClient::new("chen.jie", 1), SyncClient::new("wu.min", 2));
        chen.sync(&office).await;
        chen.write(id, promise(50, "2026-04-01", "cash"));
        chen.write(id, propose(1));
        chen.sync(&office).await;
        wu.sync(&office).await;
        for (phone, times) in [(&mut chen, ahead), (&mut wu, behind)] {
            for n in 0..times {
                phone.write(id, left(START + n));
            }
        }
        chen.write(id, promise(100, "2026-05-01", "cash"));
        chen.write(id, window(Some(5), None));
        wu.write(id, promise(200, "2026-04-01", "bank"));
        wu.write(id, window(None, Some(9)));
        chen.sync(&office).await;
        wu.sync(&office).await;
        let view = office.visit(id).await.unwrap();
        let said = view.talk.promise.clone().unwrap();
        let said = (said.amount, said.due_date, said.channel);
        let sides = [
            (100, "2026-05-01".to_owned(), "cash".to_owned()),
            (200, "2026-04-01".to_owned(), "bank".to_owned()),
        ];
        assert!(sides.contains(&said), "{said:?}");
        let hours = |view: &VisitView| {
            let hour = |ms: Option<i64>| ms.map(|ms| (ms - START) / 3_600_000);
            (hour(view.appointment.starts_at), hour(view.appointment.ends_at))
        };
        let windows = [(Some(5), Some(2)), (Some(1), Some(9))];
        assert!(windows.contains(&hours(&view)), "{:?}", hours(&view));
        chen.sync(&office).await;
        let view = chen.view(id);
        let starts = view.conflicts.iter().find(|one| one.path == "appointment.starts_at").unwrap();
        for pick in &starts.values {
            let mut picks = chen.restored();
            let path = "appointment.starts_at".to_owned();
            picks.write(id, Command::Resolve { path, pick: pick.id.clone() });
            let view = picks.view(id);
            assert!(windows.contains(&hours(&view)), "{:?}", hours(&view));
            assert!(!view.conflicts.iter().any(|one| one.path.starts_with("appointment.")));
        }
        office.assert_sound().await;
    }
}

fn window(starts: Option<i64>, ends: Option<i64>) -> Command {
    let hour = |hour: i64| START + hour * 3_600_000;
    Command::EditAppointment(AppointmentPatch {
        starts_at: starts.map(hour),
        ends_at: ends.map(hour),
        ..AppointmentPatch::default()
    })
}
