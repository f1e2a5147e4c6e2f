//! A small ACME directory: one account, one order, one name.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateSigningRequestParams, IsCa,
    KeyPair, date_time_ymd,
};
use rustls::RootCertStore;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, watch};

use super::client;

pub(crate) const DOMAIN: &str = "doorstep.example";

const TOKEN: &str = "a-token-of-the-directory";

pub(crate) struct Directory {
    pub(crate) url: String,
    shared: Arc<Shared>,
    served: tokio::task::JoinHandle<()>,
}

struct Shared {
    base: String,
    authority: Certificate,
    key: KeyPair,
    office: watch::Sender<Option<SocketAddr>>,
    order: Mutex<Order>,
    given: Notify,
}

#[derive(Default)]
struct Order {
    /// Of the account's key.
    thumbprint: String,
    proven: bool,
    certificate: Option<String>,
}

impl Directory {
    /// Listens; its root is written to a file.
    pub(crate) async fn open(roots: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).unwrap();
        std::fs::write(roots, authority.pem()).unwrap();

        let own_key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let own = own.signed_by(&own_key, &authority, &key).unwrap();
        let tls = RustlsConfig::from_pem(own.pem().into(), own_key.serialize_pem().into());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let shared = Arc::new(Shared {
            base: base.clone(),
            authority,
            key,
            office: watch::Sender::new(None),
            order: Mutex::default(),
            given: Notify::new(),
        });
        let routes = Router::new()
            .route("/directory", get(directory))
            .route("/nonce", get(async || [("replay-nonce", "n1")]))
            .route("/account", post(account))
            .route("/order", post(order))
            .route("/order/1", post(order))
            .route("/authorization", post(authorization))
            .route("/challenge", post(challenge))
            .route("/finalize", post(finalize))
            .route("/certificate", post(certificate))
            .with_state(Arc::clone(&shared));
        let server = axum_server::from_tcp_rustls(listener, tls.await.unwrap()).unwrap();
        let served = tokio::spawn(async move {
            server.serve(routes.into_make_service()).await.unwrap();
        });
        Self { url: format!("{base}/directory"), shared, served }
    }

    /// Where the name would lead, if it were real.
    pub(crate) fn ask_for_proof_at(&self, office: SocketAddr) {
        self.shared.office.send_replace(Some(office));
    }

    pub(crate) async fn gave_certificate(&self) {
        self.shared.given.notified().await;
    }

    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.shared.authority.der().clone()).unwrap();
        roots
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.served.abort();
    }
}

async fn directory(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let base = &shared.base;
    Json(json!({
        "newNonce": format!("{base}/nonce"),
        "newAccount": format!("{base}/account"),
        "newOrder": format!("{base}/order"),
    }))
}

async fn account(State(shared): State<Arc<Shared>>, body: String) -> impl IntoResponse {
    let (head, payload) = opened(&body);
    assert_eq!(payload["contact"], json!(["mailto:keeper@doorstep.example"]));
    let key = &head["jwk"];
    // RFC 7638: the members in this order, without blanks.
    let members = format!(
        "{{\"crv\":{},\"kty\":{},\"x\":{},\"y\":{}}}",
        key["crv"], key["kty"], key["x"], key["y"]
    );
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(members));
    shared.order.lock().unwrap().thumbprint = thumbprint;
    (StatusCode::CREATED, [("location", format!("{}/account/1", shared.base))], "{}")
}

async fn order(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let order = shared.order.lock().unwrap();
    let status = match (&order.certificate, order.proven) {
        (Some(_), _) => "valid",
        (None, true) => "ready",
        (None, false) => "pending",
    };
    let base = &shared.base;
    let body = json!({
        "status": status,
        "authorizations": [format!("{base}/authorization")],
        "finalize": format!("{base}/finalize"),
        "certificate": format!("{base}/certificate"),
    });
    ([("location", format!("{base}/order/1"))], body.to_string())
}

async fn authorization(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let proven = shared.order.lock().unwrap().proven;
    Json(json!({
        "status": if proven { "valid" } else { "pending" },
        "identifier": { "type": "dns", "value": DOMAIN },
        "challenges": [{
            "type": "tls-alpn-01", "url": format!("{}/challenge", shared.base), "token": TOKEN,
        }],
    }))
}

async fn challenge(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let office = *shared.office.subscribe().wait_for(Option::is_some).await.unwrap();
    let proof = client::proof(office.unwrap(), DOMAIN).await;
    let mut order = shared.order.lock().unwrap();
    let expected = Sha256::digest(format!("{TOKEN}.{}", order.thumbprint));
    order.proven = proof == expected.as_slice();
    assert!(order.proven, "the office has the name, and the account's key");
    Json(json!({}))
}

async fn finalize(State(shared): State<Arc<Shared>>, body: String) -> impl IntoResponse {
    let (_, payload) = opened(&body);
    let request = URL_SAFE_NO_PAD.decode(payload["csr"].as_str().unwrap()).unwrap();
    let mut request = CertificateSigningRequestParams::from_der(&request.into()).unwrap();
    request.params.not_before = date_time_ymd(2020, 1, 1);
    request.params.not_after = date_time_ymd(2099, 1, 1);
    let certificate = request.signed_by(&shared.authority, &shared.key).unwrap();
    let chain = certificate.pem() + &shared.authority.pem();
    shared.order.lock().unwrap().certificate = Some(chain);
    order(State(shared)).await
}

async fn certificate(State(shared): State<Arc<Shared>>) -> String {
    let chain = shared.order.lock().unwrap().certificate.clone().unwrap();
    shared.given.notify_one();
    chain
}

/// What was signed: the protected head and the payload.
fn opened(body: &str) -> (Value, Value) {
    let signed: Value = serde_json::from_str(body).unwrap();
    let part = |name: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(signed[name].as_str().unwrap()).unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    };
    (part("protected"), part("payload"))
}
