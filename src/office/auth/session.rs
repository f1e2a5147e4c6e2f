//! Signing in and out, and authenticating tokens.

use std::net::IpAddr;

use super::enrolment::bind_device;
use super::rotation::{self, TokenUse, USED_EVERY};
use super::{Accounts, AuthError, Token, canonical_name};
use crate::ids::DeviceId;
use crate::office::store::{Device, SignIn, User};
use crate::office::{EnrolmentProof, Session};
use crate::record::terms::Role;
use crate::sync::message::Revocation;

const HOUR: i64 = 60 * 60 * 1000;
pub(super) const DAY: i64 = 24 * HOUR;

/// Devices that one user may enrol within a day: allows for several reset phones and private browser
/// windows.
pub(super) const ENROLMENTS_PER_DAY: u64 = 20;

/// Maximum length of a recorded app version.
const LONGEST_VERSION: usize = 32;

/// How long a sign-in lasts, ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// Without use.
    pub idle: i64,
    /// In any case.
    pub absolute: i64,
}

impl Lifetime {
    /// A phone may be offline for weeks and must still be able to push its work. Office staff read
    /// all records, and sign in every day.
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Collector => Self { idle: 30 * DAY, absolute: 90 * DAY },
            Role::Supervisor | Role::Auditor | Role::Admin => {
                Self { idle: 12 * HOUR, absolute: 7 * DAY }
            }
        }
    }

    /// When a sign-in expires, by its start and its last use, ms.
    pub(super) const fn end(self, created_at: i64, used_at: i64) -> i64 {
        let (unused, old) = (used_at + self.idle, created_at + self.absolute);
        if unused < old { unused } else { old }
    }
}

/// An authenticated user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name, role and device.
    pub session: Session,
    /// Display name.
    pub display_name: String,
    /// When the sign-in ends regardless of use, ms.
    pub ends_at: i64,
}

/// The result of authenticating a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifiedToken {
    /// Who.
    pub identity: Identity,
    /// The successor token that the client must use from now on.
    pub renewed: Option<Token>,
}

/// A new sign-in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// User and device.
    pub identity: Identity,
    /// The client's secret.
    pub token: Token,
    /// When it expires unless it is used, ms.
    pub expires_at: i64,
}

/// A sign-in attempt by password.
pub struct Attempt {
    /// Sign-in name, as typed.
    pub name: String,
    /// Password, as typed.
    pub password: String,
    /// Device and address.
    pub context: SignInContext,
}

/// The device and address of a sign-in.
#[derive(Debug, Clone, Copy)]
pub struct SignInContext {
    /// The device that a phone claims to be.
    pub device: Option<DeviceId>,
    /// The phone's proof that the device was enrolled for the user.
    pub proof: Option<EnrolmentProof>,
    /// The device of this browser's former sign-in; used where `device` is `None`.
    pub browser: Option<DeviceId>,
    /// The client's address.
    pub address: IpAddr,
}

impl Accounts {
    /// Signs in with name and password, on an enrolled device or on a fresh one.
    pub async fn sign_in(&self, attempt: Attempt) -> Result<SignedIn, AuthError> {
        let Attempt { name, password, context } = attempt;
        let (name, now) = (canonical_name(&name), self.now());
        let own = self.own_device(&name, context).await?;
        if let Some(seconds) = self.throttle.attempt(&name, own, context.address, now).await? {
            return Err(AuthError::TooManyAttempts { seconds });
        }
        let permit = self.hasher.acquire().await?;
        let asked = name.clone();
        let user = self.blocking(move |accounts| accounts.check(&asked, &password)).await?;
        drop(permit);
        self.throttle.succeeded(&name, own, context.address).await?;
        self.begin(user, context).await
    }

    /// Starts a sign-in for an authenticated user.
    pub(crate) async fn begin(
        &self,
        user: User,
        context: SignInContext,
    ) -> Result<SignedIn, AuthError> {
        let mut fresh = [0; 16];
        getrandom::fill(&mut fresh).map_err(|_| AuthError::Closing)?;
        let (token, now, lifetime) = (Token::random()?, self.now(), Lifetime::of(user.role));
        let sign_in = SignIn {
            device: DeviceId(fresh),
            user: user.name.clone(),
            created_at: now,
            used_at: now,
            expires_at: lifetime.end(now, now),
            token: token.hash(),
            renewed_at: now,
            next: None,
            last: None,
            ended: false,
        };
        let expires_at = sign_in.expires_at;
        let checked = user.clone();
        let device = self
            .store
            .write(move |tx| bind_device(tx, &checked, sign_in.clone(), context))
            .await??;
        let session = Session { user: user.name, role: user.role, device };
        let ends_at = now + lifetime.absolute;
        let identity = Identity { session, display_name: user.display_name, ends_at };
        Ok(SignedIn { identity, token, expires_at })
    }

