//! An identity provider that the tests run: discovery, keys, the door, and codes for tokens. It
//! checks PKCE and signs with Ed25519; it lies where a test tells it to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::url::Url;
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) const CLIENT: &str = "doorstep-office";
pub(crate) const SECRET: &str = "only the office knows";

/// What the provider does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    Nothing,
    Nonce,
    NoNonce,
    Audience,
    OtherAudienceToo,
    AuthorizedParty,
    Issuer,
    Expired,
    OldToken,
    FutureToken,
    OtherKey,
    Unsigned,
    SignedWithSecret,
    ChangedClaims,
    NoName,
    AnotherProvidersAnswer,
    SaysNo,
}

pub(crate) struct Provider {
    pub(crate) issuer: String,
    inner: Arc<Inner>,
}

struct Inner {
    issuer: String,
    clock: Arc<AtomicI64>,
    said: Mutex<Said>,
    codes: Mutex<HashMap<String, Code>>,
}

/// Who sits at the provider's door, and how it answers.
struct Said {
    lie: Lie,
    subject: String,
    name: String,
    key: u8,
    shown_key: u8,
}

struct Code {
    challenge: String,
    nonce: String,
    to: String,
}

impl Provider {
    pub(crate) async fn start(clock: Arc<AtomicI64>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let said = Said {
            lie: Lie::Nothing,
            subject: "subject-1".into(),
            name: "chen.jie".into(),
            key: 1,
            shown_key: 1,
        };
        let inner = Arc::new(Inner {
            issuer: issuer.clone(),
            clock,
            said: Mutex::new(said),
            codes: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/door", get(door))
            .route("/token", post(token))
            .with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { issuer, inner }
    }

    pub(crate) fn lie(&self, lie: Lie) {
        self.inner.said.lock().unwrap().lie = lie;
    }

    /// Another user signs in at the provider.
    pub(crate) fn person(&self, subject: &str, name: &str) {
        let mut said = self.inner.said.lock().unwrap();
        (said.subject, said.name) = (subject.to_owned(), name.to_owned());
    }

    /// Signs with another key from now on, and says so.
    pub(crate) fn new_key(&self, key: u8) {
        let mut said = self.inner.said.lock().unwrap();
        (said.key, said.shown_key) = (key, key);
    }
}

async fn configuration(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", inner.issuer);
    Json(json!({
        "issuer": inner.issuer,
        "authorization_endpoint": at("/door"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // Careless providers offer insecure algorithms.
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    }))
}

async fn keys(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let key = signing_key(inner.said.lock().unwrap().shown_key);
    Json(json!({ "keys": [key.as_verification_key()] }))
}

async fn door(
    State(inner): State<Arc<Inner>>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    assert_eq!(asked["client_id"], CLIENT);
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
    let lie = inner.said.lock().unwrap().lie;
    let mut to = Url::parse(&asked["redirect_uri"]).unwrap();
    let mut query = to.query_pairs_mut();
    query.append_pair("state", &asked["state"]);
    let iss = match lie {
        Lie::AnotherProvidersAnswer => "https://another.example",
        _ => inner.issuer.as_str(),
    };
    query.append_pair("iss", iss);
    if lie == Lie::SaysNo {
        query.append_pair("error", "access_denied");
    } else {
        let mut codes = inner.codes.lock().unwrap();
        let code = format!("code-{}", codes.len());
        query.append_pair("code", &code);
        codes.insert(
            code,
            Code {
                challenge: asked["code_challenge"].clone(),
                nonce: asked["nonce"].clone(),
                to: asked["redirect_uri"].clone(),
            },
        );
    }
    drop(query);
    Redirect::to(to.as_str()).into_response()
}

async fn token(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    Form(asked): Form<HashMap<String, String>>,
) -> Response {
    let basic = format!(
        "Basic {}",
        base64(format!("{CLIENT}:{}", SECRET.replace(' ', "+")).as_bytes(), STANDARD)
    );
    let known = headers.get(header::AUTHORIZATION).is_some_and(|value| *value == basic);
    let no =
        |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    if !known {
        return no("invalid_client");
    }
    // Each code once.
    let code = inner.codes.lock().unwrap().get_mut(&asked["code"]).map(|code| Code {
        challenge: std::mem::take(&mut code.challenge),
        nonce: code.nonce.clone(),
        to: code.to.clone(),
    });
    let Some(code) = code else { return no("invalid_grant") };
    let challenge = base64(&Sha256::digest(asked["code_verifier"].as_bytes()), URL);
    if code.challenge != challenge || code.to != asked["redirect_uri"] {
        return no("invalid_grant");
    }
    Json(json!({
        "access_token": "of no use here",
        "token_type": "Bearer",
        "id_token": inner.id_token(code.nonce),
    }))
    .into_response()
}

impl Inner {
    fn id_token(&self, nonce: String) -> String {
        let said = self.said.lock().unwrap();
        let now = self.clock.load(Ordering::Relaxed) / 1000;
        let mut claims = json!({
            "iss": self.issuer,
            "sub": said.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "preferred_username": said.name,
            "name": "Zhang Min",
        });
        match said.lie {
            Lie::Nonce => claims["nonce"] = json!("another"),
            Lie::NoNonce => drop(claims.as_object_mut().unwrap().remove("nonce")),
            Lie::Audience => claims["aud"] = json!("another-client"),
            Lie::OtherAudienceToo => claims["aud"] = json!([CLIENT, "another-client"]),
            Lie::AuthorizedParty => claims["azp"] = json!("another-client"),
            Lie::Issuer => claims["iss"] = json!("https://another.example"),
            Lie::Expired => claims["exp"] = json!(now - 120),
            Lie::OldToken => claims["iat"] = json!(now - 2 * 3600),
            Lie::FutureToken => claims["iat"] = json!(now + 3600),
            Lie::NoName => drop(claims.as_object_mut().unwrap().remove("preferred_username")),
            _ => {}
        }
        let alg = match said.lie {
            Lie::Unsigned => "none",
            Lie::SignedWithSecret => "HS256",
            _ => "EdDSA",
        };
        let head = json!({ "alg": alg, "kid": format!("key-{}", said.shown_key) });
        let part = |value: &Value| base64(value.to_string().as_bytes(), URL);
        let signed = format!("{}.{}", part(&head), part(&claims));
        let signature = match said.lie {
            Lie::Unsigned => Vec::new(),
            Lie::SignedWithSecret => {
                use hmac::{Hmac, KeyInit, Mac};
                let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
                mac.update(signed.as_bytes());
                mac.finalize().into_bytes().to_vec()
            }
            lie => {
                let key = if lie == Lie::OtherKey { 99 } else { said.key };
                signing_key(key).sign(&CoreJwsSigningAlgorithm::EdDsa, signed.as_bytes()).unwrap()
            }
        };
        if said.lie == Lie::ChangedClaims {
            claims["preferred_username"] = json!("admin");
        }
        format!("{}.{}.{}", part(&head), part(&claims), base64(&signature, URL))
    }
}

fn signing_key(number: u8) -> CoreEdDsaPrivateSigningKey {
    // PKCS #8 around 32 bytes that are no secret.
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend([number; 32]);
    let word = "PRIVATE KEY";
    let pem = format!("-----BEGIN {word}-----\n{}\n-----END {word}-----\n", base64(&der, STANDARD));
    let id = JsonWebKeyId::new(format!("key-{number}"));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(id)).unwrap()
}

struct Alphabet(u8, u8, bool);
const URL: Alphabet = Alphabet(b'-', b'_', false);
const STANDARD: Alphabet = Alphabet(b'+', b'/', true);

fn base64(bytes: &[u8], Alphabet(plus, slash, pad): Alphabet) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            if place > three.len() {
                text.push_str(if pad { "=" } else { "" });
                continue;
            }
            let six = u8::try_from(bits >> (18 - 6 * place) & 63).unwrap();
            text.push(char::from(match six {
                0..26 => b'A' + six,
                26..52 => b'a' + six - 26,
                52..62 => b'0' + six - 52,
                62 => plus,
                _ => slash,
            }));
        }
    }
    text
}
