//! Receipts: found for every entry that a record ever had, and for nothing else.

use doorstep::record::Record;
use doorstep::record::command::{Command, NewPayment, PromiseToPay};
use doorstep::record::receipt::{self, ReceiptCode, ReceiptKind, WrittenEntry};
use doorstep::record::terms::Role;

use super::fixtures::{NOW, author, created};

const PAYMENT: &str = "01990000-0000-7000-8000-00000000000a";

fn promise(amount: i64, due_date: &str) -> Command {
    let channel = "bank".to_owned();
    Command::Promise { promise: Some(PromiseToPay { amount, due_date: due_date.into(), channel }) }
}

fn code(record: &Record, entry: &str) -> ReceiptCode {
    let shown = receipt::receipts(&record.view()).into_iter().find(|it| it.entry == entry);
    ReceiptCode::parse(&shown.expect("a receipt").code).expect("a code")
}

fn found(record: &Record, code: &ReceiptCode) -> Option<WrittenEntry> {
    receipt::find(&record.view().id, &record.history(), code)
}

#[test]
fn a_replaced_or_removed_promise_stays_verifiable() {
    let mut record = created();
    let collector = author("chen.jie", Role::Collector, 1);
    record.apply(&promise(33_333, "2027-01-31"), &collector).expect("allowed");
    let first = code(&record, "promise");
    record.apply(&promise(33_333, "2027-02-28"), &collector).expect("allowed");
    let second = code(&record, "promise");
    record.apply(&Command::Promise { promise: None }, &collector).expect("allowed");
    assert!(receipt::receipts(&record.view()).is_empty());
    for (code, date) in [(first, "2027-01-31"), (second, "2027-02-28")] {
        let entry = found(&record, &code).expect("known");
        assert_eq!((entry.kind, entry.amount), (ReceiptKind::Promise, 33_333));
        assert_eq!((entry.date.as_str(), entry.channel.as_str()), (date, "bank"));
        assert_eq!(entry.by, "chen.jie");
        assert!(!receipt::is_current(&record.view(), &entry));
    }
}

#[test]
fn a_receipt_that_was_shown_and_never_recorded_is_unknown() {
    let mut record = created();
    let collector = author("chen.jie", Role::Collector, 1);
    let payment = |amount| {
        let (channel, reference, receipt) = ("bank".into(), String::new(), String::new());
        Command::AddPayment(NewPayment {
            id: PAYMENT.into(),
            amount,
            at: NOW,
            channel,
            reference,
            receipt,
        })
    };
    // What a lying collector shows, and what is recorded instead.
    let mut shown = record.clone();
    shown.apply(&payment(500_000), &collector).expect("allowed");
    record.apply(&payment(50_000), &collector).expect("allowed");
    assert_eq!(found(&record, &code(&shown, PAYMENT)), None);
    let entry = found(&record, &code(&record, PAYMENT)).expect("known");
    assert_eq!((entry.amount, entry.date.as_str()), (50_000, NOW.to_string().as_str()));
    assert!(receipt::is_current(&record.view(), &entry));
}
