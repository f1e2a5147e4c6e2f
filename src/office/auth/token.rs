//! The secret of a sign-in.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::AuthError;
use crate::ids::{hex, unhex};

/// The secret of a sign-in, 256 random bits. Only its hash is stored, so that a stolen database can't
/// be used to sign in.
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

    /// The token's text form, for the client.
    pub fn to_text(&self) -> String {
        hex(&self.0)
    }

    /// The successor of this token. Deterministic, so that a lost response can be repeated; it can't
    /// be computed without both the token and the office's key.
    pub(super) fn successor(&self, key: &[u8; 32]) -> Self {
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        // Domain separation: state tokens are made with the same key.
        mac.update(b"doorstep token 1");
        mac.update(&self.0);
        Self(mac.finalize().into_bytes().into())
    }

    /// The hash that is stored. 256 random bits can't be guessed, so no salt and no slow hash.
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
