//! Load on an endpoint from clients on the same machine: durable rounds with one changed record each,
//! and rounds with nothing new.
//!
//! The changes are written beforehand, so that the clients cost little. `cargo bench --bench load`;
//! `DOORSTEP_LOAD_SECONDS` and `DOORSTEP_LOAD_CLIENTS` override the defaults.

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doorstep::ids::{RecordId, actor};
use doorstep::office::auth::{Accounts, Attempt, Hasher, NewUser, SignInContext};
use doorstep::office::{Created, NewVisit, Office, Session};
use doorstep::record::command::{
    AssignmentPatch, CasePatch, Command, NewContact, TalkPatch, TextEdit,
};
use doorstep::record::terms::{Channel, ContactOutcome, OverdueReason, Role, TargetRole};
use doorstep::record::{Author, Record};
use doorstep::sync::message::{
    Cursor, DEFAULT_REPLY_BYTES, Outcome, Push, Request, decode_reply, encode_request,
};
use doorstep::sync::packed::Packer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const PASSWORD: &str = "correct horse battery";

/// Changes of a record before the load.
const DEPTH: usize = 30;

fn main() {
    // `cargo test --benches` asks every bench for its tests: there are none here.
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        return;
    }
    let setting = |name: &str, default: usize| {
        std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let time = Duration::from_secs(setting("DOORSTEP_LOAD_SECONDS", 10) as u64);
    let clients = setting("DOORSTEP_LOAD_CLIENTS", 32);
    let rounds = setting("DOORSTEP_LOAD_ROUNDS", 300);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("threads");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let database = format!("sqlite:{}", folder.path().join("db").display());
        let phones = gather(&database, clients, rounds).await;
        let served = Served::start(&database);
        let phones = run("idle_rounds", &served, phones, time, Phone::idle).await;
        run("durable_rounds", &served, phones, time, Phone::push).await;
    });
}

/// A collector with one record, the changes that are to be pushed, and a connection.
struct Phone {
    token: String,
    record: RecordId,
    changes: std::vec::IntoIter<Vec<u8>>,
    cursor: Cursor,
    wire: Option<TcpStream>,
}

async fn gather(database: &str, clients: usize, rounds: usize) -> Vec<Phone> {
    let office = Office::open(database, now).expect("opens");
    let accounts = Accounts::new(office.store().clone(), Arc::new(now), Hasher::for_tests());
    let mut phones = Vec::new();
    for n in 0..clients {
        let name = format!("user{n}");
        let visit = NewVisit {
            case_no: format!("C-{n}"),
            case: CasePatch {
                borrower_name: Some(format!("Borrower {n}")),
                address: Some(format!("{n} Mill Road, Ningbo")),
                overdue: Some(150_000),
                currency: Some("CNY".into()),
                due_date: Some("2026-08-01".into()),
                zone: Some("Asia/Shanghai".into()),
                ..CasePatch::default()
            },
            assignment: AssignmentPatch {
                collectors: Some(vec![name.clone()]),
                ..AssignmentPatch::default()
            },
        };
        let created = office.create_visits(vec![visit], "lin.yue").await.expect("created");
        let Some(Created::New(record)) = created.into_iter().next() else { panic!("exists") };
        let new = NewUser {
            name: name.clone(),
            display_name: String::new(),
            role: Role::Collector,
            password: Some(PASSWORD.into()),
        };
        accounts.add_user(new).await.expect("added");
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let context = SignInContext { device: None, proof: None, browser: None, address };
        let attempt = Attempt { name, password: PASSWORD.into(), context };
        let signed_in = accounts.sign_in(attempt).await.expect("signs in");
        let token = signed_in.token.to_text();
        let document = office.document(record).await.expect("there");
        let session = signed_in.identity.session;
        let changes = written(&document, &session, DEPTH + rounds);
        let mut phone = Phone {
            token,
            record,
            changes: changes.into_iter(),
            cursor: Cursor::default(),
            wire: None,
        };
        // What was done before the load.
        let before = phone.changes.by_ref().take(DEPTH).collect();
        let reply = office.handle_sync(&session, phone.request(before)).await.expect("answered");
        assert!(matches!(reply.results[..], [Outcome::Merged { .. }]), "{reply:?}");
        phone.cursor = reply.cursor;
        phones.push(phone);
    }
    office.close();
    phones
}

/// A collector's work on a record, one change at a time.
fn written(document: &[u8], session: &Session, count: usize) -> Vec<Vec<u8>> {
    let mut record = Record::load(document).expect("sound");
    let author = Author {
        actor: actor(session.device, 1),
        user: session.user.clone(),
        role: Role::Collector,
        now_ms: now(),
        zone: "Asia/Shanghai".into(),
    };
    let mut changes = Vec::new();
    for n in 0..count {
        let command = match n % 3 {
            0 => Command::EditTalk(TalkPatch {
                overdue_reason: Some(
                    [OverdueReason::IncomeLoss, OverdueReason::Illness][n / 3 % 2],
                ),
                overdue_reason_text: Some(format!("salary comes late, said {n}")),
                ..TalkPatch::default()
            }),
            1 if n < DEPTH => Command::LogContact(NewContact {
                id: format!("018bcfe5-0000-7000-8000-{n:012}"),
                at: now(),
                channel: Channel::Call,
                number_ref: "phones.0".into(),
                target_role: TargetRole::Borrower,
                outcome: ContactOutcome::NoAnswer,
                note: "no answer, will call again".into(),
            }),
            _ => {
                let view = record.view();
                Command::EditNotes(TextEdit {
                    base: view.heads,
                    text: format!("{} {n}: asked for two weeks more", tail(&view.notes)),
                })
            }
        };
        let change = record.apply(&command, &author).expect("allowed").expect("changes something");
        changes.push(change.raw_bytes().to_vec());
    }
    changes
}

