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
    /// Issuer and subject of the identity provider's account that the user signs in with.
    pub subject: Option<String>,
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
    /// Who revoked it; empty while it is not revoked, and where nobody was named.
    pub revoked_by: String,
    /// Why, in the words of who did it.
    pub revoked_reason: String,
    /// The version of the app that it last used; empty where it never said.
    pub app_version: String,
}

impl Device {
    /// A device as it is enrolled.
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

/// SHA-256 of a token; the token itself is kept nowhere.
pub type TokenHash = [u8; 32];

/// A sign-in that its client has not ended. Its tokens follow each other, so that one which leaks is of use
/// for a short time only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// On which device; there is one sign-in on a device at most.
    pub device: DeviceId,
    /// Who.
    pub user: String,
    /// ms.
    pub created_at: i64,
    /// When its current token was last used, to the hour, ms.
    pub used_at: i64,
    /// When it ends unless it is used, ms.
    pub expires_at: i64,
    /// The token that the client has shown to hold.
    pub token: TokenHash,
    /// Since when, ms.
    pub renewed_at: i64,
    /// The one that was handed out after it, and was not shown yet.
    pub next: Option<TokenHash>,
    /// The one before it.
    pub last: Option<TokenHash>,
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
    /// How many devices of a user were enrolled after a time.
    fn enrolled_since(&mut self, user: &str, at: i64) -> Result<u64, StoreError>;
    /// All devices, oldest first.
    fn devices(&mut self) -> Result<Vec<Device>, StoreError>;
    /// The device that the office itself writes as.
    fn office_device(&mut self) -> Result<DeviceId, StoreError>;
    /// The user that an account of an identity provider stands for.
    fn user_of_subject(&mut self, subject: &str) -> Result<Option<User>, StoreError>;
    /// The sign-in that a token belongs to as its current, next or last one, expired or ended or not.
    fn sign_in(&mut self, token: &TokenHash) -> Result<Option<SignIn>, StoreError>;
    /// The sign-in on a device, expired or ended or not.
    fn sign_in_on(&mut self, device: DeviceId) -> Result<Option<SignIn>, StoreError>;
}

/// Writes of accounts.
pub trait AccountWrites {
    /// Adds a user, or replaces all but the name and the time of creation.
    fn put_user(&mut self, user: &User) -> Result<(), StoreError>;
    /// Adds a device of a user that exists, or replaces all but whose it is and the time of creation.
    fn put_device(&mut self, device: &Device) -> Result<(), StoreError>;
    /// Adds a key to a device that exists, where it has not enrolled it yet.
    fn put_device_key(&mut self, id: DeviceId, key: [u8; 32], at: i64) -> Result<(), StoreError>;
    /// Puts a sign-in on a device that exists, in the place of the one that stood there.
    fn put_sign_in(&mut self, sign_in: &SignIn) -> Result<(), StoreError>;
    /// Forgets the sign-in that a token belongs to, if it stands.
    fn end_sign_in(&mut self, token: &TokenHash) -> Result<(), StoreError>;
    /// Ends every sign-in of a user that has not ended; gives their number.
    fn end_sign_ins_of(&mut self, user: &str) -> Result<u64, StoreError>;
    /// Ends the sign-in on a device if it has not ended; gives how many there were.
    fn end_sign_ins_on(&mut self, device: DeviceId) -> Result<u64, StoreError>;
    /// Forgets sign-ins that expired before a time; gives their number.
    fn forget_expired(&mut self, before: i64) -> Result<u64, StoreError>;
    /// The office's own device and a session number that was never given before (rule I1).
    fn next_office_session(&mut self) -> Result<(DeviceId, u32), StoreError>;
    /// Writes something that changes nothing, to find out whether the store can.
    fn touch(&mut self) -> Result<(), StoreError>;
}
