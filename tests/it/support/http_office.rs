//! An office behind its router, called without a network.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use doorstep::ids::RecordId;
use doorstep::office::auth::openid::OpenId;
use doorstep::office::auth::{Accounts, Hasher, NewUser, UserChange};
use doorstep::office::http::{App, Asset, Assets, Traffic, TrafficConfig, router};
use doorstep::office::web_push::PushServices;
use doorstep::office::{NewVisit, Office};
use doorstep::record::command::CasePatch;
use doorstep::record::terms::Role;
use http_body_util::BodyExt;
use tokio::sync::watch;
use tower::ServiceExt;

use super::api_schema;
use super::office::{TestOffice, to};

/// 2026-11-23 10:30 UTC, ms: half past six in the evening in Ningbo.
pub(crate) const NOW: i64 = 1_795_429_800_000;

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) const COLLECTORS: [&str; 5] = ["chen.jie", "wu.min", "zhao.lei", "sun.yan", "he.tao"];

pub(crate) const CASES: &[u8] = include_bytes!("../../data/cases.csv");
pub(crate) const CASES_ZH: &[u8] = include_bytes!("../../data/cases_zh.csv");

pub(crate) struct HttpOffice {
    pub(crate) office: TestOffice,
    pub(crate) accounts: Accounts,
    pub(crate) closing: watch::Sender<bool>,
    app: App,
    pub(crate) traffic: Traffic,
    pub(crate) router: Router,
    /// The device on which each user signs in again.
    devices: Mutex<BTreeMap<String, String>>,
}

