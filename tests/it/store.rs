//! Conformance suite of the store's contract. Every store passes it; a new one adds one `suite!` at
//! the end.

mod jobs;
mod lists;
mod samples;

use std::sync::Arc;
use std::sync::mpsc::{TryRecvError, channel};

use doorstep::ids::{DeviceId, Heads, actor};
use doorstep::office::store::{
    Decision, Device, EntryKind, Feed, QuarantineExport, QuarantineFilter, QuarantineSize,
    QuarantineState, RefusedWork, SignIn, Store, StoreError, User,
};
use doorstep::record::terms::{Role, Stage};
use doorstep::sync::digest::{Digest, Item};
use jobs::{Plug, Told};
use lists::{a_list_goes_on_where_a_page_ended, a_list_is_filtered};
use samples::{Engine, device, id, kept, record, rows};

fn a_read_sees_every_job_that_was_answered(engine: &Engine) {
    let store = &engine.store;
    store.write_now(|tx| tx.put_record(id(1), &record("C-1", 1))).unwrap();
    let seen = store.read_with(|reads| reads.record(id(1))).unwrap();
    assert_eq!(seen, Some(record("C-1", 1)));
    // A second handle sees it too.
    assert_eq!(engine.again().read_with(|reads| reads.find_case("C-1")).unwrap(), Some(id(1)));
}

fn a_job_that_fails_or_panics_leaves_no_trace_and_spoils_no_other(engine: &Engine) {
    let store = &engine.store;
    let plug = Plug::into(store);
    let good = Told::send(store, |tx| tx.put_record(id(1), &record("C-1", 1)));
    let bad = Told::send(store, |tx| {
        tx.put_record(id(2), &record("C-2", 2))?;
        Err(StoreError::Damaged("on purpose".into()))
    });
    let panics = Told::send(store, |tx| {
        tx.put_record(id(3), &record("C-3", 3))?;
        panic!("on purpose")
    });
    let last = Told::send(store, |tx| tx.put_record(id(4), &record("C-4", 4)));
    plug.pull();
    assert_eq!(good.recv().unwrap(), Ok(()));
    assert_eq!(bad.recv().unwrap(), Err(StoreError::Damaged("on purpose".into())));
    assert!(matches!(panics.recv().unwrap(), Err(StoreError::Failed(_))));
    assert_eq!(last.recv().unwrap(), Ok(()));
    assert_eq!(store.read_with(|reads| reads.record_ids(None, 9)).unwrap(), [id(1), id(4)]);
}

fn d2_a_job_is_answered_only_after_the_commit_that_it_shares(engine: &Engine) {
    let store = &engine.store;
    let plug = Plug::into(store);
    let first = Told::send(store, |tx| tx.put_record(id(1), &record("C-1", 1)));
    let (began, second_began) = channel();
    let (go_on, wait) = channel::<()>();
    let second = Told::send(store, move |_| {
        began.send(()).unwrap();
        wait.recv().map_err(|_| StoreError::Closed)
    });
    plug.pull();
    second_began.recv().unwrap();
    // The first has run; its commit has not.
    assert_eq!(first.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(store.read_with(|reads| reads.record(id(1))).unwrap(), None);
    go_on.send(()).unwrap();
    assert_eq!(first.recv().unwrap(), Ok(()));
    assert_eq!(second.recv().unwrap(), Ok(()));
}

fn f3_a_read_sees_one_state_from_its_first_read_on(engine: &Engine) {
    let store = &engine.store;
    store
        .read_with(|reads| {
            assert_eq!(reads.find_case("C-1")?, None);
            store.write_now(|tx| tx.put_record(id(1), &record("C-1", 1)))?;
            assert_eq!(reads.find_case("C-1")?, None);
            assert_eq!(reads.record(id(1))?, None);
            Ok(())
        })
        .unwrap();
    assert_eq!(store.read_with(|reads| reads.find_case("C-1")).unwrap(), Some(id(1)));
}

fn dropping_the_answer_does_not_take_the_job_back(engine: &Engine) {
    let store = &engine.store;
    drop(store.write(|tx| tx.put_record(id(1), &record("C-1", 1))));
    // Jobs run in order, so one more answer means that the first is done.
    store.write_now(|_| Ok(())).unwrap();
    assert!(store.read_with(|reads| reads.record(id(1))).unwrap().is_some());
}

fn closing_finishes_what_was_begun_and_refuses_the_rest(engine: &Engine) {
    let store = &engine.store;
    let answers: Vec<_> = (1..=50)
        .map(|n| Told::send(store, move |tx| tx.put_record(id(n), &record("C", n))))
        .collect();
    store.close();
    for answer in answers {
        assert_eq!(answer.recv().unwrap(), Ok(()));
    }
    assert_eq!(store.write_now(|_| Ok(())), Err(StoreError::Closed));
    assert_eq!(engine.again().read_with(|reads| reads.record_ids(None, 99)).unwrap().len(), 50);
}

fn f2_numbers_of_a_feed_have_no_gaps_whoever_writes(engine: &Engine) {
    let other = engine.again();
    engine.store.write_now(|tx| tx.put_record(id(1), &record("C-1", 1))).unwrap();
    std::thread::scope(|scope| {
        for n in 0..8 {
            // Two programs on the same place.
            let store = if n % 2 == 0 { engine.store.clone() } else { other.clone() };
            scope.spawn(move || {
                for _ in 0..20 {
                    append(&store, "chen.jie", EntryKind::Changed);
                }
            });
        }
    });
    let (feed, entries) = engine
        .store
        .read_with(|reads| Ok((reads.feed("chen.jie")?, reads.entries_after("chen.jie", 0, 999)?)))
        .unwrap();
    assert_eq!(feed.seq, 160);
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [160]);
}

