//! The audit log: every change by the console is in it, in the transaction of the change.

use axum::body::Body;
use axum::http::{Method, header};
use doorstep::ids::RecordId;
use doorstep::office::http::{Access, ROUTES, Route};
use doorstep::office::imports::ImportSettings;
use doorstep::record::command::{CasePatch, Command};
use doorstep::record::terms::Role;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::http_office::{Answer, CASES, HttpOffice, PASSWORD, ask};
use crate::support::sync_client::SyncClient;

const WATCH: &str = "01990000-0000-7000-8000-00000000000a";
const IMPORT: &str = "01990000-0000-7000-8000-00000000000d";
const CHECKED_IMPORT: &str = "01990000-0000-7000-8000-00000000000e";
const IDLE_IMPORT: &str = "01990000-0000-7000-8000-00000000000f";
const VIEW: &str = "01990000-0000-7000-8000-000000000010";
const BLOB: &[u8] = b"a picture";

/// Something to change on every route.
struct Fixture {
    http: HttpOffice,
    record: String,
    /// A sealed record that is drawn for an audit.
    sealed: String,
    device: String,
    /// A device that stays.
    other_device: String,
    auditor: String,
    /// The last line of an export.
    exported: Value,
    /// Id of a token for reports.
    report_token: String,
}

impl Fixture {
    async fn new() -> Self {
        let http = HttpOffice::open().await.with_approvals("hold").with_audit_share(100);
        let id = http.visit("NB1", &["chen.jie"]).await;
        let lin = http.token("lin.yue").await;
        for (n, flag) in ["dispute", "vulnerable", "attorney"].into_iter().enumerate() {
            let hold = json!({ "do": "raise_hold", "flag": flag, "since": 1, "note": "" });
            let command: Command = serde_json::from_value(hold).unwrap();
            http.office.command(id, command, "lin.yue", Role::Supervisor).await.unwrap();
            if n < 2 {
                let body = lift(&id.to_string(), n, flag);
                let made = send(&http, "POST", "/api/proposals", &lin, body).await;
                assert_eq!(made.status, 201, "{}", made.told());
            }
        }
        let sealed = http.visit("NB2", &["chen.jie"]).await;
        for command in
            [json!({ "do": "edit_talk", "disposition": "rtp" }), json!({ "do": "seal", "at": 5 })]
        {
            let command: Command = serde_json::from_value(command).unwrap();
            let office = http.behind_router();
            office.command(sealed, command, "chen.jie", Role::Collector).await.unwrap();
        }
        let phone = http.token("chen.jie").await;
        let session = http.get("/api/session", Some(&phone)).await.json();
        let device = session["device"].as_str().unwrap().to_owned();
        let other = http.token("sun.yan").await;
        let session = http.get("/api/session", Some(&other)).await.json();
        let other_device = session["device"].as_str().unwrap().to_owned();
        let watch = json!({ "record": id.to_string(), "revision": 1, "due_in_ms": 1 });
        send(&http, "PUT", &format!("/api/safety/{WATCH}"), &phone, watch.to_string()).await;
        // Work that can be accepted, and work to dismiss and to export.
        for device in [9, 10, 11] {
            let mut client = SyncClient::new("chen.jie", device);
            client.sync(&http.office).await;
            let overdue = Some(i64::from(device));
            let patch = CasePatch { overdue, ..CasePatch::default() };
            client.force(id, Command::UpdateCase(Box::new(patch)));
            client.sync(&http.office).await;
        }
        http.office.dismiss_quarantined(3, "twice", "lin.yue").await.unwrap();
        let admin = http.token("admin").await;
        let lines = http.get("/api/quarantine/export", Some(&admin)).await.text();
        let exported = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        let auditor = http.token("gu.an").await;
        check_import(&http).await;
        let (token, _) = http.accounts.add_report_token("admin", "Excel").await.unwrap();
        let report_token = hex(&token.id);
        let (record, sealed) = (id.to_string(), sealed.to_string());
        Self { http, record, sealed, device, other_device, auditor, exported, report_token }
    }

