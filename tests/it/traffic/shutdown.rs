//! How the office stops: nothing new, what was begun is finished, within a bound. And when it
//! says that it is not ready.

use std::time::Duration;

use doorstep::office::http::{Limits, TrafficConfig};
use doorstep::sync::message::{Request, encode_request};

use super::connection::{Listening, Wire};
use crate::support::http_office::HttpOffice;

#[tokio::test]
async fn a_shutdown_finishes_running_rounds_and_accepts_no_new_ones() {
    let mut office = Listening::behind(TrafficConfig::default()).await;
    let token = office.http.token("chen.jie").await;
    let body = encode_request(&Request::default());
    let mut begun = office.wire().await;
    begun.begin_round(&token, body.len()).await;
    begun.send(&body[..1]).await;
    let mut events = office.wire().await;
    let head =
        format!("GET /api/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
    events.send(head).await;
    assert_eq!(events.answer().await.unwrap().0, 200);

    office.stop();
    // The stream ends, and then the port is closed.
    while !events.is_hung_up().await {}
    let refused = async || tokio::net::TcpStream::connect(office.address).await;
    while let Ok(stream) = refused().await {
        // Accepted by the system before the office closed the port.
        assert!(Wire(stream).get("/healthz").await.is_none());
    }
    assert_eq!(office.http.get("/readyz", None).await.code(), (503, "closing".into()));

    begun.send(&body[1..]).await;
    let (status, text) = begun.answer().await.unwrap();
    assert_eq!(status, 200);
    assert!(text.contains("connection: close"), "{text}");
    office.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn stopping_waits_no_longer_than_its_grace() {
    let limits = Limits { grace: Duration::from_millis(100), ..Limits::default() };
    let mut office = Listening::behind(TrafficConfig { limits, ..TrafficConfig::default() }).await;
    let token = office.http.token("chen.jie").await;
    let mut never = office.wire().await;
    never.begin_round(&token, 100).await;
    never.send([2]).await;
    office.stop();
    office.served.await.unwrap().unwrap();
    assert!(never.is_hung_up().await);
}

#[tokio::test]
async fn an_office_whose_store_takes_no_writes_is_not_ready() {
    let limits = Limits { ready: Duration::from_millis(100), ..Limits::default() };
    let http = HttpOffice::behind(TrafficConfig { limits, ..TrafficConfig::default() }).await;
    let other = rusqlite::Connection::open(http.office.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = http.get("/readyz", None).await;
    assert_eq!(answer.code(), (503, "not_ready".into()));
    assert_eq!(http.get("/healthz", None).await.status, 200, "it runs");
    other.execute_batch("ROLLBACK").unwrap();
    // What was found holds for a moment.
    while http.get("/readyz", None).await.status != 200 {
        tokio::task::yield_now().await;
    }
}
