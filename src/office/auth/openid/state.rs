//! The state of a sign-in, kept in a cookie of the browser that started it.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{OpenId, OpenIdError, SignInApp};
use crate::ids::{hex, unhex};

/// A sign-in that was started and not completed, as the browser's cookie keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingSignIn {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) until: i64,
    /// The app that started it, and to which the browser returns.
    pub door: SignInApp,
    /// The phone's device id.
    pub device: Option<String>,
    /// Proof that the device was enrolled.
    #[serde(default)]
    pub proof: Option<String>,
}

impl OpenId {
    /// Decodes a state cookie; `None` where this office did not make it or it has expired.
    pub fn pending(&self, cookie: &str) -> Option<PendingSignIn> {
        let (body, code) = cookie.split_once('.')?;
        let (body, code) = (unhex(body)?, unhex(code)?);
        self.mac(&body).verify_slice(&code).ok()?;
        let pending: PendingSignIn = serde_json::from_slice(&body).ok()?;
        (pending.until > (self.clock)()).then_some(pending)
    }

    /// Marks a state as used; `false` where it was used before, at any endpoint.
    pub(super) async fn use_state(&self, pending: &PendingSignIn) -> Result<bool, OpenIdError> {
        let (state, until, now) =
            (Sha256::digest(&pending.state).into(), pending.until, (self.clock)());
        let used = self.store.write(move |tx| tx.use_once(state, until, now)).await;
        used.map_err(|_| OpenIdError::Unreachable)
    }

    pub(super) fn encode_state(&self, pending: &PendingSignIn) -> String {
        // Strings and a number always serialize.
        let body = serde_json::to_vec(pending).unwrap_or_default();
        let code = self.mac(&body).finalize().into_bytes();
        format!("{}.{}", hex(&body), hex(&code))
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.key);
        let mut mac = Hmac::new(&block.into());
        mac.update(body);
        mac
    }
}
