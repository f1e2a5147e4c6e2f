//! Who may use the office: users and their passwords, sign-ins, devices.
//!
//! A password is kept as an Argon2id hash, a sign-in as the SHA-256 of a random token that only
//! the client holds. Signing in is slowed down per name and per address, and costs the same work
//! for a name that doesn't exist. Every sign-in stands on a device (rule I1): a phone presents the
//! one that it was enrolled as, whoever presents none gets a fresh one. A device has one sign-in,
//! the newest, whose tokens follow each other ([`rotation`]).

mod devices;
mod enrolment;
mod keys;
mod oidc_user;
pub mod openid;
mod password;
mod rotation;
mod session;
mod throttle;
mod token;
mod users;
mod workspace;

use std::sync::Arc;

pub use devices::{DeviceLine, DeviceState};
pub use password::Hasher;
pub use session::{Attempt, IdentifiedToken, Identity, Lifetime, SignInContext, SignedIn};
pub use token::Token;
pub use users::{Account, NameTaken, NewUser, UserChange, UserLine, canonical_name};
pub use workspace::{WorkspaceError, workspace_name};

use super::Clock;
use super::store::{Store, StoreError};
use throttle::Throttle;

/// Why somebody could not sign in, or an account could not be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The name or the password is wrong, or the user is locked out: nobody is told which.
    #[error("the name or the password is wrong")]
    WrongPassword,
    /// Too many failures; worth another try after some time.
    #[error("too many attempts: try again in {seconds} s")]
    TooManyAttempts {
        /// When to try again.
        seconds: u64,
    },
    /// More people sign in at once than the office has room for.
    #[error("too many people sign in at once: try again in a moment")]
    Busy,
    /// The device was revoked.
    #[error("this device was revoked: ask the office")]
    DeviceRevoked,
    /// The device is somebody else's (rule I2).
    #[error("this device belongs to another user")]
    DeviceOfOtherUser,
    /// The user has enrolled too many new devices within a day.
    #[error("too many new devices within a day: use one that you signed in on before")]
    TooManyDevices,
    /// The office does not know the device, and the phone has no proof that it is the user's.
    #[error("the office does not know this device: ask an administrator to enrol it again")]
    DeviceUnknown,
    /// A user of that name exists.
    #[error(transparent)]
    NameTaken(#[from] NameTaken),
    /// Not a name, a password or a display name that can be had.
    #[error("{0}")]
    Invalid(&'static str),
    /// The identity provider vouches for somebody whom the office doesn't know, or locked out.
    #[error("the office knows no user for that account: ask an administrator")]
    UnknownAccount,
    /// The user may do more than a collector, and no administrator has linked the account.
    #[error("an administrator has to link that account to its user first")]
    NotLinked,
    /// The account is linked to another user.
    #[error("that account is linked to another user: unlink it there first")]
    AccountTaken,
    /// The user is tied to another account of the identity provider.
    #[error("that user is tied to another account: ask an administrator")]
    OtherAccount,
    /// Nobody would be left who may keep the office's people.
    #[error("this is the last administrator: make another one first")]
    LastAdmin,
    /// There is no such user or device.
    #[error("there is no {0} of that name")]
    Unknown(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program is stopping.
    #[error("the office is closing")]
    Closing,
}

/// The office's accounts. Clones share it.
#[derive(Clone)]
pub struct Accounts {
    store: Arc<dyn Store>,
    clock: Clock,
    hasher: Hasher,
    throttle: Arc<Throttle>,
}

impl Accounts {
    /// The accounts of a store.
    pub fn new(store: Arc<dyn Store>, clock: Clock, hasher: Hasher) -> Self {
        Self { store, clock, hasher, throttle: Arc::default() }
    }

    fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Runs work that takes its time where blocking is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, AuthError> + Send + 'static,
    ) -> Result<T, AuthError> {
        let accounts = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&accounts)).await;
        done.unwrap_or(Err(AuthError::Closing))
    }
}