fn f1_a_feed_gives_the_newest_entry_of_each_record(engine: &Engine) {
    let store = &engine.store;
    let digest = {
        let mut digest = Digest::default();
        digest.add(Item::of(id(1), &Heads::default()));
        digest
    };
    store
        .write_now(move |tx| {
            tx.put_record(id(1), &record("C-1", 1))?;
            tx.put_record(id(2), &record("C-2", 2))?;
            tx.append("wu.min", id(1), EntryKind::Added, 1, Digest::default())?;
            tx.append("wu.min", id(2), EntryKind::Added, 1, Digest::default())?;
            tx.append("wu.min", id(1), EntryKind::Changed, 4, Digest::default())?;
            tx.append("wu.min", id(2), EntryKind::Withdrawn, 5, digest)?;
            tx.append("chen.jie", id(2), EntryKind::Added, 5, Digest::default())
        })
        .unwrap();
    store
        .read_with(|reads| {
            assert_eq!(reads.feeds()?, ["chen.jie", "wu.min"]);
            assert_eq!(reads.feed("wu.min")?, Feed { seq: 4, digest });
            assert_eq!(reads.feed("unknown")?, Feed::default());
            let entries = reads.entries_after("wu.min", 0, 9)?;
            let said: Vec<_> =
                entries.iter().map(|e| (e.seq, e.record, e.kind, e.ordinal)).collect();
            assert_eq!(
                said,
                [(3, id(1), EntryKind::Changed, 4), (4, id(2), EntryKind::Withdrawn, 5)]
            );
            assert_eq!(reads.entries_after("wu.min", 0, 1)?.len(), 1);
            assert_eq!(reads.entries_after("wu.min", 3, 9)?.len(), 1);
            assert_eq!(reads.count_after("wu.min", 0)?, 2);
            assert_eq!(reads.count_after("wu.min", 4)?, 0);
            let at = |entry: Option<doorstep::office::store::FeedEntry>| entry.map(|e| e.seq);
            assert_eq!(at(reads.entry_at("wu.min", id(1), 2)?), Some(1));
            assert_eq!(at(reads.entry_at("wu.min", id(1), u64::MAX)?), Some(3));
            assert_eq!(at(reads.entry_at("wu.min", id(2), 1)?), None);
            Ok(())
        })
        .unwrap();
}

fn r8_a_feed_is_said_to_move_after_the_commit_only(engine: &Engine) {
    let store = &engine.store;
    store.write_now(|tx| tx.put_record(id(1), &record("C-1", 1))).unwrap();
    let mut moved = store.subscribe();
    let failed = store.write_now::<(), _>(|tx| {
        tx.append("chen.jie", id(1), EntryKind::Added, 1, Digest::default())?;
        Err(StoreError::Damaged("on purpose".into()))
    });
    assert!(failed.is_err());
    append(store, "chen.jie", EntryKind::Added);
    let first = moved.blocking_recv().unwrap();
    assert_eq!((first.feed.as_str(), first.seq), ("chen.jie", 1));
}

