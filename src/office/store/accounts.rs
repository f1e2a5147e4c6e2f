//! Users, devices and sign-ins.

use super::StoreError;
use crate::ids::DeviceId;
use crate::record::terms::Role;

/// Somebody who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Sign-in name; never changes, since records name it.
    pub name: String,
    /// What people read.
    pub display_name: String,
    /// What the user may do.
    pub role: Role,
    /// PHC string.
    pub password_hash: String,
    /// When the user was locked out, ms.
    pub disabled_at: Option<i64>,
    /// ms.
    pub created_at: i64,
}

/// An enrolled device (rule I1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// 16 random bytes.
    pub id: DeviceId,
    /// Whose it is (rule I2).
    pub user: String,
    /// ms.
    pub created_at: i64,
    /// ms.
    pub last_seen_at: i64,
    /// When it was revoked, ms.
    pub revoked_at: Option<i64>,
}

/// A sign-in that its client has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// SHA-256 of the token; the token itself is kept nowhere.
    pub token_hash: [u8; 32],
    /// Who.
    pub user: String,
    /// On which device.
    pub device: DeviceId,
    /// ms.
    pub created_at: i64,
    /// ms.
    pub expires_at: i64,
    /// It was ended from outside: it may hand over what the device has unsent, if the device was
    /// revoked or the user locked out, and nothing else (rule F4).
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
    /// The keys that a device has enrolled to sign with, Ed25519, oldest first.
    fn device_keys(&mut self, id: DeviceId) -> Result<Vec<[u8; 32]>, StoreError>;
    /// All devices, oldest first.
    fn devices(&mut self) -> Result<Vec<Device>, StoreError>;
    /// The device that the office itself writes as.
    fn office_device(&mut self) -> Result<DeviceId, StoreError>;
    /// The sign-in of a token, expired or ended or not.
    fn sign_in(&mut self, token_hash: &[u8; 32]) -> Result<Option<SignIn>, StoreError>;
}

/// Writes of accounts.
pub trait AccountWrites {
    /// Adds a user, or replaces all but the name and the time of creation.
    fn put_user(&mut self, user: &User) -> Result<(), StoreError>;
    /// Adds a device of a user that exists, or replaces when it was seen and revoked.
    fn put_device(&mut self, device: &Device) -> Result<(), StoreError>;
    /// Adds a key to a device that exists, where it has not enrolled it yet.
    fn put_device_key(&mut self, id: DeviceId, key: [u8; 32], at: i64) -> Result<(), StoreError>;
    /// Adds a sign-in on a device that exists, or replaces its expiry.
    fn put_sign_in(&mut self, sign_in: &SignIn) -> Result<(), StoreError>;
    /// Forgets a sign-in, if it stands.
    fn end_sign_in(&mut self, token_hash: &[u8; 32]) -> Result<(), StoreError>;
    /// Ends every sign-in of a user that has not ended; gives their number.
    fn end_sign_ins_of(&mut self, user: &str) -> Result<u64, StoreError>;
    /// Ends every sign-in on a device that has not ended; gives their number.
    fn end_sign_ins_on(&mut self, device: DeviceId) -> Result<u64, StoreError>;
    /// Forgets sign-ins that expired before a time; gives their number.
    fn forget_expired(&mut self, before: i64) -> Result<u64, StoreError>;
    /// The office's own device and a session number that was never given before (rule I1).
    fn next_office_session(&mut self) -> Result<(DeviceId, u32), StoreError>;
}
