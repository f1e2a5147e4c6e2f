//! Subscriptions to notices, and the queue of notices.

use doorstep::office::store::{
    Device, Notice, NoticeBasis, PushSubscription, SignIn, Store, StoreError, User, Writes,
};
use doorstep::record::terms::Role;
use std::sync::Arc;

use super::samples::{Engine, device, id, record, rows};

fn sign_in(n: u8, user: &str) -> SignIn {
    SignIn {
        device: device(n),
        user: user.into(),
        created_at: 5,
        used_at: 5,
        expires_at: 100,
        token: [n; 32],
        renewed_at: 5,
        next: None,
        last: None,
        ended: false,
    }
}

fn subscription(n: u8, user: &str) -> PushSubscription {
    PushSubscription {
        device: device(n),
        user: user.into(),
        signed_in_at: 5,
        endpoint: format!("https://push.example/{n}"),
        public_key: vec![4; 65],
        auth: [n; 16],
        zone: "Asia/Shanghai".into(),
        from_minute: 480,
        until_minute: 1_200,
    }
}

fn add_user(tx: &mut dyn Writes, name: &str) -> Result<(), StoreError> {
    tx.put_user(&User {
        name: name.into(),
        display_name: String::new(),
        role: Role::Collector,
        password_hash: String::new(),
        disabled_at: None,
        created_at: 1,
        subject: None,
    })
}

/// chen.jie with two subscribed phones, wu.min with one.
fn subscribe(store: &Arc<dyn Store>) {
    store
        .write_now(|tx| {
            add_user(tx, "chen.jie")?;
            add_user(tx, "wu.min")?;
            for (n, user) in [(1, "chen.jie"), (2, "chen.jie"), (3, "wu.min")] {
                tx.put_device(&Device::enrolled(device(n), user, 1))?;
                tx.put_sign_in(&sign_in(n, user))?;
                tx.put_push_subscription(&subscription(n, user))?;
            }
            Ok(())
        })
        .unwrap();
}

fn subscribed(store: &Arc<dyn Store>, now: i64) -> Vec<u8> {
    let on = |n: &u8| {
        let found = store.read_with(|reads| reads.push_subscription(device(*n), now)).unwrap();
        found.is_some()
    };
    (1..=3).filter(on).collect()
}

/// Device, notice and attempts of what is due.
fn due(store: &Arc<dyn Store>, now: i64) -> Vec<(u8, Notice, u32)> {
    let due = store.read_with(|reads| reads.due_notices(now, 9)).unwrap();
    assert!(due.is_empty() || store.read_with(|reads| reads.has_due_notices(now)).unwrap());
    let mut due: Vec<_> =
        due.iter().map(|due| (due.subscription.device.0[0], due.notice, due.attempts)).collect();
    due.sort();
    due
}

pub(super) fn a_subscription_ends_with_its_sign_in(engine: &Engine) {
    let store = &engine.store;
    subscribe(store);
    let other = PushSubscription { auth: [9; 16], from_minute: 0, ..subscription(1, "chen.jie") };
    let put = other.clone();
    store.write_now(move |tx| tx.put_push_subscription(&put)).unwrap();
    let found = store.read_with(|reads| reads.push_subscription(device(1), 50)).unwrap();
    assert_eq!(found, Some(other));
    assert_eq!(subscribed(store, 50), [1, 2, 3]);
    assert!(subscribed(store, 100).is_empty(), "the sign-ins have expired");

    store.write_now(|tx| tx.queue_notice("chen.jie", Notice::NewWork, 10)).unwrap();
    // A sign-out; a token that is replaced; a later sign-in; a sign-in that the office ends.
    store.write_now(|tx| tx.end_sign_in(&[1; 32])).unwrap();
    let renewed = SignIn { token: [8; 32], used_at: 20, ..sign_in(2, "chen.jie") };
    store.write_now(move |tx| tx.put_sign_in(&renewed)).unwrap();
    assert_eq!(subscribed(store, 50), [2, 3]);
    assert_eq!(due(store, 50), [(2, Notice::NewWork, 0)]);
    store.write_now(|tx| tx.end_sign_ins_of("wu.min")).unwrap();
    assert_eq!(subscribed(store, 50), [2]);
    let later = SignIn { created_at: 30, ..sign_in(2, "chen.jie") };
    store.write_now(move |tx| tx.put_sign_in(&later)).unwrap();
    assert!(subscribed(store, 50).is_empty() && due(store, 50).is_empty());
    assert!(store.read_with(|reads| reads.has_due_notices(50)).unwrap());
    store.write_now(|tx| tx.prune_push_subscriptions(50)).unwrap();
    assert!(!store.read_with(|reads| reads.has_due_notices(50)).unwrap());
}

pub(super) fn a_notice_waits_once_for_each_phone(engine: &Engine) {
    let store = &engine.store;
    subscribe(store);
    store
        .write_now(|tx| {
            tx.queue_notice("chen.jie", Notice::NewWork, 10)?;
            tx.queue_notice("chen.jie", Notice::NewWork, 20)?;
            tx.queue_notice("chen.jie", Notice::Appointment, 30)?;
            tx.queue_notice("nobody", Notice::NewWork, 10)
        })
        .unwrap();
    assert!(due(store, 9).is_empty());
    assert_eq!(due(store, 10), [(1, Notice::NewWork, 0), (2, Notice::NewWork, 0)]);
    assert_eq!(due(store, 30).len(), 4);
    store
        .write_now(|tx| {
            tx.defer_notice(device(1), Notice::NewWork, 40, 3)?;
            tx.delete_notice(device(2), Notice::NewWork)?;
            tx.delete_push_subscription(device(2))
        })
        .unwrap();
    assert_eq!(due(store, 30), [(1, Notice::Appointment, 0)]);
    assert_eq!(due(store, 40), [(1, Notice::NewWork, 3), (1, Notice::Appointment, 0)]);
}

pub(super) fn notices_see_a_record_only_if_somebody_subscribed(engine: &Engine) {
    let store = &engine.store;
    store
        .write_now(|tx| {
            tx.put_record(id(1), &record("C-1", 1))?;
            tx.put_rows(id(1), &rows(id(1), "C-1"))
        })
        .unwrap();
    let basis = || store.read_with(|reads| reads.notice_basis(id(1))).unwrap();
    assert_eq!(basis(), None);
    subscribe(store);
    let summary = rows(id(1), "C-1").summary;
    let expected = NoticeBasis {
        review_status: summary.review_status,
        appointment: (summary.starts_at, summary.ends_at, summary.appointment_status),
    };
    assert_eq!(basis(), Some(expected));
    assert_eq!(store.read_with(|reads| reads.notice_basis(id(2))).unwrap(), None);
}
