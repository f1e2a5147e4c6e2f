//! Which user of the office somebody is for whom an identity provider vouches.
//!
//! A collector is found by name the first time, by a claim. From then on the user is tied to the
//! provider's account by issuer and subject, since names at a provider change hands and subjects
//! don't. Staff are linked by an administrator: a name that changed hands must not open all records.
//!
//! A sign-in creates no user unless the office is set up so: a provider's directory holds everybody
//! who works there, and what a user may read is the office's to decide. A user who is created that
//! way is a collector, to whom nothing is assigned yet.

use super::openid::OidcIdentity;
use super::session::{SignInContext, SignedIn};
use super::users::{NO_PASSWORD, check_name, shown_or};
use super::{Accounts, AuthError, canonical_name};
use crate::office::store::{StoreError, User, Writes};
use crate::record::terms::Role;

impl Accounts {
    /// Signs in somebody for whom the identity provider vouches. `enrol` makes a collector of
    /// whom the office doesn't know.
    pub async fn sign_in_oidc(
        &self,
        identity: OidcIdentity,
        enrol: bool,
        context: SignInContext,
    ) -> Result<SignedIn, AuthError> {
        let now = self.now();
        let found = self.store.write(move |tx| user_of(tx, &identity, enrol, now)).await??;
        self.begin(found, context).await
    }
}

fn user_of(
    tx: &mut dyn Writes,
    identity: &OidcIdentity,
    enrol: bool,
    now: i64,
) -> Result<Result<User, AuthError>, StoreError> {
    let tied = tx.user_of_subject(&identity.subject)?;
    let user = match tied {
        Some(user) => user,
        None => {
            let Some(name) = identity.name.as_deref().map(canonical_name) else {
                return Ok(Err(AuthError::UnknownAccount));
            };
            let user = match tx.user(&name)? {
                Some(user) if user.subject.is_some() => return Ok(Err(AuthError::OtherAccount)),
                Some(user) if user.disabled_at.is_some() => {
                    return Ok(Err(AuthError::UnknownAccount));
                }
                Some(user) if user.role != Role::Collector => return Ok(Err(AuthError::NotLinked)),
                Some(user) => user,
                None if enrol && check_name(&name).is_ok() => newcomer(name, identity, now),
                None => return Ok(Err(AuthError::UnknownAccount)),
            };
            let user = User { subject: Some(identity.subject.clone()), ..user };
            tx.put_user(&user)?;
            user
        }
    };
    Ok(if user.disabled_at.is_some() { Err(AuthError::UnknownAccount) } else { Ok(user) })
}

fn newcomer(name: String, identity: &OidcIdentity, now: i64) -> User {
    User {
        display_name: shown_or(&identity.display_name, &name),
        name,
        role: Role::Collector,
        password_hash: NO_PASSWORD.to_owned(),
        disabled_at: None,
        created_at: now,
        subject: None,
    }
}
