//! What the contract says of lists.

use doorstep::office::store::{Listing, PageCursor, Sort, SortKey};
use doorstep::record::terms::{Flag, ReviewStatus, Stage};

use super::samples::{Engine, id, record, rows};

pub(crate) fn a_list_is_filtered(engine: &Engine) {
    let store = &engine.store;
    store
        .write_now(|tx| {
            for n in 1..=4 {
                let case_no = format!("C-{n}");
                tx.put_record(id(n), &record(&case_no, n))?;
                let mut rows = rows(id(n), &case_no);
                if n == 2 {
                    rows.summary.collectors.clear();
                    rows.summary.holds.clear();
                    rows.summary.stage = Stage::Sealed;
                    rows.summary.borrower_name = "Li".into();
                }
                if n == 3 {
                    rows.summary.conflicts = 0;
                    rows.summary.review_status = ReviewStatus::Returned;
                    rows.summary.address = "100 路".into();
                    rows.updated_at = 21;
                }
                tx.put_rows(id(n), &rows)?;
            }
            Ok(())
        })
        .unwrap();
    let all = || Listing { sort: Sort::CaseNo, limit: 9, ..Listing::default() };
    let filtered: Vec<(&str, Listing, &[&str])> = vec![
        ("all", all(), &["C-1", "C-2", "C-3", "C-4"]),
        ("part of a case number", Listing { text: " c-3".into(), ..all() }, &["C-3"]),
        ("part of a name", Listing { text: "阳娜".into(), ..all() }, &["C-1", "C-3", "C-4"]),
        (
            "a percent sign is itself",
            Listing { text: "0%".into(), ..all() },
            &["C-1", "C-2", "C-4"],
        ),
        ("so is an underscore", Listing { text: "C_".into(), ..all() }, &[]),
        ("two characters", Listing { text: "娜娜".into(), ..all() }, &["C-1", "C-3", "C-4"]),
        (
            "the last two of a field",
            Listing { text: "路".into(), ..all() },
            &["C-1", "C-2", "C-3", "C-4"],
        ),
        ("one character", Listing { text: "阳".into(), ..all() }, &["C-1", "C-3", "C-4"]),
        ("case does not matter", Listing { text: "lI".into(), ..all() }, &["C-2"]),
        ("a whole name", Listing { text: "欧阳娜娜".into(), ..all() }, &["C-1", "C-3", "C-4"]),
        ("not across fields", Listing { text: "2Li".into(), ..all() }, &[]),
        ("operators are text", Listing { text: "C OR \"".into(), ..all() }, &[]),
        ("so is a NUL", Listing { text: "C-1\0".into(), ..all() }, &[]),
        (
            "text and stage",
            Listing { text: "C-".into(), stages: vec![Stage::Sealed], ..all() },
            &["C-2"],
        ),
        ("stages", Listing { stages: vec![Stage::Sealed, Stage::OnSite], ..all() }, &["C-2"]),
        (
            "collector",
            Listing { collectors: vec!["wu.min".into(), "zhao.lei".into()], ..all() },
            &["C-1", "C-3", "C-4"],
        ),
        ("unassigned", Listing { unassigned: true, ..all() }, &["C-2"]),
        ("review", Listing { review: Some(ReviewStatus::Returned), ..all() }, &["C-3"]),
        ("hold", Listing { hold: Some(Flag::Attorney), ..all() }, &["C-1", "C-3", "C-4"]),
        ("conflicts", Listing { conflicts: true, ..all() }, &["C-1", "C-2", "C-4"]),
        ("since", Listing { since: Some(21), ..all() }, &["C-3"]),
        ("both", Listing { conflicts: true, unassigned: true, ..all() }, &["C-2"]),
        ("quotes", Listing { text: "' OR 1=1 --".into(), ..all() }, &[]),
    ];
    for (name, listing, cases) in filtered {
        let page = store.read_with(|reads| reads.list(&listing)).unwrap();
        let found: Vec<&str> = page.rows.iter().map(|row| row.summary.case_no.as_str()).collect();
        assert_eq!(found, cases, "{name}");
        assert_eq!(page.total, cases.len() as u64, "{name}");
        assert_eq!(page.next, None, "{name}");
    }
}

pub(crate) fn a_list_continues_after_a_page(engine: &Engine) {
    let store = &engine.store;
    store
        .write_now(|tx| {
            for n in 1..=7 {
                let case_no = format!("C-{}", 9 - n);
                tx.put_record(id(n), &record(&case_no, n))?;
                let mut rows = rows(id(n), &case_no);
                // Ties, and no date at all.
                rows.summary.overdue = i64::from(n / 2);
                rows.summary.due_by = if n == 1 { String::new() } else { format!("2026-01-0{n}") };
                rows.updated_at = 50;
                tx.put_rows(id(n), &rows)?;
            }
            Ok(())
        })
        .unwrap();
    for sort in [Sort::Updated, Sort::Due, Sort::CaseNo, Sort::Overdue, Sort::Queue] {
        for descending in [false, true] {
            let mut listing = Listing { sort, descending, limit: 9, ..Listing::default() };
            let whole = store.read_with(|reads| reads.list(&listing)).unwrap();
            assert_eq!(whole.rows.len(), 7);
            listing.limit = 2;
            let mut paged = Vec::new();
            loop {
                let page = store.read_with(|reads| reads.list(&listing)).unwrap();
                assert_eq!(page.total, 7);
                paged.extend(page.rows);
                let Some(next) = page.next else { break };
                listing.after = PageCursor::decode(&next.encode());
            }
            assert_eq!(paged, whole.rows, "{sort:?} {descending}");
        }
    }
    let by_due = Listing { sort: Sort::Due, limit: 9, ..Listing::default() };
    let last = store.read_with(|reads| reads.list(&by_due)).unwrap().rows.pop().unwrap();
    assert_eq!(last.summary.due_by, "", "no date sorts last");
    // A key of another type is a place before or behind everything, not a failure.
    let odd = Listing {
        after: Some(PageCursor { key: SortKey::Text("x".into()), record: id(1) }),
        limit: 9,
        ..Listing::default()
    };
    assert!(store.read_with(|reads| reads.list(&odd)).is_ok());
}
