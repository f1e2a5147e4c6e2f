//! Partitions: real workspaces, four endpoints as processes and one database, between which connections
//! are cut, held, delayed and half closed, while processes are killed and stopped and a clock moves.
//!
//! The oracle knows every acknowledged edit, and when the office confirmed it. `JEPSEN_SECONDS` sets how
//! long faults last, `JEPSEN_RUNS` how often, `JEPSEN_PHONES` with how many phones, `JEPSEN_SEED` the first
//! seed: a seed decides the faults, but not how threads meet.

mod endpoint;
mod faults;
mod member;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doorstep::ids::RecordId;
use doorstep::office::Office;
use doorstep::record::Record;
use tokio::task::JoinSet;

use crate::support::postgres::Cluster;
use crate::support::proxy::Target;
use endpoint::Endpoint;
use faults::{Faults, Scene};
use member::{Member, gather};

/// Faults of a run with every test run, and phones of a run, unless the environment sets others.
const SECONDS: u64 = 12;
const PHONES: u64 = 20;

const ENDPOINTS: usize = 4;

/// Commits that are prevented before the oracle is asked, where endpoints do wrong.
const TAMPERED: usize = 20;

/// Rounds in which every phone must be up to date once the faults have ended.
const ROUNDS_TO_CONVERGE: usize = 60;

/// Phones that are asked at a time once the faults have ended.
const HEALING_AT_ONCE: usize = 8;

/// Edits by record: names of contacts.
type Edits = BTreeMap<RecordId, BTreeSet<String>>;

/// What the oracle counts.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
struct Findings {
    runs: u32,
    lost: usize,
    skipped: usize,
    false_up_to_date: usize,
    unconverged: usize,
    /// What `verify` found.
    problems: usize,
}

impl Findings {
    fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.lost += other.lost;
        self.skipped += other.skipped;
        self.false_up_to_date += other.false_up_to_date;
        self.unconverged += other.unconverged;
        self.problems += other.problems;
    }
}

/// How long faults last, with how many phones, and what the endpoints do wrong.
#[derive(Debug, Clone, Copy)]
struct Form {
    time: Duration,
    phones: usize,
    /// Bytes that the way to the database replaces by as many others, in one of two cases.
    tampering: Option<(&'static [u8], &'static [u8])>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn partitions_lose_nothing_and_nobody_claims_too_much() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("JEPSEN_SECONDS");
    let phones = usize::try_from(number("JEPSEN_PHONES").unwrap_or(PHONES)).unwrap();
    let time = Duration::from_secs(seconds.unwrap_or(SECONDS));
    let form = Form { time, phones, tampering: None };
    let first = number("JEPSEN_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    let mut all = Findings::default();
    for seed in first..first + number("JEPSEN_RUNS").unwrap_or(1) {
        let (found, told) = run(seed, form).await;
        eprintln!("seed {seed}: {told}, {found:?}");
        all.add(&found);
        if seconds.is_some() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/jepsen");
            std::fs::create_dir_all(&folder).unwrap();
            let report = serde_json::to_string(&all).unwrap();
            std::fs::write(folder.join(format!("{first}.json")), report).unwrap();
        }
    }
    assert_eq!(all, Findings { runs: all.runs, ..Findings::default() }, "from seed {first} on");
}

/// Endpoints that acknowledge what they have not committed: the oracle is able to fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_oracle_finds_endpoints_that_acknowledge_what_they_have_not_committed() {
    let form = Form {
        time: Duration::from_secs(120),
        phones: 8,
        tampering: Some((b"COMMIT\0", b"ABORT \0")),
    };
    let (found, told) = run(1, form).await;
    assert!(found.lost + found.skipped + found.false_up_to_date > 0, "{told}: {found:?}");
}

