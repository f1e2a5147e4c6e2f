//! A phone of the partition test: edits, rounds through any endpoint, and what the office confirmed.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorstep::ids::RecordId;
use doorstep::office::auth::{Accounts, Attempt, Hasher, NewUser, SignInContext};
use doorstep::office::{Created, Office};
use doorstep::record::terms::Role;
use doorstep::workspace::SyncState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Edits;
use crate::support::office::visit_for;
use crate::support::phone::{TestPhone, contact};

/// Collectors of each record.
const SHARED_BY: usize = 8;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(6);

/// Waits of a workspace pass on its own clock, ms.
const PASSES: i64 = 600_000;

pub(super) struct Member {
    pub(super) phone: TestPhone,
    token: String,
    records: Vec<RecordId>,
    /// Acknowledged edits of this phone.
    pub(super) own: Edits,
    pub(super) written: usize,
    pub(super) rng: fastrand::Rng,
}

/// By the system's clock, ms.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// An office with signed-in phones that share records.
pub(super) async fn gather(address: &str, seed: u64, phones: usize) -> Vec<Member> {
    let office = Office::open(address, now).unwrap();
    let accounts = Accounts::new(office.store().clone(), Arc::new(now), Hasher::for_tests());
    let users: Vec<String> = (0..phones).map(|n| format!("user{n}")).collect();
    let mut shares: Vec<Vec<RecordId>> = vec![Vec::new(); phones];
    for n in (0..phones).step_by(3) {
        let sharing: Vec<usize> = (0..SHARED_BY).map(|k| (n + k) % phones).collect();
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
    pub(super) fn write(&mut self) {
        if self.rng.bool() {
            return;
        }
        let record = self.records[self.rng.usize(..self.records.len())];
        let id = format!("{}-{}", self.phone.user(), self.written);
        self.phone.apply(record, &contact(&id));
        self.written += 1;
        self.own.entry(record).or_default().insert(id);
    }

    pub(super) fn is_in_step(&self) -> bool {
        let status = self.phone.status();
        status.state == SyncState::InStep && status.unsent == 0
    }

    /// One round, if one is due. Gives whether it was answered, and whether the phone then claimed to be
    /// up to date without an edit that the office had confirmed before the round.
    pub(super) async fn round(&mut self, to: SocketAddr, confirmed: &Mutex<Edits>) -> (bool, bool) {
        self.phone.now += PASSES;
        self.phone.wake_if_due();
        if self.phone.sent.is_none() {
            self.phone.workspace.sync_now(self.phone.now);
            self.phone.run();
        }
        let Some(sent) = &self.phone.sent else { return (false, false) };
        let before: Edits = {
            let confirmed = confirmed.lock().unwrap();
            let own = self.records.iter();
            own.filter_map(|record| confirmed.get_key_value(record))
                .map(|(record, ids)| (*record, ids.clone()))
                .collect()
        };
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
        edits.iter().any(|(record, ids)| {
            let view = self.phone.view(*record);
            let held: BTreeSet<_> = view.contacts.into_iter().map(|contact| contact.id).collect();
            !ids.is_subset(&held)
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
