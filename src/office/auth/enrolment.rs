//! The device of a sign-in (rule I1).
//!
//! A device's id is no secret: it is part of every change, and staff see it in lists. A known device
//! belongs to its user. An unknown one may have been enrolled after the backup that the office was
//! restored from. It keeps its id, since its unsent changes carry it, but only for the user for whom
//! this office enrolled it. Otherwise any user could claim that phone and get its escrow key.

use super::session::{DAY, ENROLMENTS_PER_DAY, SignInContext};
use super::{Accounts, AuthError, canonical_name};
use crate::ids::DeviceId;
use crate::office::attestation::Attestor;
use crate::office::store::{Device, SignIn, StoreError, User, Writes};
use crate::record::terms::Role;

impl Accounts {
    /// Enrols a device that a restored office does not know and that has no proof of enrolment. The
    /// administrator has verified whose device it is.
    pub async fn enrol_device(&self, id: DeviceId, user: &str) -> Result<(), AuthError> {
        let (name, now) = (canonical_name(user), self.now());
        let enrolled = self.store.write(move |tx| {
            let Some(user) = tx.user(&name)? else { return Ok(Err(AuthError::Unknown("user"))) };
            if id == tx.office_device()? {
                return Ok(Err(AuthError::Invalid("this is the office's own device")));
            }
            match tx.device(id)? {
                Some(device) if device.user != user.name => Ok(Err(AuthError::DeviceOfOtherUser)),
                Some(_) => Ok(Ok(())),
                None => tx.put_device(&Device::enrolled(id, &user.name, now)).map(Ok),
            }
        });
        enrolled.await?
    }
}

/// Stores a sign-in on the requested device, or enrols the fresh device of `sign_in`.
pub(super) fn bind_device(
    tx: &mut dyn Writes,
    checked: &User,
    sign_in: SignIn,
    context: SignInContext,
) -> Result<Result<DeviceId, AuthError>, StoreError> {
    let now = sign_in.created_at;
    // The user may have changed while the password was hashed.
    let user = tx.user(&checked.name)?.filter(|user| {
        user.disabled_at.is_none()
            && user.role == checked.role
            && user.password_hash == checked.password_hash
    });
    let Some(user) = user else { return Ok(Err(AuthError::WrongPassword)) };
    let device = match context.device {
        None => match browser(tx, &user, context.browser)? {
            Some(device) => device,
            None => Device::enrolled(sign_in.device, &user.name, now),
        },
        Some(asked) => match named(tx, &user, asked, &context, now)? {
            Ok(device) => device,
            Err(refused) => return Ok(Err(refused)),
        },
    };
    // A device with a proof was enrolled before: unsent work may be on it.
    let new = context.device.is_none() && tx.device(device.id)?.is_none();
    if new && too_many_enrolments(tx, &user, now)? {
        return Ok(Err(AuthError::TooManyDevices));
    }
    tx.forget_expired(now)?;
    tx.put_device(&Device { last_seen_at: now, ..device })?;
    tx.put_sign_in(&SignIn { device: device.id, ..sign_in })?;
    Ok(Ok(device.id))
}

/// Whether a user has reached the daily limit of new devices. It also bounds whatever is limited per
/// device elsewhere, such as records sent again.
fn too_many_enrolments(tx: &mut dyn Writes, user: &User, now: i64) -> Result<bool, StoreError> {
    Ok(tx.enrolled_since(&user.name, now.saturating_sub(DAY))? >= ENROLMENTS_PER_DAY)
}

/// The device that a phone claims to be, if it is the user's.
fn named(
    tx: &mut dyn Writes,
    user: &User,
    asked: DeviceId,
    context: &SignInContext,
    now: i64,
) -> Result<Result<Device, AuthError>, StoreError> {
    Ok(match tx.device(asked)? {
        Some(device) if device.user != user.name => Err(AuthError::DeviceOfOtherUser),
        Some(device) if device.revoked_at.is_some() => Err(AuthError::DeviceRevoked),
        Some(device) => Ok(device),
        None => {
            let attestor = Attestor::new(tx.attestation_key()?);
            let proven =
                context.proof.is_some_and(|proof| attestor.is_enrolment(asked, &user.name, &proof));
            if proven {
                Ok(Device::enrolled(asked, &user.name, now))
            } else {
                Err(AuthError::DeviceUnknown)
            }
        }
    })
}

/// The console's device of this browser's former sign-in. Not for phones: a phone that has lost its
/// device id must not write as that device's actors again (rule I1).
fn browser(
    tx: &mut dyn Writes,
    user: &User,
    known: Option<DeviceId>,
) -> Result<Option<Device>, StoreError> {
    let Some(known) = known.filter(|_| user.role != Role::Collector) else { return Ok(None) };
    let device = tx.device(known)?;
    Ok(device.filter(|device| device.user == user.name && device.revoked_at.is_none()))
}
