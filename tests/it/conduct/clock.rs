//! The borrower's clock, and when a visit would be lawful.

use chrono_tz::Tz;
use doorstep::conduct::terms::{Answer, Verdict};
use doorstep::conduct::time::{HOUR, MINUTE};
use doorstep::conduct::zones::around;
use doorstep::record::terms::{AppointmentStatus, Flag, NoticeAbout};

use crate::conduct::scene::{Scene, cn, product, scene, us};

const LONDON: Tz = chrono_tz::Europe::London;
const NEW_YORK: Tz = chrono_tz::America::New_York;

#[test]
fn zone_data_matches_the_zone_database() {
    use chrono::{Offset, TimeZone, Utc};
    for zone in [LONDON, NEW_YORK, chrono_tz::Australia::Lord_Howe, chrono_tz::Asia::Kolkata] {
        let middle = 1_793_000_000_000;
        let data = around(zone.name(), middle);
        for hour in -8_000..8_000 {
            let at = middle + hour * HOUR;
            let utc = Utc.timestamp_millis_opt(at).single().expect("a time");
            let offset = zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc();
            let wall = at + i64::from(offset) * 1000;
            let local = data.local(at).expect("covered");
            assert_eq!(i64::from(local.day) * 24 * HOUR + local.of_day, wall, "{zone} {at}");
        }
    }
}

#[test]
fn a_time_that_a_day_skips_and_one_that_it_has_twice() {
    // 2026-03-08 has no 02:30 in New York, 2026-11-01 has two.
    let data = around("America/New_York", 1_793_000_000_000);
    let spring = doorstep::conduct::time::parse_day("2026-03-08").expect("a day");
    let midnight = data.first_at_or_after(spring, 0, 1_770_000_000_000).expect("covered");
    let gap = data.first_at_or_after(spring, 150 * MINUTE, midnight).expect("covered");
    assert_eq!(gap - midnight, 2 * HOUR, "the end of the gap");
    assert_eq!(data.local(gap).map(|local| local.of_day), Some(3 * HOUR));

    let autumn = doorstep::conduct::time::parse_day("2026-11-01").expect("a day");
    let midnight = data.first_at_or_after(autumn, 0, 1_770_000_000_000).expect("covered");
    let first = data.first_at_or_after(autumn, 90 * MINUTE, midnight).expect("covered");
    assert_eq!(first - midnight, 90 * MINUTE, "the first of the two");
    let second = first + HOUR;
    assert_eq!(data.local(second), data.local(first));
    let next = data.first_at_or_after(autumn + 1, 0, midnight).expect("covered");
    assert_eq!(next - midnight, 25 * HOUR, "the day has 25 hours");
}

#[test]
fn a_visit_over_the_change_of_the_clock_counts_by_the_wall() {
    // A layer whose window opens at 02:00, so that the change lies at its edge.
    let text = "id = \"N\"\nversion = \"1\"\ntitle = \"Night\"\n[[rule]]\nid = \"N-1\"\nscope = \"visit\"\nstatus = \"lender\"\nconfidence = \"S1\"\ncitation = \"x\"\nseverity = \"block\"\n[[rule.duty]]\nkind = \"window\"\non = \"visit\"\nfrom = \"02:00\"\nto = \"22:00\"\n";
    let mut policy = doorstep::conduct::Policy::default();
    policy.add(doorstep::conduct::parse::parse(text).expect("a layer")).expect("no clash");
    let answer = |scene: &Scene| {
        let asked = scene.ask_by(&policy);
        asked.answers.into_iter().find(|answer| answer.rule == "N-1").map(|answer| answer.answer)
    };
    for (zone, spring, autumn) in
        [(NEW_YORK, "2026-03-08", "2026-11-01"), (LONDON, "2026-03-29", "2026-10-25")]
    {
        let london = zone == LONDON;
        let over = |from: i64, to: i64| {
            let mut scene = scene("N", zone).after();
            scene.view.visit.arrived_at = Some(from);
            scene.view.visit.left_at = Some(to);
            scene
        };
        // The last minute before the clock goes forward, and the first after it.
        let base = scene("N", zone);
        let gap = base.ms(&format!("{spring} 00:00")) + if london { HOUR } else { 2 * HOUR };
        assert_eq!(answer(&over(gap, gap + HOUR)), Some(Answer::Pass), "{zone}, from the gap on");
        assert_eq!(answer(&over(gap - 1, gap + HOUR)), Some(Answer::Fail), "{zone}, into the gap");
        // The hour that comes twice lies before two o'clock both times.
        let twice = base.ms(&format!("{autumn} 01:30"));
        assert_eq!(answer(&over(twice, twice + 10)), Some(Answer::Fail), "{zone}, first time");
        assert_eq!(
            answer(&over(twice + HOUR, twice + HOUR + 10)),
            Some(Answer::Fail),
            "{zone}, second"
        );
        let two = base.ms(&format!("{autumn} 02:00"));
        assert_eq!(two - twice, 90 * MINUTE, "{zone}");
        assert_eq!(answer(&over(two, two + 10)), Some(Answer::Pass), "{zone}, from two on");
    }
}