/// A response with its whole body.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl HttpOffice {
    /// Adds an identity provider.
    pub(crate) fn reopen_with(&mut self, openid: OpenId) {
        self.app.openid = Some(Arc::new(openid));
        self.router = router(self.app.clone());
    }

    /// With users of every role.
    pub(crate) async fn open() -> Self {
        Self::behind(TrafficConfig::default()).await
    }

    /// The same with other traffic limits.
    pub(crate) async fn behind(setup: TrafficConfig) -> Self {
        let office = TestOffice::with_clock(NOW, 0);
        let clock = office.clock.clone();
        let read = Arc::new(move || clock.load(Ordering::Relaxed));
        let accounts = Accounts::new(office.store().clone(), read, Hasher::for_tests());
        let (closing, heard) = watch::channel(false);
        let traffic = Traffic::new(setup);
        let app = App {
            office: Office::clone(&office),
            accounts: accounts.clone(),
            assets: Assets::of(page),
            zone: None,
            lender: Default::default(),
            secure: false,
            public: None,
            openid: None,
            traffic: traffic.clone(),
            closing: heard,
        };
        let router = router(app.clone());
        let http =
            Self { office, accounts, closing, app, traffic, router, devices: Mutex::default() };
        for name in COLLECTORS {
            http.add_user(name, Role::Collector).await;
        }
        http.add_user("lin.yue", Role::Supervisor).await;
        http.add_user("gu.an", Role::Auditor).await;
        http.add_user("admin", Role::Admin).await;
        http
    }

    /// Asks for the approval of a second person by these rules.
    pub(crate) fn with_approvals(mut self, rules: &str) -> Self {
        self.app.office = self.app.office.clone().with_approvals(rules.parse().unwrap());
        self.router = router(self.app.clone());
        self
    }

    /// Draws a share of the sealed records for an audit, percent.
    pub(crate) fn with_audit_share(mut self, percent: u8) -> Self {
        self.app.office = self.app.office.clone().with_audit_share(percent);
        self.router = router(self.app.clone());
        self
    }

    /// The office behind the router, with its rules.
    pub(crate) fn behind_router(&self) -> &Office {
        &self.app.office
    }

    /// Serves the pages that were built.
    pub(crate) fn with_built_pages(mut self) -> Self {
        self.app.assets = Assets::built_in();
        self.router = router(self.app.clone());
        self
    }

    /// Sends notices to other push services; gives the office that does so.
    pub(crate) fn with_push_services(&mut self, services: PushServices) -> Office {
        self.app.office = self.app.office.clone().with_push_services(services);
        self.router = router(self.app.clone());
        self.app.office.clone()
    }

    pub(crate) async fn add_user(&self, name: &str, role: Role) {
        let (name, password) = (name.to_owned(), Some(PASSWORD.to_owned()));
        let new = NewUser { name, display_name: String::new(), role, password };
        self.accounts.add_user(new).await.unwrap();
    }

    /// Changes a user as an administrator does.
    pub(crate) async fn change(&self, name: &str, change: UserChange) {
        self.accounts.change_user(name, change).await.unwrap();
    }

    pub(crate) async fn disable(&self, name: &str) {
        self.change(name, UserChange { disabled: Some(true), ..UserChange::default() }).await;
    }

    /// Creates a record.
    pub(crate) async fn visit(&self, case_no: &str, collectors: &[&str]) -> RecordId {
        let visit = NewVisit {
            case_no: case_no.to_owned(),
            case: CasePatch {
                borrower_name: Some("王芳".to_owned()),
                overdue: Some(1_578_307),
                currency: Some("CNY".to_owned()),
                due_date: Some("2026-11-03".to_owned()),
                zone: Some("Asia/Shanghai".to_owned()),
                ..CasePatch::default()
            },
            assignment: to(collectors),
        };
        self.office.create(visit).await
    }

    /// A bearer token from a new sign-in.
    pub(crate) async fn token(&self, name: &str) -> String {
        let body = format!("{{\"name\":\"{name}\",\"password\":\"{PASSWORD}\"}}");
        let answer = self.post_json("/api/session", None, &body).await;
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// A new token on the user's earlier device: enrolments per day are limited.
    pub(crate) async fn token_again(&self, name: &str) -> String {
        let device = self.devices.lock().unwrap().get(name).cloned();
        let body = serde_json::json!({ "name": name, "password": PASSWORD, "device": device });
        let answer = self.post_json("/api/session", None, &body.to_string()).await.json();
        let device = answer["device"].as_str().unwrap().to_owned();
        self.devices.lock().unwrap().insert(name.to_owned(), device);
        answer["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.ask(ask("GET", path, token).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: Vec<u8>) -> Answer {
        self.ask(ask("POST", path, token).body(Body::from(body)).unwrap()).await
    }

    pub(crate) async fn post_json(&self, path: &str, token: Option<&str>, body: &str) -> Answer {
        let request = ask("POST", path, token).header(header::CONTENT_TYPE, "application/json");
        self.ask(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.begin(request).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        let is_json =
            head.headers.get(header::CONTENT_TYPE).is_some_and(|t| t == "application/json");
        if head.status.is_success()
            && is_json
            && !head.headers.contains_key(header::CONTENT_ENCODING)
        {
            api_schema::check(&method, &path, &body);
        }
        Answer { status: head.status, headers: head.headers, body }
    }

    /// For responses whose body may never end.
    pub(crate) async fn begin(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Paths of all routes, parsed from the router's debug output.
    pub(crate) fn mounted(&self) -> BTreeSet<String> {
        let said = format!("{:?}", self.router);
        // The fallback is not a route.
        let routes = said.split("fallback_router").next().unwrap_or_default();
        let quoted = routes.split('"').skip(1).step_by(2);
        quoted.filter(|path| path.starts_with('/')).map(str::to_owned).collect()
    }
}

pub(crate) fn ask(method: &str, path: &str, token: Option<&str>) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    match token {
        Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    }
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and body, for snapshots.
    pub(crate) fn told(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.text())
    }

    /// Status and error code.
    pub(crate) fn code(&self) -> (u16, String) {
        let code = if self.status.is_success() {
            String::new()
        } else {
            self.json()["code"].as_str().unwrap_or_default().to_owned()
        };
        (self.status.as_u16(), code)
    }
}

/// Pages of a build that never was.
fn page(name: &str) -> Option<Asset> {
    let bytes: &'static [u8] = match name {
        "index.html" => b"<title>field</title>",
        "office/index.html" => b"<title>console</title>",
        "sw.js" => b"self.skipWaiting",
        "manifest.webmanifest" => b"{}",
        "assets/field-1a2b3c.js" => b"plain script",
        "assets/field-1a2b3c.js.br" => b"brotli script",
        "assets/core-4d5e6f.wasm" => b"\0asm",
        // Long enough for the office to compress an answer of its own.
        "assets/words-2b3c4d.js" => &[b' '; 4096],
        // More than a socket buffers.
        "assets/large-7a8b9c.bin" => &[7; 64 * 1024 * 1024],
        _ => return None,
    };
    let mut hash = [0; 32];
    hash[0] = u8::try_from(name.len()).unwrap();
    Some(Asset { bytes: bytes.into(), hash })
}
