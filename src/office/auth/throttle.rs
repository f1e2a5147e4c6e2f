//! Slows down password guessing, per name and per address. In memory only: a restart resets it.
//!
//! An attacker can block a name by guessing at it. So attempts from one of the user's devices are
//! counted separately, and per address: colleagues can read a device's id in any shared record, and
//! must not be able to block that device from elsewhere.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use crate::ids::DeviceId;

/// Failures of one name without a wait: people mistype.
const FREE_PER_NAME: u32 = 5;

/// Failures from one address without a wait: an office shares one.
const FREE_PER_ADDRESS: u32 = 30;

/// The first wait, ms; each further failure doubles it.
const FIRST_WAIT: i64 = 1_000;

/// The longest wait, ms: short enough for a user whose name an attacker blocks.
const LONGEST_WAIT: i64 = 5 * 60 * 1_000;

/// A failure is forgotten after this time without another, ms.
const FORGET: i64 = 60 * 60 * 1_000;

/// Names and addresses that are remembered. Beyond this, those with the fewest failures go first, so
/// that an attacker can't push out its own.
const MAX_ENTRIES: usize = 20_000;

/// Counts failures.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    failures: Mutex<HashMap<Key, Failures>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Name(String),
    Device(DeviceId, IpAddr),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: i64,
}

impl Throttle {
    /// Seconds until the next attempt is allowed, or `None` where it is allowed now. An allowed
    /// attempt counts as failed until [`succeeded`](Self::succeeded), so that concurrent attempts
    /// don't get around the limit. `own` is a device of that user.
    pub(super) fn attempt(
        &self,
        name: &str,
        own: Option<DeviceId>,
        address: IpAddr,
        now: i64,
    ) -> Option<u64> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MAX_ENTRIES {
            shrink(&mut failures, now);
        }
        let keys = [
            (Key::of_user(name, own, address), FREE_PER_NAME),
            (Key::of(address), FREE_PER_ADDRESS),
        ];
        let until = keys
            .iter()
            .filter_map(|(key, free)| failures.get(key).map(|known| known.until(*free)))
            .max()
            .unwrap_or(now);
        if until > now {
            return Some(seconds_up(until - now));
        }
        for (key, _) in keys {
            let known = failures.entry(key).or_insert(Failures { count: 0, last: now });
            let count = if now - known.last > FORGET { 0 } else { known.count };
            *known = Failures { count: count.saturating_add(1), last: now };
        }
        None
    }

    /// Takes back what the attempt counted: the name starts anew, the address keeps its others,
    /// or one own account would pay for guessing at many.
    pub(super) fn succeeded(&self, name: &str, own: Option<DeviceId>, address: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&Key::of_user(name, own, address));
        if let Some(known) = failures.get_mut(&Key::of(address)) {
            known.count = known.count.saturating_sub(1);
        }
    }
}

impl Key {
    /// Names of any length come from outside: a bounded part tells them apart well enough.
    fn of_user(name: &str, own: Option<DeviceId>, address: IpAddr) -> Self {
        match own {
            Some(device) => Self::Device(device, network(address)),
            None => Self::Name(name.chars().take(100).collect()),
        }
    }

    fn of(address: IpAddr) -> Self {
        Self::Address(network(address))
    }
}

/// An IPv6 subscriber has a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Failures {
    /// When the next attempt is heard.
    fn until(self, free: u32) -> i64 {
        let Some(over) = self.count.checked_sub(free) else { return i64::MIN };
        let wait = FIRST_WAIT.checked_shl(over).filter(|wait| (1..LONGEST_WAIT).contains(wait));
        self.last.saturating_add(wait.unwrap_or(LONGEST_WAIT))
    }
}

fn seconds_up(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0).div_ceil(1_000)
}

