//! Who is let to work, and when: a device's own turn, then its user's, then a place of the queue.
//!
//! Each of the three has an end, so one device keeps its user's others working, and one user all
//! others, whatever they send. What is given is held until the work is done, not until a client
//! stops waiting for it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Extensions;
use tokio::time::{Instant, timeout_at};

use super::super::extract::{Caller, RevokedCaller};
use super::super::{Problem, metrics};
use super::ClientAddr;
use super::admission_queue::{AdmissionQueue, Place};
use super::limits::CallerLimits;
use super::rates::network;
use crate::ids::DeviceId;
use crate::office::intake::keyed_queue::{KeyedQueue, QueueFull, Slot};

/// When a client with too many requests at work may retry.
const AGAIN: Duration = Duration::from_secs(5);

/// Who a request is from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum RequestSource {
    /// Somebody who is signed in, or was until the office shut them out.
    SignedIn {
        /// Sign-in name.
        user: String,
        /// The device that the sign-in is on.
        device: DeviceId,
    },
    /// Anybody.
    Anonymous(ClientAddr),
}

/// Whose share something counts towards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum QuotaKey {
    /// A user, on whichever device.
    User(String),
    /// Whoever is at an address without being signed in.
    Network(IpAddr),
}

impl RequestSource {
    /// The sender of a request, as the guard found out.
    pub(in super::super) fn of(extensions: &Extensions) -> Self {
        let caller = extensions.get::<Caller>().map(|caller| &caller.identity.session);
        let revoked = extensions.get::<RevokedCaller>().map(|RevokedCaller(session, _)| session);
        match (caller.or(revoked), extensions.get::<ClientAddr>()) {
            (Some(session), _) => {
                Self::SignedIn { user: session.user.clone(), device: session.device }
            }
            (None, peer) => Self::Anonymous(peer.copied().unwrap_or_else(ClientAddr::unknown)),
        }
    }

    /// `None` for programs of this machine, where they are spared.
    pub(super) fn quota_key(&self, exempt_local: bool) -> Option<QuotaKey> {
        match self {
            Self::SignedIn { user, .. } => Some(QuotaKey::User(user.clone())),
            Self::Anonymous(peer) if peer.local && exempt_local => None,
            Self::Anonymous(peer) => Some(QuotaKey::Network(network(peer.address))),
        }
    }
}

/// The way into one queue.
pub(super) struct FairQueue {
    gate: AdmissionQueue,
    devices: Option<Arc<KeyedQueue<DeviceId>>>,
    users: Option<Arc<KeyedQueue<String>>>,
}

/// A place at work, until it is dropped.
#[derive(Debug)]
pub(in super::super) struct FairPermit {
    _place: Place,
    _user: Option<Slot<String>>,
    _device: Option<Slot<DeviceId>>,
}

impl FairQueue {
    pub(super) fn new(
        gate: AdmissionQueue,
        of_device: Option<CallerLimits>,
        of_user: Option<CallerLimits>,
    ) -> Self {
        let devices = of_device.map(|share| KeyedQueue::new(share.max_running, share.max_waiting));
        let users = of_user.map(|share| KeyedQueue::new(share.max_running, share.max_waiting));
        Self { gate, devices, users }
    }

    /// QueuedRoute for the turn of a request, not for long.
    pub(super) async fn admit(&self, who: &RequestSource) -> Result<FairPermit, Problem> {
        let until = Instant::now() + self.gate.patience();
        let (device, user) = match who {
            RequestSource::SignedIn { user, device } => (
                self.turn_of(self.devices.as_ref(), device, until).await?,
                self.turn_of(self.users.as_ref(), user, until).await?,
            ),
            RequestSource::Anonymous(_) => (None, None),
        };
        let place = self.gate.enter().await?;
        Ok(FairPermit { _place: place, _user: user, _device: device })
    }

    async fn turn_of<K: Ord + Clone>(
        &self,
        queue: Option<&Arc<KeyedQueue<K>>>,
        key: &K,
        until: Instant,
    ) -> Result<Option<Slot<K>>, Problem> {
        let Some(queue) = queue else { return Ok(None) };
        match timeout_at(until, queue.acquire(key.clone())).await {
            Ok(Ok(slot)) => Ok(Some(slot)),
            Ok(Err(QueueFull)) => Err(Problem::rate_limited(AGAIN)),
            Err(_) => Err(metrics::shed(self.gate.name())),
        }
    }

    /// Refuses where [`FairQueue::admit`] would at once. Costs nothing, and gives no place.
    pub(super) fn check_full(&self) -> Result<(), Problem> {
        self.gate.check_full()
    }
}
