//! The real binary: what it prints, what it leaves with, and how it stops.

mod database;
mod epoch;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::program::{BINARY, Program};

const PASSWORD: &str = "correct horse battery";

#[test]
fn cases_go_in_and_records_come_out() {
    let home = Home::new();
    for name in ["chen.jie", "wu.min", "zhao.lei", "sun.yan", "he.tao"] {
        let added = home.run(&["user", "add", name, "--role", "collector"], PASSWORD);
        assert_eq!(told(&added), (0, format!("{name} may sign in as collector")));
    }
    let report = home.json(&["import", "cases", "tests/data/cases.csv", "--json"]);
    assert_eq!((&report["created"], &report["refused"]), (&500.into(), &0.into()));
    let again = home.json(&["import", "cases", "tests/data/cases.csv", "--json"]);
    assert_eq!(again["unchanged"], 500);
    let chinese = home.json(&["import", "cases", "tests/data/cases_zh.csv", "--json"]);
    assert_eq!((&chinese["created"], &chinese["refused"]), (&60.into(), &8.into()));
    assert_eq!(chinese["rows"][2]["row"], 63);
    assert_eq!(chinese["rows"][2]["field"], "due_date");

    let verified = home.json(&["verify", "--json"]);
    assert_eq!((&verified["ok"], &verified["records"]), (&true.into(), &560.into()));

    for (format, file) in [("csv", "v.csv"), ("xlsx", "v.xlsx"), ("jsonl", "v.jsonl")] {
        let path = home.path(file);
        let path = path.to_str().unwrap();
        let done = home.run(&["export", "visits", "--format", format, "--out", path], "");
        assert_eq!(done.status.code(), Some(0), "{done:?}");
        assert!(std::fs::metadata(path).unwrap().len() > 10_000);
    }
    let lines = home.run(&["export", "visits", "--format", "jsonl", "--status", "assigned"], "");
    assert_eq!(String::from_utf8(lines.stdout).unwrap().lines().count(), 560);
    let folder = home.path("documents");
    let out = folder.to_str().unwrap();
    home.run(&["export", "visits", "--format", "automerge", "--out", out], "");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 560);
}

#[test]
fn errors_are_one_line_that_says_what_to_do() {
    let home = Home::new();
    home.run(&["user", "add", "lin.yue", "--role", "supervisor"], PASSWORD);
    std::fs::write(home.path("picture.csv"), b"\x89PNG\0\0").unwrap();
    let picture = home.path("picture.csv");
    let picture = picture.to_str().unwrap();
    let user = ["user", "add", "x", "--role"];
    for (args, code, hint) in [
        (vec!["import", "cases", picture], 1, "neither CSV nor XLSX"),
        (vec!["import", "cases", "nowhere.csv"], 1, "cannot read nowhere.csv"),
        (vec!["import", "cases"], 2, "<FILE>"),
        (vec!["import", "cases", picture, "--zone", "Mars/Base"], 2, "Asia/Shanghai"),
        (vec!["export", "visits", "--format", "pdf"], 2, "csv, xlsx, jsonl or automerge"),
        (vec!["export", "visits", "--format", "automerge"], 2, "--out DIR"),
        (vec!["export", "visits", "--format", "csv", "--since", "soon"], 2, "2026-11-03"),
        (vec!["export", "visits", "--format", "csv", "--status", "new"], 2, "on_site"),
        ([&user[..], &["boss"]].concat(), 2, "supervisor"),
        ([&user[..], &["admin"]].concat(), 1, "at least 10 characters"),
        (vec!["user", "disable", "unknown"], 1, "no user"),
        (vec!["device", "revoke", "xyz"], 2, "--reason"),
        (vec!["device", "revoke", "xyz", "--reason", "lost"], 2, "32 hex digits"),
        (vec!["device", "enrol", "xyz", "--user", "x"], 2, "32 hex digits"),
        (vec!["device", "enrol", &"0f".repeat(16), "--user", "unknown"], 1, "no user"),
        (vec!["user", "link", "unknown", "--subject", "7"], 2, "--issuer"),
        (vec!["user", "role", "unknown", "boss"], 2, "supervisor"),
        ([&["user", "add", "office", "--role"][..], &["admin"]].concat(), 1, "the office's own"),
        (vec!["user", "enable", "unknown"], 1, "no user"),
        (vec!["serve", "--tls-cert", "no.pem"], 2, "--tls-key"),
        (vec!["serve", "--tls-cert", "no.pem", "--tls-key", "no.pem"], 1, "cannot use no.pem"),
        (vec!["fly"], 2, "--help"),
    ] {
        let mut command = home.command(&args);
        let done = answer(command.env("DOORSTEP_LISTEN", "127.0.0.1:0"), "short");
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(code), "{args:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
        assert!(said.contains(hint), "{args:?}: {said}");
        assert!(done.stdout.is_empty(), "{args:?}");
    }
    let unknown = Command::new(BINARY)
        .args(["verify", "--database", "mysql://localhost/x"])
        .output()
        .unwrap();
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("use sqlite:PATH"));
    let other = Command::new(BINARY)
        .args(["backup", "x", "--database", "postgres://ann:s3cr3t@localhost/x"])
        .output()
        .unwrap();
    assert_eq!(other.status.code(), Some(1));
    let said = String::from_utf8(other.stderr).unwrap();
    assert!(said.contains("pg_dump") && !said.contains("s3cr3t"), "{said}");
}

