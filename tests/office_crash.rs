//! The office is killed while it merges: everything that it acknowledged is there afterwards
//! (rule D2), and nothing is half done.

#![cfg(all(not(target_arch = "wasm32"), unix))]

#[path = "office/phone.rs"]
mod phone;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use doorstep::ids::{RecordId, change_hash};
use doorstep::office::Office;
use doorstep::sync::message::Outcome;
use phone::{Desk, Phone, START, contact};

/// Where the child finds its database.
const PLACE: &str = "DOORSTEP_CRASH_DATABASE";

/// How many merges the child acknowledges before it is killed, in the middle of the next.
const ACKNOWLEDGED: usize = 25;

#[test]
fn d2_what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("office.db");
    for life in 1..=3 {
        let acknowledged = killed_child(&database);
        let office = Office::open(&address(&database), || START).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let verified = runtime.block_on(office.verify()).unwrap();
        assert!(verified.ok, "life {life}: {:?}", verified.problems);
        for (record, head) in acknowledged {
            let known = office.store().look(|reads| reads.known(record)).unwrap();
            assert!(known.iter().any(|known| known.hash == head), "life {life}: {record} {head}");
        }
        office.close();
    }
}

/// Runs this program as an office that merges until it is killed; gives what it acknowledged.
fn killed_child(database: &Path) -> Vec<(RecordId, automerge::ChangeHash)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "a_child_that_merges_until_it_is_killed"])
        .env(PLACE, database)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let acknowledged = lines
        .map_while(Result::ok)
        .filter_map(|line| {
            let (record, head) = line.strip_prefix("merged ")?.split_once(' ')?;
            Some((record.parse().unwrap(), change_hash(head).unwrap()))
        })
        .take(ACKNOWLEDGED)
        .collect::<Vec<_>>();
    // SIGKILL: no handler, no flush, no goodbye.
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(acknowledged.len(), ACKNOWLEDGED);
    acknowledged
}

/// Does nothing unless it is that child.
#[tokio::test]
async fn a_child_that_merges_until_it_is_killed() {
    let Some(database) = std::env::var_os(PLACE) else { return };
    let office = Office::open(&address(Path::new(&database)), || START).unwrap();
    let desk = Desk::over(office);
    // Each life is a new session of the same device.
    let life = std::process::id();
    let id = desk.visit(&format!("C-{life}"), &["chen.jie"]).await;
    let mut phone = Phone::new("chen.jie", 1);
    while phone.sync(&desk).await.remaining > 0 {}
    for n in 0.. {
        phone.write(id, contact(n));
        let reply = phone.sync(&desk).await;
        assert!(matches!(reply.results[0], Outcome::Merged { .. }), "{reply:?}");
        let heads = phone.confirmed(id);
        let mut out = std::io::stdout().lock();
        writeln!(out, "merged {id} {}", heads.to_hex()[0]).unwrap();
        out.flush().unwrap();
    }
}

fn address(database: &Path) -> String {
    format!("sqlite:{}", database.display())
}
