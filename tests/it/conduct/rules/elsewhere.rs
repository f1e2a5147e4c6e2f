//! Cases of rules: at, before and after their boundaries.

use super::{Row, au, india, tw, uk};
use crate::conduct::words::*;

pub(super) fn rows() -> Vec<Row> {
    let tw_all = || {
        let shown = [IdShown, CredentialsShown, VisitRecorded, EntryConsent, NoMoneyTaken];
        tw().met_borrower().place(Home).yes(&shown)
    };
    vec![
        ("IN-01", "a call at eight", india().after().call("11-03 08:00", NoAnswer), Pass),
        ("IN-01", "a call before eight", india().after().call("11-03 07:59", NoAnswer), Fail),
        (
            "IN-01",
            "a call at seven in the evening",
            india().after().call("11-03 19:00", NoAnswer),
            Fail,
        ),
        ("IN-01", "no zone", india().after().call("11-03 10:00", NoAnswer).no_zone(), Unknown),
        ("IN-01", "a visit is no call", india().visit("11-03 20:00", "11-03 20:10"), NotApplicable),
        ("IN-01V", "a visit at eight", india().at("11-03 08:00"), Pass),
        ("IN-01V", "a visit at seven in the evening", india().at("11-03 19:00"), Fail),
        ("IN-01V", "a visit without an end", india().visit("11-03 10:00", ""), Unknown),
        ("IN-01V", "no visit", india().after(), NotApplicable),
        (
            "IN-02",
            "shown and told",
            india()
                .met_borrower()
                .yes(&[IdShown, CredentialsShown])
                .notice(Visitors, "11-02 10:00"),
            Pass,
        ),
        (
            "IN-02",
            "told as they came",
            india()
                .met_borrower()
                .yes(&[IdShown, CredentialsShown])
                .notice(Visitors, "11-03 10:00"),
            Pass,
        ),
        (
            "IN-02",
            "told later",
            india()
                .met_borrower()
                .yes(&[IdShown, CredentialsShown])
                .notice(Visitors, "11-03 10:01"),
            Fail,
        ),
        ("IN-02", "not told", india().met_borrower().yes(&[IdShown, CredentialsShown]), Unknown),
        ("IN-02", "no visit", india().after(), NotApplicable),
        (
            "UK-02",
            "verified, quiet",
            uk().met_borrower()
                .talk("11-03 10:01")
                .check_at(IdentityVerified, Yes, "11-03 10:01")
                .yes(&[NoThirdPartyDisclosure]),
            Pass,
        ),
        (
            "UK-02",
            "verified after the talk began",
            uk().met_borrower()
                .talk("11-03 10:00")
                .check_at(IdentityVerified, Yes, "11-03 10:01")
                .yes(&[NoThirdPartyDisclosure]),
            Fail,
        ),
        ("UK-02", "not answered", uk().met_borrower(), Unknown),
        ("UK-02", "no person met", uk().visited().met(Nobody), NotApplicable),
        ("UK-03", "a day before", uk().notice(Visit, "11-02 10:00"), Pass),
        ("UK-03", "less than a day", uk().notice(Visit, "11-02 10:01"), Fail),
        (
            "UK-03",
            "agreed instead",
            uk().notice(Visit, "11-02 10:01").agreed("11-03 09:00", "11-03 11:00"),
            Pass,
        ),
        ("UK-03", "not written down", uk(), Unknown),
        ("UK-03", "no visit", uk().after(), NotApplicable),
        ("UK-04", "none of it", uk(), Pass),
        ("UK-04", "vulnerable", uk().hold(Flag::Vulnerable, "11-01 10:00", ""), Fail),
        ("UK-04", "disputed", uk().hold(Flag::Dispute, "11-01 10:00", ""), Fail),
        (
            "UK-04",
            "disputed, agreed",
            uk().hold(Flag::Dispute, "11-01 10:00", "").agreed("11-03 09:00", "11-03 11:00"),
            Pass,
        ),
        (
            "UK-04",
            "left after two minutes",
            uk().met_borrower().place(Branch).asked_to_leave("11-03 10:28"),
            Pass,
        ),
        (
            "UK-04",
            "left after three",
            uk().met_borrower().place(Branch).asked_to_leave("11-03 10:27"),
            Fail,
        ),
        ("UK-04", "the office never spoke", uk().never_in_step(), Unknown),
        ("UK-04", "no visit", uk().after(), NotApplicable),
        (
            "TW-01",
            "consent waives it",
            tw().at("11-03 23:00").consent("TW-01", "11-03 22:00", "11-04 00:00"),
            Pass,
        ),
        ("TW-02", "all of it", tw_all(), Pass),
        ("TW-02", "money taken", tw_all().check(NoMoneyTaken, No), Fail),
        ("TW-02", "cash", tw_all().payment("cash"), Fail),
        ("TW-02", "not answered", tw().met_borrower().place(Home), Unknown),
        ("TW-02", "no visit", tw().after(), NotApplicable),
        ("AU-01", "a visit at nine", au().at("11-03 09:00"), Pass),
        ("AU-01", "a visit before nine", au().at("11-03 08:59"), Fail),
        ("AU-01", "a visit at nine in the evening", au().at("11-03 21:00"), Fail),
        (
            "AU-01",
            "a call on a weekday at half past seven",
            au().after().call("11-03 07:30", Sent),
            Pass,
        ),
        ("AU-01", "a call on a weekday before it", au().after().call("11-03 07:29", Sent), Fail),
        (
            "AU-01",
            "a call on a Saturday at half past seven",
            au().after().call("11-07 07:30", Sent),
            Fail,
        ),
        ("AU-01", "a call on a Saturday at nine", au().after().call("11-07 09:00", Sent), Pass),
        ("AU-01", "on Christmas Day", au().at("12-25 10:00"), Fail),
        ("AU-01", "on the day that replaces Boxing Day", au().at("12-28 10:00"), Fail),
        ("AU-01", "a year without holiday data", au().at("2028-03-01 10:00"), Unknown),
        ("AU-01", "nothing happened", au().after(), NotApplicable),
        (
            "AU-02",
            "the third in seven days, agreed",
            au().agreed("11-03 09:00", "11-03 11:00").summary(&[("contacts.2026-10-28", 2)]),
            Pass,
        ),
        (
            "AU-02",
            "the fourth",
            au().agreed("11-03 09:00", "11-03 11:00").summary(&[("contacts.2026-10-28", 3)]),
            Fail,
        ),
        (
            "AU-02",
            "three, a day longer ago",
            au().agreed("11-03 09:00", "11-03 11:00").summary(&[("contacts.2026-10-27", 3)]),
            Pass,
        ),
        (
            "AU-02",
            "the eleventh in a month",
            au().at("11-30 10:00")
                .agreed("11-30 09:00", "11-30 11:00")
                .summary(&[("contacts.2026-11-02", 10)]),
            Fail,
        ),
        (
            "AU-02",
            "ten of the month before",
            au().at("11-10 10:00")
                .agreed("11-10 09:00", "11-10 11:00")
                .summary(&[("contacts.2026-10-31", 10)]),
            Pass,
        ),
        ("AU-02", "declined", au().appointment("11-03 09:00", "11-03 11:00", Declined), Fail),
        ("AU-02", "called off", au().appointment("11-03 09:00", "11-03 11:00", Cancelled), Fail),
        ("AU-02", "not agreed", au(), Unknown),
        ("AU-02", "nothing happened", au().after(), NotApplicable),
    ]
}
