//! Accepted records and the feeds that they leave (rule F5).

use doorstep::office::store::{EntryKind, Expiring};
use doorstep::record::terms::Stage;

use super::append;
use super::samples::{Engine, id, record, rows};

pub(super) fn f5_an_expired_record_is_in_no_feed_though_assigned(engine: &Engine) {
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
                Ok((reads.collectors(id(1))?, members))
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
        let (collectors, members) = seen();
        assert_eq!(collectors.contains(&"chen.jie".to_owned()), is_in);
        assert!(collectors.contains(&"wu.min".to_owned()));
        assert_eq!(members.contains(&id(1)), is_in);
        assert!(members.contains(&id(2)));
        let assigned = store.read_with(|reads| reads.assigned(id(1))).unwrap();
        assert_eq!(assigned, ["chen.jie", "wu.min"]);
    }
}

pub(super) fn f5_accepted_records_are_read_by_time_until_they_expire(engine: &Engine) {
    let store = &engine.store;
    let accepted = |n: u8, at: Option<i64>| {
        let mut rows = rows(id(n), &format!("C-{n}"));
        rows.summary.stage = Stage::Reviewed;
        rows.accepted_at = at;
        rows
    };
    let times = [(1, Some(7)), (2, None), (3, Some(5)), (4, Some(5)), (5, Some(8))];
    store
        .write_now(move |tx| {
            times.into_iter().try_for_each(|(n, at)| {
                tx.put_record(id(n), &record(&format!("C-{n}"), n))?;
                tx.put_rows(id(n), &accepted(n, at))
            })
        })
        .unwrap();
    let expiring = |after: (i64, u8), limit: u32| -> Vec<u8> {
        let after = (after.0, id(after.1));
        let found = store.read_with(|reads| reads.expiring(after, 7, limit)).unwrap();
        let number = |found: &Expiring| {
            let n = (1..6).find(|n| id(*n) == found.record).unwrap();
            assert_eq!(found.heads, record("", n).heads);
            assert!(times.contains(&(n, Some(found.accepted_at))));
            n
        };
        found.iter().map(number).collect()
    };
    assert_eq!(expiring((i64::MIN, 0), 9), [3, 4, 1]);
    assert_eq!(expiring((i64::MIN, 0), 2), [3, 4]);
    assert_eq!(expiring((5, 3), 9), [4, 1]);
    store.write_now(|tx| tx.set_expired(id(4))).unwrap();
    assert_eq!(expiring((i64::MIN, 0), 9), [3, 1]);
    // Work on it may have brought it back to a feed, whether or not a row has changed.
    for priority in [1, 2] {
        let mut rows = accepted(4, Some(5));
        rows.summary.priority = priority;
        store.write_now(|tx| tx.set_expired(id(4))).unwrap();
        store.write_now(move |tx| tx.put_rows(id(4), &rows)).unwrap();
        assert_eq!(expiring((i64::MIN, 0), 9), [3, 4, 1], "{priority}");
    }
    store.write_now(move |tx| tx.put_rows(id(3), &accepted(3, None))).unwrap();
    assert_eq!(expiring((i64::MIN, 0), 9), [4, 1]);
}
