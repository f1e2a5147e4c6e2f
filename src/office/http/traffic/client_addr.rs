//! The address of a client.
//!
//! Forwarding headers are trusted only from proxies that the operator named: anybody can write one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Headers that reveal a proxy.
const PROXY_HEADERS: [HeaderName; 3] =
    [FORWARDED_FOR, HeaderName::from_static("forwarded"), HeaderName::from_static("x-real-ip")];

/// Addresses of proxies whose forwarding headers are trusted.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[IpAddr]>);

impl TrustedProxies {
    /// Trusts these.
    pub fn new(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self(addresses.into_iter().collect())
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

/// The client of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClientAddr {
    /// The client's address, as far as it is known.
    pub(crate) address: IpAddr,
    /// A program on this machine that is no proxy.
    pub(crate) local: bool,
}

impl ClientAddr {
    /// An unknown, untrusted client.
    pub(crate) fn unknown() -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), local: false }
    }

    /// The client of a request.
    pub(crate) fn of(
        extensions: &Extensions,
        headers: &HeaderMap,
        proxies: &TrustedProxies,
    ) -> Self {
        let Some(ConnectInfo(socket)) = extensions.get::<ConnectInfo<SocketAddr>>() else {
            // Only requests without a network, as in tests, have no address.
            return Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), local: true };
        };
        let next = socket.ip().to_canonical();
        if proxies.contains(next) {
            let address = forwarded(headers, proxies).unwrap_or(next);
            return Self { address, local: false };
        }
        let came_by_proxy = PROXY_HEADERS.iter().any(|name| headers.contains_key(name));
        Self { address: next, local: next.is_loopback() && !came_by_proxy }
    }
}

/// The last address in the list that is not a trusted proxy: the client may have written the entries
/// before it.
fn forwarded(headers: &HeaderMap, proxies: &TrustedProxies) -> Option<IpAddr> {
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    lines
        .into_iter()
        .rev()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.rsplit(','))
        .map_while(|word| word.trim().parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
        .find(|address| !proxies.contains(*address))
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddr {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // Set by the outermost layer.
        Ok(parts.extensions.get().copied().unwrap_or_else(Self::unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(from: &str, forwarded: &[&str]) -> (String, bool) {
        let mut extensions = Extensions::new();
        let socket: SocketAddr = from.parse().unwrap();
        extensions.insert(ConnectInfo(socket));
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let proxies =
            TrustedProxies::new(["10.0.0.1".parse().unwrap(), "127.0.0.1".parse().unwrap()]);
        let peer = ClientAddr::of(&extensions, &headers, &proxies);
        (peer.address.to_string(), peer.local)
    }

    #[test]
    fn only_a_named_proxy_is_believed_and_only_its_own_word() {
        let there = |address: &str| (address.to_owned(), false);
        assert_eq!(peer("192.0.2.7:1", &["198.51.100.1"]), there("192.0.2.7"));
        assert_eq!(peer("10.0.0.1:1", &["198.51.100.1"]), there("198.51.100.1"));
        assert_eq!(peer("10.0.0.1:1", &["1.1.1.1, 198.51.100.1"]), there("198.51.100.1"));
        assert_eq!(
            peer("10.0.0.1:1", &["1.1.1.1", "198.51.100.1, 127.0.0.1"]),
            there("198.51.100.1")
        );
        assert_eq!(peer("10.0.0.1:1", &["1.1.1.1, rubbish"]), there("10.0.0.1"));
        assert_eq!(peer("10.0.0.1:1", &[]), there("10.0.0.1"));
        assert_eq!(peer("[::ffff:192.0.2.7]:1", &[]), there("192.0.2.7"));
    }

    #[test]
    fn this_machine_is_local_unless_a_proxy_runs_on_it() {
        assert_eq!(peer("127.0.0.2:1", &[]), ("127.0.0.2".to_owned(), true));
        assert_eq!(peer("[::1]:1", &[]), ("::1".to_owned(), true));
        assert_eq!(peer("[::1]:1", &["198.51.100.1"]), ("::1".to_owned(), false));
        assert_eq!(peer("127.0.0.1:1", &["198.51.100.1"]), ("198.51.100.1".to_owned(), false));
    }
}
