//! What the provider says: its metadata, and ID tokens with their claims.

use chrono::DateTime;
use openidconnect::core::{
    CoreClient, CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    ClaimsVerificationError, ClientId, ClientSecret, IssuerUrl, Nonce, RedirectUrl,
};

use super::{
    CALLBACK_PATH, NameClaim, OidcIdentity, OpenId, OpenIdError, has_safe_transport, refused,
};
use crate::office::auth::Account;

/// The provider's metadata is fetched again after this, ms.
pub(super) const METADATA_MAX_AGE_MS: i64 = 60 * 60 * 1000;

/// An unknown signing key may be a new one: the keys are fetched again, but not more often than
/// this, ms.
const KEYS_MAX_AGE_MS: i64 = 60 * 1000;

/// How far the provider's clock may be off, ms.
const LEEWAY: i64 = 60 * 1000;

/// A token is made for this sign-in, so it is not older than this, ms.
const OLDEST: i64 = 60 * 60 * 1000;

/// Public-key signatures only: with a signature by the client's secret, anyone who can read the
/// settings could forge a token.
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

/// The provider's metadata, and when it was fetched.
#[derive(Clone)]
pub(super) struct CachedMetadata {
    metadata: CoreProviderMetadata,
    at: i64,
}

/// A client of a provider whose endpoints are known.
type Client = CoreClient<
    openidconnect::EndpointSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointMaybeSet,
    openidconnect::EndpointMaybeSet,
>;

impl OpenId {
    /// Verifies an ID token and gives its claims. An unknown signing key may be a new one.
    pub(super) async fn claims(
        &self,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, OpenIdError> {
        let metadata = self.metadata(METADATA_MAX_AGE_MS).await?;
        let error = match self.verify(metadata, token, nonce)? {
            Ok(claims) => return Ok(claims),
            Err(error) => error,
        };
        if !matches!(error, ClaimsVerificationError::SignatureVerification(_)) {
            return Err(refused("claims", &error));
        }
        let newer = self.metadata(KEYS_MAX_AGE_MS).await?;
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

    /// The identity that verified claims describe.
    pub(super) fn identity(&self, claims: &CoreIdTokenClaims) -> Result<OidcIdentity, OpenIdError> {
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
            // Without a domain the whole claim is the name; no user name has an `@`.
            None => Some(value),
            // Refuse names without a domain: some providers let users choose them.
            Some(own) => value
                .rsplit_once('@')
                .filter(|(_, domain)| domain.eq_ignore_ascii_case(own))
                .map(|(name, _)| name),
        };
        let shown = claims.name().and_then(|name| name.get(None));
        Ok(OidcIdentity {
            subject: Account {
                issuer: self.settings.issuer.clone(),
                subject: claims.subject().as_str().to_owned(),
            }
            .key(),
            name: name.map(str::to_owned),
            display_name: shown.map(|name| name.as_str().to_owned()).unwrap_or_default(),
        })
    }

    /// The provider's metadata, at most `max_age` ms old.
    pub(super) async fn metadata(&self, max_age: i64) -> Result<CoreProviderMetadata, OpenIdError> {
        let mut cached = self.metadata.lock().await;
        let now = (self.clock)();
        if let Some(cached) = cached.as_ref()
            && now.saturating_sub(cached.at) < max_age
        {
            return Ok(cached.metadata.clone());
        }
        let issuer =
            IssuerUrl::new(self.settings.issuer.clone()).map_err(|_| OpenIdError::Settings)?;
        let found = CoreProviderMetadata::discover_async(issuer, &self.transport).await;
        let metadata = found.map_err(|error| {
            tracing::warn!(%error, "the identity provider can't be used");
            OpenIdError::Unreachable
        })?;
        let token = metadata.token_endpoint().map(|url| url.url().as_str());
        let authorization = metadata.authorization_endpoint().url().as_str();
        if !has_safe_transport(authorization) || !token.is_some_and(has_safe_transport) {
            tracing::warn!("the identity provider names addresses without TLS");
            return Err(OpenIdError::Unreachable);
        }
        *cached = Some(CachedMetadata { metadata: metadata.clone(), at: now });
        Ok(metadata)
    }

    pub(super) fn client(&self, metadata: CoreProviderMetadata) -> Result<Client, OpenIdError> {
        let secret = self.settings.client_secret.clone().map(ClientSecret::new);
        let id = ClientId::new(self.settings.client_id.clone());
        let to = RedirectUrl::new(format!("{}{CALLBACK_PATH}", self.settings.public));
        let to = to.map_err(|_| OpenIdError::Settings)?;
        Ok(CoreClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(to))
    }
}
