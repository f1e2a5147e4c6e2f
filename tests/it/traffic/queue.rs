//! Queues: who waits, who is sent away, and what is answered all the same.

use std::time::Duration;

use doorstep::ids::RecordId;
use doorstep::office::http::{BodyLimits, Limits, QueueLimits, TrafficConfig};
use doorstep::sync::message::{MAX_BODY, Packed, Push, Request, encode_request};

use tokio::io::AsyncWriteExt;

use super::connection::Listening;
use crate::support::http_office::{HttpOffice, PASSWORD};

/// No slot and no waiting room.
const FULL: QueueLimits = QueueLimits { max_running: 0, max_waiting: 0, max_wait: Duration::ZERO };

const ONE: QueueLimits =
    QueueLimits { max_running: 1, max_waiting: 8, max_wait: Duration::from_secs(60) };

fn with(limits: Limits) -> TrafficConfig {
    TrafficConfig { limits, ..TrafficConfig::default() }
}

#[tokio::test]
async fn who_finds_no_place_is_told_when_to_come_again_and_the_rest_is_answered() {
    let http = HttpOffice::behind(with(Limits { rounds: FULL, ..Limits::default() })).await;
    let token = http.token("chen.jie").await;
    let body = encode_request(&Request::default());
    let shed = http.post("/sync", Some(&token), body.clone()).await;
    assert_eq!(shed.code(), (503, "office_busy".into()));
    assert_eq!(shed.header("retry-after"), "10");
    assert_eq!(shed.header("content-type"), "application/problem+json");
    // Health, cheap refusals, and everybody in another queue.
    for path in ["/healthz", "/readyz", "/metrics", "/"] {
        assert_eq!(http.get(path, None).await.status, 200, "{path}");
    }
    assert_eq!(http.post("/sync", None, body).await.code(), (401, "signed_out".into()));
    let supervisor = http.token("lin.yue").await;
    assert_eq!(http.get("/api/visits", Some(&supervisor)).await.status, 200);
}

#[tokio::test]
async fn each_queue_is_its_own() {
    let full = |limits| async move { HttpOffice::behind(with(limits)).await };
    let http = full(Limits { reads: FULL, ..Limits::default() }).await;
    let (phone, console) = (http.token("chen.jie").await, http.token("lin.yue").await);
    let body = encode_request(&Request::default());
    assert_eq!(http.post("/sync", Some(&phone), body.clone()).await.status, 200);
    assert_eq!(http.get("/api/visits", Some(&console)).await.status, 503);

    let http = full(Limits { sign_ins: FULL, ..Limits::default() }).await;
    let answer = http.post_json("/api/session", None, "{}").await;
    assert_eq!(answer.code(), (503, "office_busy".into()));

    let http = full(Limits { sheets: FULL, ..Limits::default() }).await;
    let console = http.token("lin.yue").await;
    for answer in [
        http.get("/api/export?format=csv", Some(&console)).await,
        http.post("/api/cases/import", Some(&console), b"case_no".to_vec()).await,
    ] {
        assert_eq!(answer.code(), (503, "office_busy".into()));
    }
    assert_eq!(http.get("/api/visits", Some(&console)).await.status, 200);
}

#[tokio::test]
async fn a_request_that_is_still_coming_holds_no_place() {
    let office = Listening::behind(with(Limits { rounds: ONE, ..Limits::default() })).await;
    let (slow, quick) = (office.http.token("chen.jie").await, office.http.token("wu.min").await);
    let body = encode_request(&Request::default());
    let mut waits = office.wire().await;
    waits.begin_round(&slow, body.len()).await;
    waits.send(&body[..1]).await;
    let mut wire = office.wire().await;
    wire.begin_round(&quick, body.len()).await;
    wire.send(&body).await;
    assert_eq!(wire.answer().await.unwrap().0, 200);
    waits.send(&body[1..]).await;
    assert_eq!(waits.answer().await.unwrap().0, 200);
}

#[tokio::test]
async fn bodies_that_are_coming_are_bounded_together() {
    let round_bodies =
        BodyLimits { bytes: 64 * 1024, bytes_per_caller: 64 * 1024, bodies_per_caller: 8 };
    let office = Listening::behind(with(Limits { round_bodies, ..Limits::default() })).await;
    let (slow, other) = (office.http.token("chen.jie").await, office.http.token("wu.min").await);
    let mut wire = office.wire().await;
    let mut ask = async || {
        wire.begin_round(&other, 2).await;
        wire.send([2, 0]).await;
        wire.answer().await.unwrap()
    };
    // Once it has all the room, others get none; while one of them has some, it gets none itself.
    let holds = 'held: loop {
        let mut holds = office.wire().await;
        holds.begin_round(&slow, 64 * 1024).await;
        holds.send(vec![2; 64 * 1024 - 1]).await;
        for _ in 0..20 {
            let (status, text) = ask().await;
            if status == 503 {
                assert!(text.contains("office_busy"), "{text}");
                break 'held holds;
            }
        }
    };
    // Others have room of their own.
    let sign_in = format!(r#"{{"name":"he.tao","password":"{PASSWORD}"}}"#);
    assert_eq!(office.http.post_json("/api/session", None, &sign_in).await.status, 200);
    drop(holds);
    while ask().await.0 == 503 {}
}

