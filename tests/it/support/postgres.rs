//! PostgreSQL for tests: temporary clusters, and a database for each test.
//!
//! One cluster is shared by all test processes of a user, since nextest runs each test in its own.
//! The first process that needs it starts it; a watchdog stops and deletes it when it has been unused for some
//! seconds.

use std::fs::{File, create_dir_all};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

const NOT_INSTALLED: &str =
    "PostgreSQL is not installed, and its tests need it: run `.ci/setup tests`";

/// Stops a cluster that no process has used for fifteen seconds. Processes that use it share a lock.
const WATCHDOG: &str = r#"
free=0
while [ $free -lt 3 ]; do
    sleep 5
    if flock -n -x "$1/users" true; then free=$((free + 1)); else free=0; fi
done
exec flock -x "$1/users" sh -c '"$2/pg_ctl" -D "$1/data" -m immediate stop; rm -rf "$1/data"' \
    stop "$1" "$2"
"#;

/// A database of its own on the shared cluster, dropped at the end.
pub(crate) struct Database {
    cluster: &'static Cluster,
    name: String,
    address: String,
}

impl Database {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let cluster = Cluster::shared();
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{next}", std::process::id());
        let address = cluster.create(&name);
        Self { cluster, name, address }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A database that stays is deleted with its cluster.
        let _ = self.cluster.client("dropdb").arg("--force").arg(&self.name).status();
    }
}

/// A running server, reached by a socket in its folder.
pub(crate) struct Cluster {
    folder: PathBuf,
    bin: PathBuf,
    /// Further options of the server.
    options: String,
    /// Where it listens, beside its socket.
    port: Option<u16>,
    /// Locked while the shared cluster is in use.
    _users: Option<File>,
}

impl Cluster {
    /// The cluster of this user's test processes.
    fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| {
            let bin = binaries();
            let uid = rustix::process::getuid().as_raw();
            let folder = std::env::temp_dir().join(format!("doorstep-postgres-{uid}"));
            prepare(&folder);
            let users = File::create(folder.join("users")).unwrap();
            // Waits while the watchdog stops the cluster.
            users.lock_shared().unwrap();
            let start = File::create(folder.join("start")).unwrap();
            start.lock().unwrap();
            let options = String::new();
            let cluster = Self { folder, bin, options, port: None, _users: Some(users) };
            if !cluster.answers() {
                cluster.start();
                cluster.watch();
            }
            cluster
        })
    }

    /// A cluster of this test alone, for example to kill.
    pub(crate) fn private(folder: &Path) -> Self {
        let cluster = Self::at(folder);
        cluster.start();
        cluster
    }

    /// One that encrypts connections to 127.0.0.1, with a certificate and its key in PEM.
    pub(crate) fn with_tls(folder: &Path, certificate: &str, key: &str) -> Self {
        let mut cluster = Self::at(folder);
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            chown(&path, Some(std::fs::metadata(folder).unwrap().uid()), None).unwrap();
            path.display().to_string()
        };
        let (certificate, key) = (file("cert.pem", certificate), file("key.pem", key));
        // Free a moment ago.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        cluster.port = Some(free.port());
        cluster.options = format!(
            " -c listen_addresses=127.0.0.1 -c port={} -c ssl=on -c ssl_cert_file={certificate} \
             -c ssl_key_file={key}",
            free.port()
        );
        cluster.start();
        cluster
    }

    /// One that writes durably, for measurements.
    #[allow(dead_code, reason = "for the benchmarks")]
    pub(crate) fn durable(folder: &Path) -> Self {
        let mut cluster = Self::at(folder);
        cluster.options = " -c fsync=on -c full_page_writes=on -c shared_buffers=256MB".to_owned();
        cluster.start();
        cluster
    }

    fn at(folder: &Path) -> Self {
        prepare(folder);
        let options = String::new();
        Self { folder: folder.to_owned(), bin: binaries(), options, port: None, _users: None }
    }

    /// The port beside the socket.
    pub(crate) fn port(&self) -> u16 {
        self.port.expect("a port")
    }

    /// Creates a database; gives its address.
    pub(crate) fn create(&self, name: &str) -> String {
        run(self.client("createdb").arg(name));
        let host = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://doorstep@{host}/{name}")
    }

    /// Starts the server, which must not run.
    pub(crate) fn start(&self) {
        let data = self.folder.join("data");
        if !data.join("PG_VERSION").exists() {
            let _ = std::fs::remove_dir_all(&data);
            run(self.server("initdb").args(["--no-sync", "--auth=trust", "--username=doorstep"]));
        }
        // A test loses nothing to a power cut.
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c fsync=off \
             -c full_page_writes=off -c shared_buffers=32MB -c max_connections=400{}",
            self.folder.display(),
            self.options
        );
        let start = || {
            // The server did not remove it if it was killed.
            let _ = std::fs::remove_file(data.join("postmaster.pid"));
            let mut command = self.server("pg_ctl");
            command.args(["--wait", "--silent", "--options", &options]);
            command.arg("--log").arg(self.folder.join("log")).arg("start");
            command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        // Processes of a server that was killed may still be ending.
        let started = (0..100).any(|_| {
            let started = start();
            if !started {
                std::thread::sleep(Duration::from_millis(100));
            }
            started
        });
        assert!(
            started,
            "{}",
            std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
        );
    }

    /// Kills the server; its processes end soon after.
    pub(crate) fn kill(&self) {
        kill_process(self.pid(), Signal::KILL).unwrap();
    }

    /// Kills the process of one connection, after which the server ends all and recovers.
    pub(crate) fn kill_connection(&self, rng: &mut fastrand::Rng) {
        let children = children(self.pid());
        let of_connections: Vec<Pid> = children
            .into_iter()
            .filter(|(_, title)| title.contains("doorstep"))
            .map(|(pid, _)| pid)
            .collect();
        if !of_connections.is_empty() {
            // It may have ended.
            let _ = kill_process(of_connections[rng.usize(..of_connections.len())], Signal::KILL);
        }
    }

    /// Stops all its processes for a while.
    pub(crate) fn pause(&self, lasts: Duration) {
        let server = self.pid();
        // First the one that starts others.
        kill_process(server, Signal::STOP).unwrap();
        let children = children(server);
        let signal_all = |signal| {
            for (pid, _) in &children {
                let _ = kill_process(*pid, signal);
            }
        };
        signal_all(Signal::STOP);
        std::thread::sleep(lasts);
        signal_all(Signal::CONT);
        kill_process(server, Signal::CONT).unwrap();
    }

    /// Waits until the server answers, at most half a minute.
    pub(crate) fn wait_until_it_answers(&self) {
        let answered = (0..300).any(|_| {
            let answers = self.answers();
            if !answers {
                std::thread::sleep(Duration::from_millis(100));
            }
            answers
        });
        assert!(answered, "the server does not recover");
    }

    /// CPU time of all its processes so far, ms.
    #[allow(dead_code, reason = "for the benchmarks")]
    pub(crate) fn cpu_ms(&self) -> f64 {
        let server = self.pid();
        let own = std::iter::once(server).chain(children(server).into_iter().map(|(pid, _)| pid));
        own.map(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            let stat = stat.unwrap_or_default();
            let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
            // User and system time, also of processes that have ended, in hundredths of a second.
            fields.skip(11).take(4).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>()
                * 10.0
        })
        .sum()
    }

    /// Its first process.
    fn pid(&self) -> Pid {
        let pid = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        Pid::from_raw(pid.lines().next().unwrap().parse().unwrap()).unwrap()
    }

    fn answers(&self) -> bool {
        self.client("pg_isready").status().is_ok_and(|status| status.success())
    }

    #[allow(clippy::zombie_processes, reason = "the watchdog outlives this process")]
    fn watch(&self) {
        Command::new("setsid")
            .args(as_owner())
            .args(["sh", "-c", WATCHDOG, "watchdog"])
            .arg(&self.folder)
            .arg(&self.bin)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
    }

    /// A command of the server, which refuses to run as root.
    fn server(&self, name: &str) -> Command {
        let mut command = Command::new("env");
        command
            .args(as_owner())
            .arg(self.bin.join(name))
            .arg("--pgdata")
            .arg(self.folder.join("data"))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    fn client(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.args(["--username", "doorstep", "--host"]).arg(&self.folder);
        command.env("PGDATABASE", "postgres").stdout(Stdio::null());
        if let Some(port) = self.port {
            command.env("PGPORT", port.to_string());
        }
        command
    }
}