fn a_record_keeps_its_case_and_its_beginning(engine: &Engine) {
    let store = &engine.store;
    let mut next = record("another case", 8);
    (next.created_at, next.changes) = (99, 2);
    let put = next.clone();
    store
        .write_now(move |tx| {
            tx.put_record(id(1), &record("C-1", 1))?;
            tx.put_record(id(1), &put)
        })
        .unwrap();
    (next.case_no, next.created_at) = ("C-1".into(), 10);
    assert_eq!(store.read_with(|reads| reads.record(id(1))).unwrap(), Some(next));
    // Of two records of a case, the newest.
    store.write_now(|tx| tx.put_record(id(2), &record("C-1", 1))).unwrap();
    assert_eq!(store.read_with(|reads| reads.find_case("C-1")).unwrap(), Some(id(2)));
}

fn changes_are_kept_in_order_and_once(engine: &Engine) {
    let store = &engine.store;
    store
        .write_now(|tx| {
            tx.put_record(id(1), &record("C-1", 1))?;
            (1..=3).try_for_each(|n| tx.add_change(id(1), &kept(n, n)))
        })
        .unwrap();
    let (known, after) = store
        .read_with(|reads| Ok((reads.change_metas(id(1))?, reads.changes_after(id(1), 1)?)))
        .unwrap();
    assert_eq!(known, [kept(1, 1).meta, kept(2, 2).meta, kept(3, 3).meta]);
    assert_eq!(after, [kept(2, 2), kept(3, 3)]);
    // Neither an ordinal nor an actor's number twice, nor a change of no record.
    assert!(store.write_now(|tx| tx.add_change(id(1), &kept(3, 9))).is_err());
    assert!(store.write_now(|tx| tx.add_change(id(1), &kept(9, 3))).is_err());
    assert!(store.write_now(|tx| tx.add_change(id(7), &kept(1, 1))).is_err());
    assert_eq!(known[0].actor, actor(device(5), 1));
}