#[tokio::test]
async fn one_user_has_so_many_bodies_under_way_on_all_devices() {
    let round_bodies =
        BodyLimits { bytes: 64 * 1024, bytes_per_caller: 64 * 1024, bodies_per_caller: 2 };
    let office = Listening::behind(with(Limits { round_bodies, ..Limits::default() })).await;
    let one = [office.http.token("chen.jie").await, office.http.token("chen.jie").await];
    let other = office.http.token("wu.min").await;
    let mut held = Vec::new();
    for token in &one {
        let mut wire = office.wire().await;
        wire.begin_round(token, 100).await;
        held.push(wire);
    }
    // A request that is refused early ends its connection.
    let ask = async |token: &str| {
        let mut wire = office.wire().await;
        wire.begin_round(token, 100).await;
        wire.0.shutdown().await.unwrap();
        wire.answer().await.unwrap().0
    };
    // Asked until two have begun. A question that came first may have had the place of one, which
    // was refused then.
    while ask(&one[0]).await != 429 {
        let mut wire = office.wire().await;
        wire.begin_round(&one[1], 100).await;
        held.push(wire);
    }
    assert_eq!(ask(&other).await, 400, "its body is read, and breaks off");
    drop(held);
    while ask(&one[0]).await == 429 {}
}

#[tokio::test]
async fn a_user_has_so_many_streams_on_all_devices_and_no_more() {
    let http = HttpOffice::behind(with(Limits { streams_per_user: 2, ..Limits::default() })).await;
    let (token, another) = (http.token("chen.jie").await, http.token("chen.jie").await);
    let open = async |token: &str| {
        let request = crate::support::http_office::ask("GET", "/api/events", Some(token));
        http.begin(request.body(axum::body::Body::empty()).unwrap()).await
    };
    let (first, _second) = (open(&token).await, open(&another).await);
    for token in [&token, &another] {
        assert_eq!(open(token).await.status(), 429);
    }
    drop(first);
    while open(&token).await.status() == 429 {
        tokio::task::yield_now().await;
    }
}

/// A round with something to write: changes to an unknown record go to quarantine.
fn push() -> Vec<u8> {
    let push = vec![Push { record: RecordId([7; 16]), changes: vec![Packed::plain(b"no change")] }];
    encode_request(&Request { push, ..Request::default() })
}

/// Holds the lock of the office's database, so that whatever writes is at work until it is dropped.
fn hold_the_writer(office: &Listening) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(office.http.office.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

async fn status(wire: &mut super::connection::Wire, token: &str, body: &[u8]) -> u16 {
    wire.begin_round(token, body.len()).await;
    wire.send(body).await;
    wire.answer().await.unwrap().0
}

#[tokio::test]
async fn announced_bodies_that_never_arrive_block_no_client() {
    let office = Listening::behind(TrafficConfig::default()).await;
    let (idle, honest) = (office.http.token("chen.jie").await, office.http.token("wu.min").await);
    let mut wires = Vec::new();
    for _ in 0..24 {
        let mut wire = office.wire().await;
        wire.begin_round(&idle, MAX_BODY).await;
        wires.push(wire);
    }
    let body = encode_request(&Request::default());
    let mut wire = office.wire().await;
    for _ in 0..20 {
        assert_eq!(status(&mut wire, &honest, &body).await, 200);
    }
}

#[tokio::test]
async fn a_device_has_one_round_at_work() {
    let rounds =
        QueueLimits { max_running: 8, max_waiting: 8, max_wait: Duration::from_millis(50) };
    let office = Listening::behind(with(Limits { rounds, ..Limits::default() })).await;
    let (chen, wu) = (office.http.token("chen.jie").await, office.http.token("wu.min").await);
    let held = hold_the_writer(&office);
    let (body, push) = (encode_request(&Request::default()), push());
    let mut first = office.wire().await;
    first.begin_round(&chen, push.len()).await;
    first.send(&push).await;
    let mut second = office.wire().await;
    let mut told = Vec::new();
    while told.len() < 100 && !told.contains(&503) {
        told.push(status(&mut second, &chen, &body).await);
    }
    assert!(told.contains(&503), "the second round of a device is told to come again");
    let mut other = office.wire().await;
    assert_eq!(status(&mut other, &wu, &body).await, 200, "others are answered");
    held.execute_batch("ROLLBACK").unwrap();
    assert_eq!(first.answer().await.unwrap().0, 200);
    assert_eq!(status(&mut second, &chen, &body).await, 200);
}

#[tokio::test]
async fn who_hangs_up_keeps_the_place_until_the_work_is_done() {
    let rounds = QueueLimits { max_running: 1, max_waiting: 1, max_wait: Duration::from_millis(5) };
    let office = Listening::behind(with(Limits { rounds, ..Limits::default() })).await;
    let (chen, wu) = (office.http.token("chen.jie").await, office.http.token("wu.min").await);
    let held = hold_the_writer(&office);
    let (body, push) = (encode_request(&Request::default()), push());
    let mut first = office.wire().await;
    first.begin_round(&chen, push.len()).await;
    first.send(&push).await;
    let mut other = office.wire().await;
    while status(&mut other, &wu, &body).await != 503 {}
    drop(first);
    // Either its work was not begun and is cancelled, or it keeps its place until it is done.
    let mut freed = false;
    for _ in 0..30 {
        freed |= status(&mut other, &wu, &body).await == 200;
    }
    held.execute_batch("ROLLBACK").unwrap();
    office.http.office.store().write(|tx| tx.touch()).await.unwrap();
    let kept = office.http.office.quarantine().await.unwrap().len();
    assert_eq!(kept, usize::from(!freed), "no work without its place");
    while status(&mut other, &wu, &body).await != 200 {}
}
