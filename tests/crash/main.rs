//! The office is killed while it merges: everything that it acknowledged is there afterwards
//! (rule D2), and nothing is half done.

#![cfg(all(not(target_arch = "wasm32"), unix))]

#[allow(dead_code, reason = "this crate uses a part of it")]
#[path = "../it/support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use doorstep::ids::{RecordId, change_hash};
use doorstep::office::Office;
use doorstep::sync::message::Outcome;
use support::office::TestOffice;
use support::sync_client::{START, SyncClient, contact};

/// Where the child finds its database.
const PLACE: &str = "DOORSTEP_CRASH_DATABASE";

/// How often it is killed; `DOORSTEP_KILLS` says otherwise, and docs/RELIABILITY.md has the figures
/// of a long run.
const KILLS: usize = 4;

/// Phones that push at once.
const PHONES: u8 = 4;

#[test]
fn d2_acknowledged_changes_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("office.db");
    let kills = std::env::var("DOORSTEP_KILLS").ok().and_then(|text| text.parse().ok());
    let mut acknowledged = Vec::new();
    for life in 1..=kills.unwrap_or(KILLS) {
        // Not at the same point of the work each time.
        let merges = fastrand::usize(1..60);
        acknowledged.extend(killed_child(&database, merges));
        let office = Office::open(&address(&database), || START).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let verified = runtime.block_on(office.verify()).unwrap();
        assert!(verified.ok, "life {life}: {:?}", verified.problems);
        for (record, head) in &acknowledged {
            let known = office.store().read_with(|reads| reads.change_metas(*record)).unwrap();
            assert!(known.iter().any(|known| known.hash == *head), "life {life}: {record} {head}");
        }
        office.close();
    }
}

/// Runs this program as an office that merges until it is killed; gives what it acknowledged.
fn killed_child(database: &Path, merges: usize) -> Vec<(RecordId, automerge::ChangeHash)> {
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
        .take(merges)
        .collect::<Vec<_>>();
    // SIGKILL: no handler, no flush, no goodbye.
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(acknowledged.len(), merges);
    acknowledged
}

/// Does nothing unless it is that child.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_merges_until_it_is_killed() {
    let Some(database) = std::env::var_os(PLACE) else { return };
    let office = Office::open(&address(Path::new(&database)), || START).unwrap();
    let office = TestOffice::over(office);
    let storm = (1..=PHONES).map(|n| tokio::spawn(push_on(office.clone(), n)));
    for phone in storm.collect::<Vec<_>>() {
        phone.await.unwrap();
    }
}

/// A phone that pushes one change after the other and says what was merged.
async fn push_on(office: TestOffice, n: u8) {
    // Each life has devices and a case of its own.
    let life = std::process::id();
    let user = format!("user{n}");
    let id = office.add_visit(&format!("C-{life}-{n}"), &[&user]).await;
    let mut phone = SyncClient::on(&user, [&life.to_be_bytes()[..], &[n; 12]].concat());
    phone.want = vec![id];
    phone.sync(&office).await;
    for n in 0.. {
        phone.write(id, contact(n));
        let reply = phone.sync(&office).await;
        assert!(matches!(reply.results[0], Outcome::Merged { .. }), "{reply:?}");
        let heads = phone.document(id).get_heads();
        let mut out = std::io::stdout().lock();
        writeln!(out, "merged {id} {}", heads[0]).unwrap();
        out.flush().unwrap();
    }
}

fn address(database: &Path) -> String {
    format!("sqlite:{}", database.display())
}
