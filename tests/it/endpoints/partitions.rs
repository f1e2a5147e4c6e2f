//! Partitions: real workspaces, two endpoints as processes and one database, between which connections
//! are cut, held, delayed and half closed, while processes are killed and stopped.
//!
//! The oracle knows every acknowledged edit, and when the office confirmed it. `JEPSEN_SECONDS` sets how
//! long faults last, `JEPSEN_RUNS` how often, `JEPSEN_SEED` the first seed: a seed decides the faults,
//! but not how threads meet.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doorstep::ids::RecordId;
use doorstep::office::auth::{Accounts, Attempt, Hasher, NewUser, SignInContext};
use doorstep::office::{Created, Office};
use doorstep::record::Record;
use doorstep::record::terms::Role;
use doorstep::workspace::SyncState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::office::visit_for;
use crate::support::phone::{TestPhone, contact};
use crate::support::postgres::Cluster;
use crate::support::program::Program;
use crate::support::proxy::{Mode, Proxy, Target};

const PHONES: usize = 20;
const RECORDS: usize = 6;

/// Collectors of each record.
const SHARED_BY: usize = 8;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(6);

/// Rounds in which every phone must be up to date once the faults have ended.
const ROUNDS_TO_CONVERGE: usize = 60;

/// Waits of a workspace pass on its own clock, ms.
const PASSES: i64 = 600_000;

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
}

struct Member {
    phone: TestPhone,
    token: String,
    records: Vec<RecordId>,
    /// Acknowledged edits of this phone.
    own: Edits,
    written: usize,
    rng: fastrand::Rng,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn partitions_lose_nothing_and_nobody_claims_too_much() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("JEPSEN_SECONDS");
    let first = number("JEPSEN_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    let mut all = Findings::default();
    for seed in first..first + number("JEPSEN_RUNS").unwrap_or(1) {
        let (found, told) = run(seed, Duration::from_secs(seconds.unwrap_or(8))).await;
        eprintln!("seed {seed}: {told}, {found:?}");
        all.runs += 1;
        all.lost += found.lost;
        all.skipped += found.skipped;
        all.false_up_to_date += found.false_up_to_date;
        all.unconverged += found.unconverged;
    }
    if seconds.is_some() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/jepsen");
        std::fs::create_dir_all(&folder).unwrap();
        let report = serde_json::to_string(&all).unwrap();
        std::fs::write(folder.join(format!("{first}.json")), report).unwrap();
    }
    assert_eq!(all, Findings { runs: all.runs, ..Findings::default() }, "from seed {first} on");
}

/// One run: faults for a time, then healing and the oracle's questions.
async fn run(seed: u64, time: Duration) -> (Findings, String) {
    let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
    let cluster = Cluster::private(folder.path());
    let address = cluster.create("office");
    let mut members = gather(&address, seed).await;
    let socket = folder.path().join(".s.PGSQL.5432");
    let blobs = tempfile::tempdir().unwrap();
    let mut endpoints = Vec::new();
    let mut doors = Vec::new();
    for _ in 0..2 {
        let database = Proxy::start(Target::Unix(socket.clone())).await;
        let program = start(&database, blobs.path());
        doors.push(Proxy::start(Target::Tcp(program.address())).await);
        endpoints.push((program, database));
    }
    let doors: Arc<[Proxy]> = doors.into();
    let addresses: Vec<SocketAddr> = doors.iter().map(|door| door.address).collect();
    let (confirmed, over) = (Arc::new(Mutex::new(Edits::new())), Arc::new(AtomicBool::new(false)));
    let working: Vec<_> = members
        .drain(..)
        .map(|mut member| {
            let (addresses, confirmed) = (addresses.clone(), Arc::clone(&confirmed));
            let over = Arc::clone(&over);
            tokio::spawn(async move {
                let (mut rounds, mut wrong) = (0, 0);
                while !over.load(Ordering::Relaxed) {
                    member.write();
                    let to = addresses[member.rng.usize(..addresses.len())];
                    let (answered, false_claim) = member.round(to, &confirmed).await;
                    rounds += usize::from(answered);
                    wrong += usize::from(false_claim);
                    tokio::time::sleep(Duration::from_millis(member.rng.u64(20..200))).await;
                }
                (member, rounds, wrong)
            })
        })
        .collect();
    let faulting = {
        let (doors, blobs) = (Arc::clone(&doors), blobs.path().to_owned());
        tokio::task::spawn_blocking(move || {
            let faults = inject(&doors, &mut endpoints, &cluster, &blobs, seed, time);
            (endpoints, cluster, faults)
        })
    };
    let (endpoints, cluster, faults) = faulting.await.unwrap();
    over.store(true, Ordering::Relaxed);
    let (mut found, mut rounds) = (Findings::default(), 0);
    for member in working {
        let (member, answered, wrong) = member.await.unwrap();
        rounds += answered;
        found.false_up_to_date += wrong;
        members.push(member);
    }
    // First everybody sends, then everybody gets what the others sent.
    for _ in 0..2 {
        for member in &mut members {
            for n in 0..=ROUNDS_TO_CONVERGE {
                if n > 0 && member.is_in_step() {
                    break;
                }
                found.unconverged += usize::from(n == ROUNDS_TO_CONVERGE);
                let (_, wrong) = member.round(addresses[n % 2], &confirmed).await;
                found.false_up_to_date += usize::from(wrong);
            }
        }
    }
    drop(endpoints);
    ask(&address, &mut members, &mut found).await;
    drop(cluster);
    let edits: usize = members.iter().map(|member| member.written).sum();
    (found, format!("{edits} edits, {rounds} rounds, {faults} faults"))
}

