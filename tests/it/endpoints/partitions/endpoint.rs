//! An endpoint of the partition test, with its way in and its way to the database. One of them is this
//! test program instead of the office's, so that its clock can move.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use doorstep::office::Office;
use doorstep::office::auth::{Accounts, Hasher};
use doorstep::office::http::{App, Assets, Traffic, TrafficConfig, router, serve};
use tokio::sync::watch;

use super::member::now;
use crate::support::program::Program;
use crate::support::proxy::{Mode, Proxy, Target};

/// The address of the database, for the endpoint whose clock moves.
const DATABASE: &str = "DOORSTEP_TEST_ENDPOINT";
/// The file that says how far its clock is ahead, ms.
const CLOCK: &str = "DOORSTEP_TEST_CLOCK";

pub(super) struct Endpoint {
    program: Program,
    /// Between phones and endpoint, and between endpoint and database.
    door: Proxy,
    database: Proxy,
    folder: PathBuf,
    /// The file of its clock, if that moves.
    clock: Option<PathBuf>,
}

impl Endpoint {
    /// The clock of number 0 moves.
    pub(super) async fn start(
        n: usize,
        database: &Target,
        folder: &Path,
        tampering: Option<(&'static [u8], &'static [u8])>,
    ) -> Self {
        let database = Proxy::tampering(database.clone(), tampering).await;
        let clock = (n == 0).then(|| folder.join("clock"));
        let program = start(&database, folder, clock.as_deref());
        let door = Proxy::start(Target::Tcp(program.address())).await;
        Self { program, door, database, folder: folder.to_owned(), clock }
    }

    /// Where phones reach it.
    pub(super) fn address(&self) -> SocketAddr {
        self.door.address
    }

    pub(super) fn set_door(&self, mode: Mode) {
        self.door.set(mode);
    }

    pub(super) fn set_database(&self, mode: Mode) {
        self.database.set(mode);
    }

    pub(super) fn tamper(&self, on: bool) {
        self.database.tamper(on);
    }

    pub(super) fn tampered(&self) -> usize {
        self.database.tampered()
    }

    /// Kills its process and starts another.
    pub(super) fn restart(&mut self) {
        self.program.kill();
        self.program = start(&self.database, &self.folder, self.clock.as_deref());
        self.door.lead_to(Target::Tcp(self.program.address()));
    }

    /// Stops its process for a while.
    pub(super) fn pause(&self, lasts: Duration) {
        self.program.signal("STOP");
        std::thread::sleep(lasts);
        self.program.signal("CONT");
    }

    /// Moves its clock, if that moves.
    pub(super) fn move_clock(&self, ahead_ms: i64) {
        if let Some(clock) = &self.clock {
            std::fs::write(clock, ahead_ms.to_string()).unwrap();
        }
    }
}

fn start(database: &Proxy, folder: &Path, clock: Option<&Path>) -> Program {
    let port = database.address.port();
    let address = format!("postgres://doorstep@127.0.0.1:{port}/office?sslmode=disable");
    let Some(clock) = clock else {
        let mut command = Program::serve(&address);
        command.arg("--blobs").arg(folder.join("blobs")).env("DOORSTEP_LOG", "off");
        return Program::start(&mut command);
    };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture"]);
    command.arg("endpoints::partitions::endpoint::an_endpoint_whose_clock_moves");
    command.env(DATABASE, address).env(CLOCK, clock);
    Program::start(&mut command)
}

/// No test: a process of the partition test.
#[test]
fn an_endpoint_whose_clock_moves() {
    let (Ok(address), Some(file)) = (std::env::var(DATABASE), std::env::var_os(CLOCK)) else {
        return;
    };
    let ahead = move || std::fs::read_to_string(&file).ok()?.parse::<i64>().ok();
    let clock = Arc::new(move || now() + ahead().unwrap_or(0));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let read = Arc::clone(&clock);
        let office = Office::open(&address, move || read()).unwrap();
        let accounts = Accounts::new(office.store().clone(), clock, Hasher::for_tests());
        let (closing, heard) = watch::channel(false);
        let traffic = Traffic::new(TrafficConfig::default());
        let app = App {
            office,
            accounts,
            assets: Assets::of(|_| None),
            zone: None,
            lender: Default::default(),
            secure: false,
            public: None,
            openid: None,
            traffic: traffic.clone(),
            closing: heard,
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        println!("\nlistening on http://{}", listener.local_addr().unwrap());
        serve(router(app), listener, None, traffic, closing, std::future::pending()).await.unwrap();
    });
}
