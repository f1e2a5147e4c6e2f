//! Which URLs the office sends messages to. Phones name them, so a lying one must not make the
//! office call its own network.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Longest URL of a subscription, bytes.
const LONGEST: usize = 1024;

/// A URL that the office may send to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) url: Url,
    /// Of a push service that the operator named; it may be in a private network.
    pub(super) is_own: bool,
}

impl Endpoint {
    /// Checks a URL; `own` are the origins of the operator's push services.
    pub(super) fn parse(text: &str, own: &[String]) -> Option<Self> {
        let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST)?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return None;
        }
        if own.contains(&url.origin().ascii_serialization()) {
            return Some(Self { url, is_own: true });
        }
        // A name with a dot: no address, and no name of the local network.
        let named = url.domain().is_some_and(|name| name.trim_end_matches('.').contains('.'));
        (url.scheme() == "https" && url.port().is_none() && named)
            .then_some(Self { url, is_own: false })
    }

    /// The push service's origin.
    pub(super) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

/// Resolves names to public addresses only.
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|found| is_public(found.ip())).collect();
            if public.is_empty() {
                return Err(io::Error::other("no public address").into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            let documentation = (first, second) == (0x2001, 0x0db8);
            // Addresses that contain a v4 address, which may be private.
            let tunnelled = first == 0x2002 || (first, second) == (0x2001, 0);
            (0x2000..0x4000).contains(&first) && !documentation && !tunnelled
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let shared = first == 100 && (64..128).contains(&second);
    let benchmark = first == 198 && (18..20).contains(&second);
    let protocols = (first, second, third) == (192, 0, 0);
    let reserved = first == 0 || first >= 224;
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || shared
        || benchmark
        || protocols
        || reserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_urls_with_a_public_name_are_accepted() {
        let own = ["http://127.0.0.1:9000".to_owned()];
        let accepts = |text: &str| Endpoint::parse(text, &own).is_some();
        for good in [
            "https://fcm.googleapis.com/fcm/send/abc",
            "https://updates.push.services.mozilla.com/wpush/v2/abc",
            "https://web.push.apple.com/abc",
            "http://127.0.0.1:9000/abc",
        ] {
            assert!(accepts(good), "{good}");
        }
        for bad in [
            "http://fcm.googleapis.com/abc",
            "https://localhost/abc",
            "https://database/abc",
            "https://10.0.0.1/abc",
            "https://93.184.216.34/abc",
            "https://2130706433/abc",
            "https://0x7f.1/abc",
            "https://[::1]/abc",
            "https://fcm.googleapis.com:8443/abc",
            "https://user@fcm.googleapis.com/abc",
            "https://fcm.googleapis.com/abc#part",
            "http://127.0.0.1:9001/abc",
            "ftp://fcm.googleapis.com/abc",
            "file:///etc/passwd",
            "",
        ] {
            assert!(!accepts(bad), "{bad}");
        }
        assert!(!accepts(&format!("https://fcm.googleapis.com/{}", "a".repeat(LONGEST))));
    }

    #[test]
    fn private_addresses_are_not_public() {
        let public = |text: &str| is_public(text.parse().unwrap());
        for good in ["93.184.216.34", "142.250.1.1", "2a00:1450:4001::1", "100.128.0.1"] {
            assert!(public(good), "{good}");
        }
        for bad in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "203.0.113.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "2001::1",
            "ff02::1",
        ] {
            assert!(!public(bad), "{bad}");
        }
    }
}
