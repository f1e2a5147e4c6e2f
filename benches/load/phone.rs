//! Phones as an endpoint sees them: requests that were written beforehand cost the client little.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use automerge::ChangeHash;
use doorstep::ids::{Heads, RecordId, actor};
use doorstep::office::auth::{Accounts, Attempt, Hasher, NewUser, SignInContext};
use doorstep::office::{Created, NewVisit, Office, Session};
use doorstep::record::command::{
    AssignmentPatch, CasePatch, Command, NewContact, TalkPatch, TextEdit,
};
use doorstep::record::terms::{Channel, ContactOutcome, OverdueReason, Role, TargetRole};
use doorstep::record::{Author, Record};
use doorstep::sync::digest::{Digest, Item};
use doorstep::sync::message::{
    Cursor, DEFAULT_REPLY_BYTES, Outcome, Push, Reply, Request, decode_reply, encode_request,
};
use doorstep::sync::packed::Packer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const PASSWORD: &str = "correct horse battery";

/// Phones that are signed in at the same time.
const GATHERED_AT_ONCE: usize = 16;

/// A collector with one record, the changes that are to be pushed, and a connection.
pub(crate) struct Phone {
    token: String,
    record: RecordId,
    /// Changes to push, each with the record's heads after it.
    changes: std::vec::IntoIter<(ChangeHash, Vec<u8>)>,
    pub(crate) cursor: Cursor,
    pub(crate) wire: Option<TcpStream>,
}

/// An answer of an endpoint.
pub(crate) enum Answer {
    Reply(Box<Reply>),
    /// It is full, and says when to come again.
    Deferred(Duration),
}

/// Phones whose records have `depth` changes at the office, and which have `rounds` more to push.
pub(crate) async fn gather(
    database: &str,
    phones: usize,
    depth: usize,
    rounds: usize,
) -> Vec<Phone> {
    let office = Office::open(database, now).expect("opens");
    let accounts = Accounts::new(office.store().clone(), Arc::new(now), Hasher::for_tests());
    let (mut gathered, mut running) = (Vec::with_capacity(phones), JoinSet::new());
    for n in 0..phones {
        running.spawn(enrol(office.clone(), accounts.clone(), n, depth, rounds));
        if running.len() >= GATHERED_AT_ONCE {
            gathered.extend(running.join_next().await.map(|phone| phone.expect("no panic")));
        }
    }
    while let Some(phone) = running.join_next().await {
        gathered.push(phone.expect("no panic"));
    }
    office.close();
    gathered
}

async fn enrol(office: Office, accounts: Accounts, n: usize, depth: usize, rounds: usize) -> Phone {
    let name = format!("user{n}");
    let visit = new_visit(&format!("C-{n}"), &name);
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
    let changes = written(&document, &session, depth, rounds).into_iter();
    let mut phone = Phone { token, record, changes, cursor: Cursor::default(), wire: None };
    // What was done before the load.
    let before = phone.changes.by_ref().take(depth).map(|(_, change)| change).collect();
    let reply = office.handle_sync(&session, phone.request(before)).await.expect("answered");
    assert!(reply.results.iter().all(|result| matches!(result, Outcome::Merged { .. })));
    phone.cursor = reply.cursor;
    phone
}

pub(crate) fn new_visit(case_no: &str, collector: &str) -> NewVisit {
    NewVisit {
        case_no: case_no.to_owned(),
        case: CasePatch {
            borrower_name: Some(format!("Borrower {case_no}")),
            address: Some(format!("{case_no} Mill Road, Ningbo")),
            overdue: Some(150_000),
            currency: Some("CNY".into()),
            due_date: Some("2026-08-01".into()),
            zone: Some("Asia/Shanghai".into()),
            ..CasePatch::default()
        },
        assignment: AssignmentPatch {
            collectors: Some(vec![collector.to_owned()]),
            ..AssignmentPatch::default()
        },
    }
}

