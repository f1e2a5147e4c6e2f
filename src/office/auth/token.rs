//! The secret of a sign-in.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::AuthError;
use crate::ids::{hex, unhex};

/// 256 random bits that stand for a sign-in. Only their hash is stored, so that a stolen database
/// signs nobody in.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    /// A fresh one.
    pub(super) fn random() -> Result<Self, AuthError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| AuthError::Closing)?;
        Ok(Self(bytes))
    }

    /// A token as a client presents it.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text)?.try_into().ok().map(Self)
    }

    /// What the client keeps.
    pub fn to_text(&self) -> String {
        hex(&self.0)
    }

    /// The token that follows this one: the same whenever it is asked for, so that an answer which
    /// was lost can be given again. Whoever has neither the token nor the office's key can't tell.
    pub(super) fn successor(&self, key: &[u8; 32]) -> Self {
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        // Apart from the state tokens, which are made with the same key.
        mac.update(b"doorstep token 1");
        mac.update(&self.0);
        Self(mac.finalize().into_bytes().into())
    }

    /// What the store keeps. No salt and no slow hash: there is nothing to guess.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Debug output ends in logs.
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text_and_shows_nowhere() {
        let token = Token::random().unwrap();
        assert_eq!(Token::parse(&token.to_text()), Some(token.clone()));
        assert_eq!(Token::parse("abc"), None);
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_ne!(token.hash(), Token::random().unwrap().hash());
        assert_eq!(token.successor(&[1; 32]), token.successor(&[1; 32]));
        assert_ne!(token.successor(&[1; 32]), token.successor(&[2; 32]));
        assert_ne!(token.successor(&[1; 32]), token);
    }
}