    /// Authenticates a token; `None` where it is unknown, expired or revoked. `version` is the
    /// version of the client's app.
    pub async fn identify(
        &self,
        token: &Token,
        version: Option<&str>,
    ) -> Result<Option<IdentifiedToken>, AuthError> {
        let now = self.now();
        // Four lookups by key: handing them to another thread would cost more than they do.
        let found = self.store.read_with(|reads| {
            let Some(sign_in) = reads.sign_in(&token.hash())? else { return Ok(None) };
            let device = reads.device(sign_in.device)?;
            let user = reads.user(&sign_in.user)?;
            let next = token.successor(&reads.attestation_key()?);
            Ok(device.zip(user).map(|(device, user)| (sign_in, device, user, next)))
        })?;
        let Some((sign_in, device, user, next)) = found else { return Ok(None) };
        if device.revoked_at.is_some() || user.disabled_at.is_some() || device.user != user.name {
            return Ok(None);
        }
        let lifetime = Lifetime::of(user.role);
        let (shown, successor) = (token.hash(), next.hash());
        let renewed = match rotation::check_token(&sign_in, &shown, successor, lifetime, now) {
            TokenUse::Ended => return Ok(None),
            TokenUse::Replayed => {
                let device = sign_in.device;
                tracing::warn!(%device, "a replaced token was used again: signed out");
                self.store.write(move |tx| tx.end_sign_ins_on(device)).await?;
                return Ok(None);
            }
            TokenUse::Valid { write, renew } => {
                let version =
                    version.filter(|version| fit(version) && *version != device.app_version);
                let seen = now.saturating_sub(device.last_seen_at) >= USED_EVERY;
                if write.is_some() || version.is_some() || seen {
                    self.used(shown, successor, lifetime, version.map(str::to_owned)).await?;
                }
                renew.then_some(next)
            }
        };
        let ends_at = sign_in.created_at + lifetime.absolute;
        let session = Session { user: user.name, role: user.role, device: device.id };
        let identity = Identity { session, display_name: user.display_name, ends_at };
        Ok(Some(IdentifiedToken { identity, renewed }))
    }

    /// Whether a session is still valid, for long-running responses.
    pub async fn is_current(&self, session: &Session) -> Result<bool, AuthError> {
        let now = self.now();
        Ok(self.store.read_with(|reads| {
            let user = reads.user(&session.user)?;
            let device = reads.device(session.device)?;
            let sign_in = reads.sign_in_on(session.device)?;
            Ok(user.is_some_and(|user| user.disabled_at.is_none() && user.role == session.role)
                && device.is_some_and(|device| device.revoked_at.is_none())
                && sign_in.is_some_and(|sign_in| {
                    sign_in.user == session.user && !sign_in.ended && sign_in.expires_at > now
                }))
        })?)
    }

    /// The session of a revoked device or disabled user: it may still push its unsent work, and
    /// nothing else (rule F4).
    pub async fn revoked_session(
        &self,
        token: &Token,
    ) -> Result<Option<(Session, Revocation)>, AuthError> {
        let (hash, now) = (token.hash(), self.now());
        let found = self.blocking(move |accounts| {
            Ok(accounts.store.read_with(|reads| {
                let Some(sign_in) = reads.sign_in(&hash)? else { return Ok(None) };
                let device = reads.device(sign_in.device)?;
                let user = reads.user(&sign_in.user)?;
                Ok(device.zip(user).filter(|_| sign_in.expires_at > now))
            })?)
        });
        let Some((device, user)) = found.await? else { return Ok(None) };
        let ended = match (device.revoked_at, user.disabled_at) {
            (Some(_), _) => Revocation::DeviceRevoked,
            (None, Some(_)) => Revocation::UserDisabled,
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
        let user = self.store.read_with(|reads| reads.user(name))?;
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        // Check the hash of disabled users too, so that they take the same time.
        let right = self.hasher.verify(password, hash);
        user.filter(|user| right && user.disabled_at.is_none()).ok_or(AuthError::WrongPassword)
    }

    /// The device of an attempt, if it is the user's.
    async fn own_device(
        &self,
        name: &str,
        context: SignInContext,
    ) -> Result<Option<DeviceId>, AuthError> {
        let Some(id) = context.device.or(context.browser) else { return Ok(None) };
        let name = name.to_owned();
        self.blocking(move |accounts| {
            let device = accounts.store.read_with(|reads| reads.device(id))?;
            let own = device.filter(|device| device.user == name && device.revoked_at.is_none());
            Ok(own.map(|device| device.id))
        })
        .await
    }

    /// Writes down that a token was used.
    async fn used(
        &self,
        shown: [u8; 32],
        successor: [u8; 32],
        lifetime: Lifetime,
        version: Option<String>,
    ) -> Result<(), AuthError> {
        let now = self.now();
        let written = self.store.write(move |tx| {
            // The rows may have changed since they were read: what was ended or revoked stays so.
            let Some(sign_in) = tx.sign_in(&shown)? else { return Ok(()) };
            let Some(device) = tx.device(sign_in.device)? else { return Ok(()) };
            let app_version = version.clone().unwrap_or(device.app_version);
            tx.put_device(&Device { last_seen_at: now, app_version, ..device })?;
            match rotation::check_token(&sign_in, &shown, successor, lifetime, now) {
                TokenUse::Valid { write: Some(used), .. } => tx.put_sign_in(&used),
                TokenUse::Valid { write: None, .. } | TokenUse::Ended | TokenUse::Replayed => {
                    Ok(())
                }
            }
        });
        Ok(written.await?)
    }
}

/// A version as the app's build names it, such as 0.1.0.
fn fit(version: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    version.len() <= LONGEST_VERSION && version.contains('.') && version.chars().all(plain)
}
