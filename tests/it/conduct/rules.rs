//! Every rule of every layer: at, before and after its boundary, and each answer that it can give.

mod america;
mod china;
mod elsewhere;
mod product;

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use doorstep::conduct::Policy;
use doorstep::conduct::terms::Answer;

use crate::conduct::scene::{Scene, cn, product, scene, us};
use crate::conduct::words::*;

type Row = (&'static str, &'static str, Scene, Answer);

fn uk() -> Scene {
    scene("UK", chrono_tz::Europe::London)
}
fn au() -> Scene {
    scene("AU", chrono_tz::Australia::Sydney)
}
fn tw() -> Scene {
    scene("TW", chrono_tz::Asia::Taipei)
}
fn india() -> Scene {
    scene("IN", chrono_tz::Asia::Kolkata)
}
fn ma() -> Scene {
    scene("US-MA", chrono_tz::America::New_York)
}

fn seven() -> [&'static str; 7] {
    [
        "11-03 08:00",
        "11-03 08:10",
        "11-03 08:20",
        "11-03 08:30",
        "11-03 08:40",
        "11-03 08:50",
        "11-03 09:00",
    ]
}

/// A window of visits and calls that consent waives.
fn window(rule: &'static str, base: fn() -> Scene, opens: &str, closes: &str) -> Vec<Row> {
    let minute = |clock: &str, by: i64| {
        let (hours, minutes) = clock.split_once(':').expect("a clock");
        let sum = hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap() + by;
        format!("11-03 {:02}:{:02}", sum / 60, sum % 60)
    };
    let on = |clock: &str, by: i64| base().at(&minute(clock, by));
    vec![
        (rule, "before it opens", on(opens, -1), Fail),
        (rule, "as it opens", on(opens, 0), Pass),
        (rule, "just before it closes", on(closes, -1), Pass),
        (rule, "as it closes", on(closes, 0), Fail),
        (
            rule,
            "a visit until it closes",
            base().visit(&minute(closes, -30), &minute(closes, 0)),
            Pass,
        ),
        (
            rule,
            "a visit that runs past it",
            base().visit(&minute(closes, -30), &minute(closes, 1)),
            Fail,
        ),
        (rule, "a visit without an end", base().visit(&minute(opens, 30), ""), Unknown),
        (rule, "a call before it opens", base().after().call(&minute(opens, -1), NoAnswer), Fail),
        (rule, "a call as it opens", base().after().call(&minute(opens, 0), NoAnswer), Pass),
        (rule, "nothing happened", base().after(), NotApplicable),
        (rule, "an unknown zone", base().no_zone(), Unknown),
        (rule, "a clock that decides it", on(closes, 10).skewed(20), Unknown),
        (rule, "a clock that does not", on(opens, 90).skewed(20), Pass),
    ]
}

fn hold(rule: &'static str, base: fn() -> Scene, flag: Flag) -> Vec<Row> {
    vec![
        (rule, "a hold stands", base().hold(flag, "11-01 10:00", ""), Fail),
        (rule, "a hold begins now", base().hold(flag, "11-03 10:00", ""), Fail),
        (rule, "a hold begins later", base().hold(flag, "11-03 10:01", ""), Pass),
        (rule, "a hold ends later", base().hold(flag, "11-01 10:00", "11-03 10:01"), Fail),
        (rule, "a hold ends now", base().hold(flag, "11-01 10:00", "11-03 10:00"), Pass),
        (rule, "no hold", base(), Pass),
        (rule, "the office never spoke", base().never_in_step(), Unknown),
        (rule, "no visit", base().after(), NotApplicable),
    ]
}

