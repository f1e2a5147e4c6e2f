//! Device administration.

use serde::Serialize;

use super::{Accounts, AuthError};
use crate::ids::DeviceId;
use crate::office::store::Device;
use crate::record::terms::Role;

/// A device that was not seen for this long counts as expired, ms. Its sign-in ended long before; its
/// user may sign in on it again, since unsent work may still be on it.
const EXPIRES: i64 = 90 * 24 * 60 * 60 * 1000;

/// A device that was not seen for this long is out of touch, ms.
const OUT_OF_TOUCH: i64 = 3 * 24 * 60 * 60 * 1000;

/// Maximum length of the reason for a revocation.
const LONGEST_REASON: usize = 500;

/// State of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// In use.
    Active,
    /// Not seen for 90 days.
    Expired,
    /// Permanently revoked.
    Revoked,
}

/// A device as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct DeviceLine {
    /// 32 hex digits.
    pub id: String,
    /// Its user.
    pub user: String,
    /// The user's display name.
    pub display_name: String,
    /// The user's role.
    pub role: Role,
    /// Its state.
    pub state: DeviceState,
    /// ms.
    pub created_at: i64,
    /// ms.
    pub last_seen_at: i64,
    /// App version; empty where it was never reported.
    pub app_version: String,
    /// ms.
    pub revoked_at: Option<i64>,
    /// Who revoked it.
    pub revoked_by: String,
    /// Why.
    pub revoked_reason: String,
    /// In use and not seen for three days.
    pub out_of_touch: bool,
}

impl Accounts {
    /// All devices, or those of users of one role; those seen last come first.
    pub async fn devices(&self, of: Option<Role>) -> Result<Vec<DeviceLine>, AuthError> {
        let now = self.now();
        let (devices, users) = self
            .blocking(|accounts| {
                Ok(accounts.store.read_with(|reads| Ok((reads.devices()?, reads.users()?)))?)
            })
            .await?;
        let line = |device: Device| {
            let user = users.iter().find(|user| user.name == device.user)?;
            let state = match device.revoked_at {
                Some(_) => DeviceState::Revoked,
                None if now.saturating_sub(device.last_seen_at) > EXPIRES => DeviceState::Expired,
                None => DeviceState::Active,
            };
            let out_of_touch = is_out_of_touch(&device, now);
            of.is_none_or(|role| user.role == role).then(|| DeviceLine {
                id: device.id.to_string(),
                user: device.user,
                display_name: user.display_name.clone(),
                role: user.role,
                state,
                created_at: device.created_at,
                last_seen_at: device.last_seen_at,
                app_version: device.app_version,
                revoked_at: device.revoked_at,
                revoked_by: device.revoked_by,
                revoked_reason: device.revoked_reason,
                out_of_touch,
            })
        };
        let mut lines: Vec<_> = devices.into_iter().filter_map(line).collect();
        lines.sort_by(|a, b| b.last_seen_at.cmp(&a.last_seen_at).then_with(|| a.id.cmp(&b.id)));
        Ok(lines)
    }

    /// Revokes a device and ends the sign-in on it. A device that is revoked stays so, with the
    /// first reason.
    pub async fn revoke_device(
        &self,
        id: DeviceId,
        by: &str,
        reason: &str,
    ) -> Result<(), AuthError> {
        let (now, by, reason) = (self.now(), by.to_owned(), reason.trim().to_owned());
        let length = reason.chars().count();
        if !(1..=LONGEST_REASON).contains(&length) || reason.contains(is_unprintable) {
            return Err(AuthError::Invalid("say why, in 1 to 500 characters"));
        }
        let done = self.store.write(move |tx| {
            let Some(device) = tx.device(id)? else { return Ok(false) };
            if device.revoked_at.is_none() {
                tx.put_device(&Device {
                    revoked_at: Some(now),
                    revoked_by: by.clone(),
                    revoked_reason: reason.clone(),
                    ..device
                })?;
            }
            tx.end_sign_ins_on(id).map(|_| true)
        });
        if done.await? { Ok(()) } else { Err(AuthError::Unknown("device")) }
    }
}

/// Whether a device in use was not seen for three days.
pub fn is_out_of_touch(device: &Device, now: i64) -> bool {
    let unseen = now.saturating_sub(device.last_seen_at);
    device.revoked_at.is_none() && (OUT_OF_TOUCH..EXPIRES).contains(&unseen)
}

fn is_unprintable(c: char) -> bool {
    c.is_control() && c != '\n'
}
