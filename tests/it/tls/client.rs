//! Clients of TLS: one that wants a proof, one that wants a page.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::parse_x509_certificate;

/// The digest in the certificate that is shown to who asks for proof (RFC 8737, section 3).
pub(crate) async fn proof(office: SocketAddr, domain: &str) -> Vec<u8> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Anything(Arc::clone(&provider)));
    let mut config = builder(provider)
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    let stream = connect(office, domain, config).await.unwrap();
    let (_, connection) = stream.get_ref();
    assert_eq!(connection.alpn_protocol(), Some(&b"acme-tls/1"[..]));
    let (_, certificate) =
        parse_x509_certificate(&connection.peer_certificates().unwrap()[0]).unwrap();
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    assert_eq!(names.value.general_names.len(), 1);
    let extension = certificate
        .extensions()
        .iter()
        .find(|extension| extension.oid.to_id_string() == "1.3.6.1.5.5.7.1.31")
        .unwrap();
    assert!(extension.critical);
    // An octet string of 32 bytes.
    extension.value.strip_prefix(&[0x04, 0x20]).unwrap().to_vec()
}

/// A page over HTTP/1.1, by a certificate that these roots vouch for.
pub(crate) async fn get(
    office: SocketAddr,
    domain: &str,
    roots: RootCertStore,
    path: &str,
) -> String {
    let mut stream = until_served(office, domain, &roots, b"http/1.1").await;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {domain}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Some close without saying so in TLS.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Whether HTTP/2 is chosen by who can speak it.
pub(crate) async fn get_h2(office: SocketAddr, domain: &str, roots: RootCertStore) -> bool {
    let stream = until_served(office, domain, &roots, b"h2").await;
    stream.get_ref().1.alpn_protocol() == Some(&b"h2"[..])
}

/// Handshakes fail until there is a certificate, and for no longer.
async fn until_served(
    office: SocketAddr,
    domain: &str,
    roots: &RootCertStore,
    protocol: &[u8],
) -> TlsStream<TcpStream> {
    loop {
        let provider = Arc::new(ring::default_provider());
        let mut config =
            builder(provider).with_root_certificates(roots.clone()).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        match connect(office, domain, config).await {
            Ok(stream) => return stream,
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn connect(
    office: SocketAddr,
    domain: &str,
    config: ClientConfig,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(office).await?;
    let name = ServerName::try_from(domain.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap()
}

/// Accepts every certificate: the challenge certificate is self-signed.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
