//! Certificates from an ACME directory (RFC 8555), proven by TLS-ALPN-01 (RFC 8737).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum_server::tls_rustls::RustlsConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_acme::caches::DirCache;
use rustls_acme::{AcmeConfig, AcmeState};
use tokio_stream::StreamExt;

use crate::office::private;

/// What clients speak, the better first, and what the directory asks with.
const PROTOCOLS: [&[u8]; 3] = [b"h2", b"http/1.1", b"acme-tls/1"];

/// Where certificates come from and where they are kept.
#[derive(Debug, Clone)]
pub struct Acme {
    /// The names that the certificate is for.
    pub domains: Vec<String>,
    /// Whom the directory may write to.
    pub contact: Option<String>,
    /// The directory's address; Let's Encrypt without.
    pub directory: Option<String>,
    /// Roots by which the directory itself is known, PEM; those of the web without.
    pub roots: Option<PathBuf>,
    /// Folder for the account's key and the certificate with its own.
    pub folder: PathBuf,
}

/// Orders a new certificate before the current one expires.
#[derive(Clone)]
pub(super) struct Orders(Arc<Mutex<Option<AcmeState<io::Error>>>>);

impl Acme {
    /// A configuration whose certificate comes with the first order.
    pub(super) fn begin(&self) -> io::Result<(RustlsConfig, Orders)> {
        // It holds private keys.
        private::create_folder(&self.folder)?;
        private::tighten(&self.folder)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = AcmeConfig::new_with_provider(&self.domains, Arc::clone(&provider))
            .contact(self.contact.iter().map(|address| format!("mailto:{address}")))
            .cache(DirCache::new(self.folder.clone()))
            .directory_lets_encrypt(true);
        if let Some(directory) = &self.directory {
            config = config.directory(directory);
        }
        if let Some(roots) = &self.roots {
            config = config.client_tls_config(knowing(roots, Arc::clone(&provider))?);
        }
        let state = config.state();
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(state.resolver());
        server.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        let orders = Orders(Arc::new(Mutex::new(Some(state))));
        Ok((RustlsConfig::from_config(Arc::new(server)), orders))
    }
}

impl Orders {
    /// Orders certificates and logs the results. Never returns.
    pub(super) async fn run(self) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut state) = state else { return };
        while let Some(event) = state.next().await {
            match event {
                Ok(done) => tracing::info!(?done, "certificate"),
                // The library retries with backoff.
                Err(error) => tracing::warn!(%error, "no certificate"),
            }
        }
    }
}

fn knowing(roots: &Path, provider: Arc<CryptoProvider>) -> io::Result<Arc<ClientConfig>> {
    let mut store = RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(roots).map_err(io::Error::other)?;
    for root in found {
        store.add(root.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
