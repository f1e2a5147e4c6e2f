//! Limits on connections, and a timeout for clients that stop reading.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

use super::super::metrics;
use super::client_addr::TrustedProxies;
use super::limits::Limits;
use super::rates::network;

/// The connections that are open.
pub(crate) struct Connections {
    most: usize,
    most_per_address: usize,
    exempt_local: bool,
    proxies: TrustedProxies,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    /// Only of addresses that have any.
    by_address: HashMap<IpAddr, usize>,
}

impl Connections {
    pub(super) fn new(limits: &Limits, proxies: TrustedProxies) -> Self {
        Self {
            most: limits.connections,
            most_per_address: limits.connections_per_address,
            exempt_local: limits.exempt_local,
            proxies,
            open: Mutex::default(),
        }
    }

    /// Counts one more, unless at the limit.
    fn enter(self: &Arc<Self>, from: SocketAddr) -> Option<ConnectionGuard> {
        let address = from.ip().to_canonical();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= self.most {
            return None;
        }
        // A proxy's connections belong to many clients.
        let many = self.proxies.contains(address) || (self.exempt_local && address.is_loopback());
        let address = (!many).then(|| network(address));
        if let Some(address) = address {
            let count = open.by_address.entry(address).or_default();
            if *count >= self.most_per_address {
                return None;
            }
            *count += 1;
        }
        open.all += 1;
        metrics::connections(open.all);
        Some(ConnectionGuard { connections: Arc::clone(self), address })
    }
}

/// Counts a connection until it is dropped.
struct ConnectionGuard {
    connections: Arc<Connections>,
    address: Option<IpAddr>,
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        metrics::connections(open.all);
        let Some(address) = self.address else { return };
        if let Some(count) = open.by_address.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

/// Accepts connections within the limits.
#[derive(Clone)]
pub(crate) struct Bounded {
    connections: Arc<Connections>,
    stalled: Duration,
}

impl Bounded {
    pub(crate) fn new(connections: Arc<Connections>, stalled: Duration) -> Self {
        Self { connections, stalled }
    }

    fn take(&self, stream: TcpStream) -> io::Result<TimedStream> {
        // Answers are written in one piece: Nagle's algorithm would only delay them.
        stream.set_nodelay(true)?;
        let Some(guard) = self.connections.enter(stream.peer_addr()?) else {
            metrics::shed_connection();
            // Closing is cheapest; a phone treats it as a bad link and backs off.
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "too many connections"));
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.stalled));
        Ok(TimedStream { stream: Box::pin(stream), _guard: guard })
    }
}

impl<S> Accept<TcpStream, S> for Bounded {
    type Stream = TimedStream;
    type Service = S;
    type Future = std::future::Ready<io::Result<(TimedStream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        std::future::ready(self.take(stream).map(|stream| (stream, service)))
    }
}

/// A counted connection that fails if the client reads nothing for too long.
pub(crate) struct TimedStream {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    _guard: ConnectionGuard,
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(context, into)
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_bounded_in_all_and_per_address() {
        let limits = Limits {
            connections: 4,
            connections_per_address: 2,
            exempt_local: false,
            ..Limits::default()
        };
        let proxy: SocketAddr = "10.0.0.1:1".parse().unwrap();
        let connections = Arc::new(Connections::new(&limits, TrustedProxies::new([proxy.ip()])));
        let enter = |from: &str| connections.enter(from.parse().unwrap());
        let first = enter("192.0.2.7:1").unwrap();
        let _second = enter("192.0.2.7:2").unwrap();
        assert!(enter("192.0.2.7:3").is_none());
        let _proxied = [connections.enter(proxy).unwrap(), connections.enter(proxy).unwrap()];
        assert!(enter("192.0.2.8:1").is_none(), "that would be the fifth");
        drop(first);
        let again = enter("192.0.2.8:1");
        assert!(again.is_some());
        let open = connections.open.lock().unwrap();
        assert_eq!((open.all, open.by_address.len()), (4, 2));
    }
}
