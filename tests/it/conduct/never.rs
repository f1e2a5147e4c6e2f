//! What never happens, whatever the record.

use chrono_tz::Tz;
use doorstep::conduct::Policy;
use doorstep::conduct::terms::{Answer, Verdict};
use doorstep::record::terms::{
    CheckAnswer, CheckItem, ContactOutcome, Flag, Grade, NoticeAbout, PlaceType, TargetRole,
};
use proptest::prelude::*;

use crate::conduct::scene::{Scene, scene};

const ZONES: [Tz; 6] = [
    chrono_tz::Asia::Shanghai,
    chrono_tz::America::New_York,
    chrono_tz::Europe::London,
    chrono_tz::Asia::Kolkata,
    chrono_tz::Asia::Taipei,
    chrono_tz::Australia::Sydney,
];

/// Anything that can happen to a record.
fn scenes() -> impl Strategy<Value = Scene> {
    let what = prop::collection::vec((0u8..16, 0i64..60 * 24, any::<u8>()), 0..14);
    (0usize..6, -40_000i64..40_000, 0u8..3, what, any::<bool>()).prop_map(
        |(zone, minutes, moment, what, fresh)| {
            let mut scene = scene("", ZONES[zone]);
            scene.at += minutes * 60_000;
            scene.known.office_as_of = Some(scene.at - if fresh { 0 } else { 30 * 3_600_000 });
            scene.view.case.contact_summary.iter_mut().for_each(|it| it.as_of = scene.at);
            for (kind, ago, n) in what {
                scene = happen(scene, kind, ago, n);
            }
            match moment {
                0 => scene,
                1 => scene.on_arrival(),
                _ => scene.after(),
            }
        },
    )
}

fn happen(mut scene: Scene, kind: u8, ago: i64, n: u8) -> Scene {
    let at = scene.at - ago * 60_000;
    let when = chrono::DateTime::from_timestamp_millis(at).expect("a time");
    let when = when.with_timezone(&scene.zone).format("%Y-%m-%d %H:%M").to_string();
    let pick = |len: usize| usize::from(n) % len;
    match kind {
        0 => scene.call(&when, ContactOutcome::ALL[pick(ContactOutcome::ALL.len())]),
        1 => scene.other(&when, ContactOutcome::ALL[pick(ContactOutcome::ALL.len())]),
        2 => {
            scene.view.visit.arrived_at = Some(at);
            scene
        }
        3 => {
            scene.view.visit.left_at = scene.view.visit.arrived_at.map(|from| from + ago * 1_000);
            scene
        }
        4 => scene.met(TargetRole::ALL[pick(TargetRole::ALL.len())]),
        5 | 6 => {
            let item = CheckItem::ALL[pick(CheckItem::ALL.len())];
            let answer = CheckAnswer::ALL[pick(CheckAnswer::ALL.len())];
            scene.check_at(item, answer, &when)
        }
        7 => scene.place(PlaceType::ALL[pick(PlaceType::ALL.len())]),
        8 => scene.hold(Flag::ALL[pick(Flag::ALL.len())], &when, ""),
        9 => scene.notice(NoticeAbout::ALL[pick(NoticeAbout::ALL.len())], &when),
        10 => {
            scene.view.visit.visitors.push(format!("v{n}"));
            scene
        }
        11 => scene.talk(&when),
        12 => {
            scene.view.appointment.starts_at = Some(at);
            scene.view.appointment.ends_at = Some(at + 3_600_000);
            scene.view.appointment.status =
                doorstep::record::terms::AppointmentStatus::ALL.get(usize::from(n % 4)).copied();
            scene
        }
        13 => scene.asked_to_leave(&when),
        14 => scene.skewed(i64::from(n) - 128),
        _ => scene.wish(i64::from(n) * 5, i64::from(n) * 5 + 60),
    }
}

