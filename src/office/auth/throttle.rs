//! Slows down password guessing, per name and per address. Endpoints count together, in the store. Only
//! attempts that are allowed write, and they end with a slow hash, so what an hour can add is bounded.
//!
//! An attacker can block a name by guessing at it. So attempts from one of the user's devices are
//! counted separately, and per address: colleagues can read a device's id in any shared record, and
//! must not be able to block that device from elsewhere.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::AuthError;
use crate::ids::DeviceId;
use crate::office::store::{CounterKey, Failures, Reads, Store, StoreError, Writes};

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

/// Counts failures.
pub(super) struct Throttle(Arc<dyn Store>);

/// The counters of an attempt, each with its failures without a wait.
type Counters = [(CounterKey, u32); 2];

impl Throttle {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    /// Seconds until the next attempt is allowed, or `None` where it is allowed now. An allowed
    /// attempt counts as failed until [`succeeded`](Self::succeeded), so that concurrent attempts
    /// don't get around the limit. `own` is a device of that user.
    pub(super) async fn attempt(
        &self,
        name: &str,
        own: Option<DeviceId>,
        address: IpAddr,
        now: i64,
    ) -> Result<Option<u64>, AuthError> {
        let counters =
            [(of_user(name, own, address), FREE_PER_NAME), (of(address), FREE_PER_ADDRESS)];
        // Attempts that have to wait cost no write.
        let store = Arc::clone(&self.0);
        let waits = move || store.read_with(|reads| Ok(look_up(reads, &counters, now)?.1));
        let waits = tokio::task::spawn_blocking(waits).await.map_err(|_| AuthError::Closing)??;
        if waits.is_some() {
            return Ok(waits);
        }
        Ok(self.0.write(move |tx| count(tx, &counters, now)).await?)
    }

    /// Takes back what the attempt counted: the name starts anew, the address keeps its others,
    /// or one own account would pay for guessing at many.
    pub(super) async fn succeeded(
        &self,
        name: &str,
        own: Option<DeviceId>,
        address: IpAddr,
    ) -> Result<(), StoreError> {
        let (user, address) = (of_user(name, own, address), of(address));
        let less = |known: Failures| Failures { count: known.count.saturating_sub(1), ..known };
        self.0
            .write(move |tx| {
                let known = tx.failures(address)?;
                tx.put_failures(user, None)?;
                tx.put_failures(address, known.map(less).filter(|known| known.count > 0))
            })
            .await
    }
}

/// What is known of each counter, and the seconds to wait.
fn look_up(
    reads: &mut dyn Reads,
    counters: &Counters,
    now: i64,
) -> Result<([Option<Failures>; 2], Option<u64>), StoreError> {
    reads.prefetch(&mut |reads| counters.iter().for_each(|(key, _)| drop(reads.failures(*key))));
    let (mut known, mut until) = ([None; 2], now);
    for ((key, free), known) in counters.iter().zip(&mut known) {
        *known = reads.failures(*key)?.filter(|known| now - known.last <= FORGET);
        until = until.max(known.map_or(now, |known| wait_end(known, *free)));
    }
    Ok((known, (until > now).then(|| seconds_up(until - now))))
}

fn count(tx: &mut dyn Writes, counters: &Counters, now: i64) -> Result<Option<u64>, StoreError> {
    let (known, waits) = look_up(tx, counters, now)?;
    if waits.is_none() {
        for ((key, _), known) in counters.iter().zip(known) {
            let count = known.map_or(0, |known| known.count).saturating_add(1);
            tx.put_failures(*key, Some(Failures { count, last: now }))?;
        }
        tx.expire_failures(now - FORGET)?;
    }
    Ok(waits)
}

/// An IPv6 subscriber has a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The counter of a name, or of a user's own device at an address.
fn of_user(name: &str, own: Option<DeviceId>, address: IpAddr) -> CounterKey {
    match own {
        Some(device) => hashed(&format!("device {device} {}", network(address))),
        None => hashed(&format!("name {name}")),
    }
}

fn of(address: IpAddr) -> CounterKey {
    hashed(&format!("address {}", network(address)))
}

fn hashed(text: &str) -> CounterKey {
    let mut key = CounterKey::default();
    key.iter_mut().zip(Sha256::digest(text)).for_each(|(byte, hash)| *byte = hash);
    key
}

/// When the next attempt is heard.
fn wait_end(known: Failures, free: u32) -> i64 {
    let Some(over) = known.count.checked_sub(free) else { return i64::MIN };
    let wait = FIRST_WAIT.checked_shl(over).filter(|wait| (1..LONGEST_WAIT).contains(wait));
    known.last.saturating_add(wait.unwrap_or(LONGEST_WAIT))
}

fn seconds_up(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0).div_ceil(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::office::store::InitialSecrets;
    use crate::office::store::sqlite::Sqlite;

    /// Two endpoints over one store, which take turns.
    struct Office {
        endpoints: [Throttle; 2],
        runtime: tokio::runtime::Runtime,
        attempts: std::cell::Cell<usize>,
        _folder: tempfile::TempDir,
    }

    impl Office {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let secrets =
                InitialSecrets { epoch: [1; 16], office_device: [2; 16], attestation_key: [3; 32] };
            let open = || {
                Throttle::new(Arc::new(Sqlite::open(&folder.path().join("db"), secrets).unwrap()))
            };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            Self { endpoints: [open(), open()], runtime, attempts: 0.into(), _folder: folder }
        }

        fn attempt(
            &self,
            name: &str,
            own: Option<DeviceId>,
            address: IpAddr,
            now: i64,
        ) -> Option<u64> {
            self.attempts.set(self.attempts.get() + 1);
            let endpoint = &self.endpoints[self.attempts.get() % 2];
            self.runtime.block_on(endpoint.attempt(name, own, address, now)).unwrap()
        }

        fn succeeded(&self, name: &str, own: Option<DeviceId>, address: IpAddr) {
            self.runtime.block_on(self.endpoints[0].succeeded(name, own, address)).unwrap();
        }
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_name_waits_longer_and_longer_and_starts_anew_after_success() {
        let throttle = Office::new();
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
        let throttle = Office::new();
        for n in 0..30 {
            assert_eq!(throttle.attempt(&format!("name{n}"), None, HERE, 0), None);
        }
        assert_eq!(throttle.attempt("wu.min", None, HERE, 0), Some(1));
        let other = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
        assert_eq!(throttle.attempt("wu.min", None, other, 0), None);
    }

    #[test]
    fn strangers_lock_nobody_out_of_the_own_device() {
        let throttle = Office::new();
        let elsewhere = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
        for second in 0..200 {
            throttle.attempt("wu.min", None, elsewhere, second * 1_000);
        }
        let (own, now) = (Some(DeviceId([1; 16])), 200_000);
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
        let throttle = Office::new();
        let own = Some(DeviceId([1; 16]));
        let elsewhere = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
        let guesses = (0..100).map(|_| throttle.attempt("wu.min", own, elsewhere, 0));
        assert!(guesses.last().unwrap().is_some(), "guessing is slowed down there");
        assert_eq!(throttle.attempt("wu.min", own, HERE, 0), None);
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let throttle = Office::new();
        let within = |n: u128| IpAddr::V6(Ipv6Addr::from((0x2001_0db8_u128 << 96) | n));
        for n in 0..30 {
            assert_eq!(throttle.attempt(&format!("name{n}"), None, within(n), 0), None);
        }
        assert_eq!(throttle.attempt("wu.min", None, within(99), 0), Some(1));
    }

    #[test]
    fn waits_end_and_failures_are_forgotten() {
        let throttle = Office::new();
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
}
