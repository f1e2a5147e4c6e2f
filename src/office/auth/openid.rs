//! Signing in with OpenID Connect: the authorization code flow with PKCE, state and nonce.
//!
//! What has to be remembered between leaving for the provider and coming back lies in a cookie of
//! the browser that left, under a code that only this process can make: nobody else's browser can
//! come back in its place, and nothing piles up here. The provider vouches for a person; which user
//! of the office that is, [`Accounts::sign_in_oidc`](super::Accounts::sign_in_oidc) decides.

mod transport;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm,
    CoreProviderMetadata,
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, IssuerUrl,
    Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::Account;
use crate::ids::{hex, unhex};
use crate::office::Clock;
use transport::Transport;

/// Where the provider sends the browser back to.
pub const RETURN_PATH: &str = "/api/sign-in/openid/return";

/// How long somebody may take at the provider, ms.
pub const PATIENCE: i64 = 10 * 60 * 1000;

/// What the provider says of itself is asked for again after this, ms.
const FRESH: i64 = 60 * 60 * 1000;

/// A key that is not known is asked for at most once in this time, ms.
const KEYS_FRESH: i64 = 60 * 1000;

/// How far the provider's clock may be off, ms.
const LEEWAY: i64 = 60 * 1000;

/// A token was made for this sign-in, so not long ago, ms.
const OLDEST: i64 = 60 * 60 * 1000;

/// States that were used and are remembered; beyond, those that end first go first.
const MOST_SPENT: usize = 10_000;

/// Signatures with a public key. None with the client's secret: whoever reads the settings could
/// make them.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

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

/// How the office knows the provider, and the provider the office.
#[derive(Clone)]
pub struct Settings {
    /// The provider's issuer; https, or http on this machine.
    pub issuer: String,
    /// The office's name at the provider.
    pub client_id: String,
    /// Its secret, for providers that give one.
    pub client_secret: Option<String>,
    /// Which claim names the user.
    pub claim: NameClaim,
    /// The domain that the claim must have behind its `@`; it is cut off.
    pub domain: Option<String>,
    /// Whether somebody whom the office doesn't know becomes a collector, who sees nothing until
    /// a case is assigned.
    pub enrol: bool,
    /// What the button calls the provider.
    pub label: String,
    /// The office's own origin.
    pub public: String,
}

/// Which of the two apps somebody signs in to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The phones' app.
    Field,
    /// The console.
    Office,
}

/// What comes back from the provider with the browser.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Returned {
    code: String,
    state: String,
    iss: Option<String>,
    error: Option<String>,
}

/// Somebody for whom the provider vouches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// Issuer and subject, which never change hands.
    pub subject: String,
    /// The user's name by the claim; none where the claim is of another domain than the office's.
    pub name: Option<String>,
    /// What people read; may be empty.
    pub display_name: String,
}

/// Why nobody came of it. Each has a stable word, for which the apps have a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenIdError {
    /// The settings name no provider that can be used.
    #[error("the issuer must be an https address, or an http one on this machine")]
    Settings,
    /// The provider does not answer, or not as one.
    #[error("the identity provider can't be reached: try again later, or use the password")]
    Unreachable,
    /// Begun in another browser, too long ago, or ended already.
    #[error("this sign-in was begun elsewhere or too long ago: begin anew")]
    Stale,
    /// The person or the provider said no.
    #[error("the identity provider did not sign you in")]
    Denied,
    /// The provider's word does not hold.
    #[error("the identity provider's answer does not hold: tell the office")]
    Refused,
}

impl OpenIdError {
    /// Its word.
    pub fn code(self) -> &'static str {
        match self {
            Self::Settings | Self::Unreachable => "openid_unreachable",
            Self::Stale => "openid_stale",
            Self::Denied => "openid_denied",
            Self::Refused => "openid_refused",
        }
    }
}

/// What the browser keeps until it comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Leaving {
    state: String,
    nonce: String,
    verifier: String,
    until: i64,
    /// Which app it left from, and comes back to.
    pub door: Door,
    /// The phone's device.
    pub device: Option<String>,
    /// What the phone has to show for it.
    #[serde(default)]
    pub proof: Option<String>,
}

/// The provider.
pub struct OpenId {
    settings: Settings,
    clock: Clock,
    transport: Transport,
    key: [u8; 32],
    known: tokio::sync::Mutex<Option<Known>>,
    spent: Mutex<BTreeMap<(i64, String), ()>>,
}

