//! A push service with one browser behind it: records messages, checks who sends them, decrypts them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::point::AffineCoordinates;
use p256::{PublicKey, SecretKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::Value;
use sha2::Sha256;

const AUTH: [u8; 16] = *b"browser's secret";

pub(super) struct PushService {
    pub(super) origin: String,
    inner: Arc<Inner>,
}

struct Inner {
    key: SecretKey,
    answer: Mutex<(u16, Option<u32>)>,
    received: Mutex<Vec<(HeaderMap, Bytes)>>,
    taken: Mutex<usize>,
}

impl PushService {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            key: SecretKey::from_slice(&[7; 32]).unwrap(),
            answer: Mutex::new((201, None)),
            received: Mutex::default(),
            taken: Mutex::default(),
        });
        let service = Router::new().fallback(receive).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { origin, inner }
    }

    /// The browser's public key, as it gives it to the app.
    pub(super) fn public_key(&self) -> String {
        encoded(&point(&self.inner.key))
    }

    pub(super) fn auth(&self) -> String {
        encoded(&AUTH)
    }

    /// Answers with a status, and if given `Retry-After` in seconds, from now on.
    pub(super) fn answer_with(&self, status: u16, retry_after: Option<u32>) {
        *self.inner.answer.lock().unwrap() = (status, retry_after);
    }

    /// The texts of the messages since the last call.
    pub(super) fn take(&self) -> Vec<String> {
        let received = self.inner.received.lock().unwrap();
        let mut taken = self.inner.taken.lock().unwrap();
        let texts = received[*taken..].iter().map(|(_, body)| self.decrypted(body)).collect();
        *taken = received.len();
        texts
    }

    pub(super) fn last_headers(&self) -> HeaderMap {
        self.inner.received.lock().unwrap().last().unwrap().0.clone()
    }

    /// Verifies the signature of the last message (RFC 8292); gives its claims.
    pub(super) fn check_authorization(&self, key: &Value) -> Value {
        let headers = self.last_headers();
        let said = headers[header::AUTHORIZATION].to_str().unwrap();
        let (token, shown) = said.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(shown, key.as_str().unwrap(), "the key that browsers are given");
        let key = VerifyingKey::from_sec1_bytes(&decoded(shown)).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = Signature::from_slice(&decoded(signature)).unwrap();
        key.verify(signed.as_bytes(), &signature).unwrap();
        let (head, claims) = signed.split_once('.').unwrap();
        let json = |part| serde_json::from_slice::<Value>(&decoded(part)).unwrap();
        assert_eq!(json(head)["alg"], "ES256");
        json(claims)
    }

    /// RFC 8291 from the browser's side.
    fn decrypted(&self, body: &[u8]) -> String {
        let own = &self.inner.key;
        let (salt, rest) = body.split_at(16);
        let (size, rest) = rest.split_at(4);
        assert_eq!(size, 4096_u32.to_be_bytes());
        let (sender, sealed) = rest[1..].split_at(rest[0].into());
        let public = PublicKey::from_sec1_bytes(sender).unwrap();
        let shared = (public.to_projective() * own.to_nonzero_scalar().as_ref()).to_affine().x();
        let info = [b"WebPush: info\0", point(own).as_slice(), sender].concat();
        let input = derived(&AUTH, &shared, &info);
        let key = derived(salt, &input, b"Content-Encoding: aes128gcm\0");
        let nonce = derived(salt, &input, b"Content-Encoding: nonce\0");
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key[..16]).unwrap());
        let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).unwrap();
        let mut sealed = sealed.to_vec();
        let padded = key.open_in_place(nonce, Aad::empty(), &mut sealed).unwrap();
        let text = padded.split(|byte| *byte == 2).next().unwrap();
        String::from_utf8(text.to_vec()).unwrap()
    }
}

async fn receive(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    inner.received.lock().unwrap().push((headers, body));
    let (status, retry_after) = *inner.answer.lock().unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    match retry_after {
        Some(seconds) => (status, [(header::RETRY_AFTER, seconds.to_string())]).into_response(),
        None => status.into_response(),
    }
}

/// HKDF with SHA-256, one block (RFC 5869).
fn derived(salt: &[u8], input: &[u8], info: &[u8]) -> [u8; 32] {
    let mac = |key: &[u8], parts: &[&[u8]]| -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    };
    mac(&mac(salt, &[input]), &[info, &[1]])
}

fn point(key: &SecretKey) -> Vec<u8> {
    key.public_key().to_sec1_bytes().into_vec()
}

fn encoded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn decoded(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}