fn shrink(failures: &mut HashMap<Key, Failures>, now: i64) {
    failures.retain(|_, known| now - known.last <= FORGET);
    if failures.len() >= MAX_ENTRIES {
        let rank = |known: &Failures| (known.count, known.last);
        let mut ranks: Vec<_> = failures.values().map(rank).collect();
        let (_, middle, _) = ranks.select_nth_unstable(MAX_ENTRIES / 2);
        let middle = *middle;
        let above = failures.values().filter(|known| rank(known) > middle).count();
        let mut room = (MAX_ENTRIES / 2).saturating_sub(above);
        failures.retain(|_, known| match rank(known).cmp(&middle) {
            Ordering::Less => false,
            Ordering::Equal if room == 0 => false,
            Ordering::Equal => {
                room -= 1;
                true
            }
            Ordering::Greater => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_name_waits_longer_and_longer_and_starts_anew_after_success() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            assert_eq!(throttle.attempt("wu.min", None, HERE, 0), None);
        }
        assert_eq!(throttle.attempt("wu.min", None, HERE, 0), Some(1));
        assert_eq!(throttle.attempt("wu.min", None, HERE, 1_000), None);
        assert_eq!(throttle.attempt("wu.min", None, HERE, 1_001), Some(2));
        assert_eq!(throttle.attempt("sun.yan", None, HERE, 1_001), None);
        assert_eq!(throttle.attempt("wu.min", None, HERE, 3_000), None);
        throttle.succeeded("wu.min", None, HERE);
        assert_eq!(throttle.attempt("wu.min", None, HERE, 3_000), None);
    }

    #[test]
    fn an_address_that_tries_many_names_waits() {
        let throttle = Throttle::default();
        for n in 0..30 {
            assert_eq!(throttle.attempt(&format!("name{n}"), None, HERE, 0), None);
        }
        assert_eq!(throttle.attempt("wu.min", None, HERE, 0), Some(1));
        let other = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
        assert_eq!(throttle.attempt("wu.min", None, other, 0), None);
    }

    #[test]
    fn strangers_lock_nobody_out_of_the_own_device() {
        let throttle = Throttle::default();
        let elsewhere = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
        for second in 0..1_000 {
            throttle.attempt("wu.min", None, elsewhere, second * 1_000);
        }
        let (own, now) = (Some(DeviceId([1; 16])), 1_000_000);
        assert!(throttle.attempt("wu.min", None, HERE, now).is_some());
        assert_eq!(throttle.attempt("wu.min", own, HERE, now), None);
        for _ in 0..4 {
            assert_eq!(throttle.attempt("wu.min", own, HERE, now), None);
        }
        assert_eq!(
            throttle.attempt("wu.min", own, HERE, now),
            Some(1),
            "a stolen phone guesses too"
        );
    }

    #[test]
    fn knowing_a_device_id_locks_no_user_out_of_it() {
        let throttle = Throttle::default();
        let own = Some(DeviceId([1; 16]));
        let elsewhere = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
        let guesses = (0..100).map(|_| throttle.attempt("wu.min", own, elsewhere, 0));
        assert!(guesses.last().unwrap().is_some(), "guessing is slowed down there");
        assert_eq!(throttle.attempt("wu.min", own, HERE, 0), None);
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let throttle = Throttle::default();
        let within = |n: u128| IpAddr::V6(Ipv6Addr::from((0x2001_0db8_u128 << 96) | n));
        for n in 0..30 {
            assert_eq!(throttle.attempt(&format!("name{n}"), None, within(n), 0), None);
        }
        assert_eq!(throttle.attempt("wu.min", None, within(99), 0), Some(1));
    }

    #[test]
    fn a_flood_of_names_makes_nobody_s_failures_forgotten() {
        let throttle = Throttle::default();
        for n in 0..20 {
            throttle.attempt("wu.min", None, HERE, n * LONGEST_WAIT);
        }
        let now = 20 * LONGEST_WAIT - 1;
        for n in 0..(2 * MAX_ENTRIES) {
            let address = IpAddr::V6(Ipv6Addr::from((n as u128) << 64));
            throttle.attempt(&n.to_string(), None, address, now);
        }
        assert!(throttle.attempt("wu.min", None, HERE, now).is_some());
    }

    #[test]
    fn waits_end_and_failures_are_forgotten() {
        let throttle = Throttle::default();
        let mut now = 0;
        for _ in 0..100 {
            if let Some(seconds) = throttle.attempt("wu.min", None, HERE, now) {
                assert!(seconds <= 300);
                now += i64::try_from(seconds).unwrap() * 1_000;
            }
        }
        now += FORGET + LONGEST_WAIT;
        for _ in 0..5 {
            assert_eq!(throttle.attempt("wu.min", None, HERE, now), None);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..(2 * MAX_ENTRIES) {
            let address = IpAddr::V6(Ipv6Addr::from((n as u128) << 64));
            throttle.attempt(&n.to_string(), None, address, i64::try_from(n).unwrap());
        }
        assert!(throttle.failures.lock().unwrap().len() <= MAX_ENTRIES + 2);
    }
}