#[test]
fn the_earliest_lawful_time_passes_every_window_day_and_hold() {
    let next = |scene: Scene| {
        let view = scene.ask();
        (view.verdict, view.next_lawful_at.map(|at| at - scene.at))
    };
    assert_eq!(next(cn().two()), (Verdict::Go, Some(0)));
    // From 22:00 until 08:00.
    assert_eq!(next(cn().two().at("11-03 22:00")), (Verdict::WaitUntil, Some(10 * HOUR)));
    assert_eq!(next(cn().two().at("11-03 07:59")), (Verdict::WaitUntil, Some(MINUTE)));
    // A hold that ends at midnight, then the window.
    let held = cn().two().at("11-03 12:00").hold(Flag::ActivePlan, "11-01 10:00", "11-04 00:00");
    assert_eq!(next(held), (Verdict::WaitUntil, Some(20 * HOUR)));
    // Who comes along is not named: no waiting ends that.
    assert_eq!(next(cn()), (Verdict::Dont, Some(0)));
    assert_eq!(next(cn().at("11-03 22:00")), (Verdict::Dont, Some(10 * HOUR)));
    // A hold without an end.
    assert_eq!(next(cn().two().hold(Flag::ActivePlan, "11-01 10:00", "")), (Verdict::Dont, None));
    // A visit five days ago: the eighth day, at nine.
    let capped = product().two().at("11-03 12:00").summary(&[("visits.2026-10-29", 1)]);
    assert_eq!(next(capped), (Verdict::WaitUntil, Some((2 * 24 - 3) * HOUR)));
    // Over two holidays.
    let au = scene("AU", chrono_tz::Australia::Sydney).at("2026-12-25 10:00");
    let (verdict, after) = next(au);
    assert_eq!(verdict, Verdict::WaitUntil);
    assert_eq!(after, Some((24 + 23) * HOUR), "the 27th at nine");
    // Over the change of the clock: 10 hours and one more.
    assert_eq!(next(us().at("10-31 21:00")), (Verdict::WaitUntil, Some(12 * HOUR)));
}

#[test]
fn a_warning_waits_for_a_reason_and_a_block_takes_none() {
    let warned = || product().two().notice(NoticeAbout::Visit, "11-02 12:00");
    let view = warned().ask();
    assert_eq!(view.needs_reason, ["P-07"]);
    assert_eq!(view.verdict, Verdict::WaitUntil);
    assert_eq!(view.next_lawful_at.map(|at| at - view.at), Some(2 * HOUR));
    let view = warned().overridden("P-07").ask();
    assert_eq!((view.verdict, view.needs_reason.len()), (Verdict::Go, 0));
    let late = product().two().at("11-03 20:00").overridden("P-01").ask();
    assert_eq!(late.verdict, Verdict::WaitUntil);
}

#[test]
fn who_sets_out_for_an_appointment_is_asked_about_the_appointment() {
    let early = cn().two().at("11-03 07:00").appointment(
        "11-03 09:00",
        "11-03 10:00",
        AppointmentStatus::Proposed,
    );
    let view = early.ask();
    assert_eq!(view.verdict, Verdict::Go);
    assert_eq!(view.planned_at, early.ms("11-03 09:00"));
    // One that is called off, or days away, is none to set out for.
    for scene in [
        cn().two().at("11-03 07:00").appointment(
            "11-03 09:00",
            "11-03 10:00",
            AppointmentStatus::Cancelled,
        ),
        cn().two().at("11-03 07:00").agreed("11-05 09:00", "11-05 10:00"),
    ] {
        assert_eq!(scene.ask().verdict, Verdict::WaitUntil);
    }
}

#[test]
fn a_phone_clock_that_is_off_is_corrected_and_shown() {
    // The phone shows 21:50, it is 22:20.
    let slow = cn().two().at("11-03 21:50").skewed(-30);
    let view = slow.ask();
    assert_eq!(slow.answer("CN-01"), Answer::Unknown);
    assert_eq!(slow.rule("CN-01").reason_code, "clock_uncertain");
    assert_eq!(view.corrected_at, Some(slow.at + 30 * MINUTE));
    assert_eq!(view.verdict, Verdict::WaitUntil, "by the better clock it is too late");
    // The phone shows 22:10, it is 21:40.
    let fast = cn().two().at("11-03 22:10").skewed(30);
    assert_eq!(fast.answer("CN-01"), Answer::Unknown);
    assert_eq!(fast.ask().verdict, Verdict::Go);
}

#[test]
fn a_draft_is_reported_and_never_stops() {
    let india = scene("IN", chrono_tz::Asia::Kolkata).at("11-03 20:00");
    let draft = india.rule("IN-01V");
    assert_eq!((draft.answer, draft.shadow, draft.stops), (Answer::Fail, true, false));
    assert_eq!(india.ask().verdict, Verdict::Go);
}

#[test]
fn limits_name_the_layer_that_decided() {
    let limits = scene("CN+product", chrono_tz::Asia::Shanghai).ask().limits;
    let of = |parameter: &str| {
        let found = limits.iter().find(|limit| limit.parameter == parameter).expect("a limit");
        (found.value.clone(), found.layers.join(" "))
    };
    assert_eq!(of("visit_window_weekdays"), ("09:00–19:00".into(), "product".into()));
    assert_eq!(of("conversations_1d"), ("1".into(), "product".into()));
    assert_eq!(of("unanswered_1d"), ("6".into(), "CN".into()));
    assert_eq!(of("visitors"), ("2".into(), "CN product".into()));
}