#[derive(Clone)]
struct Known {
    metadata: CoreProviderMetadata,
    at: i64,
}

impl OpenId {
    /// Nothing is asked of the provider yet: the office starts without it.
    pub fn new(settings: Settings, clock: Clock) -> Result<Self, OpenIdError> {
        IssuerUrl::new(settings.issuer.clone()).map_err(|_| OpenIdError::Settings)?;
        if !is_fit(&settings.issuer) {
            return Err(OpenIdError::Settings);
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|_| OpenIdError::Settings)?;
        let transport = Transport::new().ok_or(OpenIdError::Settings)?;
        let (known, spent) = (tokio::sync::Mutex::default(), Mutex::default());
        Ok(Self { settings, clock, transport, key, known, spent })
    }

    /// How it is set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the browser goes, and what it keeps meanwhile.
    pub async fn begin(
        &self,
        door: Door,
        device: Option<String>,
        proof: Option<String>,
    ) -> Result<(String, String), OpenIdError> {
        let metadata = self.metadata(FRESH).await?;
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
        let leaving = Leaving {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            until: (self.clock)() + PATIENCE,
            door,
            device,
            proof,
        };
        Ok((url.into(), self.seal(&leaving)))
    }

    /// What a browser kept, if it is of this process and not too old.
    pub fn unseal(&self, kept: &str) -> Option<Leaving> {
        let (body, code) = kept.split_once('.')?;
        let (body, code) = (unhex(body)?, unhex(code)?);
        self.mac(&body).verify_slice(&code).ok()?;
        let leaving: Leaving = serde_json::from_slice(&body).ok()?;
        (leaving.until > (self.clock)()).then_some(leaving)
    }

    /// Who came back.
    pub async fn finish(
        &self,
        leaving: &Leaving,
        returned: Returned,
    ) -> Result<Proven, OpenIdError> {
        if returned.state != leaving.state || !self.spend(leaving) {
            return Err(OpenIdError::Stale);
        }
        // Another provider's answer must not be taken for this one's (RFC 9207).
        if returned.iss.as_ref().is_some_and(|iss| *iss != self.settings.issuer) {
            return Err(OpenIdError::Refused);
        }
        if returned.error.is_some() || returned.code.is_empty() {
            return Err(OpenIdError::Denied);
        }
        let client = self.client(self.metadata(FRESH).await?)?;
        let asked = client
            .exchange_code(AuthorizationCode::new(returned.code))
            .map_err(|_| OpenIdError::Unreachable)?
            .set_pkce_verifier(PkceCodeVerifier::new(leaving.verifier.clone()));
        let answer = asked.request_async(&self.transport).await.map_err(|error| match error {
            openidconnect::RequestTokenError::Request(_) => OpenIdError::Unreachable,
            openidconnect::RequestTokenError::ServerResponse(_)
            | openidconnect::RequestTokenError::Parse(..)
            | openidconnect::RequestTokenError::Other(_) => refused("code", &"not taken"),
        })?;
        let token = answer.id_token().ok_or_else(|| refused("answer", &"no ID token"))?;
        let claims = self.claims(token, &Nonce::new(leaving.nonce.clone())).await?;
        self.proven(&claims)
    }