    /// A request that changes something: path and body.
    fn request(&self, route: &Route) -> (String, Vec<u8>) {
        let name = format!("{} {}", route.method, route.path);
        let (id, body) = match name.as_str() {
            "DELETE /api/session" => ("", String::new()),
            "POST /api/visits/{id}/commands" => {
                (self.record.as_str(), json!({ "do": "update_case", "overdue": 7 }).to_string())
            }
            "POST /api/cases/import" => {
                return (route.path.to_owned(), CASES.to_vec());
            }
            "POST /api/proposals" => ("", lift(&self.record, 2, "attorney")),
            "POST /api/proposals/{number}/approve" => ("1", "{}".to_owned()),
            "POST /api/proposals/{number}/refuse" => {
                ("2", json!({ "reason": "not right" }).to_string())
            }
            "POST /api/proposals/{number}/withdraw" => ("3", String::new()),
            "PUT /api/imports/{id}" => {
                return (format!("/api/imports/{IMPORT}"), b"case_no\nNB1\n".to_vec());
            }
            "POST /api/imports/{id}/check" => {
                (IMPORT, json!({ "columns": ["case_no"] }).to_string())
            }
            "POST /api/imports/{id}/run" => (CHECKED_IMPORT, String::new()),
            "DELETE /api/imports/{id}" => (IDLE_IMPORT, String::new()),
            "PUT /api/views/{id}" => {
                let view = json!({ "name": "said 阳娜", "search": "", "shared": true });
                (VIEW, view.to_string())
            }
            "DELETE /api/views/{id}" => (VIEW, String::new()),
            "POST /api/report-tokens" => ("", json!({ "name": "Excel" }).to_string()),
            "DELETE /api/report-tokens/{id}" => (self.report_token.as_str(), String::new()),
            "POST /api/assignments" => {
                let row = json!({ "record": self.record, "set": { "priority": 1 },
                                  "seen": { "priority": 2 } });
                ("", json!({ "rows": [row] }).to_string())
            }
            "POST /api/bulk" => {
                let action = json!({ "do": "place_hold", "flag": "bankruptcy", "since": 1,
                                     "note": "said by 阳娜" });
                let row = json!({ "record": self.record, "seen_at": 0 });
                ("", json!({ "action": action, "rows": [row] }).to_string())
            }
            "POST /api/visits/{id}/audit" => {
                let outcome = json!({ "sealed_at": 5, "outcome": "passed", "note": "阳娜" });
                return (format!("/api/visits/{}/audit", self.sealed), outcome.to_string().into());
            }
            "POST /api/complaints" => {
                let complaint = json!({
                    "id": "01990000-0000-7000-8000-00000000000b", "case_no": "NB1",
                    "source": "phone", "topic": "conduct", "text": "said by 阳娜",
                    "received_at": self.http.office.now() - 1,
                });
                ("", complaint.to_string())
            }
            "POST /api/complaints/{number}/steps" => {
                let step = json!({ "id": "01990000-0000-7000-8000-00000000000c",
                                   "step": "replied", "text": "told 阳娜" });
                ("1", step.to_string())
            }
            "POST /api/safety/{id}/seen" => (WATCH, String::new()),
            "POST /api/users" => {
                let user = json!({ "name": "new.user", "role": "collector", "password": PASSWORD });
                ("", user.to_string())
            }
            "PATCH /api/users/{name}" => ("wu.min", json!({ "password": PASSWORD }).to_string()),
            "POST /api/devices/{id}/revoke" => {
                (self.device.as_str(), json!({ "reason": "lost by 阳娜" }).to_string())
            }
            "POST /api/devices/{id}/support" => {
                let id = "01990000-0000-7000-8000-000000000011";
                (self.other_device.as_str(), json!({ "id": id }).to_string())
            }
            "POST /api/quarantine/export/delete" => ("", self.exported.to_string()),
            "POST /api/quarantine/{number}/accept" => {
                ("1", json!({ "reason": "right" }).to_string())
            }
            "POST /api/quarantine/{number}/dismiss" => ("2", json!({ "reason": "no" }).to_string()),
            "PUT /api/blobs/{sha256}" => {
                let name = hex(&Sha256::digest(BLOB));
                return (format!("/api/blobs/{name}"), BLOB.to_vec());
            }
            other => panic!("add a request that changes something on {other}"),
        };
        let mut segments: Vec<_> = route.path.split('/').map(str::to_owned).collect();
        for segment in segments.iter_mut().filter(|segment| segment.starts_with('{')) {
            id.clone_into(segment);
        }
        (segments.join("/"), body.into_bytes())
    }

