//! Quarantined work: numbers, states, filters, pages.

use doorstep::ids::DeviceId;
use doorstep::office::store::{
    Decision, QuarantineExport, QuarantineFilter, QuarantineSize, QuarantineState, RefusedWork,
};

use super::samples::{Engine, device, id, record};

pub(super) fn m4_the_same_refused_work_keeps_its_number(engine: &Engine) {
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