fn m4_the_same_refused_work_keeps_its_number(engine: &Engine) {
    let store = &engine.store;
    let refused = |n: u8, code: &str| RefusedWork {
        record: id(1),
        device: device(n),
        user: "chen.jie".into(),
        at: 5,
        code: code.into(),
        path: "review.status".into(),
        message: "no".into(),
        units: vec!["review.status".into()],
        changes: vec![vec![1, 2], vec![]],
    };
    let (one, two) = (refused(1, "not_allowed"), refused(2, "malformed"));
    let (a, b) = (one.clone(), two.clone());
    let numbers = store
        .write_now(move |tx| {
            tx.put_record(id(1), &record("C-1", 1))?;
            Ok([tx.quarantine_work(&a)?, tx.quarantine_work(&b)?, tx.quarantine_work(&a)?])
        })
        .unwrap();
    assert_eq!(numbers[0], numbers[2]);
    assert_ne!(numbers[0], numbers[1]);
    let (list, whole) = store
        .read_with(|reads| Ok((reads.quarantine(&newest())?.0, reads.quarantined(numbers[0])?)))
        .unwrap();
    assert_eq!(list.iter().map(|line| line.id).collect::<Vec<_>>(), [numbers[1], numbers[0]]);
    assert_eq!(list[0].case_no.as_deref(), Some("C-1"));
    assert_eq!(list[0].refused.changes, Vec::<Vec<u8>>::new());
    assert_eq!(whole.unwrap().refused, one);
    assert_eq!(store.read_with(|reads| reads.quarantined(77)).unwrap(), None);
    let heads = |n| store.read_with(|reads| reads.heads(id(n))).unwrap();
    assert_eq!((heads(1), heads(7)), (Some(record("C-1", 1).heads), None));

    // Filters, pages and the number of open items.
    let of = |asked: QuarantineFilter| store.read_with(|reads| reads.quarantine(&asked)).unwrap();
    assert_eq!(of(QuarantineFilter { code: Some("malformed".into()), ..newest() }).1, 1);
    assert_eq!(of(QuarantineFilter { user: Some("wu.min".into()), ..newest() }).1, 0);
    assert_eq!(of(QuarantineFilter { record: Some(id(1)), ..newest() }).1, 2);
    let (page, total) = of(QuarantineFilter { before: Some(numbers[1]), limit: 1, ..newest() });
    assert_eq!((page[0].id, total), (numbers[0], 2));
    let waits = || store.read_with(|reads| reads.undecided_of("chen.jie")).unwrap();
    assert_eq!(waits(), QuarantineSize { pieces: 2, bytes: 10 }, "of all devices of the user");

    // Decisions are ordered; the last one counts.
    let decide = |decision: QuarantineState, receipt| {
        let made = Decision { decision, by: "lin.yue".into(), at: 9, reason: "so".into(), receipt };
        let put = made.clone();
        store.write_now(move |tx| tx.decide(numbers[0], &put)).unwrap();
        made
    };
    let made =
        [decide(QuarantineState::Dismissed, None), decide(QuarantineState::Accepted, Some(3))];
    let whole = store.read_with(|reads| reads.quarantined(numbers[0])).unwrap().unwrap();
    assert_eq!((whole.state, whole.decisions.as_slice()), (QuarantineState::Accepted, &made[..]));
    assert_eq!(whole.fingerprint, one.fingerprint().unwrap());
    let (first, second) = (numbers[0], numbers[1]);
    let told = |device: DeviceId, asked: &[u64]| {
        store.read_with(|reads| reads.last_decisions(device, asked)).unwrap()
    };
    assert_eq!(told(device(1), &[77, first, second]), [(first, made[1].clone())]);
    assert_eq!(told(device(1), &[]), []);
    assert_eq!(told(device(9), &[first, second]), [], "another device's are not told");
    assert_eq!(
        of(QuarantineFilter { state: Some(QuarantineState::Open), ..newest() }).0[0].id,
        numbers[1]
    );
    assert_eq!(waits(), QuarantineSize { pieces: 1, bytes: 5 });
    let same = one.clone();
    let again = store.write_now(move |tx| tx.quarantine_work(&same)).unwrap();
    assert_eq!(again, numbers[0], "decided work that comes again is the same work");

    // An export takes the bytes of what is decided, and nothing else.
    let stored = || store.read_with(|reads| reads.quarantine_stored()).unwrap();
    assert_eq!(stored(), QuarantineSize { pieces: 2, bytes: 10 });
    let next = |after, until| {
        let found = store.read_with(|reads| reads.next_exportable(after, until)).unwrap();
        found.map(|found| found.id)
    };
    assert_eq!((next(0, 8), next(0, 9), next(numbers[0], 9)), (None, Some(numbers[0]), None));
    let held = QuarantineSize { pieces: 1, bytes: 5 };
    let export = QuarantineExport { id: 0, at: 9, by: "admin".into(), held, sha256: [3; 32] };
    let recorded = export.clone();
    let number = store.write_now(move |tx| {
        let number = tx.add_quarantine_export(&recorded)?;
        tx.drop_exported(numbers[0], number)?;
        tx.drop_exported(numbers[1], number)?;
        Ok(number)
    });
    let number = number.unwrap();
    assert_eq!((stored(), waits()), (held, held), "undecided work stays");
    assert_eq!(
        store.read_with(|reads| reads.quarantine_exports()).unwrap(),
        [QuarantineExport { id: number, ..export }]
    );
    let piece = store.read_with(|reads| reads.quarantined(numbers[0])).unwrap().unwrap();
    assert_eq!((piece.exported, piece.refused.changes.len()), (Some(number), 0));
    assert_eq!(next(0, 9), None);
    let same = one.clone();
    let again = store.write_now(move |tx| tx.quarantine_work(&same)).unwrap();
    assert_eq!((again, stored()), (numbers[0], held));
    let changes = one.changes.clone();
    let restore = move || {
        let changes = changes.clone();
        store.write_now(move |tx| tx.restore_exported(numbers[0], &changes)).unwrap()
    };
    assert_eq!((restore(), restore()), (true, false));
    let piece = store.read_with(|reads| reads.quarantined(numbers[0])).unwrap().unwrap();
    assert_eq!((piece.exported, piece.refused), (None, one));
}

fn newest() -> QuarantineFilter {
    QuarantineFilter { limit: 9, ..QuarantineFilter::default() }
}

fn m7_rows_are_what_was_put_last(engine: &Engine) {
    let store = &engine.store;
    let full = rows(id(1), "C-1");
    let mut bare = full.clone();
    bare.summary.starts_at = None;
    bare.summary.ends_at = None;
    bare.summary.appointment_status = None;
    bare.summary.disposition = None;
    bare.summary.holds.clear();
    bare.summary.collectors.clear();
    bare.contacts.clear();
    bare.payments.clear();
    bare.conflicts.clear();
    store.write_now(|tx| tx.put_record(id(1), &record("C-1", 1))).unwrap();
    for rows in [full.clone(), bare, full] {
        let put = rows.clone();
        store.write_now(move |tx| tx.put_rows(id(1), &put)).unwrap();
        let (held, collectors) =
            store.read_with(|reads| Ok((reads.rows(id(1))?, reads.collectors(id(1))?))).unwrap();
        assert_eq!(collectors, rows.summary.collectors);
        assert_eq!(held, Some(rows));
    }
    assert_eq!(store.read_with(|reads| reads.rows(id(2))).unwrap(), None);
}