    async fn log(&self, query: &str) -> Vec<Value> {
        let page = self.http.get(&format!("/api/audit?{query}"), Some(&self.auditor)).await;
        page.json()["rows"].as_array().unwrap().clone()
    }
}

fn lift(record: &str, n: usize, flag: &str) -> String {
    let id = format!("01990000-0000-7000-8000-0000000000e{n}");
    let command = json!({ "do": "lift_hold", "flag": flag });
    let action = json!({ "change": "command", "record": record, "command": command });
    json!({ "id": id, "action": action, "reason": "settled by 阳娜" }).to_string()
}

/// An import that is ready to run, and changes nothing when it does, and one to delete.
async fn check_import(http: &HttpOffice) {
    let by = ("admin", Role::Admin);
    let [idle, id] = [IDLE_IMPORT, CHECKED_IMPORT].map(|id| id.parse::<RecordId>().unwrap().0);
    for id in [idle, id] {
        http.office.add_import(id, b"case_no\n".to_vec(), "", by).await.unwrap().unwrap();
    }
    let columns = vec!["case_no".to_owned()];
    let settings = ImportSettings { columns, ..ImportSettings::default() };
    http.office.check_import(id, settings, "admin").await.unwrap().unwrap();
    http.office.run_imports().await;
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn send(
    http: &HttpOffice,
    method: &str,
    path: &str,
    token: &str,
    body: impl Into<Body>,
) -> Answer {
    let media = match path {
        path if path.starts_with("/api/blobs") => "image/jpeg",
        path if path.starts_with("/api/cases") => "application/octet-stream",
        _ => "application/json",
    };
    let size = BLOB.len();
    let request = ask(method, path, Some(token))
        .header(header::CONTENT_TYPE, media)
        .header(header::CONTENT_RANGE, format!("bytes 0-{}/{size}", size - 1))
        .header("x-filename", "cases.csv");
    http.ask(request.body(body.into()).unwrap()).await
}

/// The routes by which users of the console change something.
fn changing() -> impl Iterator<Item = &'static Route> {
    let of_console = |route: &&Route| match route.access {
        Access::Roles(roles) => roles.contains(&Role::Admin),
        Access::Anyone | Access::Operator | Access::Reports => false,
    };
    ROUTES.iter().filter(|route| route.method != Method::GET).filter(of_console)
}