fn start(database: &Proxy, blobs: &Path) -> Program {
    let port = database.address.port();
    let address = format!("postgres://doorstep@127.0.0.1:{port}/office?sslmode=disable");
    let mut command = Program::serve(&address);
    command.arg("--blobs").arg(blobs).env("DOORSTEP_LOG", "off");
    Program::start(&mut command)
}

/// An office with signed-in phones that share records.
async fn gather(address: &str, seed: u64) -> Vec<Member> {
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(since.as_millis()).unwrap()
    };
    let office = Office::open(address, now).unwrap();
    let accounts = Accounts::new(office.store().clone(), Arc::new(now), Hasher::for_tests());
    let users: Vec<String> = (0..PHONES).map(|n| format!("user{n}")).collect();
    let mut shares: Vec<Vec<RecordId>> = vec![Vec::new(); PHONES];
    for n in 0..RECORDS {
        let sharing: Vec<usize> = (0..SHARED_BY).map(|k| (3 * n + k) % PHONES).collect();
        let names: Vec<&str> = sharing.iter().map(|user| users[*user].as_str()).collect();
        let visit = visit_for(&format!("NB-{n}"), &names);
        let created = office.create_visits(vec![visit], "lin.yue").await.unwrap();
        let [Created::New(record)] = created[..] else { panic!("{created:?}") };
        sharing.iter().for_each(|user| shares[*user].push(record));
    }
    let mut members = Vec::new();
    for (user, records) in users.iter().zip(shares) {
        let (name, password) = (user.clone(), "correct horse".to_owned());
        let new = NewUser {
            name: name.clone(),
            display_name: String::new(),
            role: Role::Collector,
            password: Some(password.clone()),
        };
        accounts.add_user(new).await.unwrap();
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let context = SignInContext { device: None, proof: None, browser: None, address };
        let signed_in = accounts.sign_in(Attempt { name, password, context }).await.unwrap();
        let rng = fastrand::Rng::with_seed(seed ^ members.len() as u64);
        let mut phone = TestPhone::of(signed_in.identity.session);
        phone.sync(&office).await;
        let token = signed_in.token.to_text();
        members.push(Member { phone, token, records, own: Edits::new(), written: 0, rng });
    }
    office.close();
    members
}

impl Member {
    /// Adds an edit, which the phone has saved when this returns.
    fn write(&mut self) {
        if self.records.is_empty() || self.rng.bool() {
            return;
        }
        let record = self.records[self.rng.usize(..self.records.len())];
        let id = format!("{}-{}", self.phone.user(), self.written);
        self.phone.apply(record, &contact(&id));
        self.written += 1;
        self.own.entry(record).or_default().insert(id);
    }

    fn is_in_step(&self) -> bool {
        let status = self.phone.status();
        status.state == SyncState::InStep && status.unsent == 0
    }

