//! Users, devices and sign-ins.

use super::StoreError;
use crate::ids::DeviceId;
use crate::record::terms::Role;

/// A user account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Sign-in name; never changes, since records name it.
    pub name: String,
    /// Display name.
    pub display_name: String,
    /// Permissions.
    pub role: Role,
    /// PHC string.
    pub password_hash: String,
    /// When the account was disabled, ms.
    pub disabled_at: Option<i64>,
    /// ms.
    pub created_at: i64,
    /// Issuer and subject of the linked account at the identity provider.
    pub subject: Option<String>,
}

/// An enrolled device (rule I1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// 16 random bytes.
    pub id: DeviceId,
    /// Its user (rule I2).
    pub user: String,
    /// ms.
    pub created_at: i64,
    /// ms.
    pub last_seen_at: i64,
    /// When it was revoked, ms.
    pub revoked_at: Option<i64>,
    /// Who revoked it; empty while it is not revoked, and where it is unknown.
    pub revoked_by: String,
    /// Why it was revoked, as entered.
    pub revoked_reason: String,
    /// The app version that it last reported; empty where it never did.
    pub app_version: String,
}

impl Device {
    /// A device that is enrolled now.
    pub fn enrolled(id: DeviceId, user: &str, now: i64) -> Self {
        Self {
            id,
            user: user.to_owned(),
            created_at: now,
            last_seen_at: now,
            revoked_at: None,
            revoked_by: String::new(),
            revoked_reason: String::new(),
            app_version: String::new(),
        }
    }
}

/// SHA-256 of a token; the token itself is not stored.
pub type TokenHash = [u8; 32];

/// A sign-in that its client has not ended. Its tokens are rotated, so that a leaked one is useful
/// for a short time only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Its device; a device has one sign-in at most.
    pub device: DeviceId,
    /// Its user.
    pub user: String,
    /// ms.
    pub created_at: i64,
    /// When its current token was last used, in steps of an hour, ms.
    pub used_at: i64,
    /// When it ends unless it is used, ms.
    pub expires_at: i64,
    /// The newest token that the client has presented.
    pub token: TokenHash,
    /// When it was first presented, ms.
    pub renewed_at: i64,
    /// Its successor, issued and not presented yet.
    pub next: Option<TokenHash>,
    /// Its predecessor.
    pub last: Option<TokenHash>,
    /// Ended by the office. If the device was revoked or the account disabled, it may still push
    /// the device's unsent work, and nothing else (rule F4).
    pub ended: bool,
}

/// Reads of accounts.
pub trait AccountReads {
    /// The user of a name.
    fn user(&mut self, name: &str) -> Result<Option<User>, StoreError>;
    /// All users, by name.
    fn users(&mut self) -> Result<Vec<User>, StoreError>;
    /// The device of an id.
    fn device(&mut self, id: DeviceId) -> Result<Option<Device>, StoreError>;
    /// The Ed25519 public keys that a device has enrolled, oldest first.
    fn device_keys(&mut self, id: DeviceId) -> Result<Vec<[u8; 32]>, StoreError>;
    /// How many devices of a user were enrolled after a time.
    fn enrolled_since(&mut self, user: &str, at: i64) -> Result<u64, StoreError>;
    /// All devices, oldest first.
    fn devices(&mut self) -> Result<Vec<Device>, StoreError>;
    /// The office's own device.
    fn office_device(&mut self) -> Result<DeviceId, StoreError>;
    /// The user linked to an account of the identity provider.
    fn user_of_subject(&mut self, subject: &str) -> Result<Option<User>, StoreError>;
    /// The sign-in with this current, next or previous token, even if it has expired or ended.
    fn sign_in(&mut self, token: &TokenHash) -> Result<Option<SignIn>, StoreError>;
    /// The sign-in on a device, even if it has expired or ended.
    fn sign_in_on(&mut self, device: DeviceId) -> Result<Option<SignIn>, StoreError>;
}

/// Writes of accounts.
pub trait AccountWrites {
    /// Adds a user, or replaces everything but the name and the creation time.
    fn put_user(&mut self, user: &User) -> Result<(), StoreError>;
    /// Adds a device of an existing user, or replaces everything but user and creation time.
    fn put_device(&mut self, device: &Device) -> Result<(), StoreError>;
    /// Adds a key to an existing device, unless it is enrolled already.
    fn put_device_key(&mut self, id: DeviceId, key: [u8; 32], at: i64) -> Result<(), StoreError>;
    /// Sets the sign-in of an existing device, replacing its former one.
    fn put_sign_in(&mut self, sign_in: &SignIn) -> Result<(), StoreError>;
    /// Deletes the sign-in that a token belongs to, if there is one.
    fn end_sign_in(&mut self, token: &TokenHash) -> Result<(), StoreError>;
    /// Ends the active sign-ins of a user; gives their number.
    fn end_sign_ins_of(&mut self, user: &str) -> Result<u64, StoreError>;
    /// Ends the active sign-in on a device; gives the number ended, 0 or 1.
    fn end_sign_ins_on(&mut self, device: DeviceId) -> Result<u64, StoreError>;
    /// Deletes sign-ins that expired before a time; gives their number.
    fn forget_expired(&mut self, before: i64) -> Result<u64, StoreError>;
    /// The office's own device and a fresh session number (rule I1).
    fn next_office_session(&mut self) -> Result<(DeviceId, u32), StoreError>;
    /// A write without effect, to check that the store accepts writes.
    fn touch(&mut self) -> Result<(), StoreError>;
}
