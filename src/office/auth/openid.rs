//! Signing in with OpenID Connect: the authorization code flow with PKCE, state and nonce.
//!
//! The state of a sign-in lives in a cookie of the browser that started it, authenticated with a
//! key of this process: no other browser can complete it, and the office stores nothing. The
//! provider confirms an identity; [`Accounts::sign_in_oidc`](super::Accounts::sign_in_oidc) decides
//! which user of the office that is.

mod provider;
mod state;
mod transport;

use std::sync::Arc;

use openidconnect::core::CoreAuthenticationFlow;
use openidconnect::{
    AuthorizationCode, CsrfToken, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope,
    TokenResponse,
};
use serde::{Deserialize, Serialize};

use crate::office::store::Store;
use crate::office::{Clock, Office};
use provider::{CachedMetadata, METADATA_MAX_AGE_MS};
pub use state::PendingSignIn;
use transport::Transport;

/// Path to which the provider redirects the browser.
pub const CALLBACK_PATH: &str = "/api/sign-in/openid/return";

/// How long a sign-in at the provider may take, ms.
pub const SIGN_IN_TIMEOUT_MS: i64 = 10 * 60 * 1000;

/// The claim that names a user of the office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameClaim {
    /// `preferred_username`.
    PreferredUsername,
    /// `email`, where the provider has verified it.
    Email,
    /// `sub`.
    Subject,
}

/// Configuration of the provider.
#[derive(Clone)]
pub struct Settings {
    /// The provider's issuer; https, or http on this machine.
    pub issuer: String,
    /// The office's client id at the provider.
    pub client_id: String,
    /// The client secret, for providers that issue one.
    pub client_secret: Option<String>,
    /// Which claim names the user.
    pub claim: NameClaim,
    /// The domain that the claim must have after its `@`; it is removed.
    pub domain: Option<String>,
    /// Create collector accounts for unknown users. They see nothing until a case is assigned.
    pub enrol: bool,
    /// Label of the sign-in button.
    pub label: String,
    /// The office's public origin.
    pub public: String,
}

/// The app to sign in to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignInApp {
    /// The phones' app.
    Field,
    /// The console.
    Office,
}

/// Query parameters with which the provider redirects the browser back.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Callback {
    code: String,
    state: String,
    iss: Option<String>,
    error: Option<String>,
}

/// An identity that the provider has confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcIdentity {
    /// Issuer and subject, which never change hands.
    pub subject: String,
    /// The user's name by the claim; `None` where the claim has another domain than the office.
    pub name: Option<String>,
    /// Display name; may be empty.
    pub display_name: String,
}

/// Why a sign-in failed. Each has a stable code, for which the apps have a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenIdError {
    /// The settings name no usable provider.
    #[error("the issuer must be an https address, or an http one on this machine")]
    Settings,
    /// The provider does not answer, or its answer cannot be used.
    #[error("the identity provider can't be reached: try again later, or use the password")]
    Unreachable,
    /// Started in another browser, expired, or completed already.
    #[error("this sign-in was begun elsewhere or too long ago: begin anew")]
    Stale,
    /// The user or the provider declined.
    #[error("the identity provider did not sign you in")]
    Denied,
    /// The provider's answer does not verify.
    #[error("the identity provider's answer does not hold: tell the office")]
    Refused,
}

impl OpenIdError {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Settings | Self::Unreachable => "openid_unreachable",
            Self::Stale => "openid_stale",
            Self::Denied => "openid_denied",
            Self::Refused => "openid_refused",
        }
    }
}

/// An OpenID Connect client of one provider.
pub struct OpenId {
    settings: Settings,
    clock: Clock,
    store: Arc<dyn Store>,
    transport: Transport,
    key: [u8; 32],
    metadata: tokio::sync::Mutex<Option<CachedMetadata>>,
}

impl OpenId {
    /// Makes no request: the office starts while the provider is down. A sign-in may begin at one
    /// endpoint of the office and complete at another.
    pub fn new(settings: Settings, office: &Office) -> Result<Self, OpenIdError> {
        IssuerUrl::new(settings.issuer.clone()).map_err(|_| OpenIdError::Settings)?;
        if !has_safe_transport(&settings.issuer) {
            return Err(OpenIdError::Settings);
        }
        Ok(Self {
            settings,
            clock: Arc::clone(&office.clock),
            store: Arc::clone(&office.store),
            transport: Transport::new().ok_or(OpenIdError::Settings)?,
            key: office.attestor.sign_in_key(),
            metadata: tokio::sync::Mutex::default(),
        })
    }

    /// The configuration.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Starts a sign-in: gives the URL to redirect the browser to, and its state cookie.
    pub async fn begin(
        &self,
        door: SignInApp,
        device: Option<String>,
        proof: Option<String>,
    ) -> Result<(String, String), OpenIdError> {
        let metadata = self.metadata(METADATA_MAX_AGE_MS).await?;
        let client = self.client(metadata)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = client.authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        );
        let (url, state, nonce) = request
            .add_scope(Scope::new("profile".to_owned()))
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let pending = PendingSignIn {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            until: (self.clock)() + SIGN_IN_TIMEOUT_MS,
            door,
            device,
            proof,
        };
        Ok((url.into(), self.encode_state(&pending)))
    }

    /// Completes a sign-in: exchanges the code and verifies the ID token.
    pub async fn finish(
        &self,
        pending: &PendingSignIn,
        callback: Callback,
    ) -> Result<OidcIdentity, OpenIdError> {
        if callback.state != pending.state || !self.use_state(pending).await? {
            return Err(OpenIdError::Stale);
        }
        // Mix-up defence (RFC 9207): the answer must come from this provider.
        if callback.iss.as_ref().is_some_and(|iss| *iss != self.settings.issuer) {
            return Err(OpenIdError::Refused);
        }
        if callback.error.is_some() || callback.code.is_empty() {
            return Err(OpenIdError::Denied);
        }
        let client = self.client(self.metadata(METADATA_MAX_AGE_MS).await?)?;
        let asked = client
            .exchange_code(AuthorizationCode::new(callback.code))
            .map_err(|_| OpenIdError::Unreachable)?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()));
        let answer = asked.request_async(&self.transport).await.map_err(|error| match error {
            openidconnect::RequestTokenError::Request(_) => OpenIdError::Unreachable,
            openidconnect::RequestTokenError::ServerResponse(_)
            | openidconnect::RequestTokenError::Parse(..)
            | openidconnect::RequestTokenError::Other(_) => refused("code", &"not taken"),
        })?;
        let token = answer.id_token().ok_or_else(|| refused("answer", &"no ID token"))?;
        let claims = self.claims(token, &Nonce::new(pending.nonce.clone())).await?;
        self.identity(&claims)
    }
}

/// Whether an address uses TLS or is on this machine.
fn has_safe_transport(address: &str) -> bool {
    use openidconnect::url::{Host, Url};
    let Ok(url) = Url::parse(address) else { return false };
    let local = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && local)
}

/// Logs the reason for the operator; the client learns only that the sign-in was refused.
fn refused(what: &'static str, why: &dyn std::fmt::Display) -> OpenIdError {
    tracing::warn!(what, %why, "an OpenID Connect sign-in was refused");
    OpenIdError::Refused
}