#[tokio::test]
async fn every_route_that_changes_something_writes_an_entry_with_its_change() {
    let fixture = Fixture::new().await;
    let http = &fixture.http;
    assert!(changing().count() >= 18);
    let mut token = http.token_again("admin").await;
    for route in changing() {
        let session = http.get("/api/session", Some(&token)).await.json();
        let before = fixture.log("limit=200").await.len();
        let (path, body) = fixture.request(route);
        let answer = send(http, route.method.as_str(), &path, &token, body).await;
        let name = format!("{} {}", route.method, route.path);
        assert!(answer.status.is_success(), "{name}: {}", answer.told());
        let log = fixture.log("limit=200").await;
        assert!(log.len() > before, "{name} changed something without an entry");
        let entry = &log[0];
        assert_eq!(entry["action"], name);
        assert_eq!((&entry["user"], &entry["role"]), (&json!("admin"), &json!("admin")), "{name}");
        assert_eq!(entry["session"], session["device"], "{name}");
        let subject = entry["subject"].as_str().unwrap();
        if route.path.contains('{') {
            assert!(!subject.is_empty() && path.contains(subject), "{name}: {entry}");
        }
        if route.method == Method::DELETE {
            token = http.token_again("admin").await;
        }
    }
    let all = fixture.log("limit=200").await;
    let text = serde_json::to_string(&all).unwrap();
    for secret in [PASSWORD, "阳娜", "right"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(
        text.contains("update_case") && text.contains("\"new.user\"") && text.contains("password")
    );
    let verified = http.office.verify().await.unwrap();
    assert!(verified.ok, "{:?}", verified.problems);
    assert_eq!(verified.audited, all.len() as u64);
}

#[tokio::test]
async fn what_is_refused_and_what_phones_do_is_not_in_the_log() {
    let fixture = Fixture::new().await;
    let http = &fixture.http;
    let supervisor = http.token("lin.yue").await;
    let command = format!("/api/visits/{}/commands", fixture.record);
    let wrong = json!({ "do": "assign", "collectors": ["nobody"] }).to_string();
    assert_eq!(http.post_json(&command, Some(&supervisor), &wrong).await.status, 422);
    assert_eq!(http.post_json("/api/users", Some(&supervisor), "{}").await.status, 403);
    // Beside the two proposals of the fixture.
    assert_eq!(fixture.log("").await.len(), 2, "the phone's rounds are not the console's");
}

#[tokio::test]
async fn the_log_is_searched_exported_and_not_for_supervisors() {
    let fixture = Fixture::new().await;
    let http = &fixture.http;
    let (admin, supervisor) = (http.token_again("admin").await, http.token_again("lin.yue").await);
    for n in 0..5 {
        let body = json!({ "do": "update_case", "overdue": n + 1 }).to_string();
        let path = format!("/api/visits/{}/commands", fixture.record);
        assert_eq!(http.post_json(&path, Some(&supervisor), &body).await.status, 200);
    }
    let path = "/api/users/he.tao";
    let body = json!({ "disabled": true }).to_string();
    assert_eq!(send(http, "PATCH", path, &admin, body).await.status, 200);

    assert_eq!(fixture.log("user=lin.yue").await.len(), 7);
    assert_eq!(fixture.log(&format!("subject={}", fixture.record)).await.len(), 7);
    let disabled = fixture.log("action=PATCH%20/api/users/{name}").await;
    assert_eq!((disabled.len(), &disabled[0]["detail"]), (1, &json!("disabled true")));
    assert_eq!(fixture.log("from=2026-11-23&to=2026-11-23").await.len(), 8);
    assert!(fixture.log("from=2026-11-24&to=2026-11-30").await.is_empty());
    let last = fixture.log("limit=4").await.pop().unwrap();
    assert_eq!(fixture.log(&format!("after={}", last["seq"])).await.len(), 4);

    let lines = http.get("/api/audit/export", Some(&fixture.auditor)).await.text();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 8);
    for pair in lines.windows(2) {
        assert_eq!(pair[0]["hash"], pair[1]["previous"]);
    }
    for path in ["/api/audit", "/api/audit/export"] {
        assert_eq!(http.get(path, Some(&supervisor)).await.status, 403);
    }
}

#[tokio::test]
async fn a_log_that_was_changed_does_not_verify() {
    let http = HttpOffice::open().await;
    let id = http.visit("NB1", &[]).await;
    let supervisor = http.token("lin.yue").await;
    for n in 0..3 {
        let body = json!({ "do": "update_case", "overdue": n + 1 }).to_string();
        http.post_json(&format!("/api/visits/{id}/commands"), Some(&supervisor), &body).await;
    }
    let database = rusqlite::Connection::open(http.office.database()).unwrap();
    // From the last entry to the first: each change breaks the chain earlier than the one before.
    let changes = [
        ("UPDATE audit SET detail = 'nothing' WHERE seq = 3", 3),
        ("UPDATE audit SET user = 'wu.min' WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 1", 1),
    ];
    for (change, _) in changes {
        let refused = database.execute_batch(change).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    database
        .execute_batch("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_deleted;")
        .unwrap();
    for (change, entry) in changes {
        database.execute_batch(change).unwrap();
        let found = http.office.verify().await.unwrap().problems;
        let expected = format!("the chain of the audit log is broken at entry {entry}");
        assert!(found.iter().any(|one| one.what == expected), "{found:?}");
    }
}
