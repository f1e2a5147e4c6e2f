//! The real program as a child process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_doorstep");

/// A program that serves; killed where a test fails before it stops it.
pub(crate) struct Program {
    child: Child,
    /// As the program prints it, such as "http://127.0.0.1:8787".
    pub(crate) url: String,
    // Kept open: the program would fail to print into a closed pipe.
    _output: BufReader<ChildStdout>,
}

impl Program {
    /// Starts `doorstep serve` and waits until it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let url = loop {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "it ended without serving");
            if let Some(url) = line.trim().strip_prefix("listening on ") {
                break url.to_owned();
            }
        };
        Self { child, url, _output: output }
    }

    /// The command that serves on a port of the system's choice.
    pub(crate) fn serve(database: &str) -> Command {
        let mut command = Command::new(BINARY);
        command.args(["serve", "--listen", "127.0.0.1:0", "--database", database]);
        command
    }

    /// Host and port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.url.split("://").nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn port(&self) -> &str {
        self.url.rsplit(':').next().unwrap()
    }

    /// A figure of `/proc/PID/status` such as "VmHWM", the peak of its memory, in MiB.
    pub(crate) fn memory_mib(&self, figure: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
        let kib = line.split_whitespace().find_map(|word| word.parse::<u64>().ok());
        kib.unwrap() / 1024
    }

    /// SIGKILL: no handler runs and nothing is flushed.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal, such as "STOP".
    #[allow(dead_code, reason = "for tests of several endpoints")]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(format!("-{name}")).arg(id).status().unwrap().success());
    }

    /// Asks it to stop; returns its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
