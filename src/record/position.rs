//! How plausible the position of a visit is. A browser does not say whether a position is mocked:
//! only what contradicts it can be found. A plausible position is no proof.

use serde::{Deserialize, Serialize};

use super::command::Position;
use super::terms::Grade;
use super::view::VisitView;
use crate::types::ApiType;

/// Mean radius of the Earth, m.
const EARTH_M: f64 = 6_371_000.0;
/// A circle larger than this covers other streets, m.
const MAX_RADIUS_M: f64 = 200.0;
/// A position is taken at check-in: a longer gap means a cached or an edited one, ms.
const MAX_GAP_MS: i64 = 10 * 60_000;
/// Addresses are located coarsely; beyond this it is another place, m.
const MAX_FROM_ADDRESS_M: f64 = 2_000.0;
/// Faster than any train between two visits of a day, km/h.
const MAX_SPEED_KMH: f64 = 350.0;
/// Two fixes of one time still differ by seconds, ms.
const MIN_INTERVAL_MS: i64 = 30_000;
/// Degrees around 0° N 0° E, which faulty programs report.
const NULL_ISLAND: f64 = 0.01;

ApiType! {
/// What speaks against a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionDoubt {
    /// Its circle covers more than the surroundings of the address.
    Inaccurate,
    /// An accuracy of 0 m: a receiver never reports that, programs that set a position do.
    TooExact,
    /// It was not taken at the check-in.
    OtherTime,
    /// It is at 0° N 0° E.
    Placeholder,
    /// It is far from the address of the case.
    FarFromAddress,
    /// The distance from the collector's other visit takes longer.
    ImpossibleSpeed,
}
}

ApiType! {
/// How good the position of a visit is as evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PositionCheck {
    /// `device_captured`, or `attested` where something speaks against it.
    pub grade: Grade,
    /// What speaks against it.
    pub doubts: Vec<PositionDoubt>,
    /// Metres from the address of the case, if its coordinates are known.
    pub from_address_m: Option<f64>,
    /// The highest speed from or to another visit, km/h; `None` if there is none to compare with.
    pub speed_kmh: Option<f64>,
}
}

/// Checks the position of a visit. `others` are positions of the same collector's other visits;
/// the caller decides how far back.
pub fn check(view: &VisitView, others: &[Position]) -> Option<PositionCheck> {
    let position = view.visit.position?;
    let here = (position.lat, position.lon);
    let mut doubts = Vec::new();
    let mut doubt = |found: bool, which: PositionDoubt| {
        if found {
            doubts.push(which);
        }
    };
    doubt(position.accuracy_m > MAX_RADIUS_M, PositionDoubt::Inaccurate);
    doubt(position.accuracy_m <= 0.0, PositionDoubt::TooExact);
    let gap = view.visit.arrived_at.map_or(0, |arrived| position.at.saturating_sub(arrived));
    doubt(gap.saturating_abs() > MAX_GAP_MS, PositionDoubt::OtherTime);
    let nowhere = here.0.abs() < NULL_ISLAND && here.1.abs() < NULL_ISLAND;
    doubt(nowhere, PositionDoubt::Placeholder);
    let address = view.case.lat.zip(view.case.lon);
    let from_address_m = address.map(|address| distance_m(here, address));
    let far = from_address_m.is_some_and(|m| m - position.accuracy_m > MAX_FROM_ADDRESS_M);
    doubt(far && !nowhere, PositionDoubt::FarFromAddress);
    let speed_kmh = others.iter().map(|other| speed_kmh(&position, other)).reduce(f64::max);
    doubt(speed_kmh.is_some_and(|speed| speed > MAX_SPEED_KMH), PositionDoubt::ImpossibleSpeed);
    let grade = if doubts.is_empty() { Grade::DeviceCaptured } else { Grade::Attested };
    Some(PositionCheck { grade, doubts, from_address_m, speed_kmh })
}

/// The lowest speed that explains two fixes, given their accuracy, km/h.
fn speed_kmh(one: &Position, other: &Position) -> f64 {
    let apart = distance_m((one.lat, one.lon), (other.lat, other.lon));
    let least_m = (apart - one.accuracy_m - other.accuracy_m).max(0.0);
    let interval = one.at.saturating_sub(other.at).saturating_abs().max(MIN_INTERVAL_MS);
    least_m / seconds(interval) * 3.6
}

/// The great-circle distance of two points (degrees north, degrees east), m.
pub fn distance_m(one: (f64, f64), other: (f64, f64)) -> f64 {
    let (lat1, lat2) = (one.0.to_radians(), other.0.to_radians());
    let north = ((lat2 - lat1) / 2.0).sin();
    let east = ((other.1 - one.1).to_radians() / 2.0).sin();
    let half = north * north + lat1.cos() * lat2.cos() * east * east;
    2.0 * EARTH_M * half.clamp(0.0, 1.0).sqrt().asin()
}

/// Intervals of a day are far below 2^53 ms.
#[allow(clippy::cast_precision_loss)]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}
