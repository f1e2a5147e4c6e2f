//! Reports of devices and the audit log.

use doorstep::office::store::{AuditEntry, AuditFilter, Device, DeviceReport, FailedRounds, User};
use doorstep::record::terms::Role;

use super::samples::{Engine, device};

pub(super) fn a_device_has_its_last_report(engine: &Engine) {
    let store = &engine.store;
    let first = DeviceReport {
        device: device(1),
        received_at: 5,
        unsent: 3,
        oldest_unsent_at: Some(-4),
        persisted: Some(false),
        clock_skew_ms: Some(-7),
        failed: vec![FailedRounds { reason: "offline".into(), count: 2 }],
        cursor: Some(9),
    };
    let last = DeviceReport {
        received_at: 6,
        unsent: 0,
        oldest_unsent_at: None,
        persisted: None,
        clock_skew_ms: None,
        failed: Vec::new(),
        cursor: None,
        ..first.clone()
    };
    store
        .write_now(|tx| {
            tx.put_user(&User {
                name: "chen.jie".into(),
                display_name: "陈洁".into(),
                role: Role::Collector,
                password_hash: String::new(),
                disabled_at: None,
                created_at: 1,
                subject: None,
            })?;
            tx.put_device(&Device::enrolled(device(1), "chen.jie", 2))
        })
        .unwrap();
    for report in [first, last] {
        let put = report.clone();
        store.write_now(move |tx| tx.put_device_report(&put)).unwrap();
        let (one, all) = store
            .read_with(|reads| Ok((reads.device_report(device(1))?, reads.device_reports()?)))
            .unwrap();
        assert_eq!((one.as_ref(), all.as_slice()), (Some(&report), [report.clone()].as_slice()));
    }
    assert_eq!(store.read_with(|reads| reads.device_report(device(2))).unwrap(), None);
}

pub(super) fn the_audit_log_is_appended_to_and_filtered(engine: &Engine) {
    let store = &engine.store;
    let log = [
        entry(1, "admin", "POST /a", "x"),
        entry(2, "lin.yue", "POST /a", "y"),
        entry(3, "admin", "POST /b", "y"),
        entry(4, "admin", "POST /b", "x"),
    ];
    let put = log.clone();
    store
        .write_now(move |tx| put.iter().try_for_each(|entry| tx.append_audit_entry(entry)))
        .unwrap();
    let twice = entry(4, "lin.yue", "POST /a", "x");
    assert!(store.write_now(move |tx| tx.append_audit_entry(&twice)).is_err());
    let seen =
        store.read_with(|reads| Ok((reads.last_audit_entry()?, reads.audit_after(1, 2)?))).unwrap();
    assert_eq!(seen, (Some(log[3].clone()), vec![log[1].clone(), log[2].clone()]));
    let all = AuditFilter { limit: 9, ..AuditFilter::default() };
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (all.clone(), vec![4, 3, 2, 1]),
        (AuditFilter { limit: 2, ..all.clone() }, vec![4, 3]),
        (AuditFilter { before: Some(3), ..all.clone() }, vec![2, 1]),
        (AuditFilter { user: text("admin"), ..all.clone() }, vec![4, 3, 1]),
        (AuditFilter { action: text("POST /a"), ..all.clone() }, vec![2, 1]),
        (AuditFilter { subject: text("y"), user: text("admin"), ..all.clone() }, vec![3]),
        (AuditFilter { from: Some(20), until: Some(40), ..all }, vec![3, 2]),
    ] {
        let found = store.read_with(|reads| reads.audit_page(&filter)).unwrap();
        let found: Vec<_> = found.iter().map(|entry| entry.seq).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

pub(super) fn the_audit_log_has_no_gaps_with_several_writers(engine: &Engine) {
    let other = engine.again();
    std::thread::scope(|scope| {
        for n in 0..4 {
            // Two programs on the same place.
            let store = if n % 2 == 0 { engine.store.clone() } else { other.clone() };
            scope.spawn(move || {
                for _ in 0..5 {
                    store
                        .write_now(|tx| {
                            let last = tx.last_audit_entry()?.map_or(0, |last| last.seq);
                            tx.append_audit_entry(&entry(last + 1, "admin", "POST /a", "x"))
                        })
                        .unwrap();
                }
            });
        }
    });
    let log = engine.store.read_with(|reads| reads.audit_after(0, 99)).unwrap();
    assert!(log.iter().map(|entry| entry.seq).eq(1..=20));
}

fn entry(seq: u64, user: &str, action: &str, subject: &str) -> AuditEntry {
    AuditEntry {
        seq,
        at: 10 * i64::try_from(seq).unwrap(),
        user: user.into(),
        role: "admin".into(),
        session: device(1),
        action: action.into(),
        subject: subject.into(),
        detail: "name".into(),
        previous: [0; 32],
        hash: [u8::try_from(seq).unwrap(); 32],
    }
}
