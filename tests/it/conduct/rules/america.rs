//! Cases of rules: at, before and after their boundaries.

use super::{Row, ma, uk};
use crate::conduct::scene::{Scene, us};
use crate::conduct::words::*;

pub(super) fn rows() -> Vec<Row> {
    let wishes = |rule: &'static str, base: fn() -> Scene| -> Vec<Row> {
        vec![
            (rule, "a time not wanted", base().wish(600, 660), Fail),
            (rule, "the minute before", base().wish(601, 660), Unknown),
            (rule, "the minute after", base().wish(540, 600), Unknown),
            (
                rule,
                "agreed, and no wish against it",
                base().agreed("11-03 09:30", "11-03 11:00"),
                Pass,
            ),
            (rule, "convenient", base().met_borrower().yes(&[ConvenientNow]), Pass),
            (
                rule,
                "not convenient, talked",
                base().met_borrower().talk("11-03 10:02").check(ConvenientNow, No),
                Fail,
            ),
            (rule, "not asked", base(), Unknown),
            (rule, "no visit", base().after(), NotApplicable),
        ]
    };
    let mut rows = wishes("US-02", us);
    rows.extend(wishes("UK-01", uk));
    let week = [
        "10-28 10:00",
        "10-29 10:00",
        "10-30 10:00",
        "10-31 10:00",
        "11-01 10:00",
        "11-02 10:00",
        "11-03 10:00",
    ];
    rows.extend(vec![
        ("US-04", "seven in seven days", us().after().calls(&week, NoAnswer), Pass),
        (
            "US-04",
            "eight in seven days",
            us().after().calls(&week, NoAnswer).call("11-03 11:00", NoAnswer),
            Fail,
        ),
        (
            "US-04",
            "the eighth a day earlier",
            us().after().calls(&week, NoAnswer).call("10-27 11:00", NoAnswer),
            Pass,
        ),
        ("US-04", "no summary", us().after().call("11-03 10:00", NoAnswer).no_summary(), Unknown),
        ("US-04", "no call", us().after(), NotApplicable),
        (
            "US-05",
            "on the seventh day",
            us().after().call("10-28 10:00", Reached).call("11-03 10:00", NoAnswer),
            Fail,
        ),
        (
            "US-05",
            "on the eighth day",
            us().after().call("10-27 10:00", Reached).call("11-03 10:00", NoAnswer),
            Pass,
        ),
        (
            "US-05",
            "later on the same day",
            us().after().call("11-03 10:00", Reached).call("11-03 10:01", NoAnswer),
            Fail,
        ),
        ("US-05", "one conversation", us().after().call("11-03 10:00", Reached), Pass),
        (
            "US-05",
            "another record's",
            us().after().call("11-03 10:00", NoAnswer).summary(&[("conversations.2026-10-28", 1)]),
            Fail,
        ),
        (
            "US-05",
            "another record's that day",
            us().after().call("11-03 10:00", NoAnswer).summary(&[("conversations.2026-11-03", 1)]),
            Unknown,
        ),
        ("US-05", "no call", us().after(), NotApplicable),
        (
            "US-06",
            "after five days",
            us().after().call("11-01 10:00", Reached).notice(Validation, "11-06 10:01"),
            Fail,
        ),
        (
            "US-06",
            "within five days",
            us().after().call("10-29 10:00", Reached).notice(Validation, "11-03 09:00"),
            Pass,
        ),
        (
            "US-06",
            "before it",
            us().after().call("11-01 10:00", Reached).notice(Validation, "10-30 10:00"),
            Pass,
        ),
        ("US-06", "not written down", us().after().call("11-01 10:00", Reached), Unknown),
        ("US-06", "nothing was said", us().after().call("11-01 10:00", NoAnswer), NotApplicable),
        ("US-07", "kept quiet", us().met_borrower().yes(&[NoThirdPartyDisclosure]), Pass),
        (
            "US-07",
            "debt disclosed",
            us().visited().met(ThirdParty).check(NoThirdPartyDisclosure, No),
            Fail,
        ),
        ("US-07", "not answered", us().met_borrower(), Unknown),
        ("US-07", "no person met", us().visited().met(Nobody), NotApplicable),
        ("US-08", "three years", us().after().kept(36), Pass),
        ("US-08", "a month less", us().after().kept(35), Fail),
        ("US-08", "not known", us().after(), Unknown),
        ("MA-01", "the first in 30 days", ma().summary(&[("visits.2026-10-04", 1)]), Pass),
        ("MA-01", "the second in 30 days", ma().summary(&[("visits.2026-10-05", 1)]), Fail),
        ("MA-01", "counts are missing", ma().no_summary(), Unknown),
        (
            "MA-01",
            "inside, not invited",
            ma().met_borrower().place(Home).check(EntryConsent, No),
            Fail,
        ),
        ("MA-01", "no visit", ma().after(), NotApplicable),
    ]);
    rows
}
