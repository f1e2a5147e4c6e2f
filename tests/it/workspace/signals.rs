//! When the phone asks the office: signals and polls (rules R7, R8).

use crate::support::office::TestOffice;
use crate::support::phone::{TestPhone, contact};

#[tokio::test]
async fn r8_the_signal_of_an_own_edit_causes_no_round() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut signals = office.subscribe();
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    // The signal comes before the reply, or after it.
    for before in [true, false] {
        let requests = phone.requests;
        phone.apply(ids[0], &contact(if before { "c1" } else { "c2" }));
        phone.now += 1_000;
        assert!(phone.wake_if_due());
        let reply = phone.answer(&office).await.unwrap();
        let seq = signals.recv().await.unwrap().seq;
        if before {
            phone.workspace.feed_moved(seq, phone.now);
        }
        let sent = phone.sent.take().unwrap();
        phone.workspace.replied(sent.round, &reply, phone.now);
        phone.run();
        phone.workspace.feed_moved(seq, phone.now);
        phone.run();
        assert_eq!((phone.requests - requests, phone.sent.is_some()), (1, false));
        phone.assert_in_step();
    }
    // A signal of which the office lost count may be of anything.
    phone.workspace.feed_moved(0, phone.now);
    phone.run();
    assert!(phone.sent.is_some());
}

#[tokio::test]
async fn r8_the_signal_of_another_edit_causes_one_round_also_during_a_round() {
    let (office, ids) = TestOffice::with_records(1).await;
    let mut signals = office.subscribe();
    let (mut phone, mut other) = (TestPhone::new("chen.jie", 1), TestPhone::new("chen.jie", 2));
    phone.sync(&office).await;
    other.sync(&office).await;
    for during in [false, true] {
        let requests = phone.requests;
        if during {
            phone.workspace.sync_now(phone.now);
            phone.run();
        }
        // The reply that is on its way does not have the edit yet.
        let reply = if during { Some(phone.answer(&office).await.unwrap()) } else { None };
        other.apply(ids[0], &contact(if during { "c1" } else { "c2" }));
        other.sync(&office).await;
        phone.workspace.feed_moved(signals.recv().await.unwrap().seq, phone.now);
        phone.run();
        if let Some(reply) = reply {
            let sent = phone.sent.take().unwrap();
            phone.workspace.replied(sent.round, &reply, phone.now);
            phone.run();
            assert!(phone.sent.is_some());
        }
        phone.round(&office).await;
        let expected = 1 + usize::from(during);
        assert_eq!((phone.requests - requests, phone.sent.is_some()), (expected, false));
        assert_eq!(phone.view(ids[0]).contacts, other.view(ids[0]).contacts);
        phone.assert_in_step();
    }
}

#[tokio::test]
async fn r7_an_idle_phone_polls_once_a_minute_only_while_the_event_stream_is_down() {
    let (office, _) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let polls_after = |phone: &mut TestPhone, seconds: i64| {
        phone.now += seconds * 1_000;
        phone.wake_if_due()
    };
    assert!(!polls_after(&mut phone, 59) && polls_after(&mut phone, 1));
    phone.round(&office).await;
    phone.workspace.set_streamed(true, phone.now);
    phone.run();
    assert!(polls_after(&mut phone, 60), "the poll that was due before");
    phone.round(&office).await;
    assert!(!polls_after(&mut phone, 890));
    phone.workspace.set_streamed(false, phone.now);
    phone.run();
    assert!(polls_after(&mut phone, 10), "not later than it was due");
    phone.round(&office).await;
    phone.workspace.set_streamed(true, phone.now);
    phone.workspace.set_streamed(false, phone.now);
    phone.run();
    assert!(!polls_after(&mut phone, 59) && polls_after(&mut phone, 1));
}
