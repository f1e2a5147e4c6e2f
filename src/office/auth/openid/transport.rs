//! Asks the identity provider over HTTP.

use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

/// Longer than any provider takes, shorter than a person waits.
const SIGN_IN_TIMEOUT_MS: Duration = Duration::from_secs(10);

/// The longest answer: a set of keys has some KiB.
const LONGEST: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// Not reached, or broken off.
    #[error("{0}")]
    Failed(#[from] reqwest::Error),
    /// Longer than any answer should be.
    #[error("the answer is too long")]
    TooLong,
}

/// The way to the provider. It follows no redirect: what the settings name is what is asked.
pub(super) struct Transport(reqwest::Client);

impl Transport {
    pub(super) fn new() -> Option<Self> {
        // Fails if a provider is installed already; this program has only one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let none = reqwest::redirect::Policy::none();
        reqwest::Client::builder().redirect(none).timeout(SIGN_IN_TIMEOUT_MS).build().ok().map(Self)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let mut answer = self.0.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await? {
            if body.len() + piece.len() > LONGEST {
                return Err(NoAnswer::TooLong);
            }
            body.extend_from_slice(&piece);
        }
        let mut response = HttpResponse::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, NoAnswer>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
