//! Certificates made for a test, and a client that trusts their root and looks at what it is shown.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The name the certificates are for.
pub const NAME: &str = "play.example";

/// Somebody whose certificates the client trusts.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, PEM.
    pub pem: String,
}

/// A certificate and its key, PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A new certificate that is good from the year 2020 until this one.
    pub fn issue(&self, until: i32) -> Pair {
        let key = KeyPair::generate().unwrap();
        let names = [NAME, "127.0.0.1"].map(str::to_owned);
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    /// Connects and shakes hands, offering these protocols.
    pub async fn connect(
        &self,
        to: SocketAddr,
        alpn: &[&str],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        self.connect_with(to, alpn, rustls::DEFAULT_VERSIONS).await
    }

    /// The same with these versions of TLS.
    pub async fn connect_with(
        &self,
        to: SocketAddr,
        alpn: &[&str],
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        connect_trusting(&self.pem, to, alpn, versions).await
    }

    /// One request of HTTP/1.1; the whole answer.
    pub async fn ask(&self, to: SocketAddr, head: &str, body: &str) -> String {
        let mut stream = self.connect(to, &["http/1.1"]).await.unwrap();
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nHost: {NAME}:{}\r\nAuthorization: Basic ZGVmYXVsdGtleTo=\r\n\
             Connection: close\r\nContent-Length: {length}\r\n\r\n{body}",
            to.port()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // The other side may end without saying so once it has answered.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    /// The certificate that the server shows, DER.
    pub async fn shown(&self, to: SocketAddr) -> Option<Vec<u8>> {
        let stream = self.connect(to, &[]).await.ok()?;
        Some(stream.get_ref().1.peer_certificates()?.first()?.to_vec())
    }
}

impl Pair {
    /// Writes both files into a folder, the key last.
    pub fn write(&self, folder: &Path) {
        std::fs::write(folder.join("certificate.pem"), &self.certificate).unwrap();
        std::fs::write(folder.join("key.pem"), &self.key).unwrap();
    }

    /// The certificate, DER.
    pub fn der(&self) -> Vec<u8> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap().to_vec()
    }
}

/// Connects to a server whose certificate leads to this root, offering these protocols and versions.
pub async fn connect_trusting(
    root: &str,
    to: SocketAddr,
    alpn: &[&str],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(to).await?;
    let name = ServerName::try_from(NAME).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}
