//! Several offices over one PostgreSQL database, and a server that is killed.

mod connecting;
mod held_open;
mod partitions;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use doorstep::ids::RecordId;
use doorstep::office::auth::{Accounts, Hasher};
use doorstep::office::http::{App, Assets, Traffic, TrafficConfig, router};
use doorstep::office::store::postgres::Postgres;
use doorstep::office::store::{InitialSecrets, Store, StoreError};
use doorstep::office::{Clock, Office};
use doorstep::sync::message::Outcome;
use tokio::sync::watch;
use tower::ServiceExt;

use crate::support::office::TestOffice;
use crate::support::postgres::{Cluster, Database};
use crate::support::sync_client::{START, SyncClient, contact};

const USERS: [&str; 4] = ["chen.jie", "wu.min", "zhao.lei", "sun.yan"];

/// Pushes of each phone.
const PUSHES: u64 = 10;

/// Another endpoint of the database at an address.
fn endpoint(address: &str) -> TestOffice {
    TestOffice::over(Office::open(address, || START).unwrap())
}

/// F2, R2: phones push to one record and to records of one feed, through both endpoints.
#[tokio::test(flavor = "multi_thread")]
async fn r2_pushes_through_two_endpoints_lose_no_change_and_skip_no_entry() {
    let database = Database::new();
    let endpoints = [endpoint(database.address()), endpoint(database.address())];
    let shared = endpoints[0].add_visit("C-1", &USERS).await;
    let mut own = Vec::new();
    for (n, user) in USERS.iter().enumerate() {
        // All of them are in the feed of chen.jie.
        let case_no = format!("D-{n}");
        own.push(endpoints[n % 2].add_visit(&case_no, &["chen.jie", user]).await);
    }
    let mut working = Vec::new();
    for (n, user) in USERS.iter().enumerate() {
        let (endpoints, own) = (endpoints.clone(), own[n]);
        working.push(tokio::spawn(async move {
            let device = u8::try_from(n + 1).unwrap();
            let mut phone = SyncClient::new(user, device);
            for k in 0..PUSHES {
                let office = &endpoints[(n + usize::try_from(k).unwrap()) % 2];
                if k == 0 {
                    phone.sync(office).await;
                }
                for id in [shared, own] {
                    phone.write(id, contact(u64::from(device) * 100 + k));
                }
                let reply = phone.sync(office).await;
                for result in &reply.results {
                    // What was committed before an endpoint was busy is a duplicate the second time.
                    let arrived =
                        matches!(result, Outcome::Merged { .. } | Outcome::Duplicate { .. });
                    assert!(arrived, "{result:?}");
                }
            }
            phone
        }));
    }
    let mut phones = Vec::new();
    for phone in working {
        phones.push(phone.await.unwrap());
    }
    for (phone, own) in phones.iter_mut().zip(own) {
        for office in &endpoints {
            while phone.sync(office).await.remaining > 0 {}
            let reply = phone.sync(office).await;
            phone.assert_in_step(&reply);
        }
        assert_eq!(phone.view(shared).contacts.len(), USERS.len() * 10);
        assert_eq!(phone.view(own).contacts.len(), 10);
    }
    endpoints[0].assert_sound().await;
    let feed = endpoints[1].store().read_with(|reads| reads.feed("chen.jie")).unwrap();
    // Five records were added, and each push is an entry.
    assert_eq!(feed.seq, 5 + PUSHES * (USERS.len() as u64) * 2);
}

/// R8
#[tokio::test(flavor = "multi_thread")]
async fn r8_a_signal_reaches_the_other_endpoint() {
    let database = Database::new();
    let [one, other] = [endpoint(database.address()), endpoint(database.address())];
    let mut signals = other.subscribe();
    // The first may come before the other endpoint listens; the comparison of heads finds it later.
    one.add_visit("C-1", &["chen.jie"]).await;
    let signal = signals.recv().await.unwrap();
    assert_eq!((signal.feed.as_str(), signal.seq), ("chen.jie", 1));
}

