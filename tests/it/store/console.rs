//! Reports of devices, support requests, the audit log, proposals.

use std::sync::Arc;

use doorstep::office::store::{
    ApprovalKind, AuditEntry, AuditFilter, AuditFinding, AuditOutcome, AuditSample, Device,
    DeviceReport, FailedRounds, Proposal, ProposalDecision, ProposalListing, ProposalState, Store,
    SupportRequest, User,
};
use doorstep::record::terms::Role;

use super::samples::{Engine, device, id, record};

/// Device 1, of a collector.
fn enrol(store: &Arc<dyn Store>) {
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
}

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
    enrol(store);
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

pub(super) fn a_proposal_is_pending_until_it_is_decided_or_expires(engine: &Engine) {
    let store = &engine.store;
    let new = |n: u8, kind: ApprovalKind, expires_at: i64| Proposal {
        number: u64::from(n),
        id: [n; 16],
        kind,
        subject: "one".into(),
        record: Some(id(n)),
        case_no: "C-1".into(),
        heads: "ab,cd".into(),
        action: "{}".into(),
        amount: Some(5),
        currency: "CNY".into(),
        reason: "why".into(),
        proposed_by: "lin.yue".into(),
        proposed_at: 1,
        expires_at,
        state: ProposalState::Pending,
        decided_by: String::new(),
        decided_at: None,
        answer: String::new(),
    };
    let hold = new(1, ApprovalKind::Hold, 10);
    let plan = new(2, ApprovalKind::Plan, 20);
    for (number, proposal) in [(1, hold.clone()), (2, plan.clone())] {
        assert_eq!(store.write_now(move |tx| tx.add_proposal(&proposal)).unwrap(), number);
    }
    let twice = new(3, ApprovalKind::Hold, 30);
    assert!(store.write_now(move |tx| tx.add_proposal(&twice)).is_err());
    let seen = |now: i64| {
        let page = |pending| ProposalListing { pending, now, after: None, limit: 9 };
        store
            .read_with(|reads| {
                let numbers = |rows: Vec<Proposal>| rows.iter().map(|row| row.number).collect();
                let pending: Vec<u64> = numbers(reads.proposals(&page(true))?);
                let closed: Vec<u64> = numbers(reads.proposals(&page(false))?);
                Ok((pending, closed, reads.count_pending(now, 9)?))
            })
            .unwrap()
    };
    assert_eq!(seen(9), (vec![1, 2], vec![], 2));
    assert_eq!(seen(10), (vec![2], vec![1], 1));
    store
        .write_now(|tx| {
            tx.expire_proposals(10)?;
            let (state, by) = (ProposalState::Refused, "admin".to_owned());
            tx.decide_proposal(2, &ProposalDecision { state, by, at: 7, answer: "no".into() })
        })
        .unwrap();
    assert_eq!(seen(0), (vec![], vec![2, 1], 0));
    let refused = Proposal {
        state: ProposalState::Refused,
        decided_by: "admin".into(),
        decided_at: Some(7),
        answer: "no".into(),
        ..plan
    };
    store
        .read_with(|reads| {
            assert_eq!(reads.proposal(2)?, Some(refused.clone()));
            assert_eq!(reads.proposal(1)?.map(|one| one.state), Some(ProposalState::Expired));
            assert_eq!(reads.proposal_with_id(hold.id)?, Some(1));
            assert_eq!(reads.pending_proposal(ApprovalKind::Hold, "one")?, None);
            Ok(())
        })
        .unwrap();
    // A proposal that is over makes room for another.
    let next = new(3, ApprovalKind::Hold, 30);
    assert_eq!(store.write_now(move |tx| tx.add_proposal(&next)).unwrap(), 3);
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

pub(super) fn a_drawn_record_waits_for_one_audit_of_each_seal(engine: &Engine) {
    let store = &engine.store;
    store.write_now(|tx| tx.put_record(id(1), &record("C-1", 1))).unwrap();
    let seen = || store.read_with(|reads| reads.audit_sample(id(1))).unwrap();
    assert_eq!(seen(), None);
    let sample = |sealed_at, drawn_at, finding| {
        Some(AuditSample { record: id(1), sealed_at, drawn_at, finding })
    };
    store.write_now(|tx| tx.draw_audit_sample(id(1), 5, 6)).unwrap();
    let finding = AuditFinding {
        outcome: AuditOutcome::Failed,
        by: "gu.an".into(),
        at: 7,
        note: "no photo".into(),
    };
    let found = finding.clone();
    store.write_now(move |tx| tx.put_audit_finding(id(1), &found)).unwrap();
    // The same seal again changes nothing; another one waits for its own audit.
    store.write_now(|tx| tx.draw_audit_sample(id(1), 5, 8)).unwrap();
    assert_eq!(seen(), sample(5, 6, Some(finding)));
    store.write_now(|tx| tx.draw_audit_sample(id(1), 9, 10)).unwrap();
    assert_eq!(seen(), sample(9, 10, None));
}

pub(super) fn a_device_has_its_last_support_request_and_its_last_bundle(engine: &Engine) {
    let store = &engine.store;
    enrol(store);
    let asked = SupportRequest {
        device: device(1),
        id: [1; 16],
        requested_by: "lin.yue".into(),
        requested_at: 5,
        answered_at: None,
        declined: false,
        bundle_at: None,
    };
    let sent = SupportRequest { answered_at: Some(6), bundle_at: Some(6), ..asked.clone() };
    let again = SupportRequest { id: [2; 16], bundle_at: Some(6), ..asked.clone() };
    let declined = SupportRequest { answered_at: Some(8), declined: true, ..again.clone() };
    for (request, bundle, stored) in [
        (asked, None, None),
        (sent, Some("one"), Some("one")),
        (again.clone(), None, Some("one")),
        (declined, None, Some("one")),
        (again, Some("two"), Some("two")),
    ] {
        let put = request.clone();
        store.write_now(move |tx| tx.put_support_request(&put, bundle)).unwrap();
        store
            .read_with(|reads| {
                assert_eq!(reads.support_request(device(1))?.as_ref(), Some(&request));
                assert_eq!(reads.support_requests()?, std::slice::from_ref(&request));
                assert_eq!(reads.support_bundle(device(1))?.as_deref(), stored);
                assert_eq!(reads.support_request(device(2))?, None);
                assert_eq!(reads.support_bundle(device(2))?, None);
                Ok(())
            })
            .unwrap();
    }
}