    /// One round, if one is due. Gives whether it was answered, and whether the phone then claimed to be
    /// up to date without an edit that the office had confirmed before the round.
    async fn round(&mut self, to: SocketAddr, confirmed: &Mutex<Edits>) -> (bool, bool) {
        self.phone.now += PASSES;
        self.phone.wake_if_due();
        if self.phone.sent.is_none() {
            self.phone.workspace.sync_now(self.phone.now);
            self.phone.run();
        }
        let Some(sent) = &self.phone.sent else { return (false, false) };
        let before = confirmed.lock().unwrap().clone();
        let answer = tokio::time::timeout(TIMEOUT, post(to, &self.token, &sent.body)).await;
        match answer {
            Ok(Ok((200, body))) => {
                let sent = self.phone.sent.take().unwrap();
                self.phone.workspace.replied(sent.round, &body, self.phone.now);
                self.phone.run();
            }
            Ok(Ok((401 | 403, body))) => panic!("{}", String::from_utf8_lossy(&body)),
            Ok(Ok((503, _))) => {
                self.phone.defer(1_000);
                return (false, false);
            }
            Ok(_) | Err(_) => {
                self.phone.lose_reply();
                return (false, false);
            }
        }
        if self.phone.status().unsent == 0 {
            let mut confirmed = confirmed.lock().unwrap();
            for (record, ids) in &self.own {
                confirmed.entry(*record).or_default().extend(ids.iter().cloned());
            }
        }
        (true, self.is_in_step() && self.lacks(&before))
    }

    fn lacks(&mut self, edits: &Edits) -> bool {
        self.records.clone().into_iter().any(|record| {
            let view = self.phone.view(record);
            let held: BTreeSet<_> = view.contacts.into_iter().map(|contact| contact.id).collect();
            edits.get(&record).is_some_and(|ids| !ids.is_subset(&held))
        })
    }
}

/// Sends a round on a connection of its own.
async fn post(to: SocketAddr, token: &str, body: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
    let mut wire = TcpStream::connect(to).await?;
    let head = format!(
        "POST /sync HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    wire.write_all(&[head.as_bytes(), body].concat()).await?;
    let mut answer = Vec::new();
    wire.read_to_end(&mut answer).await?;
    parse(&answer).ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

/// Status and body; `None` where the answer was cut off.
fn parse(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..at]).to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let body = &answer[at + 4..];
    (body.len() == length.parse::<usize>().ok()?).then(|| (status, body.to_vec()))
}

/// Faults for a time, one after the other; afterwards everything runs. Gives their number. Blocks.
fn inject(
    doors: &[Proxy],
    endpoints: &mut [(Program, Proxy)],
    cluster: &Cluster,
    blobs: &Path,
    seed: u64,
    time: Duration,
) -> usize {
    let (mut rng, began, mut faults) = (fastrand::Rng::with_seed(seed), Instant::now(), 0);
    while began.elapsed() < time {
        let at = rng.usize(..endpoints.len());
        let lasts = Duration::from_millis(rng.u64(100..2_000));
        let mode = match rng.u32(..5) {
            0 => Mode::Slow(Duration::from_millis(rng.u64(5..300))),
            1 => Mode::Held,
            2 => Mode::HalfClosed,
            _ => Mode::Cut,
        };
        match rng.u32(..10) {
            0..3 => pause(lasts, |on| doors[at].set(if on { mode } else { Mode::Open })),
            3..6 => pause(lasts, |on| endpoints[at].1.set(if on { mode } else { Mode::Open })),
            6 => pause(lasts, |on| endpoints[at].0.signal(if on { "STOP" } else { "CONT" })),
            7 | 8 => {
                endpoints[at].0.kill();
                endpoints[at].0 = start(&endpoints[at].1, blobs);
                doors[at].lead_to(Target::Tcp(endpoints[at].0.address()));
            }
            _ => {
                cluster.kill();
                std::thread::sleep(lasts / 4);
                cluster.start();
            }
        }
        faults += 1;
        std::thread::sleep(Duration::from_millis(rng.u64(..300)));
    }
    faults
}

fn pause(lasts: Duration, mut fault: impl FnMut(bool)) {
    fault(true);
    std::thread::sleep(lasts);
    fault(false);
}

/// What the office has in the end.
async fn ask(address: &str, members: &mut [Member], found: &mut Findings) {
    let office = Office::open_to_read(address, || 0).unwrap();
    let mut views = BTreeMap::new();
    for member in members {
        let user = member.phone.user();
        let truth = office.store().read_with(|reads| reads.members(&user)).unwrap();
        let held: BTreeSet<RecordId> = member.phone.ids().into_iter().collect();
        assert_eq!(held, truth.into_iter().map(|(record, _)| record).collect(), "{user}");
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
    assert!(verified.ok, "{:?}", verified.problems);
}
