//! User administration.

use serde::{Deserialize, Serialize};

use super::{Accounts, AuthError};
use crate::office::store::{StoreError, User, Writes};
use crate::record::terms::Role;

/// Names are keys in documents, arguments on the command line, and typed on phones.
const LONGEST_NAME: usize = 64;
const LONGEST_DISPLAY_NAME: usize = 100;

/// A subject has at most 255 characters (OpenID Connect Core 1.0, section 2), an issuer is a URL.
const LONGEST_ACCOUNT: usize = 512;

/// Replaces the hash of a user without a password: no password matches it.
pub(super) const NO_PASSWORD: &str = "none";

/// Names that no user may have: the office signs its own changes, decisions and receipts with them.
const RESERVED: [&str; 1] = [crate::office::OWN_NAME];

/// A user of that name exists already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is a user {0} already")]
pub struct NameTaken(pub String);

/// A user as lists show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct UserLine {
    /// Sign-in name.
    pub name: String,
    /// Display name.
    pub display_name: String,
    /// Role.
    pub role: Role,
    /// Whether the account is disabled.
    pub disabled: bool,
    /// Whether the user is linked to an account of the identity provider.
    pub linked: bool,
}

/// A user to add.
#[derive(Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Sign-in name.
    pub name: String,
    /// Display name; the sign-in name where it is empty.
    #[serde(default)]
    pub display_name: String,
    /// Role.
    pub role: Role,
    /// Absent where the user signs in with the identity provider alone.
    #[serde(default)]
    pub password: Option<String>,
}

/// Changes to a user; absent fields stay.
#[derive(Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UserChange {
    /// Display name.
    pub display_name: Option<String>,
    /// Ends every sign-in, since what the user may do has changed.
    pub role: Option<Role>,
    /// Locks the user out, and ends every sign-in, or lets in again.
    pub disabled: Option<bool>,
    /// Ends every sign-in, which may have used the old password.
    pub password: Option<String>,
    /// Unlinks the identity provider's account.
    pub unlink: bool,
    /// Links an account of the identity provider.
    pub link: Option<Account>,
}

impl UserChange {
    /// What changes, for the audit log: names of fields, and values that are no secret.
    pub fn fields(&self) -> Vec<String> {
        let mut fields = Vec::new();
        fields.extend(self.display_name.as_ref().map(|_| "display_name".to_owned()));
        fields.extend(self.role.map(|role| format!("role {role}")));
        fields.extend(self.disabled.map(|disabled| format!("disabled {disabled}")));
        fields.extend(self.password.as_ref().map(|_| "password".to_owned()));
        fields.extend(self.unlink.then(|| "unlink".to_owned()));
        fields.extend(self.link.as_ref().map(|_| "link".to_owned()));
        fields
    }
}

/// An account at an identity provider. Both parts never change hands, as names there do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The provider, as `--oidc-issuer` names it.
    pub issuer: String,
    /// The provider's own id of the account, the claim `sub`.
    pub subject: String,
}

impl Account {
    /// As it is stored.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.issuer, self.subject)
    }

    fn check(&self) -> Result<(), AuthError> {
        let fits = |text: &str| {
            (1..=LONGEST_ACCOUNT).contains(&text.len()) && !text.contains(char::is_control)
        };
        if fits(&self.issuer) && fits(&self.subject) && !self.issuer.contains(' ') {
            return Ok(());
        }
        Err(AuthError::Invalid("an account has an issuer and a subject, as the provider says them"))
    }
}

/// A name as it is stored: phones like to begin a word with a capital.
pub fn canonical_name(name: &str) -> String {
    name.trim().to_lowercase()
}

impl Accounts {
    /// Adds a user.
    pub async fn add_user(&self, new: NewUser) -> Result<UserLine, AuthError> {
        let NewUser { name, display_name, role, password } = new;
        let name = canonical_name(&name);
        let display_name = match display_name.trim() {
            "" => name.clone(),
            shown => shown.to_owned(),
        };
        check_name(&name)?;
        check_display_name(&display_name)?;
        let password_hash = match password {
            Some(password) => self.hash(password).await?,
            None => NO_PASSWORD.to_owned(),
        };
        let user = User {
            name,
            display_name,
            role,
            password_hash,
            disabled_at: None,
            created_at: self.now(),
            subject: None,
        };
        let added = self.store.write(move |tx| {
            if tx.user(&user.name)?.is_some() {
                return Ok(Err(NameTaken(user.name.clone())));
            }
            tx.put_user(&user).map(|()| Ok(UserLine::of(user.clone())))
        });
        Ok(added.await??)
    }

