//! Phones with a connection each, and the program that they crowd.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doorstep::ids::RecordId;
use doorstep::office::auth::{Accounts, Attempt, Hasher, NewUser, SignInContext};
use doorstep::office::{Created, Office};
use doorstep::record::terms::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::office::{address, visit_for};
use crate::support::phone::{NOW, TestPhone, contact};
use crate::support::program::{BINARY, Program};

const PASSWORD: &str = "correct horse battery";

/// As many as it works on at once, or nearly.
const AT_ONCE: usize = 32;

/// A storm ends after this many deferred requests.
const FULL: usize = 100;

/// A storm that fills nothing ends after this.
const GIVE_UP: Duration = Duration::from_secs(120);

/// How often load is offered.
const TICK: Duration = Duration::from_millis(5);

/// The result of a storm.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) offered: usize,
    pub(crate) accepted: usize,
    pub(crate) put_off: usize,
    pub(crate) health: usize,
    /// Until load was no longer offered.
    pub(crate) seconds: f64,
    /// What was offered until then, of what was accepted until then.
    pub(crate) times: f64,
}

/// Everybody.
pub(crate) struct Crowd {
    phones: Vec<Phone>,
}

/// A phone, and what it was told is safe.
struct Phone {
    device: TestPhone,
    token: String,
    record: RecordId,
    wire: Option<TcpStream>,
    written: usize,
    /// Contacts below this number were acknowledged.
    acknowledged: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Accepted,
    PutOff,
}

/// It gets the processor time that the phones leave: on two cores they could otherwise never offer
/// more than it serves.
pub(crate) fn start(folder: &Path) -> Program {
    let mut command = Command::new("nice");
    command.args(["-n", "19", BINARY, "serve", "--listen", "127.0.0.1:0"]);
    command.args(["--database", &address(folder)]).env("DOORSTEP_LOG", "error");
    Program::start(&mut command)
}

impl Crowd {
    /// An office with `count` phones, signed in, each with one record.
    pub(crate) async fn gather(folder: &Path, count: usize) -> Self {
        let office = Office::open(&address(folder), || NOW).unwrap();
        // Sign-ins end: the program looks at the clock.
        let clock = Arc::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            i64::try_from(since.as_millis()).unwrap()
        });
        let accounts = Accounts::new(office.store().clone(), clock, Hasher::for_tests());
        let users: Vec<String> = (0..count).map(|n| format!("user{n}")).collect();
        let visits = users.iter().map(|user| visit_for(&format!("NB-{user}"), &[user])).collect();
        let created = office.create_visits(visits, "lin.yue").await.unwrap();
        let mut phones = Vec::new();
        for (user, created) in users.iter().zip(created) {
            let Created::New(record) = created else { panic!("{created:?}") };
            let (name, password) = (user.clone(), PASSWORD.to_owned());
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
            let device = TestPhone::of(signed_in.identity.session);
            let token = signed_in.token.to_text();
            phones.push(Phone { device, token, record, wire: None, written: 0, acknowledged: 0 });
        }
        office.close();
        Self { phones }
    }

    /// Everybody's rounds until there is nothing more to say, a few at a time.
    pub(crate) async fn catch_up(&mut self, served: &Program) {
        let mut waiting = std::mem::take(&mut self.phones);
        let mut working = JoinSet::new();
        loop {
            while working.len() < AT_ONCE
                && let Some(mut phone) = waiting.pop()
            {
                let address = served.address();
                working.spawn(async move {
                    phone.device.workspace.sync_now(phone.device.now);
                    phone.device.run();
                    while phone.device.sent.is_some() || phone.device.wake_if_due() {
                        assert_eq!(phone.round(address).await, Answer::Accepted);
                    }
                    phone
                });
            }
            let Some(phone) = working.join_next().await else { return };
            self.phones.push(phone.unwrap());
        }
    }

    /// Rounds with a change each, a second, by as many as are worked on at once.
    pub(crate) async fn capacity(&mut self, served: &Program, time: Duration) -> f64 {
        let began = Instant::now();
        let mut working = JoinSet::new();
        for mut phone in self.phones.drain(self.phones.len() - AT_ONCE..) {
            let address = served.address();
            working.spawn(async move {
                let mut rounds = 0;
                while began.elapsed() < time {
                    phone.write();
                    assert_eq!(phone.round(address).await, Answer::Accepted);
                    rounds += 1;
                }
                (phone, rounds)
            });
        }
        let mut rounds = 0;
        while let Some(done) = working.join_next().await {
            let (phone, more) = done.unwrap();
            self.phones.push(phone);
            rounds += more;
        }
        f64::from(rounds) / began.elapsed().as_secs_f64()
    }

    /// Offers a multiple of the office's capacity, measured before and now, whatever the answers.
    /// A deferred phone sends the same bytes again with its next offer, far sooner than a real one.
    /// That costs the phones almost no CPU, which they share with the office.
    pub(crate) async fn storm(
        &mut self,
        served: &Program,
        capacity: f64,
        times: f64,
        time: Duration,
    ) -> Told {
        let address = served.address();
        let (health, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let asking = tokio::spawn(ask_for_health(address, Arc::clone(&health), Arc::clone(&over)));
        let mut told = Told::default();
        let mut idle: VecDeque<Phone> = std::mem::take(&mut self.phones).into();
        let mut working = JoinSet::new();
        let mut ticks = tokio::time::interval(TICK);
        let began = Instant::now();
        // A slow machine takes longer to fill; one that never is full is told of by the caller.
        while began.elapsed() < time
            || ((told.put_off < FULL || told.times < times) && began.elapsed() < GIVE_UP)
        {
            ticks.tick().await;
            while let Some(done) = working.try_join_next() {
                idle.push_back(told.count(done.unwrap()));
            }
            let served = (began.elapsed().as_secs_f64() * capacity).max(told.accepted as f64);
            while (told.offered as f64) < served * times
                && let Some(mut phone) = idle.pop_front()
            {
                told.offered += 1;
                working.spawn(async move {
                    let answer = phone.offer(address).await;
                    (phone, answer)
                });
            }
            told.times = told.offered as f64 / told.accepted.max(1) as f64;
        }
        told.seconds = began.elapsed().as_secs_f64();
        while let Some(done) = working.join_next().await {
            idle.push_back(told.count(done.unwrap()));
        }
        over.store(true, Ordering::Relaxed);
        asking.await.unwrap();
        told.health = health.load(Ordering::Relaxed);
        self.phones = idle.into();
        self.phones.iter_mut().for_each(Phone::wait);
        told
    }

    pub(crate) fn assert_in_step(&self) {
        self.phones.iter().for_each(|phone| phone.device.assert_in_step());
    }

    /// Every change that was acknowledged is at the office, and the office is sound.
    pub(crate) async fn assert_all_there(&self, folder: &Path) {
        let office = Office::open(&address(folder), || NOW).unwrap();
        for phone in &self.phones {
            let view = office.visit(phone.record).await.unwrap();
            assert_eq!(phone.acknowledged, phone.written, "all was sent in the end");
            for n in 0..phone.acknowledged {
                let id = format!("c{n}");
                assert!(view.contacts.iter().any(|contact| contact.id == id), "{id} is lost");
            }
        }
        let verified = office.verify().await.unwrap();
        assert!(verified.ok, "{:?}", verified.problems);
    }
}

