//! The identity provider, as `doorstep serve` is told of it.

use std::fs;
use std::sync::Arc;

use super::OfficeContext;
use super::args::OpenIdOptions;
use super::failure::Failure;
use crate::office::auth::openid::{OpenId, Settings};

/// The origin that was named, checked.
pub(super) fn public(asked: &OpenIdOptions) -> Result<Option<String>, Failure> {
    let Some(address) = &asked.public_url else { return Ok(None) };
    let origin = address.trim_end_matches('/');
    let rest = origin.strip_prefix("https://").or(origin.strip_prefix("http://"));
    let fits = |rest: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        !rest.is_empty() && rest.chars().all(plain)
    };
    if !rest.is_some_and(fits) {
        let wrong = format!("{address} is no origin: name one such as https://office.example");
        return Err(Failure::usage(wrong));
    }
    Ok(Some(origin.to_ascii_lowercase()))
}

/// The provider, if there is one; nothing is asked of it yet.
pub(super) fn provider(
    context: &OfficeContext,
    asked: &OpenIdOptions,
    public: String,
) -> Result<Option<Arc<OpenId>>, Failure> {
    let Some((issuer, client_id)) = asked.oidc_issuer.clone().zip(asked.oidc_client_id.clone())
    else {
        return Ok(None);
    };
    let client_secret = match &asked.oidc_client_secret_file {
        None => None,
        Some(file) => {
            let read = fs::read_to_string(file);
            let cannot =
                |error| Failure::failed(format!("cannot read {}: {error}", file.display()));
            Some(read.map_err(cannot)?.trim().to_owned())
        }
    };
    let settings = Settings {
        issuer,
        client_id,
        client_secret,
        claim: asked.oidc_claim,
        domain: asked.oidc_domain.clone(),
        enrol: asked.oidc_enrol,
        label: asked.oidc_label.clone(),
        public,
    };
    let provider = OpenId::new(settings, &context.office);
    provider
        .map(|provider| Some(Arc::new(provider)))
        .map_err(|error| Failure::usage(format!("cannot use --oidc-issuer: {error}")))
}