    /// Changes a user.
    pub async fn change_user(&self, name: &str, change: UserChange) -> Result<UserLine, AuthError> {
        let (name, now) = (canonical_name(name), self.now());
        if let Some(display_name) = &change.display_name {
            check_display_name(display_name.trim())?;
        }
        if let Some(account) = &change.link {
            account.check()?;
        }
        let hash = match change.password.clone() {
            Some(password) => Some(self.hash(password).await?),
            None => None,
        };
        let changed = self.store.write(move |tx| {
            let Some(old) = tx.user(&name)? else { return Ok(Err(AuthError::Unknown("user"))) };
            if change.disabled == Some(false) && RESERVED.contains(&name.as_str()) {
                return Ok(Err(reserved()));
            }
            let user = changed(old.clone(), &change, hash.as_deref(), now);
            if let Some(subject) = &user.subject
                && tx.user_of_subject(subject)?.is_some_and(|other| other.name != user.name)
            {
                return Ok(Err(AuthError::AccountTaken));
            }
            if is_admin(&old) && !is_admin(&user) && count_admins(tx)? == 1 {
                return Ok(Err(AuthError::LastAdmin));
            }
            tx.put_user(&user)?;
            let narrowed = user.role != old.role
                || user.disabled_at.is_some()
                || user.password_hash != old.password_hash;
            if narrowed {
                tx.end_sign_ins_of(&user.name)?;
            }
            Ok(Ok(UserLine::of(user)))
        });
        changed.await?
    }

    /// All users, or those of one role.
    pub async fn users(&self, role: Option<Role>) -> Result<Vec<UserLine>, AuthError> {
        let users =
            self.blocking(|accounts| Ok(accounts.store.read_with(|reads| reads.users())?)).await?;
        Ok(users
            .into_iter()
            .filter(|user| role.is_none_or(|role| user.role == role))
            .map(UserLine::of)
            .collect())
    }

    /// Names of the collectors who may be given a case.
    pub async fn collectors(&self) -> Result<Vec<String>, AuthError> {
        let collectors = self.users(Some(Role::Collector)).await?;
        Ok(collectors.into_iter().filter(|user| !user.disabled).map(|user| user.name).collect())
    }

    async fn hash(&self, password: String) -> Result<String, AuthError> {
        let permit = self.hasher.acquire().await?;
        let hash = self.blocking(move |accounts| accounts.hasher.hash(&password)).await;
        drop(permit);
        hash
    }
}

impl UserLine {
    fn of(user: User) -> Self {
        Self {
            name: user.name,
            display_name: user.display_name,
            role: user.role,
            disabled: user.disabled_at.is_some(),
            linked: user.subject.is_some(),
        }
    }
}

fn changed(old: User, change: &UserChange, hash: Option<&str>, now: i64) -> User {
    let shown = change.display_name.as_deref().map(str::trim);
    let promoted =
        old.role == Role::Collector && change.role.is_some_and(|role| role != Role::Collector);
    User {
        display_name: shown.map_or(old.display_name, str::to_owned),
        role: change.role.unwrap_or(old.role),
        disabled_at: match change.disabled {
            Some(true) => old.disabled_at.or(Some(now)),
            Some(false) => None,
            None => old.disabled_at,
        },
        password_hash: hash.map_or(old.password_hash, str::to_owned),
        subject: match &change.link {
            Some(account) => Some(account.key()),
            // A collector's link may have been made by name, at the first sign-in: it is not trusted
            // for a higher role.
            None => old.subject.filter(|_| !change.unlink && !promoted),
        },
        ..old
    }
}

/// Whether a user can administer users.
fn is_admin(user: &User) -> bool {
    user.role == Role::Admin && user.disabled_at.is_none()
}

fn count_admins(tx: &mut dyn Writes) -> Result<usize, StoreError> {
    Ok(tx.users()?.iter().filter(|user| is_admin(user)).count())
}

/// The display name if it is valid, or else the sign-in name.
pub(super) fn display_name_or(display_name: &str, name: &str) -> String {
    let shown = display_name.trim();
    if check_display_name(shown).is_ok() { shown.to_owned() } else { name.to_owned() }
}

pub(super) fn check_name(name: &str) -> Result<(), AuthError> {
    let plain =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    if !(1..=LONGEST_NAME).contains(&name.len()) || !name.chars().all(plain) {
        return Err(AuthError::Invalid(
            "a name has 1 to 64 of a-z, 0-9, dot, hyphen and underscore, such as chen.jie",
        ));
    }
    if RESERVED.contains(&name) {
        return Err(reserved());
    }
    Ok(())
}

fn reserved() -> AuthError {
    AuthError::Invalid("that name is the office's own: choose another one")
}

fn check_display_name(display: &str) -> Result<(), AuthError> {
    let fits = (1..=LONGEST_DISPLAY_NAME).contains(&display.chars().count());
    if !fits || display.contains(char::is_control) {
        return Err(AuthError::Invalid("a display name has 1 to 100 characters"));
    }
    Ok(())
}
