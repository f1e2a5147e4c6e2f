//! The real program, its log, and a plain client.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::phone::TestPhone;
use crate::support::program::{BINARY, Program};

pub(crate) struct Office {
    program: Program,
    log: PathBuf,
    database: String,
    _folder: tempfile::TempDir,
}

impl Office {
    /// Serves with a supervisor and a collector, and logs as JSON.
    pub(crate) fn start(level: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("office.db").display());
        let collectors = ["chen.jie", "wu.min", "zhao.lei", "sun.yan", "he.tao"];
        let people = collectors.map(|name| (name, "collector"));
        for (name, role) in people.into_iter().chain([("lin.yue", "supervisor")]) {
            let mut add = Command::new(BINARY)
                .args(["user", "add", name, "--role", role, "--database", &database])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            add.stdin.take().unwrap().write_all(super::PASSWORD.as_bytes()).unwrap();
            assert!(add.wait().unwrap().success());
        }
        let log = folder.path().join("log");
        let mut command = Program::serve(&database);
        command.args(["--log-format", "json"]).env("DOORSTEP_LOG", level);
        let program = Program::start(command.stderr(File::create(&log).unwrap()));
        Self { program, log, database, _folder: folder }
    }

    /// Stops the program; gives its log.
    pub(crate) fn stop(&mut self) -> String {
        assert_eq!(self.program.stop(), Some(0));
        std::fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> (u16, String) {
        self.ask("GET", path, token, "text/plain", b"")
    }

    pub(crate) fn sign_in(&self, name: &str, password: &str, device: &str) -> (u16, String) {
        let body = serde_json::json!({ "name": name, "password": password, "device": device });
        self.ask("POST", "/api/session", None, "application/json", body.to_string().as_bytes())
    }

    pub(crate) fn token(&self, name: &str, password: &str, device: &str) -> String {
        if !device.is_empty() {
            let enrolled = Command::new(BINARY)
                .args(["device", "enrol", device, "--user", name, "--database", &self.database])
                .stdout(Stdio::null())
                .status();
            assert!(enrolled.unwrap().success());
        }
        let (status, answer) = self.sign_in(name, password, device);
        assert_eq!(status, 200, "{answer}");
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        answer["token"].as_str().unwrap().to_owned()
    }

    /// Rounds until the device has nothing more to ask.
    pub(crate) fn rounds(&self, device: &mut TestPhone, token: &str) {
        if device.sent.is_none() {
            device.workspace.sync_now(device.now);
            device.run();
        }
        loop {
            while let Some(sent) = device.sent.take() {
                let media = "application/cbor";
                let (status, reply) =
                    self.exchange("POST", "/sync", Some(token), media, &sent.body);
                assert_eq!(status, 200);
                device.workspace.replied(sent.round, &reply, device.now);
                device.run();
            }
            if !device.wake_if_due() {
                return;
            }
        }
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        media: &str,
        body: &[u8],
    ) -> (u16, String) {
        let (status, answer) = self.exchange(method, path, token, media, body);
        (status, String::from_utf8_lossy(&answer).into_owned())
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        media: &str,
        body: &[u8],
    ) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(self.program.address()).unwrap();
        let token = token.map(|token| format!("authorization: Bearer {token}\r\n"));
        let head = format!(
            "{method} {path} HTTP/1.0\r\nhost: x\r\n{}content-type: {media}\r\n\
             content-length: {}\r\n\r\n",
            token.unwrap_or_default(),
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&answer[..end]);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_off(end + 4))
    }
}
