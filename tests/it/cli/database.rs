//! Commands and the files of the database: what they create, leave alone, migrate and protect.

use std::path::Path;
use std::process::Command;

use super::{Home, PASSWORD, answer, serve};
use crate::support::program::{BINARY, Program};

/// A misspelt path is no empty office.
#[test]
fn commands_on_an_existing_office_create_no_database() {
    let home = Home::new();
    let file = home.path("office.db.bak");
    let file = file.to_str().unwrap();
    let rescue = home.path("../Cargo.toml");
    for args in [
        vec!["verify"],
        vec!["verify", "--json"],
        vec!["export", "visits", "--format", "csv"],
        vec!["export", "conduct"],
        vec!["user", "list"],
        vec!["user", "disable", "chen.jie"],
        vec!["device", "list"],
        vec!["quarantine", "list"],
        vec!["quarantine", "show", "1"],
        vec!["quarantine", "accept", "1"],
        vec!["conduct", "evaluate"],
        vec!["import", "rescue", rescue.to_str().unwrap()],
        vec!["backup", file],
    ] {
        let done = home.run(&args, "");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("there is no database"), "{args:?}: {said}");
        assert_eq!(std::fs::read_dir(home.0.path()).unwrap().count(), 0, "{args:?}");
    }
    // Nor an empty place for attachments.
    home.run(&["user", "add", "chen.jie", "--role", "collector"], PASSWORD);
    let blobs = home.path("blbos");
    let done = home.run(&["verify", "--blobs", blobs.to_str().unwrap()], "");
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert!(!blobs.exists());
}

#[test]
fn commands_that_read_change_nothing() {
    let home = Home::new();
    home.run(&["user", "add", "chen.jie", "--role", "collector"], PASSWORD);
    home.run(&["import", "cases", "tests/data/cases_zh.csv", "--assign-to", "chen.jie"], "");
    let before = std::fs::read(home.path("office.db")).unwrap();
    for args in [
        vec!["verify", "--json"],
        vec!["export", "visits", "--format", "jsonl"],
        vec!["user", "list", "--json"],
        vec!["device", "list", "--json"],
        vec!["quarantine", "list", "--json"],
    ] {
        let done = home.run(&args, "");
        assert_eq!(done.status.code(), Some(0), "{args:?}: {done:?}");
        assert!(std::fs::read(home.path("office.db")).unwrap() == before, "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn new_files_are_private_to_their_owner() {
    let home = Home::new();
    let open = |args: &[&str], input: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "umask 000; exec \"$0\" \"$@\"", BINARY]).args(args);
        let done = answer(home.at_home(&mut shell), input);
        assert_eq!(done.status.code(), Some(0), "{args:?}: {done:?}");
    };
    open(&["user", "add", "chen.jie", "--role", "collector"], PASSWORD);
    open(&["import", "cases", "tests/data/cases_zh.csv", "--assign-to", "chen.jie"], "");
    let out = |name: &str| home.path(name).to_str().unwrap().to_owned();
    open(&["export", "visits", "--format", "csv", "--out", &out("v.csv")], "");
    open(&["export", "visits", "--format", "automerge", "--out", &out("documents")], "");
    open(&["backup", &out("backup.db")], "");
    open(&["restore", &out("backup.db")], "");
    assert_private(home.0.path());
}

/// Everything in a folder is its owner's alone.
#[cfg(unix)]
fn assert_private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{} has {mode:o}", path.display());
        if path.is_dir() {
            assert_private(&path);
        }
    }
}

#[cfg(unix)]
#[test]
fn readable_files_are_made_private_at_the_start_and_reported() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let mut serving = serve(&home, &[]);
    serving.stop();
    let open = |name: &str, mode: u32| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(home.path(name), mode).unwrap();
    };
    open("office.db", 0o644);
    open("office.db.blobs", 0o755);
    let log = std::fs::File::create(home.path("log")).unwrap();
    open("log", 0o600);
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut serving = Program::start(command.stderr(log));
    assert_private(home.0.path());
    serving.stop();
    let log = std::fs::read_to_string(home.path("log")).unwrap();
    let told = log.lines().filter(|line| line.contains("others had access")).count();
    assert_eq!(told, 2, "{log}");
}

/// The database of a version before the last migration.
#[test]
fn an_earlier_schema_is_not_brought_up_to_date_by_reading() {
    let home = Home::new();
    home.run(&["user", "add", "chen.jie", "--role", "collector"], PASSWORD);
    let database = rusqlite::Connection::open(home.path("office.db")).unwrap();
    let last = "DELETE FROM refinery_schema_history
        WHERE version = (SELECT max(version) FROM refinery_schema_history)";
    database.execute(last, ()).unwrap();
    drop(database);
    let done = home.run(&["verify"], "");
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("doorstep serve"), "{said}");
}

/// Commits of a killed office are in the write-ahead log alone.
#[test]
fn verify_reads_what_a_killed_office_had_committed() {
    let home = Home::new();
    let mut serving = serve(&home, &["--demo"]);
    serving.kill();
    assert!(std::fs::metadata(home.path("office.db-wal")).unwrap().len() > 0);
    let verified = home.json(&["verify", "--json"]);
    assert_eq!((&verified["ok"], &verified["records"]), (&true.into(), &60.into()));
}
