//! Faults of the partition test, one after the other.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::endpoint::Endpoint;
use crate::support::postgres::Cluster;
use crate::support::proxy::Mode;

/// How far a clock moves at most, ms. Sign-ins last longer.
const CLOCK: i64 = 3_600_000;

/// The database server, and the folder of attachments and clocks.
pub(super) struct Scene {
    pub(super) cluster: Cluster,
    pub(super) folder: TempDir,
}

/// Number of faults by kind.
pub(super) type Faults = BTreeMap<&'static str, u32>;

/// Faults for a time; afterwards everything runs. Blocks.
pub(super) fn inject(
    scene: &Scene,
    endpoints: &mut [Endpoint],
    seed: u64,
    time: Duration,
) -> Faults {
    let (mut rng, began, mut faults) =
        (fastrand::Rng::with_seed(seed), Instant::now(), Faults::new());
    while began.elapsed() < time {
        let at = rng.usize(..endpoints.len());
        let lasts = Duration::from_millis(rng.u64(100..2_000));
        let kind = match rng.u32(..14) {
            0..6 => {
                partition(endpoints, &mut rng, lasts);
                "partition"
            }
            6 => {
                endpoints[at].pause(lasts);
                "endpoint stopped"
            }
            7 | 8 => {
                endpoints[at].restart();
                "endpoint killed"
            }
            9 => {
                scene.cluster.kill();
                std::thread::sleep(lasts / 4);
                scene.cluster.start();
                "database killed"
            }
            10 => {
                scene.cluster.kill_connection(&mut rng);
                std::thread::sleep(lasts);
                "database connection killed"
            }
            11 | 12 => {
                scene.cluster.pause(lasts);
                "database stopped"
            }
            _ => {
                endpoints[0].move_clock(rng.i64(-CLOCK..=CLOCK));
                "clock moved"
            }
        };
        // The server restarts its processes after a crash.
        scene.cluster.wait_until_it_answers();
        *faults.entry(kind).or_default() += 1;
        std::thread::sleep(Duration::from_millis(rng.u64(..300)));
    }
    faults
}

/// Disturbs some of the ways between phones, endpoints and database for a while, each in its own manner.
fn partition(endpoints: &[Endpoint], rng: &mut fastrand::Rng, lasts: Duration) {
    for endpoint in endpoints {
        if rng.u32(..3) == 0 {
            endpoint.set_door(disturbance(rng));
        }
        if rng.u32(..3) == 0 {
            endpoint.set_database(disturbance(rng));
        }
    }
    std::thread::sleep(lasts);
    for endpoint in endpoints {
        endpoint.set_door(Mode::Open);
        endpoint.set_database(Mode::Open);
    }
}

fn disturbance(rng: &mut fastrand::Rng) -> Mode {
    match rng.u32(..7) {
        0 => Mode::Slow(Duration::from_millis(rng.u64(5..300))),
        1 => Mode::Held,
        2 => Mode::HeldDown,
        3 => Mode::HalfClosed,
        4 => Mode::HalfClosedUp,
        _ => Mode::Cut,
    }
}
