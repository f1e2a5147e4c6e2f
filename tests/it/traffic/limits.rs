//! Connections, heads, bodies and rates.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use doorstep::office::http::{Limits, TrafficConfig, TrustedProxies};

use super::connection::Listening;
use crate::support::http_office::{Answer, HttpOffice, ask};

const SHORT: Duration = Duration::from_millis(100);

fn with(limits: Limits) -> TrafficConfig {
    TrafficConfig { limits, ..TrafficConfig::default() }
}

#[tokio::test]
async fn who_says_nothing_or_half_a_head_is_hung_up_on() {
    let office =
        Listening::behind(with(Limits { first_request: SHORT, ..Limits::default() })).await;
    let (mut silent, mut slow) = (office.wire().await, office.wire().await);
    slow.send("GET /healthz HTTP/1.1\r\nhost:").await;
    assert!(silent.is_hung_up().await);
    assert!(slow.is_hung_up().await);
}

#[tokio::test]
async fn a_connection_that_rests_too_long_is_closed() {
    let office = Listening::behind(with(Limits { idle: SHORT, ..Limits::default() })).await;
    let mut wire = office.wire().await;
    assert_eq!(wire.get("/healthz").await.unwrap().0, 200);
    assert!(wire.is_hung_up().await);
}

#[tokio::test]
async fn a_body_that_stops_coming_is_given_up() {
    let office = Listening::behind(with(Limits { body_pause: SHORT, ..Limits::default() })).await;
    let token = office.http.token("chen.jie").await;
    let mut wire = office.wire().await;
    wire.begin_round(&token, 100).await;
    wire.send([2; 10]).await;
    let (status, text) = wire.answer().await.unwrap();
    assert_eq!(status, 408, "{text}");
    assert!(text.contains("\"code\":\"timeout\""), "{text}");
}