#[test]
fn users_and_devices_are_listed_and_disabled() {
    let home = Home::new();
    home.run(
        &["user", "add", "lin.yue", "--role", "supervisor", "--display-name", "林悦"],
        PASSWORD,
    );
    let twice = home.run(&["user", "add", "Lin.Yue", "--role", "admin"], PASSWORD);
    assert_eq!(twice.status.code(), Some(1));
    let users = home.json(&["user", "list", "--json"]);
    assert_eq!(users["users"][0]["display_name"], "林悦");
    assert_eq!(home.json(&["device", "list", "--json"])["devices"], Value::Array(vec![]));
    let done = home.run(&["user", "disable", "lin.yue"], "");
    assert_eq!(told(&done), (0, "lin.yue may no longer sign in".to_owned()));
    assert_eq!(home.json(&["user", "list", "--json"])["users"][0]["disabled"], true);
    let link = ["user", "link", "lin.yue", "--issuer", "https://id.example", "--subject", "7"];
    assert_eq!(home.run(&link, "").status.code(), Some(0));
    assert_eq!(home.json(&["user", "list", "--json"])["users"][0]["linked"], true);
    let device = "0f".repeat(16);
    let done = home.run(&["device", "enrol", &device, "--user", "lin.yue"], "");
    assert_eq!(told(&done), (0, format!("{device} is a device of lin.yue")));
    assert_eq!(home.json(&["device", "list", "--json"])["devices"][0]["id"], device);
    let done = home.run(&["user", "enable", "lin.yue"], "");
    assert_eq!(told(&done), (0, "lin.yue may sign in again".to_owned()));
    let done = home.run(&["user", "role", "lin.yue", "admin"], "");
    assert_eq!(told(&done), (0, "lin.yue may sign in as admin".to_owned()));
    let last = home.run(&["user", "disable", "lin.yue"], "");
    assert_eq!(last.status.code(), Some(1));
    assert!(String::from_utf8(last.stderr).unwrap().contains("last administrator"));
    let done = home.run(&["user", "password", "lin.yue"], "another horse\n");
    assert_eq!(told(&done).0, 0);
    let done = home.run(&["user", "unlink", "lin.yue"], "");
    assert_eq!(told(&done).0, 0);
}

