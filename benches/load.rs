//! Load on endpoints from clients on the same machine, all of which share its cores.
//!
//! `cargo bench --bench load` measures one endpoint over SQLite. With `postgres` behind `--` it starts a
//! temporary PostgreSQL server that writes durably, and measures: durable rounds with one changed record
//! each, and idle rounds, on 1, 2 and 4 endpoints; the same with few and many records stored; memory with
//! many connected phones; and a storm of reconnecting phones. `make bench-endpoints` writes the results to
//! target/bench/endpoints.txt.
//!
//! `DOORSTEP_LOAD_SECONDS`, `…_CLIENTS`, `…_ROUNDS`, `…_STORED`, `…_PHONES` and `…_STORM_SECONDS` override
//! the defaults.

#[path = "load/phone.rs"]
mod phone;
#[allow(dead_code, reason = "benches use a part of it")]
#[path = "../tests/it/support/postgres.rs"]
mod postgres;
#[path = "load/served.rs"]
mod served;
#[path = "load/stored.rs"]
mod stored;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};

use phone::{Phone, gather};
use postgres::Cluster;
use served::{Served, Site};

/// Changes of a record before the load.
const DEPTH: usize = 30;

/// Endpoints that share the phones of a storm: each allows 4,096 connections.
const STORM_ENDPOINTS: usize = 4;

/// Records stored beside those of the load, at least.
const FEW: usize = 10_000;

/// The size of everything.
struct Settings {
    time: Duration,
    clients: usize,
    rounds: usize,
    stored: usize,
    phones: usize,
    storm: Duration,
}

fn main() {
    // `cargo test --benches` asks every bench for its tests: there are none here.
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        return;
    }
    let setting = |name: &str, default: usize| {
        let value = std::env::var(format!("DOORSTEP_LOAD_{name}"));
        value.ok().and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let settings = Settings {
        time: Duration::from_secs(setting("SECONDS", 10) as u64),
        clients: setting("CLIENTS", 32),
        rounds: setting("ROUNDS", 300),
        stored: setting("STORED", 1_000_000),
        phones: setting("PHONES", 10_000),
        storm: Duration::from_secs(setting("STORM_SECONDS", 60) as u64),
    };
    // Two sockets a phone, one at each end.
    rlimit::increase_nofile_limit(u64::MAX).expect("files");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("threads");
    runtime.block_on(async {
        let folder = tempfile::Builder::new().prefix("load").tempdir_in("/tmp").expect("a folder");
        if std::env::args().any(|argument| argument == "postgres") {
            many_endpoints(folder.path(), &settings).await;
        } else {
            let database = format!("sqlite:{}", folder.path().join("db").display());
            let phones = gather(&database, settings.clients, DEPTH, settings.rounds).await;
            let site = Site { endpoints: vec![Served::start(&database, None)], cluster: None };
            rounds("sqlite", &site, phones, settings.time).await;
        }
    });
}

async fn many_endpoints(folder: &Path, settings: &Settings) {
    let (blobs, cluster) = (folder.join("blobs"), Cluster::durable(&folder.join("pg")));
    let start = |database: &str, count: usize| Site {
        endpoints: (0..count).map(|_| Served::start(database, Some(&blobs))).collect(),
        cluster: Some(&cluster),
    };
    for count in [1, 2, 4] {
        let database = cluster.create(&format!("endpoints{count}"));
        let phones = gather(&database, settings.clients, DEPTH, settings.rounds).await;
        rounds(&format!("endpoints_{count}"), &start(&database, count), phones, settings.time)
            .await;
    }
    for (name, stored) in [("few", FEW), ("many", settings.stored)] {
        let database = cluster.create(name);
        stored::fill(&database, stored).await;
        let phones = gather(&database, settings.clients, DEPTH, settings.rounds).await;
        rounds(&format!("stored_{stored}"), &start(&database, 2), phones, settings.time).await;
    }
    let database = cluster.create("storm");
    let phones = gather(&database, settings.phones, 0, 1).await;
    let site = start(&database, STORM_ENDPOINTS);
    storm(&site, phones, settings.storm).await;
}

/// Idle rounds, then durable ones.
async fn rounds(name: &str, site: &Site<'_>, phones: Vec<Phone>, time: Duration) {
    let phones = run(&format!("{name} idle"), site, phones, time, Phone::idle).await;
    run(&format!("{name} durable"), site, phones, time, Phone::push).await;
}

