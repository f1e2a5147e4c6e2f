//! Web Push in PostgreSQL.

use super::row::{Row, damaged};
use super::tx::Tx;
use super::value::values;
use crate::ids::{DeviceId, RecordId};
use crate::office::store::{
    DueNotice, Notice, NoticeBasis, PushSubscription, StoreError, WebPushReads, WebPushWrites,
};
use crate::record::terms::{AppointmentStatus, ReviewStatus};

const COLUMNS: &str = "p.device, p.user_name, p.signed_in_at, p.endpoint, p.public_key, p.auth, \
                       p.zone, p.from_minute, p.until_minute";

/// The sign-in that made a subscription, while it is in force.
const SIGN_IN: &str = "SELECT 1 FROM sessions s WHERE s.device = p.device
    AND s.user_name = p.user_name AND s.created_at = p.signed_in_at AND NOT s.ended";

impl WebPushReads for Tx<'_> {
    fn push_subscription(
        &mut self,
        device: DeviceId,
        now: i64,
    ) -> Result<Option<PushSubscription>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM push_subscriptions p
             WHERE p.device = $1 AND EXISTS ({SIGN_IN} AND s.expires_at > $2)"
        );
        self.query_optional(&sql, values![device.0, now], subscription)
    }

    fn has_due_notices(&mut self, now: i64) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM push_notices WHERE due_at <= $1 LIMIT 1";
        Ok(self.query_optional(sql, values![now], |_| Ok(()))?.is_some())
    }

    fn due_notices(&mut self, now: i64, limit: u32) -> Result<Vec<DueNotice>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, n.notice, n.attempts, n.queued_at
             FROM push_notices n JOIN push_subscriptions p ON p.device = n.device
             WHERE n.due_at <= $1 AND EXISTS ({SIGN_IN} AND s.expires_at > $1)
             ORDER BY n.due_at LIMIT $2"
        );
        self.query_all(&sql, values![now, limit], |row| {
            Ok(DueNotice {
                subscription: subscription(row)?,
                notice: row.word(9, Notice::parse)?,
                attempts: u32::try_from(row.number(10)?).map_err(|_| damaged("attempts"))?,
                queued_at: row.get(11)?,
            })
        })
    }

    fn notice_basis(&mut self, id: RecordId) -> Result<Option<NoticeBasis>, StoreError> {
        self.query_optional(
            "SELECT review_status, starts_at, ends_at, appointment_status FROM visits
             WHERE record = $1 AND EXISTS (
                 SELECT 1 FROM visit_collectors c
                 JOIN push_subscriptions p ON p.user_name = c.collector
                 WHERE c.record = $1)",
            values![id.0],
            |row| {
                let status = row.word_or_none(3, AppointmentStatus::parse)?;
                Ok(NoticeBasis {
                    review_status: row.word(0, ReviewStatus::parse)?,
                    appointment: (row.get(1)?, row.get(2)?, status),
                })
            },
        )
    }
}

impl WebPushWrites for Tx<'_> {
    fn put_push_subscription(&mut self, subscription: &PushSubscription) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO push_subscriptions (device, user_name, signed_in_at, endpoint, public_key,
               auth, zone, from_minute, until_minute)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (device) DO UPDATE SET user_name = excluded.user_name,
               signed_in_at = excluded.signed_in_at, endpoint = excluded.endpoint,
               public_key = excluded.public_key, auth = excluded.auth, zone = excluded.zone,
               from_minute = excluded.from_minute, until_minute = excluded.until_minute",
            values![
                subscription.device.0,
                &subscription.user,
                subscription.signed_in_at,
                &subscription.endpoint,
                subscription.public_key.clone(),
                subscription.auth,
                &subscription.zone,
                i64::from(subscription.from_minute),
                i64::from(subscription.until_minute),
            ],
        )
    }

    fn delete_push_subscription(&mut self, device: DeviceId) -> Result<(), StoreError> {
        self.write("DELETE FROM push_subscriptions WHERE device = $1", values![device.0])
    }

    fn prune_push_subscriptions(&mut self, now: i64) -> Result<(), StoreError> {
        let sql = format!(
            "DELETE FROM push_subscriptions AS p
             WHERE NOT EXISTS ({SIGN_IN} AND s.expires_at > $1)"
        );
        self.write(&sql, values![now])
    }

    fn queue_notice(&mut self, user: &str, notice: Notice, at: i64) -> Result<(), StoreError> {
        self.write("INSERT INTO push_notices (device, notice, queued_at, due_at, attempts)
             SELECT device, $2::text, $3::bigint, $3::bigint, 0 FROM push_subscriptions WHERE user_name = $1
             ON CONFLICT DO NOTHING", values![user, notice.as_str(), at])
    }

    fn defer_notice(
        &mut self,
        device: DeviceId,
        notice: Notice,
        due_at: i64,
        attempts: u32,
    ) -> Result<(), StoreError> {
        self.write(
            "UPDATE push_notices SET due_at = $3, attempts = $4 WHERE device = $1 AND notice = $2",
            values![device.0, notice.as_str(), due_at, i64::from(attempts)],
        )
    }

    fn delete_notice(&mut self, device: DeviceId, notice: Notice) -> Result<(), StoreError> {
        let sql = "DELETE FROM push_notices WHERE device = $1 AND notice = $2";
        self.write(sql, values![device.0, notice.as_str()])
    }
}

fn subscription(row: &Row) -> Result<PushSubscription, StoreError> {
    let minute =
        |column| u16::try_from(row.number(column)?).map_err(|_| damaged("minutes of a day"));
    Ok(PushSubscription {
        device: row.device_id(0)?,
        user: row.get(1)?,
        signed_in_at: row.get(2)?,
        endpoint: row.get(3)?,
        public_key: row.get(4)?,
        auth: row.fixed(5)?,
        zone: row.get(6)?,
        from_minute: minute(7)?,
        until_minute: minute(8)?,
    })
}