#[test]
fn a_demo_is_served_until_it_is_told_to_stop() {
    let home = Home::new();
    let mut serving = serve(&home, &["--demo"]);
    assert!(serving.url.starts_with("http://127.0.0.1:"), "{}", serving.url);
    let port = serving.port().to_owned();
    let answer = talk(&port, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let body = "{\"name\":\"lin.yue\",\"password\":\"doorstep-demo\"}";
    let sign_in = format!(
        "POST /api/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = talk(&port, &sign_in);
    assert!(answer.contains("\"role\":\"supervisor\""), "{answer}");
    assert!(!answer.contains("; Secure"), "a loopback listener has no TLS: {answer}");
    assert_eq!(serving.stop(), Some(0));
    let verified = home.json(&["verify", "--json"]);
    assert_eq!((&verified["ok"], &verified["records"]), (&true.into(), &60.into()));
}

#[test]
fn an_upload_resumes_after_a_kill() {
    let home = Home::new();
    home.run(&["user", "add", "chen.jie", "--role", "collector"], PASSWORD);
    let photo: Vec<u8> = (0..900).map(|n| (n * 7) as u8).collect();
    let sha256 = doorstep::ids::hex(&<sha2::Sha256 as sha2::Digest>::digest(&photo));
    let mut serving = serve(&home, &[]);
    let token = sign_in(&serving, "chen.jie");
    let put = |serving: &Program, range: &str, bytes: &[u8]| {
        let head = format!(
            "PUT /api/blobs/{sha256} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Authorization: Bearer {token}\r\nContent-Range: bytes {range}/900\r\n\
             Content-Length: {}\r\n\r\n",
            bytes.len()
        );
        let answer = talk_bytes(serving.port(), &[head.as_bytes(), bytes].concat());
        answer.rsplit("\r\n").next().unwrap().to_owned()
    };
    let taken = put(&serving, "0-399", &photo[..400]);
    assert_eq!(taken, r#"{"received":400,"complete":false}"#);
    serving.kill();

    let mut serving = serve(&home, &[]);
    assert_eq!(put(&serving, "*", &[]), r#"{"received":400,"complete":false}"#);
    let whole = put(&serving, "400-899", &photo[400..]);
    assert_eq!(whole, r#"{"received":900,"complete":true}"#);
    serving.kill();
    let file = home.path("office.db.blobs").join(&sha256[..2]).join(&sha256);
    assert_eq!(std::fs::read(file).unwrap(), photo);

    let serving = serve(&home, &[]);
    assert_eq!(put(&serving, "*", &[]), r#"{"received":900,"complete":true}"#);
}

#[test]
fn refused_work_is_exported_deleted_and_restored() {
    let home = Home::new();
    home.run(&["user", "add", "chen.jie", "--role", "collector"], PASSWORD);
    let file = home.path("quarantine.jsonl");
    let out = file.to_str().unwrap();
    let export = ["quarantine", "export", "--delete", "--json", "--out", out];
    let nothing = home.run(&export, "");
    assert_eq!(nothing.status.code(), Some(1));
    assert!(!file.exists());

    let mut serving = serve(&home, &[]);
    let token = sign_in(&serving, "chen.jie");
    let push = |noise: &[u8]| {
        use doorstep::sync::message::{Packed, Push, Request, encode_request};
        let record = doorstep::ids::RecordId([7; 16]);
        let push = vec![Push { record, changes: vec![Packed::plain(noise)] }];
        let body = encode_request(&Request { push, ..Request::default() });
        let head = format!(
            "POST /sync HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        talk_bytes(serving.port(), &[head.as_bytes(), &body].concat());
    };
    push(b"one");
    push(b"two");
    serving.stop();
    let all = ["quarantine", "dismiss-all", "--user", "chen.jie", "--reason", "a broken phone"];
    assert_eq!(told(&home.run(&all, "")), (0, "2 pieces of chen.jie dismissed".to_owned()));
    let done = home.json(&export);
    assert_eq!((&done["export"]["pieces"], &done["deleted"]["by"]), (&2.into(), &"office".into()));
    assert_eq!(home.json(&["verify", "--json"])["ok"], true);
    let usage = home.json(&["quarantine", "usage", "--json"]);
    assert_eq!(usage["exports"][0]["sha256"], done["export"]["sha256"]);
    assert_eq!(usage["decided"]["pieces"], 0);

    let restored = home.json(&["quarantine", "restore", out, "--json"]);
    assert_eq!(restored["restored"], 2);
    // An earlier export is never written over.
    assert_eq!(home.run(&export, "").status.code(), Some(1));
    assert_eq!(home.json(&["quarantine", "usage", "--json"])["decided"]["pieces"], 2);
    assert_eq!(home.json(&["verify", "--json"])["ok"], true);
}

fn sign_in(serving: &Program, name: &str) -> String {
    let body = format!("{{\"name\":\"{name}\",\"password\":\"{PASSWORD}\"}}");
    let request = format!(
        "POST /api/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = talk(serving.port(), &request);
    let told: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    told["token"].as_str().unwrap().to_owned()
}

/// A folder with a database, in which commands run.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        self.at_home(command.args(args));
        command
    }

    /// A command that works on this home's database.
    fn at_home<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let database = format!("sqlite:{}", self.path("office.db").display());
        command.env("DOORSTEP_DATABASE", database);
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        answer(&mut self.command(args), input)
    }

    fn json(&self, args: &[&str]) -> Value {
        let done = self.run(args, "");
        assert_eq!(done.status.code(), Some(0), "{args:?}: {done:?}");
        serde_json::from_slice(&done.stdout).unwrap()
    }
}

fn serve(home: &Home, flags: &[&str]) -> Program {
    let args = [&["serve", "--listen", "127.0.0.1:0"], flags].concat();
    Program::start(&mut home.command(&args))
}

fn answer(command: &mut Command, input: &str) -> Output {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // A command that asks for nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn told(output: &Output) -> (i32, String) {
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.code().unwrap_or(-1), text)
}

fn talk(port: &str, request: &str) -> String {
    talk_bytes(port, request.as_bytes())
}

fn talk_bytes(port: &str, request: &[u8]) -> String {
    let mut stream = std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
