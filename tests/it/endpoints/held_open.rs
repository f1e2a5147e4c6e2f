//! F2: transactions that are held open on purpose hide no entry from a device that follows a feed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doorstep::office::store::postgres::run_script;
use doorstep::sync::message::Outcome;
use tokio_postgres::{Client, NoTls};

use super::endpoint;
use crate::support::postgres::Database;
use crate::support::sync_client::{SyncClient, contact};

/// Users that push to records of one feed, all at the same time.
const USERS: u8 = 40;
/// Pushes of each.
const PUSHES: u64 = 5;
/// Devices that follow the feed meanwhile.
const FOLLOWERS: u8 = 3;

/// Holds each transaction open after it has numbered its entries, for up to 8 ms each.
const HOLD: &str = "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(random() * 0.008); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER held_open AFTER INSERT ON feed_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()";

/// Merges of many users, through several endpoints, that append to one feed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f2_followers_of_a_feed_miss_no_entry_of_transactions_that_are_held_open() {
    let database = Database::new();
    let endpoints = [(); 3].map(|()| endpoint(database.address()));
    let mut records = Vec::new();
    for n in 1..=USERS {
        let user = format!("user{n}");
        records.push(endpoints[0].add_visit(&user, &["chen.jie", &user]).await);
    }
    run_script(database.address(), HOLD).unwrap();
    let working = Arc::new(AtomicUsize::new(usize::from(USERS)));
    let mut writers = Vec::new();
    for (n, record) in (1..=USERS).zip(&records) {
        let (endpoints, record, working) = (endpoints.clone(), *record, Arc::clone(&working));
        writers.push(tokio::spawn(async move {
            let mut phone = SyncClient::new(&format!("user{n}"), n);
            phone.sync(&endpoints[0]).await;
            for k in 0..PUSHES {
                phone.write(record, contact(u64::from(n) * 100 + k));
                let reply = phone.sync(&endpoints[(u64::from(n) + k) as usize % 3]).await;
                assert!(matches!(reply.results[0], Outcome::Merged { .. }), "{:?}", reply.results);
            }
            working.fetch_sub(1, Ordering::Relaxed);
        }));
    }
    let mut followers = Vec::new();
    for n in 0..FOLLOWERS {
        let (endpoints, working) = (endpoints.clone(), Arc::clone(&working));
        followers.push(tokio::spawn(async move {
            let mut phone = SyncClient::new("chen.jie", 200 + n);
            let mut at = usize::from(n);
            while working.load(Ordering::Relaxed) > 0 {
                phone.sync(&endpoints[at % 3]).await;
                at += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            phone
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for follower in followers {
        let mut phone = follower.await.unwrap();
        while phone.sync(&endpoints[0]).await.remaining > 0 {}
        let reply = phone.sync(&endpoints[0]).await;
        phone.assert_in_step(&reply);
        for record in &records {
            assert_eq!(phone.view(*record).contacts.len() as u64, PUSHES);
        }
    }
    let feed = endpoints[0].store().read_with(|reads| reads.feed("chen.jie")).unwrap();
    assert_eq!(feed.seq, u64::from(USERS) * (1 + PUSHES));
    endpoints[0].assert_sound().await;
}

/// Why feeds are numbered by a row that each transaction locks until it commits: a number of a sequence can
/// become visible after a higher one that a device has read already.
#[tokio::test]
async fn a_follower_of_a_sequence_misses_what_a_follower_of_a_counter_gets() {
    let all = BTreeSet::from(["first".to_owned(), "second".to_owned()]);
    let counter = "UPDATE counter SET n = n + 1 RETURNING n";
    assert_eq!(entries_of_a_follower(counter).await, all);
    let missed = entries_of_a_follower("SELECT nextval('sequence') AS n").await;
    assert_eq!(missed, BTreeSet::from(["second".to_owned()]));
}

/// Two transactions number an entry each; the first is held open until the other has committed or waits for
/// it, and a follower has read. Gives what the follower has in the end.
async fn entries_of_a_follower(number: &str) -> BTreeSet<String> {
    const TABLES: &str = "CREATE SEQUENCE sequence; CREATE TABLE counter AS SELECT 0::bigint AS n;
         CREATE TABLE entries (seq bigint PRIMARY KEY, text text NOT NULL)";
    let database = Database::new();
    run_script(database.address(), TABLES).unwrap();
    let insert = |text: &str| {
        format!("WITH numbered AS ({number}) INSERT INTO entries SELECT n, '{text}' FROM numbered")
    };
    let (first, second, follower) =
        (connect(&database).await, connect(&database).await, connect(&database).await);
    let (mut cursor, mut got) = (0, BTreeSet::new());
    first.batch_execute(&format!("BEGIN; {}", insert("first"))).await.unwrap();
    second.batch_execute("SET lock_timeout = '200ms'").await.unwrap();
    let waits = second.batch_execute(&insert("second")).await.is_err();
    follow(&follower, &mut cursor, &mut got).await;
    first.batch_execute("COMMIT").await.unwrap();
    if waits {
        second.batch_execute(&insert("second")).await.unwrap();
    }
    follow(&follower, &mut cursor, &mut got).await;
    got
}

async fn follow(follower: &Client, cursor: &mut i64, got: &mut BTreeSet<String>) {
    let sql = "SELECT seq, text FROM entries WHERE seq > $1 ORDER BY seq";
    for row in follower.query(sql, &[&*cursor]).await.unwrap() {
        *cursor = row.get(0);
        got.insert(row.get(1));
    }
}

async fn connect(database: &Database) -> Client {
    let (client, connection) = tokio_postgres::connect(database.address(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
