//! Cases of rules: at, before and after their boundaries.

use super::Row;
use crate::conduct::scene::product;
use crate::conduct::words::*;

pub(super) fn rows() -> Vec<Row> {
    let three = ["11-03 09:00", "11-03 10:00", "11-03 11:00"];
    let work = || product().visited().place(Workplace);
    vec![
        ("P-01", "agreed", product().at("11-03 20:00").agreed("11-03 20:00", "11-03 21:00"), Pass),
        ("P-02", "three calls", product().after().calls(&three, NoAnswer), Pass),
        (
            "P-02",
            "four calls",
            product().after().calls(&three, NoAnswer).call("11-03 12:00", Reached),
            Fail,
        ),
        (
            "P-02",
            "counts of another number",
            product()
                .after()
                .call(three[0], NoAnswer)
                .summary(&[("attempts.phones.1.2026-11-03", 5)]),
            Pass,
        ),
        (
            "P-02",
            "counts of this number",
            product()
                .after()
                .call(three[0], NoAnswer)
                .summary(&[("attempts.phones.0.2026-11-03", 3)]),
            Fail,
        ),
        (
            "P-02",
            "counts of a day ago",
            product().after().call("11-03 10:00", NoAnswer).old(24),
            Pass,
        ),
        (
            "P-02",
            "counts too old",
            product().after().call("11-03 10:00", NoAnswer).old(25),
            Unknown,
        ),
        ("P-02", "no call", product().after(), NotApplicable),
        ("P-03", "one conversation", product().after().call(three[0], Reached), Pass),
        ("P-03", "two", product().after().calls(&three[..2], Reached), Fail),
        ("P-03", "counts too old", product().after().call("11-03 10:00", Reached).old(25), Unknown),
        ("P-03", "no conversation", product().after().call(three[0], LeftMessage), NotApplicable),
        ("P-04", "the third in seven days", product().summary(&[("contacts.2026-10-28", 2)]), Pass),
        ("P-04", "the fourth", product().summary(&[("contacts.2026-10-28", 3)]), Fail),
        (
            "P-04",
            "a message counts",
            product()
                .after()
                .contact(three[0], Channel::Sms, Borrower, Sent)
                .summary(&[("contacts.2026-11-03", 3)]),
            Fail,
        ),
        (
            "P-04",
            "three, and a visit that met no person",
            product().visited().met(Nobody).calls(&three, LeftMessage),
            Pass,
        ),
        (
            "P-04",
            "three, and a visit without a person recorded",
            product().visited().calls(&three, LeftMessage),
            Unknown,
        ),
        ("P-04", "counts too old", product().old(25), Unknown),
        ("P-04", "nothing happened", product().after(), NotApplicable),
        ("P-05", "a week later", product().summary(&[("visits.2026-10-27", 1)]), Pass),
        ("P-05", "within the week", product().summary(&[("visits.2026-10-28", 1)]), Fail),
        (
            "P-05",
            "the third in 30 days",
            product().summary(&[("visits.2026-10-05", 1), ("visits.2026-10-20", 1)]),
            Fail,
        ),
        (
            "P-05",
            "the third in 31 days",
            product().summary(&[("visits.2026-10-04", 1), ("visits.2026-10-20", 1)]),
            Pass,
        ),
        ("P-05", "counts too old", product().old(25), Unknown),
        ("P-05", "no visit", product().after(), NotApplicable),
        ("P-06", "two", product().visited().visitors(&["a", "b"]), Pass),
        ("P-06", "one", product().visited().visitors(&["a"]), Fail),
        ("P-06", "no name recorded", product(), Unknown),
        ("P-06", "no visit", product().after(), NotApplicable),
        ("P-07", "a day before", product().notice(Visit, "11-02 10:00"), Pass),
        ("P-07", "a minute late", product().notice(Visit, "11-02 10:01"), Fail),
        ("P-07", "not written down", product(), Unknown),
        ("P-07", "no visit", product().after(), NotApplicable),
        (
            "P-08",
            "as the talk began",
            product().met_borrower().talk("11-03 10:01").check_at(
                IdentityVerified,
                Yes,
                "11-03 10:01",
            ),
            Pass,
        ),
        (
            "P-08",
            "after the talk began",
            product().met_borrower().talk("11-03 10:01").check_at(
                IdentityVerified,
                Yes,
                "11-03 10:02",
            ),
            Fail,
        ),
        (
            "P-08",
            "not checked",
            product().met_borrower().talk("11-03 10:01").check(IdentityVerified, No),
            Fail,
        ),
        (
            "P-08",
            "when the talk began is not known",
            product().met_borrower().yes(&[IdentityVerified]),
            Unknown,
        ),
        ("P-08", "no person met", product().visited().met(Nobody), NotApplicable),
        (
            "P-09",
            "recorded and said",
            product().met_borrower().yes(&[VisitRecorded, RecordingAnnounced]),
            Pass,
        ),
        (
            "P-09",
            "not said",
            product().met_borrower().yes(&[VisitRecorded]).check(RecordingAnnounced, No),
            Fail,
        ),
        ("P-09", "not answered", product().met_borrower().yes(&[VisitRecorded]), Unknown),
        ("P-09", "no person met", product().visited().met(Nobody), NotApplicable),
        (
            "P-10",
            "the borrower asked for the workplace",
            work().agreed("11-03 09:00", "11-03 11:00").proposed_by(ProposedBy::Borrower),
            Pass,
        ),
        (
            "P-10",
            "the collector chose the workplace",
            work().agreed("11-03 09:00", "11-03 11:00").proposed_by(ProposedBy::Collector),
            Fail,
        ),
        ("P-10", "no person recorded", work(), Unknown),
        ("P-10", "at the branch", product().visited().place(Branch), NotApplicable),
        ("P-11", "within two minutes", product().visited().asked_to_leave("11-03 10:28"), Pass),
        ("P-11", "after two minutes", product().visited().asked_to_leave("11-03 10:27"), Fail),
        (
            "P-11",
            "when is not known",
            product().visited().outcome(Disposition::AskedToLeave),
            Unknown,
        ),
        ("P-11", "no request", product().visited(), NotApplicable),
        (
            "P-12",
            "raised at the door",
            product().visited().hold(Flag::Dispute, "11-03 10:10", ""),
            Pass,
        ),
        ("P-12", "word of a day ago", product().old(24), Pass),
        ("P-12", "word too old", product().old(25), Unknown),
        ("P-13", "none", product().met_borrower().yes(&[NoMoneyTaken]), Pass),
        ("P-13", "some", product().met_borrower().check(NoMoneyTaken, No), Fail),
        ("P-13", "cash", product().met_borrower().yes(&[NoMoneyTaken]).payment("cash"), Fail),
        ("P-13", "not answered", product().met_borrower(), Unknown),
        ("P-13", "no person met", product().visited().met(Nobody), NotApplicable),
    ]
}