fn table() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(window("CN-01", cn, "08:00", "22:00"));
    rows.extend(window("US-01", us, "08:00", "21:00"));
    rows.extend(window("TW-01", tw, "07:00", "22:00"));
    rows.extend(window("P-01", product, "09:00", "19:00"));
    rows.extend(hold("US-03", us, Flag::Attorney));
    rows.extend(hold("US-09", us, Flag::Dispute));
    rows.extend(hold("US-09", us, Flag::CeaseContact));
    rows.extend(hold("IN-03", india, Flag::Complaint));
    for flag in Flag::ALL {
        rows.extend(hold("P-12", product, *flag));
    }
    rows.extend(china::rows());
    rows.extend(america::rows());
    rows.extend(elsewhere::rows());
    rows.extend(product::rows());
    rows
}

#[test]
fn every_rule_answers_as_its_table_says() {
    let mut wrong = Vec::new();
    for (rule, name, scene, wanted) in table() {
        let found = scene.rule(rule);
        if found.answer != wanted {
            wrong.push(format!(
                "{rule}, {name}: {} ({}), not {wanted}",
                found.answer, found.reason_code
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Retention always has something to say: what it asks for is a duty of the office.
const NEVER_ASIDE: [&str; 2] = ["CN-11", "US-08"];

#[test]
fn the_table_reaches_every_answer_of_every_rule() {
    let mut reached: BTreeMap<&str, BTreeSet<Answer>> = BTreeMap::new();
    for (rule, _, _, answer) in table() {
        reached.entry(rule).or_default().insert(answer);
    }
    let policy = Policy::default();
    for layer in policy.layers() {
        for rule in &layer.rules {
            let mut wanted: BTreeSet<Answer> = Answer::ALL.iter().copied().collect();
            if NEVER_ASIDE.contains(&rule.id.as_str()) {
                wanted.remove(&NotApplicable);
            }
            let found = reached.remove(rule.id.as_str()).unwrap_or_default();
            assert_eq!(found, wanted, "{}", rule.id);
        }
    }
    assert!(reached.is_empty(), "rules that no layer has: {reached:?}");
}

#[test]
fn every_rule_and_reason_has_its_sentence_in_both_languages() {
    for text in [
        include_str!("../../../www/src/i18n/conduct.en.json"),
        include_str!("../../../www/src/i18n/conduct.zh-CN.json"),
    ] {
        let words: serde_json::Value = serde_json::from_str(text).expect("JSON");
        for layer in Policy::default().layers() {
            for rule in &layer.rules {
                assert!(words["rule"][&rule.id].is_string(), "{}", rule.id);
            }
        }
        for (rule, name, scene, _) in table() {
            let view = scene.ask();
            for answer in &view.answers {
                let code = &answer.reason_code;
                assert!(words["reason"][code].is_string(), "{rule}, {name}: {code}");
            }
            for limit in &view.limits {
                assert!(words["limit"][&limit.parameter].is_string(), "{}", limit.parameter);
            }
        }
    }
}

#[test]
fn the_document_names_every_rule_with_its_source() {
    let text = include_str!("../../../docs/CONDUCT.md");
    for layer in Policy::default().layers() {
        for rule in &layer.rules {
            let line = text.lines().find(|line| line.starts_with(&format!("| {} |", rule.id)));
            let line = line.unwrap_or_else(|| panic!("{} is not in docs/CONDUCT.md", rule.id));
            for said in [
                rule.citation.as_str(),
                rule.confidence.as_str(),
                rule.status.as_str(),
                rule.severity.as_str(),
            ] {
                assert!(line.contains(said), "{}: {said} is not in {line}", rule.id);
            }
        }
    }
}

#[test]
fn zones_choose_the_country() {
    let of = |zone: Tz| {
        let scene = scene("", zone);
        Policy::default().select(&scene.view).name()
    };
    assert_eq!(of(chrono_tz::Asia::Shanghai), "CN@2026-01-30+product@1");
    assert_eq!(of(chrono_tz::America::Chicago), "US@2021-11-30+product@1");
    assert_eq!(of(chrono_tz::Australia::Perth), "AU@1+product@1");
    assert_eq!(of(chrono_tz::Europe::Paris), "product@1");
}