    /// The claims of a token that holds. A key that is not known may be new.
    async fn claims(
        &self,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, OpenIdError> {
        let known = self.metadata(FRESH).await?;
        let error = match self.verify(known, token, nonce)? {
            Ok(claims) => return Ok(claims),
            Err(error) => error,
        };
        if !matches!(error, ClaimsVerificationError::SignatureVerification(_)) {
            return Err(refused("claims", &error));
        }
        let newer = self.metadata(KEYS_FRESH).await?;
        self.verify(newer, token, nonce)?.map_err(|error| refused("signature", &error))
    }

    fn verify(
        &self,
        metadata: CoreProviderMetadata,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<Result<CoreIdTokenClaims, ClaimsVerificationError>, OpenIdError> {
        let client = self.client(metadata)?;
        let now = (self.clock)();
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || DateTime::from_timestamp_millis(now - LEEWAY).unwrap_or_default())
            .set_issue_time_verifier_fn(move |made| {
                let age = now - made.timestamp_millis();
                let fits = (-LEEWAY..OLDEST).contains(&age);
                if fits { Ok(()) } else { Err("not made just now".to_owned()) }
            });
        let claims = token.claims(&verifier, nonce).cloned();
        let azp = claims.as_ref().ok().and_then(|claims| claims.authorized_party());
        match azp {
            Some(party) if **party != self.settings.client_id => {
                Err(refused("authorized party", &"another client"))
            }
            Some(_) | None => Ok(claims),
        }
    }

    fn proven(&self, claims: &CoreIdTokenClaims) -> Result<Proven, OpenIdError> {
        let value = match self.settings.claim {
            NameClaim::PreferredUsername => claims.preferred_username().map(|name| name.as_str()),
            NameClaim::Email if claims.email_verified() == Some(true) => {
                claims.email().map(|email| email.as_str())
            }
            NameClaim::Email => None,
            NameClaim::Subject => Some(claims.subject().as_str()),
        };
        let value = value.ok_or_else(|| refused("claims", &"the user's name is not among them"))?;
        let name = match &self.settings.domain {
            // Without a domain the claim is taken whole; no user has an `@`.
            None => Some(value),
            // A name without a domain may be anybody's: some providers let people choose it.
            Some(own) => value
                .rsplit_once('@')
                .filter(|(_, domain)| domain.eq_ignore_ascii_case(own))
                .map(|(name, _)| name),
        };
        let shown = claims.name().and_then(|name| name.get(None));
        Ok(Proven {
            subject: Account {
                issuer: self.settings.issuer.clone(),
                subject: claims.subject().as_str().to_owned(),
            }
            .key(),
            name: name.map(str::to_owned),
            display_name: shown.map(|name| name.as_str().to_owned()).unwrap_or_default(),
        })
    }

    /// What the provider says of itself, no older than asked for.
    async fn metadata(&self, fresh: i64) -> Result<CoreProviderMetadata, OpenIdError> {
        let mut known = self.known.lock().await;
        let now = (self.clock)();
        if let Some(known) = known.as_ref()
            && now.saturating_sub(known.at) < fresh
        {
            return Ok(known.metadata.clone());
        }
        let issuer =
            IssuerUrl::new(self.settings.issuer.clone()).map_err(|_| OpenIdError::Settings)?;
        let found = CoreProviderMetadata::discover_async(issuer, &self.transport).await;
        let metadata = found.map_err(|error| {
            tracing::warn!(%error, "the identity provider can't be used");
            OpenIdError::Unreachable
        })?;
        let token = metadata.token_endpoint().map(|url| url.url().as_str());
        let door = metadata.authorization_endpoint().url().as_str();
        if !is_fit(door) || !token.is_some_and(is_fit) {
            tracing::warn!("the identity provider names addresses without TLS");
            return Err(OpenIdError::Unreachable);
        }
        *known = Some(Known { metadata: metadata.clone(), at: now });
        Ok(metadata)
    }

    /// Remembers that a state was used; false where it was before.
    fn spend(&self, leaving: &Leaving) -> bool {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.clock)();
        while let Some(first) = spent.first_entry()
            && (first.key().0 <= now || spent.len() >= MOST_SPENT)
        {
            spent.pop_first();
        }
        spent.insert((leaving.until, leaving.state.clone()), ()).is_none()
    }

    fn seal(&self, leaving: &Leaving) -> String {
        // Words and a number: nothing that JSON can't say.
        let body = serde_json::to_vec(leaving).unwrap_or_default();
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

    fn client(&self, metadata: CoreProviderMetadata) -> Result<Client, OpenIdError> {
        let secret = self.settings.client_secret.clone().map(ClientSecret::new);
        let id = ClientId::new(self.settings.client_id.clone());
        let to = RedirectUrl::new(format!("{}{RETURN_PATH}", self.settings.public));
        let to = to.map_err(|_| OpenIdError::Settings)?;
        Ok(CoreClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(to))
    }
}

/// A client of a provider that was asked.
type Client = CoreClient<
    openidconnect::EndpointSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointMaybeSet,
    openidconnect::EndpointMaybeSet,
>;

/// Over TLS, or on this machine.
fn is_fit(address: &str) -> bool {
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

/// Why is for the keeper of the office, and not for whoever tries.
fn refused(what: &'static str, why: &dyn std::fmt::Display) -> OpenIdError {
    tracing::warn!(what, %why, "a sign-in with the identity provider does not hold");
    OpenIdError::Refused
}
