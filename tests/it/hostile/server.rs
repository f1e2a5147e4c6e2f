//! The real program over a store of its own, and a client that says exactly what it is told to.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorstep::ids::{DeviceId, RecordId};
use doorstep::office::auth::{Accounts, Attempt, Hasher, NewUser, SignInContext};
use doorstep::office::{Clock, Created, Office};
use doorstep::record::terms::Role;
use doorstep::sync::message::{Reply, Request, decode_reply, encode_request};

use crate::support::program::{BINARY, Program};
use crate::support::sync_client::{START, new_visit};

/// Devices of the one who lies, beside the one that every attack uses.
pub(crate) const CROWD: u8 = 24;

const PASSWORD: &str = "correct horse battery";

/// Records of the one who lies, of the honest one, and of both.
const HOSTILE: usize = 220;
const HONEST: usize = 4;

/// An answer that does not come at all fails a test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) struct Server {
    pub(crate) program: Program,
    /// Tokens of the devices of the one who lies.
    crowd: Vec<String>,
    pub(crate) address: SocketAddr,
    database: String,
    folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Server {
    /// The people and their records are made first, by the same code, since passwords hashed at
    /// their real cost would take most of the test's time.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("office.db").display());
        let crowd = furnish(&database);
        let mut command = Program::serve(&database);
        command.env("DOORSTEP_LOG", "error").stderr(Stdio::null());
        let program = Program::start(&mut command);
        let address = program.address();
        Self { program, crowd, address, database, folder }
    }

    /// The other devices of the one who lies.
    pub(crate) fn crowd(&self) -> Vec<Line> {
        self.crowd.iter().map(|token| Line::with(self.address, token)).collect()
    }

    /// A token for a user on a device, which is enrolled by hand.
    pub(crate) fn sign_in(&self, user: &str, device: DeviceId) -> String {
        let enrolled = Command::new(BINARY)
            .args(["device", "enrol", &device.to_string(), "--user", user])
            .args(["--database", &self.database])
            .output()
            .unwrap();
        assert!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
        let body = format!(r#"{{"name":"{user}","password":"{PASSWORD}","device":"{device}"}}"#);
        let head = "Content-Type: application/json\r\n";
        let answer = ask(self.address, "/api/session", head, body.as_bytes()).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// Nothing is wrong with what is stored, by the program's own word.
    pub(crate) fn assert_sound(&self) {
        let verified = Command::new(BINARY)
            .args(["verify", "--json", "--database", &self.database])
            .output()
            .unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
        assert!(self.folder.path().exists());
    }
}

/// Makes people, devices and records; gives the tokens of the devices.
fn furnish(database: &str) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let office = Office::open(database, || START).unwrap();
    let accounts = |clock: Clock| Accounts::new(office.store().clone(), clock, Hasher::for_tests());
    let crowd = runtime.block_on(async {
        let accounts_now = accounts(Arc::new(|| START));
        for name in ["chen.jie", "wu.min"] {
            let (name, password) = (name.to_owned(), Some(PASSWORD.to_owned()));
            let new =
                NewUser { name, display_name: String::new(), role: Role::Collector, password };
            accounts_now.add_user(new).await.unwrap();
        }
        let mut crowd = Vec::new();
        for n in 0..CROWD {
            // One a day, the oldest first: sign-ins go by the real clock, and enrolments are bounded.
            let at = now() - i64::from(CROWD - n) * 24 * 60 * 60 * 1000;
            let (name, password) = ("chen.jie".to_owned(), PASSWORD.to_owned());
            let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
            let context = SignInContext { device: None, proof: None, browser: None, address };
            let attempt = Attempt { name, password, context };
            let signed_in = accounts(Arc::new(move || at)).sign_in(attempt).await.unwrap();
            crowd.push(signed_in.token.to_text());
        }
        let visits = |kind: &str, count, collectors: &[&str]| {
            (0..count).map(|n| new_visit(&format!("{kind}-{n:04}"), collectors)).collect()
        };
        for visits in [
            visits("A", HOSTILE, &["chen.jie"]),
            visits("H", HONEST, &["wu.min"]),
            visits("S", 1, &["chen.jie", "wu.min"]),
        ] {
            let made: Vec<Created> = office.create_visits(visits, "lin.yue").await.unwrap();
            assert!(made.iter().all(|made| matches!(made, Created::New(_))));
        }
        crowd
    });
    office.close();
    crowd
}

/// The real time, ms.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// One request on a connection of its own.
fn ask(address: SocketAddr, path: &str, head: &str, body: &[u8]) -> Option<Answer> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n"
    );
    say(address, &[head.as_bytes(), body].concat())
}

/// Sends bytes and reads an answer, if there is one.
pub(crate) fn say(address: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // Who refuses a body need not read it to its end.
    let _ = stream.write_all(bytes);
    answer(&mut stream)
}

/// Reads an answer to its end; `None` where the connection is closed without one.
pub(crate) fn answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    // Bytes received before a reset count.
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: bytes.split_off(end + 4) })
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        format!("{}: {}", self.status, String::from_utf8_lossy(&self.body))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }
}

/// A device's way to the office.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    head: String,
}

impl Line {
    pub(crate) fn new(server: &Server, user: &str, device: DeviceId) -> Self {
        Self::with(server.address, &server.sign_in(user, device))
    }

    /// The same with a token that it has.
    fn with(address: SocketAddr, token: &str) -> Self {
        Self { address, head: format!("Authorization: Bearer {token}\r\n") }
    }

    /// The head of a round with a body of `length` bytes, which the caller sends in pieces.
    pub(crate) fn head(&self, length: usize) -> String {
        let head = &self.head;
        format!(
            "POST /sync HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n"
        )
    }

    /// A body as it is.
    pub(crate) fn post(&self, body: &[u8]) -> Answer {
        self.try_post(body).expect("an answer")
    }

    /// The same; `None` where the office closed the connection before it had read the body, and
    /// its answer was lost over that.
    pub(crate) fn try_post(&self, body: &[u8]) -> Option<Answer> {
        ask(self.address, "/sync", &self.head, body)
    }

    /// The same, asked again where the office says that it is busy.
    pub(crate) fn patiently(&self, body: &[u8]) -> Answer {
        loop {
            match self.try_post(body) {
                Some(answer) if ![503, 429].contains(&answer.status) => return answer,
                Some(_) | None => std::thread::yield_now(),
            }
        }
    }

    pub(crate) fn round(&self, request: &Request) -> Reply {
        self.answer(&encode_request(request))
    }

    /// The reply to a body that is one, whatever it says.
    pub(crate) fn answer(&self, body: &[u8]) -> Reply {
        let answer = self.post(body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        decode_reply(&answer.body).unwrap()
    }
}

/// A record id that does not exist.
pub(crate) const NO_RECORD: RecordId = RecordId([0xee; 16]);
