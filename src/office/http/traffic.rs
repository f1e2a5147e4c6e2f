//! What stands between the network and the office: who is asking, how much of it, and when
//! enough is enough.
//!
//! Everything that a stranger can make the office hold or do has a bound here ([`Limits`]), and
//! past each bound stands a cheap answer that says when to come again, never a failure. A place
//! to work in ([`admission`]) is given only to a request that is whole, so that a slow sender holds
//! none; what bodies hold of the memory meanwhile is bounded ([`bodies`]). `docs/SECURITY.md` has
//! the table of all figures and their reasons.

mod admission_queue;
mod bodies;
mod client_addr;
pub(super) mod connections;
mod fair_queue;
mod limits;
mod rates;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
pub(super) use client_addr::ClientAddr;
pub use client_addr::TrustedProxies;
pub use limits::{BodyLimits, CallerLimits, Limits, QueueLimits};

use super::Problem;
use super::health::Readiness;
use super::metrics::Metrics;
use admission_queue::{AdmissionQueue, Place};
use bodies::{BodyDeadline, BodyMemory, BodyReservation};
use connections::Connections;
use fair_queue::FairQueue;
pub(super) use fair_queue::{FairPermit, RequestSource};
use rates::RateLimits;
use sha2::{Digest, Sha256};

/// When a user who has too many streams may try again: one that broke off is noticed by then.
const STREAMS_AGAIN: Duration = Duration::from_secs(30);

/// The bounds, and what counts towards them now. Clones share it.
#[derive(Clone)]
pub struct Traffic(Arc<Shared>);

struct Shared {
    limits: Limits,
    proxies: TrustedProxies,
    metrics: Metrics,
    /// SHA-256 of the metrics token, where there is one.
    keeper: Option<[u8; 32]>,
    readiness: Readiness,
    connections: Arc<Connections>,
    rates: RateLimits,
    identities: AdmissionQueue,
    rounds: Lane,
    pieces: Lane,
    reads: Lane,
    sign_ins: Lane,
    sheets: Lane,
    /// Open streams of each user who has any.
    streams: Mutex<BTreeMap<String, usize>>,
}

/// A queue, and the room for its bodies.
struct Lane {
    admission: FairQueue,
    bodies: Arc<BodyMemory>,
}

/// What an traffic is made with.
pub struct TrafficConfig {
    /// The bounds.
    pub limits: Limits,
    /// TrustedProxies that are believed.
    pub proxies: TrustedProxies,
    /// The figures.
    pub metrics: Metrics,
    /// A token with which others than this machine may read the figures.
    pub metrics_token: Option<String>,
}

impl Default for TrafficConfig {
    /// The bounds as they are documented, and nothing counted.
    fn default() -> Self {
        let (limits, proxies) = (Limits::default(), TrustedProxies::default());
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

impl Default for Traffic {
    fn default() -> Self {
        Self::new(TrafficConfig::default())
    }
}

impl Traffic {
    /// Bounds at work.
    pub fn new(setup: TrafficConfig) -> Self {
        let TrafficConfig { limits, proxies, metrics, metrics_token } = setup;
        let pace = BodyDeadline::of(&limits);
        let lane = |name, turns, of_device, of_user, bodies| Lane {
            admission: FairQueue::new(AdmissionQueue::new(name, turns), of_device, of_user),
            bodies: BodyMemory::new(bodies, pace),
        };
        let Limits { rounds_per_user, pieces_per_user, reads_per_user, sheets_per_user, .. } =
            limits;
        let of_device = Some(limits.rounds_per_device);
        Self(Arc::new(Shared {
            connections: Arc::new(Connections::new(&limits, proxies.clone())),
            rates: RateLimits::new(&limits),
            identities: AdmissionQueue::new("identities", limits.identities),
            rounds: lane(
                "rounds",
                limits.rounds,
                of_device,
                Some(rounds_per_user),
                limits.round_bodies,
            ),
            pieces: lane("pieces", limits.pieces, None, Some(pieces_per_user), limits.piece_bodies),
            reads: lane("reads", limits.reads, None, Some(reads_per_user), limits.read_bodies),
            sign_ins: lane("sign_ins", limits.sign_ins, None, None, limits.sign_in_bodies),
            sheets: lane("sheets", limits.sheets, None, Some(sheets_per_user), limits.sheet_bodies),
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
    pub(super) fn has_metrics_token(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION);
        let token = bearer.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let hash = token.map(|token| <[u8; 32]>::from(Sha256::digest(token.trim())));
        hash.is_some() && hash == self.0.keeper
    }

    pub(super) fn proxies(&self) -> &TrustedProxies {
        &self.0.proxies
    }

    pub(super) fn connections(&self) -> &Arc<Connections> {
        &self.0.connections
    }

    fn lane(&self, queue: Queue) -> &Lane {
        match queue {
            Queue::Rounds => &self.0.rounds,
            Queue::Pieces => &self.0.pieces,
            Queue::Reads => &self.0.reads,
            Queue::SignIns => &self.0.sign_ins,
            Queue::Sheets => &self.0.sheets,
        }
    }

    /// QueuedRoute for a place in a queue, not for long.
    pub(super) async fn admit(
        &self,
        queue: Queue,
        who: &RequestSource,
    ) -> Result<FairPermit, Problem> {
        self.lane(queue).admission.admit(who).await
    }

    /// Takes in a body that is no longer than `most`; what is given with it holds its room.
    pub(super) async fn receive(
        &self,
        queue: Queue,
        who: &RequestSource,
        body: Body,
        announced: Option<usize>,
        most: usize,
    ) -> Result<(Bytes, BodyReservation), Problem> {
        let who = who.quota_key(self.0.limits.exempt_local);
        self.lane(queue).bodies.receive(who, body, announced, most).await
    }

    /// Refuses a round that would find no place to wait in, before anything is looked up for it:
    /// phones come together when a network returns, and telling them so must cost next to nothing.
    pub(super) fn check_rounds_full(&self) -> Result<(), Problem> {
        self.0.rounds.admission.check_full()
    }

    /// QueuedRoute for a place to find out who is asking.
    pub(super) async fn identity(&self) -> Result<Place, Problem> {
        self.0.identities.enter().await
    }

    /// Whether a user may ask now. Devices of one user share a rate: anybody can enrol more.
    pub(super) fn check_user_rate(&self, peer: ClientAddr, user: &str) -> Result<(), Problem> {
        self.0.rates.user(peer, user)
    }

    /// Whether an address may ask without being signed in.
    pub(super) fn check_anonymous_rate(&self, peer: ClientAddr) -> Result<(), Problem> {
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
        Ok(Stream { traffic: self.clone(), user: user.to_owned() })
    }

    /// Forgets who has not asked for long. Called now and then.
    pub(super) fn forget_idle(&self) {
        self.0.rates.forget_idle();
    }
}

/// A stream of events that counts.
pub(super) struct Stream {
    traffic: Traffic,
    user: String,
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut streams = self.traffic.0.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = streams.get_mut(&self.user) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                streams.remove(&self.user);
            }
        }
    }
}
