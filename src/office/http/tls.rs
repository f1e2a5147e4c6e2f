//! Certificates: from files, or from an ACME directory such as Let's Encrypt.

mod acme;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use axum_server::tls_rustls::RustlsConfig;
use tokio::task::JoinHandle;

pub use acme::Acme;

/// How often files are checked for a renewed certificate.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// A certificate and its key, ready to serve with, and where the next ones come from.
pub struct Tls {
    pub(super) config: RustlsConfig,
    source: Source,
}

enum Source {
    Files { certificate: PathBuf, key: PathBuf, read: Option<SystemTime> },
    Acme(acme::Orders),
}

impl Tls {
    /// Reads the chain, the own certificate first, and the private key; both PEM.
    pub async fn load(certificate: &Path, key: &Path) -> io::Result<Self> {
        let read = changed(certificate, key);
        let config = RustlsConfig::from_pem_file(certificate, key).await?;
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        Ok(Self { config, source: Source::Files { certificate, key, read } })
    }

    /// Gets certificates from an ACME directory, which asks for the domain on this very listener
    /// (TLS-ALPN-01). Until the first has come every handshake is refused.
    pub fn acme(acme: &Acme) -> io::Result<Self> {
        let (config, orders) = acme.begin()?;
        Ok(Self { config, source: Source::Acme(orders) })
    }

    /// Switches to renewed certificates for as long as the task runs.
    pub(super) fn keep_renewing(&self) -> JoinHandle<()> {
        let config = self.config.clone();
        match &self.source {
            Source::Files { certificate, key, read } => {
                tokio::spawn(reload(config, certificate.clone(), key.clone(), *read))
            }
            Source::Acme(orders) => tokio::spawn(orders.clone().run()),
        }
    }
}

/// Reloads the files when they have changed. If they can't be read, the previous certificate stays in
/// use.
async fn reload(
    config: RustlsConfig,
    certificate: PathBuf,
    key: PathBuf,
    mut read: Option<SystemTime>,
) {
    let mut ticks = tokio::time::interval(CHECK_INTERVAL);
    loop {
        ticks.tick().await;
        let now = changed(&certificate, &key);
        if now == read {
            continue;
        }
        match config.reload_from_pem_file(&certificate, &key).await {
            Ok(()) => {
                tracing::info!("a renewed certificate is in use");
                read = now;
            }
            // The renewal may be half written: the next check tries again.
            Err(error) => tracing::warn!(%error, "the changed certificate can't be used"),
        }
    }
}

fn changed(certificate: &Path, key: &Path) -> Option<SystemTime> {
    let of = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    of(certificate).max(of(key))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    /// Writes a fresh certificate, as old as that.
    fn write(folder: &Path, age: u64) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["doorstep.example".to_owned()]).unwrap();
        let (certificate, secret) = (folder.join("own.pem"), folder.join("key.pem"));
        std::fs::write(&certificate, own.self_signed(&key).unwrap().pem()).unwrap();
        std::fs::write(&secret, key.serialize_pem()).unwrap();
        age_of(&certificate, age);
        age_of(&secret, age);
        (certificate, secret)
    }

    fn age_of(path: &Path, age: u64) {
        let file = File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }

    #[tokio::test]
    async fn a_renewed_certificate_is_taken_up_and_half_a_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = write(folder.path(), 3_000);
        let tls = Tls::load(&certificate, &key).await.unwrap();
        let first = tls.config.get_inner();
        tokio::time::pause();
        let running = tls.keep_renewing();
        std::fs::write(&key, "half of it").unwrap();
        age_of(&key, 2_000);
        for _ in 0..3 {
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
        assert!(Arc::ptr_eq(&first, &tls.config.get_inner()));
        write(folder.path(), 1_000);
        while Arc::ptr_eq(&first, &tls.config.get_inner()) {
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
        running.abort();
    }
}