fn f5_a_record_that_was_withdrawn_is_in_no_feed_though_it_is_assigned(engine: &Engine) {
    let store = &engine.store;
    let mut accepted = rows(id(1), "C-1");
    accepted.summary.stage = Stage::Reviewed;
    accepted.accepted_at = Some(7);
    store
        .write_now(move |tx| {
            tx.put_record(id(1), &record("C-1", 1))?;
            tx.put_record(id(2), &record("C-2", 2))?;
            tx.put_rows(id(1), &accepted)?;
            tx.put_rows(id(2), &rows(id(2), "C-2"))
        })
        .unwrap();
    let seen = || {
        store
            .read_with(|reads| {
                let members = reads.members("chen.jie")?.into_iter().map(|(id, _)| id);
                let members = members.collect::<std::collections::BTreeSet<_>>();
                Ok((reads.collectors(id(1))?, reads.accepted_before("chen.jie", 7)?, members))
            })
            .unwrap()
    };
    for (kind, is_in) in [
        (EntryKind::Added, true),
        (EntryKind::Changed, true),
        (EntryKind::Withdrawn, false),
        (EntryKind::Added, true),
    ] {
        append(store, "chen.jie", kind);
        append(store, "wu.min", EntryKind::Changed);
        let (collectors, accepted, members) = seen();
        assert_eq!(collectors.contains(&"chen.jie".to_owned()), is_in);
        assert!(collectors.contains(&"wu.min".to_owned()));
        assert_eq!(accepted == [(id(1), record("C-1", 1).heads)], is_in);
        assert_eq!(members.contains(&id(1)), is_in);
        assert!(members.contains(&id(2)));
        let assigned = store.read_with(|reads| reads.assigned(id(1))).unwrap();
        assert_eq!(assigned, ["chen.jie", "wu.min"]);
    }
}

fn accounts_are_what_was_put_last(engine: &Engine) {
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

fn i1_an_office_session_is_never_given_twice(engine: &Engine) {
    let first = engine.store.write_now(|tx| tx.next_office_session()).unwrap();
    let second = engine.again().write_now(|tx| tx.next_office_session()).unwrap();
    assert_eq!(first.0, second.0);
    assert_ne!(first.1, second.1);
}

fn the_epoch_stays_while_the_store_lives(engine: &Engine) {
    let epoch = engine.store.read_with(|reads| reads.epoch()).unwrap();
    assert_eq!(engine.again().read_with(|reads| reads.epoch()).unwrap(), epoch);
}

macro_rules! suite {
    ($engine:ident: $($test:ident)+) => {
        mod $engine {
            $(#[test] fn $test() { super::$test(&super::Engine::$engine()); })+
        }
    };
}

suite! { sqlite:
    a_read_sees_every_job_that_was_answered
    a_job_that_fails_or_panics_leaves_no_trace_and_spoils_no_other
    d2_a_job_is_answered_only_after_the_commit_that_it_shares
    f3_a_read_sees_one_state_from_its_first_read_on
    dropping_the_answer_does_not_take_the_job_back
    closing_finishes_what_was_begun_and_refuses_the_rest
    f2_numbers_of_a_feed_have_no_gaps_whoever_writes
    f1_a_feed_gives_the_newest_entry_of_each_record
    r8_a_feed_is_said_to_move_after_the_commit_only
    a_record_keeps_its_case_and_its_beginning
    changes_are_kept_in_order_and_once
    m4_the_same_refused_work_keeps_its_number
    m7_rows_are_what_was_put_last
    f5_a_record_that_was_withdrawn_is_in_no_feed_though_it_is_assigned
    a_list_is_filtered
    a_list_goes_on_where_a_page_ended
    accounts_are_what_was_put_last
    i1_an_office_session_is_never_given_twice
    the_epoch_stays_while_the_store_lives
}

fn append(store: &Arc<dyn Store>, feed: &str, kind: EntryKind) {
    let feed = feed.to_owned();
    store.write_now(move |tx| tx.append(&feed, id(1), kind, 1, Digest::default())).unwrap();
}
