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
use super::Peer;
use super::gate::{Gate, Place};
use super::limits::Share;
use super::rates::network;
use crate::ids::DeviceId;
use crate::office::intake::keyed_queue::{KeyedQueue, QueueFull, Slot};

/// When a client with too many requests at work may retry.
const AGAIN: Duration = Duration::from_secs(5);

/// Who a request is from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Who {
    /// Somebody who is signed in, or was until the office shut them out.
    Known {
        /// Sign-in name.
        user: String,
        /// The device that the sign-in is on.
        device: DeviceId,
    },
    /// Anybody.
    Stranger(Peer),
}

/// Whose share something counts towards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Payer {
    /// A user, on whichever device.
    User(String),
    /// Whoever is at an address without being signed in.
    Network(IpAddr),
}

impl Who {
    /// The sender of a request, as the guard found out.
    pub(in super::super) fn of(extensions: &Extensions) -> Self {
        let caller = extensions.get::<Caller>().map(|caller| &caller.identity.session);
        let revoked = extensions.get::<RevokedCaller>().map(|RevokedCaller(session, _)| session);
        match (caller.or(revoked), extensions.get::<Peer>()) {
            (Some(session), _) => {
                Self::Known { user: session.user.clone(), device: session.device }
            }
            (None, peer) => Self::Stranger(peer.copied().unwrap_or_else(Peer::unknown)),
        }
    }

    /// `None` for programs of this machine, where they are spared.
    pub(super) fn payer(&self, spare_local: bool) -> Option<Payer> {
        match self {
            Self::Known { user, .. } => Some(Payer::User(user.clone())),
            Self::Stranger(peer) if peer.local && spare_local => None,
            Self::Stranger(peer) => Some(Payer::Network(network(peer.address))),
        }
    }
}

/// The way into one queue.
pub(super) struct Admission {
    gate: Gate,
    devices: Option<Arc<KeyedQueue<DeviceId>>>,
    users: Option<Arc<KeyedQueue<String>>>,
}

/// A place at work, until it is dropped.
#[derive(Debug)]
pub(in super::super) struct Admitted {
    _place: Place,
    _user: Option<Slot<String>>,
    _device: Option<Slot<DeviceId>>,
}

impl Admission {
    pub(super) fn new(gate: Gate, of_device: Option<Share>, of_user: Option<Share>) -> Self {
        let devices = of_device.map(|share| KeyedQueue::new(share.at_once, share.waiting));
        let users = of_user.map(|share| KeyedQueue::new(share.at_once, share.waiting));
        Self { gate, devices, users }
    }

    /// Waits for the turn of a request, not for long.
    pub(super) async fn admit(&self, who: &Who) -> Result<Admitted, Problem> {
        let until = Instant::now() + self.gate.patience();
        let (device, user) = match who {
            Who::Known { user, device } => (
                self.turn_of(self.devices.as_ref(), device, until).await?,
                self.turn_of(self.users.as_ref(), user, until).await?,
            ),
            Who::Stranger(_) => (None, None),
        };
        let place = self.gate.enter().await?;
        Ok(Admitted { _place: place, _user: user, _device: device })
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

    /// Refuses where [`Admission::admit`] would at once. Costs nothing, and gives no place.
    pub(super) fn check_full(&self) -> Result<(), Problem> {
        self.gate.glance()
    }
}
