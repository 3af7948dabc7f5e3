//! `[tls]`: certificates for the server's own ports.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[tls]`: https, wss and gRPC over TLS without a proxy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// File with the certificate and those that lead to its root, in PEM, the server's own first.
    /// Empty: no TLS. Its contents are read again when it changes, and by SIGHUP.
    pub certificate: PathBuf,
    /// File with the certificate's key, in PEM.
    pub key: PathBuf,
    /// Which ports speak TLS, and nothing else: "players", "grpc", "operators", "partners", and
    /// "pragma" for all of Pragma's own.
    pub listeners: Vec<Ports>,
    /// Oldest version of TLS that is spoken: "1.2" or "1.3".
    pub min_version: MinVersion,
}

/// Ports that have TLS together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ports {
    /// Players' HTTP and sockets.
    Players,
    /// Players' gRPC.
    Grpc,
    /// Operators'.
    Operators,
    /// Game servers'.
    Partners,
    /// Pragma's own six.
    Pragma,
}

/// The oldest version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MinVersion {
    /// TLS 1.2.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    V1_3,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            listeners: vec![Ports::Players, Ports::Grpc],
            min_version: MinVersion::default(),
        }
    }
}

impl TlsConfig {
    /// Whether there is TLS at all.
    pub fn is_on(&self) -> bool {
        !self.certificate.as_os_str().is_empty()
    }

    /// Whether these ports speak TLS.
    pub fn serves(&self, ports: Ports) -> bool {
        self.is_on() && self.listeners.contains(&ports)
    }
}
