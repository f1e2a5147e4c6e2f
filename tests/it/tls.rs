//! The real program over TLS: with certificates from files, and from an ACME directory of this
//! test, which asks for its proof as the standard says (RFC 8555, RFC 8737).

mod client;
mod directory;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::program::Program;
use directory::{DOMAIN, Directory};
use rcgen::{CertificateParams, KeyPair};

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_from_files_is_served_with() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec![DOMAIN.to_owned()]).unwrap().self_signed(&key).unwrap();
    let (certificate, secret) = (folder.path().join("own.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, own.pem()).unwrap();
    std::fs::write(&secret, key.serialize_pem()).unwrap();
    let files = [certificate, secret].map(|path| path.display().to_string());
    let office = start(folder.path(), &["--tls-cert", &files[0], "--tls-key", &files[1]]);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(own.der().clone()).unwrap();
    let head = client::get(office.address(), DOMAIN, roots.clone(), "/").await.to_ascii_lowercase();
    assert!(head.contains("\r\nstrict-transport-security: max-age=31536000\r\n"), "{head}");
    assert!(client::get_h2(office.address(), DOMAIN, roots).await, "HTTP/2 is spoken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_ordered_proven_kept_and_served_with() {
    let folder = tempfile::tempdir().unwrap();
    let directory = Directory::open(&folder.path().join("roots.pem")).await;
    let office = start_with_acme(folder.path(), &directory.url);
    directory.ask_for_proof_at(office.address());
    directory.gave_certificate().await;
    let answer = client::get(office.address(), DOMAIN, directory.roots(), "/").await;
    let head = answer.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 "), "{head}");
    assert!(head.contains("\r\nstrict-transport-security: max-age=31536000\r\n"), "{head}");
    assert!(client::get_h2(office.address(), DOMAIN, directory.roots()).await, "HTTP/2 is spoken");
    let kept = folder.path().join("acme");
    until_kept(&kept).await;
    drop(office);

    // The folder holds keys: only its owner may read it.
    let mode = std::fs::metadata(kept).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    // The next start has the certificate already, and needs no directory.
    let (roots, url) = (directory.roots(), directory.url.clone());
    drop(directory);
    let office = start_with_acme(folder.path(), &url);
    let answer = client::get(office.address(), DOMAIN, roots, "/healthz").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// The certificate is served with before it is written down: the own and the one that signed it.
async fn until_kept(folder: &Path) {
    let is_kept = |file: std::fs::DirEntry| {
        let text = std::fs::read_to_string(file.path()).unwrap_or_default();
        text.matches("-----END CERTIFICATE-----").count() == 2
    };
    while !std::fs::read_dir(folder).unwrap().any(|file| is_kept(file.unwrap())) {
        tokio::task::yield_now().await;
    }
}

fn start_with_acme(folder: &Path, directory: &str) -> Program {
    let [roots, kept] = ["roots.pem", "acme"].map(|name| folder.join(name).display().to_string());
    let contact = "keeper@doorstep.example";
    let flags = ["--acme", DOMAIN, "--acme-contact", contact, "--acme-directory", directory];
    start(folder, &[&flags[..], &["--acme-roots", &roots, "--acme-folder", &kept]].concat())
}

fn start(folder: &Path, flags: &[&str]) -> Program {
    let database = format!("sqlite:{}", folder.join("office.db").display());
    let program = Program::start(Program::serve(&database).args(flags));
    assert!(program.url.starts_with("https://"), "{}", program.url);
    program
}
