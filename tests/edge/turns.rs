//! Queues: who waits, who is sent away, and what is answered all the same.

use std::time::Duration;

use doorstep::office::http::{Limits, Setup, Turns};
use doorstep::sync::message::{Request, encode_request};

use super::desk::Desk;
use super::wire::Listening;

/// Nobody gets a place, and nobody may wait for one.
const FULL: Turns = Turns { at_once: 0, waiting: 0, patience: Duration::ZERO };

const ONE: Turns = Turns { at_once: 1, waiting: 8, patience: Duration::from_secs(60) };

fn with(limits: Limits) -> Setup {
    Setup { limits, ..Setup::default() }
}

#[tokio::test]
async fn who_finds_no_place_is_told_when_to_come_again_and_the_rest_is_answered() {
    let desk = Desk::behind(with(Limits { rounds: FULL, ..Limits::default() })).await;
    let token = desk.token("chen.jie").await;
    let body = encode_request(&Request::default());
    let shed = desk.post("/sync", Some(&token), body.clone()).await;
    assert_eq!(shed.code(), (503, "office_busy".into()));
    assert_eq!(shed.header("retry-after"), "10");
    assert_eq!(shed.header("content-type"), "application/problem+json");
    // Health, cheap refusals, and everybody in another queue.
    for path in ["/healthz", "/readyz", "/metrics", "/"] {
        assert_eq!(desk.get(path, None).await.status, 200, "{path}");
    }
    assert_eq!(desk.post("/sync", None, body).await.code(), (401, "signed_out".into()));
    let supervisor = desk.token("lin.yue").await;
    assert_eq!(desk.get("/api/visits", Some(&supervisor)).await.status, 200);
}

#[tokio::test]
async fn each_queue_is_its_own() {
    let full = |limits| async move { Desk::behind(with(limits)).await };
    let desk = full(Limits { reads: FULL, ..Limits::default() }).await;
    let (phone, console) = (desk.token("chen.jie").await, desk.token("lin.yue").await);
    let body = encode_request(&Request::default());
    assert_eq!(desk.post("/sync", Some(&phone), body.clone()).await.status, 200);
    assert_eq!(desk.get("/api/visits", Some(&console)).await.status, 503);

    let desk = full(Limits { sign_ins: FULL, ..Limits::default() }).await;
    let answer = desk.post_json("/api/session", None, "{}").await;
    assert_eq!(answer.code(), (503, "office_busy".into()));

    let desk = full(Limits { sheets: FULL, ..Limits::default() }).await;
    let console = desk.token("lin.yue").await;
    for answer in [
        desk.get("/api/export?format=csv", Some(&console)).await,
        desk.post("/api/cases/import", Some(&console), b"case_no".to_vec()).await,
    ] {
        assert_eq!(answer.code(), (503, "office_busy".into()));
    }
    assert_eq!(desk.get("/api/visits", Some(&console)).await.status, 200);
}

#[tokio::test]
async fn a_request_that_is_still_coming_holds_no_place() {
    let office = Listening::behind(with(Limits { rounds: ONE, ..Limits::default() })).await;
    let (slow, quick) = (office.desk.token("chen.jie").await, office.desk.token("wu.min").await);
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
    let rounds = Turns { patience: Duration::from_millis(50), ..ONE };
    let limits = Limits { body_bytes: 64 * 1024, rounds, ..Limits::default() };
    let office = Listening::behind(with(limits)).await;
    let (slow, other) = (office.desk.token("chen.jie").await, office.desk.token("wu.min").await);
    let mut holds = office.wire().await;
    holds.begin_round(&slow, 64 * 1024).await;
    holds.send([2]).await;
    // Asked until the first has its room.
    let mut wire = office.wire().await;
    loop {
        wire.begin_round(&other, 2).await;
        wire.send([2, 0]).await;
        let (status, text) = wire.answer().await.unwrap();
        if status == 503 {
            assert!(text.contains("office_busy"), "{text}");
            break;
        }
    }
    drop(holds);
    while {
        wire.begin_round(&other, 2).await;
        wire.send([2, 0]).await;
        wire.answer().await.unwrap().0 == 503
    } {}
}

#[tokio::test]
async fn a_user_has_so_many_streams_on_all_devices_and_no_more() {
    let desk = Desk::behind(with(Limits { streams_per_user: 2, ..Limits::default() })).await;
    let (token, another) = (desk.token("chen.jie").await, desk.token("chen.jie").await);
    let open = async |token: &str| {
        let request = super::desk::ask("GET", "/api/events", Some(token));
        desk.begin(request.body(axum::body::Body::empty()).unwrap()).await
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
