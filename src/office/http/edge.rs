//! What stands between the network and the office: who is asking, how much of it, and when
//! enough is enough.
//!
//! Everything that a stranger can make the office hold or do has a bound here ([`Limits`]), and
//! past each bound stands a cheap answer that says when to come again, never a failure. A place
//! to work in ([`gate`]) is given only to a request that is whole, so that a slow sender holds
//! none; the bytes of those that wait are bounded together ([`Edge::room`]). `docs/SECURITY.md`
//! has the table of all figures and their reasons.

pub(super) mod connections;
mod gate;
mod limits;
mod peer;
mod rates;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use axum::http::{HeaderMap, header};
pub use limits::{Limits, Turns};
pub(super) use peer::Peer;
pub use peer::Proxies;

use super::Problem;
use super::health::Readiness;
use super::metrics::{self, Metrics};
use connections::Connections;
use gate::Gate;
pub(super) use gate::Place;
use rates::Rates;
use sha2::{Digest, Sha256};

/// When a user who has too many streams may try again: one that broke off is noticed by then.
const STREAMS_AGAIN: Duration = Duration::from_secs(30);

/// The bounds, and what counts towards them now. Clones share it.
#[derive(Clone)]
pub struct Edge(Arc<Shared>);

struct Shared {
    limits: Limits,
    proxies: Proxies,
    metrics: Metrics,
    /// SHA-256 of the metrics token, where there is one.
    keeper: Option<[u8; 32]>,
    readiness: Readiness,
    connections: Arc<Connections>,
    rates: Rates,
    identities: Gate,
    rounds: Gate,
    pieces: Gate,
    reads: Gate,
    sign_ins: Gate,
    sheets: Gate,
    room: Arc<Semaphore>,
    /// Open streams of each user who has any.
    streams: Mutex<BTreeMap<String, usize>>,
}

/// What an edge is made with.
pub struct Setup {
    /// The bounds.
    pub limits: Limits,
    /// Proxies that are believed.
    pub proxies: Proxies,
    /// The figures.
    pub metrics: Metrics,
    /// A token with which others than this machine may read the figures.
    pub metrics_token: Option<String>,
}

impl Default for Setup {
    /// The bounds as they are documented, and nothing counted.
    fn default() -> Self {
        let (limits, proxies) = (Limits::default(), Proxies::default());
        Self { limits, proxies, metrics: Metrics::none(), metrics_token: None }
    }
}

/// Which queue a request stands in. Each has places of its own, so that phones can't keep the
/// console out, nor guessers of passwords either of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queue {
    /// Rounds of phones.
    Rounds,
    /// Attachments, up in pieces and down.
    Pieces,
    /// What the console reads and writes.
    Reads,
    /// Signing in.
    SignIns,
    /// Case lists in and exports out.
    Sheets,
}

impl Default for Edge {
    fn default() -> Self {
        Self::new(Setup::default())
    }
}

impl Edge {
    /// Bounds at work.
    pub fn new(setup: Setup) -> Self {
        let Setup { limits, proxies, metrics, metrics_token } = setup;
        Self(Arc::new(Shared {
            connections: Arc::new(Connections::new(&limits, proxies.clone())),
            rates: Rates::new(&limits),
            identities: Gate::new("identities", limits.identities),
            rounds: Gate::new("rounds", limits.rounds),
            pieces: Gate::new("pieces", limits.pieces),
            reads: Gate::new("reads", limits.reads),
            sign_ins: Gate::new("sign_ins", limits.sign_ins),
            sheets: Gate::new("sheets", limits.sheets),
            room: Arc::new(Semaphore::new(kib(limits.body_bytes))),
            streams: Mutex::default(),
            keeper: metrics_token.map(|token| Sha256::digest(token).into()),
            readiness: Readiness::default(),
            metrics,
            proxies,
            limits,
        }))
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(super) fn readiness(&self) -> &Readiness {
        &self.0.readiness
    }

    /// Whether a request has the metrics token. Hashes are compared, so that the time which that
    /// takes says nothing about the token.
    pub(super) fn is_keeper(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION);
        let token = bearer.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let hash = token.map(|token| <[u8; 32]>::from(Sha256::digest(token.trim())));
        hash.is_some() && hash == self.0.keeper
    }

    pub(super) fn proxies(&self) -> &Proxies {
        &self.0.proxies
    }

    pub(super) fn connections(&self) -> &Arc<Connections> {
        &self.0.connections
    }

    /// Waits for a place in a queue, not for long.
    pub(super) async fn turn(&self, queue: Queue) -> Result<Place, Problem> {
        let gate = match queue {
            Queue::Rounds => &self.0.rounds,
            Queue::Pieces => &self.0.pieces,
            Queue::Reads => &self.0.reads,
            Queue::SignIns => &self.0.sign_ins,
            Queue::Sheets => &self.0.sheets,
        };
        gate.enter().await
    }

    /// Refuses a round that would find no place to wait in, before anything is looked up for it:
    /// phones come together when a network returns, and telling them so must cost next to nothing.
    pub(super) fn round_may_wait(&self) -> Result<(), Problem> {
        self.0.rounds.glance()
    }

    /// Waits for a place to find out who is asking.
    pub(super) async fn identity(&self) -> Result<Place, Problem> {
        self.0.identities.enter().await
    }

    /// Room for the bytes of a body. Given back when the permit is dropped.
    pub(super) async fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let room = Arc::clone(&self.0.room);
        let wanted = u32::try_from(kib(bytes).clamp(1, kib(self.0.limits.body_bytes)));
        let wait = self.0.limits.rounds.patience;
        let taken = room.acquire_many_owned(wanted.unwrap_or(u32::MAX));
        match tokio::time::timeout(wait, taken).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(metrics::shed("room")),
        }
    }

    /// Whether a user may ask now. Devices of one user share a rate: anybody can enrol more.
    pub(super) fn user_may_ask(&self, peer: Peer, user: &str) -> Result<(), Problem> {
        self.0.rates.user(peer, user)
    }

    /// Whether an address may ask without being signed in.
    pub(super) fn stranger_may_ask(&self, peer: Peer) -> Result<(), Problem> {
        self.0.rates.stranger(peer)
    }

    /// A place for a stream of events, until it is dropped.
    pub(super) fn stream(&self, user: &str) -> Result<Stream, Problem> {
        let mut streams = self.0.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let open = streams.entry(user.to_owned()).or_default();
        if *open >= self.0.limits.streams_per_user {
            return Err(Problem::rate_limited(STREAMS_AGAIN));
        }
        *open += 1;
        Ok(Stream { edge: self.clone(), user: user.to_owned() })
    }

    /// Forgets who has not asked for long. Called now and then.
    pub(super) fn forget_the_quiet(&self) {
        self.0.rates.forget_the_quiet();
    }
}

/// A stream of events that counts.
pub(super) struct Stream {
    edge: Edge,
    user: String,
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut streams = self.edge.0.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = streams.get_mut(&self.user) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                streams.remove(&self.user);
            }
        }
    }
}

fn kib(bytes: usize) -> usize {
    bytes.div_ceil(1024)
}
