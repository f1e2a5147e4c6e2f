//! On which device a sign-in stands (rule I1).
//!
//! A device's id is no secret: it is part of every change, and staff see it in lists. A device that
//! the office knows is its user's. One that it does not know may have been enrolled after the backup
//! that the office was restored from; its unsent work is written in its name, so it keeps its
//! id, but only for the user to whom this office once gave it. Otherwise any user could name that phone
//! and be given the key of its escrow.

use super::session::{DAY, ENROLMENTS_PER_DAY, SignInContext};
use super::{Accounts, AuthError, canonical_name};
use crate::ids::DeviceId;
use crate::office::attestation::Attestor;
use crate::office::store::{Device, SignIn, StoreError, User, Writes};
use crate::record::terms::Role;

impl Accounts {
    /// Enrols a device by hand: one that a restored office has forgotten, and that has no proof to
    /// show. The administrator has made sure whose device it is.
    pub async fn enrol_device(&self, id: DeviceId, user: &str) -> Result<(), AuthError> {
        let (name, now) = (canonical_name(user), self.now());
        let enrolled = self.store.write(move |tx| {
            let Some(user) = tx.user(&name)? else { return Ok(Err(AuthError::Unknown("user"))) };
            if id == tx.office_device()? {
                return Ok(Err(AuthError::Invalid("the office itself writes as this device")));
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

/// Keeps a sign-in on the device that was asked for, or enrols the fresh one that it names.
pub(super) fn keep(
    tx: &mut dyn Writes,
    checked: &User,
    sign_in: SignIn,
    context: SignInContext,
) -> Result<Result<DeviceId, AuthError>, StoreError> {
    let now = sign_in.created_at;
    // Hashing takes its time: what was proven must still be the user's.
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
    // A device with a proof is not new, only forgotten: unsent work may be on it.
    let new = context.device.is_none() && tx.device(device.id)?.is_none();
    if new && too_many_enrolments(tx, &user, now)? {
        return Ok(Err(AuthError::TooManyDevices));
    }
    tx.forget_expired(now)?;
    tx.put_device(&Device { last_seen_at: now, ..device })?;
    tx.put_sign_in(&SignIn { device: device.id, ..sign_in })?;
    Ok(Ok(device.id))
}

/// Whether a user has enrolled as many devices within a day as anybody may. What is counted per
/// device somewhere else, such as records that a device is sent again, stays bounded by this.
fn too_many_enrolments(tx: &mut dyn Writes, user: &User, now: i64) -> Result<bool, StoreError> {
    Ok(tx.enrolled_since(&user.name, now.saturating_sub(DAY))? >= ENROLMENTS_PER_DAY)
}

/// The device that a phone says it is, where it is the user's.
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

/// The console's device in a browser that was used before. A phone names its device itself: one
/// that forgot it begins anew, lest it write as an actor of before (rule I1).
fn browser(
    tx: &mut dyn Writes,
    user: &User,
    known: Option<DeviceId>,
) -> Result<Option<Device>, StoreError> {
    let Some(known) = known.filter(|_| user.role != Role::Collector) else { return Ok(None) };
    let device = tx.device(known)?;
    Ok(device.filter(|device| device.user == user.name && device.revoked_at.is_none()))
}
