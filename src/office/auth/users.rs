//! Keeping users and devices.

use serde::Serialize;

use super::{Accounts, AuthError};
use crate::ids::DeviceId;
use crate::office::store::{Device, User};
use crate::record::terms::Role;

/// Names go into documents as keys and onto the command line, and are typed on phones.
const LONGEST_NAME: usize = 64;
const LONGEST_DISPLAY_NAME: usize = 100;

/// A user of that name exists already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is a user {0} already")]
pub struct NameTaken(pub String);

/// A user as lists show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserLine {
    /// Sign-in name.
    pub name: String,
    /// What people read.
    pub display_name: String,
    /// Role.
    pub role: Role,
    /// Whether the user is locked out.
    pub disabled: bool,
}

/// A name as it is stored: phones like to begin a word with a capital.
pub fn canonical_name(name: &str) -> String {
    name.trim().to_lowercase()
}

impl Accounts {
    /// Adds a user.
    pub async fn add_user(
        &self,
        name: &str,
        display_name: &str,
        role: Role,
        password: String,
    ) -> Result<(), AuthError> {
        let name = canonical_name(name);
        check_names(&name, display_name)?;
        let place = self.hasher.place().await?;
        let password_hash = self.blocking(move |accounts| accounts.hasher.hash(&password)).await?;
        drop(place);
        let user = User {
            name,
            display_name: display_name.trim().to_owned(),
            role,
            password_hash,
            disabled_at: None,
            created_at: self.now(),
        };
        let added = self.store.write(move |tx| {
            if tx.user(&user.name)?.is_some() {
                return Ok(Err(NameTaken(user.name.clone())));
            }
            tx.put_user(&user).map(Ok)
        });
        Ok(added.await??)
    }

    /// All users, or those of one role.
    pub async fn users(&self, role: Option<Role>) -> Result<Vec<UserLine>, AuthError> {
        let users =
            self.blocking(|accounts| Ok(accounts.store.look(|reads| reads.users())?)).await?;
        Ok(users
            .into_iter()
            .filter(|user| role.is_none_or(|role| user.role == role))
            .map(|user| UserLine {
                name: user.name,
                display_name: user.display_name,
                role: user.role,
                disabled: user.disabled_at.is_some(),
            })
            .collect())
    }

    /// Names of the collectors who may be given a case.
    pub async fn collectors(&self) -> Result<Vec<String>, AuthError> {
        let collectors = self.users(Some(Role::Collector)).await?;
        Ok(collectors.into_iter().filter(|user| !user.disabled).map(|user| user.name).collect())
    }

    /// Locks a user out and ends every sign-in.
    pub async fn disable_user(&self, name: &str) -> Result<(), AuthError> {
        let (name, now) = (canonical_name(name), self.now());
        let done = self.store.write(move |tx| {
            let Some(user) = tx.user(&name)? else { return Ok(false) };
            tx.put_user(&User { disabled_at: user.disabled_at.or(Some(now)), ..user })?;
            tx.end_sign_ins_of(&name).map(|_| true)
        });
        if done.await? { Ok(()) } else { Err(AuthError::Unknown("user")) }
    }

    /// All devices, oldest first.
    pub async fn devices(&self) -> Result<Vec<Device>, AuthError> {
        self.blocking(|accounts| Ok(accounts.store.look(|reads| reads.devices())?)).await
    }

    /// Revokes a device and ends every sign-in on it.
    pub async fn revoke_device(&self, id: DeviceId) -> Result<(), AuthError> {
        let now = self.now();
        let done = self.store.write(move |tx| {
            let Some(device) = tx.device(id)? else { return Ok(false) };
            tx.put_device(&Device { revoked_at: device.revoked_at.or(Some(now)), ..device })?;
            tx.end_sign_ins_on(id).map(|_| true)
        });
        if done.await? { Ok(()) } else { Err(AuthError::Unknown("device")) }
    }
}

fn check_names(name: &str, display_name: &str) -> Result<(), AuthError> {
    let plain =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    if !(1..=LONGEST_NAME).contains(&name.len()) || !name.chars().all(plain) {
        return Err(AuthError::Unfit(
            "a name has 1 to 64 of a-z, 0-9, dot, hyphen and underscore, such as chen.jie",
        ));
    }
    let display = display_name.trim();
    let fits = (1..=LONGEST_DISPLAY_NAME).contains(&display.chars().count());
    if !fits || display.contains(char::is_control) {
        return Err(AuthError::Unfit("a display name has 1 to 100 characters"));
    }
    Ok(())
}
