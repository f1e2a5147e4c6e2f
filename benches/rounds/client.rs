//! HTTP over one connection, as plain as it gets, so that every byte is counted.

use doorstep::workspace::RequestFailure;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::phone::TestPhone;

pub(crate) struct Client {
    address: SocketAddr,
    token: String,
    stream: Option<TcpStream>,
    /// Round trip time of the link.
    rtt: Duration,
    pub(crate) up: usize,
    pub(crate) down: usize,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, token: &str, rtt: Duration) -> Self {
        Self { address, token: token.to_owned(), stream: None, rtt, up: 0, down: 0 }
    }

    /// Carries requests until the device has nothing more to ask; gives how many there were.
    pub(crate) fn drive(&mut self, device: &mut TestPhone) -> usize {
        let mut requests = 0;
        loop {
            while let Some(sent) = device.sent.take() {
                let body = self.post_sync_while(&sent.body, || device.step());
                requests += 1;
                device.workspace.replied(sent.round, &body, device.now);
                device.run();
            }
            if !device.wake_if_due() {
                return requests;
            }
        }
    }

    /// The same over a link that breaks after each of these numbers of received bytes: the reply
    /// under way is lost.
    pub(crate) fn drive_cut(&mut self, device: &mut TestPhone, cuts: &[usize]) {
        let mut cuts = cuts.iter().peekable();
        let mut came = 0;
        loop {
            while let Some(sent) = device.sent.take() {
                let before = self.down;
                let body = self.post_sync(&sent.body);
                let size = self.down - before;
                match cuts.next_if(|cut| **cut < came + size) {
                    Some(cut) => {
                        self.down = before + cut.saturating_sub(came);
                        // Places within what is lost have been passed.
                        device.workspace.request_failed(
                            sent.round,
                            RequestFailure::Offline,
                            device.now,
                            7,
                        );
                        device.now += 600_000;
                    }
                    None => device.workspace.replied(sent.round, &body, device.now),
                }
                came += self.down - before;
                device.run();
            }
            if !device.wake_if_due() {
                return;
            }
        }
    }

    pub(crate) fn post_sync(&mut self, body: &[u8]) -> Vec<u8> {
        self.post_sync_while(body, || false)
    }

    /// The same, with `work` step by step while nothing has come; it gives whether it has more.
    fn post_sync_while(&mut self, body: &[u8], work: impl FnMut() -> bool) -> Vec<u8> {
        let authorization = format!("authorization: Bearer {}\r\n", self.token);
        let (status, reply) = self.post("/sync", &authorization, body, work);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&reply));
        reply
    }

    fn post(
        &mut self,
        path: &str,
        headers: &str,
        body: &[u8],
        mut work: impl FnMut() -> bool,
    ) -> (u16, Vec<u8>) {
        let (address, rtt) = (self.address, self.rtt);
        let stream = self.stream.get_or_insert_with(|| {
            std::thread::sleep(rtt);
            let stream = TcpStream::connect(address).expect("the endpoint listens");
            stream.set_nodelay(true).expect("set");
            stream
        });
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend(body);
        let half = Instant::now() + rtt / 2;
        while Instant::now() < half && work() {}
        std::thread::sleep(half.saturating_duration_since(Instant::now()));
        stream.write_all(&request).expect("sent");
        self.up += request.len();
        stream.set_nonblocking(true).expect("set");
        while stream.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
            && work()
        {}
        stream.set_nonblocking(false).expect("set");

        let mut answer = Vec::new();
        let head = loop {
            if let Some(at) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            read_some(stream, &mut answer);
        };
        let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        let length = text.split("content-length: ").nth(1).expect("a length");
        let length: usize =
            length.split('\r').next().and_then(|n| n.parse().ok()).expect("a number");
        while answer.len() < head + length {
            read_some(stream, &mut answer);
        }
        self.down += answer.len();
        std::thread::sleep(rtt / 2);
        (status, answer.split_off(head))
    }
}

fn read_some(stream: &mut TcpStream, into: &mut Vec<u8>) {
    let mut bytes = [0; 16 * 1024];
    let count = stream.read(&mut bytes).expect("an answer");
    assert!(count > 0, "the endpoint hung up");
    into.extend(&bytes[..count]);
}

/// A bearer token for a user on a device.
pub(crate) fn sign_in(address: SocketAddr, user: &str, password: &str, device: &str) -> String {
    let body =
        format!("{{\"name\":\"{user}\",\"password\":\"{password}\",\"device\":\"{device}\"}}");
    let mut client = Client::new(address, "", Duration::ZERO);
    let json = "content-type: application/json\r\n";
    let (status, answer) = client.post("/api/session", json, body.as_bytes(), || false);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    let answer: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
    answer["token"].as_str().expect("a token").to_owned()
}
