//! Begins connections with TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::server::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Figures;
use super::acme::PROTOCOL;

/// How long a handshake may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Begins connections at one port. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor {
    tls: TlsAcceptor,
    figures: Arc<Figures>,
}

/// Somebody who does not speak TLS, refuses the certificate, or takes too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no handshake")]
pub struct NoHandshake;

impl Acceptor {
    pub(super) fn new(config: ServerConfig, figures: Arc<Figures>) -> Self {
        Self { tls: TlsAcceptor::from(Arc::new(config)), figures }
    }

    /// The handshake; with whose connection it is.
    ///
    /// # Errors
    ///
    /// [`NoHandshake`]: the connection is closed.
    pub async fn accept(
        self,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, Option<SocketAddr>), NoHandshake> {
        let peer = stream.peer_addr().ok();
        match tokio::time::timeout(WITHIN, self.tls.accept(stream)).await {
            // An authority has seen what it came for.
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(PROTOCOL) => {
                Err(NoHandshake)
            }
            Ok(Ok(stream)) => Ok((stream, peer)),
            failed => {
                self.figures.failed.fetch_add(1, Ordering::Relaxed);
                if let Ok(Err(error)) = failed {
                    tracing::debug!(%error, "a connection without a handshake");
                }
                Err(NoHandshake)
            }
        }
    }
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acceptor").finish_non_exhaustive()
    }
}
