//! What speaks against the position of a visit.

use doorstep::record::command::{Arrival, CasePatch, Command, Position};
use doorstep::record::position::{PositionCheck, PositionDoubt, check};
use doorstep::record::terms::{Grade, Role};
use rstest::rstest;

use super::fixtures::{NOW, author, created};

const MINUTE: i64 = 60_000;

fn checked(position: Position, others: &[Position]) -> PositionCheck {
    let mut record = created();
    let address = CasePatch { lat: Some(29.87), lon: Some(121.54), ..CasePatch::default() };
    record
        .apply(&Command::UpdateCase(Box::new(address)), &author("lin.yue", Role::Supervisor, 9))
        .expect("allowed");
    let arrival = Command::Arrive(Arrival { at: NOW, position: Some(position) });
    record.apply(&arrival, &author("chen.jie", Role::Collector, 1)).expect("allowed");
    check(&record.view(), others).expect("a position")
}

fn at_the_door() -> Position {
    Position { lat: 29.871, lon: 121.541, accuracy_m: 12.0, at: NOW }
}

#[test]
fn a_position_at_the_address_is_captured_by_the_device() {
    let found = checked(at_the_door(), &[]);
    assert_eq!((found.grade, found.doubts.as_slice()), (Grade::DeviceCaptured, [].as_slice()));
    assert!(found.from_address_m.is_some_and(|m| (100.0..200.0).contains(&m)));
    assert_eq!(found.speed_kmh, None);
}

#[rstest]
#[case::coarse(Position { accuracy_m: 1_500.0, ..at_the_door() }, PositionDoubt::Inaccurate)]
#[case::too_exact(Position { accuracy_m: 0.0, ..at_the_door() }, PositionDoubt::TooExact)]
#[case::an_hour_old(Position { at: NOW - 60 * MINUTE, ..at_the_door() }, PositionDoubt::OtherTime)]
#[case::placeholder(Position { lat: 0.0, lon: 0.0, ..at_the_door() }, PositionDoubt::Placeholder)]
#[case::another_town(Position { lat: 30.2, ..at_the_door() }, PositionDoubt::FarFromAddress)]
fn a_doubt_leaves_only_what_the_collector_says(
    #[case] position: Position,
    #[case] doubt: PositionDoubt,
) {
    let found = checked(position, &[]);
    assert_eq!((found.grade, found.doubts), (Grade::Attested, vec![doubt]));
}

#[test]
fn nobody_is_in_two_cities_at_once() {
    let hangzhou = |minutes| Position {
        lat: 30.27,
        lon: 120.15,
        accuracy_m: 20.0,
        at: NOW - minutes * MINUTE,
    };
    let found = checked(at_the_door(), &[hangzhou(10)]);
    assert_eq!(found.doubts, [PositionDoubt::ImpossibleSpeed]);
    let by_train = checked(at_the_door(), &[hangzhou(90)]);
    assert_eq!((by_train.grade, by_train.doubts), (Grade::DeviceCaptured, vec![]));
    // Two visits in one house, seconds apart.
    assert_eq!(checked(at_the_door(), &[at_the_door()]).speed_kmh, Some(0.0));
}
