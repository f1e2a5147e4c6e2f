//! Benchmarks of rounds: the real core against the real binary, over TCP, bytes counted at the
//! socket with all headers and framing.
//!
//! `make bench` runs it in a release build and writes one file a scenario to `target/bench`.
//! `--prepare FOLDER RECORDS DEPTH` only makes an office and writes the workload down, for clients
//! that are not this program.

#[path = "rounds/client.rs"]
mod client;
#[path = "rounds/report.rs"]
mod report;
#[allow(dead_code, reason = "the benchmark uses a part of it")]
#[path = "../tests/it/support/mod.rs"]
mod support;
#[path = "rounds/workload.rs"]
mod workload;
#[path = "rounds/world.rs"]
mod world;

use std::path::Path;
use std::time::{Duration, Instant};

use client::Client;
use report::Report;
use serde_json::Value;
use support::phone::TestPhone;
use workload::EDITED;
use world::{Served, World};

/// Each scenario is measured so often; medians are reported.
const RUNS: usize = 5;
/// Round trip time of a slow link.
const SLOW: Duration = Duration::from_millis(200);

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // `cargo test --benches` asks every bench for its tests: there are none here.
    if args.iter().any(|arg| arg == "--test" || arg == "--list") {
        return;
    }
    if let Some(at) = args.iter().position(|arg| arg == "--prepare") {
        let number = |arg: &String| arg.parse().expect("a number");
        return World::prepare(
            Path::new(&args[at + 1]),
            number(&args[at + 2]),
            number(&args[at + 3]),
        );
    }
    let quick = std::env::var_os("DOORSTEP_BENCH_QUICK").is_some();
    let sizes: &[usize] = if quick { &[100] } else { &[100, 1_000, 5_000] };
    for records in sizes {
        let mut world = World::new(*records, 30);
        first_sync(&world, Duration::ZERO);
        cut_first_sync(&world);
        idle(&world, Duration::ZERO);
        reconnect(&mut world, Duration::ZERO);
        if *records == 1_000 {
            first_sync(&world, SLOW);
            idle(&world, SLOW);
            reconnect(&mut world, SLOW);
        }
        repair(&mut world);
        endpoint(&world);
    }
    if !quick {
        let mut deep = World::new(100, 300);
        first_sync(&deep, Duration::ZERO);
        reconnect(&mut deep, Duration::ZERO);
    }
}

/// What one run cost.
#[derive(Clone, Copy, Default)]
struct Cost {
    up: usize,
    down: usize,
    requests: usize,
    /// Until all that was exchanged is on disk.
    wall_ms: f64,
    /// Until the device is up to date: it has read all of its records, and digests agree.
    proven_ms: f64,
    cpu_ms: f64,
    /// What the endpoint's process used.
    endpoint_cpu_ms: f64,
}

/// Starts a device from its tables and runs rounds until it is up to date.
fn until_in_step(device: &mut TestPhone, served: &Served, rtt: Duration) -> Cost {
    let mut client = Client::new(served.address, &device_token(device, served), rtt);
    let endpoint = served.cpu_ms();
    let (began, cpu) = (Instant::now(), own_cpu_ms());
    device.restart_to_request();
    let requests = client.drive(device);
    let proven_ms = began.elapsed().as_secs_f64() * 1e3;
    let exchanged = device.cursor_at.checked_duration_since(began);
    let cost = Cost {
        up: client.up,
        down: client.down,
        requests,
        // Where nothing changed no cursor is stored.
        wall_ms: exchanged.map_or(proven_ms, |time| time.as_secs_f64() * 1e3),
        proven_ms,
        cpu_ms: own_cpu_ms() - cpu,
        endpoint_cpu_ms: served.cpu_ms() - endpoint,
    };
    device.assert_in_step();
    cost
}

fn device_token(device: &TestPhone, served: &Served) -> String {
    client::sign_in(served.address, &device.user(), world::PASSWORD, &device.id())
}

fn first_sync(world: &World, rtt: Duration) {
    let mut costs = Vec::new();
    for _ in 0..RUNS.min(3) {
        let mut device = TestPhone::new("chen.jie", 7);
        let served = world.serve();
        costs.push(until_in_step(&mut device, &served, rtt));
        assert_eq!(device.ids().len(), world.records());
    }
    write("first_sync", world, rtt, 0, &costs, vec![("saved_bytes", world.saved_bytes() as f64)]);
}