/// While the server is down the office answers 503, and nothing acknowledged is lost.
#[tokio::test(flavor = "multi_thread")]
async fn d2_an_office_survives_the_death_of_its_database_server() {
    let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
    let cluster = Cluster::private(folder.path());
    let office = endpoint(&cluster.create("office"));
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut phone = SyncClient::new("chen.jie", 1);
    phone.sync(&office).await;
    let router = router_of(&office);

    cluster.kill();
    // The processes of open connections end by themselves.
    let failed = loop {
        match office.store().read_with(|reads| reads.heads(id)) {
            Ok(_) => tokio::task::yield_now().await,
            Err(failed) => break failed,
        }
    };
    assert!(matches!(failed, StoreError::Unavailable(_)), "{failed:?}");
    let failed = office.store().write_now(|tx| tx.touch()).unwrap_err();
    assert!(matches!(failed, StoreError::Unavailable(_)), "{failed:?}");
    let bearer = format!("Bearer {}", "0".repeat(64));
    let request = Request::get("/api/session").header("authorization", bearer).body(Body::empty());
    let answer = router.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));

    cluster.start();
    phone.write(id, contact(1));
    let reply = phone.sync(&office).await;
    assert!(matches!(reply.results[0], Outcome::Merged { .. }), "{:?}", reply.results);
    phone.assert_in_step(&reply);
    office.assert_sound().await;
}

/// Round trips to the database, once its statements are prepared: at most four for a merged record,
/// three for a page and one for a round without news.
#[tokio::test(flavor = "multi_thread")]
async fn rounds_cost_few_round_trips() {
    let database = Database::new();
    let secrets =
        InitialSecrets { epoch: [1; 16], office_device: [2; 16], attestation_key: [3; 32] };
    let store = Arc::new(Postgres::open(database.address(), secrets).unwrap());
    let clock: Clock = Arc::new(|| START);
    let random = Arc::new(|bytes: &mut [u8]| {
        bytes.fill(7);
        Ok(())
    });
    let shared: Arc<dyn Store> = store.clone();
    let office = TestOffice::over(Office::over(shared, clock, random).unwrap());
    let mut phone = SyncClient::new("chen.jie", 1);
    let id: RecordId = office.add_visit("C-1", &["chen.jie"]).await;
    phone.sync(&office).await;
    for k in 0..3 {
        phone.write(id, contact(k));
        phone.sync(&office).await;
    }
    let count = async |phone: &mut SyncClient| {
        let before = store.round_trips();
        phone.sync(&office).await;
        store.round_trips() - before
    };
    let idle = count(&mut phone).await;
    phone.write(id, contact(9));
    let push = count(&mut phone).await;
    let mut other = SyncClient::new("chen.jie", 2);
    let first = count(&mut other).await;
    let page = {
        phone.write(id, contact(10));
        phone.sync(&office).await;
        count(&mut other).await
    };
    let found = [idle, push, first, page];
    let most = [1, MERGE + PAGE, PAGE, PAGE];
    assert!(found.iter().zip(most).all(|(found, most)| *found <= most), "{found:?}, {most:?}");
}

/// Load, read the basis, read the feeds, write and commit.
const MERGE: u64 = 4;

/// The feed, what the device has of its entries, and what it lacks.
const PAGE: u64 = 3;

fn router_of(office: &TestOffice) -> axum::Router {
    let (_, closing) = watch::channel(false);
    let accounts = Accounts::new(office.store().clone(), Arc::new(|| START), Hasher::for_tests());
    router(App {
        office: Office::clone(office),
        accounts,
        assets: Assets::of(|_| None),
        zone: None,
        lender: Default::default(),
        secure: false,
        public: None,
        openid: None,
        traffic: Traffic::new(TrafficConfig::default()),
        closing,
    })
}
