//! Tokens with which programs such as Excel read the records for reports, and nothing else. A token has
//! the rights of its user as long as the user may read the list, a year at most.

use super::{Accounts, AuthError, Token};
use crate::office::store::ReportToken;
use crate::record::terms::Role;

/// Tokens of one user.
const MAX_PER_USER: usize = 20;

/// Longest name, in characters.
const MAX_NAME: usize = 60;

/// How long a token is valid, ms.
const VALID_MS: i64 = 365 * 24 * 3_600_000;

/// Steps in which the last use is noted, ms: a report reads many pages.
const USE_STEP_MS: i64 = 3_600_000;

impl Accounts {
    /// The tokens of a user, oldest first.
    pub async fn report_tokens(&self, user: &str) -> Result<Vec<ReportToken>, AuthError> {
        let user = user.to_owned();
        self.blocking(move |accounts| {
            Ok(accounts.store.read_with(|reads| reads.report_tokens(&user))?)
        })
        .await
    }

    /// Makes a token. Only its hash is stored, so it can be shown this once.
    pub async fn add_report_token(
        &self,
        user: &str,
        name: &str,
    ) -> Result<(ReportToken, Token), AuthError> {
        let (user, name) = (user.to_owned(), name.trim().to_owned());
        if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(char::is_control) {
            return Err(AuthError::Invalid("a token has a name of at most 60 characters"));
        }
        let secret = Token::random()?;
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|_| AuthError::Closing)?;
        let created_at = self.now();
        let token = ReportToken {
            id,
            hash: secret.hash(),
            user,
            name,
            created_at,
            expires_at: created_at + VALID_MS,
            used_at: None,
        };
        let added = self.store.write(move |tx| {
            let others = tx.report_tokens(&token.user)?;
            if others.len() >= MAX_PER_USER {
                return Ok(Err(AuthError::Invalid("there are 20 tokens: revoke one first")));
            }
            tx.add_report_token(&token)?;
            Ok(Ok(token.clone()))
        });
        Ok((added.await??, secret))
    }

    /// Revokes a token of a user; false if there is none.
    pub async fn revoke_report_token(&self, id: [u8; 16], user: &str) -> Result<bool, AuthError> {
        let user = user.to_owned();
        Ok(self.store.write(move |tx| tx.delete_report_token(id, &user)).await? > 0)
    }

    /// The user of a valid token.
    pub async fn report_reader(&self, secret: &Token) -> Result<Option<String>, AuthError> {
        let (hash, now) = (secret.hash(), self.now());
        let found = self.blocking(move |accounts| {
            Ok(accounts.store.read_with(|reads| {
                let Some(token) = reads.report_token(&hash)? else { return Ok(None) };
                let user = reads.user(&token.user)?;
                let may_read = user
                    .is_some_and(|user| user.disabled_at.is_none() && user.role != Role::Collector);
                Ok(Some(token).filter(|token| may_read && now < token.expires_at))
            })?)
        });
        let Some(token) = found.await? else { return Ok(None) };
        if token.used_at.is_none_or(|used| now - used >= USE_STEP_MS) {
            let id = token.id;
            self.store.write(move |tx| tx.note_report_token(id, now)).await?;
        }
        Ok(Some(token.user))
    }
}
