//! The program as an endpoint, and the database server beside it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};

use crate::postgres::Cluster;

/// A process of the program, serving; it ends with this value.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Served {
    /// With PostgreSQL, endpoints share a folder of attachments.
    pub(crate) fn start(database: &str, blobs: Option<&Path>) -> Self {
        let program = std::env::var("DOORSTEP_BINARY");
        let mut command =
            Process::new(program.unwrap_or(env!("CARGO_BIN_EXE_doorstep").to_owned()));
        command.args(["serve", "--listen", "127.0.0.1:0", "--database", database]);
        if let Some(blobs) = blobs {
            command.arg("--blobs").arg(blobs);
        }
        let mut child = command
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

    /// A figure of its memory such as "VmRSS:", KiB.
    fn memory_kib(&self, figure: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap_or_default();
        line.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or_default()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All that serves an office.
pub(crate) struct Site<'c> {
    pub(crate) endpoints: Vec<Served>,
    /// `None` with SQLite.
    pub(crate) cluster: Option<&'c Cluster>,
}

impl Site<'_> {
    /// The address of an endpoint for a phone, by its number.
    pub(crate) fn address(&self, phone: usize) -> SocketAddr {
        self.endpoints[phone % self.endpoints.len()].address
    }

    /// CPU time of all endpoints so far, and of the database server, ms.
    pub(crate) fn cpu_ms(&self) -> (f64, f64) {
        let endpoints = self.endpoints.iter().map(Served::cpu_ms).sum();
        (endpoints, self.cluster.map_or(0.0, Cluster::cpu_ms))
    }

    /// A figure of the memory of all endpoints, MiB.
    pub(crate) fn memory_mib(&self, figure: &str) -> u64 {
        self.endpoints.iter().map(|served| served.memory_kib(figure)).sum::<u64>() / 1024
    }
}