/// A first sync that is cut off at twenty places still ends, and sends little twice.
fn cut_first_sync(world: &World) {
    const CUTS: usize = 20;
    let served = world.serve();
    let mut device = TestPhone::new("chen.jie", 7);
    let token = device_token(&device, &served);
    let mut client = Client::new(served.address, &token, Duration::ZERO);
    client.drive(&mut device);
    let whole = client.down;

    let mut down = Vec::new();
    for seed in 0..RUNS {
        let mut device = TestPhone::new("chen.jie", 8 + seed as u8);
        let token = device_token(&device, &served);
        let mut client = Client::new(served.address, &token, Duration::ZERO);
        let mut random = fastrand::Rng::with_seed(seed as u64);
        let mut cuts: Vec<usize> = (0..CUTS).map(|_| random.usize(..whole)).collect();
        cuts.sort_unstable();
        client.drive_cut(&mut device, &cuts);
        device.assert_in_step();
        assert_eq!(device.ids().len(), world.records());
        down.push(client.down as f64);
    }
    let ratio = down.iter().map(|down| down / whole as f64).collect();
    let figures =
        vec![("bytes_down", down), ("bytes_down_uncut", vec![whole as f64]), ("ratio", ratio)];
    let mut parameters = parameters(world, Duration::ZERO);
    parameters.push(("cuts", CUTS.into()));
    Report { scenario: "first_sync_cut", parameters, figures }.write();
}

fn idle(world: &World, rtt: Duration) {
    let mut device = world.device();
    let served = world.serve();
    let costs: Vec<Cost> = (0..RUNS).map(|_| until_in_step(&mut device, &served, rtt)).collect();
    write("idle", world, rtt, 0, &costs, Vec::new());
}

fn reconnect(world: &mut World, rtt: Duration) {
    let mut costs = Vec::new();
    for _ in 0..RUNS {
        let mut device = world.device();
        world.edit(&mut device);
        let served = world.serve();
        let cost = until_in_step(&mut device, &served, rtt);
        assert_eq!(cost.requests, 1, "one request and one reply");
        drop(served);
        world.replace_device(device);
        costs.push(cost);
    }
    write("reconnect", world, rtt, EDITED, &costs, Vec::new());
}

/// The cursor is lost and ten records on each side differ.
fn repair(world: &mut World) {
    let mut costs = Vec::new();
    for _ in 0..RUNS.min(3) {
        let mut device = world.device();
        world.edit(&mut device);
        device.tables.entry(doorstep::workspace::Table::Meta).or_default().remove("cursor");
        let served = world.serve();
        costs.push(until_in_step(&mut device, &served, Duration::ZERO));
        drop(served);
        world.replace_device(device);
    }
    write("repair", world, Duration::ZERO, EDITED, &costs, Vec::new());
}

/// Rounds with nothing new, one after the other on one open connection.
fn endpoint(world: &World) {
    let device = world.device();
    let served = world.serve();
    let mut client = Client::new(served.address, &device_token(&device, &served), Duration::ZERO);
    let body = world::idle_request(&device);
    let rounds = 2_000;
    client.post_sync(&body);
    let (began, endpoint) = (Instant::now(), served.cpu_ms());
    for _ in 0..rounds {
        client.post_sync(&body);
    }
    let wall = began.elapsed().as_secs_f64();
    let cpu = (served.cpu_ms() - endpoint) / f64::from(rounds);
    let figures = vec![
        ("rounds_per_s", vec![f64::from(rounds) / wall]),
        ("endpoint_cpu_ms_per_round", vec![cpu]),
    ];
    let mut parameters = parameters(world, Duration::ZERO);
    parameters.push(("rounds", rounds.into()));
    Report { scenario: "idle_rounds", parameters, figures }.write();
}

fn write(
    scenario: &'static str,
    world: &World,
    rtt: Duration,
    changed: usize,
    costs: &[Cost],
    more: Vec<(&'static str, f64)>,
) {
    let of = |figure: fn(&Cost) -> f64| costs.iter().map(figure).collect();
    let mut figures: Vec<(_, Vec<f64>)> = vec![
        ("bytes_up", of(|cost| cost.up as f64)),
        ("bytes_down", of(|cost| cost.down as f64)),
        ("requests", of(|cost| cost.requests as f64)),
        ("wall_ms", of(|cost| cost.wall_ms)),
        ("proven_ms", of(|cost| cost.proven_ms)),
        ("cpu_ms", of(|cost| cost.cpu_ms)),
        ("endpoint_cpu_ms", of(|cost| cost.endpoint_cpu_ms)),
    ];
    figures.extend(more.into_iter().map(|(name, value)| (name, vec![value])));
    let mut parameters = parameters(world, rtt);
    parameters.push(("changed", changed.into()));
    parameters.push(("client", "native".into()));
    Report { scenario, parameters, figures }.write();
}

fn parameters(world: &World, rtt: Duration) -> Vec<(&'static str, Value)> {
    let rtt = u64::try_from(rtt.as_millis()).unwrap_or(u64::MAX);
    vec![
        ("records", world.records().into()),
        ("depth", world.depth().into()),
        ("rtt_ms", rtt.into()),
    ]
}

/// CPU time of this thread, ms.
fn own_cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns: f64 = text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default();
    ns / 1e6
}
