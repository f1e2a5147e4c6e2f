//! Four times the load that the endpoint can serve: what it accepts is all there, the rest is told
//! when to come again, and afterwards everything is as before. The real program over TCP, asked by
//! real workspaces.
//!
//! Short by default, and at twice the load: phones and program share the machine, and unoptimised
//! phones need most of it. `DOORSTEP_OVERLOAD_SECONDS=60` with `--release` for the whole, of which
//! docs/SECURITY.md has the figures.

#![cfg(all(not(target_arch = "wasm32"), target_os = "linux"))]

mod crowd;
#[allow(dead_code, reason = "this crate uses a part of it")]
#[path = "../it/support/mod.rs"]
mod support;

use std::time::Duration;

use crowd::Crowd;

/// Phones. More than the office lets work and wait at once, or it would never be full.
const PHONES: usize = 800;

/// How many times what it can serve, in the whole run and in the short one.
const TIMES: f64 = 4.0;
const TIMES_SHORT: f64 = 2.0;

/// Memory that the program may take at the most, MiB: what its bounds on bodies, queues and
/// connections add up to, and the store's cache.
const MOST_MIB: u64 = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d2_four_times_the_load_loses_nothing_and_falls_over_nothing() {
    let seconds = std::env::var("DOORSTEP_OVERLOAD_SECONDS").ok();
    let seconds = seconds.map(|text| text.parse().expect("seconds"));
    let times = if seconds.is_some() { TIMES } else { TIMES_SHORT };
    let seconds = Duration::from_secs(seconds.unwrap_or(4));
    let folder = tempfile::tempdir().unwrap();
    let mut crowd = Crowd::gather(folder.path(), PHONES).await;
    let mut served = crowd::start(folder.path());
    crowd.catch_up(&served).await;

    // What it can serve: as many at once as it works on.
    let capacity = crowd.capacity(&served, seconds / 2).await;
    let quiet = served.memory_mib("VmHWM:");
    let told = crowd.storm(&served, capacity, times, seconds).await;
    let peak = served.memory_mib("VmHWM:");
    println!(
        "capacity {capacity:.0} rounds/s; offered {} in {:.0} s, {:.1} times what was accepted: \
         {} accepted, {} deferred, {} health checks answered; peak memory {quiet} MiB before, \
         {peak} MiB in all",
        told.offered, told.seconds, told.times, told.accepted, told.put_off, told.health,
    );
    assert!(told.accepted > 0 && told.put_off > 0, "{told:?}");
    assert!(told.times >= times, "{told:?}");
    assert!(told.health > 0, "health checks are answered meanwhile");
    assert!(peak < MOST_MIB, "{peak} MiB");

    // The office recovers without intervention: each phone's next round is normal.
    crowd.catch_up(&served).await;
    crowd.assert_in_step();
    assert_eq!(served.stop(), Some(0));
    crowd.assert_all_there(folder.path()).await;
}
