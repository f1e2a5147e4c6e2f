//! Serves on a listener until the program is to stop.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use tokio::sync::watch;

/// How long requests that run may go on once the program is to stop.
const GRACE: Duration = Duration::from_secs(20);

/// A client that connects and says nothing is given up after this.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);

/// A certificate and its key, ready to serve with.
#[derive(Debug, Clone)]
pub struct Tls(RustlsConfig);

impl Tls {
    /// Reads the chain, the own certificate first, and the private key; both PEM.
    pub async fn load(certificate: &Path, key: &Path) -> io::Result<Self> {
        RustlsConfig::from_pem_file(certificate, key).await.map(Self)
    }
}

/// Serves until `stop`, then takes no more connections, ends open streams by way of `closing`
/// and finishes what runs.
pub async fn serve(
    router: Router,
    listener: TcpListener,
    tls: Option<Tls>,
    closing: watch::Sender<bool>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let handle = Handle::new();
    let stopping = handle.clone();
    tokio::spawn(async move {
        stop.await;
        closing.send_replace(true);
        stopping.graceful_shutdown(Some(GRACE));
        // Kept until all streams have heard it.
        closing.closed().await;
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut server = axum_server::from_tcp(listener)?.handle(handle);
    let http = server.http_builder();
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
    http.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD_PATIENCE);
    match tls {
        None => server.acceptor(NoDelayAcceptor::new()).serve(service).await,
        Some(Tls(config)) => {
            let acceptor = RustlsAcceptor::new(config).acceptor(NoDelayAcceptor::new());
            server.acceptor(acceptor).serve(service).await
        }
    }
}
