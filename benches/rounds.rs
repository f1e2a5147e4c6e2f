//! Benchmarks of rounds: the real core against the real binary, over TCP, bytes counted at the
//! socket with all headers and framing.
//!
//! `make bench` runs it in a release build and writes one file a scenario to `target/bench`.

#[path = "rounds/client.rs"]
mod client;
#[path = "rounds/report.rs"]
mod report;
#[allow(dead_code, reason = "the benchmark uses a part of it")]
#[path = "../tests/it/support/mod.rs"]
mod support;
#[path = "rounds/world.rs"]
mod world;

use std::time::Instant;

use client::Client;
use report::{Report, median};
use support::phone::TestPhone;
use world::{Served, World};

/// Each scenario is measured so often; medians are reported.
const RUNS: usize = 5;

fn main() {
    // `cargo test --benches` asks every bench for its tests: there are none here.
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        return;
    }
    let quick = std::env::var_os("DOORSTEP_BENCH_QUICK").is_some();
    let sizes: &[usize] = if quick { &[100] } else { &[100, 1_000, 5_000] };
    for records in sizes {
        let mut world = World::new(*records);
        first_sync(&world);
        cut_first_sync(&world);
        idle(&world);
        reconnect(&mut world);
        repair(&mut world);
        endpoint(&world);
    }
}

/// What one run cost.
#[derive(Clone, Copy, Default)]
struct Cost {
    up: usize,
    down: usize,
    requests: usize,
    wall_ms: f64,
    cpu_ms: f64,
    /// What the endpoint's process used.
    endpoint_cpu_ms: f64,
}

/// Starts a device from its tables and runs rounds until it is up to date.
fn until_in_step(device: &mut TestPhone, served: &Served) -> Cost {
    let mut client = Client::new(served.address, &device_token(device, served));
    let endpoint = served.cpu_ms();
    let (began, cpu) = (Instant::now(), report::own_cpu_ms());
    device.restart();
    let requests = client.drive(device);
    let cost = Cost {
        up: client.up,
        down: client.down,
        requests,
        wall_ms: began.elapsed().as_secs_f64() * 1e3,
        cpu_ms: report::own_cpu_ms() - cpu,
        endpoint_cpu_ms: served.cpu_ms() - endpoint,
    };
    device.assert_in_step();
    cost
}

fn device_token(device: &TestPhone, served: &Served) -> String {
    client::sign_in(served.address, &device.user(), world::PASSWORD, &device.id())
}

fn first_sync(world: &World) {
    let mut costs = Vec::new();
    for _ in 0..RUNS.min(3) {
        let mut device = TestPhone::new("chen.jie", 7);
        let served = world.serve();
        costs.push(until_in_step(&mut device, &served));
        assert_eq!(device.ids().len(), world.records());
    }
    write("first_sync", world, 0, &costs, vec![("saved_bytes", world.saved_bytes() as f64)]);
}

/// A first sync that is cut off at twenty places still ends, and sends little twice.
fn cut_first_sync(world: &World) {
    const CUTS: usize = 20;
    let served = world.serve();
    let mut device = TestPhone::new("chen.jie", 7);
    let token = device_token(&device, &served);
    let mut client = Client::new(served.address, &token);
    client.drive(&mut device);
    let whole = client.down;

    let mut worst = 0;
    for seed in 0..RUNS {
        let mut device = TestPhone::new("chen.jie", 8 + seed as u8);
        let token = device_token(&device, &served);
        let mut client = Client::new(served.address, &token);
        let mut random = fastrand::Rng::with_seed(seed as u64);
        let mut cuts: Vec<usize> = (0..CUTS).map(|_| random.usize(..whole)).collect();
        cuts.sort_unstable();
        client.drive_cut(&mut device, &cuts);
        device.assert_in_step();
        assert_eq!(device.ids().len(), world.records());
        worst = worst.max(client.down);
    }
    let figures = vec![
        ("bytes_down_worst", worst as f64),
        ("bytes_down_uncut", whole as f64),
        ("ratio", worst as f64 / whole as f64),
    ];
    let parameters = vec![("records", world.records()), ("cuts", CUTS)];
    Report { scenario: "first_sync_cut", parameters, figures, runs: RUNS }.write();
}

fn idle(world: &World) {
    let mut device = world.device();
    let served = world.serve();
    let costs: Vec<Cost> = (0..RUNS).map(|_| until_in_step(&mut device, &served)).collect();
    write("idle", world, 0, &costs, Vec::new());
}

fn reconnect(world: &mut World) {
    let mut costs = Vec::new();
    for _ in 0..RUNS {
        let mut device = world.device();
        world.edit_here(&mut device, 10);
        world.edit_at_office(7, 10);
        let served = world.serve();
        let cost = until_in_step(&mut device, &served);
        assert_eq!(cost.requests, 1, "one request and one reply");
        drop(served);
        world.keep(device);
        costs.push(cost);
    }
    write("reconnect", world, 10, &costs, Vec::new());
}

fn repair(world: &mut World) {
    let mut costs = Vec::new();
    for _ in 0..RUNS.min(3) {
        let mut device = world.device();
        world.edit_here(&mut device, 5);
        world.edit_at_office(5, 5);
        device.tables.entry(doorstep::workspace::Table::Meta).or_default().remove("cursor");
        let served = world.serve();
        costs.push(until_in_step(&mut device, &served));
        drop(served);
        world.keep(device);
    }
    write("repair", world, 10, &costs, Vec::new());
}

/// Rounds with nothing new, one after the other on one open connection.
fn endpoint(world: &World) {
    let device = world.device();
    let served = world.serve();
    let mut client = Client::new(served.address, &device_token(&device, &served));
    let body = world::idle_request(&device);
    let rounds = 2_000;
    client.post_sync(&body);
    let (began, endpoint) = (Instant::now(), served.cpu_ms());
    for _ in 0..rounds {
        client.post_sync(&body);
    }
    let wall = began.elapsed().as_secs_f64();
    let figures = vec![
        ("rounds_per_s", f64::from(rounds) / wall),
        ("endpoint_cpu_ms_per_round", (served.cpu_ms() - endpoint) / f64::from(rounds)),
    ];
    Report {
        scenario: "idle_rounds",
        parameters: vec![("records", world.records()), ("rounds", rounds as usize)],
        figures,
        runs: 1,
    }
    .write();
}

fn write(
    scenario: &'static str,
    world: &World,
    changed: usize,
    costs: &[Cost],
    more: Vec<(&'static str, f64)>,
) {
    let of = |figure: fn(&Cost) -> f64| median(costs.iter().map(figure).collect());
    let mut figures = vec![
        ("bytes_up", of(|cost| cost.up as f64)),
        ("bytes_down", of(|cost| cost.down as f64)),
        ("requests", of(|cost| cost.requests as f64)),
        ("wall_ms", of(|cost| cost.wall_ms)),
        ("cpu_ms", of(|cost| cost.cpu_ms)),
        ("endpoint_cpu_ms", of(|cost| cost.endpoint_cpu_ms)),
    ];
    figures.extend(more);
    let parameters = vec![("records", world.records()), ("changed", changed), ("rtt_ms", 0)];
    Report { scenario, parameters, figures, runs: costs.len() }.write();
}
