//! Users, passwords, sign-ins and devices.
//!
//! A password is stored as an Argon2id hash, a sign-in as the SHA-256 of a random token that only
//! the client holds. Attempts are throttled per name and per address, and cost the same work for an
//! unknown name. Every sign-in belongs to a device (rule I1): a phone presents the device that it
//! was enrolled as; a client without one gets a fresh one. A device has one sign-in, the newest,
//! whose tokens are rotated ([`rotation`]).

mod devices;
mod enrolment;
mod keys;
mod oidc_user;
pub mod openid;
mod password;
mod report_tokens;
mod rotation;
mod session;
mod throttle;
mod token;
mod users;
mod workspace;

use std::sync::Arc;

pub use devices::{DeviceLine, DeviceState, is_out_of_touch};
pub use password::Hasher;
pub use session::{Attempt, IdentifiedToken, Identity, Lifetime, SignInContext, SignedIn};
pub use token::Token;
pub use users::{Account, NameTaken, NewUser, UserChange, UserLine, canonical_name};
pub use workspace::{WorkspaceError, workspace_name};

use super::Clock;
use super::store::{Store, StoreError};
use throttle::Throttle;

/// Why a sign-in or an account change failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Wrong name, wrong password or disabled account; the client is not told which.
    #[error("the name or the password is wrong")]
    WrongPassword,
    /// Too many failures.
    #[error("too many attempts: try again in {seconds} s")]
    TooManyAttempts {
        /// Seconds until the next attempt.
        seconds: u64,
    },
    /// Too many concurrent sign-ins.
    #[error("too many people sign in at once: try again in a moment")]
    Busy,
    /// The device was revoked.
    #[error("this device was revoked: ask the office")]
    DeviceRevoked,
    /// The device belongs to another user (rule I2).
    #[error("this device belongs to another user")]
    DeviceOfOtherUser,
    /// The user has enrolled too many new devices within a day.
    #[error("too many new devices within a day: use one that you signed in on before")]
    TooManyDevices,
    /// Unknown device, without proof that it was enrolled for the user.
    #[error("the office does not know this device: ask an administrator to enrol it again")]
    DeviceUnknown,
    /// A user of that name exists.
    #[error(transparent)]
    NameTaken(#[from] NameTaken),
    /// An invalid name, password or other input.
    #[error("{0}")]
    Invalid(&'static str),
    /// The identity provider's account belongs to no user, or to a disabled one.
    #[error("the office knows no user for that account: ask an administrator")]
    UnknownAccount,
    /// The user is not a collector, and no administrator has linked the account.
    #[error("an administrator has to link that account to its user first")]
    NotLinked,
    /// The account is linked to another user.
    #[error("that account is linked to another user: unlink it there first")]
    AccountTaken,
    /// The user is linked to another account of the identity provider.
    #[error("that user is linked to another account: ask an administrator")]
    OtherAccount,
    /// No enabled administrator would be left.
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
        let throttle = Arc::new(Throttle::new(Arc::clone(&store)));
        Self { store, clock, hasher, throttle }
    }

    /// The same over a store that wraps this one's.
    pub(super) fn with_store(&self, wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        Self { store: wrap(Arc::clone(&self.store)), ..self.clone() }
    }

    fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Runs blocking work on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, AuthError> + Send + 'static,
    ) -> Result<T, AuthError> {
        let accounts = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&accounts)).await;
        done.unwrap_or(Err(AuthError::Closing))
    }
}