#[tokio::test]
async fn a_body_that_drips_for_ever_is_given_up() {
    let limits = Limits { body_grace: SHORT, body_rate: 1 << 30, ..Limits::default() };
    let office = Listening::behind(with(limits)).await;
    let token = office.http.token("chen.jie").await;
    let mut wire = office.wire().await;
    wire.begin_round(&token, 4_000_000).await;
    // The office answers in the middle of it, or hangs up.
    while tokio::io::AsyncWriteExt::write_all(&mut wire.0, &[2; 64]).await.is_ok() {
        tokio::task::yield_now().await;
        if wire.0.try_read(&mut [0; 16]).is_ok_and(|count| count > 0) {
            return;
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_comes() {
    let office = Listening::behind(TrafficConfig::default()).await;
    let token = office.http.token("chen.jie").await;
    let mut wire = office.wire().await;
    wire.begin_round(&token, 1 << 40).await;
    assert_eq!(wire.answer().await.unwrap().0, 413);
    let mut wire = office.wire().await;
    let line = format!("x-pad: {}\r\n", "x".repeat(70_000));
    wire.send(format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{line}")).await;
    assert_eq!(wire.answer().await.unwrap().0, 431, "so is a head");
}

#[tokio::test]
async fn connections_of_one_address_are_bounded_and_those_that_end_make_room() {
    let limits = Limits { connections_per_address: 2, exempt_local: false, ..Limits::default() };
    let office = Listening::behind(with(limits)).await;
    let mut first = office.until_answered().await;
    let mut second = office.until_answered().await;
    assert!(office.wire().await.is_hung_up().await);
    assert_eq!(second.get("/healthz").await.unwrap().0, 200, "the others are served");
    assert_eq!(first.get("/healthz").await.unwrap().0, 200);
    drop(first);
    office.until_answered().await;
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_given_up() {
    let limits = Limits { connections: 1, stalled_read: SHORT, ..Limits::default() };
    let office = Listening::behind(with(limits)).await;
    let mut stalled = office.until_answered().await;
    stalled.send("GET /assets/large-7a8b9c.bin HTTP/1.1\r\nhost: x\r\n\r\n").await;
    // There is room for one connection: for another only once this one is given up.
    office.until_answered().await;
}

/// A request as it comes from an address.
async fn from(http: &HttpOffice, address: &str, request: axum::http::request::Builder) -> Answer {
    let mut request: Request<Body> = request.body(Body::empty()).unwrap();
    let socket: SocketAddr = address.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(socket));
    http.ask(request).await
}

#[tokio::test]
async fn a_user_who_asks_too_often_from_any_device_is_told_when_to_come_again() {
    let http = HttpOffice::behind(with(Limits { user_rate: (3, 1), ..Limits::default() })).await;
    let (token, other) = (http.token("chen.jie").await, http.token("wu.min").await);
    let me = async |address, token: &str| {
        from(&http, address, ask("GET", "/api/session", Some(token))).await
    };
    for _ in 0..3 {
        assert_eq!(me("192.0.2.7:1", &token).await.status, 200);
    }
    let refused = me("192.0.2.7:1", &token).await;
    assert_eq!(refused.code(), (429, "rate_limited".into()));
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(me("198.51.100.1:1", &token).await.status, 429, "the user, not the address");
    let second = http.token("chen.jie").await;
    assert_eq!(me("192.0.2.7:1", &second).await.status, 429, "nor the device");
    assert_eq!(me("192.0.2.7:1", &other).await.status, 200);
    assert_eq!(me("127.0.0.1:1", &token).await.status, 200, "this machine's programs are spared");
}

#[tokio::test]
async fn strangers_share_the_rate_of_their_address() {
    let limits = Limits { anonymous_rate: (3, 1), ..Limits::default() };
    let proxies = TrustedProxies::new(["10.0.0.1".parse().unwrap()]);
    let http =
        HttpOffice::behind(TrafficConfig { limits, proxies, ..TrafficConfig::default() }).await;
    let never_given = "0".repeat(64);
    for (path, token, status) in [
        ("/api/session", None, 401),
        ("/api/session", Some(never_given.as_str()), 401),
        ("/api/openapi.json", None, 200),
        ("/api/session", None, 429),
        ("/api/session", Some(never_given.as_str()), 429),
        ("/api/openapi.json", None, 429),
    ] {
        let answer = from(&http, "192.0.2.7:1", ask("GET", path, token)).await;
        assert_eq!(answer.status, status, "{path}");
    }
    let token = http.token("wu.min").await;
    let answer = from(&http, "192.0.2.7:1", ask("GET", "/api/session", Some(&token))).await;
    assert_eq!(answer.status, 200, "who is signed in there is let through");
    // Through a proxy the client counts, not the proxy; what a client claims does not.
    let by = |client: &str| ask("GET", "/api/session", None).header("x-forwarded-for", client);
    for n in 0..3 {
        let answer = from(&http, "10.0.0.1:1", by(&format!("203.0.113.{n}, 198.51.100.1"))).await;
        assert_eq!(answer.status, 401);
    }
    assert_eq!(from(&http, "10.0.0.1:1", by("203.0.113.9, 198.51.100.1")).await.status, 429);
    assert_eq!(from(&http, "10.0.0.1:1", by("198.51.100.2")).await.status, 401);
    assert_eq!(from(&http, "192.0.2.7:1", by("198.51.100.3")).await.status, 429);
}

#[tokio::test]
async fn figures_are_for_the_own_machine_or_with_the_token() {
    let token = "a token of more than twenty letters";
    let setup = TrafficConfig { metrics_token: Some(token.to_owned()), ..TrafficConfig::default() };
    let http = HttpOffice::behind(setup).await;
    let get = |token| ask("GET", "/metrics", token);
    assert_eq!(from(&http, "127.0.0.1:1", get(None)).await.status, 200);
    let answer = from(&http, "192.0.2.7:1", get(None)).await;
    assert_eq!(answer.code(), (403, "not_allowed".into()));
    assert_eq!(from(&http, "192.0.2.7:1", get(Some("another"))).await.status, 403);
    let answer = from(&http, "192.0.2.7:1", get(Some(token))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    // A proxy on this machine brings strangers.
    let proxied = get(None).header("x-forwarded-for", "192.0.2.7");
    assert_eq!(from(&http, "127.0.0.1:1", proxied).await.status, 403);
    let admin = http.token("admin").await;
    assert_eq!(from(&http, "192.0.2.7:1", get(Some(&admin))).await.status, 403);
}