/// Notes stay as long as notes are.
fn tail(notes: &str) -> &str {
    notes.get(notes.len().saturating_sub(400)..).unwrap_or_default()
}

impl Phone {
    fn request(&self, changes: Vec<Vec<u8>>) -> Request {
        let mut packer = Packer::default();
        let changes = packer.pack(changes.iter().map(Vec::as_slice));
        Request {
            cursor: self.cursor,
            tables: packer.into_tables(),
            push: vec![Push { record: self.record, changes }],
            max_bytes: DEFAULT_REPLY_BYTES,
            ..Request::default()
        }
    }

    /// A round with one change; `false` where none is left.
    async fn push(&mut self, address: SocketAddr) -> bool {
        let Some(change) = self.changes.next() else { return false };
        let request = encode_request(&self.request(vec![change]));
        let reply = decode_reply(&self.post(address, &request).await).expect("a reply");
        assert!(matches!(reply.results[..], [Outcome::Merged { .. }]), "{reply:?}");
        assert!(reply.entries.is_empty(), "{reply:?}");
        self.cursor = reply.cursor;
        true
    }

    /// A round with nothing new.
    async fn idle(&mut self, address: SocketAddr) -> bool {
        let max_bytes = DEFAULT_REPLY_BYTES;
        let request = Request { cursor: self.cursor, max_bytes, ..Request::default() };
        self.post(address, &encode_request(&request)).await;
        true
    }

    async fn post(&mut self, address: SocketAddr, body: &[u8]) -> Vec<u8> {
        let wire = match &mut self.wire {
            Some(wire) => wire,
            none => none.insert(TcpStream::connect(address).await.expect("it listens")),
        };
        let head = format!(
            "POST /sync HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
            self.token,
            body.len()
        );
        wire.write_all(&[head.as_bytes(), body].concat()).await.expect("sent");
        let (mut answer, mut piece) = (Vec::new(), [0; 16 * 1024]);
        loop {
            let count = wire.read(&mut piece).await.expect("an answer");
            assert!(count > 0, "the endpoint closed the connection");
            answer.extend(&piece[..count]);
            let Some(at) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&answer[..at]).to_ascii_lowercase();
            assert!(head.starts_with("http/1.1 200"), "{head}");
            let length = head.split("content-length: ").nth(1).expect("a length");
            let length: usize =
                length.lines().next().and_then(|n| n.parse().ok()).expect("a number");
            if answer.len() >= at + 4 + length {
                return answer.split_off(at + 4);
            }
        }
    }
}

/// Lets all clients ask, each one request at a time, and prints what it came to.
async fn run(
    scenario: &str,
    served: &Served,
    phones: Vec<Phone>,
    time: Duration,
    round: impl AsyncFn(&mut Phone, SocketAddr) -> bool + Copy + 'static,
) -> Vec<Phone> {
    let (began, cpu) = (Instant::now(), served.cpu_ms());
    let working = tokio::task::LocalSet::new();
    let (mut back, mut took): (Vec<Phone>, Vec<f64>) = (Vec::new(), Vec::new());
    let clients = phones.len();
    let mut clients_running: JoinSet<(Phone, Vec<f64>)> = JoinSet::new();
    for mut phone in phones {
        let address = served.address;
        clients_running.spawn_local_on(
            async move {
                let mut took = Vec::new();
                while began.elapsed() < time {
                    let asked = Instant::now();
                    if !round(&mut phone, address).await {
                        break;
                    }
                    took.push(asked.elapsed().as_secs_f64() * 1e3);
                }
                (phone, took)
            },
            &working,
        );
    }
    working
        .run_until(async {
            while let Some(done) = clients_running.join_next().await {
                let (phone, more) = done.expect("no panic");
                back.push(phone);
                took.extend(more);
            }
        })
        .await;
    let (wall, cpu) = (began.elapsed().as_secs_f64(), served.cpu_ms() - cpu);
    took.sort_by(f64::total_cmp);
    let at =
        |share: f64| took.get((took.len() as f64 * share) as usize).copied().unwrap_or_default();
    println!(
        "{scenario:<16} {clients:>4} clients  {:>6} rounds  rounds_per_s {:.0}  p50_ms {:.1}  p99_ms {:.1}  endpoint_cpu_ms_per_round {:.3}  rss_mib {}",
        took.len(),
        took.len() as f64 / wall,
        at(0.5),
        at(0.99),
        cpu / took.len().max(1) as f64,
        served.rss_mib(),
    );
    back
}

/// The program, serving; it ends with this value.
struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    fn start(database: &str) -> Self {
        let program = std::env::var("DOORSTEP_BINARY");
        let mut child = Process::new(program.unwrap_or(env!("CARGO_BIN_EXE_doorstep").to_owned()))
            .args(["serve", "--listen", "127.0.0.1:0", "--database", database])
            .env("DOORSTEP_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = lines.next().expect("it says where it listens").expect("text");
        let address = line.split("://").nth(1).and_then(|rest| rest.trim().parse().ok());
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.expect("an address") }
    }

    /// CPU time of its process so far, ms.
    fn cpu_ms(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.expect("it runs");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
        let ticks = |at: usize| fields.get(at).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0);
        // User and system time, in hundredths of a second.
        (ticks(12) + ticks(13)) * 10.0
    }

    fn rss_mib(&self) -> usize {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id()));
        let pages = statm.ok().and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
        pages.unwrap_or_default() * 4096 / (1024 * 1024)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// By the system's clock, ms: sign-ins end.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
