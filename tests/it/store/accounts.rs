//! Users, devices, sessions.

use doorstep::office::store::{Device, Failures, SignIn, User};
use doorstep::record::terms::Role;

use super::samples::{Engine, device};

pub(super) fn accounts_are_the_last_ones_written(engine: &Engine) {
    let store = &engine.store;
    let user = |name: &str| User {
        name: name.into(),
        display_name: "陈洁".into(),
        role: Role::Collector,
        password_hash: "$argon2id$".into(),
        disabled_at: None,
        created_at: 1,
        subject: None,
    };
    let phone = Device { last_seen_at: 3, ..Device::enrolled(device(1), "chen.jie", 2) };
    let sign_in = SignIn {
        device: device(1),
        user: "chen.jie".into(),
        created_at: 5,
        used_at: 5,
        expires_at: 6,
        token: [4; 32],
        renewed_at: 5,
        next: Some([6; 32]),
        last: Some([7; 32]),
        ended: false,
    };
    let (put, on) = (phone.clone(), sign_in.clone());
    store
        .write_now(move |tx| {
            tx.put_user(&user("wu.min"))?;
            tx.put_user(&user("chen.jie"))?;
            tx.put_device(&put)?;
            // The newest takes the place of the one before.
            tx.put_sign_in(&SignIn { token: [5; 32], next: None, ..on.clone() })?;
            tx.put_sign_in(&on)
        })
        .unwrap();
    let gone = User {
        disabled_at: Some(9),
        role: Role::Auditor,
        subject: Some("https://id.example 7".into()),
        ..user("wu.min")
    };
    let lost = Device {
        revoked_at: Some(8),
        revoked_by: "admin".into(),
        revoked_reason: "lost".into(),
        app_version: "0.1.0".into(),
        ..phone
    };
    let put = gone.clone();
    let put_device = lost.clone();
    store
        .write_now(move |tx| {
            tx.put_user(&User { created_at: 77, ..put.clone() })?;
            tx.put_device(&put_device)
        })
        .unwrap();
    store
        .read_with(|reads| {
            assert_eq!(reads.users()?, [user("chen.jie"), gone.clone()]);
            assert_eq!(reads.user("wu.min")?, Some(gone.clone()));
            assert_eq!(reads.user("WU.MIN")?, None);
            assert_eq!(reads.devices()?, std::slice::from_ref(&lost));
            assert_eq!(reads.device(device(1))?, Some(lost.clone()));
            for token in [4, 6, 7] {
                assert_eq!(reads.sign_in(&[token; 32])?, Some(sign_in.clone()));
            }
            assert_eq!(reads.sign_in_on(device(1))?, Some(sign_in.clone()));
            assert_eq!(reads.sign_in_on(device(2))?, None);
            assert_eq!(reads.user_of_subject("https://id.example 7")?, Some(gone.clone()));
            assert_eq!(reads.user_of_subject("")?, None);
            assert_eq!(reads.sign_in(&[5; 32])?, None);
            Ok(())
        })
        .unwrap();
    // A device without a user does not exist.
    let stray = Device { id: device(2), user: "unknown".into(), ..lost };
    assert!(store.write_now(move |tx| tx.put_device(&stray)).is_err());
    let ended = store
        .write_now(|tx| {
            assert_eq!(tx.forget_expired(6)?, 0);
            Ok([tx.end_sign_ins_of("wu.min")?, tx.end_sign_ins_on(device(1))?])
        })
        .unwrap();
    assert_eq!(ended, [0, 1]);
    // F4: it is known still, and ended once.
    let found = store.read_with(|reads| reads.sign_in(&[4; 32])).unwrap();
    assert!(found.is_some_and(|sign_in| sign_in.ended));
    assert_eq!(store.write_now(|tx| tx.end_sign_ins_of("chen.jie")).unwrap(), 0);
}

pub(super) fn endpoints_count_failures_together_and_a_value_is_used_once(engine: &Engine) {
    let (one, other) = (&engine.store, engine.again());
    let failures = |count| Some(Failures { count, last: 50 });
    one.write_now(move |tx| tx.put_failures([1; 16], failures(6))).unwrap();
    one.write_now(move |tx| tx.put_failures([2; 16], failures(1))).unwrap();
    other.write_now(move |tx| tx.put_failures([1; 16], failures(7))).unwrap();
    other.write_now(|tx| tx.put_failures([2; 16], None)).unwrap();
    let seen =
        || one.read_with(|reads| Ok([reads.failures([1; 16])?, reads.failures([2; 16])?])).unwrap();
    assert_eq!(seen(), [failures(7), None]);
    one.write_now(|tx| tx.expire_failures(50)).unwrap();
    assert_eq!(seen(), [failures(7), None]);
    one.write_now(|tx| tx.expire_failures(51)).unwrap();
    assert_eq!(seen(), [None, None]);

    let used = |at: i64| one.write_now(move |tx| tx.use_once([9; 32], 100, at)).unwrap();
    assert!(used(1));
    assert!(!other.write_now(|tx| tx.use_once([9; 32], 100, 2)).unwrap());
    assert!(other.write_now(|tx| tx.use_once([8; 32], 100, 2)).unwrap());
    assert!(!used(99));
    assert!(used(100), "it has expired and is forgotten");
}