/// One run: faults for a time, then healing and the oracle's questions.
async fn run(seed: u64, form: Form) -> (Findings, String) {
    let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
    let cluster = Cluster::private(folder.path());
    let address = cluster.create("office");
    let mut members = gather(&address, seed, form.phones).await;
    let database = Target::Unix(folder.path().join(".s.PGSQL.5432"));
    let scene = Scene { cluster, folder: tempfile::tempdir().unwrap() };
    let mut endpoints = Vec::new();
    for n in 0..ENDPOINTS {
        endpoints.push(Endpoint::start(n, &database, scene.folder.path(), form.tampering).await);
    }
    let addresses: Arc<[SocketAddr]> = endpoints.iter().map(Endpoint::address).collect();
    let (confirmed, over) = (Arc::new(Mutex::new(Edits::new())), Arc::new(AtomicBool::new(false)));
    let pace = form.phones as u64;
    let working: Vec<_> = members
        .drain(..)
        .map(|mut member| {
            let (addresses, confirmed) = (Arc::clone(&addresses), Arc::clone(&confirmed));
            let over = Arc::clone(&over);
            tokio::spawn(async move {
                let (mut rounds, mut wrong) = (0, 0);
                while !over.load(Ordering::Relaxed) {
                    member.write();
                    let to = addresses[member.rng.usize(..addresses.len())];
                    let (answered, false_claim) = member.round(to, &confirmed).await;
                    rounds += usize::from(answered);
                    wrong += usize::from(false_claim);
                    // The machine has as much to do with many phones as with few.
                    let wait = member.rng.u64(2 * pace..20 * pace);
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
                (member, rounds, wrong)
            })
        })
        .collect();
    let faulting = tokio::task::spawn_blocking(move || {
        let faults = match form.tampering {
            Some(_) => {
                endpoints.iter().for_each(|endpoint| endpoint.tamper(true));
                let began = Instant::now();
                while endpoints.iter().map(Endpoint::tampered).sum::<usize>() < TAMPERED
                    && began.elapsed() < form.time
                {
                    std::thread::sleep(Duration::from_millis(50));
                }
                endpoints.iter().for_each(|endpoint| endpoint.tamper(false));
                Faults::default()
            }
            None => faults::inject(&scene, &mut endpoints, seed, form.time),
        };
        (endpoints, scene, faults)
    });
    let (endpoints, scene, faults) = faulting.await.unwrap();
    over.store(true, Ordering::Relaxed);
    let (mut found, mut rounds) = (Findings { runs: 1, ..Findings::default() }, 0);
    for member in working {
        let (member, answered, wrong) = member.await.unwrap();
        rounds += answered;
        found.false_up_to_date += wrong;
        members.push(member);
    }
    let healing = Instant::now();
    // First everybody sends, then everybody gets what the others sent.
    for _ in 0..2 {
        members = heal(members, &addresses, &confirmed, &mut found).await;
    }
    let healed = healing.elapsed().as_secs();
    drop(endpoints);
    ask(&address, &mut members, &mut found).await;
    drop(scene);
    let edits: usize = members.iter().map(|member| member.written).sum();
    let told = format!("{edits} edits, {rounds} rounds, {faults:?}, healed in {healed} s");
    (found, told)
}

/// Rounds until every phone is up to date.
async fn heal(
    members: Vec<Member>,
    addresses: &Arc<[SocketAddr]>,
    confirmed: &Arc<Mutex<Edits>>,
    found: &mut Findings,
) -> Vec<Member> {
    let (mut waiting, mut running) = (members.into_iter(), JoinSet::new());
    let mut healed = Vec::new();
    loop {
        while running.len() < HEALING_AT_ONCE
            && let Some(mut member) = waiting.next()
        {
            let (addresses, confirmed) = (Arc::clone(addresses), Arc::clone(confirmed));
            running.spawn(async move {
                let (mut wrong, mut rounds) = (0, 0);
                while rounds == 0 || (rounds < ROUNDS_TO_CONVERGE && !member.is_in_step()) {
                    let to = addresses[rounds % addresses.len()];
                    wrong += usize::from(member.round(to, &confirmed).await.1);
                    rounds += 1;
                }
                (member, wrong)
            });
        }
        let Some(done) = running.join_next().await else { return healed };
        let (member, wrong) = done.unwrap();
        found.false_up_to_date += wrong;
        found.unconverged += usize::from(!member.is_in_step());
        healed.push(member);
    }
}

/// What the office has in the end.
async fn ask(address: &str, members: &mut [Member], found: &mut Findings) {
    let office = Office::open_to_read(address, || 0).unwrap();
    let mut views = BTreeMap::new();
    for member in members {
        let user = member.phone.user();
        let truth = office.store().read_with(|reads| reads.members(&user)).unwrap();
        let held: BTreeSet<RecordId> = member.phone.ids().into_iter().collect();
        let truth: BTreeSet<RecordId> = truth.into_iter().map(|(record, _)| record).collect();
        found.skipped += held.symmetric_difference(&truth).count();
        for record in held {
            let view = views.entry(record).or_insert_with(|| {
                let stored = office.store().read_with(|reads| reads.record(record));
                Record::load(&stored.unwrap().unwrap().document).unwrap().view()
            });
            found.skipped += usize::from(member.phone.view(record).heads != view.heads);
            let at_office: BTreeSet<_> =
                view.contacts.iter().map(|contact| contact.id.clone()).collect();
            let own = member.own.remove(&record).unwrap_or_default();
            found.lost += own.difference(&at_office).count();
        }
        found.lost += member.own.values().map(BTreeSet::len).sum::<usize>();
    }
    let verified = office.verify().await.unwrap();
    if !verified.ok {
        eprintln!("{:?}", verified.problems);
        found.problems += verified.problems.len();
    }
}