impl Told {
    fn count(&mut self, (phone, answer): (Phone, Answer)) -> Phone {
        match answer {
            Answer::Accepted => self.accepted += 1,
            Answer::PutOff => self.put_off += 1,
        }
        phone
    }
}

async fn ask_for_health(address: SocketAddr, answered: Arc<AtomicUsize>, over: Arc<AtomicBool>) {
    let mut wire = TcpStream::connect(address).await.unwrap();
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    while !over.load(Ordering::Relaxed) {
        ticks.tick().await;
        for path in ["/healthz", "/readyz", "/metrics"] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
            wire.write_all(request.as_bytes()).await.unwrap();
            let (status, _, _) = answer(&mut wire).await;
            assert_eq!(status, 200, "{path}");
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Phone {
    /// Adds a contact, which makes a round due.
    fn write(&mut self) {
        let device = &mut self.device;
        device.apply(self.record, &contact(&format!("c{}", self.written)));
        self.written += 1;
        device.workspace.sync_now(device.now);
        device.run();
        assert!(device.sent.is_some(), "a round is due");
    }

    /// Sends the deferred request, or a new one.
    async fn offer(&mut self, address: SocketAddr) -> Answer {
        if self.device.sent.is_none() {
            self.write();
        }
        self.round(address).await
    }

    /// The workspace is told of a last answer that put it off, and the wait passes on its clock.
    fn wait(&mut self) {
        if self.device.sent.is_some() {
            self.device.defer(10_000);
            self.device.now += 600_000;
        }
    }

    /// Sends the pending request and hands the reply to the workspace; a deferred request stays
    /// pending.
    async fn round(&mut self, address: SocketAddr) -> Answer {
        let sent = self.device.sent.as_ref().unwrap();
        let wire = match &mut self.wire {
            Some(wire) => wire,
            none => none.insert(TcpStream::connect(address).await.unwrap()),
        };
        let head = format!(
            "POST /sync HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
            self.token,
            sent.body.len()
        );
        wire.write_all(&[head.as_bytes(), &sent.body].concat()).await.unwrap();
        let (status, head, body) = answer(wire).await;
        let device = &mut self.device;
        match status {
            200 => {
                let sent = device.sent.take().unwrap();
                device.workspace.replied(sent.round, &body, device.now);
                device.run();
                if device.status().unsent == 0 {
                    self.acknowledged = self.written;
                }
                Answer::Accepted
            }
            503 => {
                assert!(head.contains("\r\nretry-after: 10\r\n"), "{head}");
                assert!(String::from_utf8_lossy(&body).contains("office_busy"));
                Answer::PutOff
            }
            other => panic!("{other}: {head}"),
        }
    }
}

async fn answer(wire: &mut TcpStream) -> (u16, String, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at + 2]).to_ascii_lowercase();
            let length =
                head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
            let length: usize = length.unwrap().parse().unwrap();
            if bytes.len() >= at + 4 + length {
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                return (status, head, bytes.split_off(at + 4));
            }
        }
        let count = wire.read(&mut piece).await.unwrap();
        assert!(count > 0, "the office hung up");
        bytes.extend(&piece[..count]);
    }
}
