//! Rate limits. Kept in memory: a restart resets them.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::super::Problem;
use super::client_addr::ClientAddr;
use super::limits::Limits;

pub(super) struct RateLimits {
    clock: DefaultClock,
    users: DefaultKeyedRateLimiter<String>,
    strangers: DefaultKeyedRateLimiter<IpAddr>,
    exempt_local: bool,
}

impl RateLimits {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            clock: DefaultClock::default(),
            users: RateLimiter::keyed(quota(limits.user_rate)),
            strangers: RateLimiter::keyed(quota(limits.anonymous_rate)),
            exempt_local: limits.exempt_local,
        }
    }

    pub(super) fn user(&self, peer: ClientAddr, user: &str) -> Result<(), Problem> {
        if peer.local && self.exempt_local {
            return Ok(());
        }
        self.ask(&self.users, &user.to_owned())
    }

    pub(super) fn stranger(&self, peer: ClientAddr) -> Result<(), Problem> {
        if peer.local && self.exempt_local {
            return Ok(());
        }
        self.ask(&self.strangers, &network(peer.address))
    }

    pub(super) fn forget_idle(&self) {
        self.users.retain_recent();
        self.strangers.retain_recent();
    }

    fn ask<K: Hash + Eq + Clone>(
        &self,
        rates: &DefaultKeyedRateLimiter<K>,
        key: &K,
    ) -> Result<(), Problem> {
        rates
            .check_key(key)
            .map_err(|not_until| Problem::rate_limited(not_until.wait_time_from(self.clock.now())))
    }
}

/// One customer of a network has a /64 of IPv6 at the least.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

fn quota((burst, a_second): (u32, u32)) -> Quota {
    let least = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    let every = Duration::from_secs(1) / least(a_second).get();
    let quota = Quota::with_period(every).unwrap_or(Quota::per_second(NonZeroU32::MIN));
    quota.allow_burst(least(burst))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_and_each_network_has_its_own_rate() {
        let limits = Limits {
            user_rate: (2, 1),
            anonymous_rate: (2, 1),
            exempt_local: false,
            ..Limits::default()
        };
        let rates = RateLimits::new(&limits);
        let peer = |text: &str| ClientAddr { address: text.parse().unwrap(), local: false };
        let here = peer("192.0.2.7");
        for _ in 0..2 {
            rates.user(here, "chen.jie").unwrap();
            rates.stranger(peer("2001:db8::1")).unwrap();
        }
        assert_eq!(rates.user(here, "chen.jie").unwrap_err().code(), "rate_limited");
        rates.user(here, "wu.min").unwrap();
        // Another address of the same network.
        assert_eq!(rates.stranger(peer("2001:db8::2")).unwrap_err().code(), "rate_limited");
        rates.stranger(peer("2001:db8:0:1::1")).unwrap();
    }

    #[test]
    fn programs_on_this_machine_are_exempt() {
        let rates = RateLimits::new(&Limits { user_rate: (1, 1), ..Limits::default() });
        let here = ClientAddr { address: "127.0.0.1".parse().unwrap(), local: true };
        for _ in 0..10 {
            rates.user(here, "chen.jie").unwrap();
        }
    }
}
