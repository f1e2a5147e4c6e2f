//! Notices for phones whose app is closed, by Web Push (RFC 8030): new work, returned work, a
//! changed appointment. A notice has no personal data: its text is one of three fixed keys, and the
//! phone learns the rest when it synchronizes.
//!
//! Notices are queued in the transaction that commits their cause, and sent by any endpoint. One may
//! be sent twice, for instance after a crash; it replaces itself on the phone.

mod delivery;
mod encryption;
mod endpoint;
mod hours;
mod vapid;

use std::time::Duration;

use p256::{PublicKey, SecretKey};
use tokio::task::JoinSet;

pub use delivery::PushServices;
use delivery::{Delivery, Message, TTL_S};
use encryption::{POINT, Recipient};
use endpoint::Endpoint;
pub use hours::NoticeHours;
use vapid::Vapid;

use super::store::{
    DueNotice, EntryKind, Notice, NoticeBasis, PushSubscription, StoreError, Writes,
};
use super::{Office, OfficeError, Session, random};
use crate::ids::DeviceId;
use crate::record::terms::ReviewStatus;
use crate::record::view::VisitSummary;

/// Wait before a notice is sent, so that an import or a series of edits makes one, ms.
pub const GATHER_MS: i64 = 10_000;

/// How often the queue is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// Notices that are sent at once.
const AT_ONCE: u32 = 32;

/// After the first failed attempt, ms; doubles with each one.
const FIRST_RETRY_MS: i64 = 60_000;

/// Longest wait between two attempts, ms, whatever a push service says.
const LONGEST_RETRY_MS: i64 = 60 * 60_000;

/// A subscription as a phone sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubscription {
    /// URL of the push service.
    pub endpoint: String,
    /// The browser's P-256 key.
    pub public_key: Vec<u8>,
    /// The browser's authentication secret.
    pub auth: [u8; 16],
    /// When notices may be shown.
    pub hours: NoticeHours,
}

/// Why a subscription was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionRefusal {
    /// The endpoint is not an https URL of a public push service.
    Endpoint,
    /// The key is not a point of the curve.
    Key,
    /// The sign-in has ended meanwhile.
    SignedOut,
}

/// The notice about a committed state for a collector who did not author it; `kind` is that of the
/// feed's entry, `before` the rows that the state replaces.
pub(super) fn notice_about(
    kind: EntryKind,
    before: Option<&NoticeBasis>,
    after: &VisitSummary,
) -> Option<Notice> {
    match kind {
        EntryKind::Added => return Some(Notice::NewWork),
        EntryKind::Withdrawn => return None,
        EntryKind::Changed => {}
    }
    let before = before?;
    let returned = after.review_status == ReviewStatus::Returned;
    if returned && before.review_status != ReviewStatus::Returned {
        return Some(Notice::ReturnedWork);
    }
    let appointment = (after.starts_at, after.ends_at, after.appointment_status);
    (appointment != before.appointment).then_some(Notice::Appointment)
}

impl Office {
    /// The same with other push services.
    pub fn with_push_services(self, services: PushServices) -> Self {
        Self { push_services: services.into(), ..self }
    }

    /// The key by which push services know the office, base64url. Browsers need it to subscribe.
    pub fn push_key(&self) -> Option<String> {
        self.vapid().map(|vapid| vapid.public_key())
    }

    /// The key is derived from the office's stored key: it is the same at every endpoint and after a
    /// restore, or all phones would have to subscribe again.
    fn vapid(&self) -> Option<Vapid> {
        // One in 2^32 values is no valid key.
        let mut keys = (0..8).map(|n| self.attestor.push_key(n));
        keys.find_map(|bytes| SecretKey::from_slice(&bytes).ok()).map(Vapid::new)
    }