/// The scene without one piece of evidence, in every way. Facts such as arriving, calling, being
/// asked to leave, raising a hold or voicing a wish trigger the rules and are not evidence.
fn without(scene: &Scene) -> Vec<Scene> {
    let mut less = Vec::new();
    let mut take = |change: &dyn Fn(&mut Scene)| {
        let mut other = scene.clone();
        change(&mut other);
        less.push(other);
    };
    for n in 0..scene.view.checks.len() {
        // A "no" beside a "yes" speaks against; alone, its absence is a gap.
        let item = scene.view.checks[n].item;
        take(&|scene| scene.view.checks.retain(|check| check.item != item));
    }
    for n in 0..scene.view.conduct.len() {
        if scene.view.conduct[n].kind == doorstep::record::terms::ConductKind::Notice {
            let about = scene.view.conduct[n].about;
            take(&|scene| scene.view.conduct.retain(|entry| entry.about != about));
        }
    }
    take(&|scene| scene.view.case.contact_summary = None);
    take(&|scene| scene.known.office_as_of = None);
    take(&|scene| scene.view.case.zone = String::new());
    take(&|scene| scene.view.visit.visitors.clear());
    take(&|scene| scene.view.visit.left_at = None);
    take(&|scene| scene.view.visit.talk_from = None);
    take(&|scene| scene.view.visit.person_met = None);
    take(&|scene| scene.view.visit.place_type = None);
    less
}

/// A layer that asks for more of everything.
fn stricter() -> Policy {
    let text = r#"
id = "own"
version = "1"
title = "Stricter"
max_age_hours = 1
[[rule]]
id = "OWN-1"
scope = "visit"
status = "lender"
confidence = "S1"
citation = "handbook"
severity = "block"
[[rule.duty]]
kind = "window"
on = "visit"
from = "10:00"
to = "16:00"
[[rule.duty]]
kind = "cap"
count = "visits"
days = 14
most = 1
"#;
    let mut policy = Policy::default();
    policy.add(doorstep::conduct::parse::parse(text).expect("a layer")).expect("no clash");
    policy
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Go => 0,
        Verdict::WaitUntil => 1,
        Verdict::Dont => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn a_layer_more_never_loosens(scene in scenes()) {
        let (before, after) = (scene.ask(), scene.ask_by(&stricter()));
        for answer in &before.answers {
            let found = after.answers.iter().find(|other| other.rule == answer.rule);
            let found = found.expect("still asked");
            let same = found.answer == answer.answer;
            let stricter = answer.answer == Answer::Pass && found.answer == Answer::Unknown;
            prop_assert!(same || stricter, "{}: {} then {}", answer.rule, answer.answer, found.answer);
        }
        prop_assert!(rank(after.verdict) >= rank(before.verdict));
        if let (Some(one), Some(other)) = (before.next_lawful_at, after.next_lawful_at) {
            prop_assert!(other >= one);
        }
    }

    #[test]
    fn taking_evidence_away_never_makes_a_pass(scene in scenes()) {
        let before = scene.ask();
        for less in without(&scene) {
            for answer in less.ask().answers {
                if answer.answer != Answer::Pass {
                    continue;
                }
                let was = before.answers.iter().find(|other| other.rule == answer.rule);
                let was = was.map(|was| was.answer);
                // Another country's rules may be asked where the zone is gone.
                prop_assert!(
                    was.is_none_or(|was| was == Answer::Pass || was == Answer::NotApplicable),
                    "{}: {:?} became a pass", answer.rule, was
                );
            }
        }
    }

    #[test]
    fn the_answer_depends_on_the_question_only(scene in scenes()) {
        prop_assert_eq!(scene.ask(), scene.ask());
        let mut again = scene.clone();
        again.view.checks.reverse();
        let grades = |scene: &Scene| -> Vec<(String, Answer, Option<Grade>)> {
            scene.ask().answers.into_iter().map(|it| (it.rule, it.answer, it.grade)).collect()
        };
        prop_assert_eq!(grades(&scene), grades(&again));
    }

    #[test]
    fn the_earliest_lawful_time_is_lawful(scene in scenes()) {
        let view = scene.ask();
        if let (Verdict::WaitUntil, Some(next)) = (view.verdict, view.next_lawful_at) {
            let mut then = scene.clone();
            then.known.skew_ms = None;
            then.view.appointment = Default::default();
            // Who comes along has to be written down at any time.
            then.view.visit.visitors = vec!["a".into(), "b".into()];
            then.at = next;
            then.known.office_as_of = Some(next);
            let stopping: Vec<String> = then.ask().stopping().map(|it| it.rule.clone()).collect();
            prop_assert!(stopping.is_empty() || scene.view.appointment.starts_at.is_some(), "{stopping:?}");
        }
    }
}
