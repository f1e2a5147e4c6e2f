//! Conformance suite of the store's contract. Every store passes it.

mod accounts;
mod console;
mod expiry;
mod imports;
mod jobs;
mod list_plans;
mod lists;
mod plans;
mod quarantine;
mod queues;
mod samples;
mod saved;
#[cfg(unix)]
mod search_rows;
mod thinning;
mod web_push;

use std::sync::Arc;
use std::sync::mpsc::{TryRecvError, channel};

use accounts::{
    accounts_are_the_last_ones_written, endpoints_count_failures_together_and_a_value_is_used_once,
};
use console::{
    a_device_has_its_last_report, a_device_has_its_last_support_request_and_its_last_bundle,
    a_drawn_record_waits_for_one_audit_of_each_seal,
    a_proposal_is_pending_until_it_is_decided_or_expires,
    the_audit_log_has_no_gaps_with_several_writers, the_audit_log_is_appended_to_and_filtered,
};
use doorstep::ids::{Heads, actor};
use doorstep::office::store::{EntryKind, Feed, ReportFacts, Store, StoreError};
use doorstep::sync::digest::{Digest, Item};
use expiry::{
    f5_accepted_records_are_read_by_time_until_they_expire,
    f5_an_expired_record_is_in_no_feed_though_assigned,
};
use imports::imports_have_files_rows_and_claims;
use jobs::{Plug, Told};
use lists::{a_list_continues_after_a_page, a_list_is_filtered};
use quarantine::m4_the_same_refused_work_keeps_its_number;
use queues::{a_name_that_changes_leaves_the_search, queues_are_filters, rows_follow_the_order};
use samples::{Engine, device, id, kept, record, rows};
use saved::views_are_own_or_shared_and_tokens_are_found_by_their_hash;
use thinning::a_record_with_many_changes_has_few_entries_and_nobody_is_sent_much_twice;
use web_push::{
    a_notice_waits_once_for_each_phone, a_subscription_ends_with_its_sign_in,
    notices_see_a_record_only_if_somebody_subscribed,
};

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

fn dropping_the_answer_does_not_cancel_the_job(engine: &Engine) {
    let store = &engine.store;
    drop(store.write(|tx| tx.put_record(id(1), &record("C-1", 1))));
    // Jobs run in order, so one more answer means that the first is done.
    store.write_now(|_| Ok(())).unwrap();
    assert!(store.read_with(|reads| reads.record(id(1))).unwrap().is_some());
}

fn closing_finishes_queued_jobs_and_refuses_new_ones(engine: &Engine) {
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

fn f2_numbers_of_a_feed_have_no_gaps_with_several_writers(engine: &Engine) {
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

fn r8_feed_signals_follow_the_commit(engine: &Engine) {
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

fn m7_rows_are_the_last_ones_written(engine: &Engine) {
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
    bare.facts = ReportFacts::default();
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

/// A text from a phone may have a NUL, which some databases do not store.
fn no_text_keeps_its_record_out(engine: &Engine) {
    let store = &engine.store;
    let mut odd = rows(id(1), "C-1");
    odd.contacts[0].note = "a\0b".into();
    odd.summary.borrower_name = "\0".into();
    store
        .write_now(move |tx| {
            tx.put_record(id(1), &record("C-1", 1))?;
            tx.put_rows(id(1), &odd)?;
            tx.put_rows(id(1), &odd)
        })
        .unwrap();
    let stored = store.read_with(|reads| reads.rows(id(1))).unwrap().unwrap();
    assert!(stored.contacts[0].note.starts_with('a'));
}

fn i1_an_office_session_number_is_never_reused(engine: &Engine) {
    let first = engine.store.write_now(|tx| tx.next_office_session()).unwrap();
    let second = engine.again().write_now(|tx| tx.next_office_session()).unwrap();
    assert_eq!(first.0, second.0);
    assert_ne!(first.1, second.1);
}

fn the_epoch_is_constant_for_a_store(engine: &Engine) {
    let epoch = engine.store.read_with(|reads| reads.epoch()).unwrap();
    assert_eq!(engine.again().read_with(|reads| reads.epoch()).unwrap(), epoch);
}

macro_rules! suites {
    ($($test:ident)+) => {
        mod sqlite {
            $(#[test] fn $test() { super::$test(&super::Engine::sqlite()); })+
        }
        mod postgres {
            $(#[test] fn $test() { super::$test(&super::Engine::postgres()); })+
        }
    };
}

suites! {
    a_read_sees_every_job_that_was_answered
    a_job_that_fails_or_panics_leaves_no_trace_and_spoils_no_other
    d2_a_job_is_answered_only_after_the_commit_that_it_shares
    f3_a_read_sees_one_state_from_its_first_read_on
    dropping_the_answer_does_not_cancel_the_job
    closing_finishes_queued_jobs_and_refuses_new_ones
    f2_numbers_of_a_feed_have_no_gaps_with_several_writers
    f1_a_feed_gives_the_newest_entry_of_each_record
    r8_feed_signals_follow_the_commit
    a_record_keeps_its_case_and_its_beginning
    changes_are_kept_in_order_and_once
    m4_the_same_refused_work_keeps_its_number
    m7_rows_are_the_last_ones_written
    no_text_keeps_its_record_out
    f5_an_expired_record_is_in_no_feed_though_assigned
    f5_accepted_records_are_read_by_time_until_they_expire
    a_list_is_filtered
    a_list_continues_after_a_page
    queues_are_filters
    a_name_that_changes_leaves_the_search
    rows_follow_the_order
    accounts_are_the_last_ones_written
    endpoints_count_failures_together_and_a_value_is_used_once
    imports_have_files_rows_and_claims
    views_are_own_or_shared_and_tokens_are_found_by_their_hash
    a_device_has_its_last_report
    a_drawn_record_waits_for_one_audit_of_each_seal
    a_device_has_its_last_support_request_and_its_last_bundle
    a_proposal_is_pending_until_it_is_decided_or_expires
    the_audit_log_is_appended_to_and_filtered
    the_audit_log_has_no_gaps_with_several_writers
    i1_an_office_session_number_is_never_reused
    the_epoch_is_constant_for_a_store
    a_record_with_many_changes_has_few_entries_and_nobody_is_sent_much_twice
    a_subscription_ends_with_its_sign_in
    a_notice_waits_once_for_each_phone
    notices_see_a_record_only_if_somebody_subscribed
}

fn append(store: &Arc<dyn Store>, feed: &str, kind: EntryKind) {
    let feed = feed.to_owned();
    store.write_now(move |tx| tx.append(&feed, id(1), kind, 1, Digest::default())).unwrap();
}
