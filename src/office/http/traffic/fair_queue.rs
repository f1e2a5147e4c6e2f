//! Fair admission: a request waits for its device's turn, then its user's, then a permit of the
//! queue.
//!
//! All three are bounded, so one device can't block its user's others, nor one user all others. The
//! permit is held until the work is done, even if the client disconnects.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Extensions;
use tokio::time::{Instant, timeout_at};

use super::super::extract::{Caller, RevokedCaller};
use super::super::{Problem, metrics};
use super::ClientAddr;
use super::admission_queue::{AdmissionQueue, Permit};
use super::limits::CallerLimits;
use super::rates::network;
use crate::ids::DeviceId;
use crate::office::intake::keyed_queue::{KeyedQueue, QueueFull, Slot};

/// `Retry-After` for a client with too many requests in progress.
const RETRY: Duration = Duration::from_secs(5);

/// The sender of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum RequestSource {
    /// A signed-in user, or one whose device was revoked.
    SignedIn {
        /// Sign-in name.
        user: String,
        /// The device that the sign-in is on.
        device: DeviceId,
    },
    /// Anybody.
    Anonymous(ClientAddr),
}

/// The key of a quota.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum QuotaKey {
    /// A user, on whichever device.
    User(String),
    /// All clients of a network that are not signed in.
    Network(IpAddr),
}

impl RequestSource {
    /// The sender of a request, as the guard identified it.
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

    /// `None` for programs on this machine, if they are exempt.
    pub(super) fn quota_key(&self, exempt_local: bool) -> Option<QuotaKey> {
        match self {
            Self::SignedIn { user, .. } => Some(QuotaKey::User(user.clone())),
            Self::Anonymous(peer) if peer.local && exempt_local => None,
            Self::Anonymous(peer) => Some(QuotaKey::Network(network(peer.address))),
        }
    }
}

/// One queue with fair admission.
pub(super) struct FairQueue {
    queue: AdmissionQueue,
    devices: Option<Arc<KeyedQueue<DeviceId>>>,
    users: Option<Arc<KeyedQueue<String>>>,
}

/// The right to run, until it is dropped.
#[derive(Debug)]
pub(in super::super) struct FairPermit {
    _permit: Permit,
    _user: Option<Slot<String>>,
    _device: Option<Slot<DeviceId>>,
}

impl FairQueue {
    pub(super) fn new(
        queue: AdmissionQueue,
        of_device: Option<CallerLimits>,
        of_user: Option<CallerLimits>,
    ) -> Self {
        let devices = of_device.map(|share| KeyedQueue::new(share.max_running, share.max_waiting));
        let users = of_user.map(|share| KeyedQueue::new(share.max_running, share.max_waiting));
        Self { queue, devices, users }
    }

    /// Waits for the turn of a request, up to the queue's longest wait.
    pub(super) async fn admit(&self, who: &RequestSource) -> Result<FairPermit, Problem> {
        let until = Instant::now() + self.queue.patience();
        let (device, user) = match who {
            RequestSource::SignedIn { user, device } => (
                self.turn_of(self.devices.as_ref(), device, until).await?,
                self.turn_of(self.users.as_ref(), user, until).await?,
            ),
            RequestSource::Anonymous(_) => (None, None),
        };
        let permit = self.queue.acquire().await?;
        Ok(FairPermit { _permit: permit, _user: user, _device: device })
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
            Ok(Err(QueueFull)) => Err(Problem::rate_limited(RETRY)),
            Err(_) => Err(metrics::shed(self.queue.name())),
        }
    }

    /// Refuses if [`FairQueue::admit`] would refuse at once. Takes no permit.
    pub(super) fn check_full(&self) -> Result<(), Problem> {
        self.queue.check_full()
    }
}
