//! Traffic control between the network and the office: client addresses, rate limits, memory for
//! bodies, and bounded queues.
//!
//! Everything that a client can make the office hold or do has a bound here ([`Limits`]). Past a
//! bound the client gets a cheap answer with `Retry-After`, never a failure. Only a request that has
//! arrived whole gets a permit to run ([`fair_queue`]), so that slow senders hold none; the memory of
//! arriving bodies is bounded too ([`bodies`]). `docs/SECURITY.md` lists all limits with their
//! reasons.

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
use admission_queue::{AdmissionQueue, Permit};
use bodies::{BodyDeadline, BodyMemory, BodyReservation};
use connections::Connections;
use fair_queue::FairQueue;
pub(super) use fair_queue::{FairPermit, RequestSource};
use rates::RateLimits;
use sha2::{Digest, Sha256};

/// `Retry-After` for too many streams: a broken one is noticed by then.
const STREAM_RETRY: Duration = Duration::from_secs(30);

/// The limits and the current usage. Clones share it.
#[derive(Clone)]
pub struct Traffic(Arc<Shared>);

struct Shared {
    limits: Limits,
    proxies: TrustedProxies,
    metrics: Metrics,
    /// SHA-256 of the metrics token, if there is one.
    metrics_token: Option<[u8; 32]>,
    readiness: Readiness,
    connections: Arc<Connections>,
    rates: RateLimits,
    identities: AdmissionQueue,
    rounds: QueueState,
    pieces: QueueState,
    reads: QueueState,
    sign_ins: QueueState,
    sheets: QueueState,
    /// Open streams of each user who has any.
    streams: Mutex<BTreeMap<String, usize>>,
}

/// A queue, and the memory for its bodies.
struct QueueState {
    admission: FairQueue,
    bodies: Arc<BodyMemory>,
}

/// Settings of [`Traffic`].
pub struct TrafficConfig {
    /// The limits.
    pub limits: Limits,
    /// Proxies whose forwarding headers are trusted.
    pub proxies: TrustedProxies,
    /// Where traffic is counted.
    pub metrics: Metrics,
    /// Lets other machines read the metrics.
    pub metrics_token: Option<String>,
}

impl Default for TrafficConfig {
    /// The documented limits, without metrics.
    fn default() -> Self {
        let (limits, proxies) = (Limits::default(), TrustedProxies::default());
        Self { limits, proxies, metrics: Metrics::none(), metrics_token: None }
    }
}

/// The queue of a request. Each has its own permits, so that phones can't starve the console, nor
/// password guessing either of them.
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
    /// Starts with nothing in use.
    pub fn new(setup: TrafficConfig) -> Self {
        let TrafficConfig { limits, proxies, metrics, metrics_token } = setup;
        let deadline = BodyDeadline::of(&limits);
        let queue = |name, limits, of_device, of_user, bodies| QueueState {
            admission: FairQueue::new(AdmissionQueue::new(name, limits), of_device, of_user),
            bodies: BodyMemory::new(bodies, deadline),
        };
        let Limits { rounds_per_user, pieces_per_user, reads_per_user, sheets_per_user, .. } =
            limits;
        let of_device = Some(limits.rounds_per_device);
        Self(Arc::new(Shared {
            connections: Arc::new(Connections::new(&limits, proxies.clone())),
            rates: RateLimits::new(&limits),
            identities: AdmissionQueue::new("identities", limits.identities),
            rounds: queue(
                "rounds",
                limits.rounds,
                of_device,
                Some(rounds_per_user),
                limits.round_bodies,
            ),
            pieces: queue(
                "pieces",
                limits.pieces,
                None,
                Some(pieces_per_user),
                limits.piece_bodies,
            ),
            reads: queue("reads", limits.reads, None, Some(reads_per_user), limits.read_bodies),
            sign_ins: queue("sign_ins", limits.sign_ins, None, None, limits.sign_in_bodies),
            sheets: queue(
                "sheets",
                limits.sheets,
                None,
                Some(sheets_per_user),
                limits.sheet_bodies,
            ),
            streams: Mutex::default(),
            metrics_token: metrics_token.map(|token| Sha256::digest(token).into()),
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

    /// Whether a request has the metrics token. Comparing hashes keeps the timing independent of the
    /// token.
    pub(super) fn has_metrics_token(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION);
        let token = bearer.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let hash = token.map(|token| <[u8; 32]>::from(Sha256::digest(token.trim())));
        hash.is_some() && hash == self.0.metrics_token
    }

    pub(super) fn proxies(&self) -> &TrustedProxies {
        &self.0.proxies
    }

    pub(super) fn connections(&self) -> &Arc<Connections> {
        &self.0.connections
    }

    fn queue(&self, queue: Queue) -> &QueueState {
        match queue {
            Queue::Rounds => &self.0.rounds,
            Queue::Pieces => &self.0.pieces,
            Queue::Reads => &self.0.reads,
            Queue::SignIns => &self.0.sign_ins,
            Queue::Sheets => &self.0.sheets,
        }
    }

    /// Waits for a permit of a queue, up to its longest wait.
    pub(super) async fn admit(
        &self,
        queue: Queue,
        who: &RequestSource,
    ) -> Result<FairPermit, Problem> {
        self.queue(queue).admission.admit(who).await
    }

    /// Reads a body of at most `most` bytes; its memory is reserved until the reservation is dropped.
    pub(super) async fn receive(
        &self,
        queue: Queue,
        who: &RequestSource,
        body: Body,
        announced: Option<usize>,
        most: usize,
    ) -> Result<(Bytes, BodyReservation), Problem> {
        let who = who.quota_key(self.0.limits.exempt_local);
        self.queue(queue).bodies.receive(who, body, announced, most).await
    }

    /// Refuses a round early if the queue is full, before any lookup: when a network returns, many
    /// phones come at once, and refusing them has to be cheap.
    pub(super) fn check_rounds_full(&self) -> Result<(), Problem> {
        self.0.rounds.admission.check_full()
    }

    /// Waits for a permit to look up a session.
    pub(super) async fn identity(&self) -> Result<Permit, Problem> {
        self.0.identities.acquire().await
    }

    /// Counts a request against its user's rate, which all devices of the user share.
    pub(super) fn check_user_rate(&self, peer: ClientAddr, user: &str) -> Result<(), Problem> {
        self.0.rates.user(peer, user)
    }

    /// Counts a request without a sign-in against the rate of its address.
    pub(super) fn check_anonymous_rate(&self, peer: ClientAddr) -> Result<(), Problem> {
        self.0.rates.stranger(peer)
    }

    /// Counts an event stream of a user until it is dropped.
    pub(super) fn stream(&self, user: &str) -> Result<Stream, Problem> {
        let mut streams = self.0.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let open = streams.entry(user.to_owned()).or_default();
        if *open >= self.0.limits.streams_per_user {
            return Err(Problem::rate_limited(STREAM_RETRY));
        }
        *open += 1;
        Ok(Stream { traffic: self.clone(), user: user.to_owned() })
    }

    /// Drops the state of clients that are within their rate anyway. To be called regularly.
    pub(super) fn forget_idle(&self) {
        self.0.rates.forget_idle();
    }
}

/// An event stream that counts towards its user's limit.
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
