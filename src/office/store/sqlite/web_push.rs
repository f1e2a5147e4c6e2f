//! Web Push in SQLite.

use rusqlite::Row;

use super::Tx;
use super::convert::{device_id, word, word_or_none};
use crate::ids::{DeviceId, RecordId};
use crate::office::store::{
    DueNotice, Notice, NoticeBasis, PushSubscription, StoreError, WebPushReads, WebPushWrites,
};
use crate::record::terms::{AppointmentStatus, ReviewStatus};

const COLUMNS: &str = "p.device, p.user, p.signed_in_at, p.endpoint, p.public_key, p.auth, \
                       p.zone, p.from_minute, p.until_minute";

/// The sign-in that made a subscription, while it is in force.
const SIGN_IN: &str = "SELECT 1 FROM sessions s WHERE s.device = p.device
    AND s.user = p.user AND s.created_at = p.signed_in_at AND s.ended = 0";

impl WebPushReads for Tx<'_> {
    fn push_subscription(
        &mut self,
        device: DeviceId,
        now: i64,
    ) -> Result<Option<PushSubscription>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM push_subscriptions p
             WHERE p.device = ?1 AND EXISTS ({SIGN_IN} AND s.expires_at > ?2)"
        );
        self.query_optional(&sql, (device.0, now), subscription)
    }

    fn has_due_notices(&mut self, now: i64) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM push_notices WHERE due_at <= ?1 LIMIT 1";
        Ok(self.query_optional(sql, [now], |_| Ok(()))?.is_some())
    }

    fn due_notices(&mut self, now: i64, limit: u32) -> Result<Vec<DueNotice>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, n.notice, n.attempts, n.queued_at
             FROM push_notices n JOIN push_subscriptions p ON p.device = n.device
             WHERE n.due_at <= ?1 AND EXISTS ({SIGN_IN} AND s.expires_at > ?1)
             ORDER BY n.due_at LIMIT ?2"
        );
        self.query_all(&sql, (now, limit), |row| {
            Ok(DueNotice {
                subscription: subscription(row)?,
                notice: word(row, 9, Notice::parse)?,
                attempts: row.get(10)?,
                queued_at: row.get(11)?,
            })
        })
    }

    fn notice_basis(&mut self, id: RecordId) -> Result<Option<NoticeBasis>, StoreError> {
        self.query_optional(
            "SELECT review_status, starts_at, ends_at, appointment_status FROM visits
             WHERE record = ?1 AND EXISTS (
                 SELECT 1 FROM visit_collectors c
                 JOIN push_subscriptions p ON p.user = c.collector
                 WHERE c.record = ?1)",
            [id.0],
            |row| {
                let status = word_or_none(row, 3, AppointmentStatus::parse)?;
                Ok(NoticeBasis {
                    review_status: word(row, 0, ReviewStatus::parse)?,
                    appointment: (row.get(1)?, row.get(2)?, status),
                })
            },
        )
    }
}

impl WebPushWrites for Tx<'_> {
    fn put_push_subscription(&mut self, subscription: &PushSubscription) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO push_subscriptions (device, user, signed_in_at, endpoint, public_key,
               auth, zone, from_minute, until_minute)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (device) DO UPDATE SET user = excluded.user,
               signed_in_at = excluded.signed_in_at, endpoint = excluded.endpoint,
               public_key = excluded.public_key, auth = excluded.auth, zone = excluded.zone,
               from_minute = excluded.from_minute, until_minute = excluded.until_minute",
            (
                subscription.device.0,
                &subscription.user,
                subscription.signed_in_at,
                &subscription.endpoint,
                &subscription.public_key,
                subscription.auth,
                &subscription.zone,
                subscription.from_minute,
                subscription.until_minute,
            ),
        )
        .map(drop)
    }

    fn delete_push_subscription(&mut self, device: DeviceId) -> Result<(), StoreError> {
        self.write("DELETE FROM push_subscriptions WHERE device = ?1", [device.0]).map(drop)
    }

    fn prune_push_subscriptions(&mut self, now: i64) -> Result<(), StoreError> {
        let sql = format!(
            "DELETE FROM push_subscriptions AS p
             WHERE NOT EXISTS ({SIGN_IN} AND s.expires_at > ?1)"
        );
        self.write(&sql, [now]).map(drop)
    }

    fn queue_notice(&mut self, user: &str, notice: Notice, at: i64) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO push_notices (device, notice, queued_at, due_at, attempts)
             SELECT device, ?2, ?3, ?3, 0 FROM push_subscriptions WHERE user = ?1
             ON CONFLICT DO NOTHING",
            (user, notice.as_str(), at),
        )
        .map(drop)
    }

    fn defer_notice(
        &mut self,
        device: DeviceId,
        notice: Notice,
        due_at: i64,
        attempts: u32,
    ) -> Result<(), StoreError> {
        self.write(
            "UPDATE push_notices SET due_at = ?3, attempts = ?4 WHERE device = ?1 AND notice = ?2",
            (device.0, notice.as_str(), due_at, attempts),
        )
        .map(drop)
    }

    fn delete_notice(&mut self, device: DeviceId, notice: Notice) -> Result<(), StoreError> {
        let sql = "DELETE FROM push_notices WHERE device = ?1 AND notice = ?2";
        self.write(sql, (device.0, notice.as_str())).map(drop)
    }
}

fn subscription(row: &Row<'_>) -> rusqlite::Result<PushSubscription> {
    Ok(PushSubscription {
        device: device_id(row, 0)?,
        user: row.get(1)?,
        signed_in_at: row.get(2)?,
        endpoint: row.get(3)?,
        public_key: row.get(4)?,
        auth: row.get(5)?,
        zone: row.get(6)?,
        from_minute: row.get(7)?,
        until_minute: row.get(8)?,
    })
}
