//! Signing in and out, and who a token stands for.

use std::net::IpAddr;

use super::{Accounts, AuthError, SIGN_IN_LASTS, Token, canonical_name};
use crate::ids::DeviceId;
use crate::office::Session;
use crate::office::store::{Device, SignIn, StoreError, User, Writes};
use crate::sync::message::Ended;

/// A sign-in is prolonged, and a device seen, once in this time and not at every request, ms.
const SEEN_EVERY: i64 = 60 * 60 * 1000;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name, role and device.
    pub session: Session,
    /// What people read.
    pub display_name: String,
}

/// What signing in gives.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who, and on which device.
    pub identity: Identity,
    /// The secret that the client keeps.
    pub token: Token,
    /// When it ends unless it is used, ms.
    pub expires_at: i64,
}

impl Accounts {
    /// Signs in with name and password, on a device that was enrolled before or on a fresh one.
    pub async fn sign_in(
        &self,
        name: &str,
        password: String,
        device: Option<DeviceId>,
        address: IpAddr,
    ) -> Result<SignedIn, AuthError> {
        let (name, now) = (canonical_name(name), self.now());
        if let Some(seconds) = self.throttle.attempt(&name, address, now) {
            return Err(AuthError::TooManyAttempts { seconds });
        }
        let place = self.hasher.place().await?;
        let asked = name.clone();
        let user = self.blocking(move |accounts| accounts.check(&asked, &password)).await?;
        drop(place);
        self.throttle.succeeded(&name, address);
        let mut fresh = [0; 16];
        getrandom::fill(&mut fresh).map_err(|_| AuthError::Closing)?;
        let token = Token::random()?;
        let expires_at = now + SIGN_IN_LASTS;
        let sign_in = SignIn {
            token_hash: token.hash(),
            user: user.name.clone(),
            device: DeviceId(fresh),
            created_at: now,
            expires_at,
            ended: false,
        };
        let kept = self.store.write(move |tx| keep(tx, sign_in.clone(), device)).await?;
        let device = kept?;
        let session = Session { user: user.name, role: user.role, device };
        let identity = Identity { session, display_name: user.display_name };
        Ok(SignedIn { identity, token, expires_at })
    }

    /// Whom a token stands for; `None` where it stands for nobody (any more).
    pub async fn identify(&self, token: &Token) -> Result<Option<Identity>, AuthError> {
        let (hash, now) = (token.hash(), self.now());
        let found = self
            .blocking(move |accounts| {
                Ok(accounts.store.look(|reads| {
                    let Some(sign_in) = reads.sign_in(&hash)? else { return Ok(None) };
                    let device = reads.device(sign_in.device)?;
                    let user = reads.user(&sign_in.user)?;
                    Ok(device.zip(user).map(|(device, user)| (sign_in, device, user)))
                })?)
            })
            .await?;
        let Some((sign_in, device, user)) = found else { return Ok(None) };
        let ended = sign_in.expires_at <= now || sign_in.ended;
        if ended || device.revoked_at.is_some() || user.disabled_at.is_some() {
            return Ok(None);
        }
        let session = Session { user: user.name, role: user.role, device: device.id };
        self.seen(sign_in, device, now).await?;
        Ok(Some(Identity { session, display_name: user.display_name }))
    }

    /// Whom a token stood for on a device that is shut out: it may hand over what it has unsent,
    /// and nothing else (rule F4).
    pub async fn recall(&self, token: &Token) -> Result<Option<(Session, Ended)>, AuthError> {
        let (hash, now) = (token.hash(), self.now());
        let found = self.blocking(move |accounts| {
            Ok(accounts.store.look(|reads| {
                let Some(sign_in) = reads.sign_in(&hash)? else { return Ok(None) };
                let device = reads.device(sign_in.device)?;
                let user = reads.user(&sign_in.user)?;
                Ok(device.zip(user).filter(|_| sign_in.expires_at > now))
            })?)
        });
        let Some((device, user)) = found.await? else { return Ok(None) };
        let ended = match (device.revoked_at, user.disabled_at) {
            (Some(_), _) => Ended::DeviceRevoked,
            (None, Some(_)) => Ended::UserDisabled,
            (None, None) => return Ok(None),
        };
        Ok(Some((Session { user: user.name, role: user.role, device: device.id }, ended)))
    }

    /// Ends the sign-in of a token.
    pub async fn sign_out(&self, token: &Token) -> Result<(), AuthError> {
        let hash = token.hash();
        Ok(self.store.write(move |tx| tx.end_sign_in(&hash)).await?)
    }

    fn check(&self, name: &str, password: &str) -> Result<User, AuthError> {
        let user = self.store.look(|reads| reads.user(name))?;
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        // The hash is checked for users who are locked out too, so that they take the same time.
        let right = self.hasher.verify(password, hash);
        user.filter(|user| right && user.disabled_at.is_none()).ok_or(AuthError::WrongPassword)
    }

    /// Notes that a sign-in was used, which prolongs it.
    async fn seen(&self, sign_in: SignIn, device: Device, now: i64) -> Result<(), AuthError> {
        let used = sign_in.expires_at - SIGN_IN_LASTS;
        // Both are looked at: a device may have several sign-ins.
        if now - used < SEEN_EVERY && now - device.last_seen_at < SEEN_EVERY {
            return Ok(());
        }
        let written = self.store.write(move |tx| {
            // The rows may have changed since they were read: what was ended or revoked stays so.
            let Some(device) = tx.device(device.id)? else { return Ok(()) };
            tx.put_device(&Device { last_seen_at: now, ..device })?;
            let Some(sign_in) = tx.sign_in(&sign_in.token_hash)? else { return Ok(()) };
            tx.put_sign_in(&SignIn { expires_at: now + SIGN_IN_LASTS, ..sign_in })
        });
        Ok(written.await?)
    }
}

/// Keeps a sign-in on the device that was asked for, or enrols the fresh one that it names.
fn keep(
    tx: &mut dyn Writes,
    sign_in: SignIn,
    asked: Option<DeviceId>,
) -> Result<Result<DeviceId, AuthError>, StoreError> {
    let now = sign_in.created_at;
    let known = asked.map(|id| tx.device(id)).transpose()?.flatten();
    let device = match known {
        Some(device) if device.user != sign_in.user => {
            return Ok(Err(AuthError::DeviceOfOtherUser));
        }
        Some(device) if device.revoked_at.is_some() => return Ok(Err(AuthError::DeviceRevoked)),
        Some(device) => Device { last_seen_at: now, ..device },
        // A device that the office does not know was enrolled before a restore, and goes on as
        // itself: its unsent work is written in its name. Only the office's own id is nobody's.
        None => Device {
            id: match asked {
                Some(id) if id != tx.office_device()? => id,
                Some(_) | None => sign_in.device,
            },
            user: sign_in.user.clone(),
            created_at: now,
            last_seen_at: now,
            revoked_at: None,
        },
    };
    tx.forget_expired(now)?;
    tx.put_device(&device)?;
    tx.put_sign_in(&SignIn { device: device.id, ..sign_in })?;
    Ok(Ok(device.id))
}
