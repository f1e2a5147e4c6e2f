//! Maps an identity that the provider has confirmed to a user of the office.
//!
//! A collector is found by name at the first sign-in. From then on the user is linked to the
//! provider's account by issuer and subject, since a provider may reassign names but not subjects.
//! Staff accounts are linked by an administrator: a reassigned name must not open all records.
//!
//! A sign-in creates no user unless the office is configured to: a provider's directory lists every
//! employee, and the office decides who may read records. Users created this way are collectors
//! without assignments.

use super::openid::OidcIdentity;
use super::session::{SignInContext, SignedIn};
use super::users::{NO_PASSWORD, check_name, display_name_or};
use super::{Accounts, AuthError, canonical_name};
use crate::office::store::{StoreError, User, Writes};
use crate::record::terms::Role;

impl Accounts {
    /// Signs in an identity that the provider has confirmed. `enrol`: create collector accounts for
    /// unknown users.
    pub async fn sign_in_oidc(
        &self,
        identity: OidcIdentity,
        enrol: bool,
        context: SignInContext,
    ) -> Result<SignedIn, AuthError> {
        let now = self.now();
        let found = self.store.write(move |tx| find_or_create(tx, &identity, enrol, now)).await??;
        self.begin(found, context).await
    }
}

fn find_or_create(
    tx: &mut dyn Writes,
    identity: &OidcIdentity,
    enrol: bool,
    now: i64,
) -> Result<Result<User, AuthError>, StoreError> {
    let linked = tx.user_of_subject(&identity.subject)?;
    let user = match linked {
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
                None if enrol && check_name(&name).is_ok() => new_collector(name, identity, now),
                None => return Ok(Err(AuthError::UnknownAccount)),
            };
            let user = User { subject: Some(identity.subject.clone()), ..user };
            tx.put_user(&user)?;
            user
        }
    };
    Ok(if user.disabled_at.is_some() { Err(AuthError::UnknownAccount) } else { Ok(user) })
}

fn new_collector(name: String, identity: &OidcIdentity, now: i64) -> User {
    User {
        display_name: display_name_or(&identity.display_name, &name),
        name,
        role: Role::Collector,
        password_hash: NO_PASSWORD.to_owned(),
        disabled_at: None,
        created_at: now,
        subject: None,
    }
}