/// A collector's work on a record, one change at a time.
fn written(
    document: &[u8],
    session: &Session,
    depth: usize,
    rounds: usize,
) -> Vec<(ChangeHash, Vec<u8>)> {
    let mut record = Record::load(document).expect("sound");
    let author = Author {
        actor: actor(session.device, 1),
        user: session.user.clone(),
        role: Role::Collector,
        now_ms: now(),
        zone: "Asia/Shanghai".into(),
    };
    let mut changes = Vec::new();
    for n in 0..depth + rounds {
        let command = match n % 3 {
            0 => Command::EditTalk(TalkPatch {
                overdue_reason: Some(
                    [OverdueReason::IncomeLoss, OverdueReason::Illness][n / 3 % 2],
                ),
                overdue_reason_text: Some(format!("salary comes late, said {n}")),
                ..TalkPatch::default()
            }),
            1 if n < depth => Command::LogContact(NewContact {
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
        changes.push((change.hash(), change.raw_bytes().to_vec()));
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
        let push = Push { record: self.record, changes };
        Request {
            cursor: self.cursor,
            tables: packer.into_tables(),
            push: if push.changes.is_empty() { Vec::new() } else { vec![push] },
            max_bytes: DEFAULT_REPLY_BYTES,
            ..Request::default()
        }
    }

    /// A round with one change; `false` where none is left.
    pub(crate) async fn push(&mut self, address: SocketAddr) -> bool {
        let Some((_, change)) = self.changes.next() else { return false };
        let request = encode_request(&self.request(vec![change]));
        let Answer::Reply(reply) = self.post(address, &request).await else { panic!("full") };
        assert!(matches!(reply.results[..], [Outcome::Merged { .. }]), "{reply:?}");
        assert!(reply.entries.is_empty(), "{reply:?}");
        self.cursor = reply.cursor;
        true
    }

    /// A round with nothing new.
    pub(crate) async fn idle(&mut self, address: SocketAddr) -> bool {
        let request = encode_request(&self.request(Vec::new()));
        let answer = self.post(address, &request).await;
        assert!(matches!(answer, Answer::Reply(_)), "full");
        true
    }

    /// Comes back with one change: rounds on a new connection until the office has it and its digest is
    /// the phone's. Gives how often it was deferred.
    pub(crate) async fn reconnect(&mut self, address: SocketAddr) -> u32 {
        let (head, change) = self.changes.next().expect("a change");
        let request = encode_request(&self.request(vec![change]));
        let mut deferred = 0;
        loop {
            match self.post(address, &request).await {
                Answer::Deferred(wait) => {
                    deferred += 1;
                    self.wire = None;
                    // As phones do: none comes exactly when all others do.
                    tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64())).await;
                }
                Answer::Reply(reply) => {
                    assert!(matches!(reply.results[..], [Outcome::Merged { .. }]), "{reply:?}");
                    let mut digest = Digest::default();
                    digest.add(Item::of(self.record, &Heads::new(vec![head])));
                    assert_eq!((reply.remaining, reply.digest), (0, digest), "up to date");
                    self.cursor = reply.cursor;
                    return deferred;
                }
            }
        }
    }

    /// Opens the stream of signals on a new connection and reads its beginning.
    pub(crate) async fn listen(&mut self, address: SocketAddr) {
        let request = format!(
            "GET /api/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
            self.token
        );
        loop {
            let mut wire = TcpStream::connect(address).await.expect("it listens");
            wire.write_all(request.as_bytes()).await.expect("sent");
            let mut answer = [0; 1024];
            let count = wire.read(&mut answer).await.expect("an answer");
            let head = String::from_utf8_lossy(&answer[..count]).to_ascii_lowercase();
            if head.starts_with("http/1.1 200") {
                self.wire = Some(wire);
                return;
            }
            // The endpoint is full.
            assert!(head.starts_with("http/1.1 503") || head.starts_with("http/1.1 429"), "{head}");
            tokio::time::sleep(Duration::from_secs_f64(5.0 + 10.0 * fastrand::f64())).await;
        }
    }

    async fn post(&mut self, address: SocketAddr, body: &[u8]) -> Answer {
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
            let number = |name: &str| -> Option<u64> {
                head.split(name).nth(1)?.lines().next()?.trim().parse().ok()
            };
            let length = number("content-length: ").expect("a length");
            if answer.len() < at + 4 + usize::try_from(length).expect("in memory") {
                continue;
            }
            if head.starts_with("http/1.1 503") || head.starts_with("http/1.1 429") {
                return Answer::Deferred(Duration::from_secs(number("retry-after: ").unwrap_or(1)));
            }
            assert!(head.starts_with("http/1.1 200"), "{head}");
            let reply = decode_reply(&answer.split_off(at + 4)).expect("a reply");
            return Answer::Reply(Box::new(reply));
        }
    }
}

/// By the system's clock, ms: sign-ins end.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
