//! Serves on a listener until the program is to stop.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::middleware::AddExtension;
use axum_server::Handle;
use axum_server::accept::Accept;
use axum_server::service::SendService;
use axum_server::tls_rustls::RustlsAcceptor;
use hyper::body::Incoming;
use hyper_util::rt::TokioTimer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::tls::Tls;
use super::traffic::Traffic;
use super::traffic::connections::Bounded;

/// What serves one connection.
type Service = AddExtension<Router, ConnectInfo<SocketAddr>>;

/// Bytes of a request's head; browsers send far fewer.
const HEAD: usize = 16 * 1024;

/// What HTTP/1 reads ahead; holds the largest head.
const READ_AHEAD: usize = 64 * 1024;

/// Requests at once on one connection of HTTP/2. A browser with several tabs needs a dozen.
const STREAMS: u32 = 64;

/// Interval of HTTP/2 pings on idle connections.
const PING: Duration = Duration::from_secs(30);

/// How often timings move into histograms and idle rate limits are dropped.
const UPKEEP: Duration = Duration::from_secs(5);

/// Serves until `stop`, then accepts no more connections, ends open streams through `closing` and
/// finishes running requests within [`Limits::grace`](super::Limits::grace).
pub async fn serve(
    router: Router,
    listener: TcpListener,
    tls: Option<Tls>,
    traffic: Traffic,
    closing: watch::Sender<bool>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let handle = Handle::new();
    let stopping = handle.clone();
    let grace = traffic.limits().grace;
    tokio::spawn(async move {
        stop.await;
        tracing::info!("stopping");
        closing.send_replace(true);
        stopping.graceful_shutdown(Some(grace));
        // Keep the sender until all streams have ended.
        closing.closed().await;
    });
    let tidying = tokio::spawn(upkeep(traffic.clone()));
    let bounded = Bounded::new(traffic.connections().clone(), traffic.limits().stalled_read);
    let served = match tls {
        None => run(router, listener, bounded, &traffic, handle).await,
        Some(tls) => {
            let renewing = tls.keep_renewing();
            let acceptor = RustlsAcceptor::new(tls.config).acceptor(bounded);
            let served = run(router, listener, acceptor, &traffic, handle).await;
            renewing.abort();
            served
        }
    };
    tidying.abort();
    served
}

async fn run<A>(
    router: Router,
    listener: TcpListener,
    acceptor: A,
    traffic: &Traffic,
    handle: Handle<SocketAddr>,
) -> io::Result<()>
where
    A: Accept<TcpStream, Service> + Clone + Send + Sync + 'static,
    A::Stream: AsyncRead + AsyncWrite + Unpin + Send,
    A::Service: SendService<Request<Incoming>> + Send,
    A::Future: Send,
{
    let limits = traffic.limits();
    let server = axum_server::from_tcp(listener)?.handle(handle);
    let mut server = server.first_request_timeout(limits.first_request).acceptor(acceptor);
    let http = server.http_builder();
    http.http1().timer(TokioTimer::new()).header_read_timeout(limits.idle).max_buf_size(READ_AHEAD);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD).unwrap_or(u32::MAX));
    server.serve(router.into_make_service_with_connect_info::<SocketAddr>()).await
}

async fn upkeep(traffic: Traffic) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        traffic.metrics().run_upkeep();
        traffic.forget_idle();
    }
}