impl Drop for Cluster {
    /// Stops a private cluster; the shared one is never dropped.
    fn drop(&mut self) {
        let _ = self.server("pg_ctl").args(["--silent", "--mode", "immediate", "stop"]).status();
    }
}

/// The children of a process, with their titles.
fn children(parent: Pid) -> Vec<(Pid, String)> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: i32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let of: i32 = stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()?;
        let title = std::fs::read(format!("/proc/{id}/cmdline")).ok()?;
        (Some(parent) == Pid::from_raw(of))
            .then(|| Some((Pid::from_raw(id)?, String::from_utf8_lossy(&title).into_owned())))?
    })
    .collect()
}

/// Words before a command that run it as the owner of the cluster: Debian's package creates one.
fn as_owner() -> &'static [&'static str] {
    if rustix::process::getuid().is_root() {
        &["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    } else {
        &[]
    }
}

/// Creates a cluster's folder.
fn prepare(folder: &Path) {
    create_dir_all(folder).unwrap();
    let metadata = std::fs::metadata(folder).unwrap();
    let mine = rustix::process::getuid().as_raw();
    if rustix::process::getuid().is_root() {
        let owner = std::fs::read_to_string("/etc/passwd").unwrap();
        let owner = owner.lines().find_map(|line| line.strip_prefix("postgres:x:"));
        let owner = owner.expect(NOT_INSTALLED).split(':').next().unwrap().parse().unwrap();
        assert!([mine, owner].contains(&metadata.uid()), "{} is not ours", folder.display());
        chown(folder, Some(owner), None).unwrap();
    } else {
        assert_eq!(metadata.uid(), mine, "{} is not ours", folder.display());
    }
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700)).unwrap();
}

/// The folder of PostgreSQL's programs, the newest if there are several.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others: Vec<PathBuf> = std::env::split_paths(&path).collect();
    debian
        .filter(|bin| bin.join("initdb").exists())
        .max_by_key(|bin| version_of(bin))
        .or_else(|| others.into_iter().find(|bin| bin.join("initdb").exists()))
        .expect(NOT_INSTALLED)
}

fn version_of(bin: &Path) -> u32 {
    let version = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

fn run(command: &mut Command) {
    let output = command.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
