//! Sends messages to push services over HTTP.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};

use super::endpoint::{Endpoint, PublicOnly};

/// A push service that takes longer is asked again later.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How long a push service keeps a message for a phone that is off, seconds. Older notices are of no
/// use: the collector opens the app every day.
pub(super) const TTL_S: i64 = 24 * 60 * 60;

/// The push services that the office may call.
#[derive(Debug, Default)]
pub struct PushServices {
    /// Origins of the operator's own services.
    own: Vec<String>,
    /// How push services can reach the operator: an https or mailto URL.
    contact: Option<String>,
    public_client: OnceLock<Client>,
    own_client: OnceLock<Client>,
}

/// One message.
pub(super) struct Message {
    pub(super) body: Vec<u8>,
    pub(super) authorization: String,
    /// A later message with the same topic replaces this one while it waits.
    pub(super) topic: &'static str,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The push service has it.
    Accepted,
    /// The subscription does not exist any more.
    Gone,
    /// The push service does not take this message.
    Refused,
    /// To be sent again, after a time if the push service says so, ms.
    Failed(Option<i64>),
}

impl PushServices {
    /// Public push services, and those of the operator at `own` origins, such as
    /// `https://push.example`. `contact` is how push services can reach the operator.
    pub fn new(own: &[Url], contact: Option<String>) -> Self {
        let own = own.iter().map(|url| url.origin().ascii_serialization()).collect();
        Self { own, contact, ..Self::default() }
    }

    pub(super) fn own(&self) -> &[String] {
        &self.own
    }

    pub(super) fn contact(&self) -> Option<&str> {
        self.contact.as_deref()
    }

    pub(super) async fn send(&self, to: Endpoint, message: Message) -> Delivery {
        let Some(client) = self.client(to.is_own) else { return Delivery::Failed(None) };
        let request = client
            .post(to.url)
            .header("ttl", TTL_S)
            .header("urgency", "normal")
            .header("topic", message.topic)
            .header(AUTHORIZATION, message.authorization)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(message.body);
        // The body of the answer is of no use and may be long: it is not read.
        match request.send().await {
            Ok(answer) => outcome(&answer),
            Err(_) => Delivery::Failed(None),
        }
    }

    fn client(&self, own: bool) -> Option<&Client> {
        let cell = if own { &self.own_client } else { &self.public_client };
        if cell.get().is_none() {
            // Fails if a provider is installed already; this program has only one.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let builder =
                Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT);
            let builder = if own { builder.no_proxy() } else { builder.dns_resolver(PublicOnly) };
            // Another task may have made one meanwhile.
            let _ = cell.set(builder.build().ok()?);
        }
        cell.get()
    }
}

fn outcome(answer: &Response) -> Delivery {
    let status = answer.status();
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Delivery::Gone,
        StatusCode::TOO_MANY_REQUESTS => Delivery::Failed(retry_after(answer)),
        _ if status.is_success() => Delivery::Accepted,
        _ if status.is_client_error() || status.is_redirection() => Delivery::Refused,
        _ => Delivery::Failed(retry_after(answer)),
    }
}

/// `Retry-After` in seconds, as ms.
fn retry_after(answer: &Response) -> Option<i64> {
    let seconds: u32 = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(i64::from(seconds) * 1000)
}
