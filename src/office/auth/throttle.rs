//! Slows down guessing, per name and per address. Kept in memory: a restart forgives.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Failures of one name that cost nothing: people mistype.
const FREE_PER_NAME: u32 = 5;

/// Failures from one address that cost nothing: an office shares one.
const FREE_PER_ADDRESS: u32 = 30;

/// The first wait, ms; each further failure doubles it.
const FIRST_WAIT: i64 = 1_000;

/// The longest wait, ms. A name can be kept waiting by others, so it stays bearable.
const LONGEST_WAIT: i64 = 5 * 60 * 1_000;

/// A failure is forgotten after this time without another, ms.
const FORGET: i64 = 60 * 60 * 1_000;

/// Names and addresses that are remembered; beyond, the oldest go first.
const MOST: usize = 20_000;

/// Who failed how often.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    failures: Mutex<HashMap<Key, Failures>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Name(String),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: i64,
}

impl Throttle {
    /// Seconds until the next attempt is heard, or `None` where it is heard now. An attempt that
    /// is heard counts as failed until [`succeeded`](Self::succeeded), so that many at once can't
    /// slip through together.
    pub(super) fn attempt(&self, name: &str, address: IpAddr, now: i64) -> Option<u64> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MOST {
            shrink(&mut failures, now);
        }
        let keys = [(Key::of_name(name), FREE_PER_NAME), (Key::Address(address), FREE_PER_ADDRESS)];
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
    pub(super) fn succeeded(&self, name: &str, address: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&Key::of_name(name));
        if let Some(known) = failures.get_mut(&Key::Address(address)) {
            known.count = known.count.saturating_sub(1);
        }
    }
}

impl Key {
    /// Names of any length come from outside: a bounded part tells them apart well enough.
    fn of_name(name: &str) -> Self {
        Self::Name(name.chars().take(100).collect())
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
    if failures.len() >= MOST {
        let mut times: Vec<i64> = failures.values().map(|known| known.last).collect();
        let (_, middle, _) = times.select_nth_unstable(MOST / 2);
        let middle = *middle;
        failures.retain(|_, known| known.last > middle);
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
            assert_eq!(throttle.attempt("wu.min", HERE, 0), None);
        }
        assert_eq!(throttle.attempt("wu.min", HERE, 0), Some(1));
        assert_eq!(throttle.attempt("wu.min", HERE, 1_000), None);
        assert_eq!(throttle.attempt("wu.min", HERE, 1_001), Some(2));
        assert_eq!(throttle.attempt("sun.yan", HERE, 1_001), None);
        assert_eq!(throttle.attempt("wu.min", HERE, 3_000), None);
        throttle.succeeded("wu.min", HERE);
        assert_eq!(throttle.attempt("wu.min", HERE, 3_000), None);
    }

    #[test]
    fn an_address_that_tries_many_names_waits() {
        let throttle = Throttle::default();
        for n in 0..30 {
            assert_eq!(throttle.attempt(&format!("name{n}"), HERE, 0), None);
        }
        assert_eq!(throttle.attempt("wu.min", HERE, 0), Some(1));
        let other = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
        assert_eq!(throttle.attempt("wu.min", other, 0), None);
    }

    #[test]
    fn waits_end_and_failures_are_forgotten() {
        let throttle = Throttle::default();
        let mut now = 0;
        for _ in 0..100 {
            if let Some(seconds) = throttle.attempt("wu.min", HERE, now) {
                assert!(seconds <= 300);
                now += i64::try_from(seconds).unwrap() * 1_000;
            }
        }
        now += FORGET + LONGEST_WAIT;
        for _ in 0..5 {
            assert_eq!(throttle.attempt("wu.min", HERE, now), None);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..(2 * MOST) {
            let address = IpAddr::V6(std::net::Ipv6Addr::from(n as u128));
            throttle.attempt(&n.to_string(), address, i64::try_from(n).unwrap());
        }
        assert!(throttle.failures.lock().unwrap().len() <= MOST + 2);
    }
}
