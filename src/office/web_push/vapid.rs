//! Identifies the office to push services (RFC 8292): a signed token with each message.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;

use super::encryption::point;

/// How long a token is valid, seconds. Push services allow a day.
const VALID_S: i64 = 12 * 60 * 60;

/// The office's key for all push services.
pub(super) struct Vapid(SecretKey);

impl Vapid {
    pub(super) fn new(key: SecretKey) -> Self {
        Self(key)
    }

    /// The public key, as browsers take it at the subscription.
    pub(super) fn public_key(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(point(&self.0.public_key()))
    }

    /// The header `Authorization` of a message. `audience` is the push service's origin, `contact`
    /// an address of the office, `now` in ms.
    pub(super) fn authorization(&self, audience: &str, contact: Option<&str>, now: i64) -> String {
        let mut claims = json!({ "aud": audience, "exp": now / 1000 + VALID_S });
        if let Some(contact) = contact {
            claims["sub"] = json!(contact);
        }
        let header = json!({ "typ": "JWT", "alg": "ES256" });
        let encoded = |part: String| BASE64_URL_SAFE_NO_PAD.encode(part);
        let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let signature: Signature = SigningKey::from(&self.0).sign(signed.as_bytes());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes());
        format!("vapid t={signed}.{signature}, k={}", self.public_key())
    }
}
