//! Web Push: where phones want to be notified, and notices that wait to be sent.

use super::StoreError;
use crate::ids::{DeviceId, RecordId};
use crate::record::terms::{AppointmentStatus, ReviewStatus};

/// A phone's subscription at its browser's push service. It ends with the sign-in that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushSubscription {
    /// The phone; it has one subscription at most.
    pub device: DeviceId,
    /// Its user.
    pub user: String,
    /// Start of the sign-in that made it, ms: a later sign-in has to subscribe again.
    pub signed_in_at: i64,
    /// URL of the push service for this browser.
    pub endpoint: String,
    /// The browser's P-256 key, an uncompressed point of 65 bytes.
    pub public_key: Vec<u8>,
    /// The browser's authentication secret.
    pub auth: [u8; 16],
    /// IANA zone of the two times below.
    pub zone: String,
    /// When notices may begin on each day, minutes after midnight.
    pub from_minute: u16,
    /// When they end, minutes after midnight; equal to the beginning: at any time.
    pub until_minute: u16,
}

/// What a notice is about. Nothing else is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// A record came to the collector.
    NewWork,
    /// The review returned a record.
    ReturnedWork,
    /// Another user set or changed an appointment.
    Appointment,
}

impl Notice {
    /// Its stable name, stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewWork => "new_work",
            Self::ReturnedWork => "returned_work",
            Self::Appointment => "appointment",
        }
    }

    /// The notice of a stable name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::NewWork, Self::ReturnedWork, Self::Appointment]
            .into_iter()
            .find(|notice| notice.as_str() == text)
    }
}

/// A notice to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueNotice {
    /// Where to.
    pub subscription: PushSubscription,
    /// About what.
    pub notice: Notice,
    /// Failed or unfinished attempts.
    pub attempts: u32,
    /// When it was queued, ms.
    pub queued_at: i64,
}

/// What notices depend on in a record's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeBasis {
    /// The review's decision.
    pub review_status: ReviewStatus,
    /// Start and end of the appointment, ms, and its status.
    pub appointment: (Option<i64>, Option<i64>, Option<AppointmentStatus>),
}

/// Reads about Web Push.
pub trait WebPushReads {
    /// The subscription of a phone, if its sign-in has not ended by `now`, ms.
    fn push_subscription(
        &mut self,
        device: DeviceId,
        now: i64,
    ) -> Result<Option<PushSubscription>, StoreError>;
    /// Whether a notice is due at a time, ms.
    fn has_due_notices(&mut self, now: i64) -> Result<bool, StoreError>;
    /// Notices that are due at a time, ms, of phones that are signed in; the oldest first.
    fn due_notices(&mut self, now: i64, limit: u32) -> Result<Vec<DueNotice>, StoreError>;
    /// The rows of a record as notices see them; `None` without rows or without any subscription.
    fn notice_basis(&mut self, id: RecordId) -> Result<Option<NoticeBasis>, StoreError>;
}

/// Writes about Web Push.
pub trait WebPushWrites {
    /// Adds or replaces the subscription of a signed-in phone.
    fn put_push_subscription(&mut self, subscription: &PushSubscription) -> Result<(), StoreError>;
    /// Deletes a phone's subscription with its notices.
    fn delete_push_subscription(&mut self, device: DeviceId) -> Result<(), StoreError>;
    /// Deletes subscriptions whose sign-in has ended by `now`, ms, with their notices.
    fn prune_push_subscriptions(&mut self, now: i64) -> Result<(), StoreError>;
    /// Queues a notice for each subscribed phone of a user, to be sent from `at`, ms, on. One that
    /// waits already stays as it is, so the queue has three rows a phone at most.
    fn queue_notice(&mut self, user: &str, notice: Notice, at: i64) -> Result<(), StoreError>;
    /// Sets when a notice is due next, ms, and its number of attempts.
    fn defer_notice(
        &mut self,
        device: DeviceId,
        notice: Notice,
        due_at: i64,
        attempts: u32,
    ) -> Result<(), StoreError>;
    /// Deletes a notice.
    fn delete_notice(&mut self, device: DeviceId, notice: Notice) -> Result<(), StoreError>;
}