    /// The subscription of a phone.
    pub async fn push_subscription(
        &self,
        device: DeviceId,
    ) -> Result<Option<PushSubscription>, OfficeError> {
        let now = self.now();
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| reads.push_subscription(device, now))?)
        })
        .await
    }

    /// Subscribes the phone of a session; replaces its former subscription.
    pub async fn subscribe_push(
        &self,
        session: &Session,
        asked: NewSubscription,
    ) -> Result<Result<(), SubscriptionRefusal>, OfficeError> {
        if Endpoint::parse(&asked.endpoint, self.push_services.own()).is_none() {
            return Ok(Err(SubscriptionRefusal::Endpoint));
        }
        let is_point = PublicKey::from_sec1_bytes(&asked.public_key).is_ok();
        if !is_point || asked.public_key.len() != POINT {
            return Ok(Err(SubscriptionRefusal::Key));
        }
        let (session, now) = (session.clone(), self.now());
        let stored = self.store.write(move |tx| {
            let sign_in = tx.sign_in_on(session.device)?.filter(|sign_in| {
                sign_in.user == session.user && !sign_in.ended && sign_in.expires_at > now
            });
            let Some(sign_in) = sign_in else { return Ok(Err(SubscriptionRefusal::SignedOut)) };
            tx.put_push_subscription(&PushSubscription {
                device: session.device,
                user: sign_in.user,
                signed_in_at: sign_in.created_at,
                endpoint: asked.endpoint.clone(),
                public_key: asked.public_key.clone(),
                auth: asked.auth,
                zone: asked.hours.zone.name().to_owned(),
                from_minute: asked.hours.from_minute,
                until_minute: asked.hours.until_minute,
            })?;
            Ok(Ok(()))
        });
        Ok(stored.await?)
    }

    /// Deletes the subscription of a phone with its queued notices.
    pub async fn unsubscribe_push(&self, device: DeviceId) -> Result<(), OfficeError> {
        Ok(self.store.write(move |tx| tx.delete_push_subscription(device)).await?)
    }

    /// Sends queued notices until the office closes.
    pub async fn keep_notifying(&self) {
        let mut rounds = tokio::time::interval(EVERY);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            match self.send_notices().await {
                Ok(_) => {}
                Err(OfficeError::Closing | OfficeError::Store(StoreError::Closed)) => return,
                Err(error) => tracing::warn!(%error, "notices could not be sent"),
            }
        }
    }

    /// Sends the notices that are due; gives how many push services have accepted.
    pub async fn send_notices(&self) -> Result<u32, OfficeError> {
        let now = self.now();
        let due = move |office: &Self| Ok(office.store.read_with(|r| r.has_due_notices(now))?);
        if !self.blocking(due).await? {
            return Ok(0);
        }
        let claimed = self.store.write(move |tx| claim(tx, now)).await?;
        let mut sending = JoinSet::new();
        for due in claimed {
            let office = self.clone();
            sending.spawn(async move {
                let delivery = office.send_notice(&due, now).await;
                (due, delivery)
            });
        }
        let mut accepted = 0;
        while let Some(sent) = sending.join_next().await {
            // A panic has been reported; the notice stays queued.
            let Ok((due, delivery)) = sent else { continue };
            accepted += u32::from(delivery == Delivery::Accepted);
            self.store.write(move |tx| complete(tx, &due, delivery, now)).await?;
        }
        Ok(accepted)
    }

    async fn send_notice(&self, due: &DueNotice, now: i64) -> Delivery {
        match self.message(due, now) {
            Ok(Some((to, message))) => self.push_services.send(to, message).await,
            // No such push service is allowed any more, or the row is damaged.
            Ok(None) => Delivery::Gone,
            Err(_) => Delivery::Failed(None),
        }
    }

    fn message(
        &self,
        due: &DueNotice,
        now: i64,
    ) -> Result<Option<(Endpoint, Message)>, StoreError> {
        let PushSubscription { endpoint, public_key, auth, .. } = &due.subscription;
        let (Some(to), Ok(public_key), Some(vapid)) = (
            Endpoint::parse(endpoint, self.push_services.own()),
            PublicKey::from_sec1_bytes(public_key),
            self.vapid(),
        ) else {
            return Ok(None);
        };
        let salt = random(self.random.as_ref())?;
        let Ok(sender) = SecretKey::from_slice(&random::<32>(self.random.as_ref())?) else {
            return Err(StoreError::Failed("the random value is no key".to_owned()));
        };
        let recipient = Recipient { public_key: &public_key, auth };
        let text = due.notice.as_str().as_bytes();
        let body = encryption::encrypt(text, &recipient, &sender, &salt);
        let contact = self.push_services.contact();
        let authorization = vapid.authorization(&to.origin(), contact, now);
        let topic = topic(due.notice);
        Ok(body.map(|body| (to, Message { body, authorization, topic })))
    }
}

/// Does not tell the push service what the notice is about.
fn topic(notice: Notice) -> &'static str {
    match notice {
        Notice::NewWork => "a",
        Notice::ReturnedWork => "b",
        Notice::Appointment => "c",
    }
}

/// Takes due notices for this endpoint: until they are due again, no other endpoint sends them.
fn claim(tx: &mut dyn Writes, now: i64) -> Result<Vec<DueNotice>, StoreError> {
    tx.prune_push_subscriptions(now)?;
    let mut claimed = Vec::new();
    for due in tx.due_notices(now, AT_ONCE)? {
        let (device, notice) = (due.subscription.device, due.notice);
        if now.saturating_sub(due.queued_at) > TTL_S * 1000 {
            tx.delete_notice(device, notice)?;
        } else if let Some(begin) = NoticeHours::of(&due.subscription).next_begin(now) {
            tx.defer_notice(device, notice, begin, due.attempts)?;
        } else {
            tx.defer_notice(device, notice, now + retry_after(due.attempts), due.attempts + 1)?;
            claimed.push(due);
        }
    }
    Ok(claimed)
}

fn complete(
    tx: &mut dyn Writes,
    due: &DueNotice,
    delivery: Delivery,
    now: i64,
) -> Result<(), StoreError> {
    let (device, notice) = (due.subscription.device, due.notice);
    match delivery {
        Delivery::Accepted | Delivery::Refused => tx.delete_notice(device, notice),
        Delivery::Gone => {
            // The phone may have subscribed again meanwhile.
            let current = tx.push_subscription(device, now)?;
            if current.is_none_or(|current| current.endpoint == due.subscription.endpoint) {
                tx.delete_push_subscription(device)?;
            }
            Ok(())
        }
        Delivery::Failed(None) => Ok(()),
        Delivery::Failed(Some(wait)) => {
            let wait = wait.clamp(retry_after(due.attempts), LONGEST_RETRY_MS);
            tx.defer_notice(device, notice, now + wait, due.attempts + 1)
        }
    }
}

/// Wait after a number of attempts, ms.
fn retry_after(attempts: u32) -> i64 {
    FIRST_RETRY_MS.saturating_mul(1 << attempts.min(10)).min(LONGEST_RETRY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_between_attempts_grow_and_are_bounded() {
        assert_eq!([0, 1, 2].map(retry_after), [60_000, 120_000, 240_000]);
        assert_eq!(retry_after(u32::MAX), LONGEST_RETRY_MS);
    }
}