/// Lets all clients ask, each one request at a time, and prints what it came to.
async fn run(
    scenario: &str,
    site: &Site<'_>,
    phones: Vec<Phone>,
    time: Duration,
    round: impl AsyncFn(&mut Phone, SocketAddr) -> bool + Copy + 'static,
) -> Vec<Phone> {
    let (began, (cpu, database_cpu)) = (Instant::now(), site.cpu_ms());
    let (working, mut running) = (LocalSet::new(), JoinSet::new());
    for (n, mut phone) in phones.into_iter().enumerate() {
        let address = site.address(n);
        // Connections of the last scenario may lead to another endpoint.
        phone.wire = None;
        let work = async move {
            let mut took = Vec::new();
            while began.elapsed() < time {
                let asked = Instant::now();
                if !round(&mut phone, address).await {
                    break;
                }
                took.push(asked.elapsed().as_secs_f64() * 1e3);
            }
            (phone, took)
        };
        running.spawn_local_on(work, &working);
    }
    let (phones, times): (Vec<Phone>, Vec<Vec<f64>>) =
        working.run_until(running.join_all()).await.into_iter().unzip();
    let took = Times::of(times.into_iter().flatten().collect());
    let (wall, count) = (began.elapsed().as_secs_f64(), took.0.len() as f64);
    let (cpu_now, database_cpu_now) = site.cpu_ms();
    println!(
        "{scenario:<24} {:>3} clients  {count:>6} rounds  rounds_per_s {:.0}  p50_ms {:.1}  p99_ms {:.1}  \
         endpoint_cpu_ms {:.3}  database_cpu_ms {:.3}  rss_mib {}",
        phones.len(),
        count / wall,
        took.at(0.5),
        took.at(0.99),
        (cpu_now - cpu) / count.max(1.0),
        (database_cpu_now - database_cpu) / count.max(1.0),
        site.memory_mib("VmRSS:"),
    );
    phones
}

/// All phones come back within a time, each with a change, and stay connected.
async fn storm(site: &Site<'_>, phones: Vec<Phone>, within: Duration) {
    let (before, (cpu, database_cpu)) = (site.memory_mib("VmRSS:"), site.cpu_ms());
    let (began, count) = (Instant::now(), phones.len());
    let (working, mut running) = (LocalSet::new(), JoinSet::new());
    for (n, mut phone) in phones.into_iter().enumerate() {
        let address = site.address(n);
        let comes = within.mul_f64(n as f64 / count as f64);
        let work = async move {
            tokio::time::sleep(comes).await;
            let deferred = phone.reconnect(address).await;
            let took = (began.elapsed() - comes).as_secs_f64() * 1e3;
            phone.wire = None;
            phone.listen(address).await;
            (phone, took, deferred)
        };
        running.spawn_local_on(work, &working);
    }
    let back = working.run_until(running.join_all()).await;
    let (wall, (cpu_now, database_cpu_now)) = (began.elapsed().as_secs_f64(), site.cpu_ms());
    let took = Times::of(back.iter().map(|(_, took, _)| *took).collect());
    println!(
        "storm  {count} phones on {} endpoints within {} s: all up to date after {wall:.1} s, p50_ms {:.0}  \
         p99_ms {:.0}  deferred {}  endpoint_cpu_ms {:.3}  database_cpu_ms {:.3}  peak_rss_mib {}",
        site.endpoints.len(),
        within.as_secs(),
        took.at(0.5),
        took.at(0.99),
        back.iter().map(|(_, _, deferred)| deferred).sum::<u32>(),
        (cpu_now - cpu) / count as f64,
        (database_cpu_now - database_cpu) / count as f64,
        site.memory_mib("VmHWM:"),
    );
    // The connections stay open while they are counted.
    println!(
        "connected  {count} phones with a stream each on {} endpoints: rss_mib {} ({before} before)",
        site.endpoints.len(),
        site.memory_mib("VmRSS:"),
    );
    drop(back);
}

/// Sorted times, ms.
struct Times(Vec<f64>);

impl Times {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    fn at(&self, share: f64) -> f64 {
        self.0.get((self.0.len() as f64 * share) as usize).copied().unwrap_or_default()
    }
}
